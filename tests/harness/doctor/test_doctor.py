"""`llm-contracts doctor`: what is found in a project, how it is told, and with which exit code."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email import message_from_string
from pathlib import Path
from typing import Any

import pytest
from packaging.specifiers import SpecifierSet

from llm_contracts.cli import run
from llm_contracts.doctor.environment import examine_environment, metadata_of_the_harness
from llm_contracts.doctor.finding import Finding, FindingLevel
from llm_contracts.doctor.keys_in_files import keys_in_files
from llm_contracts.wire.cassette import save
from tests.harness.run.projects import cassette, make_project

KEY = "acme-key-0123456789abcdef"
WAIVER = """
[[waiver]]
kind = "text"
provider = "acme"
scenario = "*"
reason = "a test"
by = "me"
until = {until}
"""


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project in git with a recording for each scenario; `.env` is ignored."""
    for name in [name for name in os.environ if name.startswith(("ACME", "ZENITH"))]:
        monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)
    make_project(tmp_path)
    (tmp_path / ".gitignore").write_text(".env\nreport/\n")
    git("init", "-q")
    git("add", ".")
    return tmp_path


def git(*arguments: str) -> None:
    subprocess.run(["git", *arguments], check=True)


def diagnosed(code: int) -> list[dict[str, Any]]:
    """The findings, after a run that must end with this exit code."""
    assert run(["doctor", "--json", "../doctor.json"]) == code
    findings: list[dict[str, Any]] = json.loads(Path("../doctor.json").read_text())["findings"]
    return findings


def only(findings: list[dict[str, Any]], *levels: str) -> list[str]:
    return [f"{one['area']}: {one['what']}" for one in findings if one["level"] in levels]


def test_a_healthy_project_is_0_and_says_what_was_looked_at(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["doctor"]) == 0
    out = capsys.readouterr().out
    for said in ("Python 3.", "3 can be read: 3 simulated", "none in ", "All is well."):
        assert said in out
    areas = [line for line in out.splitlines() if line and not line.startswith(" ")]
    assert areas == [
        "environment",
        "keys",
        ".env",
        "recordings",
        "waivers",
        "result",
        "secrets",
        "All is well.",
    ]


