"""The dialects of Responses, Anthropic's Messages and embeddings: what is recorded of those APIs holds."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest

from llm_contracts.simulator.dialects import DIALECTS
from llm_contracts.simulator.engine import KEY, Reply, Responder
from llm_contracts.simulator.scripts import SCRIPTS
from llm_contracts.simulator.texts import GREETING, THOUGHTS
from llm_contracts.wire.facts import WireFacts, read_facts
from llm_contracts.wire.interaction import Response
from llm_contracts.wire.sse import Event, EventDecoder

ASKED: dict[str, dict[str, Any]] = {
    "openai-responses": {"model": "gpt-5-nano", "input": "hi", "reasoning": {"summary": "auto"}},
    "anthropic": {
        "model": "claude-haiku-4-5",
        "max_tokens": 1000,
        "messages": [{"role": "user", "content": "hi"}],
        "thinking": {"type": "enabled"},
    },
    "openai-embeddings": {"model": "text-embedding-3-small", "input": ["a", "b"]},
}
STREAMED = ("openai-responses", "anthropic")
KEYS = {"openai-responses": "Authorization", "anthropic": "x-api-key", "openai-embeddings": "Authorization"}


def play(dialect: str, script: str, *, key: str = KEY, **body: Any) -> Reply:
    header = {KEYS[dialect]: key if KEYS[dialect] == "x-api-key" else f"Bearer {key}"}
    found = DIALECTS[dialect]
    asked = json.dumps({**ASKED[dialect], **body}).encode()
    return Responder(dialect=found).respond(found.read(found.chat_path, header, asked), SCRIPTS[script][0])


def facts(reply: Reply) -> WireFacts:
    return read_facts(Response(status=reply.status, headers=reply.headers, body=b"".join(reply.pieces)))


def events(dialect: str, script: str, **body: Any) -> list[Event]:
    decoder = EventDecoder()
    pieces = play(dialect, script, stream=True, **body).pieces
    return [*decoder.feed(b"".join(pieces)), *decoder.finish()]


@pytest.mark.parametrize("dialect", STREAMED)
def test_each_event_is_named_by_its_type_and_no_done_follows(dialect: str) -> None:
    found = events(dialect, "reasoning")
    assert [event.name for event in found] == [json.loads(event.data)["type"] for event in found]
    assert found[-1].name in {"response.completed", "message_stop"}


@pytest.mark.parametrize(
    ("script", "finish"),
    [
        ("plain-stream", {"completed", "end_turn"}),
        ("reasoning", {"completed", "end_turn"}),
        ("parallel-tool-calls", {"completed", "tool_use"}),
        ("content-filter", {"content_filter", "refusal"}),
    ],
)
@pytest.mark.parametrize("dialect", STREAMED)
def test_an_answer_says_the_same_streamed_and_in_one_piece(
    dialect: str, script: str, finish: set[str]
) -> None:
    streamed, whole = facts(play(dialect, script, stream=True)), facts(play(dialect, script))
    (reason,) = streamed.finish_reasons
    assert reason in finish
    for name in ("text", "reasoning", "arguments", "finish_reasons", "done", "error", "protocol"):
        assert getattr(streamed, name) == getattr(whole, name), name
    assert streamed.usage == whole.usage
    assert streamed.malformed == 0


def test_the_text_is_the_scripts_and_thoughts_come_where_they_are_asked_for() -> None:
    for dialect in STREAMED:
        assert facts(play(dialect, "plain-stream", stream=True)).text == "".join(GREETING)
        assert facts(play(dialect, "reasoning", stream=True)).reasoning == "".join(THOUGHTS)
    assert not facts(play("anthropic", "reasoning", stream=True, thinking=None)).reasoning


def test_a_limit_ends_an_answer_in_the_apis_own_word() -> None:
    cut = facts(play("openai-responses", "finish-length", stream=True, max_output_tokens=3))
    assert cut.finish_reasons == ("max_output_tokens",)
    assert facts(play("anthropic", "finish-length", stream=True, max_tokens=3)).finish_reasons == (
        "max_tokens",
    )


def test_responses_number_their_events_and_count_in_the_last_alone() -> None:
    found = [json.loads(event.data) for event in events("openai-responses", "plain-stream")]
    assert [one["sequence_number"] for one in found] == list(range(len(found)))
    counted = [one["type"] for one in found if one.get("response", {}).get("usage")]
    assert counted == ["response.completed"]
    deltas = [one for one in found if one["type"].endswith(".delta")]
    assert len(deltas) > 1
    assert all("obfuscation" in one for one in deltas)


def test_a_failure_in_mid_stream_is_said_twice_by_responses_and_once_by_anthropic() -> None:
    *_, error, failed = [json.loads(event.data) for event in events("openai-responses", "mid-stream-error")]
    assert (error["type"], failed["type"]) == ("error", "response.failed")
    assert failed["response"]["error"] == {"code": "server_error", "message": error["message"]}
    last = json.loads(events("anthropic", "mid-stream-error")[-1].data)
    assert last == {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}
    assert facts(play("anthropic", "mid-stream-error")).status == 500


def test_anthropic_counts_at_the_start_and_repeats_it_at_the_end() -> None:
    found = [json.loads(event.data) for event in events("anthropic", "plain-stream")]
    start, end = found[0]["message"]["usage"], found[-2]["usage"]
    assert (start["input_tokens"], start["output_tokens"]) == (end["input_tokens"], 1)
    assert end["output_tokens"] > 1
    assert [one["type"] for one in found].count("ping") == 1


@pytest.mark.parametrize(
    ("dialect", "how", "status", "kind"),
    [
        ("anthropic", {"key": "sk-other"}, 401, "authentication_error"),
        ("anthropic", {"model": "claude-0"}, 404, "not_found_error"),
        ("anthropic", {"temperature": 1.5}, 400, "invalid_request_error"),
        ("openai-responses", {"key": "sk-other"}, 401, "invalid_request_error"),
        ("openai-responses", {"model": "gpt-0"}, 404, "invalid_request_error"),
    ],
)
def test_a_bad_request_is_refused_as_the_provider_does(
    dialect: str, how: dict[str, Any], status: int, kind: str
) -> None:
    refused = facts(play(dialect, "plain-stream", **how))
    assert refused.error is not None
    assert (refused.status, refused.error["type"]) == (status, kind)


def test_the_same_numbers_come_as_floats_and_as_base64() -> None:
    plain = json.loads(play("openai-embeddings", "plain-stream").pieces[0])
    packed = json.loads(play("openai-embeddings", "plain-stream", encoding_format="base64").pieces[0])
    numbers = [list(struct.unpack("<64f", base64.b64decode(row["embedding"]))) for row in packed["data"]]
    assert numbers == [row["embedding"] for row in plain["data"]]
    assert numbers[0] != numbers[1]
    assert plain["usage"] == {"prompt_tokens": 2, "total_tokens": 2}
    assert (
        len(
            json.loads(play("openai-embeddings", "plain-stream", dimensions=3).pieces[0])["data"][0][
                "embedding"
            ]
        )
        == 3
    )
