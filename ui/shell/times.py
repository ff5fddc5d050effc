"""Times of the past as a page tells them: how long ago, kept fresh by `ui/static/times.js`; exactly on hover."""

from datetime import UTC, datetime

from nicegui.elements.mixins.text_element import TextElement

from models.wording import ago, minute


def time_label(at: datetime) -> TextElement:
    """How long ago something was. A time zone is needed; nothing is asked of the server again."""
    label = TextElement(tag="time", text="")
    show_time(label, at)
    return label


def show_time(label: TextElement, at: datetime) -> None:
    """Let a label that `time_label` made tell of another time."""
    utc = at.astimezone(UTC)
    label.props["datetime"] = f"{utc:%Y-%m-%dT%H:%M:%SZ}"
    label.props["title"] = minute(utc)
    label.set_text(ago(utc, datetime.now(UTC)))
