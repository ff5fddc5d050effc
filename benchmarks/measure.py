"""Figures and the table they are printed in."""

import statistics
import sys
import time
from collections.abc import Sequence
from typing import NamedTuple

_STARTED = time.monotonic()


def median(values: Sequence[float]) -> float:
    return statistics.median(values)


def p95(values: Sequence[float]) -> float:
    return statistics.quantiles(values, n=20, method="inclusive")[18] if len(values) > 1 else values[0]


def paired_ratio(values: Sequence[float], base: Sequence[float]) -> float:
    """The median of the ratios of runs that were made right after each other: what slows the machine slows both."""
    return median([value / other for value, other in zip(values, base, strict=True)])


def milliseconds(value: float) -> str:
    return f"{value:,.0f} ms" if value >= 10 else f"{value:.2f} ms"


def p50_and_p95(values: Sequence[float]) -> str:
    return f"p50 {milliseconds(median(values))}, p95 {milliseconds(p95(values))}"


def kilobytes(value: float) -> str:
    return f"{value / 1024:,.0f} KiB"


def progress(text: str) -> None:
    """Say on standard error what is being done."""
    print(f"[{time.monotonic() - _STARTED:5.0f} s] {text}", file=sys.stderr, flush=True)


class Line(NamedTuple):
    what: str
    figure: str
    ratio: str
    goal: str
    verdict: str


class Report:
    """The lines that were measured so far, and what they mean."""

    def __init__(self) -> None:
        self._lines: list[Line] = []
        self._notes: list[str] = []
        self.missed = 0
        """1 if a goal was missed, as an exit status"""

    def add(
        self,
        what: str,
        figure: str,
        *,
        ratio: float | None = None,
        goal: float | None = None,
        floor: float | None = None,
        value: float | None = None,
        unit: str = "×",
    ) -> None:
        """Add a line. `goal` (at most) and `floor` (at least) are held against `value`, or without one against the ratio."""
        held = ratio if value is None else value
        limit = goal if floor is None else floor
        is_met = held is None or limit is None or (held <= limit if floor is None else held >= limit)
        self.missed |= not is_met
        verdict = "" if limit is None or held is None else ("ok" if is_met else "NOT OK")
        self._lines.append(
            Line(
                what,
                figure,
                "" if ratio is None else f"{ratio:.2f}×",
                "" if limit is None else f"{'≤' if floor is None else '≥'} {limit:g}{unit}",
                verdict,
            )
        )

    def note(self, text: str) -> None:
        """Say exactly what some lines measure."""
        self._notes.append(text)

    def __str__(self) -> str:
        rows = [Line("what", "figure", "ratio", "goal", ""), *self._lines]
        widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
        lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
        lines.insert(1, "-" * (sum(widths) + 2 * len(widths) - 2))
        return "\n".join([*lines, "", *(f"- {note}" for note in self._notes)])
