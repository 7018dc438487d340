"""The review without a terminal: every decision a command, as scripts use it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.cli import group as command_line
from llm_contracts.cli import run
from tests.harness.review.conftest import WAIVERS

Capture = pytest.CaptureFixture[str]


def listed(capsys: Capture, *options: str) -> dict[str, Any]:
    capsys.readouterr()
    run(["review", "list", "--json", "-", *options])
    document: dict[str, Any] = json.loads(capsys.readouterr().out)
    return document


def waivers(root: Path) -> str:
    return (root / "contracts" / "waivers.toml").read_text()


def test_the_list_has_the_breaking_group_first_and_its_totals_cover_the_run(
    project: Path, capsys: Capture
) -> None:
    document = listed(capsys)
    assert [(g["kind"], g["was"], g["now"], g["count"]) for g in document["groups"]] == [
        ("text", "text", "text", 2),
        ("model_name", "text", "text", 3),
        ("chunk_count", "number", "more", 2),
    ]
    assert document["totals"] == {"differences": 8, "accepted": 1, "marked": 0, "left": 7}
    assert document["run"] == json.loads((project / "report" / "result.json").read_text())["run"]
    assert run(["review", "list"]) == 1
    out = capsys.readouterr().out
    assert "text at text" in out
    assert "8 differences: 1 accepted, 0 marked, 7 left" in " ".join(out.split())


def test_a_group_is_shown_with_its_lanes(project: Path, capsys: Capture) -> None:
    name = listed(capsys)["groups"][0]["id"]
    assert run(["review", "show", name[:4]]) == 0
    out = capsys.readouterr().out
    for part in ("BREAKING  text at", "acme/plain-stream (1 of 2)", '"hel"', '"HEL"', "plain | odd"):
        assert part in out


@pytest.mark.parametrize(
    ("view", "part"), [("wire", "200 OK"), ("request", "chat/completions"), ("time", "4 events")]
)
def test_a_recording_is_shown_from_every_side(project: Path, capsys: Capture, view: str, part: str) -> None:
    assert run(["review", "show", "zenith/plain-stream", "--view", view]) == 0
    assert part in capsys.readouterr().out


def test_a_dry_run_shows_what_an_acceptance_would_cover_and_writes_nothing(
    project: Path, capsys: Capture
) -> None:
    name = listed(capsys)["groups"][1]["id"]
    assert run(["review", "accept", name, "--reason", "so", "--by", "Ada", "--dry-run", "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert [(row["provider"], row["scenario"]) for row in document["rows"]] == [
        ("acme", "other|plain-stream"),
        ("zenith", "plain-stream"),
    ]
    assert len(document["accepts"]) == 3
    assert waivers(project) == WAIVERS


def test_an_acceptance_is_written_and_the_next_check_knows_it(project: Path, capsys: Capture) -> None:
    for group in listed(capsys)["groups"]:
        assert run(["review", "accept", group["id"], "--reason", "so it is", "--by", "Ada"]) == 0
    assert run(["review", "list"]) == 0
    assert run(["check"]) == 0
    assert "3 differ as accepted" in capsys.readouterr().out


def test_an_acceptance_that_reaches_further_than_it_names_is_refused_until_that_is_meant(
    project: Path, capsys: Capture
) -> None:
    prints = listed(capsys)["groups"][1]["members"][0]["fingerprint"]
    wide = ["review", "accept", prints, "--reason", "so", "--by", "Ada", "--scope", "field"]
    assert run(wide) == 2
    printed = capsys.readouterr()
    assert "also cover 2 differences that were not named" in printed.err
    assert "model_name" in printed.out
    assert waivers(project) == WAIVERS
    assert run([*wide, "--and-others"]) == 0
    assert waivers(project).count("[[waiver]]") == 2


def test_marks_are_stored_and_leave_the_verdict_alone(project: Path, capsys: Capture) -> None:
    first, second, _ = listed(capsys)["groups"]
    assert run(["review", "fix", first["id"], "--note", "upper case"]) == 0
    assert run(["review", "noise", second["id"]]) == 0
    assert "go on failing" in capsys.readouterr().out
    assert [group["kind"] for group in listed(capsys)["groups"]] == ["chunk_count"]
    everything = listed(capsys, "--all")
    assert everything["groups"][0]["members"][0]["decision"] == "fix"
    assert everything["groups"][0]["members"][0]["note"] == "upper case"
    assert everything["totals"]["marked"] == 5
    assert run(["check"]) == 1
    assert [group["kind"] for group in listed(capsys)["groups"]] == ["chunk_count"]


def test_exported_decisions_are_applied(project: Path, capsys: Capture) -> None:
    document = listed(capsys)
    first = document["groups"][0]
    file = project / "decisions.json"
    prints = [member["fingerprint"] for member in first["members"]]
    decision = {
        "decision": "accept",
        "group": first["id"],
        "fingerprints": prints,
        "reason": "so",
        "by": "Ada",
        "until": f"{document_day(project)}",
        "scope": "recording",
    }
    file.write_text(json.dumps({"format": 1, "run": document["run"], "decisions": [decision]}))
    assert run(["review", "apply", str(file), "--dry-run"]) == 0
    assert waivers(project) == WAIVERS
    assert run(["review", "apply", str(file)]) == 0
    assert waivers(project).count("[[waiver]]") == 3
    assert run(["review", "apply", str(file)]) == 0
    assert "2 differences accepted already" in capsys.readouterr().out


def document_day(project: Path) -> str:
    stored: str = json.loads((project / "report" / "result.json").read_text())["checked_at"]
    day, _, _ = stored.partition("T")
    return str(int(day[:4]) + 1) + "-01-02" if day[5:7] != "01" else day[:4] + "-06-01"


def test_decisions_about_another_run_are_refused_by_its_name(project: Path, capsys: Capture) -> None:
    file = project / "decisions.json"
    file.write_text('{"format": 1, "run": "feedfacefeedface", "decisions": []}')
    assert run(["review", "apply", str(file)]) == 2
    assert "run feedfacefeedface" in capsys.readouterr().err
    file.write_text("nothing")
    assert run(["review", "apply", str(file)]) == 3


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        ([], 2, "llm-contracts review list"),
        (["show", "acme/plain-streem"], 2, "Did you mean acme/plain-stream"),
        (["show", "ab"], 2, "There is no group"),
        (["accept", "acme/other", "--reason", "x", "--by", "A", "--until", "soon"], 2, "2027-01-31"),
        (["accept", "acme/other", "--reason", "x", "--by", "A", "--until", "2099-01-01"], 2, "for ever"),
        (["accept", "acme/other", "--reason", "x"], 2, "who decides"),
        (["--report", "nowhere", "list"], 2, "no result yet"),
    ],
)
def test_what_cannot_be_done_is_said_with_the_way_out(
    project: Path, capsys: Capture, arguments: list[str], code: int, message: str
) -> None:
    assert run(["review", *arguments]) == code
    assert message in capsys.readouterr().err


def test_ids_and_recordings_are_completed(
    project: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = listed(capsys)["groups"][0]["id"]
    monkeypatch.setenv("_LLM_CONTRACTS_COMPLETE", "bash_complete")
    for typed, whole in ((name[:3], name), ("acme/o", "acme/other")):
        monkeypatch.setenv("COMP_WORDS", f"llm-contracts review show {typed}")
        monkeypatch.setenv("COMP_CWORD", "3")
        with pytest.raises(SystemExit):
            command_line.main(prog_name="llm-contracts")
        assert capsys.readouterr().out.split() == [f"plain,{whole}"]


def test_in_ci_it_can_be_read_and_not_decided(
    project: Path, capsys: Capture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CI", "true")
    name = listed(capsys)["groups"][0]["id"]
    assert run(["review", "show", name]) == 0
    capsys.readouterr()
    assert run(["review", "accept", name, "--reason", "so", "--by", "Ada"]) == 2
    assert run(["review", "fix", name]) == 2
    out, err = capsys.readouterr()
    assert out == ""  # nothing is said to be accepted and then refused
    assert "CI" in err
    assert waivers(project) == WAIVERS
