"""`llm-contracts verdict` as scripts and people meet it: every answer, what it rests on, what to do next."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.cli import run
from llm_contracts.results.document import document_digest
from llm_contracts.wire.cassette import load, save
from llm_contracts.wire.interaction import Response
from tests.harness.run.projects import NAMES, cassette

Verdict = Callable[..., tuple[int, str]]
Refused = Callable[..., str]


def live(root: Path, *names: str) -> None:
    for name in names or NAMES:
        save(root / "cassettes" / f"{name}.yaml", cassette(name, provenance="live"))


def aged(root: Path, name: str, days: int) -> str:
    """Make one recording so many days old; its date then."""
    file = root / "cassettes" / f"{name}.yaml"
    day = datetime.now().astimezone().date() - timedelta(days=days)  # as verdicts count
    recorded = load(file)
    assert recorded.recording is not None
    noon = datetime(day.year, day.month, day.day, 12, tzinfo=UTC)
    save(file, replace(recorded, recording=replace(recorded.recording, recorded_at=noon)))
    return day.isoformat()


@pytest.fixture
def verdict(capsys: pytest.CaptureFixture[str]) -> Verdict:
    """Asks for a verdict: the exit code, and all that is said."""

    def ask(*arguments: str) -> tuple[int, str]:
        capsys.readouterr()
        code = run(["verdict", *arguments])
        return code, "".join(capsys.readouterr())

    return ask


@pytest.fixture
def refused(verdict: Verdict) -> Refused:
    """Asks for a verdict that must not be a GO: what is said."""

    def ask(*arguments: str) -> str:
        code, said = verdict(*arguments)
        assert code != 0
        assert "GO     ready" not in said
        return said

    return ask


def test_go(project: Path, verdict: Verdict) -> None:
    checked_live(project)
    code, said = verdict("acme")
    assert code == 0
    assert "GO     ready: acme" in said
    assert "2 scenarios agree" in said
    assert "next:" not in said


def test_rehearsed_names_what_to_record(project: Path, verdict: Verdict) -> None:
    run(["check"])
    code, said = verdict("--provider", "acme")
    assert code == 1
    assert "NO-GO  rehearsed: acme" in said
    assert "1 scenario is not recorded live: acme/plain-stream." in said
    assert said.splitlines()[-2:] == [
        "NO-GO: nothing differs; 1 provider is not yet recorded live",
        "next: llm-contracts record --provider acme --missing && llm-contracts check --provider acme",
    ]


def test_blocked_leads_to_the_review(project: Path, verdict: Verdict) -> None:
    live(project)
    toml = project / "pyproject.toml"
    toml.write_text(toml.read_text().replace('candidate = "same"', 'candidate = "shouting"'))
    run(["check"])
    code, said = verdict("acme")
    assert code == 1
    assert "NO-GO  blocked: acme" in said
    assert "breaking difference" in said
    assert "next: llm-contracts review" in said


def test_no_evidence_names_the_scenario(project: Path, verdict: Verdict) -> None:
    live(project)
    (project / "cassettes" / "zenith" / "plain-stream.yaml").unlink()
    run(["check"])
    code, said = verdict("zenith")
    assert code == 1
    assert "NO-GO  no-evidence: zenith" in said
    assert "1 scenario has no cassette: zenith/plain-stream." in said
    assert "recordings: 1 missing" in said


def test_a_recording_that_cannot_be_used_blocks(project: Path, verdict: Verdict) -> None:
    live(project)
    (project / "cassettes" / "acme" / "other.yaml").write_bytes(b"\xff\xfe")
    run(["check"])
    code, said = verdict("acme")
    assert code == 1
    assert "1 recording cannot be used: acme/other." in said
    assert "next: llm-contracts cassettes" in said


def test_live_recordings_go_stale(project: Path, verdict: Verdict) -> None:
    live(project)
    day = aged(project, "zenith/plain-stream", 90)
    run(["check"])
    code, said = verdict("zenith")
    assert code == 1
    assert "1 live recording is 90 days old or older: zenith/plain-stream." in said
    assert "next: llm-contracts record --provider zenith --stale 90" in said
    assert f"recordings: 1 live; oldest of {day}, 90 days old" in said


@pytest.mark.parametrize("options", [("--engine", "vcr"), ("--pieces", "one"), ("--pieces", "1000000")])
def test_a_run_in_which_no_delay_could_show_is_no_go(
    project: Path, verdict: Verdict, options: tuple[str, ...]
) -> None:
    """Whole bodies hide a path that hands text on late: who has not looked does not know."""
    live(project)
    run(["check", *options])
    code, said = verdict("acme")
    assert code == 1
    assert "NO-GO  rehearsed: acme" in said
    assert "whether a client hands text on late (delivery_lag) could not show" in said.replace("\n", " ")
    assert "next: llm-contracts check --provider acme" in said
    assert "Warnings (1)" in said


def test_it_says_how_old_the_result_and_the_recordings_are(project: Path, verdict: Verdict) -> None:
    live(project, "acme/plain-stream")
    oldest = aged(project, "acme/other", 40)
    newer = aged(project, "acme/plain-stream", 3)
    run(["check"])
    _, said = verdict("acme")
    assert "plain against same, checked less than a minute ago" in said
    assert "recordings: 1 live, 1 simulated" in said
    assert f"oldest of {oldest}, 40 days old; oldest live of {newer}, 3 days old" in " ".join(said.split())


def test_warnings_and_faults_of_the_waivers_are_not_left_behind(project: Path, verdict: Verdict) -> None:
    live(project)
    row = 'kind = "text"\nprovider = "acme"\nscenario = "*"\nreason = "r"\nby = "b"\nuntil = 2027-06-01\n'
    (project / "contracts" / "waivers.toml").write_text(f"[[waiver]]\n{row}")
    save(project / "cassettes" / "acme" / "orphan.yaml", cassette("acme/plain-stream"))
    run(["check"])
    _, said = verdict()
    assert "The waivers file (1)" in said
    assert "orphan.yaml: no scenario has this name" in said


def test_a_go_for_other_clients_is_not_taken_for_the_projects_own(project: Path, verdict: Verdict) -> None:
    live(project)
    run(["check", "--reference", "same", "--candidate", "plain"])
    code, said = verdict("acme")
    assert code == 2
    assert "is about same against plain, not about plain against same" in said
    assert "--report report" in said
    assert verdict("acme", "--report", "report")[0] == 0


def test_a_command_names_the_folder_once(project: Path, verdict: Verdict) -> None:
    run(["check", "--report", "mine"])
    _, said = verdict("--report", "mine")
    steps = said.rpartition("next: ")[2].split(" && ")
    assert [step.count("--report mine") for step in steps if " check " in f"{step} "] == [1]


def test_names_may_be_given_both_ways_and_more_than_once(project: Path, verdict: Verdict) -> None:
    checked_live(project)
    code, said = verdict("acme", "--provider", "zenith", "--provider", "acme")
    assert code == 0
    assert "GO     ready (2): acme, zenith\n" in said
    assert said.endswith("GO: nothing differs\n")


def test_scripts_get_the_answer_its_reasons_and_what_it_rests_on(project: Path, verdict: Verdict) -> None:
    live(project, "acme/plain-stream")
    run(["check"])
    assert verdict("acme", "--json", "out.json")[0] == 0
    document: dict[str, Any] = json.loads((project / "out.json").read_text())
    assert document["go"] is True
    assert document["engine"] == "wire"
    assert document["verdicts"].keys() == {"acme"}
    acme = document["verdicts"]["acme"]
    assert (acme["verdict"], acme["next"]) == ("ready", [])
    assert acme["evidence"]["recordings"] == {"live": 1, "simulated": 1}
    assert verdict("--json", "-")[0] == 1


def test_a_result_of_a_part_has_no_verdict(project: Path, verdict: Verdict) -> None:
    """No provider was asked for in full, so no answer is the right one: least of all a silent 0."""
    run(["check", "--scenario", "plain-stream", "--provider", "acme", "--report", "report"])
    code, said = verdict()
    assert code == 2
    assert "is of a part" in said


# Ways to a wrong GO, each closed


def checked_live(project: Path) -> Path:
    """All live, and checked: the stored result."""
    live(project)
    run(["check"])
    return project / "report" / "result.json"


def test_all_providers_are_asked_for_where_none_is_named(project: Path, verdict: Verdict) -> None:
    live(project)
    run(["check", "--provider", "acme"])
    code, said = verdict()
    assert code == 1
    assert "NO-GO  no-evidence: zenith" in said
    assert "The last check left it out." in said
    assert verdict("acme")[0] == 0


def test_an_edited_result_is_refused(project: Path, refused: Refused) -> None:
    run(["check"])
    result = project / "report" / "result.json"
    result.write_text(result.read_text().replace('"rehearsed"', '"ready"').replace('"simulated"', '"live"'))
    assert "was edited after it was written" in refused()


@pytest.mark.parametrize("name", ["python", "llm-contracts"])
def test_a_result_of_another_release_is_refused(project: Path, verdict: Verdict, name: str) -> None:
    checked_live(project)
    file = project / "report" / "result.json"
    document = json.loads(file.read_text())
    document["versions"] = {**document["versions"], name: "0.0.1"}
    file.write_text(json.dumps({**document, "digest": document_digest(document)}))
    code, said = verdict("acme")
    assert code == 2
    assert f"The stored result is out of date: since then, changed: {name}." in said


def test_a_go_that_does_not_follow_from_its_items_is_refused(project: Path, refused: Refused) -> None:
    result = checked_live(project)
    document = json.loads(result.read_text())
    document["items"][0]["provenance"] = "simulated"
    document["digest"] = document_digest(document)
    result.write_text(json.dumps(document))
    assert "The stored GO for acme no longer holds" in refused("acme")


def test_a_stricter_age_holds_for_what_is_stored(project: Path, verdict: Verdict, refused: Refused) -> None:
    live(project)
    aged(project, "acme/plain-stream", 20)
    run(["check"])
    assert verdict("acme")[0] == 0
    toml = project / "pyproject.toml"
    toml.write_text(f"{toml.read_text()}stale_after_days = 10\n")
    assert "10 days old or older" in refused("acme")


def test_a_candidate_outside_the_project_is_an_input_too(
    project: Path, tmp_path_factory: pytest.TempPathFactory, refused: Refused
) -> None:
    elsewhere = tmp_path_factory.mktemp("elsewhere")
    module = elsewhere / "outside_client.py"
    beside = elsewhere / "beside.py"
    beside.write_text("")
    module.write_text("import beside\n" + (project / "contracts" / "clients.py").read_text())
    toml = project / "pyproject.toml"
    toml.write_text(toml.read_text().replace('candidate = "same"', 'candidate = "outside_client:plain"'))
    live(project)
    command = [sys.executable, "-m", "llm_contracts"]
    environ = os.environ | {"PYTHONPATH": str(elsewhere)}
    subprocess.run([*command, "check"], env=environ, check=True, capture_output=True)
    assert (
        subprocess.run([*command, "verdict"], env=environ, check=False, capture_output=True).returncode == 0
    )
    for file in (beside, module):
        before = file.read_text()
        file.write_text(f"{before}\n# changed\n")
        assert str(file) in refused()
        file.write_text(before)


def test_a_recording_from_the_future_is_no_evidence(project: Path, refused: Refused) -> None:
    live(project)
    aged(project, "acme/plain-stream", -2)
    run(["check"])
    assert "1 live recording is dated in the future: acme/plain-stream." in refused("acme")


@pytest.mark.parametrize(
    ("made", "old", "new"),
    [
        ("simulated", "provenance: simulated", "provenance: live"),
        ("live", '"hel"', '"HEL"'),
        ("live", '"content": "hello"', '"content": "goodbye"'),
    ],
)
def test_an_edited_recording_is_no_evidence(
    project: Path, refused: Refused, made: str, old: str, new: str
) -> None:
    live(project)
    file = project / "cassettes" / "acme" / "plain-stream.yaml"
    save(file, cassette("acme/plain-stream", provenance=made))
    assert old in file.read_text()
    file.write_text(file.read_text().replace(old, new))
    run(["check"])
    assert "1 recording cannot be used: acme/plain-stream." in refused("acme")


def test_live_without_a_digest_is_no_evidence(project: Path, refused: Refused) -> None:
    live(project)
    file = project / "cassettes" / "acme" / "plain-stream.yaml"
    file.write_text(
        "".join(line for line in file.read_text().splitlines(keepends=True) if "digest:" not in line)
    )
    run(["check"])
    assert "1 recording cannot be used: acme/plain-stream." in refused("acme")


def test_another_scenarios_recording_is_no_evidence(project: Path, refused: Refused) -> None:
    live(project)
    (project / "cassettes" / "acme" / "other.yaml").write_bytes(
        (project / "cassettes" / "acme" / "plain-stream.yaml").read_bytes()
    )
    run(["check"])
    assert "1 recording cannot be used: acme/other." in refused("acme")


def test_a_page_kept_as_an_answer_is_no_evidence(project: Path, refused: Refused) -> None:
    live(project)
    recorded = cassette("acme/plain-stream", provenance="live")
    (one,) = recorded.interactions
    page = Response(status=200, headers=(("Content-Type", "text/html"),), body=b"<html>blocked</html>")
    save(
        project / "cassettes" / "acme" / "plain-stream.yaml",
        replace(recorded, interactions=(replace(one, response=page),)),
    )
    run(["check"])
    assert "1 recording cannot be used: acme/plain-stream." in refused("acme")


def test_no_exchange_at_all_is_no_evidence(project: Path, refused: Refused) -> None:
    live(project)
    for name in NAMES:
        save(
            project / "cassettes" / f"{name}.yaml",
            replace(cassette(name, provenance="live"), interactions=()),
        )
    assert run(["check"]) == 3
    refused()


def test_a_fault_in_the_waivers_file_is_no_go(project: Path, refused: Refused) -> None:
    live(project)
    (project / "contracts" / "waivers.toml").write_text(
        '[[waiver]]\nkind = "text"\nprovider = "acme"\nscenario = "other"\nreason = "r"\nby = "Ada"\n'
        f"until = {datetime.now(UTC).date() + timedelta(days=9)}\n"
    )
    run(["check"])
    assert "The waivers file has 1 fault." in refused("acme")


def test_a_scenario_whose_row_was_deleted_is_missed_while_its_recording_is_there(
    project: Path, verdict: Verdict, refused: Refused
) -> None:
    """The row that fails is the first that somebody in a hurry deletes."""
    live(project)
    rows = project / "contracts" / "scenarios.py"
    kept = [line for line in rows.read_text().splitlines() if 'id="other"' not in line]
    rows.write_text("\n".join(kept))
    run(["check"])
    assert "1 recording has no scenario: acme/other." in refused("acme")
    rows.write_text("\n".join(line for line in kept if "zenith" not in line))
    (project / "cassettes" / "acme" / "other.yaml").unlink()
    run(["check"])
    code, said = verdict()
    assert code == 1
    assert "NO-GO  no-evidence: zenith" in said
    assert verdict("acme")[0] == 0
    (project / "cassettes" / "zenith" / "plain-stream.yaml").unlink()
    run(["check"])
    code, said = verdict()
    assert code == 1
    assert "There are no scenarios for this provider." in said


def test_a_result_that_does_not_say_what_it_was_made_from_gives_no_go(
    project: Path, refused: Refused
) -> None:
    result = checked_live(project)
    document = json.loads(result.read_text())
    del document["inputs"]
    result.write_text(json.dumps({**document, "digest": document_digest(document)}))
    assert "does not say what it was made from" in refused("acme")


@pytest.mark.parametrize("edited", ["contracts/clients.py", "contracts/scenarios.py"])
def test_what_is_edited_while_a_check_runs_did_not_run(
    project: Path, refused: Refused, capsys: pytest.CaptureFixture[str], edited: str
) -> None:
    live(project)
    with (project / "contracts" / "clients.py").open("a") as clients:
        clients.write(
            "\ndef same(call):\n    yield from plain(call)\n"
            f'    with open({str(project / edited)!r}, "a") as file:\n        file.write("#\\n")\n'
            'CLIENTS["same"] = same\n'
        )
    run(["check"])
    assert f"Since the run began, changed: {edited}." in capsys.readouterr().out
    document = json.loads((project / "report" / "result.json").read_text())
    assert {row["verdict"] for row in document["verdicts"].values()} == {"rehearsed"}
    assert f"The stored result is out of date: since then, changed: {edited}." in refused("acme")


@pytest.mark.parametrize("end", ["os._exit(0)", "atexit.register(lambda: os._exit(0))"])
def test_code_of_the_project_that_ends_the_process_does_not_end_it_well(project: Path, end: str) -> None:
    with (project / "contracts" / "clients.py").open("a") as clients:
        clients.write(f"import atexit, os\n{end}\n")
    command = [sys.executable, "-m", "llm_contracts", "verdict"]
    assert subprocess.run(command, check=False, capture_output=True).returncode == 2


def test_recordings_made_through_a_gateway_say_so_beside_the_go(project: Path, verdict: Verdict) -> None:
    live(project)
    file = project / "cassettes" / "acme" / "plain-stream.yaml"
    recorded = load(file)
    assert recorded.recording is not None
    save(file, replace(recorded, recording=replace(recorded.recording, address="https://gateway.example/v1")))
    run(["check"])
    code, said = verdict("acme")
    assert code == 0
    assert "1 live recording was made at https://gateway.example/v1." in said
