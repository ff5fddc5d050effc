"""The uses of an authkey by day, as a small chart: plain SVG, and what it says in words. Pure."""

from collections.abc import Sequence

from models.usage import DayCount
from models.wording import day_name, several

_DAY_WIDTH, _BAR_WIDTH, _HEIGHT, _LEAST = 10, 7, 56, 2
"""In units of the chart, which is stretched to the width that there is; a day with any use is seen"""


def uses_in_words(days: Sequence[DayCount]) -> str:
    """The sum, and the day with the most: `1,240 uses in the last 30 days, most on Fri 20 Nov: 88`."""
    total = sum(each.times for each in days)
    if not total:
        return f"No use in the last {len(days)} days"
    most = max(days, key=lambda each: each.times)
    return f"{several(total, 'use')} in the last {len(days)} days, most on {day_name(most.day)}: {most.times:,}"


def uses_svg(days: Sequence[DayCount]) -> str:
    """A bar for each day, the highest as high as the chart. A bar tells its number when the pointer rests on it."""
    most = max(each.times for each in days) or 1
    bars = "".join(_bar(place, each, most) for place, each in enumerate(days))
    width = _DAY_WIDTH * len(days)
    return (
        f'<svg class="uses-chart" role="img" aria-label="{uses_in_words(days)}" viewBox="0 0 {width} {_HEIGHT}" '
        f'preserveAspectRatio="none">{bars}</svg>'
    )


def _bar(place: int, day: DayCount, most: int) -> str:
    x = place * _DAY_WIDTH
    height = max(_LEAST, round(day.times / most * _HEIGHT)) if day.times else 0
    bar = (
        f'<rect class="used" x="{x}" y="{_HEIGHT - height}" width="{_BAR_WIDTH}" height="{height}"/>' if height else ""
    )
    title = f"{day_name(day.day)}: {several(day.times, 'use')}"
    return f'<g><title>{title}</title><rect class="day" x="{x}" width="{_DAY_WIDTH}" height="{_HEIGHT}"/>{bar}</g>'
