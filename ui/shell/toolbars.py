"""What toolbars have in common: the field that is searched in, and the button that clears what a view is filtered by."""

from collections.abc import Callable

from nicegui import ui

from models.views import MAX_SEARCH_LENGTH


def search_field(search_for: str, search: str, on_change: Callable[[], object], typing_ms: int = 200) -> ui.input:
    """`search_for` says what can be searched for; a search waits `typing_ms` for the next key."""
    field = (
        ui.input(placeholder=search_for, value=search, on_change=on_change)
        .props(f"type=search outlined dense clearable debounce={typing_ms} maxlength={MAX_SEARCH_LENGTH}")
        .props(f'aria-label="{search_for}"')
        .classes("search")
        .mark("search")
    )
    with field.add_slot("prepend"):
        ui.icon("search", size="18px")
    return field


def clear_button(on_click: Callable[[], object]) -> ui.button:
    """For search and filters together."""
    button = ui.button(icon="filter_alt_off", on_click=on_click, color=None)
    return button.props('flat round dense aria-label="Clear search and filters"').classes("quiet")
