"""Objects of other APIs and of frameworks, and bytes, are read as they come."""

from __future__ import annotations

import json
from types import SimpleNamespace
from typing import Any

import pytest

from llm_contracts.clients.chunks import ItemReader, NotAChunkError
from llm_contracts.clients.jsonable import jsonable
from llm_contracts.clients.observation import Chunk
from tests.harness.wire.exchanges import frame
from tests.harness.wire.test_api_protocols import GEMINI, MESSAGES, RESPONSES


def read(*items: Any) -> tuple[str, tuple[Chunk, ...]]:
    reader = ItemReader()
    chunks = [chunk for item in items for chunk in reader(item)]
    return reader.protocol, (*chunks, *reader.finish())


def summed(chunks: tuple[Chunk, ...]) -> tuple[str, str, str, list[str]]:
    calls = [call for chunk in chunks for call in chunk.tool_calls]
    return (
        "".join(chunk.text for chunk in chunks),
        "".join(chunk.reasoning for chunk in chunks),
        "".join(str(call.get("arguments", "")) for call in calls),
        [chunk.finish_reason for chunk in chunks if chunk.finish_reason],
    )


def snake(value: Any) -> Any:
    """As Google's SDK names things."""
    if isinstance(value, dict):
        return {
            "".join(f"_{letter.lower()}" if letter.isupper() else letter for letter in name): snake(part)
            for name, part in value.items()
        }
    return [snake(part) for part in value] if isinstance(value, list) else value


@pytest.mark.parametrize(
    ("items", "protocol", "finish"),
    [
        (RESPONSES, "openai-responses", "completed"),
        (MESSAGES, "anthropic-messages", "tool_use"),
        ((GEMINI,), "gemini", "STOP"),
        ((snake(GEMINI),), "gemini", "STOP"),
    ],
)
def test_what_an_sdk_yields_is_read_like_the_bytes(items: Any, protocol: str, finish: str) -> None:
    told, chunks = read(*items)
    assert (told, summed(chunks)) == (protocol, ("Hi", "hm", "{}", [finish]))


def test_the_events_of_openai_s_helper_are_their_chunks() -> None:
    chunk = {"id": "c", "choices": [{"index": 0, "delta": {"content": "Hi"}, "finish_reason": "stop"}]}
    helped = {"type": "chunk", "chunk": chunk, "snapshot": {"choices": [{"message": {"content": "Hi"}}]}}
    told, chunks = read(helped, {"type": "content.delta", "delta": "Hi"}, {"type": "content.done"})
    assert (told, summed(chunks)) == ("openai-chat", ("Hi", "", "", ["stop"]))
    assert [one.rest for one in chunks] == [
        {"choices": [{"index": 0}]},
        {"event": "content.delta"},
        {"event": "content.done"},
    ]


def test_bytes_count_as_the_events_in_them_however_they_are_cut() -> None:
    body = b"".join(b"event: x\ndata: " + json.dumps(one).encode() + b"\n\n" for one in MESSAGES)
    body += b"data: [DONE]\n\n"
    assert summed(read(body)[1]) == summed(read(*(body[i : i + 7] for i in range(0, len(body), 7)))[1])
    assert summed(read(body)[1])[0] == "Hi"
    lines = b'{"choices": [{"delta": {"content": "a"}}]}\n{"choices": [{"delta": {"content": "b"}}]}\n'
    assert summed(read(lines[:20], lines[20:])[1])[0] == "ab"
    assert summed(read(json.dumps(GEMINI).encode())[1])[0] == "Hi"
    with pytest.raises(NotAChunkError, match="bytes that are neither events nor JSON"):
        read(b"<html>")


@pytest.mark.parametrize(
    "body",
    [
        b'{"n": 1}\n{"n": 2}\n',
        b'data: {"n": 1}\n\ndata: {"n": 2}\n\n',
        frame("one", b'{"n": 1}') + frame("two", b'{"n": 2}'),
    ],
)
def test_what_has_come_whole_is_handed_on_at_once(body: bytes) -> None:
    reader, half = ItemReader(), len(body) // 2
    first = [chunk.rest for chunk in reader(body[:half])]
    second = [chunk.rest for chunk in reader(body[half:])]
    assert (first, second, list(reader.finish())) == ([{"n": 1}], [{"n": 2}], [])


@pytest.mark.parametrize(
    ("item", "rest"),
    [
        (b"data: Hello\n\n", {"data": "Hello"}),
        (b'data: "Hello"\n\n', {"data": "Hello"}),
        (b"[[1, 2]]", {"data": [[1, 2]]}),
        (b'{\n  "n": 1\n}\n', {"n": 1}),
        ([[1, 2]], {"data": [[1, 2]]}),
    ],
)
def test_any_event_and_any_json_of_an_unknown_api_is_compared(item: Any, rest: dict[str, Any]) -> None:
    told, chunks = read(item)
    assert (told, [chunk.rest for chunk in chunks], chunks[0].text) == ("", [rest], "")


