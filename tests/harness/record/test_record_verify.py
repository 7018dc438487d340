"""Verifying: has a provider changed since it was recorded? And what recording again changes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Thread

import pytest

from llm_contracts.clients.call import Call
from llm_contracts.drift.compare import ChangeKind
from llm_contracts.drift.report import ComparedRecording, DriftReport, RecordingState
from llm_contracts.parity.divergence import Severity
from llm_contracts.project.scenario import Scenario
from llm_contracts.record.run import RecordedScenario, RecordOutcome, RecordReport
from llm_contracts.wire.cassette import Cassette, Provenance, save
from llm_contracts.wire.interaction import End, Interaction
from tests.harness.record.workshop import REAL_KEY, Workshop, plain_client, row


def compared(report: RecordReport) -> ComparedRecording:
    (take,) = report.takes
    assert take.compared is not None
    return take.compared


def verify(workshop: Workshop, scenario: Scenario, script: str | None = None) -> ComparedRecording:
    """Verify against the provider, and see that nothing was written."""
    before = workshop.file(scenario).read_bytes()
    report = workshop.live(scenario, script=script, verify=True)
    assert workshop.file(scenario).read_bytes() == before
    assert [file.name for file in workshop.file(scenario).parent.iterdir()] == [workshop.file(scenario).name]
    return compared(report)


def rewrite(workshop: Workshop, scenario: Scenario, old: bytes, new: bytes) -> None:
    """Change what a recording holds, as if the provider had once answered so."""
    cassette = workshop.cassette(scenario)
    (one,) = cassette.interactions
    assert old in one.response.body
    answer = replace(one.response, body=one.response.body.replace(old, new), pieces=None)
    changed = Interaction(request=one.request, response=answer)
    save(workshop.file(scenario), Cassette(interactions=(changed,), recording=cassette.recording))


def test_a_provider_that_answers_as_it_did_has_the_same_shape_whatever_it_says(workshop: Workshop) -> None:
    workshop.live(row())
    rewrite(workshop, row(), b'"delta":{"content":"', b'"delta":{"content":"Once upon a time, ')
    assert verify(workshop, row()).state is RecordingState.SAME


def test_a_field_that_a_provider_no_longer_sends_is_drift(workshop: Workshop) -> None:
    workshop.live(row())
    rewrite(workshop, row(), b'"object"', b'"trace":{"node":"n1"},"object"')
    found = verify(workshop, row())
    assert found.state is RecordingState.DRIFTED
    (drift,) = found.drifts
    assert (drift.change, drift.where) == (ChangeKind.FIELD_GONE, "all events: trace")
    assert found.counts


def test_a_model_that_is_refused_where_it_once_answered_is_drift(workshop: Workshop) -> None:
    workshop.live(row())
    found = verify(workshop, row(), script="status-404")
    assert [(d.change, d.severity) for d in found.drifts] == [(ChangeKind.STATUS, Severity.BREAKING)]


@pytest.mark.parametrize("script", ["server-error", "rate-limit"])
def test_a_provider_in_trouble_says_nothing_about_drift_and_it_will_pass(
    workshop: Workshop, script: str
) -> None:
    workshop.live(row())
    found = verify(workshop, row(), script=script)
    assert (found.state, found.lasting, found.drifts) == (RecordingState.UNVERIFIED, False, ())
    assert "refused" in found.detail


@pytest.mark.parametrize("script", ["unpaid", "status-403", "mid-stream-error"])
def test_a_refused_account_and_an_error_in_the_answer_are_no_drift_but_will_not_pass(
    workshop: Workshop, script: str
) -> None:
    workshop.live(row())
    found = verify(workshop, row(), script=script)
    assert (found.state, found.lasting) == (RecordingState.UNVERIFIED, True)


def test_an_error_that_was_recorded_is_compared_with_the_error_that_comes(workshop: Workshop) -> None:
    refused = row("wrong-key", key="wrong", expects="failure")
    workshop.live(refused)
    assert verify(workshop, refused).state is RecordingState.SAME
    rewrite(workshop, refused, b"invalid_api_key", b"bad_api_key")
    found = verify(workshop, refused)
    assert [(d.where, d.severity) for d in found.drifts] == [("error: error.code", Severity.BREAKING)]


def test_a_failure_that_was_rehearsed_is_verified_with_the_simulator(workshop: Workshop) -> None:
    failing = row("server-error", live=False, expects="failure")
    workshop.record(failing)
    assert compared(workshop.record(failing, verify=True)).state is RecordingState.SAME


def test_a_client_that_asks_nobody_teaches_nothing(workshop: Workshop) -> None:
    def broken(call: Call) -> Iterator[str]:
        raise ValueError(f"cannot use {call.api_key}")

    workshop.live(row())
    found = verify(workshop.with_path(broken), row())
    assert (found.state, found.lasting) == (RecordingState.UNVERIFIED, True)
    assert "no request was sent" in found.detail
    assert REAL_KEY not in found.detail


class _Breaking(BaseHTTPRequestHandler):
    """Promises more than it sends."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", "10000")
        self.end_headers()
        self.wfile.write(b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"a"}}]}\n\n')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Say nothing."""


