"""Accepted differences: what they cover, and that the file of them cannot rot."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.parity.compare.finding import Finding
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.parity.result import Item
from llm_contracts.parity.waiver import Waiver
from llm_contracts.parity.waivers import WaiverError, Waivers, load_waivers
from tests.harness.parity.samples import observation

TODAY = date(2026, 6, 1)
VERSIONS = {"litellm": "1.105.0", "openai": "2.54.0"}
GOOD: dict[str, Any] = {
    "kind": "deltas",
    "provider": "glm",
    "scenario": "plain-*",
    "reason": "pieces may be cut anywhere",
    "by": "A. Reviewer",
    "until": date(2026, 12, 31),
}


def written(folder: Path, *rows: dict[str, Any]) -> Path:
    """A waivers file. None leaves a key out."""
    path = folder / "waivers.toml"
    lines: list[str] = []
    for row in rows:
        lines.append("[[waiver]]")
        lines += [f"{name} = {_toml(value)}" for name, value in row.items() if value is not None]
    path.write_text("\n".join(lines), encoding="utf-8")
    return path


def _toml(value: object) -> str:
    return value.isoformat() if isinstance(value, date) else repr(value).replace("'", '"')


def loaded(folder: Path, *rows: dict[str, Any], today: date = TODAY) -> Waivers:
    return load_waivers(written(folder, *rows), today)


def divergence(kind: Kind = Kind.DELTAS, where: str = "delta[17]") -> Divergence:
    return Finding(kind=kind, where=where, reference="a", candidate="b").seal("glm/plain-stream")


def item(provider: str = "glm", scenario: str = "plain-stream", *found: Divergence) -> Item:
    seen = observation()
    return Item(
        id=f"{provider}/{scenario}",
        provider=provider,
        scenario=scenario,
        reference=seen,
        candidate=seen,
        divergences=found,
    )


def test_a_missing_file_accepts_nothing_and_is_no_fault(tmp_path: Path) -> None:
    assert load_waivers(tmp_path / "none.toml", TODAY) == Waivers()


def test_an_empty_file_accepts_nothing_and_is_no_fault(tmp_path: Path) -> None:
    assert loaded(tmp_path) == Waivers()


@pytest.mark.parametrize(
    ("changes", "accepted"),
    [
        ({}, True),
        ({"provider": "*"}, True),
        ({"provider": "ark"}, False),
        ({"scenario": "chat-*"}, False),
        ({"scenario": "plain-strea?"}, True),
        ({"kind": "text"}, False),
        ({"where": "delta[17]"}, True),
        ({"where": "delta[*]"}, True),
        ({"where": "delta[18]"}, False),
        ({"litellm": ">=1.100,<1.106"}, True),
        ({"litellm": ">=1.106"}, False),
        ({"litellm": ">=1.100", "openai": "<2"}, False),
        ({"openai": ">=2.54,<3"}, True),
        ({"openai": "<2.54"}, False),
        ({"until": "2026-06-01"}, True),
        ({"until": date(2026, 6, 1)}, True),
    ],
)
def test_a_waiver_accepts_what_it_covers(tmp_path: Path, changes: dict[str, Any], *, accepted: bool) -> None:
    waivers = loaded(tmp_path, {**GOOD, **changes})
    found = waivers.match(divergence(), provider="glm", scenario="plain-stream", versions=VERSIONS)
    assert (found is not None) == accepted
    assert waivers.complaints == ()


@pytest.mark.parametrize("versions", [{}, {"litellm": "not a version"}])
def test_a_range_is_never_met_by_an_unknown_release(tmp_path: Path, versions: dict[str, str]) -> None:
    waivers = loaded(tmp_path, {**GOOD, "litellm": ">=1"})
    assert waivers.match(divergence(), provider="glm", scenario="plain-stream", versions=versions) is None


def test_applied_puts_the_reason_beside_each_accepted_difference(tmp_path: Path) -> None:
    accepted, refused = divergence(), divergence(Kind.TEXT)
    (given,) = loaded(tmp_path, GOOD).applied([item("glm", "plain-stream", accepted, refused)], VERSIONS)
    assert given.waived == {accepted.fingerprint: "pieces may be cut anywhere"}
    assert given.unwaived == (refused,)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"kind": None}, "'kind' is missing"),
        ({"reason": None}, "'reason' is missing"),
        ({"reason": "  "}, "'reason' must be a text that says something"),
        ({"by": 7}, "'by' must be a text that says something"),
        ({"where": ""}, "'where' must be a text that says something"),
        ({"scenario": []}, "'scenario' must be a text that says something"),
        ({"where": ["delta"]}, "'where' must be a text that says something"),
        ({"kind": "pieces"}, "'pieces' is not a kind of difference; the kinds are text, deltas"),
        ({"untill": "2027-01-01"}, "'untill' is not known; known are kind, provider"),
        ({"until": "next year"}, "'until' must be a date such as 2027-01-31, not 'next year'"),
        ({"until": 2027}, "'until' must be a date such as 2027-01-31, not '2027'"),
        ({"litellm": "new"}, "'litellm' must be a range of versions such as '>=1.94,<1.101', not 'new'"),
        ({"until": date(2026, 5, 31)}, "lapsed on 2026-05-31; fix the difference or decide again"),
    ],
)
def test_a_faulty_entry_is_a_complaint_with_its_place_and_accepts_nothing(
    tmp_path: Path, changes: dict[str, Any], complaint: str
) -> None:
    other = {**GOOD, "provider": "ark"}
    waivers = loaded(tmp_path, other, {**GOOD, **changes})
    (told,) = waivers.complaints
    assert told.startswith(f"{tmp_path / 'waivers.toml'}:8: waiver 2 (")
    assert complaint in told
    assert [entry.provider for entry in waivers.entries] == ["ark"]


def test_a_moment_is_no_day(tmp_path: Path) -> None:
    path = written(tmp_path, {**GOOD, "until": None})
    path.write_text(path.read_text() + "\nuntil = 2027-01-01T00:00:00Z\n")
    assert "'until' must be a date" in load_waivers(path, TODAY).complaints[0]


def test_a_repeated_entry_is_a_complaint_even_with_another_reason(tmp_path: Path) -> None:
    waivers = loaded(tmp_path, GOOD, {**GOOD, "reason": "again"})
    assert len(waivers.entries) == 1
    assert "waiver 2 (deltas, glm, plain-*): says the same as" in waivers.complaints[0]


@pytest.mark.parametrize(("today", "warned"), [(date(2026, 12, 16), False), (date(2026, 12, 17), True)])
def test_an_entry_that_lapses_within_two_weeks_warns(tmp_path: Path, today: date, *, warned: bool) -> None:
    waivers = loaded(tmp_path, GOOD, today=today)
    assert bool(waivers.warnings) == warned
    assert waivers.complaints == ()


def test_tables_by_another_name_are_a_complaint(tmp_path: Path) -> None:
    path = tmp_path / "waivers.toml"
    path.write_text("[[waivers]]\nkind = 'text'\n")
    assert "'waivers' is not known here" in load_waivers(path, TODAY).complaints[0]


def test_entries_in_one_line_are_read_too(tmp_path: Path) -> None:
    path = tmp_path / "waivers.toml"
    path.write_text("waiver = [{kind = 'text'}]\n")
    assert load_waivers(path, TODAY).complaints[0].startswith(f"{path}: waiver 1 (text): ")


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"[[waiver]\n", "line 1"),
        (b"waiver = 3\n", "'waiver' is not a list of tables"),
        (b"a = 1\n<<<<<<< HEAD\n", "line 2 is the mark of an unresolved merge"),
        (b"a = 1\nb = 2\n=======\n", "line 3 is the mark of an unresolved merge"),
        (b"a = '\xff'\n", "byte 5 is not UTF-8"),
    ],
)
def test_an_unreadable_file_is_an_error_with_file_and_place(
    tmp_path: Path, content: bytes, problem: str
) -> None:
    path = tmp_path / "waivers.toml"
    path.write_bytes(content)
    with pytest.raises(WaiverError, match=problem) as error:
        load_waivers(path, TODAY)
    assert str(error.value).startswith(str(path))


def test_a_folder_in_place_of_the_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(WaiverError, match="cannot be read"):
        load_waivers(tmp_path, TODAY)


KNOWN = [("glm", "plain-stream"), ("glm", "plain-chat"), ("ark", "plain-stream")]


def test_an_entry_that_accepts_something_is_no_complaint(tmp_path: Path) -> None:
    waivers = loaded(tmp_path, GOOD)
    ran = [item("glm", "plain-stream", divergence()), item("glm", "plain-chat")]
    assert waivers.unused(ran, VERSIONS, known=KNOWN) == ()


def test_an_entry_that_accepts_nothing_is_a_complaint(tmp_path: Path) -> None:
    waivers = loaded(tmp_path, GOOD)
    ran = [item("glm", "plain-stream", divergence(Kind.TEXT)), item("glm", "plain-chat")]
    (told,) = waivers.unused(ran, VERSIONS, known=KNOWN)
    assert told.endswith("waiver 1 (deltas, glm, plain-*): accepts nothing that occurs; remove it")


def test_an_entry_whose_scenarios_did_not_all_run_is_no_complaint(tmp_path: Path) -> None:
    """With `--scenario plain-stream` nobody can know whether it is still needed for plain-chat."""
    waivers = loaded(tmp_path, GOOD)
    assert waivers.unused([item("glm", "plain-stream")], VERSIONS, known=KNOWN) == ()
    unread = Item(id="glm/plain-chat", provider="glm", scenario="plain-chat", problem="is empty")
    assert waivers.unused([item("glm", "plain-stream"), unread], VERSIONS, known=KNOWN) == ()


def test_each_of_two_scenarios_of_an_entry_is_of_use(tmp_path: Path) -> None:
    waivers = loaded(tmp_path, {**GOOD, "scenario": ["plain-stream", "other"]})
    ran = (item("glm", "plain-stream", divergence()), item("glm", "other"))
    (complaint,) = waivers.unused(ran, {})
    assert complaint.endswith(": other: accepts nothing that occurs; remove it")


def test_an_entry_for_no_scenario_at_all_is_a_complaint(tmp_path: Path) -> None:
    waivers = loaded(tmp_path, {**GOOD, "scenario": "plian-*"})
    assert "no scenario has such a name" in waivers.unused([item()], VERSIONS)[0]


def test_an_entry_for_other_releases_is_no_complaint(tmp_path: Path) -> None:
    waivers = loaded(tmp_path, {**GOOD, "litellm": ">=1.109"})
    assert waivers.unused([item()], VERSIONS) == ()


@pytest.mark.parametrize(
    ("pattern", "scenario", "covered"),
    [
        ("plain-stream", "plain-stream", True),
        ("plain-stream", "plain-stream~cut@3", False),
        ("*", "plain-stream~cut@3", False),
        ("plain-stream~cut@*", "plain-stream~cut@3", True),
        ("plain-stream~cut@*", "plain-stream~reset@3", False),
        ("plain-stream~*", "plain-stream", False),
        ("*~*", "plain-stream~crlf", True),
    ],
)
def test_a_pattern_is_about_recordings_or_about_their_variants(
    pattern: str, scenario: str, *, covered: bool
) -> None:
    waiver = Waiver(
        kind=Kind.TEXT, provider="*", scenario=pattern, reason="r", by="b", until=date(2027, 1, 1)
    )
    assert waiver.covers("glm", scenario) is covered


def test_an_entry_about_variants_is_of_no_use_only_where_these_ran() -> None:
    waiver = Waiver(
        kind=Kind.TEXT, provider="*", scenario="*~cut@*", reason="r", by="b", until=date(2027, 1, 1)
    )
    waivers = Waivers(entries=(waiver,))
    known = {("glm", "plain-stream")}
    recording = item("glm", "plain-stream")
    assert waivers.unused([recording], VERSIONS, known=known) == ()
    (told,) = waivers.unused([recording, item("glm", "plain-stream~cut@3")], VERSIONS, known=known)
    assert "accepts nothing that occurs" in told


@pytest.mark.parametrize(
    ("scenario", "expected"), [("plain", False), ("plain|*", False), ("plain~cut@*", True), ("a|b~cut", True)]
)
def test_a_waiver_with_a_variant_s_name_is_for_variants(scenario: str, expected: bool) -> None:
    given = {**GOOD, "kind": Kind.DELTAS, "scenario": scenario, "place": "here"}
    assert Waiver(**given).for_variants is expected


@pytest.mark.parametrize(
    ("changes", "fault"),
    [
        ({"provider": "*", "scenario": "*"}, "would accept everything of its kind"),
        ({"provider": "*", "scenario": "*", "where": "**"}, "would accept everything of its kind"),
        ({"provider": "*", "scenario": "*", "where": "delta[0]"}, None),
        ({"kind": "error", "reference": "absent", "candidate": "*"}, "must say how the clients end"),
        ({"kind": "error", "reference": "*", "candidate": "server"}, "must say how the clients end"),
        ({"kind": "error", "reference": "absent", "candidate": "server*"}, None),
        ({"kind": "error"}, "must say how the clients end"),
        ({"reason": "\u200b."}, "'reason' must be a text that says something"),
        ({"by": "-"}, "'by' must be a text that says something"),
        ({"kind": "error", "candidate": "server"}, "must say how the clients end"),
        ({"kind": "error", "scenario": "*~stall@*"}, None),
        ({"kind": "error", "scenario": ["*~stall@*", "plain-stream"]}, "must say how the clients end"),
        ({"provider": ["*", "glm"], "scenario": "*"}, "would accept everything of its kind"),
        ({"kind": "fields", "reference": "*", "candidate": "absent"}, None),
    ],
)
def test_a_row_that_fits_everything_is_a_fault(
    tmp_path: Path, changes: dict[str, Any], fault: str | None
) -> None:
    waivers = loaded(tmp_path, {**GOOD, **changes})
    assert bool(waivers.entries) is (fault is None)
    assert all(fault is not None and fault in complaint for complaint in waivers.complaints)
    assert bool(waivers.complaints) is (fault is not None)
