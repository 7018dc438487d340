"""The workflow that every pull request runs: what may do what, and one comment however often it runs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from llm_contracts.project.config import load_settings
from llm_contracts.project.load import load_project
from llm_contracts.reporting.ci.markdown import MARKER

ROOT = Path(__file__).parents[1]
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))


def workflow(file: Path) -> dict[Any, Any]:
    document: dict[Any, Any] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return document


CI = workflow(ROOT / ".github" / "workflows" / "ci.yml")
COMMENT = CI["jobs"]["comment"]
SCRIPT: str = COMMENT["steps"][-1]["run"]


def test_what_runs_the_code_of_a_pull_request_may_only_read() -> None:
    assert CI["permissions"] == {}
    assert CI["jobs"]["check"]["permissions"] == {"contents": "read"}
    checkout = CI["jobs"]["check"]["steps"][0]
    assert checkout["uses"].startswith("actions/checkout@")
    assert checkout["with"]["persist-credentials"] is False


def test_what_may_write_a_comment_runs_nothing_of_the_pull_request() -> None:
    assert COMMENT["permissions"] == {"pull-requests": "write"}
    used = [step["uses"].partition("@")[0] for step in COMMENT["steps"] if "uses" in step]
    assert used == ["actions/download-artifact"]
    assert "head.repo.full_name == github.repository" in COMMENT["if"]
    assert "${{" not in SCRIPT  # what a pull request says reaches the shell through variables alone


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_no_pull_request_sees_a_secret(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    triggers = workflow(file)[True]  # YAML reads `on` as a truth value
    assert "pull_request_target" not in text
    if "pull_request" in triggers:
        assert "secrets." not in text


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_actions_are_pinned_to_what_was_read(file: Path) -> None:
    used = re.findall(r"uses: (\S+)", file.read_text(encoding="utf-8"))
    assert used
    assert [action for action in used if not re.fullmatch(r"[\w./-]+@[0-9a-f]{40}", action)] == []


@pytest.mark.parametrize("file", WORKFLOWS, ids=lambda file: file.name)
def test_what_somebody_typed_reaches_no_shell(file: Path) -> None:
    """Inputs are choices, and come in variables; a Makefile, which expands what it is given, sees none."""
    document = workflow(file)
    inputs = ((document[True] or {}).get("workflow_dispatch") or {}).get("inputs", {})
    assert {name: given["type"] for name, given in inputs.items()} == dict.fromkeys(inputs, "choice")
    scripts = [step["run"] for job in document["jobs"].values() for step in job["steps"] if "run" in step]
    for script in scripts:
        assert not re.search(r"\$\{\{\s*(inputs|github\.event|github\.head_ref)", script)
        assert not re.search(r"\bmake\b.*=", script)


def test_each_provider_can_be_chosen_for_a_recording() -> None:
    chosen = workflow(ROOT / ".github" / "workflows" / "record.yml")[True]["workflow_dispatch"]["inputs"]
    providers = load_project(load_settings(ROOT)).providers
    assert chosen["provider"]["options"] == ["all", *(provider.name for provider in providers)]


def test_the_guide_shows_the_same_script() -> None:
    guide = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")
    assert _indented(SCRIPT) in guide


def _indented(text: str) -> str:
    return "\n".join(f"          {line}" for line in text.rstrip("\n").split("\n"))


# The script, with a stand-in for GitHub's command line that notes how it was called.

GH = """#!/bin/sh
printf '%s\\n' "$*" >> "$CALLS"
case "$*" in *--paginate*) printf "$FOUND" ;; esac
"""


def calls(tmp_path: Path, *, found: str, body: bool = True) -> list[str]:
    tools = tmp_path / "bin"
    tools.mkdir()
    (tools / "gh").write_text(GH)
    (tools / "gh").chmod(0o755)
    (tmp_path / "report").mkdir()
    if body:
        (tmp_path / "report" / "comment.md").write_text(f"{MARKER}\n")
    log = tmp_path / "calls"
    log.touch()
    environ = {
        "PATH": f"{tools}{os.pathsep}{os.environ['PATH']}",
        "CALLS": str(log),
        "FOUND": found,
        "ISSUE": "repos/acme/product/issues",
        "NUMBER": "7",
    }
    bash = shutil.which("bash")
    assert bash is not None
    subprocess.run(
        [bash, "-euo", "pipefail", "-c", SCRIPT], cwd=tmp_path, env=environ, check=True, timeout=60
    )
    return log.read_text().splitlines()


def test_the_first_run_writes_a_comment(tmp_path: Path) -> None:
    looked, wrote = calls(tmp_path, found="")
    assert looked.startswith("api --paginate repos/acme/product/issues/7/comments --jq")
    assert wrote == "api --silent repos/acme/product/issues/7/comments --field body=@report/comment.md"


@pytest.mark.parametrize("found", ["41\\n", "41\\n42\\n"])
def test_later_runs_renew_it(tmp_path: Path, found: str) -> None:
    """The oldest one, should there ever be two."""
    _, wrote = calls(tmp_path, found=found)
    assert wrote == (
        "api --silent --method PATCH repos/acme/product/issues/comments/41 --field body=@report/comment.md"
    )


def test_without_a_result_nothing_is_written(tmp_path: Path) -> None:
    assert calls(tmp_path, found="", body=False) == []


def test_the_mark_that_is_looked_for_is_the_one_that_is_written() -> None:
    (wanted,) = re.findall(r'startswith\("(.*?)"\)', SCRIPT)
    assert MARKER.startswith(wanted)