def test_a_connection_that_breaks_is_no_drift(workshop: Workshop) -> None:
    workshop.live(row())
    with HTTPServer(("127.0.0.1", 0), _Breaking) as server:
        Thread(target=server.handle_request, daemon=True).start()
        environ = {"OPENAI_API_KEY": REAL_KEY, "OPENAI_BASE_URL": f"http://127.0.0.1:{server.server_port}"}
        found = compared(workshop.record(row(), live=True, verify=True, environ=environ))
    assert (found.state, found.lasting) == (RecordingState.UNVERIFIED, False)
    assert str(End.CUT) in found.detail


def test_what_has_no_recording_and_who_has_no_key_is_skipped_by_name(workshop: Workshop) -> None:
    workshop.live(row())
    report = workshop.record(row(), row("system-prompt"), row(provider="elsewhere"), live=True, verify=True)
    assert [(take.scenario, take.outcome) for take in report.takes] == [
        ("openai/plain-stream", RecordOutcome.SAME),
        ("openai/system-prompt", RecordOutcome.SKIPPED),
        ("elsewhere/plain-stream", RecordOutcome.SKIPPED),
    ]
    assert report.takes[1].detail == "there is no recording to verify"
    assert "ELSEWHERE_API_KEY" in report.skipped_providers["elsewhere"]


def test_with_an_age_only_what_is_as_old_is_verified(workshop: Workshop) -> None:
    workshop.live(row())
    later = workshop.later(days=40)
    (young,) = later.record(row(), live=True, verify=True, stale_days=60).takes
    assert young.outcome is RecordOutcome.SKIPPED
    assert verify(later, row()).state is RecordingState.SAME


def test_a_damaged_recording_is_named_and_nobody_is_called(workshop: Workshop) -> None:
    workshop.live(row())
    workshop.file(row()).write_bytes(b"version: 9\n")
    (take,) = workshop.live(row(), verify=True).takes
    assert take.outcome is RecordOutcome.FAILED
    assert str(workshop.file(row())) in take.detail


def report_of(*found: ComparedRecording, workshop: Workshop) -> DriftReport:
    return DriftReport(what="w", compared=found, today=workshop.at.date())


def test_verifying_makes_no_recording_younger(local: Workshop) -> None:
    local.live(row())
    later = local.later(days=90)
    found = verify(later, row())
    assert found.recorded_on == local.at.date()
    assert report_of(found, workshop=later).stale == (found,)
    assert report_of(found, workshop=local.later(days=89)).stale == ()
    assert local.cassette(row()).recording == later.cassette(row()).recording


def test_recording_again_says_what_it_changes(workshop: Workshop) -> None:
    workshop.live(row())
    rewrite(workshop, row(), b'"object"', b'"trace":1,"object"')
    found = compared(workshop.later(days=3).live(row()))
    assert [(d.change, d.where) for d in found.drifts] == [(ChangeKind.FIELD_GONE, "all events: trace")]
    assert b'"trace"' not in workshop.cassette(row()).interactions[0].response.body


def test_a_first_recording_is_new_and_one_over_a_damaged_file_says_so(workshop: Workshop) -> None:
    assert compared(workshop.live(row())).state is RecordingState.NEW
    workshop.file(row()).write_bytes(b"")
    found = compared(workshop.live(row()))
    assert found.state is RecordingState.UNREADABLE
    assert "empty" in found.detail


def test_live_evidence_over_a_rehearsal_tells_both_provenances(local: Workshop) -> None:
    local.record(row())
    found = compared(local.live(row()))
    assert (found.before, found.after) == (Provenance.SIMULATED, Provenance.LIVE)


def test_another_question_is_told_with_what_differs_in_it(workshop: Workshop) -> None:
    workshop.live(row())
    changed = row(params={"temperature": 0.1})
    assert verify(workshop, changed).asked == ("body.temperature",)


def test_a_stubborn_client_that_had_to_ask_again_teaches_nothing(workshop: Workshop) -> None:
    def stubborn(call: Call) -> Iterator[str]:
        yield from plain_client(call)
        yield from plain_client(call)

    workshop.live(row())
    found = verify(workshop.with_path(stubborn), row(), script="rate-limit-retry-after")
    assert found.state is RecordingState.UNVERIFIED
    assert "asked again" in found.detail


def test_a_take_tells_the_same_as_its_comparison(workshop: Workshop) -> None:
    workshop.live(row())
    (take,) = workshop.live(row(), verify=True).takes
    assert take == RecordedScenario(
        scenario="openai/plain-stream", outcome=RecordOutcome.SAME, compared=take.compared
    )
    assert json.dumps(str(take.outcome)) == '"same"'