def langchain(**more: Any) -> SimpleNamespace:
    given: dict[str, Any] = {
        "content": "",
        "additional_kwargs": {},
        "response_metadata": {},
        "usage_metadata": None,
        "id": "r",
    }
    return SimpleNamespace(**given | more)


def test_langchains_messages_are_read() -> None:
    piece = {"name": "f", "args": "{", "id": "c", "index": 0, "type": "tool_call_chunk"}
    told, chunks = read(
        langchain(content=[{"type": "text", "text": "H"}, "i"]),
        langchain(additional_kwargs={"reasoning_content": "hm"}, tool_call_chunks=[piece]),
        langchain(
            tool_call_chunks=[{**piece, "name": None, "args": "}"}], tool_calls=[{"name": "f", "args": {}}]
        ),
        langchain(
            response_metadata={"finish_reason": "stop", "model_name": "m"},
            usage_metadata={"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
        ),
    )
    assert (told, summed(chunks)) == ("langchain", ("Hi", "hm", "{}", ["stop"]))
    assert chunks[-1].model == "m"
    assert chunks[-1].usage is not None
    assert chunks[-1].usage.total_tokens == 5
    assert "usage_metadata" not in chunks[-1].rest  # it is the usage, and nothing beside it
    ids = [read(langchain(id=name))[1][0].id for name in ("msg_1", "lc_run--01a2")]
    assert ids == ["msg_1", None]  # the latter LangChain makes up for each run
    whole = langchain(content="Hi", tool_calls=[{"name": "f", "args": {"a": 1}, "id": "c"}])
    assert read(whole)[1][0].tool_calls[0]["arguments"] == '{"a": 1}'


def test_pydantic_ais_events_and_responses_are_read() -> None:
    def began(kind: str, index: int = 0, **part: Any) -> SimpleNamespace:
        return SimpleNamespace(
            event_kind="part_start", index=index, part=SimpleNamespace(part_kind=kind, **part)
        )

    def went_on(kind: str, index: int = 0, **delta: Any) -> SimpleNamespace:
        return SimpleNamespace(
            event_kind="part_delta", index=index, delta=SimpleNamespace(part_delta_kind=kind, **delta)
        )

    told, chunks = read(
        began("thinking", content="h"),
        went_on("thinking", content_delta="m"),
        began("text", 1, content="H"),
        went_on("text", 1, content_delta="i"),
        SimpleNamespace(event_kind="part_end", index=1, part=SimpleNamespace(part_kind="text", content="Hi")),
        began("tool-call", 2, tool_name="f", args="{", tool_call_id="c"),
        went_on("tool_call", 2, args_delta="}"),
    )
    assert (told, summed(chunks)) == ("pydantic-ai", ("Hi", "hm", "{}", []))
    whole = SimpleNamespace(
        parts=[
            SimpleNamespace(part_kind="text", content="Hi"),
            SimpleNamespace(part_kind="tool-call", tool_name="f", args={}, tool_call_id="c"),
        ],
        usage=SimpleNamespace(input_tokens=3, output_tokens=2),
        model_name="m",
        finish_reason="stop",
        provider_response_id="r",
    )
    (chunk,) = read(whole)[1]
    assert (chunk.text, chunk.finish_reason, chunk.model, chunk.id) == ("Hi", "stop", "m", "r")
    assert chunk.tool_calls == ({"id": "c", "index": 1, "name": "f", "arguments": "{}"},)
    assert chunk.usage is not None
    assert (chunk.usage.prompt_tokens, chunk.usage.completion_tokens) == (3, 2)
    _, chunks = read(began("text", content="Hi"), whole)
    assert (summed(chunks), chunks[-1].usage) == (("Hi", "", "", ["stop"]), chunk.usage)
    assert chunk.rest.keys().isdisjoint({"provider_response_id", "model_name", "usage"})


def test_a_dataclass_of_pydantic_is_read() -> None:
    """The settings of an agent, which the Agents SDK hands on with each change of agent, are one."""
    from pydantic.dataclasses import dataclass

    @dataclass
    class Settings:
        temperature: float

    assert jsonable(SimpleNamespace(settings=Settings(0.5))) == {"settings": {"temperature": 0.5}}


def test_the_agents_sdks_events_are_the_models_own() -> None:
    items = [SimpleNamespace(type="raw_response_event", data=one) for one in RESPONSES]
    done = SimpleNamespace(type="run_item_stream_event", name="message_output_created")
    assert summed(read(*items, done)[1]) == ("Hi", "hm", "{}", ["completed"])


def test_a_mapping_of_no_known_api_is_compared_as_it_is() -> None:
    told, (chunk,) = read({"value": "Sure"})
    assert (told, chunk.text, chunk.rest) == ("", "", {"value": "Sure"})
