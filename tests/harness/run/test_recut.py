"""`check` plays answers in the shapes that clients get wrong, and names the shape; a GO needs that."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from llm_contracts.cli import run
from llm_contracts.wire.cassette import load, save
from tests.harness.run.projects import CLIENTS, cassette, make_project

READERS = """
import codecs
import contextlib
import http.client
from urllib.parse import urlsplit


def _pieces(call):
    url = urlsplit(call.base_url)
    connection = http.client.HTTPConnection(url.netloc, timeout=20)
    body = json.dumps({"model": call.model, "messages": list(call.messages), "stream": True})
    connection.request("POST", f"{url.path}/chat/completions", body, {"Content-Type": "application/json"})
    response = connection.getresponse()
    try:
        while piece := response.read1(65536):
            yield piece
    finally:
        response.close()
        connection.close()


def _texts(pieces, decode_pieces):
    decoder = codecs.getincrementaldecoder("utf-8")()
    for piece in pieces:
        yield piece.decode("utf-8", "replace") if decode_pieces else decoder.decode(piece)


def _events(texts, bom, crlf):
    held = ""
    for text in texts:
        held += text
        if bom:
            held = held.removeprefix("\\ufeff")
        if crlf:
            held = held.replace("\\r\\n", "\\n")
        *whole, held = held.split("\\n\\n")
        yield from whole
    yield held


def reading(*, decode_pieces=False, bom=True, crlf=True, bare=True, control=True):
    def client(call):
        with contextlib.closing(_pieces(call)) as pieces:
            yield from _chunks(_events(_texts(pieces, decode_pieces), bom, crlf))

    def _chunks(events):
        for event in events:
            data = [line[5:].strip() for line in event.split("\\n") if line.startswith("data:")]
            if not data and event.strip() and not control:
                raise ValueError("an event without data")
            if data == [""] and not bare:
                raise ValueError("empty data")
            if data and data[0] not in ("", "[DONE]"):
                yield json.loads(data[0])

    return client


def ids_made_up(call):
    import uuid
    name = uuid.uuid4().hex
    for chunk in reading()(call):
        yield {**chunk, "id": name}


def sound_too(call):
    yield from reading()(call)


def bare_data_too(call):
    yield from reading(bare=False)(call)


CLIENTS |= {
    "ids-made-up": ids_made_up,
    "sound": reading(),
    "sound-too": sound_too,
    "bare-data-too": bare_data_too,
    "bare-data-and-bom": reading(bare=False, bom=False),
    "inside-characters": reading(decode_pieces=True),
    "bom": reading(bom=False),
    "crlf": reading(crlf=False),
    "bare-data": reading(bare=False),
    "control-only": reading(control=False),
}
"""


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    make_project(tmp_path)
    recorded = cassette("zenith/plain-stream", ("gr@@", " dich"), provenance="live")
    (one,) = recorded.interactions
    answer = replace(one.response, body=one.response.body.replace(b"@@", "üß".encode()), pieces=None)
    save(
        tmp_path / "cassettes" / "zenith" / "plain-stream.yaml",
        replace(recorded, interactions=(replace(one, response=answer),)),
    )
    (tmp_path / "contracts" / "clients.py").write_text(f"{CLIENTS}{READERS}")
    return tmp_path


def differences(candidate: str, reference: str = "sound") -> set[tuple[str, str]]:
    run(["check", "--reference", reference, "--candidate", candidate, "--provider", "zenith"])
    document = json.loads(Path("report/result.json").read_text())
    return {(d["kind"], d["where"]) for item in document["items"] for d in item["divergences"]}


def test_a_client_that_reads_every_shape_shows_no_difference(project: Path) -> None:
    assert differences("sound-too") == set()


@pytest.mark.parametrize("shape", ["inside-characters", "bom", "crlf", "bare-data", "control-only"])
def test_a_client_that_gets_one_shape_wrong_is_found_and_the_shape_is_named(
    project: Path, shape: str
) -> None:
    found = differences(shape)
    assert found
    assert all(where.endswith(f"({shape})") for _, where in found)
    assert {kind for kind, _ in found} & {"text", "error"}
    assert json.loads(Path("report/result.json").read_text())["verdicts"]["zenith"]["verdict"] == "blocked"


def test_what_the_reference_gets_wrong_as_well_is_no_difference(project: Path) -> None:
    assert differences("bare-data-too", reference="bare-data") == set()


def test_a_fault_that_both_have_hides_none_that_only_the_candidate_has(project: Path) -> None:
    found = differences("bare-data-and-bom", reference="bare-data")
    assert found
    assert all(where.endswith("(bom)") for _, where in found)


def test_an_id_that_is_another_in_each_call_is_no_effect_of_a_shape(project: Path) -> None:
    assert differences("ids-made-up") == {("response_id", "id")}


def test_an_answer_that_both_end_in_an_error_hides_no_text_that_a_shape_costs_the_candidate(
    project: Path,
) -> None:
    file = project / "cassettes" / "zenith" / "plain-stream.yaml"
    whole = load(file)
    (one,) = whole.interactions
    events = one.response.body.split(b"\n\n")
    body = b"\n\n".join([*events[:2], b'data: {"broken', *events[2:]])
    broken = replace(one, response=replace(one.response, body=body, pieces=None))
    save(file, replace(whole, interactions=(broken,)))
    assert differences("sound-too") == set()
    assert ("text", "text[0] (bom)") in differences("bom")
