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
from tests.harness.doctor.made_up_files import MADE_UP

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


def test_what_may_stay_is_counted_and_not_passed_over(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["leftovers"])
    assert "Kept on purpose: 1 in CHANGELOG.md." in capsys.readouterr().out


def test_the_list_is_empty_when_everything_has_gone(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for _, place in _EXPECTED - {("requirements", "pyproject.toml:2"), ("requirements", "pyproject.toml:12")}:
        (project / place.partition(":")[0]).unlink(missing_ok=True)
    kept = _PROJECT.replace('"requests>=2", ', "").replace('default = "path-old"', "")
    (project / "pyproject.toml").write_text(kept, encoding="utf-8")
    assert run(["leftovers"]) == Exit.AGREEMENT
    assert "Nothing is left of the old clients." in capsys.readouterr().out


def test_long_lists_say_how_much_they_leave_out(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "README.md").write_text("OLD_LLM_KEY\n" * 40, encoding="utf-8")
    run(["leftovers"])
    assert "and 28 more (--all shows them)" in capsys.readouterr().out
    run(["leftovers", "--all"])
    assert capsys.readouterr().out.count("README.md:") == 40


def test_a_project_that_does_not_say_what_goes_is_told_how(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
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
    table: str, complaint: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / "pyproject.toml").write_text(f"[tool.llm_contracts]\n{table}\n", encoding="utf-8")
    assert run(["leftovers"]) == Exit.USAGE
    assert complaint in capsys.readouterr().err


_WAYS = {
    "src/shop/ai/calls.py": ["from ..old_client.sign import x", "from .. import old_client"],
    "src/shop/dynamic.py": [
        'import_module(".old_client", "shop")',
        'importlib.import_module("shop.old_client.sign")',
        '__import__("requests")',
        "import os, requests",
        'from importlib import import_module as load\nload(".old_client", __package__)',
        'importlib.util.find_spec(".old_client", "shop")',
        "from shop import ai\nimport shop as s\ns.old_client.ask()",
        '# /// script\n# dependencies = ["requests>=2"]',
        'subprocess.run(["pip", "install", "requests"])',
        '@patch("requests.Session.get")',
        'importlib.metadata.version("requests")',
    ],
    "src/shop/calls.pyi": ["import requests"],
    "noxfile.py": ['session.install("pytest", "requests")'],
    "Dockerfile": ["RUN pip install requests", "RUN uv pip install -q 'requests==2'"],
    "docker/api.Dockerfile": ["RUN pip install \\", "    requests==2"],
    "deploy/setup.sh": ["pip3 install flask requests", "poetry add Requests"],
    "docker-compose.dev.yml": ["    command: sh -c 'pip install requests && run'"],
    "compose.yaml": ["command:\n  - pip\n  - install\n  - requests"],
    "k8s/job.yaml": ['command: ["pip", "install", "requests"]'],
    "playbook.yml": ["- pip:\n    name: requests"],
    "Containerfile": ["RUN apt-get install -y python3-requests", "RUN uv run --with requests app.py"],
    "tox.ini": ["deps = requests", "    requests"],
    "pixi.toml": ['requests = "*"'],
    "conda-lock.yml": ["- name: requests"],
    "meta.yaml": ["    - requests"],
    ".pre-commit-config.yaml": ["    additional_dependencies: [pytest, requests==2]"],
    "dev-requirements.txt": ["requests~=2.0"],
    "requirements/ci/all.txt": ["git+https://github.com/psf/requests@v2", "x.zip#egg=requests"],
    "environment.yml": ["  - conda-forge::requests", "  - requests=2.32", "    - requests==2.32"],
    "req/base.txt": ["requests==2"],
    "test-deps.txt": ["requests"],
    "notes.ipynb": ['    "import requests\\n",'],
    "BUILD.bazel": ['deps = [requirement("requests")]', '"@pip//requests",'],
    "flake.nix": ["python3Packages.requests"],
    ".github/dependabot.yml": ['  - dependency-name: "requests"'],
    "Makefile": ["\t$(PIP) install requests", "\tpip3.11 wheel requests"],
    "uv.lock": ['name = "requests"'],
    "poetry.lock": ['name = "requests"'],
    "Pipfile.lock": ['        "requests": {'],
    "requirements/base.txt": ["Requests==2.32", "    requests>=2"],
    "constraints.txt": ["requests<3"],
    "setup.cfg": ["    requests>=2", "install_requires = requests"],
}
_OTHERS = {
    "src/shop/ai/calls.py": ["from .old_client import x", "from . import other", "requests = 3"],
    "src/shop/words.py": ['call("requests.com")', "version(requests)", "# several requests"],
    "Makefile": ["\t$(PIP) list # requests"],
    "src/shop/more.py": ["from shop import old_clients\nold_clients.ask()", "requests.append(1)"],
    "Dockerfile": ["RUN pip install types-requests-like", "RUN echo requests"],
    "steps.yml": ["- run: pip install flask\n- run: count requests", "- pip\n- install\n- x\ntext: requests"],
    "requirements/base.txt": ["requests-mock==1", "# requests"],
    "uv.lock": ['name = "types-requests-like"'],
}


@pytest.mark.parametrize(("name", "line"), [(name, line) for name, lines in _WAYS.items() for line in lines])
def test_every_way_to_name_what_goes_is_found_without_a_pyproject(
    name: str, line: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if line.endswith("\\") or line == "    requests==2":
        line = "\n".join(_WAYS[name])
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
