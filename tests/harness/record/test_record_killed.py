"""A recorder that is killed where it stands leaves whole cassettes or none, and the next run goes on."""

from __future__ import annotations

import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import IO

import pytest

from llm_contracts.cli import run
from llm_contracts.util.files import abandoned_drafts, remove_abandoned_drafts
from llm_contracts.wire.cassette import Cassette, load, save
from tests.harness.run.projects import cassette

KILLS = 22
TOML = """
[tool.llm_contracts]
clients = "contracts/clients.py"
scenarios = "contracts/scenarios.py"
waivers = "contracts/waivers.toml"
reference = "plain"
"""
CLIENTS = """
from llm_contracts.project.scenario import Provider
from tests.harness.record.workshop import plain_client

PROVIDERS = (
    Provider(name="openai", base_url="https://api.openai.com/v1", key_variable="OPENAI_API_KEY"),
    Provider(name="deepseek", base_url="https://api.deepseek.com", key_variable="DEEPSEEK_API_KEY"),
)
CLIENTS = {"plain": plain_client}
"""
SCENARIOS = """
from tests.harness.record.workshop import row

SCENARIOS = tuple(
    row(f"{name}", provider=provider, script="plain-stream")
    for provider in ("openai", "deepseek")
    for name in ("one", "two", "three")
)
"""
COUNT = 6
# Importing takes longer than recording, so one process imports, and a fork of it is what is killed.
NURSERY = """
import os, sys
from llm_contracts.cli import run
import llm_contracts.record.run

for _ in sys.stdin:
    child = os.fork()
    if child == 0:
        sys.stdin.close()
        os.dup2(os.open(os.devnull, os.O_WRONLY), 1)
        os._exit(run(["record", "--source", "simulator", "--missing"]))
    print(child, flush=True)
    print(os.waitpid(child, 0)[1], flush=True)
assert "litellm" not in sys.modules
"""


class Nursery:
    """Starts recorders, one at a time."""

    def __init__(self, process: subprocess.Popen[str]) -> None:
        assert process.stdin is not None
        assert process.stdout is not None
        self._stdin: IO[str] = process.stdin
        self._stdout: IO[str] = process.stdout

    def start(self) -> int:
        """The process id of a new recorder."""
        self._stdin.write("go\n")
        self._stdin.flush()
        return int(self._stdout.readline())

    def status(self) -> int:
        """How the recorder ended, as `waitpid` tells it."""
        return int(self._stdout.readline())


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    contracts = tmp_path / "contracts"
    contracts.mkdir()
    (tmp_path / "pyproject.toml").write_text(TOML)
    (contracts / "clients.py").write_text(CLIENTS)
    (contracts / "scenarios.py").write_text(SCENARIOS)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.fixture
def nursery(project: Path) -> Iterator[Nursery]:
    here = Path(__file__).parents[3]
    environ = {**os.environ, "PYTHONPATH": f"{here / 'src'}:{here}", "CI": "1"}
    command = [sys.executable, "-c", NURSERY]
    with subprocess.Popen(
        command, cwd=project, env=environ, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    ) as process:
        yield Nursery(process)
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(60) == 0


def cassettes(project: Path) -> dict[str, Cassette]:
    """All that a reader would load, read strictly."""
    return {
        f"{file.parent.name}/{file.name}": load(file)
        for file in sorted((project / "cassettes").rglob("*.yaml"))
    }


def clear(project: Path) -> dict[str, Cassette]:
    for file in (project / "cassettes").rglob("*.yaml"):
        file.unlink()
    return {}


def alive(process: int) -> bool:
    try:
        os.kill(process, 0)
    except ProcessLookupError:
        return False
    return True


def test_killing_the_recorder_leaves_whole_cassettes_and_the_next_run_goes_on(
    project: Path, nursery: Nursery
) -> None:
    """While it works on one of those that are missing; never is anything lost or half there."""
    dice = random.Random(4)  # the moments differ anyway, with what else the machine does
    killed = progress = 0
    for _ in range(KILLS):
        before = cassettes(project)
        if len(before) == COUNT:
            before = clear(project)
        goal = len(before) + dice.randrange(COUNT - len(before))
        recorder = nursery.start()
        while len(list((project / "cassettes").rglob("*.yaml"))) < goal and alive(recorder):
            time.sleep(0.001)
        time.sleep(dice.uniform(0, 0.03))
        with suppress(ProcessLookupError):  # it was quicker
            os.kill(recorder, signal.SIGKILL)
        killed += os.WIFSIGNALED(nursery.status())
        after = cassettes(project)
        assert before.items() <= after.items()
        progress += len(after) - len(before)
    assert killed > KILLS // 2
    assert progress > 0
    nursery.start()
    assert nursery.status() == 0
    assert len(list((project / "cassettes").rglob("*.yaml"))) == COUNT
    assert [file for file in (project / "cassettes").rglob("*") if file.suffix == ".tmp"] == []


def write_half_and_die(file: IO[bytes], data: bytes) -> None:
    file.write(data[: len(data) // 2])
    file.flush()
    os.kill(os.getpid(), signal.SIGKILL)


def save_in_a_fork(path: Path, recorded: Cassette) -> None:
    """In a process of its own that dies in the middle of writing."""
    code = (
        "import sys; from pathlib import Path; from llm_contracts.wire.cassette import load, save;"
        "from tests.harness.record.test_record_killed import write_half_and_die;"
        "save(Path(sys.argv[2]), load(Path(sys.argv[1])), write=write_half_and_die)"
    )
    save(path.with_name("template"), recorded)
    here = Path(__file__).parents[3]
    environ = {**os.environ, "PYTHONPATH": f"{here / 'src'}:{here}"}
    done = subprocess.run(
        [sys.executable, "-c", code, path.with_name("template"), path], env=environ, check=False
    )
    assert done.returncode == -signal.SIGKILL
    path.with_name("template").unlink()


def test_a_draft_that_was_half_written_is_loaded_by_nobody_and_taken_away_by_the_next_run(
    project: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    file = project / "cassettes" / "openai" / "one.yaml"
    save(file, cassette("acme/plain-stream"))
    old = file.read_bytes()
    save_in_a_fork(file, cassette("acme/plain-stream", ["new", "text"]))
    (draft,) = abandoned_drafts(project / "cassettes")
    assert draft.stat().st_size > 0
    assert file.read_bytes() == old
    assert run(["cassettes"]) == 0, capfd.readouterr().err
    assert run(["record", "--source", "simulator", "--missing"]) == 0
    assert not draft.exists()
    assert file.read_bytes() == old
    assert len(cassettes(project)) == COUNT


def test_the_draft_of_a_process_that_runs_is_left_alone(tmp_path: Path) -> None:
    mine = tmp_path / f".a.yaml.{os.getpid()}.x1.tmp"
    foreign = tmp_path / ".a.yaml.tmp"
    for file in (mine, foreign):
        file.touch()
    remove_abandoned_drafts(tmp_path)
    assert mine.exists()
    assert foreign.exists()
