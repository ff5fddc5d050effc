"""How long ago: the same words from the server and, later, from the browser."""

from datetime import UTC, datetime, timedelta, timezone

import pytest

from models.wording import ago

NOW = datetime(2026, 11, 27, 6, 45, tzinfo=UTC)
AGES = {
    timedelta(0): "just now",
    timedelta(seconds=59): "just now",
    timedelta(minutes=1): "1 min ago",
    timedelta(minutes=59, seconds=59): "59 min ago",
    timedelta(hours=1): "1 h ago",
    timedelta(hours=23, minutes=59): "23 h ago",
    timedelta(days=1): "1 d ago",
    timedelta(days=29, hours=23): "29 d ago",
    timedelta(days=30): "2026-10-28",
    timedelta(days=400): "2025-10-23",
    timedelta(seconds=-90): "just now",
}


@pytest.mark.parametrize("age", AGES)
def test_a_time_is_told_by_its_age_and_an_old_one_by_its_date(age: timedelta) -> None:
    assert ago(NOW - age, NOW) == AGES[age]


def test_the_date_is_that_of_utc_wherever_the_time_was_read() -> None:
    there = timezone(timedelta(hours=-5))
    assert ago(datetime(2026, 9, 3, 22, 0, tzinfo=there), NOW) == "2026-09-04"
