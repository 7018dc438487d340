"""docs/inventory.md says of each module that both backends use why both may, and what checks it."""

from __future__ import annotations

import ast
from collections.abc import Iterable, Iterator
from pathlib import Path

import llm_adapter

PACKAGE = Path(llm_adapter.__file__).parent
PAGE = Path(__file__).parents[2] / "docs" / "inventory.md"


def used(files: Iterable[Path]) -> set[Path]:
    """The modules of the package that these import, and so on. What its root is asked for is elsewhere."""
    found: set[Path] = set()
    waiting = list(files)
    while waiting:
        file = waiting.pop()
        if file not in found:
            found.add(file)
            waiting += imported(file)
    return found


def imported(file: Path) -> Iterator[Path]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("llm_adapter"):
            for name in (node.module, *(f"{node.module}.{each.name}" for each in node.names)):
                place = PACKAGE.parent / str(name).replace(".", "/")
                places = (place.with_suffix(".py"), place / "__init__.py")
                yield from (each for each in places if each.is_file() and each != PACKAGE / "__init__.py")


def test_each_shared_module_is_accounted_for() -> None:
    old = used((PACKAGE / "legacy").glob("*.py"))
    new = used((PACKAGE / "backends").glob("litellm*.py"))
    shared = {file.relative_to(PACKAGE).as_posix() for file in old & new}
    assert "control.py" in shared
    page = PAGE.read_text(encoding="utf-8")
    assert [name for name in sorted(shared) if f"`{name}`" not in page] == []
