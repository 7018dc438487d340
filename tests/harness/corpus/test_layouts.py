"""Whoever recorded an exchange, in whatever layout: it is read as what it was, or the file is named."""

from __future__ import annotations

import gzip
import json
import zlib
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import assume, given
from hypothesis import strategies as st

from llm_contracts.corpus import CorpusProblem, CorpusStream, ProblemKind, read_corpus
from llm_contracts.wire.interaction import Headers, Interaction, Request, Response
from tests.harness.corpus.layouts import LAYOUTS, Layout, cassetter, openllmetry, vcrpy
from tests.harness.corpus.vcr_files import QUESTION, STREAM, one_problem, one_stream
from tests.harness.wire.exchanges import EVENT_STREAM, JSON, stream


def asked(body: bytes = STREAM, *, headers: Headers = EVENT_STREAM, status: int = 200) -> Interaction:
    """A chat completion with this answer."""
    uri = "https://api.openai.com/v1/chat/completions"
    question = json.dumps(QUESTION).encode()
    return Interaction(
        request=Request(method="POST", uri=uri, headers=JSON, body=question),
        response=Response(status=status, headers=headers, body=body),
    )


def written(folder: Path, layout: Layout, interaction: Interaction) -> Path:
    name, content = layout(interaction)
    (folder / name).write_bytes(content)
    return folder


def test_a_word_may_stand_in_the_place_of_an_origin(tmp_path: Path) -> None:
    masked = asked()
    uri = "<API_BASE>/v1/chat/completions"
    found = one_stream(written(tmp_path, vcrpy, replace(masked, request=replace(masked.request, uri=uri))))
    assert found.interaction.request.uri == f"https://{uri}"


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
def test_every_layout_gives_the_same_stream(tmp_path: Path, layout: Layout) -> None:
    found = one_stream(written(tmp_path, layout, asked()))
    assert (found.id, found.provider) == ("a", "openai")
    request, response = found.interaction.request, found.interaction.response
    assert (request.method, request.uri) == ("POST", "https://api.openai.com/v1/chat/completions")
    assert json.loads(request.body) == QUESTION
    assert (response.status, response.body, response.headers) == (200, STREAM, EVENT_STREAM)


@pytest.mark.parametrize("layout", LAYOUTS.values(), ids=LAYOUTS)
@given(texts=st.lists(st.text(st.characters(codec="utf-8"), max_size=8), max_size=3))
def test_whatever_the_stream_says_it_is_read_back(tmp_path: Path, layout: Layout, texts: list[str]) -> None:
    assume(layout is not openllmetry or not set("\x85\u2028\u2029") & set("".join(texts)))
    body = stream(*texts)
    assert one_stream(written(tmp_path, layout, asked(body))).interaction.response.body == body


@pytest.mark.parametrize(
    "layout",
    [layout for name, layout in LAYOUTS.items() if name not in {"as_json", "vcrpy_httpx"}],
    ids=lambda layout: str(layout.__name__),
)
@pytest.mark.parametrize("coding", ["gzip", "deflate"])
def test_packed_bytes_are_unpacked_in_every_layout_that_can_hold_them(
    tmp_path: Path, layout: Layout, coding: str
) -> None:
    packed = (gzip.compress if coding == "gzip" else zlib.compress)(STREAM)
    headers = (*EVENT_STREAM, ("Content-Encoding", coding))
    found = one_stream(written(tmp_path, layout, asked(packed, headers=headers)))
    assert (found.interaction.response.body, found.interaction.response.headers) == (STREAM, EVENT_STREAM)


def test_a_refusal_is_evidence_also_without_a_body(tmp_path: Path) -> None:
    found = one_stream(written(tmp_path, vcrpy, asked(b"", status=502)))
    assert found.interaction.response.status == 502


def test_a_recorder_that_says_when_is_believed(tmp_path: Path) -> None:
    found = one_stream(written(tmp_path, cassetter, asked()))
    assert (found.recorder, found.recorded_at) == ("cassetter", datetime(2026, 1, 31, 12, tzinfo=UTC))


