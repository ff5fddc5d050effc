"""When requests were denied: by the hour and by the day, in bounded space; drawn and said; and what of it an address names."""

import xml.etree.ElementTree as ET
from datetime import UTC, date, datetime, timedelta
from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.access_checks import Reason
from models.denial_hours import BARS_HEIGHT, DAYS, KEPT_HOURS, bars, counted_by_hour, denied_days, hour_of, peak
from models.denial_views import DeniedView, Trial, parse_denied_view, parse_trial
from models.denial_wording import REASON_NAMES, REASON_SENTENCES, day_text, days_text
from models.denials import Counted, Denial, denial
from models.errors import InvalidValue
from models.tables import DeniedHour, DeniedRequest
from services.console import Console
from storage import denied_requests, uses
from storage.database import reader

NOW = datetime(2026, 11, 27, 6, 45, tzinfo=UTC)
IP = "192.0.2.7"
PEAK = datetime(2026, 11, 24, 14, 5, tzinfo=UTC)


def unknown(ip: str = IP, reason: Reason = Reason.UNKNOWN_KEY) -> Denial:
    return denial(reason, ip, 0, "", "search")


def counted(times: int, at: datetime) -> Counted:
    return Counted(times, at, at)


# -- pure --------------------------------------------------------------------------------------------------------------


def test_what_callers_make_up_adds_to_the_count_of_an_hour_and_to_no_number_of_rows() -> None:
    batch = {unknown(f"10.0.{n >> 8}.{n & 255}"): counted(2, PEAK) for n in range(500)}
    assert counted_by_hour(batch) == {(hour_of(PEAK), "unknown key"): 1_000}


def test_the_last_days_are_seven_of_utc_with_today_and_an_older_hour_is_in_none() -> None:
    week = denied_days({hour_of(PEAK): 84, hour_of(NOW): 3, hour_of(NOW - timedelta(days=7)): 9}, NOW)
    assert [day.day for day in week] == [date(2026, 11, 21) + timedelta(days=n) for n in range(DAYS)]
    assert (week[3].hours[14], week[6].hours[6], sum(day.total for day in week)) == (84, 3, 87)


def test_the_chart_says_how_many_and_when_most() -> None:
    week = denied_days({hour_of(PEAK): 1_184, hour_of(NOW): 56}, NOW)
    assert days_text(week) == "1,240 denied in 7 days, most on Tue 24 Nov, from 14:00 to 15:00 UTC: 1,184"
    assert day_text(week[3]) == "Tue 24 Nov: 1,184 denied, most from 14:00 to 15:00 UTC"
    assert day_text(week[0]) == "Sat 21 Nov: none denied"
    assert days_text(denied_days({}, NOW)) == "None denied in 7 days"


def test_a_bar_is_as_high_as_its_hour_and_a_single_one_is_still_seen_beside_a_flood() -> None:
    (day,) = denied_days({hour_of(NOW): 1, hour_of(NOW) + 1: 100_000}, NOW)[-1:]
    drawn = bars(day.hours, peak([day]))
    assert drawn == f"M6 {BARS_HEIGHT}v-2h0.8V{BARS_HEIGHT}zM7 {BARS_HEIGHT}v-{BARS_HEIGHT}h0.8V{BARS_HEIGHT}z"
    ET.fromstring(f'<svg><path d="{drawn}"/></svg>')
    assert bars([0] * 24, 0) == ""


def test_every_reason_has_a_name_and_a_sentence() -> None:
    assert REASON_NAMES.keys() == REASON_SENTENCES.keys() == set(Reason)
    assert len(set(REASON_NAMES.values())) == len(Reason)


@given(st.builds(DeniedView, search=st.just("192.0.2.0/24, billing"), reason=st.none() | st.sampled_from(Reason)))
def test_an_address_names_the_view_that_made_it(view: DeniedView) -> None:
    assert parse_denied_view(_query(view.to_query())) == view


def test_an_address_names_the_trial_that_made_it_and_never_a_secret() -> None:
    for trial in (Trial(), Trial(authkey_id=17, ip="2001:db8::7", privilege="addlicense"), Trial(ip=IP)):
        assert parse_trial(_query(trial.to_query())) == trial
    assert parse_trial({"key": "17"}) is None
    assert Trial().to_query() == "try=1"


def _query(text: str) -> dict[str, str]:
    return dict(parse_qsl(text))


@pytest.mark.parametrize(
    "query", [{"reason": "luck"}, {"day": "9999-12-31"}, {"day": "0001-01-01"}, {"day": "x"}, {"search": "a\x00b"}]
)
def test_what_cannot_be_looked_for_is_refused_in_words(query: dict[str, str]) -> None:
    with pytest.raises(InvalidValue):
        parse_denied_view(query)


@pytest.mark.parametrize(
    "query", [{"key": "-1"}, {"key": "x" * 20}, {"ip": "\x1b[0m"}, {"ip": "1" * 60}, {"privilege": "x"}]
)
def test_what_cannot_be_tried_is_refused_in_words(query: dict[str, str]) -> None:
    with pytest.raises(InvalidValue):
        parse_trial({"try": "1"} | query)


