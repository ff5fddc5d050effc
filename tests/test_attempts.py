"""Attempts to guess are slowed down: a moving window of a minute, counted by all instances together."""

import asyncio
from collections.abc import AsyncIterator

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.attempts import WINDOW_SECONDS, Limit, wait
from models.errors import TooManyAttempts
from models.tables import Attempt
from services.attempts import Attempts, Guesses, is_first
from services.console import Console, open_console
from storage import attempts
from storage.database import DatabaseLocation, writer
from tests.other_process import another_process

NOW = 1_800_000_000.0
moments = st.lists(st.floats(NOW - 200, NOW + 200), max_size=40)

# -- the decision --------------------------------------------------------------------------------------------------------


@given(moments, st.integers(1, 10))
def test_one_more_is_within_the_limit_exactly_if_fewer_were_counted_in_the_last_minute(
    counted: list[float], a_minute: int
) -> None:
    current = [at for at in counted if NOW - WINDOW_SECONDS < at <= NOW]
    assert (wait([Limit("k", a_minute)], {"k": counted}, NOW) is None) is (len(current) < a_minute)


@given(moments, st.integers(1, 10))
def test_after_the_wait_one_more_is_within_the_limit_and_a_second_before_it_is_not(
    counted: list[float], a_minute: int
) -> None:
    limits = [Limit("k", a_minute)]
    past = [at for at in counted if at <= NOW]
    seconds = wait(limits, {"k": past}, NOW)
    if seconds is not None:
        assert wait(limits, {"k": past}, NOW + seconds) is None
        assert seconds == 1 or wait(limits, {"k": past}, NOW + seconds - 1) is not None


def test_after_the_clock_was_set_back_nobody_is_shut_out_until_time_catches_up() -> None:
    assert wait([Limit("k", 1)], {"k": [NOW + 3_600]}, NOW) is None


def test_the_longest_wait_of_several_limits_counts_and_what_is_only_counted_never_waits() -> None:
    limits = [Limit("a", 1), Limit("b", 1), Limit("c", None)]
    assert wait(limits, {"a": [NOW - 50], "b": [NOW - 10], "c": [NOW] * 99}, NOW) == 50


# -- counted in the database -----------------------------------------------------------------------------------------------


@pytest.fixture
async def console(database: DatabaseLocation) -> AsyncIterator[Console]:
    async with open_console(database) as console:
        yield console


async def outcomes(count: int, name: str, address: str) -> int:
    """How many of so many attempts at once are let through."""

    async def one() -> bool:
        try:
            await Attempts().count(name, address, known=False)
        except TooManyAttempts as error:
            return not 1 <= error.retry_after <= WINDOW_SECONDS
        return True

    return sum(await asyncio.gather(*[one() for _ in range(count)]))


async def outcomes_there(_: Console, count: int, name: str, address: str) -> int:
    return await outcomes(count, name, address)


async def test_five_attempts_at_an_account_from_one_address_are_let_through_however_many_come_at_once(
    console: Console,
) -> None:
    assert await outcomes(20, "dana", "192.0.2.1") == 5
    assert await outcomes(5, "Dana", "192.0.2.1") == 0
    assert await outcomes(5, "lee", "192.0.2.1") == 5
    assert await outcomes(20, "dana", "192.0.2.2") == 5


async def test_what_is_refused_is_not_counted_and_fills_no_table(console: Console) -> None:
    for number in range(4):
        assert await outcomes(5, f"name{number}", "192.0.2.1") == 5
    before = await Attempt.all().using_db(writer()).count()
    assert await outcomes(50, "another", "192.0.2.1") == 0
    assert await Attempt.all().using_db(writer()).count() == before


async def test_strangers_at_many_addresses_do_not_keep_out_who_is_signed_in_there(console: Console) -> None:
    for number in range(6):
        assert await outcomes(5, "dana", f"192.0.2.{number}") == 5
    assert await outcomes(1, "dana", "198.51.100.1") == 0
    await Attempts().count("dana", "198.51.100.1", known=True)


async def test_a_right_password_lets_the_next_ones_through_again(console: Console) -> None:
    assert await outcomes(4, "dana", "192.0.2.1") == 4
    await Attempts().succeeded("dana", "192.0.2.1")
    assert await outcomes(5, "dana", "192.0.2.1") == 5


async def test_attempts_of_one_kind_do_not_count_as_another(console: Console) -> None:
    assert await outcomes(6, "dana", "192.0.2.1") == 5
    await Attempts("with a wrong password").count("dana", "192.0.2.1", known=False)


async def test_two_instances_count_the_same_attempts(postgres_database: DatabaseLocation) -> None:
    async with open_console(postgres_database), another_process(postgres_database) as other:
        here, there = await asyncio.gather(
            outcomes(10, "dana", "192.0.2.1"), other.do(outcomes_there, 10, "dana", "192.0.2.1")
        )
        assert here + there == 5


async def test_what_anybody_can_cause_is_on_record_once_a_minute_whichever_instance_sees_it(
    postgres_database: DatabaseLocation,
) -> None:
    async with open_console(postgres_database) as console, another_process(postgres_database) as other:
        await other.do(refused_link)
        await refused_link(console)
        assert [entry.kind for entry in await console.history.accesses()] == ["launch link refused"]


async def refused_link(console: Console) -> None:
    assert await console.sessions.launch("invented", "192.0.2.1") is None


async def test_of_phrases_only_wrong_ones_count_once_they_are_checked(console: Console) -> None:
    guesses = Guesses()
    for _ in range(30):
        async with guesses.guess("192.0.2.1") as guess:
            guess.was_wrong = False
    for _ in range(20):
        async with guesses.guess("192.0.2.1") as guess:
            guess.was_wrong = True
    with pytest.raises(TooManyAttempts):
        async with guesses.guess("192.0.2.1"):
            pytest.fail("this one must wait")


async def test_what_is_older_than_a_minute_is_deleted_and_what_a_clock_left_in_the_future_too(console: Console) -> None:
    assert await is_first(1, "x")
    [row] = await Attempt.all().using_db(writer())
    for at in (row.at - WINDOW_SECONDS - 1, row.at + 3_600):
        await Attempt.create(key="old", at=at, using_db=writer())
    await attempts.purge()
    assert await Attempt.all().using_db(writer()).values_list("id", flat=True) == [row.id]
    assert not await is_first(1, "x")
