"""Writing decisions down: atomically, undoably, and never into a file that is not what it should be."""

from __future__ import annotations

import json
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.parity.decision_groups import queue
from llm_contracts.parity.waivers import WaiverError
from llm_contracts.project.config import ConfigError, load_settings
from llm_contracts.results.store import Stored
from llm_contracts.review import session as review
from llm_contracts.review.apply import ApplyPlan, plan
from llm_contracts.review.coverage import cover
from llm_contracts.review.decisions import Choice, Decision, DecisionsError, Scope, parse_decisions
from llm_contracts.review.session import ReviewError, ReviewSession
from llm_contracts.util.files import locked
from llm_contracts.wire.scrub import SecretFound
from tests.harness.review.conftest import WAIVERS

TODAY = datetime.now().astimezone().date()
UNTIL = TODAY + timedelta(days=30)


def session(
    root: Path, environ: Mapping[str, str] | None = None, secrets: Mapping[str, str] | None = None
) -> ReviewSession:
    settings = load_settings(root)
    stored = Stored.load(settings.report)
    assert stored is not None
    known = {(item.provider, item.scenario) for item in stored.result.items}
    return review.open_session(
        settings, stored, today=TODAY, environ=environ or {}, known=known, secrets=secrets or {}
    )


def accept_first(found: ReviewSession, reason: str = "it may") -> review.FileChange:
    terms = review.checked_terms(reason, "Ada", UNTIL, TODAY)
    (group, *_) = queue(found.open)
    return review.accept(found, cover(group.members, Scope.GROUP, found.open, terms).rows)


def waivers(root: Path) -> str:
    return (root / "contracts" / "waivers.toml").read_text()


def test_an_acceptance_is_appended_and_counts_at_once(project: Path) -> None:
    before = session(project)
    change = accept_first(before)
    assert waivers(project) == change.after
    assert waivers(project).startswith(WAIVERS)
    after = review.reread(before)
    assert len(after.accepted) == len(before.accepted) + 2
    assert len(queue(after.open)) == len(queue(before.open)) - 1
    assert not [file for file in (project / "contracts").iterdir() if file.name.startswith(".")]


def test_undoing_puts_the_file_back_to_the_letter(project: Path) -> None:
    found = session(project)
    review.undo(found, accept_first(found))
    assert waivers(project) == WAIVERS


@pytest.mark.parametrize("kind", ["accept", "note"])
def test_of_decisions_made_at_once_none_is_lost(project: Path, kind: str) -> None:
    """Each in a session of its own, opened before any of them has decided."""
    sessions = [session(project) for _ in range(8)]
    groups = queue(sessions[0].open)
    terms = review.checked_terms("it may", "Ada", UNTIL, TODAY)

    def decide(number: int) -> int:
        found, group = sessions[number], groups[number % len(groups)]
        if kind == "accept":
            rows = cover(group.members[:1], Scope.GROUP, found.open, terms).rows
            with suppress(ReviewError):  # accepted by another one already
                review.accept(found, rows)
                return 1
            return 0
        prints = (found.open[number % len(found.open)].fingerprint,)
        review.note(found, [Decision(choice=Choice.FIX, fingerprints=prints, note="later")])
        return 1

    with ThreadPoolExecutor(8) as threads:
        decided = list(threads.map(decide, range(8)))
    after = session(project)
    if kind == "accept":
        assert sum(decided) > 1
        assert waivers(project).count("it may") == sum(decided)
    else:
        assert after.noted.keys() == {member.fingerprint for member in after.open[:8]}


def test_what_somebody_else_has_changed_since_is_not_undone(project: Path) -> None:
    change = accept_first(session(project))
    file = project / "contracts" / "waivers.toml"
    file.write_text(file.read_text() + "# by another hand\n")
    with pytest.raises(ReviewError, match="changed since"):
        review.undo(session(project), change)
    assert waivers(project).endswith("# by another hand\n")


def test_undoing_waits_for_whoever_is_writing_and_then_loses_nothing_of_theirs(project: Path) -> None:
    found = session(project)
    change = accept_first(found)
    file = project / "contracts" / "waivers.toml"
    with ThreadPoolExecutor(1) as pool:
        with locked(file.parent):
            undone = pool.submit(review.undo, found, change)
            with pytest.raises(TimeoutError):
                undone.result(0.05)
            file.write_text(file.read_text() + "# by another hand\n")
        with pytest.raises(ReviewError, match="changed since"):
            undone.result(60)
    assert waivers(project).endswith("# by another hand\n")


def test_undoing_the_first_acceptance_leaves_a_link_as_it_was(project: Path) -> None:
    file = project / "contracts" / "waivers.toml"
    file.unlink()
    file.symlink_to("elsewhere.toml")
    change = accept_first(session(project))
    assert (file.parent / "elsewhere.toml").is_file()
    review.undo(session(project), change)
    assert file.is_symlink()
    assert not file.exists()


