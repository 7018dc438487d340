"""What recording keeps, what it refuses to keep, and what it never touches."""

from __future__ import annotations

import _thread
import time
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, HTTPServer
from threading import Event, Thread

import pytest

from llm_contracts.clients.call import Call, Function
from llm_contracts.clients.resolve import ClientError
from llm_contracts.project.scenario import Scenario
from llm_contracts.record.run import RecordedScenario, RecordOutcome, RecordReport, record
from llm_contracts.record.source import Source
from llm_contracts.simulator.server import Simulator
from llm_contracts.wire.cassette import Provenance
from llm_contracts.wire.facts import read_facts
from tests.harness.record.workshop import REAL_KEY, Workshop, plain_client, row

LISTING = row("list-models", model="", messages=(), function=Function.LIST_MODELS)


def only(report: RecordReport) -> RecordedScenario:
    (take,) = report.takes
    return take


def assert_failed(report: RecordReport, *words: str) -> None:
    take = only(report)
    assert take.outcome is RecordOutcome.FAILED
    assert [word for word in words if word not in take.detail] == [], take.detail
    assert REAL_KEY not in take.detail


def test_a_rehearsal_is_marked_as_one_and_says_with_what_it_was_made(workshop: Workshop) -> None:
    assert only(workshop.record(row())).outcome is RecordOutcome.RECORDED
    recording = workshop.cassette(row()).recording
    assert recording is not None
    assert recording.provenance is Provenance.SIMULATED
    assert (recording.recorded_at, recording.client) == (workshop.at, "plain-client")
    assert (recording.provider, recording.scenario) == ("openai", "plain-stream")
    assert "litellm" in recording.versions


def test_where_a_provider_has_a_reference_of_its_own_that_one_calls_unless_another_is_asked_for(
    workshop: Workshop,
) -> None:
    project = workshop.project([row()])
    openai, *others = project.providers
    own = replace(
        project,
        providers=(replace(openai, reference="by-hand"), *others),
        clients={**project.clients, "by-hand": plain_client},
    )
    for client, name in ((None, "by-hand"), ("plain-client", "plain-client")):
        workshop.file(row()).unlink(missing_ok=True)
        record(own, [row()], workshop.options(Source.SIMULATOR, client=client))
        recording = workshop.cassette(row()).recording
        assert recording is not None
        assert recording.client == name


def test_each_provider_is_rehearsed_in_its_own_dialect_and_a_listing_is_recorded_too(
    workshop: Workshop,
) -> None:
    workshop.record(row(), row(provider="deepseek"), LISTING)
    streams = [workshop.cassette(row(provider=name)).interactions[0] for name in ("openai", "deepseek")]
    assert [b"obfuscation" in one.response.body for one in streams] == [True, False]
    assert [one.request.uri for one in streams] == [
        "https://api.openai.com/v1/chat/completions",
        "https://api.deepseek.com/chat/completions",
    ]
    assert workshop.cassette(LISTING).interactions[0].request.method == "GET"


def test_what_the_simulator_has_no_script_for_is_a_failed_recording_and_the_others_are_made(
    workshop: Workshop,
) -> None:
    odd, good = workshop.record(row("nothing-of-the-kind"), row()).takes
    assert (odd.outcome, good.outcome) == (RecordOutcome.FAILED, RecordOutcome.RECORDED)
    assert "no script 'nothing-of-the-kind'" in odd.detail


def test_rehearsing_again_changes_not_a_byte(workshop: Workshop) -> None:
    workshop.record(row())
    before = workshop.file(row()).read_bytes()
    assert only(workshop.later(days=3).record(row())).outcome is RecordOutcome.UNCHANGED
    assert workshop.file(row()).read_bytes() == before


def test_rehearsing_a_changed_scenario_replaces_the_recording(workshop: Workshop) -> None:
    workshop.record(row())
    changed = row(params={"temperature": 0.1})
    assert only(workshop.record(changed)).outcome is RecordOutcome.RECORDED
    assert b'"temperature": 0.1' in workshop.cassette(changed).interactions[0].request.body


def test_a_live_recording_replaces_a_rehearsal_and_says_what_was_called(local: Workshop) -> None:
    local.record(row())
    assert only(local.live(row())).outcome is RecordOutcome.RECORDED
    recording = local.cassette(row()).recording
    assert recording is not None
    assert recording.provenance is Provenance.LIVE
    assert recording.address == local.upstream.base_url


