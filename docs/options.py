"""Write README's table of the options anew from the one in `cli/settings.py`: `uv run docs/options.py`."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT))

from cli.settings import options_table

README = ROOT / "README.md"
_HEADING, _END = "## Configuration\n\n", "\n\n"


def with_table(text: str) -> str:
    """This text of README with the table as it must be, which is the first thing under its heading."""
    before, heading, rest = text.partition(_HEADING)
    return before + heading + options_table() + _END + rest.partition(_END)[2]


if __name__ == "__main__":
    README.write_text(with_table(README.read_text("utf-8")), "utf-8")
