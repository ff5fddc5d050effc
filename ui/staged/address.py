"""The address of a page: the view that it shows and what is open beside it. To open something is a step that Back takes back."""

from collections.abc import Iterator
from contextlib import contextmanager

from nicegui import ui

_ANOTHER = "?"
"""No query: what the browser shows is to be written over."""


class Address:
    """What one window's address bar says."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._open = self._shown = ""
        self._is_followed = False

    def show(self, view: str, open_: str) -> None:
        """Say it: the view, and what is open beside it, each as a query without its `?`."""
        query = "&".join(filter(None, (view, open_)))
        is_step = open_ != self._open and not self._is_followed
        if is_step:
            ui.navigate.history.push(f"{self._path}{f'?{query}' if query else ''}")
        elif query != self._shown:
            ui.navigate.history.replace(f"{self._path}{f'?{query}' if query else ''}")
        self._open, self._shown = open_, query

    @contextmanager
    def followed(self) -> Iterator[None]:
        """What is opened within is what the address said already: no new step."""
        self._is_followed, self._shown = True, _ANOTHER
        try:
            yield
        finally:
            self._is_followed = False
