"""`main.py history`: what it prints, how it ends, and what it says of what cannot be."""

import sqlite3
from pathlib import Path

import pytest

from tests.databases import copy_of_tables
from tests.elsewhere import key
from tests.program import import_csv, run, write_csv


@pytest.fixture
def database(tmp_path: Path) -> str:
    """A database with one import on record."""
    file = copy_of_tables(tmp_path / "authkeys.db").text
    import_csv(file, write_csv(tmp_path / "keys.csv", [key("192.0.2.7", "billing"), key("192.0.2.8", "billing")]))
    return file


def history(database: str, *arguments: str, status: int = 0) -> str:
    """Run a command of the history; what it says, on either output."""
    done = run("--database", database, "history", *arguments)
    assert done.returncode == status, done.stdout + done.stderr
    return done.stdout + done.stderr


def test_a_record_that_somebody_wrote_into_ends_with_1_and_names_the_entry(database: str) -> None:
    assert "Nothing is wrong: 1 entries, 2 modifications." in history(database, "verify")
    with sqlite3.connect(database) as file:
        file.execute("UPDATE modification SET after = 511 WHERE ip = '192.0.2.8'")
    said = history(database, "verify", status=1)
    assert (
        "The history is not what was written. Entry #1: what its submission did is not what was written then." in said
    )


def test_a_checkpoint_finds_a_tail_that_was_cut_off(database: str, tmp_path: Path) -> None:
    checkpoints = str(tmp_path / "checkpoints")
    history(database, "export", "--to", str(tmp_path / "export.jsonl"))
    assert history(database, "checkpoint", "--to", checkpoints) == f"Appended to {checkpoints}.\n"
    verifier = history(database, "key").strip()
    assert "It agrees with 1 checkpoints." in history(
        database, "verify", "--checkpoint", checkpoints, "--key", verifier
    )
    with sqlite3.connect(database) as file:
        file.execute("DELETE FROM entry WHERE number = 2")
    assert "Nothing is wrong" in history(database, "verify"), "which no chain can find by itself"
    assert "Entry #2: it is missing" in history(database, "verify", "--checkpoint", checkpoints, status=1)


def test_a_second_checkpoint_of_the_same_history_is_not_said_to_be_appended(database: str, tmp_path: Path) -> None:
    checkpoints = tmp_path / "checkpoints"
    history(database, "checkpoint", "--to", str(checkpoints))
    first = checkpoints.read_text()
    said = history(database, "checkpoint", "--to", str(checkpoints))
    assert said == f"Nothing is new since the last one in {checkpoints}.\n"
    assert checkpoints.read_text() == first


def test_an_export_that_fails_leaves_no_file(database: str, tmp_path: Path) -> None:
    file = tmp_path / "table.csv"
    said = history(database, "export", "--to", str(file), "--table-as-of", "99", status=1)
    assert "There is no entry #99 on record" in said
    assert not file.exists()


def test_an_export_of_the_table_refuses_what_only_the_history_can_be_filtered_by(database: str) -> None:
    said = history(database, "export", "--table-as-of", "now", "--admin", "root", status=1)
    assert "--search is the only filter" in said
    found = history(database, "export", "--format", "csv", "--table-as-of", "now", "--search", "192.0.2.8")
    assert "192.0.2.8" in found
    assert "192.0.2.7" not in found


def test_what_cannot_be_is_said_in_words_and_changes_nothing(database: str, tmp_path: Path) -> None:
    there = tmp_path / "there"
    there.write_text("something else")
    for arguments, said in (
        (("verify", "--checkpoint", "/nowhere"), "cannot be read"),
        (("verify", "--checkpoint", str(there)), "cut off"),
        (("verify", "--archive", str(there)), "Line 1 is not one of an export"),
        (("export", "--to", str(there)), "exists already. Nothing was written"),
        (("export", "--since", "yesterday"), "is no time"),
        (("export", "--table-as-of", "99"), "There is no entry #99 on record"),
        (("prune", "--before", "2999-01-01", "--archive", str(tmp_path / "new")), "has not come yet"),
        (("prune", "--before", "2026-02-30", "--archive", str(tmp_path / "new")), "is no time"),
    ):
        assert said in history(database, *arguments, status=1), arguments
    assert there.read_text() == "something else"
    assert not (tmp_path / "new").exists()
    with sqlite3.connect(database) as file:
        assert file.execute("SELECT count(*) FROM entry").fetchone() == (1,)


def test_a_damaged_archive_is_found(database: str, tmp_path: Path) -> None:
    archive = tmp_path / "export.jsonl"
    assert "Written to" in history(database, "export", "--to", str(archive))
    assert "Nothing is wrong, up to entry #1." in history(database, "verify", "--archive", str(archive))
    archive.write_text(archive.read_text().replace("192.0.2.8", "192.0.2.9"))
    assert "is not what was written. Entry #1" in history(database, "verify", "--archive", str(archive), status=1)


def test_the_table_goes_to_standard_output_as_import_reads_it(database: str) -> None:
    lines = history(database, "export", "--table-as-of", "now", "--format", "csv").splitlines()
    assert lines[0].startswith("ip,service,addlicense,")
    assert lines[1] == "192.0.2.7,billing,0,0,0,0,0,0,0,0,0,,"
