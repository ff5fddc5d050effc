"""Moments that a person writes, and an address holds: always in UTC unless they say otherwise."""

from datetime import UTC, datetime, time

from models.errors import InvalidValue

_FIRST_YEAR = 1990
"""No record is older: what names an earlier year is mistyped."""


def moment(text: str, *, day_means: time = time.min) -> datetime:
    """A moment that a person wrote, in UTC unless it says otherwise: `2026-11-20`, `2026-11-20 14:30`, RFC 3339.

    `day_means` is the time of a day that is named alone. Raises InvalidValue, with words.
    """
    text = text.strip()
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise InvalidValue(f"{text!r:.40} is no time; write it as in 2026-11-20 14:30, in UTC.") from None
    if len(text) <= len("2026-11-20"):
        at = datetime.combine(at, day_means)
    at = at if at.tzinfo else at.replace(tzinfo=UTC)
    if not _FIRST_YEAR <= at.year < 9999:
        raise InvalidValue(f"{text!r:.40} is a time of which nothing can be on record.")
    return at.astimezone(UTC)


def moment_text(at: datetime) -> str:
    """A moment as an address holds it."""
    return at.strftime("%Y-%m-%dT%H:%M:%S") + (f".{at.microsecond:06}" if at.microsecond else "") + "Z"