@pytest.mark.parametrize("document", ['{"http_interactions": []}', '[{"request": {}, "response": {}}]'])
def test_a_layout_that_is_not_read_is_named_as_no_recording(tmp_path: Path, document: str) -> None:
    (tmp_path / "a.json").write_text(document)
    assert one_problem(tmp_path).why is ProblemKind.NOT_A_RECORDING


def test_otherwise_the_servers_clock_tells(tmp_path: Path) -> None:
    headers = (*EVENT_STREAM, ("Date", "Sat, 31 Jan 2026 12:00:00 GMT"))
    found = one_stream(written(tmp_path, vcrpy, asked(headers=headers)))
    assert found.recorded_at == datetime(2026, 1, 31, 12, tzinfo=UTC)


# What is damaged


def changed(folder: Path, change: Any) -> CorpusProblem:
    """The problem with a vcrpy cassette after a change to its document."""
    document = yaml.safe_load(vcrpy(asked())[1])
    change(document)
    (folder / "a.yaml").write_bytes(yaml.safe_dump(document).encode())
    return one_problem(folder)


def _set(*path: str, value: Any) -> Any:
    def change(document: dict[str, Any]) -> None:
        at = document["interactions"][0]
        for key in path[:-1]:
            at = at[key]
        at[path[-1]] = value

    return change


@pytest.mark.parametrize(
    ("change", "place", "reason"),
    [
        (lambda document: document.pop("version"), "version", "is missing; the file may be cut."),
        (lambda document: document.update(version=3), "version", "is 3, not 1."),
        (lambda document: document.update(interactions="x"), "interactions", "must be a list"),
        (lambda document: document.update(interactions=["x"]), "interactions[0]", "must be a mapping"),
        (_set("request", value=None), "interactions[0].request", "is missing; the file may be cut."),
        (_set("request", value=[]), "interactions[0].request", "must be a mapping, not list."),
        (_set("request", "uri", value=None), "interactions[0].request.uri", "is missing"),
        (_set("request", "uri", value=5), "interactions[0].request.uri", "must be text, not int."),
        (_set("response", value=None), "interactions[0].response", "is missing"),
        (_set("response", "status", value=None), "interactions[0].response.status", "is missing"),
        (_set("response", "status", value="no"), "interactions[0].response.status", "must be a number"),
        (
            _set("response", "headers", value=7),
            "interactions[0].response.headers",
            "must be a mapping or a list",
        ),
        (_set("response", "headers", value=[7]), "interactions[0].response.headers", "not a header line"),
    ],
)
def test_damage_is_named_with_its_place(tmp_path: Path, change: Any, place: str, reason: str) -> None:
    found = changed(tmp_path, change)
    assert found.place == f"{tmp_path / 'a.yaml'}: {place}"
    assert reason in found.reason
    assert found.why is ProblemKind.UNREADABLE
    assert found.why.damaged


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({"string": 5}, "its body is neither text nor bytes, but int."),
        ({"mystery": 1}, "its body is described by mystery, which no known recorder does."),
        ({"base64_string": "ä"}, "its body is damaged base64"),
        ({"string": "!", "encoding": "base64"}, "its body is damaged base64"),
        ({"type": "binary", "content": "zz"}, "its body is of type binary, but holds no hexadecimal digits."),
        ({"type": "film"}, "its body is of the unknown type 'film'."),
    ],
)
def test_a_body_nobody_understands_is_an_unknown_encoding(tmp_path: Path, body: Any, reason: str) -> None:
    found = changed(tmp_path, _set("response", "body", value=body))
    assert found.reason.startswith(reason)
    assert found.why is ProblemKind.UNKNOWN_ENCODING


