"""The migrations in examples/: recorded from the simulator in a copy, and checked."""

from __future__ import annotations

import shutil
from datetime import UTC, datetime
from pathlib import Path

from llm_contracts.parity.result import Result
from llm_contracts.project.config import Project, load_settings
from llm_contracts.project.load import load_project
from llm_contracts.record.run import record
from llm_contracts.record.source import RecordOptions, Source
from llm_contracts.run.check import check
from llm_contracts.run.options import Options

EXAMPLES = Path(__file__).parents[2] / "examples"
_OWN_LINES = 60  # what a migration may ask of its team


def migrated(name: str, folder: Path) -> Result:
    """The result of the example's two clients on recordings made anew."""
    project = load_project(load_settings(copied(name, folder)))
    report = record(project, project.scenarios, RecordOptions(source=Source.SIMULATOR, environ={}))
    assert [str(each.outcome) for each in report.takes] == ["recorded"] * len(project.scenarios)
    return checked(project)


def copied(name: str, folder: Path) -> Path:
    """A copy of an example, which is short."""
    own = [file for file in (EXAMPLES / name).rglob("*") if file.is_file() and "cassettes" not in file.parts]
    lines = sum(len(file.read_text(encoding="utf-8").splitlines()) for file in own if file.suffix != ".pyc")
    assert lines < _OWN_LINES, f"{lines} lines of the user's own"
    return Path(shutil.copytree(EXAMPLES / name, folder / name))


def checked(project: Project) -> Result:
    """What the project's two clients make of its recordings."""
    return check(project, project.scenarios, Options(today=datetime.now(UTC).date(), jobs=1))


def differences(result: Result) -> dict[str, list[str]]:
    """Scenario → what differs there, and what could not be compared."""
    assert [item.problem for item in result.items if item.problem] == []
    return {
        item.scenario: [f"{one.kind} at {one.where}" for one in item.divergences]
        for item in result.items
        if item.divergences
    }
