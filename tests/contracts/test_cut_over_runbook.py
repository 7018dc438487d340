"""The runbook, `docs/cut-over.md`, walked through with the commands that stand on it.

In a project of its own, below a temporary folder. What a stand-in for the provider sends there counts as
live, so that the way to a GO can be walked without a key. Nothing of it gets into the repository.
"""

from __future__ import annotations

import json
import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_adapter import functions, invoke_llm
from llm_contracts.cli import run
from llm_contracts.simulator.server import Simulator
from llm_contracts.wire.proxy.server import Edge
from tests.contracts.callers.calling import played, said

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "cut-over.md"
KEY = "sk-of-the-stand-in-0123456789"
LIVE, NOT_LIVE = ("plain-stream", "multi-turn-chat"), ("rate-limit",)

MARK = "x-stainless-raw-response"

ELSEWHERE = {
    "make review": "needs a person at a terminal: tests/harness/review drives it in one",
    "llm-contracts check --provider deepseek --sweep ends": "takes minutes: tests/contracts/test_sweeps.py",
    "make retire-legacy": "is about the whole repository: tests/harness/doctor/test_leftovers.py",
}
"""What stands on the page and is not run here, and why."""


def commands() -> dict[str, str]:
    """Command → the heading that it stands below. What follows a `#` explains it."""
    found: dict[str, str] = {}
    heading = ""
    for line in PAGE.read_text(encoding="utf-8").splitlines():
        if line.startswith("#"):
            heading = line.lstrip("# ")
        elif line.startswith("    "):
            found[line.partition("  #")[0].strip()] = heading
    return found


COMMANDS = commands()


def arguments(command: str) -> list[str]:
    """What a command gives to `llm-contracts`; `make` says it itself, and runs nothing."""
    if not command.startswith("make "):
        return shlex.split(command)[1:]
    told = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", *shlex.split(command)[1:]],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    (line,) = (each for each in told.stdout.splitlines() if each.partition(" ")[0].endswith("llm-contracts"))
    return shlex.split(line.partition("||")[0])[1:]


SCENARIOS = f"""
from tests.contracts.scenarios import SCENARIOS as ALL

SCENARIOS = tuple(row for row in ALL if row.provider == "deepseek" and row.id in {LIVE + NOT_LIVE})
"""

# The provider's row names the server on this machine: in a provider's place it would be a rehearsal.
CLIENTS = """
import os
from dataclasses import replace

from tests.contracts.clients import CLIENTS, PROVIDERS as ALL

HERE = os.environ["DEEPSEEK_API_URL"]
PROVIDERS = tuple(replace(row, base_url=HERE) for row in ALL if row.name == "deepseek")
__all__ = ["CLIENTS", "PROVIDERS"]
"""


def settings() -> str:
    """Our own `[tool.llm_contracts]`, so that what holds here holds there."""
    table = (ROOT / "pyproject.toml").read_text(encoding="utf-8").partition("[tool.llm_contracts]\n")[2]
    own = table.partition("\n[")[0].replace('"tests/contracts/', '"rehearsal/')
    return f"[tool.llm_contracts]\n{own}\n"


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A team that has one provider, no live recording yet, and has decided nothing."""
    contracts = tmp_path / "rehearsal"
    contracts.mkdir()
    (tmp_path / "pyproject.toml").write_text(settings())
    (contracts / "clients.py").write_text(CLIENTS)
    (contracts / "scenarios.py").write_text(SCENARIOS)
    (contracts / "waivers.toml").write_text("")
    (tmp_path / "cassettes" / "deepseek").mkdir(parents=True)
    for name in (*LIVE, *NOT_LIVE):
        shutil.copy(ROOT / "cassettes" / "deepseek" / f"{name}.yaml", tmp_path / "cassettes" / "deepseek")
    monkeypatch.chdir(tmp_path)
    with Simulator("deepseek", key=KEY) as provider:
        monkeypatch.setenv("DEEPSEEK_API_KEY", KEY)
        monkeypatch.setenv("DEEPSEEK_API_URL", provider.base_url)
        yield tmp_path


def typed(command: str) -> int:
    """Run a command that stands on the page, as it stands there; its exit code."""
    assert command in COMMANDS, f"{PAGE.name} does not say so"
    return run(arguments(command))


def heard(capsys: pytest.CaptureFixture[str]) -> str:
    return " ".join(capsys.readouterr().out.split())


def accept_everything(file: Path) -> None:
    """What a person does in `make review`, with the commands that it names where there is no terminal."""
    assert run(["review", "list", "--json", str(file)]) == 1
    for group in json.loads(file.read_text())["groups"]:
        assert (
            run(["review", "accept", group["id"], "--reason", "totals are asked for", "--by", "a test"]) == 0
        )


def test_every_command_on_the_page_is_run_here_or_has_its_own_test() -> None:
    walked = set(
        re.findall(r'typed\("(.*?)"\)|variable\("(.*?)"', Path(__file__).read_text(encoding="utf-8"))
    )
    assert {one or other for one, other in walked} | ELSEWHERE.keys() == COMMANDS.keys()


def test_from_the_first_recording_to_a_go(
    project: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Steps 1 to 4, in the order of the page."""
    monkeypatch.delenv("CI", raising=False)  # people decide on machines of their own, and only there
    assert typed("make record PROVIDER=deepseek ARGS=--dry-run") == 0
    assert "Nobody was called." in heard(capsys)
    assert typed("make record PROVIDER=deepseek") == 0
    assert "2 recorded, 1 skipped." in heard(capsys)

    assert typed("make replay PROVIDER=deepseek") == 1  # nobody has decided yet
    assert typed("make verdict PROVIDER=deepseek") == 1
    assert "NO-GO blocked: deepseek" in heard(capsys)

    accept_everything(project / "groups.json")
    assert typed("make report") == 0
    assert (project / "report" / "index.html").is_file()
    assert typed("make verdict PROVIDER=deepseek") == 2
    assert "out of date" in capsys.readouterr().err  # decisions count in a run that knows them

    assert typed("make replay PROVIDER=deepseek") == 0
    capsys.readouterr()
    assert typed("make verdict PROVIDER=deepseek") == 0
    said_now = heard(capsys)
    assert "GO ready: deepseek" in said_now
    assert "2 scenarios agree, 1 differs as accepted" in said_now
    assert "recordings: 2 live, 1 simulated" in said_now


def variable(line: str) -> tuple[str, str]:
    """A setting on the page."""
    assert line in COMMANDS
    name, _, value = line.partition("=")
    return name, value


def test_from_the_switch_to_the_rollback(monkeypatch: pytest.MonkeyPatch) -> None:
    """Steps 5 to 7, in one process that is never restarted; LiteLLM leaves its mark in what it sends."""
    with Edge() as edge:
        line = played(edge, "deepseek/plain-stream")
        for name, value in {**line.environ, "LLM_BACKEND": "legacy"}.items():
            monkeypatch.setenv(name, value)
        for setting in (
            variable("LLM_BACKEND_DEEPSEEK=legacy"),
            variable("LLM_BACKEND_DEEPSEEK=litellm"),
            variable("LLM_BACKEND_DEEPSEEK=legacy"),
        ):
            monkeypatch.setenv(*setting)
            answer = invoke_llm(None, "u", None, line.scenario.model, "hi")
            assert said(answer) == line.facts.text
        functions.default_adapter().close()
        marks = [any(name.lower() == MARK for name, _ in request.headers) for request in line.asked]
    assert marks == [False, True, False]
