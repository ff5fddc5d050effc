"""Imports: what a CSV file may look like, and what the service makes of it. The command line's words: test_command_line."""

import uuid
from pathlib import Path

import pytest

from models.errors import ImportRefused
from models.privileges import ALL_PRIVILEGES, PRIVILEGES
from models.secrets import new_secret
from models.submissions import Assignment, Kind, Modification, NewAuthkey
from models.tables import Submission
from services.console import Console
from services.imports import HEADER, MAX_PROBLEMS, import_file, read_assignments
from services.submissions import Receipt
from tests.support import ADD, SEARCH, add_key, add_keys, all_keys, digests, modifications, new_keys, submissions

FIRST_LINE = ",".join(HEADER)
NONE, ALL = ",0" * 9, ",1" * 9
ONLY_SEARCH = ",0" * 8 + ",1"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "keys.csv"


def write(file: Path, *lines: str, header: str = FIRST_LINE) -> Path:
    """The file, with a header and these lines."""
    file.write_text("\n".join([header, *lines]) + "\n", encoding="utf-8")
    return file


def refusal(file: Path) -> ImportRefused:
    """With what the file is refused."""
    with pytest.raises(ImportRefused) as refused:
        read_assignments(file)
    return refused.value


# -- reading a file: no database -----------------------------------------------------------------------------------------


def test_each_column_is_one_privilege_in_the_order_of_the_header(file: Path) -> None:
    lines = [f"192.0.2.{n},billing" + "".join(",1" if n == column else ",0" for column in range(9)) for n in range(9)]
    assert read_assignments(write(file, *lines)) == [
        Assignment(f"192.0.2.{n}", "billing", privilege.mask) for n, privilege in enumerate(PRIVILEGES)
    ]


@pytest.mark.parametrize(
    "content",
    [
        pytest.param(f"{FIRST_LINE}\n192.0.2.7,a{ALL}\n::1,b{NONE}\n".encode("utf-8-sig"), id="a byte order mark"),
        pytest.param(
            f"{FIRST_LINE}\r\n192.0.2.7,a{ALL}\r\n::1,b{NONE}\r\n".encode(), id="lines that end as on Windows"
        ),
        pytest.param(f"{FIRST_LINE}\n192.0.2.7,a{ALL}\n::1,b{NONE}".encode(), id="no line end at the end"),
        pytest.param(f"{FIRST_LINE}\n\n192.0.2.7,a{ALL}\n\n::1,b{NONE}\n\n".encode(), id="empty lines"),
        pytest.param(
            f"{FIRST_LINE}\n 192.0.2.7 , a {ALL}\n::1,b{NONE}\n".replace(",", " , ").encode(), id="blanks around values"
        ),
        pytest.param(f'{FIRST_LINE}\n"192.0.2.7","a"{ALL}\n"::1","b"{NONE}\n'.encode(), id="quotes"),
        pytest.param(
            f"{FIRST_LINE}\n::ffff:192.0.2.7,a{ALL}\n0:0:0:0:0:0:0:1,b{NONE}\n".encode(),
            id="addresses spelled otherwise",
        ),
    ],
)
def test_files_of_all_kinds_of_programs_mean_the_same(file: Path, content: bytes) -> None:
    file.write_bytes(content)
    assert read_assignments(file) == [Assignment("192.0.2.7", "a", ALL_PRIVILEGES), Assignment("::1", "b", 0)]


@pytest.mark.parametrize(
    ("written", "service"),
    [('"billing, invoices"', "billing, invoices"), ('"the ""new"" one"', 'the "new" one'), ("Büro 📠", "Büro 📠")],
)
def test_a_service_name_may_hold_commas_quotes_and_any_letters(file: Path, written: str, service: str) -> None:
    assert read_assignments(write(file, f"192.0.2.7,{written}{NONE}")) == [Assignment("192.0.2.7", service, 0)]


def test_a_file_with_nothing_but_the_header_is_empty(file: Path) -> None:
    assert read_assignments(write(file)) == []


@pytest.mark.parametrize(
    "header",
    [
        "",
        f"192.0.2.7,billing{NONE}",
        "one,two,three",
    ],
)
def test_a_file_with_another_header_is_refused_and_told_the_right_one(file: Path, header: str) -> None:
    refused = refusal(write(file, f"192.0.2.7,billing{NONE}", header=header))
    assert f"must begin with the line {FIRST_LINE}. Nothing was imported." in str(refused)
    assert refused.problems == ()


def test_an_empty_file_is_refused(file: Path) -> None:
    file.touch()
    assert "must begin with the line" in str(refusal(file))


@pytest.mark.parametrize(
    "cell", ["", "2", "-1", "yes", "x", "TRUE", "FALSE", "true", "１", "01", "1.0", "1,0", "1,000", "=TRUE()"]
)
def test_a_privilege_that_is_neither_0_nor_1_is_refused(file: Path, cell: str) -> None:
    refused = refusal(write(file, f'192.0.2.7,billing{",0" * 8},"{cell}"'))
    assert refused.problems == (
        f"line 2: {cell!r} for search is neither 0 nor 1; write 1 for granted, 0 for not granted.",
    )