def test_a_body_packed_in_a_way_nobody_here_knows_is_an_unknown_encoding(tmp_path: Path) -> None:
    headers = (*EVENT_STREAM, ("Content-Encoding", "compress"))
    found = one_problem(written(tmp_path, vcrpy, asked(b"\xff\x00", headers=headers)))
    assert found.reason == "its body is packed as compress, which cannot be unpacked here."
    assert found.why is ProblemKind.UNKNOWN_ENCODING


def test_packed_bytes_that_end_too_early_are_truncated(tmp_path: Path) -> None:
    headers = (*EVENT_STREAM, ("Content-Encoding", "gzip"))
    found = one_problem(written(tmp_path, vcrpy, asked(gzip.compress(STREAM)[:-20], headers=headers)))
    assert found.reason == "its body ends in the middle of its gzip data."
    assert found.why is ProblemKind.TRUNCATED


def test_fewer_bytes_than_were_announced_are_truncated(tmp_path: Path) -> None:
    headers = (*EVENT_STREAM, ("Content-Length", str(len(STREAM) + 7)))
    found = one_problem(written(tmp_path, vcrpy, asked(headers=headers)))
    assert found.reason == f"its body has {len(STREAM)} of {len(STREAM) + 7} bytes: the rest was not kept."
    assert found.why is ProblemKind.TRUNCATED


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("a.yaml", b"", "is empty."),
        ("a.yaml", b"\xff\xfe", "is not UTF-8."),
        ("a.yaml", b"a: [", "is not usable YAML"),
        ("a.yaml", b"a: !!python/object/apply:os.system [echo]", "is not usable YAML"),
        ("a.json", b'{"a": ', "is not valid JSON"),
        ("a.toml", b"a = ", "is not valid TOML"),
        ("a.yaml.gz", gzip.compress(b"a: 1", mtime=0)[:-4], "ends in the middle of its gzip data."),
        ("a.yaml", b"H4sIAAAA*", "looks like gzip in base64, but is damaged"),
    ],
)
def test_a_damaged_file_is_named(tmp_path: Path, name: str, content: bytes, reason: str) -> None:
    (tmp_path / name).write_bytes(content)
    found = one_problem(tmp_path)
    assert found.place.startswith(str(tmp_path / name))
    assert reason in found.reason
    assert found.why is ProblemKind.UNREADABLE


def test_an_address_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    interaction = asked()
    request = replace(interaction.request, uri="http://[::1/v1/chat/completions")
    name, content = vcrpy(replace(interaction, request=request))
    (tmp_path / name).write_bytes(content)
    found = one_problem(tmp_path)
    assert found.place == f"{tmp_path / name}: interactions[0]"
    assert found.reason == "is not a usable entry (Invalid IPv6 URL)."


def test_responses_that_do_not_match_requests_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("requests: [1, 2]\nresponses: [1]\n")
    assert "not as many as requests" in one_problem(tmp_path).reason


def test_a_cassette_cut_anywhere_is_never_read_as_a_whole_one(tmp_path: Path) -> None:
    content = vcrpy(asked())[1]
    file = tmp_path / "a.yaml"
    for size in range(0, len(content) - len("version: 1\n") + 1, 7):
        file.write_bytes(content[:size])
        assert not any(isinstance(entry, CorpusStream) for entry in read_corpus(file)), size


def test_aliases_do_not_make_a_small_file_an_endless_body(tmp_path: Path) -> None:
    """Nine levels of nine references: read as it is, the value has a billion parts."""
    levels = ["&a0 [x, x, x, x, x, x, x, x, x]"]
    levels += [f"&a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 10)]
    lines = "".join(f"    - {level}\n" for level in levels)
    text = (
        "version: 1\ninteractions:\n- request:\n    method: POST\n"
        "    uri: https://api.openai.com/v1/chat/completions\n    body: ''\n    headers: {}\n"
        f"    parsed_body:\n{lines}  response: {{status: {{code: 200}}, headers: {{}}, body: x}}\n"
    )
    (tmp_path / "a.yaml").write_text(text)
    found = one_problem(tmp_path)
    assert "aliases unfold to more than" in found.reason