# -- stored ------------------------------------------------------------------------------------------------------------


@pytest.fixture
async def now(console: Console) -> datetime:
    """The present moment, from which one looks back on days before."""
    return datetime.now(UTC)


async def ips(console: Console, **view: object) -> list[str]:
    found = await console.uses.denied_requests(DeniedView(**view))  # type: ignore[arg-type]
    assert await console.uses.denied_count(DeniedView(**view)) == len(found)  # type: ignore[arg-type]
    return [each.ip for each in found]


async def test_denied_requests_are_counted_by_hour_for_any_reason_and_for_one(console: Console, now: datetime) -> None:
    for _ in range(2):
        console.uses.note_denials(unknown(), 3, now)
        console.uses.note_denials(unknown("192.0.2.8"), 1, now)
        console.uses.note_denials(unknown(reason=Reason.WRONG_IP), 5, now)
        await console.uses.write()
    assert sum(day.total for day in await console.uses.denied_days()) == 18
    assert (await console.uses.denied_days(Reason.WRONG_IP))[-1].hours[now.hour] == 10


async def test_hours_of_which_nobody_asks_any_more_are_forgotten(console: Console, now: datetime) -> None:
    old = now - timedelta(hours=KEPT_HOURS + 1)
    await uses.store({}, {unknown(): counted(4, old), unknown("192.0.2.8"): counted(1, now)})
    assert await DeniedHour.all().using_db(reader()).count() == 2
    await denied_requests.prune(1_000, now)
    assert [each.hour for each in await DeniedHour.all().using_db(reader())] == [hour_of(now)]


async def test_a_day_shows_what_was_denied_on_it_and_not_what_was_denied_before_and_after(
    console: Console, now: datetime
) -> None:
    for ip, days in (("192.0.2.1", (6, 4)), ("192.0.2.2", (5,)), ("192.0.2.3", (5, 0)), ("192.0.2.4", (0,))):
        for back in days:
            await uses.store({}, {unknown(ip): counted(1, now - timedelta(days=back))})
    day = {back: (now - timedelta(days=back)).date() for back in (0, 1, 4, 5, 6, 12, 36)}
    assert await ips(console, day=day[6]) == ["192.0.2.1"]
    assert await ips(console, day=day[5]) == ["192.0.2.3", "192.0.2.2"]
    assert await ips(console, day=day[4]) == ["192.0.2.1"]
    assert await ips(console, day=day[1]) == []
    assert sorted(await ips(console, day=day[0])) == ["192.0.2.3", "192.0.2.4"]
    assert await ips(console, day=day[12]) == await ips(console, day=day[36]) == [], "days of which nothing is known"


async def test_a_day_a_month_ago_is_not_taken_for_one_of_this_week(console: Console, now: datetime) -> None:
    for back in (35, 0):  # 35 - 31 = 4
        stamp = now - timedelta(days=back)
        await uses.store({}, {unknown(): counted(1, stamp)})
    assert await ips(console, day=(now - timedelta(days=4)).date()) == []


@pytest.mark.parametrize(
    ("search", "found"),
    [
        ("192.0.2.0/24", ["192.0.2.7"]),
        ("192.0.2.*", ["192.0.2.7"]),
        ("::ffff:192.0.2.7", ["192.0.2.7"]),
        ("2001:db8::/32", ["2001:db8::7"]),
        ("192.0.2.7, 2001:db8::7", ["2001:db8::7", "192.0.2.7"]),
        ("büro", ["2001:db8::7"]),
        ("unknown caller", ["unknown caller"]),
        ("198.51.100.0/24", []),
        ("100%", []),
    ],
)
async def test_the_list_is_searched_with_the_words_of_the_other_views(
    console: Console, now: datetime, search: str, found: list[str]
) -> None:
    for seconds, (ip, service) in enumerate(
        (("192.0.2.7", "billing"), ("2001:db8::7", "BÜRO"), ("unknown caller", ""))
    ):
        at = now + timedelta(seconds=seconds)
        await uses.store({}, {denial(Reason.PRIVILEGE_MISSING, ip, 1, service, "search"): counted(1, at)})
    assert await ips(console, search=search) == found


async def test_a_reason_is_asked_for_alone_and_with_a_search(console: Console, now: datetime) -> None:
    await uses.store({}, {unknown(): counted(1, now), unknown("192.0.2.8", Reason.WRONG_IP): counted(1, now)})
    assert await ips(console, reason=Reason.WRONG_IP) == ["192.0.2.8"]
    assert await ips(console, reason=Reason.WRONG_IP, search="192.0.2.7") == []


async def test_whatever_callers_write_is_stored_and_found(console: Console, now: datetime) -> None:
    odd = denial(Reason.UNKNOWN_WHAT, "fe80::1%eth0" + "x" * 99, 0, "ﷺ" * 200, "'; DROP TABLE refusal --")
    await uses.store({}, {odd: counted(1, now)})
    [row] = await DeniedRequest.all().using_db(reader())
    assert (row.ip_key, len(row.service_key) <= 300) == (None, True)
    assert len(await ips(console, search="fe80::1%eth0")) == 1
