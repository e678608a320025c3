"""What holds for the whole house and no linter looks at."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from uuutorrent.store import tables

ROOT = Path(__file__).parent.parent
MAX_FILE_LINES = 400
MAX_FUNCTION_LINES = 40


def sources(*places: str) -> list[Path]:
    return sorted(file for place in places for file in (ROOT / place).rglob("*.py"))


def functions(tree: ast.AST) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))


def module_name(file: Path) -> str:
    return ".".join(file.relative_to(ROOT).with_suffix("").parts)


def test_no_file_is_longer_than_a_subject_takes() -> None:
    files = sources("uuutorrent", "tests", "migrations", "benchmarks")
    lines = {str(file.relative_to(ROOT)): len(file.read_text().splitlines()) for file in files}
    assert {name: count for name, count in lines.items() if count > MAX_FILE_LINES} == {}


def test_no_function_is_longer_than_a_screen() -> None:
    long = {
        f"{file.relative_to(ROOT)}: {function.name}"
        for file in sources("uuutorrent", "tests", "migrations", "benchmarks")
        for function in functions(ast.parse(file.read_text()))
        if (function.end_lineno or 0) - function.lineno + 1 > MAX_FUNCTION_LINES
    }
    assert long == set()


ROWS = sorted((mapper.class_ for mapper in tables.Base.registry.mappers), key=lambda row: row.__name__)


@pytest.mark.parametrize("row", ROWS)
def test_a_table_is_named_by_its_owner_alone(row: type) -> None:
    owner = re.search(r"Owner: ([a-z.]+[a-z])\.", row.__doc__ or "")
    assert owner, f"{row.__name__} does not say who owns it"
    users = {
        module_name(file)
        for file in sources("uuutorrent")
        if re.search(rf"\b{row.__name__}\b", file.read_text()) and "store" not in file.parts
    }
    assert users == {f"uuutorrent.{owner[1]}"}


def test_packages_hold_their_docstring_and_nothing_else() -> None:
    for file in sources("uuutorrent"):
        if file.name == "__init__.py":
            body = ast.parse(file.read_text()).body
            assert len(body) == 1, file
            assert isinstance(body[0], ast.Expr), file
