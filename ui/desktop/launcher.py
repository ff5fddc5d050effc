"""The entry in the desktop's menu, by the freedesktop.org specifications (Desktop Entry 1.5, Icon Theme 0.13)."""

import os
import shlex
import sys
from pathlib import Path

from models.errors import AuthkeysError

_ICON = Path(__file__).parents[1] / "static" / "authkeys.svg"
_ENTRY = """[Desktop Entry]
Type=Application
Version=1.0
Name=Authkeys
Comment=API Authorization Keys
Exec={command}
Path={folder}
Icon={icon}
Terminal=false
Categories=Network;
StartupNotify=true
"""


class NoLauncher(AuthkeysError):
    """This system has no menu that Authkeys knows how to enter."""


def install_launcher(program: Path) -> str:
    """Write a `.desktop` file and an icon for `main.py`; says what was done. Raises NoLauncher elsewhere than on Linux."""
    if not sys.platform.startswith("linux"):
        raise NoLauncher(
            f"install-launcher makes a .desktop file, which only Linux desktops read. On {sys.platform} make a "
            f"shortcut to this command: {shlex.join(_command(program))}"
        )
    data = Path(os.environ.get("XDG_DATA_HOME") or Path.home() / ".local" / "share")
    icon = data / "icons" / "hicolor" / "scalable" / "apps" / "authkeys.svg"
    entry = data / "applications" / "authkeys.desktop"
    work = data / "authkeys"
    try:
        for folder in (icon.parent, entry.parent, work):
            folder.mkdir(parents=True, exist_ok=True)
        icon.write_bytes(_ICON.read_bytes())
        entry.write_text(
            _ENTRY.format(command=" ".join(map(_quoted, _command(program))), folder=work, icon=icon), "utf-8"
        )
    except OSError as error:
        raise NoLauncher(f"The launcher cannot be written: {error}.") from error
    return f"Authkeys is in this desktop's menu now ({entry}). Its database is {work / 'authkeys.db'}."


def _command(program: Path) -> list[str]:
    return [sys.executable, str(program)]


def _quoted(argument: str) -> str:
    """An argument as the Exec key wants it: in double quotes, with backslashes, and % doubled."""
    escaped = "".join(f"\\{each}" if each in '"`$\\' else each for each in argument).replace("%", "%%")
    return f'"{escaped}"'.replace("\\", "\\\\")
