"""Streams that others recorded are read, and what cannot be used is named."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.corpus import CorpusProblem, CorpusStream, ProblemKind, read_corpus
from llm_contracts.wire.cassette import save
from llm_contracts.wire.interaction import End, Interaction, Request, Response
from tests.harness.wire.exchanges import EVENT_STREAM, REAL_STREAMS, cassette, exchange, stream, streamed

_ROW: dict[str, Any] = {
    "id": "one",
    "provider": "api.openai.com",
    "url": "https://api.openai.com/v1/chat/completions#stream",
    "status": 200,
    "content_type": "text/event-stream",
    "file": "streams/one.sse",
    "request": {"model": "gpt", "messages": [{"role": "user", "content": "你好"}]},
}


def _corpus(folder: Path, *lines: Any) -> list[CorpusStream | CorpusProblem]:
    (folder / "streams").mkdir()
    (folder / "streams" / "one.sse").write_bytes(stream("a"))
    text = "\n".join(line if isinstance(line, str) else json.dumps(line) for line in lines)
    (folder / "index.jsonl").write_text(text, encoding="utf-8")
    return list(read_corpus(folder))


def test_a_row_becomes_the_exchange_that_it_tells_of(tmp_path: Path) -> None:
    (found,) = _corpus(tmp_path, _ROW, "")
    assert isinstance(found, CorpusStream)
    assert (found.id, found.provider) == ("one", "openai")
    assert found.interaction == Interaction(
        request=Request(
            method="POST",
            uri="https://api.openai.com/v1/chat/completions",
            headers=(("content-type", "application/json"),),
            body='{"model": "gpt", "messages": [{"role": "user", "content": "你好"}]}'.encode(),
        ),
        response=Response(status=200, headers=(("content-type", "text/event-stream"),), body=stream("a")),
    )


@pytest.mark.parametrize(
    ("named", "url", "provider", "uri"),
    [
        ("deepseek", None, "deepseek", "https://api.deepseek.com/chat/completions"),
        ("api.deepseek.com", None, "deepseek", "https://api.deepseek.com/chat/completions"),
        (
            "x",
            "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions",
            "qwen",
            "https://dashscope.aliyuncs.com/compatible-mode/v1/chat/completions",
        ),
        ("groq", None, "groq", "https://groq.invalid/v1/chat/completions"),
        (
            "localhost:8000",
            "http://localhost:8000/v1/chat/completions",
            "localhost:8000",
            "http://localhost:8000/v1/chat/completions",
        ),
    ],
)
def test_hosts_are_mapped_to_providers(
    tmp_path: Path, named: str, url: str | None, provider: str, uri: str
) -> None:
    (found,) = _corpus(
        tmp_path, {**_ROW, "provider": named, "url": url, "request": None, "content_type": None}
    )
    assert isinstance(found, CorpusStream)
    assert (found.provider, found.interaction.request.uri, found.interaction.request.body) == (
        provider,
        uri,
        b"",
    )
    assert found.interaction.response.header("content-type") == "text/event-stream"


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("{oops", "is not a usable row: Expecting property name"),
        ("[]", "is not a usable row: it must be a JSON object"),
        ({key: value for key, value in _ROW.items() if key != "file"}, "has no 'file'"),
        ({**_ROW, "status": "200"}, "is not a usable row: status must be a number"),
        ({**_ROW, "file": "streams/none.sse"}, "streams/none.sse cannot be read: No such file"),
        ({**_ROW, "file": "../secret"}, "../secret lies outside the folder"),
    ],
)
def test_a_bad_row_is_named_and_the_rest_is_read(tmp_path: Path, row: Any, reason: str) -> None:
    problem, good = _corpus(tmp_path, row, _ROW)
    assert isinstance(problem, CorpusProblem)
    assert problem.place == f"{tmp_path / 'index.jsonl'}:1"
    assert reason in problem.reason
    assert isinstance(good, CorpusStream)


def test_an_index_that_is_not_utf_8_is_named(tmp_path: Path) -> None:
    (tmp_path / "index.jsonl").write_bytes(b'{"id": "\xff"}')
    (problem,) = read_corpus(tmp_path)
    assert isinstance(problem, CorpusProblem)
    assert "is not a usable row" in problem.reason


def test_an_id_that_occurs_twice_is_named(tmp_path: Path) -> None:
    first, second = _corpus(tmp_path, _ROW, _ROW)
    assert isinstance(first, CorpusStream)
    assert second == CorpusProblem(
        place=f"{tmp_path / 'index.jsonl'}:2",
        reason="has the id one, which occurs twice. Give each stream an id of its own.",
        why=ProblemKind.DUPLICATE,
    )


def test_cassettes_below_the_folder_are_read_exchange_by_exchange(tmp_path: Path) -> None:
    listing = exchange(
        Response(status=200, headers=EVENT_STREAM, body=b""), method="GET", target="/v1/models"
    )
    save(tmp_path / "a" / "one.yaml", cassette(streamed(stream("a"), end=End.CUT)))
    save(tmp_path / "two.yml", cassette(streamed(stream("b")), listing))
    (tmp_path / "zbad.yaml").write_text("version: 3\ninteractions: []\n")
    one, two, models, bad = read_corpus(tmp_path)
    assert isinstance(one, CorpusStream)
    assert (one.id, one.provider, one.interaction.response.end) == ("a/one", "openai", End.CUT)
    assert isinstance(two, CorpusStream)
    assert (two.id, two.interaction.response.body) == ("two#0", stream("b"))
    assert models == CorpusProblem(
        place=f"{tmp_path / 'two.yml'}: interactions[1]",
        reason="is not a call of a model (GET /v1/models).",
        why=ProblemKind.NOT_CHAT,
    )
    assert isinstance(bad, CorpusProblem)
    assert bad.place == f"{tmp_path / 'zbad.yaml'}: version"


def test_a_cut_cassette_is_named_by_its_file(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("")
    (problem,) = read_corpus(tmp_path)
    assert isinstance(problem, CorpusProblem)
    assert problem.place == str(tmp_path / "empty.yaml")


def test_a_folder_without_streams_says_so(tmp_path: Path) -> None:
    (problem,) = read_corpus(tmp_path / "none")
    assert problem == CorpusProblem(
        place=str(tmp_path / "none"),
        reason="holds neither index.jsonl nor cassettes nor HAR files. Check the name.",
    )


@pytest.mark.real_streams
def test_all_real_streams_are_read() -> None:
    if not REAL_STREAMS.exists():
        pytest.skip(f"needs {REAL_STREAMS}")
    entries = list(read_corpus(REAL_STREAMS))
    assert len(entries) == len((REAL_STREAMS / "index.jsonl").read_text().splitlines())
    assert all(isinstance(entry, CorpusStream) for entry in entries)


@pytest.mark.real_streams
def test_real_streams_survive_a_cassette(tmp_path: Path) -> None:
    if not REAL_STREAMS.exists():
        pytest.skip(f"needs {REAL_STREAMS}")
    entries = list(read_corpus(REAL_STREAMS))[::9]
    assert entries
    for entry in entries:
        assert isinstance(entry, CorpusStream)
        save(tmp_path / f"{entry.id}.yaml", cassette(entry.interaction))
