"""What instances tell each other of a staging step: whole, and never more than a NOTIFY of PostgreSQL's holds."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from models.accounts import MAX_NAME_LENGTH
from models.marks import NAMED_ROWS, Marks, StagingNews
from models.subjects import Subject
from storage.signals import _hear
from storage.transactions import PROCESS

MOST_BYTES = 7_999
"""postgresql.org/docs/current/sql-notify.html: a payload must be shorter than 8000 bytes"""
ids = st.integers(1, 2**63 - 1)
names = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\x00"), max_size=MAX_NAME_LENGTH)


@st.composite
def news(draw: st.DrawFn) -> StagingNews:
    row_ids = draw(st.sets(ids, max_size=NAMED_ROWS + 5))
    marks = Marks.of(draw(names), draw(st.sets(st.sampled_from(sorted(row_ids)))) if row_ids else set(), row_ids)
    return StagingNews(draw(ids), draw(st.sampled_from(Subject)), draw(ids), marks)


@given(news())
def test_what_is_told_is_understood_as_it_was_meant(told: StagingNews) -> None:
    assert StagingNews.from_text(told.to_text()) == told


def test_the_largest_step_that_is_told_row_by_row_fits_into_a_notification() -> None:
    rows = range(2**63 - NAMED_ROWS, 2**63)
    told = StagingNews(2**63 - 1, Subject.PASSPHRASE, 2**63 - 1, Marks.of("\U0001f600" * MAX_NAME_LENGTH, rows, rows))
    assert told.marks
    assert len(f"{PROCESS} {told.to_text()}".encode()) <= MOST_BYTES
    assert Marks.of("ben", (), range(1, NAMED_ROWS + 2)) is None


@given(st.sets(ids), st.sets(ids))
def test_each_row_of_a_step_is_marked_or_no_more(row_ids: set[int], staged: set[int]) -> None:
    marks = Marks.of("ben", staged, row_ids)
    if marks is not None:
        assert (marks.staged, marks.cleared) == (row_ids & staged, row_ids - staged)
        assert marks.row_ids == row_ids


class Heard:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.said: list[object] = []

    def committed_something(self) -> None:
        self.said.append("look")

    def staged(self, told: StagingNews) -> None:
        self.said.append(told)

    def nothing_since(self, asked: float) -> None:
        raise AssertionError(asked)


TOLD = StagingNews(1, Subject.AUTHKEY, 2, None)


@pytest.mark.parametrize(
    ("text", "heard"),
    [
        (f"mine {TOLD.to_text()}", []),
        ("mine ", []),
        (f"other {TOLD.to_text()}", [TOLD]),
        ("other ", ["look"]),
        ("", ["look"]),  # as earlier releases tell everything
        ("other [1,2]", ["look"]),
        ('other [1,"plan",3,null]', ["look"]),
        ("other {", ["look"]),
    ],
)
def test_what_another_release_tells_is_looked_for_and_nobody_listens_to_itself(text: str, heard: list[object]) -> None:
    listener = Heard()
    _hear(listener, text.replace("mine", PROCESS))
    assert listener.said == heard
