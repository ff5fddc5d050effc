"""What small tables of texts are made of."""

from nicegui import ui


def table_head(*headings: str) -> None:
    """The head of a table, to be built within it."""
    with ui.element("thead"), ui.element("tr"):
        for heading in headings:
            with ui.element("th").props("scope=col"):
                ui.label(heading)


def table_line(name: str, *texts: str) -> None:
    """A line of a table, to be built within its body: what it is about, and what is said of that."""
    with ui.element("tr"):
        with ui.element("th").props("scope=row"):
            ui.label(name)
        for text in texts:
            with ui.element("td"):
                ui.label(text)
