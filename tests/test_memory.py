"""The memory of closed pages is given back; how much that is, `benchmarks/memory.py` measures."""

import gc
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from nicegui import ui
from nicegui.testing import User

from ui.shell.memory import COLLECTED_TOGETHER, collect_closed_pages


@pytest.fixture
def collections() -> Iterator[Callable[[], int]]:
    """How often everything was collected so far; by itself the collector does not come by."""
    done = 0

    def note(phase: str, about: dict[str, Any]) -> None:
        nonlocal done
        done += phase == "stop" and about["generation"] == 2

    gc.disable()
    gc.callbacks.append(note)
    yield lambda: done
    gc.callbacks.remove(note)
    gc.enable()


async def test_the_garbage_of_closed_pages_is_collected_many_at_a_time(
    user: User, collections: Callable[[], int]
) -> None:
    collect_closed_pages()

    @ui.page("/")
    def page() -> None:
        ui.label("A page")

    for _ in range(COLLECTED_TOGETHER - 1):
        (await user.open("/")).delete()
    assert collections() == 0
    (await user.open("/")).delete()
    assert collections() == 1