def test_lines_with_too_few_or_too_many_values_are_refused(file: Path) -> None:
    refused = refusal(write(file, "192.0.2.7", f"192.0.2.7,billing{NONE},0", "192.0.2.7,billing"))
    assert [problem.rpartition("' has ")[2] for problem in refused.problems] == [
        f"{count} values instead of 11." for count in (1, 12, 2)
    ]


def test_a_line_that_names_the_authkey_of_an_earlier_line_is_refused_however_it_is_spelled(file: Path) -> None:
    lines = [f"::1,Büro{ALL}", f"::1,büro{ALL}", f"::1,other{ALL}", f"0::1, Bu\u0308ro {NONE}"]
    refused = refusal(write(file, *lines))
    assert refused.problems == ("line 5: '0::1', 'Büro' is the same authkey as in line 2; keep one of them.",)
    assert "keys.csv has 1 bad line. Nothing was imported." in str(refused)


def test_problems_are_told_with_the_numbers_that_an_editor_shows(file: Path) -> None:
    refused = refusal(write(file, "", f"x,a{NONE}", f"::1,fine{NONE}", "", f"::2,{NONE}"))
    assert [problem.partition(":")[0] for problem in refused.problems] == ["line 3", "line 6"]
    assert "has 2 bad lines" in str(refused)


def test_of_very_many_bad_lines_the_first_are_told_and_the_others_counted(file: Path) -> None:
    refused = refusal(write(file, *(f"not an address,a{NONE}" for _ in range(MAX_PROBLEMS + 1_234))))
    assert "has 2,234 bad lines" in str(refused)
    assert len(refused.problems) == MAX_PROBLEMS + 1
    assert refused.problems[-1] == "… and 1,234 more"


def test_a_quotation_that_does_not_end_is_refused(file: Path) -> None:
    refused = refusal(write(file, f'::1,"open{NONE}', *(f"::2,{n}{NONE}" for n in range(10))))
    assert len(refused.problems) == 1


def test_a_line_that_is_too_long_is_refused(file: Path) -> None:
    assert "line 2 has more than 100,000 characters" in str(refusal(write(file, f"::1,{'x' * 200_000}{NONE}")))


# -- what the service makes of it ----------------------------------------------------------------------------------------


async def test_an_import_is_one_submission_of_the_admin_that_adds_what_does_not_exist(
    console: Console, file: Path
) -> None:
    told: list[tuple[int, int]] = []
    write(file, f'192.0.2.7,"billing, invoices"{ONLY_SEARCH}', f"::1,b{NONE}")
    receipt = await import_file(file, console.admin, console.submissions, lambda *done: told.append(done))
    assert receipt[1:3] == (2, 2)
    assert told[-1] == (2, 2)
    recorded = await Submission.get(id=receipt.revision)
    assert (recorded.source, (await recorded.admin).name) == ("import", console.admin.name)
    assert {(key.ip, key.service, key.privileges) for key in (await all_keys()).values()} == {
        ("192.0.2.7", "billing, invoices", SEARCH.mask),
        ("::1", "b", 0),
    }


async def test_what_exists_gets_exactly_the_privileges_of_its_line_and_keeps_its_secret(
    console: Console, file: Path
) -> None:
    secret, another = new_secret(), new_secret()
    named, other = await add_keys(
        console,
        NewAuthkey("192.0.2.7", "billing", ADD.mask, secret.kept),
        NewAuthkey("192.0.2.7", "other", ADD.mask, another.kept),
    )
    write(file, f"192.0.2.7,billing{ONLY_SEARCH}")
    receipt = await import_file(file, console.admin, console.submissions)
    assert receipt[1:3] == (2, 1)
    assert await modifications(receipt.revision) == [
        Modification(named.id, Kind.CHANGED, "192.0.2.7", "billing", ADD.mask, SEARCH.mask)
    ]
    assert await all_keys() == {
        named.id: named._replace(privileges=SEARCH.mask, revision=receipt.revision),
        other.id: other,
    }
    assert await digests() == {named.id: secret.digest, other.id: another.digest}


async def test_what_is_already_so_is_not_written_again(console: Console, file: Path) -> None:
    write(file, f"192.0.2.7,billing{ALL}", f"::1,b{NONE}")
    await import_file(file, console.admin, console.submissions)
    before = await all_keys(), await submissions()
    assert await import_file(file, console.admin, console.submissions) == Receipt(None, 0, 0)
    assert (await all_keys(), await submissions()) == before


async def test_one_bad_line_and_nothing_of_the_file_is_imported(console: Console, file: Path) -> None:
    key = await add_key(console, SEARCH.mask)
    before = await submissions()
    lines = [f"{each.ip},billing{ALL}" for each in new_keys(3_000)]
    with pytest.raises(ImportRefused, match="Nothing was imported"):
        await import_file(write(file, *lines, f"::1,b{',2' * 9}"), console.admin, console.submissions)
    assert (await all_keys(), await submissions()) == ({key.id: key}, before)


async def test_an_import_can_be_undone(console: Console, file: Path) -> None:
    key = await add_key(console, SEARCH.mask)
    done = await import_file(
        write(file, f"{key.ip},{key.service}{ALL}", f"::1,b{ALL}"), console.admin, console.submissions
    )
    undone = await console.submissions.undo(done.revision, console.admin, uuid.uuid4())
    assert await all_keys() == {key.id: key._replace(revision=undone.revision)}