def test_a_server_on_this_machine_in_a_providers_place_is_a_rehearsal(workshop: Workshop) -> None:
    assert only(workshop.live(row())).outcome is RecordOutcome.RECORDED
    cassette = workshop.cassette(row())
    assert cassette.recording is not None
    assert cassette.recording.provenance is Provenance.SIMULATED
    assert cassette.recording.address == workshop.upstream.base_url
    assert cassette.interactions[0].request.uri == "https://api.openai.com/v1/chat/completions"


def test_a_server_on_this_machine_never_replaces_live_evidence(workshop: Workshop, local: Workshop) -> None:
    local.live(row())
    before = workshop.file(row()).read_bytes()
    assert only(workshop.live(row())).detail == "there is a live recording"
    assert workshop.file(row()).read_bytes() == before


REFUSED = row("no-model", model="gone-1", script="unknown-model", expects="failure")
OTHER_KEY = {"OPENAI_API_KEY": "sk-another-key-0000-not-taken"}


@pytest.mark.parametrize("wanted", [row(), REFUSED])
def test_a_refused_key_is_neither_an_answer_nor_another_failure(local: Workshop, wanted: Scenario) -> None:
    script = wanted.script or wanted.id
    local.live(wanted, script)
    before = local.file(wanted).read_bytes()
    found = only(local.live(wanted, script, environ=OTHER_KEY))
    assert found.outcome is RecordOutcome.FAILED
    assert found.detail.startswith("the provider refused")
    assert "401" in found.detail
    assert local.file(wanted).read_bytes() == before


def test_a_page_never_takes_the_place_of_an_answer(local: Workshop) -> None:
    local.live(row())
    before = local.file(row()).read_bytes()
    assert only(local.live(row(), "status-502-page")).detail.startswith("a page came (502 text/html)")
    assert local.file(row()).read_bytes() == before


def test_a_provider_that_refuses_the_key_is_asked_for_nothing_more(local: Workshop) -> None:
    local.upstream.play("plain-stream")
    wrong = row("wrong-key", key="wrong", expects="failure")
    report = local.record(row(), row("system-prompt"), wrong, live=True, environ=OTHER_KEY)
    assert [take.outcome for take in report.takes] == [
        RecordOutcome.FAILED,
        RecordOutcome.SKIPPED,
        RecordOutcome.RECORDED,  # this one wants to see the refusal
    ]
    assert report.takes[1].detail == "the key was refused for openai/plain-stream; check it, then go on"


def test_the_key_is_sent_and_is_nowhere_in_the_file(workshop: Workshop) -> None:
    assert only(workshop.live(row())).outcome is RecordOutcome.RECORDED  # any other key is refused there
    assert REAL_KEY not in workshop.file(row()).read_text()


def test_keys_of_other_providers_are_kept_out_as_well(workshop: Workshop) -> None:
    other = "sk-other-9981-another-secret"
    asked = row(messages=({"role": "user", "content": f"is {other} a key?"},))
    environ = {"OPENAI_API_KEY": REAL_KEY, "BIGMODEL_API_KEY": other}
    environ["OPENAI_BASE_URL"] = workshop.upstream.base_url
    assert only(workshop.live(asked, environ=environ)).outcome is RecordOutcome.RECORDED
    assert other not in workshop.file(asked).read_text()


def test_a_gateway_under_another_path_is_recorded_as_the_provider_itself(workshop: Workshop) -> None:
    with Simulator("qwen", key=REAL_KEY, pause=0) as gateway:
        environ = {"OPENAI_API_KEY": REAL_KEY, "OPENAI_BASE_URL": gateway.base_url + "/"}
        workshop.record(row(model="qwen-plus"), live=True, environ=environ)
    uri = workshop.cassette(row()).interactions[0].request.uri
    assert uri == "https://api.openai.com/v1/chat/completions"


def test_a_rehearsal_never_replaces_live_evidence_unless_told_to(local: Workshop) -> None:
    workshop = local
    workshop.live(row())
    before = workshop.file(row()).read_bytes()
    assert only(workshop.record(row())).outcome is RecordOutcome.SKIPPED
    assert workshop.file(row()).read_bytes() == before
    assert only(workshop.record(row(), overwrite_live=True)).outcome is RecordOutcome.RECORDED


def test_a_provider_without_a_key_is_skipped_by_name_and_the_others_are_recorded(workshop: Workshop) -> None:
    report = workshop.record(row(), row(provider="elsewhere"), row(provider="deepseek"), live=True)
    assert [take.outcome for take in report.takes] == [
        RecordOutcome.RECORDED,
        RecordOutcome.SKIPPED,
        RecordOutcome.SKIPPED,
    ]
    assert "ELSEWHERE_API_KEY" in report.skipped_providers["elsewhere"]
    assert "openai" not in report.skipped_providers


