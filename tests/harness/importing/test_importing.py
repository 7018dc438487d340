"""Streams of others become recordings of the project: scrubbed, named, owned, and never enough for a GO."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.clients.call import Function
from llm_contracts.corpus import ProblemKind
from llm_contracts.importing.run import ImportOptions, ImportReport, import_streams
from llm_contracts.parity.result import Readiness
from llm_contracts.project.config import ConfigError, Project, load_settings
from llm_contracts.project.load import load_project
from llm_contracts.project.recorded_scenarios import imported_scenarios
from llm_contracts.run.check import check
from llm_contracts.run.options import Options
from llm_contracts.wire.cassette import Provenance, load, save
from llm_contracts.wire.interaction import Interaction, Request, Response
from llm_contracts.wire.scrub import SecretFound
from tests.harness.corpus.layouts import vcrpy
from tests.harness.run.projects import SCENARIOS, cassette, make_project, stream

NOW = datetime(2026, 3, 1, 12, tzinfo=UTC)
ACME = "https://api.acme.example/v1/chat/completions"
QUESTION = [{"role": "system", "content": "brief"}, {"role": "user", "content": "hi"}]
BODY = {"model": "acme-2", "messages": QUESTION, "stream": True, "top_p": 0.5}
_OWNED = SCENARIOS + (
    "from pathlib import Path\n"
    "from llm_contracts import imported_scenarios\n"
    'SCENARIOS = (*SCENARIOS, *imported_scenarios(Path(__file__).parent / "../cassettes"))\n'
)


@pytest.fixture
def project(tmp_path: Path) -> Project:
    return loaded(make_project(tmp_path / "ours"))


def loaded(root: Path) -> Project:
    return load_project(load_settings(root))


def exchange(
    text: str = "hello", *, uri: str = ACME, headers: Iterable[tuple[str, str]] = (), **body: Any
) -> Interaction:
    request = Request(
        method="POST",
        uri=uri,
        headers=(("Content-Type", "application/json"), *headers),
        body=json.dumps({**BODY, **body}).encode(),
    )
    return Interaction(request=request, response=replace(stream([text]), pieces=None))


def write_cassette(file: Path, interaction: Interaction) -> Path:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(vcrpy(interaction)[1])
    return file


def brought(project: Project, *sources: Path, **options: Any) -> ImportReport:
    return import_streams(project, sources, ImportOptions(**{"environ": {}, "now": lambda: NOW, **options}))


def outcomes(report: ImportReport) -> dict[str, str]:
    return {one.row.name: str(one.outcome) for one in report.imports}


def test_a_stream_becomes_a_recording_that_says_where_it_comes_from(project: Project, tmp_path: Path) -> None:
    report = brought(project, write_cassette(tmp_path / "theirs" / "Chat Streaming.yaml", exchange()))
    assert outcomes(report) == {"acme/imported-chat-streaming": "imported"}
    found = load(project.settings.cassettes / "acme" / "imported-chat-streaming.yaml")
    assert found.recording is not None
    assert found.recording.provenance is Provenance.IMPORTED
    assert (found.recording.provider, found.recording.scenario) == ("acme", "imported-chat-streaming")
    assert (found.recording.client, found.recording.recorded_at) == ("vcrpy", NOW)
    assert found.interactions[0].response.body == stream(["hello"]).body


def test_the_date_is_the_recorders_where_it_tells(project: Project, tmp_path: Path) -> None:
    plain = exchange()
    dated = (*plain.response.headers, ("Date", "Sat, 31 Jan 2026 12:00:00 GMT"))
    file = write_cassette(
        tmp_path / "a.yaml", replace(plain, response=replace(plain.response, headers=dated))
    )
    (one,) = brought(project, file).imports
    recording = load(one.file).recording
    assert recording is not None
    assert recording.recorded_at == datetime(2026, 1, 31, 12, tzinfo=UTC)


def test_it_is_addressed_as_the_project_calls_the_provider(project: Project, tmp_path: Path) -> None:
    """A gateway's host and an API version in the query would make it unplayable, and give names away."""
    file = write_cassette(
        tmp_path / "a.yaml", exchange(uri="https://gate.corp.example/x/chat/completions?api-version=1")
    )
    (one,) = brought(project, file, provider="acme").imports
    assert load(one.file).interactions[0].request.uri == ACME


