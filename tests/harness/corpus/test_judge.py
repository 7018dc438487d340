"""What is no streamed chat completion is told apart from what is, with its reason."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml

from llm_contracts.corpus import CorpusStream, ProblemKind, read_corpus
from llm_contracts.wire.cassette import save
from llm_contracts.wire.interaction import End, Interaction, Response
from tests.harness.corpus.layouts import vcrpy
from tests.harness.corpus.vcr_files import one_problem, one_stream
from tests.harness.wire.exchanges import EVENT_STREAM, JSON, cassette, exchange, stream, streamed

_ANSWER = json.dumps({"choices": [{"message": {"content": "hi"}, "finish_reason": "stop"}]}).encode()


def saved(folder: Path, interaction: Interaction) -> Path:
    (folder / "a.yaml").write_bytes(vcrpy(interaction)[1])
    return folder


@pytest.mark.parametrize(
    "target",
    [
        "/v1/messages",
        "/v1/projects/p/models/claude:streamRawPredict",
        "/v1beta/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
        "/v1/responses",
        "/v1/completions",
        "/v1/embeddings",
        "/api/chat",
        "/model/m/converse-stream",
        "/v2/chat",
    ],
)
def test_an_answer_of_any_api_is_of_use(tmp_path: Path, target: str) -> None:
    answer = Response(status=200, headers=EVENT_STREAM, body=stream("a"))
    one_stream(saved(tmp_path, exchange(answer, target=target)))


@pytest.mark.parametrize("target", ["/v1/files", "/v1/models", "/v1/chat/completions/x", ""])
def test_whatever_else_was_asked_is_no_call_of_a_model(tmp_path: Path, target: str) -> None:
    found = one_problem(saved(tmp_path, exchange(Response(status=200), target=target)))
    assert (found.why, found.reason) == (
        ProblemKind.NOT_CHAT,
        f"is not a call of a model (POST {target or '/'}).",
    )


def test_an_answer_in_one_piece_is_of_use(tmp_path: Path) -> None:
    one_stream(saved(tmp_path, exchange(Response(status=200, headers=JSON, body=_ANSWER))))


def test_an_answer_in_one_piece_to_who_asked_for_a_stream_is_evidence(tmp_path: Path) -> None:
    answer = Response(status=200, headers=JSON, body=_ANSWER)
    one_stream(saved(tmp_path, exchange(answer, body=b'{"stream": true}')))


@pytest.mark.parametrize(
    "answer",
    [
        Response(status=429, headers=JSON, body=b'{"error": {"message": "slow down"}}'),
        Response(status=200, headers=JSON, body=b'{"error": {"message": "slow down"}}'),
        Response(status=502, body=b"<html>Bad gateway</html>"),
    ],
)
def test_a_failure_is_evidence_streamed_or_not(tmp_path: Path, answer: Response) -> None:
    one_stream(saved(tmp_path, exchange(answer)))


def test_an_answer_without_a_body_was_not_kept(tmp_path: Path) -> None:
    found = one_problem(saved(tmp_path, streamed(b"")))
    assert (found.why, found.reason) == (ProblemKind.NO_BODY, "its body was not kept.")


@pytest.mark.parametrize("end", [End.CUT, End.RESET, End.TIMEOUT])
def test_what_this_project_recorded_as_cut_is_read_as_cut(tmp_path: Path, end: End) -> None:
    """Also without a word on who recorded it."""
    cut = streamed(stream("a")[:-20], end=end)
    save(tmp_path / "named.yaml", cassette(cut))
    save(tmp_path / "plain.yaml", cassette(cut).__class__(interactions=(cut,)))
    found = list(read_corpus(tmp_path))
    assert [one.interaction.response.end for one in found if isinstance(one, CorpusStream)] == [end, end]


def test_a_recording_that_ended_before_its_first_byte_is_evidence(tmp_path: Path) -> None:
    headers = (*EVENT_STREAM, ("content-length", "99"))
    silent = exchange(Response(status=200, headers=headers, body=b"", end=End.TIMEOUT))
    save(tmp_path / "a.yaml", cassette(silent))
    assert one_stream(tmp_path).interaction.response.end is End.TIMEOUT


def test_a_size_is_no_proof_where_the_recorder_unpacked_or_wrote_the_body_anew(tmp_path: Path) -> None:
    """The size may be that of packed bytes, or of JSON with other blanks."""
    size = ("content-length", "9999")
    plain = Response(
        status=200, headers=(*EVENT_STREAM, size, ("content-encoding", "gzip")), body=stream("a")
    )
    one_stream(saved(tmp_path, exchange(plain)))
    refusal = exchange(Response(status=400, headers=(*JSON, size), body=b"{}"))
    document = yaml.safe_load(vcrpy(refusal)[1])
    document["interactions"][0]["response"]["parsed_body"] = {"error": {"message": "no"}}
    (tmp_path / "a.yaml").write_text(yaml.safe_dump(document))
    assert json.loads(one_stream(tmp_path).interaction.response.body) == {"error": {"message": "no"}}


def test_websockets_and_grpc_of_a_cassette_are_named(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text("version: 1\nws_interactions: [{}]\ngrpc_interactions: [{}]\n")
    found = list(read_corpus(tmp_path))
    assert [getattr(one, "why", None) for one in found] == [ProblemKind.NOT_HTTP, ProblemKind.NOT_HTTP]


def test_files_that_no_recorder_writes_are_counted(tmp_path: Path) -> None:
    """Hidden folders are left alone: a repository's own files are nobody's recordings."""
    for name in ("conftest.py", "test_a.py", "notes.md", ".git/config.yaml"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        (tmp_path / name).touch()
    saved(tmp_path, streamed(stream("a")))
    _stream, *others = read_corpus(tmp_path)
    assert [getattr(one, "reason", "") for one in others] == [
        "holds 1 file named *.md, which no recorder known here writes: not looked at.",
        "holds 2 files named *.py, which no recorder known here writes: not looked at.",
    ]


def test_one_file_is_a_corpus_too(tmp_path: Path) -> None:
    saved(tmp_path, streamed(stream("a")))
    (tmp_path / "b.yaml").write_text("")
    assert one_stream(tmp_path / "a.yaml").id == "a"
