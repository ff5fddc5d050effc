"""What the side panel of a page says to a person without a browser."""

from nicegui import ElementFilter, ui
from nicegui.elements.mixins.text_element import TextElement
from nicegui.testing import User

from models.privileges import PRIVILEGES
from tests.waiting import comes_true


def only(user: User, marker: str) -> ui.element:
    """The one element with this mark, shown or not."""
    with user:
        (element,) = ElementFilter(marker=marker)
    return element


def is_shown(element: ui.element) -> bool:
    """Whether it, and all that it is in, is visible."""
    return element.visible and (element.parent_slot is None or is_shown(element.parent_slot.parent))


def texts(user: User) -> dict[int, str]:
    """All that it says, in order, by the numbers of the elements."""
    found = [each for each in only(user, "side-panel").descendants() if isinstance(each, TextElement)]
    return {each.id: each.text for each in found if each.text and is_shown(each)}


def panel(user: User) -> str:
    """All that it says; nothing while it is closed."""
    return " ".join(texts(user).values())


def line(user: User, label: str) -> str:
    """What it says of one privilege, from its label to the next."""
    words = panel(user)
    begin = words.index(label)
    ends = [words.find(each, begin + 1) for each in (*(each.label for each in PRIVILEGES), "Uses", "Servers")]
    return words[begin : min(end for end in ends if end > 0)]


async def tells(user: User, *words: str) -> None:
    """Wait until it says all of this."""
    assert await comes_true(lambda: all(each in panel(user) for each in words)), panel(user)
