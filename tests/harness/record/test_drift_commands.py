"""`record --verify` and `drift` as people and scripts see them."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import chdir
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.cli import run
from llm_contracts.simulator.server import Simulator
from llm_contracts.wire.cassette import load, save
from llm_contracts.wire.cassette.model import Cassette
from tests.harness.record.workshop import REAL_KEY
from tests.harness.run.projects import make_project

PYPROJECT = """
[tool.llm_contracts]
clients = "clients.py"
scenarios = "scenarios.py"
reference = "plain-client"
"""
CLIENTS = """
import os
from dataclasses import replace

from tests.harness.record.workshop import PROVIDERS, plain_client

PROVIDERS = (replace(PROVIDERS[0], base_url=os.environ["OPENAI_BASE_URL"]), *PROVIDERS[1:])
CLIENTS = {"plain-client": plain_client}
"""
SCENARIOS = """
from tests.harness.record.workshop import row

SCENARIOS = (row(), row("system-prompt"))
"""
Out = pytest.CaptureFixture[str]
PLAIN = Path("cassettes/openai/plain-stream.yaml")
SYSTEM = Path("cassettes/openai/system-prompt.yaml")


@pytest.fixture(scope="module")
def provider(upstream: Simulator) -> Iterator[Simulator]:
    """Who is asked by whatever runs in this process."""
    with pytest.MonkeyPatch.context() as patch:
        for name in [name for name in os.environ if name.endswith("_API_KEY")]:
            patch.delenv(name)
        patch.setenv("OPENAI_API_KEY", REAL_KEY)
        patch.setenv("OPENAI_BASE_URL", upstream.base_url)
        yield upstream


@pytest.fixture(scope="module")
def recorded(tmp_path_factory: pytest.TempPathFactory, provider: Simulator) -> Path:
    """A project with two live recordings of today, committed."""
    folder = tmp_path_factory.mktemp("recorded")
    with chdir(folder):
        for name, text in (
            ("pyproject.toml", PYPROJECT),
            ("clients.py", CLIENTS),
            ("scenarios.py", SCENARIOS),
        ):
            Path(name).write_text(text)
        provider.play("plain-stream")
        assert run(["record"]) == 0
        commit("Recorded")
    return folder


@pytest.fixture
def project(recorded: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, provider: Simulator) -> Path:
    """A copy of it; the working directory."""
    shutil.copytree(recorded, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    provider.play("plain-stream")
    return tmp_path


def git(*arguments: str) -> None:
    subprocess.run(
        ["git", "-c", "user.name=t", "-c", "user.email=t@example.com", *arguments],
        check=True,
        capture_output=True,
    )


def commit(message: str) -> None:
    if not Path(".git").exists():
        git("init", "--quiet", "--initial-branch", "main")
    git("add", "cassettes")
    git("commit", "--quiet", "--message", message)


def edit(file: Path, old: bytes, new: bytes) -> None:
    """Let a recording hold another answer."""
    recorded = load(file)
    (one,) = recorded.interactions
    assert old in one.response.body
    body = one.response.body.replace(old, new)
    changed = replace(one, response=replace(one.response, body=body, pieces=None))
    save(file, Cassette(interactions=(changed,), recording=recorded.recording))


def with_field(file: Path, name: str = "trace") -> None:
    edit(file, b'"object"', b'"%s":"n1","object"' % name.encode())


def result(capsys: Out) -> Any:
    return json.loads(capsys.readouterr().out)


def test_what_has_the_recorded_shape_is_0(project: Path, capsys: Out) -> None:
    assert run(["record", "--verify"]) == 0
    out = capsys.readouterr().out
    assert "## Providers against their recordings\n\n2 of the same shape.\n" in out
    assert "skipped" not in out


def test_drift_is_1_and_told_once_for_all_recordings_that_show_it(project: Path, capsys: Out) -> None:
    with_field(PLAIN)
    with_field(SYSTEM)
    before = PLAIN.read_bytes()
    capsys.readouterr()
    assert run(["record", "--verify", "--markdown", "drift.md"]) == 1
    out = capsys.readouterr().out
    assert out.count("all events: trace") == 1
    assert "in plain-stream, system-prompt" in out
    assert PLAIN.read_bytes() == before
    page = Path("drift.md").read_text()
    assert "### Visible" in page
    line = "* openai: `all events: trace` (`field_gone`): recorded `string`, now `(absent)`"
    assert f"{line}; in plain-stream, system-prompt\n" in page


def test_cosmetic_drift_is_shown_and_is_0(project: Path, capsys: Out) -> None:
    edit(PLAIN, b'"system_fingerprint"', b'"odd":null,"system_fingerprint"')
    capsys.readouterr()
    assert run(["record", "--verify", "--json", "-"]) == 0
    drift = result(capsys)["drift"]
    assert (drift["drifted"], drift["totals"]) == (False, {"breaking": 0, "visible": 0, "cosmetic": 1})


@pytest.mark.parametrize(("script", "code"), [("server-error", 2), ("unpaid", 2)])
def test_where_nothing_at_all_was_learned_it_is_2(
    project: Path, capsys: Out, upstream: Simulator, script: str, code: int
) -> None:
    upstream.play(script)
    assert run(["record", "--verify"]) == code
    out = capsys.readouterr().out
    assert "Not verified (2)" in out
    assert "openai: plain-stream, system-prompt: `the provider refused" in out


def test_a_single_busy_moment_is_no_failure(project: Path, capsys: Out, upstream: Simulator) -> None:
    upstream.play("rate-limit-retry-after")  # the first request is refused, the next is answered
    capsys.readouterr()
    assert run(["record", "--verify", "--json", "-"]) == 0
    states = [one["state"] for one in result(capsys)["drift"]["compared"]]
    assert states == ["unverified", "same"]


@pytest.mark.parametrize("option", ["--missing", "--overwrite-live"])
def test_options_that_write_do_not_go_with_it(project: Path, capsys: Out, option: str) -> None:
    assert run(["record", "--verify", option]) == 2
    assert f"leave out {option}" in capsys.readouterr().err


def test_a_damaged_recording_is_3(project: Path, capsys: Out) -> None:
    PLAIN.write_bytes(b"")
    assert run(["record", "--verify"]) == 3
    assert "is empty" in capsys.readouterr().out.replace("\n", " ")


def test_a_stale_recording_is_named_and_stays_stale(project: Path, capsys: Out) -> None:
    recorded = load(PLAIN)
    assert recorded.recording is not None
    old = datetime(2025, 1, 1, tzinfo=UTC)
    save(PLAIN, replace(recorded, recording=replace(recorded.recording, recorded_at=old)))
    capsys.readouterr()
    assert run(["record", "--verify", "--json", "v.json"]) == 0
    out = capsys.readouterr().out
    assert "1 live and 90 days old or older" in out
    assert "makes no recording younger" in out
    document = json.loads(Path("v.json").read_text())["drift"]
    assert document["stale"] == ["openai/plain-stream"]
    assert document["compared"][0]["age_days"] > 300


def test_recording_again_says_what_it_changes_and_is_0(project: Path, capsys: Out) -> None:
    with_field(PLAIN)
    capsys.readouterr()
    assert run(["record"]) == 0
    out = capsys.readouterr().out
    assert (
        "## New recordings against the old\n\n1 of the same shape, 1 changed; 1 visible difference.\n" in out
    )
    assert "2 recorded." in out


# drift


def test_nothing_recorded_anew_is_no_drift(project: Path, capsys: Out) -> None:
    capsys.readouterr()
    assert run(["drift"]) == 0
    assert "Nothing has changed" in capsys.readouterr().out


def test_without_any_recording_nothing_has_been_compared(project: Path, capsys: Out) -> None:
    shutil.rmtree(project / "cassettes")
    commit("Without recordings")
    assert run(["drift"]) == 3
    assert "there is no recording of" in capsys.readouterr().err
    assert run(["record", "--verify", "--source", "simulator"]) == 3
    assert "Nothing was compared" in capsys.readouterr().out


def test_what_is_recorded_anew_is_held_against_what_is_committed(project: Path, capsys: Out) -> None:
    with_field(PLAIN)
    commit("With a field that is gone by now")
    upstream_again = ["record", "--scenario", "plain-stream"]
    assert run(upstream_again) == 0
    SYSTEM.unlink()
    new = Path("cassettes/openai/another.yaml")
    new.write_bytes(PLAIN.read_bytes())
    capsys.readouterr()
    assert run(["drift", "--json", "-"]) == 1
    states = {one["scenario"]: one["state"] for one in result(capsys)["compared"]}
    assert states == {
        "openai/plain-stream": "drifted",
        "openai/system-prompt": "gone",
        "openai/another": "new",
    }


def test_a_branch_is_held_against_where_it_parted(project: Path, capsys: Out) -> None:
    git("switch", "--quiet", "--create", "branch")
    with_field(SYSTEM)
    commit("Of the branch")
    git("switch", "--quiet", "main")
    with_field(PLAIN, "others")
    commit("Of others, since")
    git("switch", "--quiet", "branch")
    capsys.readouterr()
    run(["drift", "--against", "main", "--json", "-"])
    assert [one["scenario"] for one in result(capsys)["compared"]] == ["openai/system-prompt"]


def test_only_a_provider_that_is_asked_for_is_looked_at(project: Path, capsys: Out) -> None:
    with_field(PLAIN)
    assert run(["drift", "--provider", "deepseek"]) == 0
    assert run(["drift", "--provider", "opnai"]) == 2
    assert "openai" in capsys.readouterr().err


def test_the_markdown_can_go_to_standard_output_alone(project: Path, capsys: Out) -> None:
    with_field(PLAIN)
    capsys.readouterr()
    assert run(["drift", "--markdown", "-"]) == 0  # a field more is cosmetic
    out = capsys.readouterr().out
    assert out.startswith("## Recordings against HEAD (")
    assert "### Cosmetic" in out


def test_a_recording_that_cannot_be_read_is_3_and_named(project: Path, capsys: Out) -> None:
    PLAIN.write_bytes(b"version: 1")
    assert run(["drift"]) == 3
    out = capsys.readouterr().out
    assert "Unreadable (1)" in out
    assert "openai: plain-stream" in out


def test_a_recording_that_could_not_be_read_then_is_told_and_is_past(project: Path, capsys: Out) -> None:
    whole = PLAIN.read_bytes()
    PLAIN.write_bytes(b"version: 1")
    commit("Damaged")
    PLAIN.write_bytes(whole)
    assert run(["drift"]) == 0
    assert "cannot be read" in capsys.readouterr().out


def test_an_unknown_revision_and_no_repository_are_2(
    project: Path, capsys: Out, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert run(["drift", "--against", "--nowhere"]) == 2
    assert "knows no revision" in capsys.readouterr().err
    monkeypatch.chdir(make_project(tmp_path_factory.mktemp("bare")))
    assert run(["drift"]) == 2
    assert "no git repository" in capsys.readouterr().err


@pytest.mark.parametrize("options", [["--markdown", "drift.md"], ["--json", "-"], []])
def test_a_key_never_gets_into_a_report(project: Path, capsys: Out, options: list[str]) -> None:
    with_field(PLAIN, REAL_KEY)
    capsys.readouterr()
    assert run(["drift", *options]) == 4
    assert REAL_KEY not in "".join(capsys.readouterr())
    assert not Path("drift.md").exists()


def test_a_first_recording_has_nothing_to_be_compared_with(project: Path, capsys: Out) -> None:
    PLAIN.unlink()
    capsys.readouterr()
    assert run(["record", "--missing"]) == 0
    assert "New" not in capsys.readouterr().out
