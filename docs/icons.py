"""Make `ui/static/icons.css`: of NiceGUI's font of icons those that the pages show, 7 kB instead of 129.

    uv run --with "fonttools[woff]" docs/icons.py

To be run again when a page shows another icon; `tests/test_icons.py` says so. The icons are Google's, under the Apache licence 2.0.
"""

import ast
import base64
import io
import re
import sys
from collections.abc import Iterable
from pathlib import Path

import nicegui
from fontTools.subset import Options, Subsetter
from fontTools.ttLib import TTFont

ROOT = Path(__file__).parents[1]
FONTS = Path(nicegui.__file__).parent / "static"
TARGET = ROOT / "ui" / "static" / "icons.css"
LETTERS = "abcdefghijklmnopqrstuvwxyz0123456789_"


# In place of NiceGUI's: of two faces of one family a browser takes the later one.
_SHEET = """/* Made by docs/icons.py. Icons: {names} */
@font-face {{
  font-family: "Material Icons";
  font-display: block;
  src: url(data:font/woff2;base64,{font}) format("woff2");
}}
"""


def main() -> None:
    """Write the style sheet."""
    font = TTFont(_file())
    known = _icons(font)
    used = sorted(known.keys() & {*_literals(), *_of_quasar()})
    subset = base64.b64encode(_subset(font, [known[name] for name in used])).decode()
    TARGET.write_text(_SHEET.format(names=" ".join(used), font=subset), "utf-8")
    print(f"{len(used)} icons, {TARGET.stat().st_size:,} bytes: {TARGET.relative_to(ROOT)}", file=sys.stderr)


def _file() -> Path:
    found = re.search(r'"Material Icons";[^}]*url\((fonts/\w+\.woff2)\)', (FONTS / "fonts.css").read_text("utf-8"))
    assert found, "NiceGUI has its icons elsewhere now"
    return FONTS / found[1]


def _icons(font: TTFont) -> dict[str, str]:
    """The glyph of each icon by its name, which is written in the page and which the font draws as one sign."""
    letters = {glyph: chr(code) for code, glyph in font.getBestCmap().items()}
    return {
        "".join(letters[glyph] for glyph in (first, *ligature.Component)): ligature.LigGlyph
        for lookup in font["GSUB"].table.LookupList.Lookup
        for table in lookup.SubTable
        for first, ligatures in table.ligatures.items()
        for ligature in ligatures
    }


def _literals() -> Iterable[str]:
    """Every text in the code of the pages: of those that are names of icons some mean something else, which costs little."""
    for path in (ROOT / "ui").rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


def _of_quasar() -> Iterable[str]:
    """The icons that Quasar's own components show."""
    script = (FONTS / "quasar.umd.prod.js").read_text("utf-8")
    found = re.search(r'name:"material-icons",type:\{.*?uploader:\{[^}]*\}', script)
    assert found, "Quasar names its icons in another way now"
    return re.findall(r'"([a-z_0-9]+)"', found[0])


def _subset(font: TTFont, glyphs: Iterable[str]) -> bytes:
    # The letters of the names lead to every icon: with this closure all of them would be kept.
    subsetter = Subsetter(Options(layout_closure=False, layout_features=["*"], hinting=False))
    subsetter.populate(text=LETTERS, glyphs=glyphs)
    subsetter.subset(font)
    font.flavor = "woff2"
    file = io.BytesIO()
    font.save(file)
    return file.getvalue()


if __name__ == "__main__":
    main()
