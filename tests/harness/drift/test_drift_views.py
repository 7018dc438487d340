"""Drift for people, for pull requests and for scripts: nothing that a provider sends can act in them."""

from __future__ import annotations

import io
from datetime import date
from typing import Any

import pytest
from rich.console import Console

from llm_contracts.drift.compare import ChangeKind, Drift, drift
from llm_contracts.drift.markdown import render_drift
from llm_contracts.drift.report import ComparedRecording, DriftReport, RecordingState, decisions
from llm_contracts.parity.divergence import Severity
from llm_contracts.util.terminal import print_markdown
from llm_contracts.util.text import code_span
from llm_contracts.wire.cassette.model import Provenance

TODAY = date(2026, 11, 22)
NEW = drift(
    ChangeKind.FIELD_NEW, Severity.COSMETIC, "content: obfuscation", recorded="(absent)", now="string"
)
MOVED = drift(ChangeKind.USAGE_MOVED, Severity.BREAKING, "usage", recorded="with the finish", now="with text")


def one(scenario: str, *drifts: Drift, **more: Any) -> ComparedRecording:
    values: dict[str, Any] = {"before": Provenance.LIVE, "recorded_on": date(2026, 11, 1), **more}
    state = values.pop("state", RecordingState.DRIFTED if drifts else RecordingState.SAME)
    return ComparedRecording(scenario=scenario, state=state, drifts=drifts, **values)


def report(*compared: ComparedRecording) -> DriftReport:
    return DriftReport(what="Recordings against HEAD", compared=compared, today=TODAY)


MANY = report(
    *(one(f"openai/s{number}", NEW) for number in range(7)),
    one("qwen/plain", MOVED, NEW),
    one("qwen/same"),
    one("glm/first", state=RecordingState.NEW),
    one("glm/busy", state=RecordingState.UNVERIFIED, detail="the provider refused: 503"),
    one("glm/busy-too", state=RecordingState.UNVERIFIED, detail="the provider refused: 503"),
)


def test_equal_differences_of_a_provider_are_one_decision_and_what_breaks_comes_first() -> None:
    assert [(d.provider, d.drift.change, len(d.scenarios)) for d in decisions(MANY.compared)] == [
        ("qwen", ChangeKind.USAGE_MOVED, 1),
        ("openai", ChangeKind.FIELD_NEW, 7),
        ("qwen", ChangeKind.FIELD_NEW, 1),
    ]


@pytest.mark.parametrize("terminal", [True, False])
def test_a_terminal_draws_the_page_and_a_file_gets_it_as_it_stands(*, terminal: bool) -> None:
    out = io.StringIO()
    page = render_drift(MANY)
    print_markdown(Console(file=out, width=70, force_terminal=terminal, no_color=True), page)
    assert (out.getvalue() == page) is not terminal
    assert ("`usage_moved`" in out.getvalue()) is not terminal
    assert "usage_moved" in out.getvalue()


def test_the_page_has_a_list_for_each_severity_and_ends_with_what_takes_no_part() -> None:
    page = render_drift(MANY)
    assert [line for line in page.splitlines() if line.startswith("#")] == [
        "## Recordings against HEAD",
        "### Breaking: what a client reads is gone, moved or of another kind",
        "### Cosmetic: nobody should notice",
        "### Not verified (2)",
        "### New (1)",
    ]
    counts = "1 of the same shape, 8 changed, 1 new, 2 not verified; 1 breaking, 2 cosmetic differences."
    assert page.splitlines()[2] == counts
    assert "* qwen: `usage` (`usage_moved`): recorded `with the finish`, now `with text`; in plain\n" in page
    assert "; in s0, s1, s2, s3, s4 and 2 more\n" in page
    assert page.rstrip().endswith("take no part.")
    assert "* glm: busy, busy-too: `the provider refused: 503`" in page


def test_a_page_fits_into_a_pull_request_whatever_has_changed() -> None:
    drifts = [
        drift(ChangeKind.FIELD_NEW, Severity.COSMETIC, f"field {n} " * 40, recorded="x" * 300, now="y" * 300)
        for n in range(900)
    ]
    page = render_drift(report(one("openai/plain", *drifts)))
    assert len(page) < 65_536
    assert page.splitlines()[-3].endswith("; in plain")  # the list ends with a whole line
    assert "more than fits here" in page


@pytest.mark.parametrize(
    "text",
    ["a|b", "`", "``x`", "<img src=x>", "[a](http://x)", "@everyone", "a\nb", "a\r\n# b", "", " ", "`a"],
)
def test_what_a_provider_sends_stays_in_its_code(text: str) -> None:
    span = code_span(text)
    ticks = len(span) - len(span.lstrip("`"))
    inner = span[ticks:-ticks]
    assert len(span.splitlines()) == 1
    assert "`" * ticks not in inner
    assert not inner.startswith("`")
    assert not inner.endswith("`")


def test_a_rehearsal_that_was_replaced_is_no_proof_of_a_change() -> None:
    rehearsed = one("qwen/plain", MOVED, before=Provenance.SIMULATED, after=Provenance.LIVE)
    assert "not a live recording (qwen/plain)" in render_drift(report(rehearsed))
    assert "not a live recording" not in render_drift(report(one("qwen/plain", MOVED, after=Provenance.LIVE)))


def test_other_questions_are_told_because_the_answers_may_differ_for_it() -> None:
    asked = report(one("qwen/plain", MOVED, asked=("body.temperature",)))
    assert "Asked otherwise than recorded (body.temperature) in qwen/plain" in render_drift(asked)


def test_the_oldest_recordings_count_from_the_day_they_were_made() -> None:
    ages = {"last": date(2026, 8, 25), "stale": date(2026, 8, 24)}
    found = report(*(one(f"qwen/{name}", recorded_on=day) for name, day in ages.items()))
    assert [each.scenario for each in found.stale] == ["qwen/stale"]
    assert "1 live and 90 days old or older" in render_drift(found)
    document = found.document
    assert document["stale"] == ["qwen/stale"]
    assert [row["age_days"] for row in document["compared"]] == [89, 90]


def test_rehearsals_and_recordings_without_a_date_do_not_grow_stale() -> None:
    undated = one("a/b", recorded_on=None)
    assert report(undated, one("a/c", before=Provenance.SIMULATED, recorded_on=date(2020, 1, 1))).stale == ()


def test_a_script_gets_everything() -> None:
    document = MANY.document
    assert (document["drifted"], document["totals"]) == (True, {"breaking": 1, "visible": 0, "cosmetic": 8})
    row = next(row for row in document["compared"] if row["scenario"] == "qwen/plain")
    assert (row["state"], row["severity"], row["before"]) == ("drifted", "breaking", "live")
    assert row["drifts"][1] == {
        "change": "field_new",
        "severity": "cosmetic",
        "where": "content: obfuscation",
        "recorded": "(absent)",
        "now": "string",
    }