def test_what_no_provider_does_on_demand_is_not_asked_of_a_real_one(workshop: Workshop) -> None:
    report = workshop.live(row("server-error", live=False))
    assert only(report).outcome is RecordOutcome.SKIPPED
    assert not workshop.file(row("server-error")).exists()


def test_an_answer_that_was_refused_is_not_kept_and_the_old_recording_stays(workshop: Workshop) -> None:
    workshop.record(row())
    before = workshop.file(row()).read_bytes()
    assert_failed(workshop.live(row(), script="prompt-filter"), "refused: 400", "flagged")
    assert workshop.file(row()).read_bytes() == before


def test_a_wrong_configured_key_is_told_without_telling_it(workshop: Workshop) -> None:
    environ = {"OPENAI_API_KEY": "sk-mistyped-77", "OPENAI_BASE_URL": workshop.upstream.base_url}
    report = workshop.live(row(), environ=environ)
    assert_failed(report, "refused: 401", "Incorrect API key")
    assert "mistyped" not in only(report).detail


def test_to_see_a_refusal_a_made_up_key_is_sent_instead_of_the_real_one(workshop: Workshop) -> None:
    keys = []

    def client(call: Call) -> Iterator[str]:
        keys.append(call.api_key)
        return plain_client(call)

    refused = row("wrong-key", key="wrong", expects="failure")
    assert only(workshop.with_path(client).live(refused)).outcome is RecordOutcome.RECORDED
    assert REAL_KEY not in keys
    assert workshop.cassette(refused).interactions[0].response.status == 401


def test_an_answer_is_not_kept_where_a_refusal_was_wanted(workshop: Workshop) -> None:
    assert_failed(workshop.live(row("unknown-model", expects="failure")), "answered (200)")


@pytest.mark.parametrize("script", ["server-error", "rate-limit"])
def test_a_provider_in_trouble_is_no_evidence_of_how_it_refuses(workshop: Workshop, script: str) -> None:
    assert_failed(
        workshop.live(row("unknown-model", expects="failure"), script=script),
        "failed by itself",
    )
    assert only(workshop.record(row(script, live=False, expects="failure"))).outcome is RecordOutcome.RECORDED


def test_an_answer_that_needed_a_second_request_is_another_scenario(workshop: Workshop) -> None:
    def stubborn(call: Call) -> Iterator[str]:
        yield from plain_client(call)
        yield from plain_client(call)

    stubbornly = workshop.with_path(stubborn)
    assert_failed(stubbornly.live(row(), script="rate-limit-retry-after"), "asked again")
    wanted = row("rate-limit-retry-after", live=False)
    assert only(stubbornly.record(wanted)).outcome is RecordOutcome.RECORDED
    statuses = [one.response.status for one in workshop.cassette(wanted).interactions]
    assert statuses == [429, 200]


def test_the_finish_reason_that_a_scenario_is_about_must_come(workshop: Workshop) -> None:
    wanted = row("finish-length", finish="length")
    assert_failed(workshop.live(wanted), "'stop'", "'length'")
    limited = replace(wanted, params={"max_tokens": 4})
    assert only(workshop.live(limited)).outcome is RecordOutcome.RECORDED
    facts = read_facts(workshop.cassette(limited).interactions[0].response)
    assert facts.finish_reasons == ("length",)


def test_an_error_in_mid_stream_is_kept_only_where_it_is_wanted(workshop: Workshop) -> None:
    assert_failed(workshop.live(row(), script="mid-stream-error"), "server had an error")
    wanted = row("mid-stream-error", live=False, expects="failure")
    assert only(workshop.record(wanted)).outcome is RecordOutcome.RECORDED


class _Breaking(BaseHTTPRequestHandler):
    """Ends a stream properly for HTTP's sake, in the middle for everybody else's."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.end_headers()
        self.wfile.write(b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"a"}}]}\n\n')

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Say nothing."""


def test_a_stream_that_stops_in_the_middle_is_not_kept(workshop: Workshop) -> None:
    with HTTPServer(("127.0.0.1", 0), _Breaking) as server:
        Thread(target=server.handle_request, daemon=True).start()
        environ = {"OPENAI_API_KEY": REAL_KEY, "OPENAI_BASE_URL": f"http://127.0.0.1:{server.server_port}"}
        report = workshop.record(row(), live=True, environ=environ)
    assert_failed(report, "without a finish reason and without [DONE]")


def test_a_client_that_hangs_up_early_leaves_no_recording(workshop: Workshop) -> None:
    def impatient(call: Call) -> Iterator[str]:
        yield from ()
        time.sleep(5)

    assert_failed(workshop.with_path(impatient).record(row(), timeout=0.2), "no request was sent", "hang")


