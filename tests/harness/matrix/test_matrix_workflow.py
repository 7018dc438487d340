"""The weekly workflow: it reports what changed, once, and runs other people's new code without any right."""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

FILE = Path(__file__).parents[3] / ".github" / "workflows" / "matrix.yml"
JOBS: dict[str, Any] = yaml.safe_load(FILE.read_text(encoding="utf-8"))["jobs"]
TITLE = "The newest LiteLLM or openai changes something"
RAN, FAILED = {"state": "ran"}, {"state": "failed"}


def script(job: str, number: int) -> str:
    steps = [step["run"] for step in JOBS[job]["steps"] if "run" in step]
    text: str = steps[number]
    return text


def program(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text)
    file.chmod(0o755)


def ran(folder: Path, text: str, **variables: str) -> None:
    environ = {"PATH": f"{folder}/bin:{os.environ['PATH']}", **variables}
    subprocess.run(["bash", "-euo", "pipefail", "-c", text], cwd=folder, env=environ, check=True, timeout=60)


def test_what_installs_new_releases_may_only_read_and_what_writes_runs_none() -> None:
    assert JOBS["matrix"]["permissions"] == {"contents": "read"}
    assert JOBS["report"]["permissions"] == {"issues": "write"}
    used = [step["uses"].partition("@")[0] for step in JOBS["report"]["steps"] if "uses" in step]
    assert used == ["actions/download-artifact"]
    assert "secrets." not in FILE.read_text(encoding="utf-8")


@pytest.mark.parametrize(
    ("document", "code", "changed"),
    [
        ({"cells": [RAN], "changes": []}, 0, "no"),
        ({"cells": [], "changes": []}, 0, "no"),
        ({"cells": [RAN], "changes": [{}]}, 1, "yes"),
        ({"cells": [FAILED], "changes": []}, 2, "yes"),
        (None, 2, "yes"),
    ],
)
def test_whatever_a_person_should_know_is_a_change(
    tmp_path: Path, document: dict[str, Any] | None, code: int, changed: str
) -> None:
    written = f"echo '{json.dumps(document)}' > matrix.json; echo table > matrix.md;" if document else ""
    program(tmp_path / ".venv/bin/llm-contracts", f"#!/bin/sh\n{written} exit {code}\n")
    program(tmp_path / ".venv/bin/python", '#!/bin/sh\nexec python3 "$@"\n')
    ran(tmp_path, script("matrix", 1), GITHUB_OUTPUT="output", GITHUB_STEP_SUMMARY="summary")
    assert (tmp_path / "output").read_text() == f"changed={changed}\n"
    summary = (tmp_path / "summary").read_text()
    assert summary == (
        "table\n" if document else "The matrix ended with 2 before there was anything to tell.\n"
    )


@pytest.mark.parametrize(("number", "done"), [("", "create --title"), ("7", "edit 7 --body-file")])
def test_there_is_one_report_however_often_it_is_brought_up_to_date(
    tmp_path: Path, number: str, done: str
) -> None:
    program(
        tmp_path / "bin" / "gh", f'#!/bin/sh\n[ "$2" = list ] && echo "{number}" || echo "$2 $3 $4" > done\n'
    )
    (tmp_path / "matrix.md").write_text("| table |\n")
    ran(tmp_path, script("report", 0), TITLE=TITLE, RUN="https://example.com/run")
    assert (tmp_path / "done").read_text().startswith(done)
    assert (tmp_path / "body.md").read_text() == "| table |\n\nAll of it: https://example.com/run\n"