def test_a_list_of_models_keeps_its_path(project: Project, tmp_path: Path) -> None:
    """Anthropic's and Google's stand beside base URLs that have no version."""
    (tmp_path / "body").write_bytes(b'{"data": [{"id": "acme-2", "object": "model"}]}')
    row = {
        "id": "a",
        "provider": "acme",
        "file": "body",
        "status": 200,
        "url": "https://a.example/v1beta/models",
    }
    (tmp_path / "index.jsonl").write_text(json.dumps(row))
    (one,) = brought(project, tmp_path / "index.jsonl", provider="acme").imports
    assert load(one.file).interactions[0].request.uri == "https://api.acme.example/v1beta/models"


def test_a_packed_body_is_kept_unpacked_without_the_headers_of_its_packing(
    project: Project, tmp_path: Path
) -> None:
    """With the old size in a header, plain clients would take the body for cut."""
    plain = exchange()
    body = gzip.compress(plain.response.body)
    framing = (("Content-Encoding", "gzip"), ("Content-Length", str(len(body))), ("Transfer-Encoding", "x"))
    packed = replace(plain.response, headers=(*plain.response.headers, *framing), body=body)
    (one,) = brought(project, write_cassette(tmp_path / "a.yaml", replace(plain, response=packed))).imports
    assert load(one.file).interactions[0].response == plain.response


@pytest.mark.parametrize(
    ("uri", "owner"),
    [
        (ACME, "acme"),
        ("https://api.acme.example/chat/completions", "acme"),
        ("https://api.zenith.example/chat/completions", "zenith"),
        ("https://api.zenith.example/v1/chat/completions", "zenith"),
    ],
)
def test_the_address_tells_whose_it_is(project: Project, tmp_path: Path, uri: str, owner: str) -> None:
    (one,) = brought(project, write_cassette(tmp_path / "a.yaml", exchange(uri=uri))).imports
    assert one.row.provider == owner


@pytest.mark.parametrize(
    ("path", "own", "function"),
    [
        ("/gateway/v1/chat/completions", "/v1/chat/completions", Function.INVOKE),
        ("/gateway/v1/responses", "/v1/responses", Function.RESPONSES),
        ("/v1/embeddings", "/v1/embeddings", Function.EMBEDDINGS),
        ("/v1/messages", "/v1/messages", Function.MESSAGES),
        ("/api/chat", "/api/chat", Function.REQUEST),
    ],
)
def test_a_call_of_another_api_stays_one(
    project: Project, tmp_path: Path, path: str, own: str, function: Function
) -> None:
    foreign = exchange(uri=f"https://gateway.example{path}", input="hi")
    (one,) = brought(project, write_cassette(tmp_path / "a.yaml", foreign), provider="acme").imports
    assert load(one.file).interactions[0].request.uri == f"https://api.acme.example{own}"
    assert one.row.function is function


@pytest.mark.parametrize(
    "uri", ["https://api.other.example/v1/chat/completions", f"{ACME[:-16]}x/chat/completions"]
)
def test_an_address_nobody_here_answers_at_is_left_out(project: Project, tmp_path: Path, uri: str) -> None:
    report = brought(project, write_cassette(tmp_path / "a.yaml", exchange(uri=uri)))
    (problem,) = report.left_out
    assert report.imports == ()
    assert problem.why is ProblemKind.UNKNOWN_PROVIDER
    assert "--provider NAME says whose it is" in problem.reason


def test_what_is_another_providers_is_left_out_by_name(project: Project, tmp_path: Path) -> None:
    (problem,) = brought(project, write_cassette(tmp_path / "a.yaml", exchange()), provider="zenith").left_out
    assert problem.reason == "is acme's, not zenith's."


