"""An authorizer that holds all keys: the same answers and the same reasons as the ordinary one, without asking the database."""

import logging
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest

from models.access_checks import Reason
from models.errors import DatabaseUnavailable
from models.secrets import Secret, new_secret
from models.submissions import Assignment, CellChange, NewAuthkey, NewSecret, Removal
from services import held_keys
from services.authorizer import Question
from services.console import Console
from services.for_scripts import Holding, open_checks
from services.held_keys import HoldingAuthorizer
from services.note_channel import ToldNotes
from storage import secrets
from storage.database import DatabaseLocation
from tests.other_process import another_process
from tests.support import SEARCH, add_keys, cells, new_keys, submit
from tests.waiting import comes_true

IP, ELSEWHERE = "192.0.2.50", "192.0.2.51"


@asynccontextmanager
async def holding(database: DatabaseLocation, fresh_within: float = 20.0) -> AsyncIterator[HoldingAuthorizer]:
    """The services of a worker that holds all keys."""
    async with open_checks(database, None, ToldNotes(), Holding(fresh_within, holds_keys=True)) as checks:
        assert isinstance(checks.authorizer, HoldingAuthorizer)
        yield checks.authorizer


async def answer(authorizer: HoldingAuthorizer, secret: Secret, ip: str = IP) -> Reason | None:
    return (await authorizer.judge(Question(secret.text, ip, SEARCH, "search"))).reason


async def make(console: Console, secret: Secret, service: str, granted: bool = True) -> int:
    privileges = cells("search") if granted else 0
    return (await add_keys(console, NewAuthkey(IP, service, privileges, secret.kept)))[0].id


async def change(console: Console, *changes: CellChange | Removal | NewSecret) -> int:
    return (await submit(console, *changes)).revision or 0


async def undo(console: Console, revision: int) -> None:
    await console.submissions.undo(revision, console.admin, uuid.uuid4())


async def test_each_change_made_elsewhere_takes_effect_with_the_reason_of_the_ordinary_authorizer(
    database: DatabaseLocation,
) -> None:
    secret, newer, later = new_secret(), new_secret(), new_secret()
    async with another_process(database) as other:
        id_ = await other.do(make, secret, "billing")
        async with holding(database) as authorizer:

            async def comes(reason: Reason | None, which: Secret = secret) -> bool:
                async def is_so() -> bool:
                    return await answer(authorizer, which) is reason

                return await comes_true(is_so)

            assert await answer(authorizer, secret) is None
            assert await answer(authorizer, secret, ELSEWHERE) is Reason.WRONG_IP
            assert await answer(authorizer, newer) is Reason.UNKNOWN_KEY
            await other.do(change, CellChange(id_, 0, SEARCH.mask))
            assert await comes(Reason.PRIVILEGE_MISSING)
            await other.do(change, CellChange(id_, SEARCH.mask, 0))
            assert await comes(None)
            revision = await other.do(change, NewSecret(id_, newer.digest, newer.hint))
            assert await comes(Reason.REPLACED)
            assert await comes(None, newer)
            removed = await other.do(change, Removal(id_, revision))
            assert await comes(Reason.REMOVED, newer)
            await other.do(undo, removed)
            assert await comes(None, newer)
            await other.do(make, later, "made later", False)
            assert await comes(Reason.PRIVILEGE_MISSING, later)
            assert authorizer.held == 1


async def test_a_question_is_answered_from_memory_without_a_statement(
    database: DatabaseLocation, caplog: pytest.LogCaptureFixture
) -> None:
    secret = new_secret()
    async with another_process(database) as other:
        await other.do(make, secret, "billing")
    async with holding(database) as authorizer:
        with caplog.at_level(logging.DEBUG, logger="tortoise.db_client"):
            caplog.clear()
            assert [await answer(authorizer, secret) for _ in range(50)] == [None] * 50
            assert [await answer(authorizer, new_secret()) for _ in range(50)] == [Reason.UNKNOWN_KEY] * 50
            assert [record for record in caplog.records if "authkey" in record.getMessage()] == []


async def fill(console: Console, keys: list[Assignment]) -> list[int]:
    return [key.id for key in await add_keys(console, *keys)]


async def revoke_all(console: Console, ids: list[int]) -> None:
    await submit(console, *(CellChange(id_, 0, SEARCH.mask) for id_ in ids))


async def test_after_more_changes_than_can_be_followed_all_is_read_anew_and_meanwhile_nothing_stale_is_said(
    database: DatabaseLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("services.feed._LISTED_KEYS", 100)
    monkeypatch.setattr(held_keys, "_A_PAGE", 70)
    secret = new_secret()
    async with another_process(database) as other:
        mine = await other.do(make, secret, "billing")
        ids = await other.do(fill, new_keys(300, SEARCH.mask))
        async with holding(database) as authorizer:
            assert await answer(authorizer, secret) is None
            before = authorizer._keys._table
            await other.do(revoke_all, [mine, *ids])

            async def is_revoked() -> bool:
                return await answer(authorizer, secret) is Reason.PRIVILEGE_MISSING

            assert await comes_true(is_revoked)
            assert await comes_true(lambda: authorizer._keys._table is not before and authorizer._keys.is_settled)
            assert await answer(authorizer, secret) is Reason.PRIVILEGE_MISSING


async def test_what_is_changed_while_all_is_read_is_not_missed(
    database: DatabaseLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret, newer = new_secret(), new_secret()
    read_pages = secrets.pages
    async with another_process(database) as other:
        mine = await other.do(make, secret, "billing")
        await other.do(fill, new_keys(50))

        async def pages(size: int) -> AsyncIterator[object]:
            async for page in read_pages(10):
                yield page
                if any(held.key.id == mine for _, held in page):  # just read, and changed right then
                    await other.do(change, CellChange(mine, 0, SEARCH.mask))
                    await other.do(make, newer, "made meanwhile")

        monkeypatch.setattr(secrets, "pages", pages)
        async with holding(database) as authorizer:

            async def is_known() -> bool:
                return (await answer(authorizer, secret), await answer(authorizer, newer)) == (
                    Reason.PRIVILEGE_MISSING,
                    None,
                )

            assert await comes_true(is_known)


async def test_what_is_not_known_to_be_fresh_is_not_answered(
    sqlite_database: DatabaseLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = new_secret()
    async with another_process(sqlite_database) as other:
        await other.do(make, secret, "billing")
    async with holding(sqlite_database) as authorizer:
        assert await answer(authorizer, secret) is None
        assert authorizer._feed.lag < 20
        monkeypatch.setattr(authorizer._feed, "heard_within", lambda _: False)
        with pytest.raises(DatabaseUnavailable):
            await answer(authorizer, secret)


async def test_a_moment_without_news_is_waited_for(
    sqlite_database: DatabaseLocation, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = new_secret()
    monkeypatch.setattr(held_keys, "_HEARS_AGAIN_SECONDS", 20)
    async with another_process(sqlite_database) as other:
        await other.do(make, secret, "billing")
    async with holding(sqlite_database) as authorizer:
        authorizer._feed._heard_at -= 60
        assert await answer(authorizer, secret) is None
