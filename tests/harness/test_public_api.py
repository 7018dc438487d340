"""The public API: its names, what importing it costs, and that nobody is told to import anything else."""

from __future__ import annotations

import ast
import inspect
import re
import subprocess
import sys
from importlib import import_module
from pathlib import Path

import pytest

import llm_contracts

ROOT = Path(__file__).parents[2]
IMPORT = re.compile(r"(?:from|import) (llm_contracts\.[\w.]+)")
PAGES = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
HARNESS = sorted((ROOT / "src" / "llm_contracts").rglob("*.py"))
OWN_ROWS = [
    file
    for file in sorted((ROOT / "tests" / "contracts").rglob("*.py"))
    if file.parent.name in {"contracts", "protocols"}
    and not file.name.startswith(("test_", "conftest", "recorded"))
]
"""What a project writes: its rows, its clients and what these import."""
SEEN = {
    alias.name: str(node.module)
    for node in ast.walk(ast.parse(Path(llm_contracts.__file__).read_text()))
    if isinstance(node, ast.ImportFrom) and str(node.module).startswith("llm_contracts.")
    for alias in node.names
}
"""Name and module of what is imported for type checkers alone."""


def test_the_names_are_sorted_and_each_has_a_place() -> None:
    names = list(llm_contracts.__all__)
    assert names == sorted(set(names))
    assert set(names) <= set(dir(llm_contracts))
    with pytest.raises(AttributeError, match="has no attribute 'Nonsense'"):
        _ = llm_contracts.Nonsense


@pytest.mark.parametrize("name", llm_contracts.__all__)
def test_each_name_is_what_type_checkers_see_and_says_what_it_is(name: str) -> None:
    value = getattr(llm_contracts, name)
    assert value is getattr(import_module(SEEN[name]), name)
    documented = inspect.getdoc(value)
    assert documented
    assert not documented.startswith(f"{name}(")  # what a dataclass without a docstring is given


def test_type_checkers_see_nothing_that_cannot_be_had() -> None:
    assert sorted(SEEN) == list(llm_contracts.__all__)


def test_importing_the_package_loads_nothing_else() -> None:
    code = "import sys; old = set(sys.modules); import llm_contracts; print(*set(sys.modules) - old)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    roots = {name.partition(".")[0] for name in done.stdout.split()}
    assert [name for name in done.stdout.split() if name.startswith("llm_contracts")] == ["llm_contracts"]
    assert roots - set(sys.stdlib_module_names) == {"llm_contracts"}


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_a_document_imports_from_the_package_alone(page: Path) -> None:
    assert IMPORT.findall(page.read_text()) == []


def test_what_commands_print_imports_from_the_package_alone() -> None:
    printed = {
        f"{file.name}: {module}"
        for file in HARNESS
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
        for module in IMPORT.findall(node.value)
    }
    assert printed == set()


@pytest.mark.parametrize("file", OWN_ROWS, ids=lambda file: file.name)
def test_what_a_project_writes_imports_from_the_package_alone(file: Path) -> None:
    assert IMPORT.findall(file.read_text()) == []