def test_a_provider_that_is_not_there_is_wrong_usage(project: Project, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="Did you mean acme"):
        brought(project, write_cassette(tmp_path / "a.yaml", exchange()), provider="acne")


@pytest.mark.parametrize("provenance", ["simulated", "scripted"])
def test_what_was_made_up_cannot_be_imported_as_real(
    project: Project, tmp_path: Path, provenance: str
) -> None:
    save(tmp_path / "a.yaml", cassette("acme/other", provenance=provenance))
    (problem,) = brought(project, tmp_path / "a.yaml").left_out
    assert problem.why is ProblemKind.MADE_UP


def test_a_live_recording_of_another_project_keeps_its_pieces_and_its_date(
    project: Project, tmp_path: Path
) -> None:
    old = cassette("acme/other", provenance="live")
    save(tmp_path / "a.yaml", old)
    (one,) = brought(project, tmp_path / "a.yaml").imports
    found = load(one.file)
    assert found.recording is not None
    assert old.recording is not None
    assert found.recording.provenance is Provenance.IMPORTED
    assert found.recording.recorded_at == old.recording.recorded_at
    assert found.interactions[0].response.pieces == old.interactions[0].response.pieces


# Secrets


def test_keys_that_are_not_ours_are_hidden_wherever_they_are(project: Project, tmp_path: Path) -> None:
    """Nobody told us the value: the header's name does, and then it is known in the body, too."""
    key = "tok-4f8e1b77c0ffee12"
    headers = [("Authorization", f"Bearer {key}"), ("X-Corp-User", "alice"), ("Cookie", "session=1")]
    file = write_cassette(tmp_path / "a.yaml", exchange(f"you sent {key}", headers=headers, user=key))
    (one,) = brought(project, file).imports
    text = one.file.read_text()
    assert key not in text
    assert "alice" not in text
    assert "session" not in text


def test_our_own_secrets_are_hidden_too(project: Project, tmp_path: Path) -> None:
    file = write_cassette(tmp_path / "a.yaml", exchange("the word is swordfish-2026"))
    (one,) = brought(project, file, environ={"ACME_API_KEY": "swordfish-2026"}).imports
    assert "swordfish" not in one.file.read_text()


def test_where_a_secret_would_remain_nothing_at_all_is_written(project: Project, tmp_path: Path) -> None:
    """The scenario's name is no part of an exchange, and nothing scrubs it."""
    folder = tmp_path / "theirs"
    write_cassette(folder / "a.yaml", exchange())
    write_cassette(folder / "swordfish-2026.yaml", exchange("other"))
    with pytest.raises(SecretFound, match="ACME_API_KEY"):
        brought(project, folder, environ={"ACME_API_KEY": "swordfish-2026"})
    assert list(project.settings.cassettes.rglob("imported-*")) == []


# Names


def test_names_are_the_same_whatever_the_order(project: Project, tmp_path: Path) -> None:
    one, two = (write_cassette(tmp_path / name / "chat.yaml", exchange(name)) for name in ("one", "two"))
    forth = outcomes(brought(project, one, two, dry_run=True))
    assert outcomes(brought(project, two, one, dry_run=True)) == forth
    assert len(forth) == 2
    assert all(name.startswith("acme/imported-chat-") for name in forth)


@pytest.mark.parametrize("name", ["茶", "x" * 90])
def test_a_name_that_is_no_file_name_is_shortened_to_one(project: Project, tmp_path: Path, name: str) -> None:
    (one,) = brought(project, write_cassette(tmp_path / f"{name}.yaml", exchange())).imports
    assert len(one.row.id) < 80
    assert one.row.id.isascii()


def test_only_the_streams_that_were_asked_for_are_taken(project: Project, tmp_path: Path) -> None:
    for name in ("a1", "a2", "b1"):
        write_cassette(tmp_path / "theirs" / f"{name}.yaml", exchange(name))
    report = brought(project, tmp_path / "theirs", streams=("a*",))
    assert [one.stream for one in report.imports] == ["a1", "a2"]


