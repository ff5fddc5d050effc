"""The chart of the denied requests: a bar an hour for the last days. Each day is a button that narrows the list to it."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import date

from nicegui import ui

from models.denial_hours import BARS_HEIGHT, DAYS, DeniedDay, bars, peak
from models.denial_views import DeniedView
from models.denial_wording import day_text, days_text
from models.wording import short_day_name


@dataclass(frozen=True, slots=True)
class _DrawnDay:
    """The elements of one day."""

    button: ui.element
    bars: ui.element
    name: ui.label


class DenialChart:
    """Says in words what it draws. The drawing itself is an SVG of some hundred characters, made in Python."""

    def __init__(self, on_day: Callable[[date | None], Awaitable[object]]) -> None:
        """`on_day` is told the day that was chosen, or None where the chosen one was chosen again."""
        self._on_day = on_day
        self._days: list[DeniedDay] = []
        self._chosen: date | None = None
        with ui.element("section").classes("denied-chart") as self._chart:
            self._said = ui.label().classes("chart-said").mark("chart-said")
            with ui.element("div").classes("chart-days"):
                self._drawn = [self._day(place) for place in range(DAYS)]
        self._chart.props["aria-label"] = f"Denied requests of the last {DAYS} days, by hour"

    def _day(self, place: int) -> _DrawnDay:
        async def choose() -> None:
            day = self._days[place].day
            await self._on_day(None if day == self._chosen else day)

        with ui.element("button").classes("chart-day").props("type=button").on("click", choose, []) as button:
            drawing = ui.element("svg").props("preserveAspectRatio=none aria-hidden=true")
            drawing.props["viewBox"] = f"0 0 24 {BARS_HEIGHT}"
            with drawing:
                path = ui.element("path")
            name = ui.label().classes("chart-date").props("aria-hidden=true")
        return _DrawnDay(button.mark(f"chart-day-{place}"), path, name)

    def show(self, days: list[DeniedDay], view: DeniedView) -> None:
        """Draw these days; the search of the view narrows only the list, and that is said."""
        self._days, self._chosen = days, view.day
        self._said.set_text(f"{days_text(days)}{'. The search is of the list only.' if view.search else ''}")
        highest = peak(days)
        for day, drawn in zip(days, self._drawn, strict=True):
            drawn.bars.props["d"] = bars(day.hours, highest)
            drawn.name.set_text(short_day_name(day.day))
            is_chosen = day.day == view.day
            drawn.button.props["aria-pressed"] = "true" if is_chosen else "false"
            drawn.button.props["aria-label"] = day_text(day)
            drawn.button.props["title"] = f"{day_text(day)}. {'Show all days' if is_chosen else 'Show only this day'}"
