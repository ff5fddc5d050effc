"""What gathers for a page while it is busy, and how it is drawn: together, and never more than can be seen."""

import asyncio

import pytest
from nicegui.testing import User

from models.authkeys import Authkey
from models.marks import Marks, StagingChange
from models.subjects import Subject
from models.submissions import Kind, Modification, Source
from services.feed import Commit
from storage.database import DatabaseLocation
from tests.waiting import eventually
from ui.staged.news import MOST_AT_ONCE, MOST_ROWS, Inbox, News

ME, BEN = 1, 2


@pytest.fixture
def database(sqlite_database: DatabaseLocation) -> DatabaseLocation:
    """Pages do not know which database it is; one kind is enough."""
    return sqlite_database


def marks(*row_ids: int) -> Marks:
    return Marks("ben", frozenset(row_ids), frozenset())


def row(id_: int) -> Authkey:
    return Authkey(id_, "192.0.2.7", f"service {id_}", 1, 7)


def commit(*row_ids: int, kind: Kind = Kind.CHANGED, named: bool = True) -> Commit:
    done = tuple(Modification(id_, kind, "192.0.2.7", f"service {id_}", 0, 1) for id_ in row_ids)
    rows = tuple(map(row, row_ids))
    return Commit(
        7, "ben", Source.GRID, Subject.AUTHKEY, len(done), len(done), done if named else None, rows if named else ()
    )


def after_commits(*commits: Commit) -> News:
    news = News(ME)
    for each in commits:
        news.add_commit(each, is_order_of_privileges=False)
    return news


def after_staging(*changes: StagingChange) -> News:
    news = News(ME)
    for each in changes:
        news.add_staging(each)
    return news


async def test_what_comes_while_a_page_is_drawn_is_drawn_together_afterwards(page: User) -> None:
    drawn: list[int] = []
    go_on = asyncio.Event()

    async def draw(news: News) -> None:
        drawn.append(len(news.marks))
        await go_on.wait()

    assert page.client
    inbox = Inbox(page.client, ME, draw)
    inbox.note(lambda news: news.add_staging(StagingChange(BEN, marks(1))))
    await eventually(lambda: drawn == [1])
    for _ in range(100):
        inbox.note(lambda news: news.add_staging(StagingChange(BEN, marks(1))))
    go_on.set()
    await eventually(lambda: drawn == [1, 100])


def test_a_change_of_privileges_is_put_where_its_row_is_shown_and_reads_no_block() -> None:
    news = after_commits(commit(1), commit(2), commit(1))
    assert (set(news.rows), news.stale, news.moved) == ({1, 2}, False, False)
    assert len(news.flashes()) == 3


@pytest.mark.parametrize("kind", [Kind.ADDED, Kind.REMOVED, Kind.RESTORED])
def test_rows_that_come_or_go_move_others_and_change_the_counts(kind: Kind) -> None:
    news = after_commits(commit(1, kind=kind))
    assert (news.stale, news.moved) == (True, True)


def test_a_commit_of_too_many_rows_to_name_reads_the_blocks_anew() -> None:
    assert after_commits(commit(named=False)).stale


def test_many_commits_together_send_no_more_rows_one_by_one_than_one_may() -> None:
    assert not after_commits(commit(*range(MOST_ROWS))).is_large
    news = after_commits(*(commit(*range(first, first + 100)) for first in range(0, MOST_ROWS + 100, 100)))
    assert news.is_large
    assert after_commits(*(commit(1) for _ in range(MOST_AT_ONCE + 1))).flashes() == ()


def test_what_others_stage_is_marked_and_nothing_is_read_for_it() -> None:
    news = after_staging(StagingChange(BEN, marks(1)), StagingChange(BEN, marks(2), submitted=True))
    assert [each.staged for each in news.marks] == [{1}, {2}]
    assert (news.staged, news.stale, news.row_ids) == (False, False, set())


@pytest.mark.parametrize("submitted", [False, True])
def test_of_a_step_for_too_many_rows_to_name_the_blocks_say_who_staged_it(submitted: bool) -> None:
    assert after_staging(StagingChange(BEN, None, submitted=submitted)).stale


def test_what_others_already_know_is_not_drawn_again_for_them() -> None:
    news = after_staging(StagingChange(BEN, None, others_know=True))
    assert (news.stale, news.marks) == (False, [])


def test_ones_own_step_in_another_process_is_drawn_when_it_was_read_here() -> None:
    assert not after_staging(StagingChange(ME, marks(1), elsewhere=True)).staged
    news = after_staging(StagingChange(ME, None, others_know=True))
    assert (news.staged, news.stale) == (True, True)


def test_ones_own_step_shows_in_the_rows_and_in_the_bar() -> None:
    news = after_staging(StagingChange(ME, marks(1, 2), fell_away=1))
    assert (news.staged, news.row_ids, news.fell_away, news.marks) == (True, {1, 2}, 1, [])
