"""What still refers to the old clients is listed, all of it, until nothing is left."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from llm_contracts.cli import run
from llm_contracts.cli.exit_codes import Exit
from llm_contracts.doctor.leftovers import find_leftovers
from llm_contracts.project.config import Retiring, load_settings
from tests.fixtures import Capsys
from tests.harness.doctor.made_up_files import MADE_UP
from tests.harness.meanwhile import meanwhile

_PROJECT = """\
[project]
dependencies = ["requests>=2", "types-requests-like"]

[tool.llm_contracts.retire]
modules = ["shop.old_client"]
requirements = ["requests"]
variables = ["OLD_LLM_*"]
words = ["path-old"]
keep = ["CHANGELOG.md"]

[tool.other]
default = "path-old"
"""

_FILES = {
    "pyproject.toml": _PROJECT,
    "src/shop/old_client/__init__.py": "import requests\n",
    "src/shop/calls.py": "from shop.old_client import ask\nimport requests.adapters\nrequests = 3\n",
    "src/shop/other.py": 'NAME = "shop.old_client"\n',
    "tests/test_calls.py": "import shop.old_client\n",
    ".github/workflows/ci.yml": "env:\n  OLD_LLM_KEY: x\n",
    "deploy.env": "OLD_LLM_URL=https://old.example\nOLDER=1\n",
    "README.md": "Set OLD_LLM_KEY. Many requests come.\n",
    "CHANGELOG.md": "shop.old_client is gone\n",
    "picture.png": "\0path-old",
}

_EXPECTED = {
    ("imports", "src/shop/calls.py:1"),
    ("imports", "src/shop/calls.py:2"),
    ("code", "src/shop/old_client/__init__.py"),
    ("code", "src/shop/other.py:1"),
    ("requirements", "pyproject.toml:2"),
    ("requirements", "pyproject.toml:12"),
    ("workflows", ".github/workflows/ci.yml:2"),
    ("settings", "deploy.env:1"),
    ("tests", "tests/test_calls.py:1"),
    ("documents", "README.md:1"),
}


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, text in _FILES.items():
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text(text, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def _found(file: Path) -> set[tuple[str, str]]:
    rows = json.loads(file.read_text(encoding="utf-8"))["found"]
    return {(row["area"], f"{row['file']}:{row['line']}" if row["line"] else row["file"]) for row in rows}


def test_every_reference_is_listed_with_its_area_and_nothing_else(project: Path) -> None:
    assert run(["leftovers", "--json", "out.json"]) == Exit.DIVERGENCE
    assert _found(project / "out.json") == _EXPECTED


def test_what_may_stay_is_counted_and_not_passed_over(project: Path, capsys: Capsys) -> None:
    run(["leftovers"])
    assert "Kept on purpose: 1 in CHANGELOG.md." in capsys.readouterr().out


def test_the_list_is_empty_when_everything_has_gone(project: Path, capsys: Capsys) -> None:
    for _, place in _EXPECTED - {("requirements", "pyproject.toml:2"), ("requirements", "pyproject.toml:12")}:
        (project / place.partition(":")[0]).unlink(missing_ok=True)
    kept = _PROJECT.replace('"requests>=2", ', "").replace('default = "path-old"', "")
    (project / "pyproject.toml").write_text(kept, encoding="utf-8")
    assert run(["leftovers"]) == Exit.AGREEMENT
    assert "Nothing is left of the old clients." in capsys.readouterr().out


def test_long_lists_say_how_much_they_leave_out(project: Path, capsys: Capsys) -> None:
    (project / "README.md").write_text("OLD_LLM_KEY\n" * 40, encoding="utf-8")
    run(["leftovers"])
    assert "and 28 more (--all shows them)" in capsys.readouterr().out
    run(["leftovers", "--all"])
    assert capsys.readouterr().out.count("README.md:") == 40


def test_a_project_that_does_not_say_what_goes_is_told_how(project: Path, capsys: Capsys) -> None:
    (project / "pyproject.toml").write_text("[tool.llm_contracts]\n", encoding="utf-8")
    assert run(["leftovers"]) == Exit.USAGE
    assert "[tool.llm_contracts.retire] names nothing" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("table", "complaint"),
    [
        ("retire = 3", "must be a table"),
        ("[tool.llm_contracts.retire]\nmodule = []", "module: there is no such key. Did you mean modules?"),
        ("[tool.llm_contracts.retire]\nmodules = 'a'", "must be a list of non-empty texts"),
    ],
)
def test_a_table_that_makes_no_sense_is_refused_by_name(
    table: str, complaint: str, project: Path, capsys: Capsys
) -> None:
    (project / "pyproject.toml").write_text(f"[tool.llm_contracts]\n{table}\n", encoding="utf-8")
    assert run(["leftovers"]) == Exit.USAGE
    assert complaint in capsys.readouterr().err


_WAYS = {
    "src/shop/ai/calls.py": ["from ..old_client.sign import x", "from .. import old_client"],
    "src/shop/dynamic.py": [
        'import_module(".old_client", "shop")',
        'importlib.import_module("shop.old_client.sign")',
        "import os, requests",
        'from importlib import import_module as load\nload(".old_client", __package__)',
        'importlib.util.find_spec(".old_client", "shop")',
        "from shop import ai\nimport shop as s\ns.old_client.ask()",
        '@patch("requests.Session.get")',
    ],
    "src/shop/calls.pyi": ["import requests"],
    "compose.yaml": ["command:\n  - pip\n  - install\n  - requests"],
    "tox.ini": ["    requests"],
    "conda-lock.yml": ["- name: requests"],
    "meta.yaml": ["    - requests"],
    "requirements/ci/all.txt": ["git+https://github.com/psf/requests@v2", "x.zip#egg=requests"],
    "environment.yml": ["  - requests=2.32"],
    "test-deps.txt": ["requests"],
    "Makefile": ["\tpip3.11 wheel requests"],
    "uv.lock": ['name = "requests"'],
    "poetry.lock": ['name = "requests"'],
    "constraints.txt": ["requests<3"],
}
_OTHERS = {
    "src/shop/ai/calls.py": ["from .old_client import x", "from . import other"],
    "src/shop/more.py": ["from shop import old_clients\nold_clients.ask()"],
    "steps.yml": ["- pip\n- install\n- x\ntext: requests"],
    "requirements/base.txt": ["requests-mock==1", "# requests"],
    "uv.lock": ['name = "types-requests-like"'],
}


@pytest.mark.parametrize(("name", "line"), [(name, line) for name, lines in _WAYS.items() for line in lines])
def test_every_way_to_name_what_goes_is_found_without_a_pyproject(
    name: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _left(tmp_path, monkeypatch, name, line) == Exit.DIVERGENCE


@pytest.mark.parametrize(
    ("name", "line"), [(name, line) for name, lines in _OTHERS.items() for line in lines]
)
def test_what_is_only_called_alike_is_not(
    name: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert _left(tmp_path, monkeypatch, name, line) == Exit.AGREEMENT


def _left(root: Path, monkeypatch: pytest.MonkeyPatch, name: str, line: str) -> int:
    (root / name).parent.mkdir(parents=True, exist_ok=True)
    (root / name).write_text(line + "\n", encoding="utf-8")
    monkeypatch.chdir(root)
    return run(["leftovers", "--module", "shop.old_client", "--requirement", "requests"])


def test_lines_are_counted_as_editors_do(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A form feed, as old sources have between their parts, ends no line."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "shop").mkdir()
    (tmp_path / "shop" / "calls.py").write_text("x = 1\n\f\nfrom .old_client import y\nimport requests\n")
    run(["leftovers", "--module", "shop.old_client", "--requirement", "requests", "--json", "out.json"])
    assert _found(tmp_path / "out.json") == {("imports", "shop/calls.py:3"), ("imports", "shop/calls.py:4")}


def test_a_lock_file_of_any_size_is_looked_through(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    text = "# \n" * 400_000 + 'name = "requests"'
    assert _left(tmp_path, monkeypatch, "uv.lock", text) == Exit.DIVERGENCE


def test_in_made_up_repositories_every_line_is_found_and_no_other(tmp_path: Path) -> None:
    """Install commands, lists and imports of many tools, beside prose and code that use the same word."""
    expected = set()
    for name, text in MADE_UP.items():
        lines = text.splitlines()
        expected |= {(name, number) for number, line in enumerate(lines, 1) if line.endswith(" <-")}
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("\n".join(line.removesuffix(" <-") for line in lines), encoding="utf-8")
    settings = replace(
        load_settings(tmp_path, needed=False), root=tmp_path, retire=Retiring(requirements=("requests",))
    )
    assert {(one.file, one.line) for one in find_leftovers(settings).found} == expected


def test_files_that_others_remove_meanwhile_do_not_end_the_search(tmp_path: Path) -> None:
    settings = replace(
        load_settings(tmp_path, needed=False), root=tmp_path, retire=Retiring(requirements=("requests",))
    )

    for number in range(100):  # to read them takes a while
        (tmp_path / f"earlier-{number}").touch()

    def make_and_remove(number: int) -> None:
        file = tmp_path / f"later-{number}"
        file.touch()
        file.unlink()

    with meanwhile(make_and_remove):
        for _ in range(20):
            assert not find_leftovers(settings).found