def test_importing_again_changes_nothing(project: Project, tmp_path: Path) -> None:
    file = write_cassette(tmp_path / "a.yaml", exchange())
    (one,) = brought(project, file).imports
    before = one.file.read_bytes()
    assert outcomes(brought(project, file, now=lambda: NOW.replace(year=2027))) == {
        "acme/imported-a": "unchanged"
    }
    assert one.file.read_bytes() == before


def test_another_recording_of_that_name_stays_unless_forced(project: Project, tmp_path: Path) -> None:
    (one,) = brought(project, write_cassette(tmp_path / "a.yaml", exchange())).imports
    before = one.file.read_bytes()
    other = write_cassette(tmp_path / "a.yaml", exchange("something else"))
    assert outcomes(brought(project, other)) == {"acme/imported-a": "in-the-way"}
    assert one.file.read_bytes() == before
    assert outcomes(brought(project, other, force=True)) == {"acme/imported-a": "imported"}
    assert one.file.read_bytes() != before


def test_live_evidence_stays_unless_forced_even_if_it_says_the_same(project: Project, tmp_path: Path) -> None:
    (one,) = brought(project, write_cassette(tmp_path / "a.yaml", exchange())).imports
    found = load(one.file)
    assert found.recording is not None
    save(one.file, replace(found, recording=replace(found.recording, provenance=Provenance.LIVE)))
    assert outcomes(brought(project, tmp_path / "a.yaml")) == {"acme/imported-a": "in-the-way"}


def test_a_dry_run_writes_nothing(project: Project, tmp_path: Path) -> None:
    report = brought(project, write_cassette(tmp_path / "a.yaml", exchange()), dry_run=True)
    assert outcomes(report) == {"acme/imported-a": "imported"}
    assert not report.imports[0].file.exists()


# Scenarios


def test_a_recording_can_be_given_to_a_scenario_that_is_there(project: Project, tmp_path: Path) -> None:
    file = write_cassette(tmp_path / "a.yaml", exchange())
    report = brought(project, file, scenario="other", force=True)
    assert outcomes(report) == {"acme/other": "imported"}
    assert report.unowned == ()


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"expects": "failure"}, "acme/other is about a failure, which this stream is not"),
        ({"finish": "length"}, "acme/other is about the finish reason 'length', but this stream has 'stop'"),
    ],
)
def test_a_recording_of_something_else_is_refused(
    project: Project, tmp_path: Path, changes: dict[str, Any], message: str
) -> None:
    rows = tuple(replace(row, **changes) if row.name == "acme/other" else row for row in project.scenarios)
    with pytest.raises(ConfigError, match=message):
        brought(
            replace(project, scenarios=rows),
            write_cassette(tmp_path / "a.yaml", exchange()),
            scenario="other",
            force=True,
        )


def test_one_scenario_takes_one_stream(project: Project, tmp_path: Path) -> None:
    for number in range(7):
        write_cassette(tmp_path / "theirs" / f"{number}.yaml", exchange())
    with pytest.raises(ConfigError, match="7 streams: 0, 1, 2, 3, 4 and 2 more"):
        brought(project, tmp_path / "theirs", scenario="other")