def test_a_provider_that_cannot_be_reached_is_a_failure_of_that_scenario_alone(workshop: Workshop) -> None:
    environ = {"OPENAI_API_KEY": REAL_KEY, "OPENAI_BASE_URL": "http://127.0.0.1:9/v1"}
    assert_failed(workshop.record(row(), live=True, environ=environ), "ended early", "refused")


def test_a_client_that_fails_before_it_asks_is_reported_with_its_error_and_without_the_key(
    workshop: Workshop,
) -> None:
    def broken(call: Call) -> Iterator[str]:
        raise ValueError(f"cannot use {call.api_key}")

    assert_failed(workshop.with_path(broken).live(row()), "no request was sent", "ValueError")


def test_a_damaged_recording_is_named_and_not_touched_by_a_rehearsal_but_replaced_by_live_evidence(
    workshop: Workshop,
) -> None:
    file = workshop.file(row())
    file.parent.mkdir(parents=True)
    file.write_bytes(b"version: 9\n")
    assert_failed(workshop.record(row()), str(file), "Delete")
    assert file.read_bytes() == b"version: 9\n"
    assert only(workshop.live(row())).outcome is RecordOutcome.RECORDED


def test_a_rehearsal_told_to_overwrite_replaces_a_damaged_recording(workshop: Workshop) -> None:
    file = workshop.file(row())
    file.parent.mkdir(parents=True)
    file.write_bytes(b"")
    assert only(workshop.record(row(), overwrite_live=True)).outcome is RecordOutcome.RECORDED


def test_a_file_that_cannot_be_written_fails_alone_and_is_named(workshop: Workshop) -> None:
    folder = workshop.file(row()).parent
    folder.parent.mkdir(parents=True)
    folder.write_text("in the way")
    report = workshop.record(row(), row(provider="deepseek"))
    assert [take.outcome for take in report.takes] == [RecordOutcome.FAILED, RecordOutcome.RECORDED]
    assert "plain-stream.yaml: cannot be written" in report.takes[0].detail


def test_an_unknown_client_is_an_error_before_anybody_is_called(workshop: Workshop) -> None:
    with pytest.raises(ClientError, match="plain-client"):
        workshop.record(row(), client="plain-clinet")


def test_progress_tells_each_outcome(workshop: Workshop) -> None:
    takes: list[RecordedScenario] = []
    report = workshop.record(row(provider="elsewhere"), row(), LISTING, progress=takes.append)
    assert takes == list(report.takes)
    assert [take.outcome for take in takes] == [
        RecordOutcome.SKIPPED,
        RecordOutcome.RECORDED,
        RecordOutcome.RECORDED,
    ]


def test_ctrl_c_in_a_call_keeps_what_is_finished_and_leaves_the_old_file_and_no_other(
    workshop: Workshop,
) -> None:
    second, third = row("multi-turn-chat"), row("system-prompt")
    workshop.record(second)
    old = workshop.file(second).read_bytes()

    over = Event()

    def interrupted(call: Call) -> Iterator[str]:
        if call.params:
            _thread.interrupt_main()
            over.wait(60)
        return plain_client(call)

    stopped = replace(second, params={"temperature": 0.3})
    report = workshop.with_path(interrupted).record(row(), stopped, third, row(provider="elsewhere"))
    over.set()
    assert report.interrupted
    assert [take.scenario for take in report.with_outcome(RecordOutcome.RECORDED)] == ["openai/plain-stream"]
    assert report.remaining == ("openai/multi-turn-chat", "openai/system-prompt")
    assert "--missing" in report.advice
    assert workshop.file(second).read_bytes() == old
    names = sorted(file.name for file in workshop.file(second).parent.iterdir())
    assert names == ["multi-turn-chat.yaml", "plain-stream.yaml"]


def test_a_run_that_was_not_stopped_gives_no_advice(workshop: Workshop) -> None:
    report = workshop.record(row())
    assert (report.interrupted, report.advice, report.remaining) == (False, "", ())


def test_a_stopped_run_goes_on_where_it_was(workshop: Workshop) -> None:
    def stop(_take: RecordedScenario) -> None:
        raise KeyboardInterrupt

    rows = row(), LISTING
    assert workshop.record(*rows, progress=stop).remaining == ("openai/list-models",)
    outcomes = [take.outcome for take in workshop.record(*rows, missing=True).takes]
    assert outcomes == [RecordOutcome.SKIPPED, RecordOutcome.RECORDED]