def test_the_first_acceptance_makes_the_file_and_undoing_it_takes_it_away(project: Path) -> None:
    file = project / "contracts" / "waivers.toml"
    file.unlink()
    change = accept_first(session(project))
    assert file.is_file()
    review.undo(session(project), change)
    assert not file.exists()


def test_what_has_lapsed_is_renewed_by_hand_not_said_twice(project: Path) -> None:
    found = session(project)
    accept_first(found)
    file = project / "contracts" / "waivers.toml"
    lapsed = file.read_text().replace(str(UNTIL), "2020-01-01")
    file.write_text(lapsed)
    with pytest.raises(ReviewError, match=r"Nothing was written.*says the same as .*waivers\.toml"):
        accept_first(review.reread(found))
    assert file.read_text() == lapsed


def test_a_stream_that_is_no_scenario_of_the_project_is_not_named_in_its_waivers(project: Path) -> None:
    with pytest.raises(ReviewError, match="no scenario"):
        accept_first(replace(session(project), known=frozenset()))
    assert waivers(project) == WAIVERS


def test_a_merge_conflict_stops_before_anything_is_written(project: Path) -> None:
    found = session(project)
    file = project / "contracts" / "waivers.toml"
    file.write_text(WAIVERS + "<<<<<<< ours\n")
    with pytest.raises(WaiverError, match="unresolved merge"):
        accept_first(found)
    with pytest.raises(WaiverError, match="unresolved merge"):
        session(project)
    assert file.read_text() == WAIVERS + "<<<<<<< ours\n"


def test_a_result_whose_recordings_changed_is_refused_and_one_whose_waivers_changed_is_not(
    project: Path,
) -> None:
    accept_first(session(project))
    assert session(project).accepted
    (project / "cassettes" / "acme" / "other.yaml").unlink()
    with pytest.raises(ConfigError, match=r"cassettes/acme/other\.yaml.*check"):
        session(project)


def test_in_ci_nothing_is_decided(project: Path) -> None:
    found = session(project, environ={"CI": "true"})
    with pytest.raises(ReviewError, match="CI"):
        accept_first(found)
    with pytest.raises(ReviewError, match="CI"):
        review.note(found, [])
    assert not session(project, environ={"CI": "false"}).read_only


def test_a_result_about_another_pair_takes_marks_but_no_waivers(project: Path) -> None:
    toml = project / "pyproject.toml"
    toml.write_text(toml.read_text().replace('candidate = "odd"', 'candidate = "same"'))
    found = session(project)
    with pytest.raises(ReviewError, match="plain with odd, but waivers are about plain and same"):
        accept_first(found)
    prints = (found.members[0].fingerprint,)
    review.note(found, [Decision(choice=Choice.FIX, fingerprints=prints, note="later")])
    assert review.reread(found).noted[prints[0]].note == "later"


def test_a_key_in_a_reason_reaches_no_file(project: Path) -> None:
    found = session(project, secrets={"ACME_API_KEY": "quite-a-secret-value"})
    with pytest.raises(SecretFound, match="ACME_API_KEY") as raised:
        accept_first(found, reason="because quite-a-secret-value")
    assert "quite-a" not in str(raised.value)
    assert waivers(project) == WAIVERS


@pytest.mark.parametrize(
    ("reason", "by", "days", "message"),
    [
        (" ", "Ada", 1, "reason"),
        ("so", "", 1, "name of who decides"),
        ("so", "Ada", -1, "is over"),
        ("so", "Ada", 4000, "for ever"),
    ],
)
def test_an_acceptance_says_why_who_and_until_when(reason: str, by: str, days: int, message: str) -> None:
    with pytest.raises(ReviewError, match=message):
        review.checked_terms(reason, by, TODAY + timedelta(days=days), TODAY)


def test_a_newer_mark_replaces_an_older_one_and_an_acceptance_ends_both(project: Path) -> None:
    found = session(project)
    (group, *_) = queue(found.open)
    for choice in (Choice.FIX, Choice.NOISE):
        review.note(review.reread(found), [Decision(choice=choice, fingerprints=group.fingerprints)])
    one = group.fingerprints[:1]
    review.note(review.reread(found), [Decision(choice=Choice.FIX, fingerprints=one, note="this one")])
    noted = review.reread(found).noted
    assert [noted[name].choice for name in group.fingerprints] == [Choice.FIX, Choice.NOISE]
    accept_first(found)
    review.note(review.reread(found), [])
    assert json.loads(review.decisions_file(found).read_text())["decisions"] == []


