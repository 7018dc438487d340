"""`llm-contracts matrix` as scripts see it: real checks in processes of their own, and a uv that is a script.

Its environments are this very one. What LiteLLM would do otherwise, the candidate does, which shouts
under 1.90.0 and later.
"""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.cli import run
from llm_contracts.cli.matrix import exit_for
from llm_contracts.matrix.bisect import ends
from llm_contracts.matrix.environments import UnavailableError, checker, command
from llm_contracts.matrix.table import Cell, CellState, Table
from llm_contracts.project.config import ConfigError
from llm_contracts.util.versions import versions
from tests.fixtures import Capsys
from tests.harness.matrix.cells import PINNED, cell, difference, pair
from tests.harness.run.projects import make_project

pytestmark = pytest.mark.long

UV = """\
#!{python}
import os, re, signal, sys
from pathlib import Path

def after(word):
    return Path(sys.argv[sys.argv.index(word) + 1])

what = sys.argv[1:3]
if what == ["pip", "compile"]:
    wanted, overrides = Path(sys.argv[-1]).read_text(), after("--overrides").read_text()
    if "1.1.0" in overrides:
        sys.exit("  cause: Because there is no version of litellm==1.1.0")
    after("--output-file").write_text(overrides + re.search("openai==.*", wanted)[0] + "\\n")
elif what == ["tool", "run"]:
    release = re.search("litellm==(.*)", after("--with-requirements").read_text())[1]
    words = sys.argv[sys.argv.index("python", 5) + 1 :]
    if words[0] != "-c":
        os.execve({python!r}, [{python!r}, *words], dict(os.environ, RELEASE=release))
"""

CANDIDATE = """
import os

def aging(call):
    shouts = int(os.environ.get("RELEASE", "1.0.0").split(".")[1]) >= 90
    yield from (shouting if shouts else plain)(call)

CLIENTS["same"] = aging
"""


OLD = pair("1.84.0")
FAILED = Cell(pair=pair("1.1.0"), state=CellState.FAILED, reason="No.")


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    uv = tmp_path / "uv"
    uv.write_text(UV.format(python=sys.executable))
    uv.chmod(0o755)
    root = make_project(tmp_path / "project")
    paths = root / "contracts" / "clients.py"
    paths.write_text(paths.read_text() + CANDIDATE)
    monkeypatch.chdir(root)
    monkeypatch.setenv("UV", str(uv))
    return root


def result(file: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads(file.read_text())
    return document


def test_a_release_that_changes_something_is_1_and_is_named(
    project: Path, tmp_path: Path, capsys: Capsys
) -> None:
    (project / "report").mkdir()
    (project / "report" / "result.json").write_text("as it was")
    files = ["--json", str(tmp_path / "m.json"), "--markdown", str(tmp_path / "m.md")]
    asked = ["--litellm", "1.84.0,1.95.0 1.1.0", "--provider", "acme"]
    assert run(["matrix", *asked, *files]) == 1
    out, err = capsys.readouterr()
    assert re.search(r"`text` at `\S+`: new, breaking", out)
    assert "Under 1.95.0, in up to 2 scenarios: acme/plain-stream, acme/other" in out
    assert "could not be tried. Because there is no version of litellm==1.1.0" in out
    assert re.search(r"3 of 4: LiteLLM 1.95.0 with openai \S+: 2 scenarios, 2 differ; about 1 min left", err)
    document = result(tmp_path / "m.json")
    assert [cell["state"] for cell in document["cells"]] == ["ran", "ran", "failed"]
    assert [change["kind"] for change in document["changes"]] == ["text"]
    assert document["command"] == "llm-contracts matrix --litellm '1.84.0,1.95.0 1.1.0' --provider acme"
    assert "| `text` |" in (tmp_path / "m.md").read_text()
    # The user's own result is left alone, and each pair's can be looked at.
    assert (project / "report" / "result.json").read_text() == "as it was"
    kept = Path(document["cells"][1]["report"])
    assert kept.parent == project / "report" / "matrix"
    assert run(["report", "--report", str(kept)]) == 0


@pytest.mark.parametrize(
    ("asked", "told"),
    [
        (["--litellm", versions()["litellm"]], "nothing to try but"),
        (["--scenario", "acme/othr"], "Did you mean"),
        (["--litellm", "1.1.0,1.2.0,1.3.0", "--bisect", "text"], "between two releases of one package"),
        (["--corpus", ".", "--scenario", "acme/other"], "--scenario does not go with --corpus"),
        (["--bisect", "txt"], "'text'"),
    ],
)
def test_what_means_nothing_is_2(project: Path, asked: list[str], told: str, capsys: Capsys) -> None:
    assert run(["matrix", *asked]) == 2
    assert told in capsys.readouterr().err


@pytest.mark.parametrize(
    ("cells", "code"),
    [((cell(OLD),), 0), ((cell(OLD, difference()),), 1), ((FAILED, cell(OLD)), 0), ((FAILED,), 2), ((), 0)],
)
def test_exit_codes(cells: tuple[Cell, ...], code: int) -> None:
    assert exit_for(Table(pinned=cell(PINNED), cells=cells)) == code
    assert exit_for(Table(pinned=cell(PINNED, unreadable=("acme/x.yaml: is empty",)), cells=cells)) == 3


def test_a_check_gives_its_document_or_its_own_last_words(project: Path, tmp_path: Path) -> None:
    folder = tmp_path / "kept"
    folder.mkdir()
    (folder / "items.part.jsonl").write_text("of a run that was stopped\n" * 9)
    check = checker(command(project, {}))
    assert len(check([sys.executable], ["check"], folder)["items"]) == 3
    with pytest.raises(UnavailableError, match="no client is called 'none'"):
        check([sys.executable], ["check", "--candidate", "none"], folder)


def test_the_ends_of_a_bisection_are_put_in_order() -> None:
    newer, older = pair("1.109.1"), pair("1.80.11")
    assert ends(PINNED, [newer, older]) == ("litellm", older, newer)
    assert ends(PINNED, [older]) == ("litellm", older, PINNED)
    assert ends(PINNED, [pair("1.105.0", "3.54.0")])[0] == "openai"
    for wrong in ([PINNED], [pair("1.80.11", "3.54.0")]):
        with pytest.raises(ConfigError, match="between two releases of one package"):
            ends(PINNED, wrong)


def test_a_matrix_that_is_stopped_leaves_what_it_knows(project: Path, tmp_path: Path, capsys: Capsys) -> None:
    """The third environment stands for a person who presses Ctrl-C."""
    uv = tmp_path / "uv"
    stop = '    if "1.99.0" in overrides:\n        os.kill(os.getppid(), signal.SIGINT)\n'
    uv.write_text(uv.read_text().replace('    if "1.1.0" in', f'{stop}    if "1.1.0" in', 1))
    asked = ["--litellm", "1.1.0,1.99.0,1.95.0", "--scenario", "acme/other"]
    assert run(["matrix", *asked, "--json", str(tmp_path / "m.json")]) == 130
    assert [cell["pair"]["litellm"] for cell in result(tmp_path / "m.json")["cells"]] == ["1.1.0"]
    assert "could not be tried" in capsys.readouterr().out