def test_the_json_result_tells_names_and_counts_and_no_value(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("ACME_API_KEY", KEY)
    assert run(["doctor", "--json", "-"]) == 0
    out = capsys.readouterr().out
    document = json.loads(out)
    assert document["format"] == 1
    assert document["worst"] == "note"
    assert document["keys"] == {"acme": {"ACME_API_KEY": "environment"}, "zenith": {"ZENITH_API_KEY": None}}
    assert document["recordings"] == {"simulated": 3}
    assert {"area", "level", "what", "way_out"} == document["findings"][0].keys()
    assert KEY not in out


def test_keys_of_the_dotenv_file_count_and_are_never_told(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (project / ".env").write_text(f"ACME_API_KEY={KEY}\n")
    (project / ".env").chmod(0o600)
    assert run(["doctor"]) == 0
    out = capsys.readouterr().out
    assert "acme: ACME_API_KEY (.env)" in out
    assert "zenith: ZENITH_API_KEY not set" in out
    assert KEY not in out


@pytest.mark.parametrize(
    ("value", "flaw"),
    [
        ("<your key>", "placeholder"),
        ("sk-...", "placeholder"),
        ("acme key 1", "blanks"),
        ("schlüssel-1", "letters"),
        ("k-12z", "too short"),
    ],
)
def test_a_value_that_cannot_be_a_key_is_said_without_saying_it(
    value: str, flaw: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_API_KEY", value)
    findings = diagnosed(1)
    (said,) = only(findings, "warning")
    assert flaw in said
    assert value not in json.dumps(findings, ensure_ascii=False)


def test_a_misspelt_variable_is_named_with_the_one_that_was_meant(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (project / ".env").write_text("ACME_API_KYE=x1\nSOMETHING_ELSE=1\nZENITH_URL=1\n")
    (project / ".env.example").write_text("# ZENITH_URL=https://…\n")
    monkeypatch.setenv("ZENIHT_API_KEY", "x2")
    findings = diagnosed(1)
    told = {one["what"]: one["way_out"] for one in findings if one["level"] == "warning"}
    assert told == {
        "ACME_API_KYE, set in .env, is not read by anything": "Did you mean ACME_API_KEY?",
        "ZENIHT_API_KEY, set in the environment, is not read by anything": "Did you mean ZENITH_API_KEY?",
    }
    assert ".env: SOMETHING_ELSE is set there, and nothing here is known to read it" in only(findings, "note")
    assert "ZENITH_URL" not in json.dumps(findings)


def test_a_dotenv_file_that_git_does_not_ignore_is_a_fault(project: Path) -> None:
    (project / ".gitignore").write_text("")
    (project / ".env").write_text("ACME_API_KEY=\n")
    assert only(diagnosed(2), "fault") == [".env: git does not ignore it"]


def test_a_dotenv_file_that_git_tracks_is_a_secret_in_the_repository(project: Path) -> None:
    (project / ".env").write_text(f"ACME_API_KEY={KEY}\n")
    git("add", "-f", ".env")
    findings = diagnosed(4)
    assert ".env: git tracks it: whoever has the repository has the keys" in only(findings, "fault")
    assert "secrets: .env: holds the value of ACME_API_KEY" in only(findings, "secret")


def test_a_line_of_the_dotenv_file_that_is_passed_over_is_named(project: Path) -> None:
    (project / ".env").write_text("# fine\nACME API KEY = 1\n")
    assert only(diagnosed(1), "warning") == [".env: line 2 is not an assignment, so it is ignored"]


def test_a_dotenv_file_that_cannot_be_read_is_a_fault(project: Path) -> None:
    (project / ".env").write_bytes(b"ACME_API_KEY=\xff\n")
    assert only(diagnosed(2), "fault") == [".env: cannot be read (UnicodeDecodeError)"]


def test_recordings_that_are_missing_old_or_unowned_are_to_be_seen_to(project: Path) -> None:
    old = cassette("acme/other", provenance="live")
    assert old.recording is not None
    aged = replace(old.recording, recorded_at=datetime.now(UTC) - timedelta(days=91))
    save(project / "cassettes/acme/other.yaml", replace(old, recording=aged))
    (project / "cassettes/zenith/plain-stream.yaml").rename(project / "cassettes/zenith/gone.yaml")
    said = "\n".join(only(diagnosed(1), "warning"))
    assert "1 of 3 scenarios have none: zenith/plain-stream" in said
    assert "1 live ones are 90 days old or older: cassettes/acme/other.yaml" in said
    assert "cassettes/zenith/gone.yaml: no scenario has this name" in said


def test_a_recording_that_is_no_answer_is_to_be_seen_to(project: Path) -> None:
    recorded = cassette("acme/plain-stream", provenance="live")
    (one,) = recorded.interactions
    page = replace(one.response, headers=(("Content-Type", "text/html"),), body=b"<html></html>", pieces=None)
    changed = replace(recorded, interactions=(replace(one, response=page),))
    save(project / "cassettes/acme/plain-stream.yaml", changed)
    (said,) = only(diagnosed(1), "warning")
    assert said == (
        "recordings: cassettes/acme/plain-stream.yaml: a page came (200 text/html), not the provider's answer"
    )


def test_an_overridden_address_is_named_with_what_it_is_worth(monkeypatch: pytest.MonkeyPatch) -> None:
    project = Path("contracts/clients.py")
    row = 'base_url="https://api.acme.example/v1", '
    project.write_text(project.read_text().replace(row, f'{row}base_url_variable="ACME_BASE_URL", '))
    monkeypatch.setenv("ACME_API_KEY", KEY)
    monkeypatch.setenv("ACME_BASE_URL", "http://me:secret@localhost:4010/v1")  # pragma: allowlist secret
    assert only(diagnosed(1), "warning") == [
        "keys: acme: ACME_BASE_URL sends calls to http://localhost:4010/v1: a rehearsal, not live evidence"
    ]
    monkeypatch.setenv("ACME_BASE_URL", "http://localhost:4010/v1?x=1")
    (said,) = only(diagnosed(1), "warning")
    assert said.startswith("keys: acme: ACME_BASE_URL is not a base URL")


def test_a_recording_that_cannot_be_read_is_3(project: Path) -> None:
    (project / "cassettes/acme/other.yaml").write_text("interactions: [")
    (said,) = only(diagnosed(3), "unreadable")
    assert "cassettes/acme/other.yaml" in said


def test_a_waiver_that_lapses_soon_is_to_be_seen_to_and_a_broken_file_is_a_fault(project: Path) -> None:
    file = project / "contracts/waivers.toml"
    file.write_text(WAIVER.format(until=datetime.now().astimezone().date() + timedelta(days=3)))
    assert "lapses" in only(diagnosed(1), "warning")[0]
    file.write_text("[[waiver")
    assert "waivers.toml" in only(diagnosed(2), "fault")[0]


def test_a_result_that_no_longer_holds_is_to_be_seen_to(project: Path) -> None:
    assert run(["check"]) == 0
    assert [one["level"] for one in diagnosed(0) if one["area"] == "result"] == ["ok"]
    save(project / "cassettes/acme/other.yaml", cassette("acme/other", ("something", "else")))
    assert only(diagnosed(1), "warning") == [
        "result: it is out of date: since then, changed: cassettes/acme/other.yaml"
    ]
    (project / "report/result.json").write_text("{")
    assert "is not a result" in only(diagnosed(3), "unreadable")[0]


@pytest.mark.parametrize(
    ("text", "what"),
    [
        ("AKIA" + "QX7Z2NB4" * 2, "an AWS key id"),
        ("sk-proj-" + "aB3_" * 10, "an OpenAI-like key"),
        ("sk-" + "0f1e2d3c" * 4, "an OpenAI-like key"),
        ("AIza" + "bC4-d" * 7, "a Google key"),
        ("gh" + "p_" + "aB3dE6" * 6, "a GitHub token"),
        ("-----BEGIN " + "RSA PRIVATE KEY-----", "a private key"),
        ("xox" + "b-123456789012-1234567890123-" + "aB3dE6fG" * 3, "a secret (Slack Token)"),
        ("sk_" + "live_" + "aB3dE6fG" * 3, "a secret (Stripe Access Key)"),
        ("https://me:" + "hunter2secret@db.example/x", "a secret (Basic Auth Credentials)"),
    ],
)
def test_what_looks_like_a_key_in_a_tracked_file_is_4_with_its_place(
    text: str, what: str, project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The lower three are known to the scanner alone."""
    (project / "notes.md").write_text(f"# Notes\n\nkey: {text}\n")
    (project / "untracked.md").write_text(text)
    git("add", "notes.md")
    assert run(["doctor"]) == 4
    out = capsys.readouterr().out
    assert f"notes.md:3: holds what looks like {what}" in out
    assert "→ Take it out, and revoke it" in out
    assert "untracked.md" not in out
    assert text not in out


def test_a_line_that_is_marked_as_harmless_is_left_alone(project: Path) -> None:
    key = "AKIA" + "QX7Z2NB4" * 2
    (project / "notes.md").write_text(f"the example of the manual: {key}  # pragma: allowlist secret\n")
    git("add", "notes.md")
    diagnosed(0)


def test_random_ids_and_made_up_words_are_no_noise(project: Path) -> None:
    text = (
        'password = "correct horse"\nid: chatcmpl-9f8e7d6c5b4a39281706f5e4d3c2b1a0\nobfuscation: "'
        + "Xy7" * 20
    )
    (project / "notes.md").write_text(text)
    git("add", "notes.md")
    diagnosed(0)


@pytest.mark.parametrize("folder", ["cassettes/acme", "snapshots", "docs", "report"])
def test_the_value_of_a_configured_key_is_found_in_every_file_in_any_form(
    folder: str, project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_API_KEY", KEY)
    file = project / folder / "leak.txt"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f"noise {base64.b64encode(f'user:{KEY}'.encode()).decode()} noise")
    git("add", "-f", str(file))
    findings = diagnosed(4)
    (said,) = only(findings, "secret")
    assert f"{folder}/leak.txt: holds the value of ACME_API_KEY" in said


def test_a_short_key_of_a_provider_in_a_snapshot_is_found_though_source_may_make_one_up(
    project: Path,
) -> None:
    key = "sk-" + "made-up-4711-key1"
    for name in ("snapshots/a.txt", "tests.py"):
        (project / name).parent.mkdir(exist_ok=True)
        (project / name).write_text(f"KEY = '{key}'\n")
        git("add", name)
    (said,) = only(diagnosed(4), "secret")
    assert "snapshots/a.txt: holds what looks like an OpenAI-like key" in said


def test_one_area_can_be_examined_apart(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "cassettes/acme/other.yaml").unlink()
    assert run(["doctor", "--area", "secrets", "--area", "environment"]) == 0
    out = capsys.readouterr().out
    assert [line for line in out.splitlines() if line and not line.startswith(" ")] == [
        "environment",
        "secrets",
        "All is well.",
    ]
    assert run(["doctor", "--area", "recordings"]) == 1


def test_without_git_every_file_is_searched(project: Path) -> None:
    shutil.rmtree(project / ".git")
    (project / "notes.md").write_text("AKIA" + "QX7Z2NB4" * 2)
    assert only(diagnosed(4), "secret") == ["secrets: notes.md:1: holds what looks like an AWS key id"]


def test_a_file_that_goes_away_during_the_search_holds_nothing(project: Path) -> None:
    gone = project / "report/items.part.jsonl"
    assert list(keys_in_files([gone], root=project, recordings=(), secrets={})) == []


# The environment


SUPPORTED = message_from_string(
    "Requires-Python: >=3.11,<3.15\n"
    "Requires-Dist: openai>=2.0,<4\n"
    "Requires-Dist: vcrpy>=9,<10\n"
    "Requires-Dist: litellm>=1.80; extra == 'litellm'\n"
    "Requires-Dist: litellm[proxy]>=1.83.7; extra == 'litellm-proxy'\n"
    "Requires-Dist: uv>=0.9; extra == 'matrix'\n"
)


def environment(root: Path, installed: dict[str, str], python: str = "3.12.1") -> list[Finding]:
    return list(examine_environment(root, installed=installed.get, supported=SUPPORTED, python=python))


def test_a_package_or_python_outside_its_range_is_a_fault(tmp_path: Path) -> None:
    found = environment(tmp_path, {"openai": "4.0.1", "uv": "0.8"}, python="3.10.2")
    assert [(one.level, one.what) for one in found[:-1]] == [
        (FindingLevel.FAULT, "Python 3.10.2 is not supported"),
        (FindingLevel.FAULT, "openai 4.0.1 is outside the supported range (<4,>=2.0)"),
        (FindingLevel.FAULT, "vcrpy is not installed (<10,>=9)"),
        (FindingLevel.FAULT, "uv 0.8 is outside the supported range (>=0.9)"),
    ]
    assert all(one.way_out for one in found[:-1])


def test_an_extra_that_is_not_installed_is_not_missing(tmp_path: Path) -> None:
    """Nor is a package below what one of its own extras needs: nobody knows whether that is installed."""
    found = environment(tmp_path, {"openai": "2.54", "vcrpy": "9.4", "litellm": "1.80.11"})
    assert [(one.level, one.what) for one in found[:-1]] == [
        (FindingLevel.OK, "Python 3.12.1 (supported: >=3.11,<3.15)"),
        (FindingLevel.OK, "3 packages within their supported ranges: litellm 1.80.11, openai 2.54"),
    ]


def test_the_harness_says_itself_what_it_supports() -> None:
    supported = metadata_of_the_harness()
    assert SpecifierSet(supported["Requires-Python"]).contains("3.11.0")
    assert any(line.startswith("aiohttp") for line in supported.get_all("Requires-Dist", ()))


def test_releases_that_are_not_those_of_the_lock_are_named(tmp_path: Path) -> None:
    (tmp_path / "requirements.lock").write_text(
        "openai==2.54.0 \\\n    --hash=sha256:00\nvcrpy==9.4.2\nrich[all]==13.9.0\n"
        'pywin32==311 ; sys_platform == "win32"\n'
    )
    installed = {"openai": "2.54", "vcrpy": "9.4.1"}
    *_, lock = environment(tmp_path, installed)
    assert lock.level is FindingLevel.WARNING
    assert lock.what == (
        "2 of 3 packages are not as requirements.lock pins them: vcrpy 9.4.1 for 9.4.2, rich is not installed"
    )
    *_, lock = environment(tmp_path, {"openai": "2.54.0", "vcrpy": "9.4.2", "rich": "13.9.0"})
    assert (lock.level, lock.what) == (
        FindingLevel.OK,
        "requirements.lock: all 3 pinned releases are installed",
    )
