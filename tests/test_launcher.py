"""`install-launcher`: the entry in the desktop's menu is valid, and starts the program."""

import configparser
import re
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.program import environment, run
from tests.requirements import INSTALL_HINT
from tests.starting import ROOT
from ui.desktop.launcher import NoLauncher, install_launcher

needs_validator = pytest.mark.skipif(not shutil.which("desktop-file-validate"), reason=INSTALL_HINT)


def entry_in(data: Path) -> Path:
    return data / "applications" / "authkeys.desktop"


def command_of(entry: Path) -> tuple[list[str], str]:
    """What a desktop runs, and where, by the rules of the Desktop Entry Specification."""
    parser = configparser.RawConfigParser(interpolation=None)
    parser.optionxform = str  # type: ignore[assignment, method-assign]
    parser.read(entry)
    values = parser["Desktop Entry"]
    text = values["Exec"].replace("\\\\", "\\")  # the escapes of every value, then those of a quoted argument
    arguments = re.findall(r'"((?:[^"\\`$]|\\.)*)"(?: |$)', text)
    return [re.sub(r"\\(.)", r"\1", each).replace("%%", "%") for each in arguments], values["Path"]


def test_the_entry_starts_the_program_with_a_database_of_its_own(tmp_path: Path) -> None:
    data = tmp_path / "my data"
    done = run("install-launcher", XDG_DATA_HOME=str(data), anew=True)
    assert done.returncode == 0, done.stderr
    assert str(entry_in(data)) in done.stdout
    command, folder = command_of(entry_in(data))
    options = ["--no-browser", "--port", "0"]
    with subprocess.Popen(
        [*command, *options], cwd=folder, env=environment(), stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout
        assert process.stdout.readline().startswith("Authkeys is running at ")
        process.terminate()
    assert (data / "authkeys" / "authkeys.db").exists()
    assert f"Its database is {data / 'authkeys' / 'authkeys.db'}." in done.stdout


@needs_validator
@pytest.mark.parametrize(
    "name", ["plain", "two words", "50%", 'a"quote', "$HOME", "back`tick", "back\\slash", "ünïcode"]
)
def test_the_entry_is_valid_and_exact_wherever_the_program_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path / "data"))
    program = tmp_path / name / "main.py"
    install_launcher(program)
    entry = entry_in(tmp_path / "data")
    checked = subprocess.run(["desktop-file-validate", str(entry)], capture_output=True, text=True, check=False)
    assert (checked.returncode, checked.stdout) == (0, "")
    assert command_of(entry)[0][-1] == str(program)


def test_the_icon_is_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    install_launcher(ROOT / "main.py")
    assert [icon.name for icon in tmp_path.rglob("*.svg")] == ["authkeys.svg"]


def test_elsewhere_than_on_linux_it_says_what_to_do_instead(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "darwin")
    with pytest.raises(NoLauncher, match=r"On darwin make a shortcut to this command: .*'/a b/main\.py'"):
        install_launcher(Path("/a b/main.py"))


def test_a_folder_that_cannot_be_written_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    done = run("install-launcher", XDG_DATA_HOME=str(tmp_path / "file"))
    assert done.returncode == 1
    assert "The launcher cannot be written" in done.stderr
    assert "Traceback" not in done.stderr