def test_waivers_are_taken_back_where_the_marks_cannot_be_written(project: Path) -> None:
    found = session(project)
    (group, *_) = queue(found.open)
    review.decisions_file(found).mkdir()
    terms = review.checked_terms("so", "Ada", UNTIL, TODAY)
    rows = cover(group.members, Scope.GROUP, found.open, terms).rows
    with pytest.raises(OSError, match=r"decisions\.json"):
        review.write(found, rows, [Decision(choice=Choice.FIX, fingerprints=group.fingerprints)])
    assert waivers(project) == WAIVERS


# Files of decisions


def planned(found: ReviewSession, *decisions: Mapping[str, Any], run: str = "") -> ApplyPlan:
    text = json.dumps({"format": 1, "run": run or found.stored.run, "decisions": decisions})
    return plan(found, parse_decisions(text, "d.json"), "d.json")


def accepting(*prints: str, **fields: Any) -> dict[str, Any]:
    values = {"decision": "accept", "reason": "so", "by": "Ada", "until": str(UNTIL), "scope": "group"}
    return {**values, "fingerprints": list(prints), **fields}


def test_a_file_of_decisions_does_what_it_says(project: Path) -> None:
    found = session(project)
    first, second, *_ = queue(found.open)
    wanted = planned(
        found,
        accepting(*first.fingerprints),
        {"decision": "fix", "fingerprints": list(second.fingerprints), "note": "n"},
    )
    review.write(found, wanted.rows, wanted.notes)
    after = review.reread(found)
    assert set(first.fingerprints) <= after.accepted.keys()
    assert set(second.fingerprints) == after.noted.keys()
    again = planned(after, accepting(*first.fingerprints))
    assert (again.rows, set(again.settled)) == ((), set(first.fingerprints))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"run": "0123456789abcdef"}, "is about run 0123456789abcdef"),
        ({"fingerprints": ["nonesuch"]}, "decision 1: this run has no difference nonesuch"),
        ({"until": ""}, "needs 'until'"),
        ({"scope": ""}, "needs 'scope'"),
        ({"reason": ""}, "decision 1: An acceptance needs a reason"),
        ({"reason": "…"}, "decision 1: An acceptance needs a reason"),
        ({"until": "2020-01-01"}, "is over"),
    ],
)
def test_a_file_that_does_not_fit_is_refused_whole(
    project: Path, change: dict[str, Any], message: str
) -> None:
    found = session(project)
    run = change.pop("run", "")
    with pytest.raises(ReviewError, match=message):
        planned(found, accepting(found.open[0].fingerprint, **change), run=run)


def test_deciding_twice_about_one_difference_is_refused(project: Path) -> None:
    found = session(project)
    name = found.open[0].fingerprint
    with pytest.raises(ReviewError, match="decided about twice"):
        planned(found, accepting(name), {"decision": "fix", "fingerprints": [name]})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "is not JSON"),
        (b"\xa7\x00", "is not JSON"),
        ("[" * 200_000, "is not JSON"),
        ("[]", "not a file of decisions"),
        ('{"format": 2}', "format 1"),
        ('{"format": 1, "run": "x"}', "'decisions', a list"),
        ('{"format": 1, "run": "x", "decisions": [], "more": 1}', "'more' is not known"),
        ('{"format": 1, "run": "x", "decisions": [7]}', "decision 1: must be an object"),
        ('{"format": 1, "run": "x", "decisions": [{"fingerprints": []}]}', "at least one"),
        ('{"format": 1, "run": "x", "decisions": [{"fingerprints": ["a"]}]}', "'decision' must be one of"),
        (
            '{"format": 1, "run": "x", "decisions": [{"fingerprints": ["a"], "decision": "fix", "why": ""}]}',
            "'why' is not known",
        ),
        (
            '{"format": 1, "run": "x", "decisions": [{"fingerprints": ["a"], "decision": "fix", "note": 1}]}',
            "'note' must be a text",
        ),
        (
            '{"format":1,"run":"","decisions":[{"fingerprints":["a"],"decision":"fix","until":"soon"}]}',
            "2027-01-31",
        ),
    ],
)
def test_a_file_of_decisions_that_is_none_is_named_with_what_is_wrong(
    text: str | bytes, message: str
) -> None:
    with pytest.raises(DecisionsError, match=message) as raised:
        parse_decisions(text, "d.json")
    assert str(raised.value).startswith("d.json: ")


def test_a_fix_for_something_that_no_longer_differs_is_dropped(project: Path) -> None:
    found = session(project)
    gone = Decision(choice=Choice.FIX, fingerprints=("gone",), note="was")
    later = replace(gone, fingerprints=(found.open[0].fingerprint,), note="is")
    review.note(found, [gone, later])
    assert [decision.note for decision in review.reread(found).noted.values()] == ["is"]
