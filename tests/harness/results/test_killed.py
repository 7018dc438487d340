"""A run that is killed at any step leaves the old result or its own, whole; the next run tidies up."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from llm_contracts.results.items import DRAFT, ITEMS, whole
from llm_contracts.results.store import RESULT, Stored
from llm_contracts.results.writer import writing
from tests.harness.reporting.samples import item, result

# Python tells an audit hook of each file that is opened for writing, renamed or removed, before it happens.
_KILLED_AT = """
import os, signal, sys
from pathlib import Path
from tests.harness.results.test_killed import new_run
steps = int(sys.argv[2])

def hook(event, arguments):
    global steps
    writes = event == "open" and isinstance(arguments[2], int) and arguments[2] & (os.O_WRONLY | os.O_RDWR)
    if writes or event in ("os.rename", "os.remove", "os.truncate", "os.chmod"):
        steps -= 1
        if steps == 0:
            os.kill(os.getpid(), signal.SIGKILL)

sys.dont_write_bytecode = True
sys.addaudithook(hook)
new_run(Path(sys.argv[1]))
"""
HERE = Path(__file__).parents[3]


def run_of(folder: Path, problem: str) -> None:
    with writing(folder, {}) as writer:
        for name in ("openai/a", "openai/b"):
            writer.add(whole(item(name, normalised={problem: 1})))
        writer.finish(result(*(item(name, normalised={problem: 1}) for name in ("openai/a", "openai/b"))))


def new_run(folder: Path) -> None:
    run_of(folder, "new")


def what_is_there(folder: Path) -> set[str]:
    """Which run the summary and every item are of."""
    stored = Stored.load(folder)
    assert stored is not None
    items = (*stored.result.items, *(stored.item(item.id) for item in stored.result.items))
    assert len(items) == 4
    return {name for each in items for name in each.normalised}


def test_a_run_that_is_killed_at_any_step_loses_no_result(tmp_path: Path) -> None:
    environ = {**os.environ, "PYTHONPATH": f"{HERE / 'src'}:{HERE}", "PYTHONDONTWRITEBYTECODE": "1"}
    seen = []
    for step in range(1, 40):
        folder = tmp_path / str(step)
        run_of(folder, "old")
        done = subprocess.run(
            [sys.executable, "-c", _KILLED_AT, folder, str(step)], env=environ, cwd=HERE, check=False
        )
        seen.append(what_is_there(folder))
        run_of(folder, "later")
        assert what_is_there(folder) == {"later"}
        assert sorted(file.name for file in folder.iterdir()) == [ITEMS, RESULT]
        if done.returncode == 0:
            break
        assert done.returncode == -9
    assert len(seen) > 4
    assert seen == [{"old"}] * seen.count({"old"}) + [{"new"}] * seen.count({"new"})
    assert seen[-2:] == [{"new"}, {"new"}]  # killed before the last step, and not at all


def test_a_run_that_comes_after_one_killed_before_its_last_step_may_be_stopped(tmp_path: Path) -> None:
    """The items of the killed run are still in its draft: the next run's draft must not take their place."""
    run_of(tmp_path, "old")
    items = (tmp_path / ITEMS).read_bytes()
    new_run(tmp_path)
    (tmp_path / ITEMS).rename(tmp_path / DRAFT)
    (tmp_path / ITEMS).write_bytes(items)
    assert what_is_there(tmp_path) == {"new"}
    with writing(tmp_path, {}):
        pass  # stopped
    assert what_is_there(tmp_path) == {"new"}
