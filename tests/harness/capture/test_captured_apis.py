"""What an application called besides streamed chats is compared, or named: never a silent GO."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.cli import run
from llm_contracts.cli.exit_codes import Exit
from llm_contracts.clients.call import Function
from llm_contracts.parity.result import Readiness, Result
from llm_contracts.project.config import Project, load_settings
from llm_contracts.project.load import load_project
from llm_contracts.project.recorded_scenarios import captured_rows
from llm_contracts.run.check import check, orphans
from llm_contracts.run.options import Options
from llm_contracts.wire.cassette import load, save
from llm_contracts.wire.interaction import Response
from llm_contracts.wire.protocols import BUILT_IN, EMBEDDINGS
from tests.harness.capture.traffic import USER, Scene
from tests.harness.wire.exchanges import (
    DONE,
    EVENT_STREAM,
    JSON,
    cassette,
    event,
    exchange,
    stream,
    streamed,
    text_event,
)

TOTALS = {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}
CHAT_TOTALS = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
RESPONSE = {
    "id": "resp_1",
    "object": "response",
    "created_at": 1,
    "model": "m",
    "status": "completed",
    "output": [
        {
            "id": "msg_1",
            "type": "message",
            "role": "assistant",
            "status": "completed",
            "content": [{"type": "output_text", "text": "hello", "annotations": []}],
        }
    ],
    "usage": TOTALS,
    "tools": [],
    "tool_choice": "auto",
    "parallel_tool_calls": True,
}
CHAT = {
    "id": "c",
    "object": "chat.completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "hello"}, "finish_reason": "stop"}],
    "usage": CHAT_TOTALS,
}
COMPLETION = {
    "id": "c",
    "object": "text_completion",
    "created": 1,
    "model": "m",
    "choices": [{"index": 0, "text": "hello", "finish_reason": "stop", "logprobs": None}],
    "usage": CHAT_TOTALS,
}
VECTORS = {
    "object": "list",
    "model": "m",
    "data": [{"object": "embedding", "index": 0, "embedding": [0.5, 0.25]}],
    "usage": {"prompt_tokens": 3, "total_tokens": 3},
}
MESSAGE = {
    "id": "msg",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [{"type": "text", "text": "hello"}],
    "stop_reason": "end_turn",
    "stop_sequence": None,
    "usage": {"input_tokens": 3, "output_tokens": 2},
}
CONTENT = {
    "candidates": [{"content": {"role": "model", "parts": [{"text": "hello"}]}, "finishReason": "STOP"}],
    "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5},
}
RANKS = {"results": [{"index": 0, "relevance_score": 0.5}]}

ASK_RESPONSES = {"model": "m", "input": "hi", "reasoning": {"effort": "low"}}
CALLS: dict[str, tuple[str, dict[str, Any], dict[str, Any], Function]] = {
    "responses": ("/responses", ASK_RESPONSES, RESPONSE, Function.RESPONSES),
    "chat": ("/chat/completions", {"model": "m", "messages": [USER], "n": 1}, CHAT, Function.INVOKE),
    "completions": (
        "/completions",
        {"model": "m", "prompt": "he", "top_k": 4},
        COMPLETION,
        Function.COMPLETIONS,
    ),
    "embeddings": ("/embeddings", {"model": "m", "input": ["a", "b"]}, VECTORS, Function.EMBEDDINGS),
    "messages": (
        "/messages",
        {"model": "m", "max_tokens": 9, "messages": [USER]},
        MESSAGE,
        Function.MESSAGES,
    ),
    "gemini": (
        "/models/m:generateContent",
        {"contents": [{"role": "user", "parts": [{"text": "hi"}]}]},
        CONTENT,
        Function.GENERATE_CONTENT,
    ),
    "unknown": ("/rerank", {"model": "m", "query": "q", "documents": ["a"]}, RANKS, Function.REQUEST),
}


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(root=tmp_path, answers=[])


def captured(scene: Scene, path: str, asked: Any, answer: Any) -> Project:
    """A project in which one such call was captured."""
    body = json.dumps(answer).encode()
    scene.answers = [exchange(Response(status=200, headers=JSON, body=body), target=f"/v1{path}")]
    with scene.running() as application:
        assert application.post(path, asked) == (200, body)
    return load_project(load_settings(scene.root))


def checked(project: Project, reference: str = "httpx", candidate: str = "httpx-async") -> Result:
    options = Options(today=datetime.now(UTC).date(), reference=reference, candidate=candidate, jobs=1)
    return check(project, project.scenarios, options)


@pytest.mark.parametrize("name", CALLS)
def test_what_was_asked_is_asked_again_and_compared(scene: Scene, name: str) -> None:
    path, asked, answer, function = CALLS[name]
    project = captured(scene, path, asked, answer)
    (row,) = project.scenarios
    assert row.function is function
    assert orphans(project) == ()
    result = checked(project)
    (item,) = result.items
    assert item.reference is not None
    (request,) = item.reference.requests
    sent = json.loads(request.body)
    assert sent == (asked | {"stream": False} if name == "chat" else asked)
    assert request.uri.endswith(f"/v1{path}")
    assert (item.problem, item.divergences, result.left_out) == (None, (), ())
    verdict = result.verdicts["acme"]
    assert verdict.answer is Readiness.READY, verdict.reasons


def test_a_difference_in_such_an_answer_is_found(scene: Scene) -> None:
    """The recorded answer has a member without which the SDK makes nothing of it."""
    path, asked, answer, _ = CALLS["responses"]
    project = captured(scene, path, asked, answer)
    result = checked(project, "httpx", "litellm")
    (item,) = result.items
    assert item.divergences
    assert result.verdicts["acme"].answer is Readiness.BLOCKED


def test_a_stream_of_such_an_api_is_asked_for_as_a_stream(scene: Scene) -> None:
    kinds = {
        "response.created": {**RESPONSE, "status": "in_progress", "output": []},
        "response.completed": RESPONSE,
    }
    body = b"".join(
        f"event: {kind}\ndata: {json.dumps({'type': kind, 'response': response})}\n\n".encode()
        for kind, response in kinds.items()
    )
    scene.answers = [exchange(Response(status=200, headers=EVENT_STREAM, body=body), target="/v1/responses")]
    with scene.running() as application:
        application.post("/responses", {**ASK_RESPONSES, "stream": True})
    project = load_project(load_settings(scene.root))
    result = checked(project, "openai", "openai-async")
    (item,) = result.items
    assert item.reference is not None
    assert json.loads(item.reference.requests[0].body) == {**ASK_RESPONSES, "stream": True}
    assert result.verdicts["acme"].answer is Readiness.READY, result.verdicts["acme"].reasons


@pytest.mark.parametrize(("name", "api"), [("messages", "anthropic-messages"), ("unknown", "")])
def test_what_the_clients_do_not_offer_is_named_and_is_no_go(scene: Scene, name: str, api: str) -> None:
    path, asked, answer, _ = CALLS[name]
    project = captured(scene, path, asked, answer)
    result = checked(project, "openai", "openai-async")
    assert result.items == ()
    (problem,) = result.left_out
    assert problem.place == project.scenarios[0].name
    verdict = result.verdicts["acme"]
    assert verdict.answer is Readiness.NO_EVIDENCE
    assert verdict.reasons[0] == (
        f"1 captured call was not compared, because the clients do not make such calls: "
        f"{api or project.scenarios[0].model} 1."
    )
    assert (result.missing, result.warnings) == ((), ())


def test_an_api_of_the_project_is_named_by_its_own_protocol(scene: Scene) -> None:
    path, asked, answer, _ = CALLS["unknown"]
    own = replace(
        EMBEDDINGS, name="acme-rerank", path="/rerank", speaks=lambda document: "results" in document
    )
    project = replace(captured(scene, path, asked, answer), protocols=(own, *BUILT_IN))
    verdict = checked(project, "openai", "openai-async").verdicts["acme"]
    assert verdict.reasons[0].endswith("the clients do not make such calls: acme-rerank 1.")


@pytest.mark.parametrize(
    ("events", "expects"),
    [
        (stream("hel", "lo"), "answer"),
        (text_event('{"error": "said"}') * 99, "answer"),
        (event({"error": {"message": "overloaded"}}) + DONE, "failure"),
    ],
)
def test_how_a_long_stream_ends_says_whether_it_failed(tmp_path: Path, events: bytes, expects: str) -> None:
    """The end of it is read, and no more."""
    recorded = streamed(text_event("word ") * 100 + events)
    folder = tmp_path / "cassettes" / "acme"
    folder.mkdir(parents=True)
    save(folder / "captured-a-1.yaml", cassette(recorded))
    _, (row,) = captured_rows(tmp_path / "cassettes", ())
    assert row.expects == expects


def test_names_are_known_without_reading_a_recording(tmp_path: Path) -> None:
    """A command line is completed at each key: 500 recordings would take seconds."""
    folder = tmp_path / "cassettes" / "acme"
    folder.mkdir(parents=True)
    save(folder / "captured-a-1.yaml", cassette(streamed(stream("hello"))))
    _, read = captured_rows(tmp_path / "cassettes", ())
    (provider,), (row,) = captured_rows(tmp_path / "cassettes", (), read=False)
    assert (provider.name, row.name) == ("acme", read[0].name)
    assert (len(read[0].messages), len(row.messages)) == (1, 0)


def test_a_go_for_chats_does_not_hide_what_was_not_compared(scene: Scene) -> None:
    path, asked, answer, _ = CALLS["messages"]
    captured(scene, path, asked, answer)
    path, asked, answer, _ = CALLS["chat"]
    project = captured(scene, path, asked, answer)
    result = checked(project, "openai", "openai-async")
    assert len(result.items) == 1
    assert result.verdicts["acme"].answer is Readiness.NO_EVIDENCE
    assert len(project.scenarios) == len(result.items) + len(result.left_out)


def test_what_is_stored_says_so_too_in_parts_and_put_together(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("messages", "chat"):
        path, asked, answer, _ = CALLS[name]
        captured(scene, path, asked, answer)
    (scene.root / "pyproject.toml").write_text(
        '[tool.llm_contracts]\nreference = "openai"\ncandidate = "openai-async"\n'
    )
    monkeypatch.chdir(scene.root)

    def verdict() -> Any:
        capsys.readouterr()
        assert run(["verdict", "--json", "-"]) == Exit.DIVERGENCE
        return json.loads(capsys.readouterr().out)["verdicts"]["acme"]

    assert run(["check", "--jobs", "1"]) == Exit.AGREEMENT
    whole = verdict()
    assert "anthropic-messages 1" in whole["reasons"][0]
    assert whole["coverage"]["calls"] == 2
    shapes = {one["shape"].split()[0]: one["recordings"] for one in whole["coverage"]["shapes"].values()}
    assert shapes == {
        row.id.removeprefix("captured-").rsplit("-", 2)[0]: [row.id]
        for row in load_project(load_settings(scene.root)).scenarios
    }
    assert run(["report", "--html", "page.html"]) == Exit.AGREEMENT
    page = (scene.root / "page.html").read_text()
    assert 'Your own calls of acme <span class="n">2</span>' in page
    assert all(f'data-name="Recordings">{name}<' in page for (name,) in shapes.values())
    for number in "12":
        assert run(["check", "--jobs", "1", "--shard", f"{number}/2", "--report", f"part-{number}"]) == 0
    assert run(["report", "--merge", "part-1", "part-2"]) == Exit.AGREEMENT
    assert verdict() == whole


def test_clients_that_know_streamed_chats_alone_are_not_blamed(scene: Scene, tmp_path: Path) -> None:
    """They ask for a streamed chat whatever the call says."""
    (tmp_path / "pyproject.toml").write_text('[tool.llm_contracts]\nclients = "clients.py"\n')
    (tmp_path / "clients.py").write_text(
        "from dataclasses import replace\n"
        "from llm_contracts.clients.builtin import openai, openai_async\n"
        "from llm_contracts.clients.call import Function\n"
        "def plain(call):\n"
        "    return replace(call, function=Function.CHAT, params={}, messages=call.messages or ({},))\n"
        "CLIENTS = {'one': lambda call: openai(plain(call)), 'two': lambda call: openai_async(plain(call))}\n"
    )
    for name in ("embeddings", "chat"):
        path, asked, answer, _ = CALLS[name]
        project = captured(scene, path, asked, answer)
    result = checked(project, "one", "two")
    assert sorted(problem.reason for problem in result.left_out) == [
        "embeddings: the clients ask for something else",
        "openai-chat: one asks for a stream",
    ]
    assert "embeddings 1" in result.verdicts["acme"].reasons[0]
    assert result.verdicts["acme"].answer is Readiness.NO_EVIDENCE


def test_a_body_that_is_not_json_cannot_be_asked_again(scene: Scene) -> None:
    project = captured(scene, "/audio/transcriptions", ["not an object"], {"text": "hello"})
    (problem,) = checked(project).left_out
    assert problem.reason.endswith(
        "/v1/audio/transcriptions: a body that is not a JSON object cannot be asked again"
    )


def test_a_call_goes_where_the_application_went(scene: Scene) -> None:
    """One host may have several APIs, each below a path of its own."""
    path, asked, answer, _ = CALLS["messages"]
    project = captured(scene, f"/anthropic/v1{path}", asked, answer)
    assert load(scene.recordings()[0]).interactions[0].request.uri.endswith("/v1/anthropic/v1/messages")
    (item,) = checked(project).items
    assert item.problem is None