def test_a_scenarios_name_must_be_a_file_name(project: Project, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot be a scenario's name"):
        brought(project, write_cassette(tmp_path / "a.yaml", exchange()), scenario="../x")


def test_the_rows_of_what_was_imported_ask_what_was_asked(project: Project, tmp_path: Path) -> None:
    brought(project, write_cassette(tmp_path / "a.yaml", exchange()))
    (row,) = imported_scenarios(project.settings.cassettes)
    assert (row.name, row.model, list(row.messages)) == ("acme/imported-a", "acme-2", QUESTION)
    assert (row.function, row.live, row.expects, row.finish) == (Function.INVOKE, False, "answer", "stop")
    assert row.params == {"top_p": 0.5, "stream_options": {"include_usage": True}}


def test_the_row_of_a_refusal_expects_one(project: Project, tmp_path: Path) -> None:
    refused = Response(status=429, body=b'{"error": {"message": "slow down"}}')
    brought(project, write_cassette(tmp_path / "a.yaml", replace(exchange(), response=refused)))
    (row,) = imported_scenarios(project.settings.cassettes)
    assert (row.expects, row.finish) == ("failure", None)


def test_imports_are_compared_once_the_table_holds_them(project: Project, tmp_path: Path) -> None:
    report = brought(project, write_cassette(tmp_path / "a.yaml", exchange()))
    assert [one.row.name for one in report.unowned] == ["acme/imported-a"]
    project.settings.scenarios.write_text(_OWNED)
    ours = loaded(project.settings.root)
    assert brought(ours, tmp_path / "a.yaml").unowned == ()
    items = {item.id: item for item in check(ours, ours.scenarios, Options(today=NOW.date())).items}
    assert items["acme/imported-a"].provenance == "imported"
    assert items["acme/imported-a"].divergences == ()
    assert items["acme/imported-a"].candidate is not None


def test_a_damaged_import_is_an_item_with_a_problem_and_the_rest_runs(
    project: Project, tmp_path: Path
) -> None:
    (one,) = brought(project, write_cassette(tmp_path / "a.yaml", exchange())).imports
    one.file.write_bytes(one.file.read_bytes()[:-20])
    project.settings.scenarios.write_text(_OWNED)
    ours = loaded(project.settings.root)
    items = {item.id: item for item in check(ours, ours.scenarios, Options(today=NOW.date())).items}
    assert items["acme/imported-a"].problem is not None
    assert items["acme/plain-stream"].problem is None


def test_imports_alone_never_make_a_provider_ready(project: Project, tmp_path: Path) -> None:
    """Nothing of them can be recorded live, so nothing of them is missing: that must not be a GO."""
    for own in project.settings.cassettes.glob("*/*"):  # a recording without a row is said first
        own.unlink()
    brought(project, write_cassette(tmp_path / "a.yaml", exchange()))
    only = (
        "from pathlib import Path\nfrom llm_contracts import imported_scenarios\n"
        'SCENARIOS = imported_scenarios(Path(__file__).parent / "../cassettes")\n'
    )
    project.settings.scenarios.write_text(only)
    ours = loaded(project.settings.root)
    verdict = check(ours, ours.scenarios, Options(today=NOW.date())).verdicts["acme"]
    assert (verdict.answer, verdict.reasons) == (Readiness.REHEARSED, ("Nothing is recorded live.",))


def test_beside_live_recordings_imports_do_no_harm(project: Project, tmp_path: Path) -> None:
    brought(project, write_cassette(tmp_path / "a.yaml", exchange()))
    for name in ("acme/plain-stream", "acme/other", "zenith/plain-stream"):
        save(project.settings.cassettes / f"{name}.yaml", cassette(name, provenance="live"))
    project.settings.scenarios.write_text(_OWNED)
    ours = loaded(project.settings.root)
    today = datetime.now(UTC).date()
    assert check(ours, ours.scenarios, Options(today=today)).verdicts["acme"].answer is Readiness.READY


def test_a_scenario_to_be_had_live_is_not_ready_on_an_import(project: Project, tmp_path: Path) -> None:
    for name in ("acme/other", "zenith/plain-stream"):
        save(project.settings.cassettes / f"{name}.yaml", cassette(name, provenance="live"))
    brought(project, write_cassette(tmp_path / "a.yaml", exchange()), scenario="plain-stream", force=True)
    verdict = check(project, project.scenarios, Options(today=datetime.now(UTC).date())).verdicts["acme"]
    assert verdict.answer is Readiness.REHEARSED
    assert "acme/plain-stream" in verdict.reasons[0]
