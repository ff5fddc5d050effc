"""Uses of an authkey by day: counted on both databases, and drawn as a chart that says itself what it shows."""

import re
from datetime import UTC, date, datetime, timedelta
from xml.etree import ElementTree

from hypothesis import given
from hypothesis import strategies as st

from models.usage import KEPT_USE_DAYS, DayCount, day_of, last_days
from services.console import Console
from tests.support import ADD, SEARCH, add_keys, new_keys
from ui.authkeys.uses_chart import uses_in_words, uses_svg

DAY = timedelta(days=1)
SVG = "{http://www.w3.org/2000/svg}"


async def test_the_uses_of_all_privileges_are_summed_by_day_for_one_key(console: Console) -> None:
    mine, other = await add_keys(console, *new_keys(2, ADD.mask | SEARCH.mask))
    now = datetime.now(UTC)
    for key, privilege, times, days_ago in (
        (mine, ADD, 3, 0),
        (mine, SEARCH, 4, 0),
        (mine, SEARCH, 5, 7),
        (mine, SEARCH, 1, KEPT_USE_DAYS - 1),
        (mine, SEARCH, 900, KEPT_USE_DAYS),
        (other, SEARCH, 80, 7),
    ):
        console.uses.note_uses(key.id, privilege, times, now - days_ago * DAY)
        await console.uses.write()
    days = await console.uses.by_day(mine.id)
    assert [each.day for each in days] == [now.date() - (KEPT_USE_DAYS - 1 - place) * DAY for place in range(30)]
    assert {place: each.times for place, each in enumerate(days) if each.times} == {0: 1, 22: 5, 29: 7}


async def test_of_a_key_that_was_never_used_each_day_has_none(console: Console) -> None:
    (key,) = await add_keys(console, *new_keys(1, SEARCH.mask))
    days = await console.uses.by_day(key.id)
    assert len(days) == KEPT_USE_DAYS
    assert not any(each.times for each in days)


def test_the_last_day_is_today_in_utc() -> None:
    at = datetime(2026, 11, 27, 23, 59, tzinfo=UTC)
    days = last_days(day_of(at), {day_of(at): 5, day_of(at) - 1: 4, day_of(at) - 30: 9})
    assert days[-1] == DayCount(date(2026, 11, 27), 5)
    assert days[0] == DayCount(date(2026, 10, 29), 0)
    assert sum(each.times for each in days) == 9


def a_month(*times: int) -> list[DayCount]:
    return [DayCount(date(2026, 11, 1) + place * DAY, each) for place, each in enumerate(times)]


def test_its_words_say_the_sum_and_the_top_day() -> None:
    assert uses_in_words(a_month(0, 1200, 40)) == "1,240 uses in the last 3 days, most on Mon 2 Nov: 1,200"
    assert uses_in_words(a_month(1, 0)) == "1 use in the last 2 days, most on Sun 1 Nov: 1"
    assert uses_in_words(a_month(0, 0)) == "No use in the last 2 days"


@given(st.lists(st.integers(0, 10**12), min_size=1, max_size=30))
def test_each_used_day_has_a_bar_within_the_chart_the_top_one_as_high_as_it_and_each_its_number(
    times: list[int],
) -> None:
    days = a_month(*times)
    svg = ElementTree.fromstring(uses_svg(days).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1))
    assert (svg.get("role"), svg.get("aria-label")) == ("img", uses_in_words(days))
    _, _, width, height = map(float, str(svg.get("viewBox")).split())
    bars = {place: group.findall(f"{SVG}rect[@class='used']") for place, group in enumerate(svg.findall(f"{SVG}g"))}
    assert [place for place, found in bars.items() if found] == [place for place, each in enumerate(times) if each]
    for bar in (found[0] for found in bars.values() if found):
        x, y, w, h = (float(str(bar.get(name))) for name in ("x", "y", "width", "height"))
        assert 0 <= x <= x + w <= width
        assert h >= 2
        assert y + h == height
    if any(times):
        assert bars[times.index(max(times))][0].get("height") == f"{height:g}"
    titles = [str(each.text) for each in svg.iter(f"{SVG}title")]
    assert [int(re.sub(r".*: |,| uses?$", "", each)) for each in titles] == times
