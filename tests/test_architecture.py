"""The import direction that keeps the parts apart: main -> cli -> ui, api, web -> services -> storage -> models."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from graphlib import TopologicalSorter
from pathlib import Path
from statistics import median
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[1]
MAY_IMPORT = {
    "main": {"cli"},
    "cli": {"cli", "ui", "api", "web", "services", "storage", "models"},
    "ui": {"ui", "services", "models"},
    "api": {"api", "web", "services", "models"},
    "web": {"web", "services", "models"},
    "services": {"services", "storage", "models"},
    "storage": {"storage", "models"},
    "models": {"models"},
}
PARTS = {*MAY_IMPORT, "tests", "benchmarks"}
DRIVERS = {"tortoise", "asyncpg", "aiosqlite", "sqlite3"}
HIDDEN_FROM_PAGES = {*DRIVERS, "models.tables", "storage"}


class Import(NamedTuple):
    """One imported module, or one name imported from a module."""

    module: str
    name: str | None
    line: int

    def is_of(self, module: str) -> bool:
        """Whether this imports the module or something in it, however it is written."""
        whole = f"{self.module}.{self.name}" if self.name else self.module
        return f"{whole}.".startswith(f"{module}.")


def sources(*parts: str) -> list[Path]:
    found = [path for part in parts for path in (ROOT / f"{part}.py", *(ROOT / part).rglob("*.py")) if path.exists()]
    assert found, f"no code in {parts}"
    return found


def imports_of(path: Path) -> Iterator[Import]:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (Import(alias.name, None, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}:{node.lineno} has a relative import"
            yield from (Import(node.module or "", alias.name, node.lineno) for alias in node.names)


def module_name(path: Path) -> str:
    return ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


@pytest.mark.parametrize("part", MAY_IMPORT)
def test_a_part_imports_only_itself_and_the_parts_below(part: str) -> None:
    wrong = [
        f"{path}:{each.line} imports {each.module}"
        for path in sources(part)
        for each in imports_of(path)
        if (top := each.module.split(".")[0]) in PARTS and top not in MAY_IMPORT[part]
    ]
    assert wrong == []


@pytest.mark.parametrize("part", ["ui", "api", "web"])
def test_pages_and_routes_know_neither_the_database_nor_its_tables(part: str) -> None:
    wrong = [
        f"{path}:{each.line} imports {hidden}"
        for path in sources(part)
        for each in imports_of(path)
        for hidden in HIDDEN_FROM_PAGES
        if each.is_of(hidden)
    ]
    assert wrong == []


def test_the_pure_models_import_only_the_standard_library_and_each_other() -> None:
    pure = {module_name(path): path for path in sources("models")}
    for tables in [name for name in pure if name.startswith("models.tables")]:
        del pure[tables]
    assert "models.staged_changes" in pure
    wrong = [
        f"{path}:{each.line} imports {each.module}"
        for path in pure.values()
        for each in imports_of(path)
        if each.module.split(".")[0] not in sys.stdlib_module_names and each.module not in pure
    ]
    assert wrong == []


def test_only_storage_knows_the_tables_and_the_drivers() -> None:
    knowing = {
        module_name(path)
        for path in sources("main", "cli", "ui", "api", "web", "services", "models")
        for each in imports_of(path)
        if any(each.is_of(hidden) for hidden in (*DRIVERS, "models.tables"))
    }
    assert knowing == {
        f"models.tables{part}"
        for part in ("", ".accounts", ".approvals", ".factors", ".installation", ".preferences", ".records")
    }


def test_no_statement_of_sql_stands_outside_of_storage() -> None:
    begins = re.compile(r"\s*(SELECT|INSERT INTO|UPDATE \w+ SET|DELETE FROM|PRAGMA) ")
    found = [
        f"{path}:{node.lineno}"
        for path in sources("main", "cli", "ui", "api", "web", "services", "models")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and begins.match(node.value)
    ]
    assert found == []


def graph_of_modules() -> dict[str, set[str]]:
    """Which of our modules imports which; not what only a type checker imports."""
    paths = {module_name(path): path for path in sources(*MAY_IMPORT)}
    graph = {}
    for name, path in paths.items():
        imported = {f"{each.module}.{each.name}" if each.name else each.module for each in imports_of(path)}
        imported |= {each.module for each in imports_of(path)}
        graph[name] = (imported & paths.keys()) - {name}
    return graph


def graph_of_scripts() -> dict[str, set[str]]:
    """Which of the browser's modules imports which."""
    imported = re.compile(r'^import [^;]*?"\./([a-z_]+\.js)";', re.MULTILINE | re.DOTALL)
    return {path.name: set(imported.findall(path.read_text())) for path in (ROOT / "ui" / "static").glob("*.js")}


@pytest.mark.parametrize("graph", [graph_of_modules, graph_of_scripts])
def test_no_modules_import_each_other_in_a_circle(graph: Callable[[], dict[str, set[str]]]) -> None:
    imports = graph()
    assert any(imports.values())
    TopologicalSorter(imports).prepare()  # raises CycleError


def test_one_word_names_one_thing() -> None:
    places: dict[str, list[str]] = {}
    for path in sources(*MAY_IMPORT):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.ClassDef) and "migrations" not in path.parts:
                places.setdefault(node.name, []).append(module_name(path))
    # A table's class has the name of what a row of it is as a value.
    assert {
        name: where
        for name, where in places.items()
        if len({each for each in where if not each.startswith("models.tables")}) > 1
    } == {}


def test_a_file_is_at_most_350_lines_long() -> None:
    files = [*sources(*MAY_IMPORT, "tests", "benchmarks"), *(ROOT / "ui" / "static").iterdir()]
    assert [path for path in files if len(path.read_text().splitlines()) > 350] == []


def test_functions_are_short() -> None:
    lengths = [
        (node.end_lineno or 0) - node.body[0].lineno + 1
        for path in sources(*MAY_IMPORT)
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]
    assert len(lengths) > 500
    assert median(lengths) <= 8


def test_the_services_take_nothing_from_nicegui_but_its_event() -> None:
    taken = {
        (each.module, each.name)
        for path in sources("services")
        for each in imports_of(path)
        if each.module.split(".")[0] == "nicegui"
    }
    assert taken == {("nicegui", "Event")}


def test_nothing_saves_a_loaded_row_because_that_writes_back_every_column() -> None:
    calls = [
        f"{path}:{node.lineno}"
        for path in sources(*MAY_IMPORT, "tests")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "save"
    ]
    assert calls == []


def test_no_module_is_named_after_having_no_subject() -> None:
    assert [path for path in sources(*PARTS) if path.stem in {"utils", "util", "helpers", "common", "misc"}] == []
