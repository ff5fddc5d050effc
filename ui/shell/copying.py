"""Texts that can be copied by a button."""

import re

from nicegui import ui
from nicegui.elements.mixins.text_element import TextElement


def copyable(text: str, classes: str = "") -> ui.label:
    """A text, to be built within an element of the class `copyable`, together with its `copy_button`."""
    return ui.label(text).classes(f"copyable-text {classes}")


def copy_button(name: str, text: str = "") -> ui.button:
    """Copies the text beside it; `name` says to a screen reader which, where the button shows no text.

    In the browser alone, which knows whether it worked, and lets a page copy only while a click is under way.
    """
    button = ui.button(text, icon="content_copy", color=None).props("flat dense no-caps")
    button.on("click", js_handler="(event) => authkeys.copyText(event)")
    if not text:
        button.props("round size=sm").props["aria-label"] = f"Copy {name}"
    ui.label().props("role=status").classes("copyable-said")
    return button


def copy_line(text: str, name: str, classes: str = "") -> None:
    """One line: a text and the button that copies it."""
    with ui.element("div").classes("copyable copy-line"):
        copyable(text, classes)
        copy_button(name)


def copy_command(text: str, name: str) -> None:
    """The line of a shell, which goes on in the next one after a space, or a slash within its path, only, and the button that copies it."""
    with ui.element("div").classes("copyable copy-line"):
        with ui.element("code").classes("copyable-text command"):
            for piece in re.split(r"(?<= )|(?<=[^/]/)(?=[^/])", text):
                TextElement(tag="span", text=piece)
                ui.element("wbr")
        copy_button(name)
