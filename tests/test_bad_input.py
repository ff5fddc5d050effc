"""What a person gets wrong at the command line of accounts and certificates: each is told in clear words."""

import os
import pty
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.databases import copy_of_tables
from tests.nginx import needs_nginx, self_signed
from tests.program import PASSWORD, environment, run
from tests.starting import ROOT


def at_a_terminal(*arguments: str, typed: list[str]) -> tuple[int, str]:
    """Run main.py at a terminal where a person types these lines, each when asked; its exit status and what it said."""
    controller, terminal = pty.openpty()
    with subprocess.Popen(
        [sys.executable, str(ROOT / "main.py"), *arguments],
        env=environment(),
        stdin=terminal,
        stdout=terminal,
        stderr=terminal,
        start_new_session=True,
    ) as process:
        os.close(terminal)
        said = asked = ""
        lines = iter(typed)
        try:
            while part := os.read(controller, 1000).decode():
                said, asked = said + part, asked + part
                if asked.endswith(": "):
                    os.write(controller, f"{next(lines)}\n".encode())
                    asked = ""
        except OSError:
            pass  # so Linux says that the other end has closed
        except BaseException:
            process.kill()
            raise
        os.close(controller)
    return process.returncode, said


def test_a_mistyped_password_is_asked_again_and_never_shown(tmp_path: Path) -> None:
    where = ("--database", copy_of_tables(tmp_path / "a.db").text)
    typed = [PASSWORD, f"{PASSWORD}x", PASSWORD, PASSWORD]
    code, said = at_a_terminal(*where, "admin", "add", "dana", typed=typed)
    assert code == 0, said
    assert "do not match" in said
    assert "Added dana (admin)." in said
    assert PASSWORD not in said


@pytest.mark.parametrize("name", ["two words", "a/b", "-", "<script>", "a\nb", "x" * 65, " ", "a\u202eb", "../x"])
def test_an_account_name_with_odd_characters_is_refused_in_words(tmp_path: Path, name: str) -> None:
    done = run("--database", copy_of_tables(tmp_path / "a.db").text, "admin", "add", "--", name, given=f"{PASSWORD}\n")
    assert done.returncode == 1
    assert "name" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert "\u202e" not in done.stderr
    assert "Traceback" not in done.stderr


Files = Callable[[Path], tuple[Path, Path]]


def no_certificate(folder: Path) -> tuple[Path, Path]:
    _, key = self_signed(folder, "keys.example.com")
    (folder / "text.pem").write_text("This is no certificate.\n")
    return folder / "text.pem", key


def of_two_pairs(folder: Path) -> tuple[Path, Path]:
    for name in ("one", "two"):
        (folder / name).mkdir()
    return self_signed(folder / "one", "a.example")[0], self_signed(folder / "two", "b.example")[1]


def with_a_locked_key(folder: Path) -> tuple[Path, Path]:
    certificate, key = self_signed(folder, "keys.example.com")
    locked = folder / "locked.key"
    command = ["openssl", "pkey", "-aes256", "-passout", "pass:secret", "-in", str(key), "-out", str(locked)]
    subprocess.run(command, check=True, capture_output=True)
    return certificate, locked


def a_folder(folder: Path) -> tuple[Path, Path]:
    return folder, folder


@needs_nginx
@pytest.mark.parametrize("files", [no_certificate, of_two_pairs, with_a_locked_key, a_folder])
def test_a_certificate_that_cannot_be_used_is_told_and_nothing_is_asked(tmp_path: Path, files: Files) -> None:
    certificate, key = files(tmp_path)
    options = ["--no-browser", "--port", "0", "--ssl-certfile", str(certificate), "--ssl-keyfile", str(key)]
    code, said = at_a_terminal("--database", str(tmp_path / "a.db"), *options, typed=[])
    assert code == 1
    assert "cannot be used" in said
    assert "PEM files that belong together" in " ".join(said.split())
    assert "Traceback" not in said
    assert not (tmp_path / "a.db").exists()
