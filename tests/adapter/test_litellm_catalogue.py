"""What LiteLLM is known to do otherwise, and the adapter does not: the cases that no other test meets.

The ids are those of docs/litellm.md, which says of every known difference what becomes of it here.
"""

from __future__ import annotations

import tracemalloc
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from llm_adapter import Adapter, Category, RequestFailedError
from llm_adapter.backends.litellm import call_arguments
from llm_adapter.requests import Outgoing
from tests.adapter.conftest import MakeAdapter
from tests.adapter.provider import DONE, USAGE, Provider, Reply, answer, chunk, event, refusal

TOTALS = {"input": 11, "output": 7, "total": 40}
TOOL = {"id": "call_1", "type": "function", "function": {"name": "f", "arguments": "{}"}}


@dataclass(frozen=True, kw_only=True, slots=True)
class Odd:
    """A stream, and what becomes of it: pieces with their finish reasons, and parts of the telemetry."""

    pieces: tuple[bytes, ...]
    given: tuple[tuple[str, str | None], ...]
    told: dict[str, Any] = field(default_factory=dict)
    params: dict[str, Any] = field(default_factory=dict)


def finished(text: str, reason: str) -> bytes:
    return chunk(text, finish=reason)


def indexed(index: int, text: str) -> bytes:
    return event(
        {"id": "1", "choices": [{"index": index, "delta": {"content": text}, "finish_reason": None}]}
    )


def calling(*calls: Any, text: str = "") -> bytes:
    return chunk(text, tool_calls=list(calls))


ODDITIES = {
    "U6 totals that nobody asked for": Odd(
        pieces=(finished("a", "stop"), chunk(usage=USAGE)),
        given=(("a", "stop"),),
        told={"usage_details": TOTALS},
        params={"stream_options": {"include_usage": False}},
    ),
    "C7 two choices in turns": Odd(
        pieces=(indexed(0, "a"), indexed(1, "b"), indexed(0, "c"), chunk(finish="stop")),
        given=(("a", None), ("b", None), ("c", None)),
    ),
    "C9 finished twice, with text after it": Odd(
        pieces=(chunk("a"), finished("b", "stop"), finished("c", "length"), chunk("d")),
        given=(("a", None), ("b", "stop"), ("c", "length"), ("d", None)),
    ),
    "F5 tools are called and the provider says stop": Odd(
        pieces=(calling({"index": 0, **TOOL}), finished("a", "stop")),
        given=(("a", "stop"),),
    ),
    "R1 reasoning under its other name": Odd(
        pieces=(chunk("", reasoning="hm"), chunk("a")),
        given=(("a", None),),
        told={"metadata.reasoning": "hm"},
    ),
    "R2 empty reasoning beside the finish": Odd(
        pieces=(
            chunk(None, reasoning_content="hm"),
            chunk("a"),
            chunk("", reasoning_content="", finish="stop"),
        ),
        given=(("a", None),),
        told={"metadata.reasoning": "hm"},
    ),
    "T2 calls without an index": Odd(
        pieces=(calling(TOOL, text="a"), calling(TOOL, text="b")), given=(("a", None), ("b", None))
    ),
    "T4 arguments that are no text": Odd(
        pieces=(
            calling({"index": 0, "id": "1", "function": {"name": "f", "arguments": None}}, text="a"),
            calling({"index": 0, "id": "1", "function": {"name": "f", "arguments": {"a": 1}}}, text="b"),
        ),
        given=(("a", None), ("b", None)),
    ),
    "T5 a call of nothing": Odd(
        pieces=(calling({"index": 0, "function": None}, text="a"), chunk("b")),
        given=(("a", None), ("b", None)),
    ),
    **{
        f"F2, F3, F4 the finish reason {word}": Odd(
            pieces=(chunk("a"), finished("b", word)), given=(("a", None), ("b", word))
        )
        for word in (
            "insufficient_system_resource",
            "abort",
            "repetition_truncation",
            "error",
            "sensitive",
            "network_error",
            "MAX_TOKENS",
            "eos",
        )
    },
}


@pytest.mark.parametrize("odd", ODDITIES.values(), ids=list(ODDITIES))
def test_odd_streams_are_given_and_told_as_they_came(adapter: Adapter, provider: Provider, odd: Odd) -> None:
    provider.say(Reply(pieces=(*odd.pieces, DONE)))
    told: dict[str, Any] = {}
    observation = SimpleNamespace(update=lambda **more: told.update(more), end=lambda: None)
    span = SimpleNamespace(start_observation=lambda **_: observation, update=lambda **_: None)
    pieces = list(adapter.invoke_llm(None, "u", span, "gpt-4o", "hi", **odd.params))
    assert tuple((piece.result, piece.finish_reason) for piece in pieces) == odd.given
    told |= {f"metadata.{name}": value for name, value in told["metadata"].items()}
    assert {name: told[name] for name in odd.told} == odd.told


def test_ids_are_the_provider_s_or_none(adapter: Adapter, provider: Provider) -> None:
    """LiteLLM makes one up for each chunk where there is none (C1)."""
    choice = {"index": 0, "delta": {"content": "a"}, "finish_reason": None}
    nameless = (event({"choices": [choice]}), event({"id": None, "choices": [choice]}))
    provider.say(Reply(pieces=(*nameless, event({"id": "x", "choices": [choice]}), DONE)))
    assert [piece.id for piece in adapter.invoke_llm(None, "u", None, "gpt-4o", "hi")] == ["", "", "x"]


MISLEADING = (
    "Request timed out",
    "rate_limit: 429",
    "This model's output limit: could not finish the message because max_tokens was reached",
    "Conversation roles must alternate user/assistant/user/assistant",
    "Last message must have role `user`",
    "invalid_request_error: exceeded your current quota",
)


@pytest.mark.parametrize("words", MISLEADING)
def test_words_of_a_refusal_decide_nothing_and_cause_no_second_request(
    make_adapter: MakeAdapter, provider: Provider, words: str
) -> None:
    """LiteLLM takes its class from them, answers with an empty stream, or asks again in other words (E3, E8,
    E16); what the caller is told reads alike on both ways (E15).
    """
    provider.say(refusal(400, words))
    said = []
    for backend in ("legacy", "litellm"):
        with pytest.raises(RequestFailedError) as caught:
            list(make_adapter(backend).invoke_llm(None, "u", None, "gpt-4o", "hi"))
        said.append((caught.value.category, caught.value.status, caught.value.attempts, str(caught.value)))
    assert said[0] == said[1]
    assert said[0][:3] == (Category.BAD_REQUEST, 400, 1)
    assert len(provider.asked) == 2


@pytest.mark.parametrize("name", ["OPENAI_API_BASE", "OPENAI_BASE_URL", "OPENAI_PROJECT_ID"])
def test_what_the_environment_says_about_openai_leads_nobody_elsewhere(
    make_adapter: MakeAdapter, provider: Provider, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    """LiteLLM reads more names than the SDK does (N17)."""
    monkeypatch.setenv(name, "http://127.0.0.1:9/elsewhere")
    list(make_adapter("litellm").invoke_llm(None, "u", None, "qwen/qwen-plus", "hi"))
    assert len(provider.asked) == 1


def test_litellm_never_hears_of_tools_or_of_any_other_parameter() -> None:
    """With `tools=` some releases import what a plain installation does not have (T1); others rename, drop or
    refuse parameters by tables of their own.
    """
    params = {"tools": [TOOL], "user": "bob", "temperature": 1, "timeout": 3, "extra_headers": {"x": "y"}}
    outgoing = Outgoing(
        provider="openai",
        base_url="http://x",
        api_key="k",
        model="gpt-5.4",
        messages=({"role": "user", "content": "hi"},),
        params=params,
    )
    arguments = call_arguments(outgoing)
    assert arguments.keys() == {"messages", "stream", "extra_body", "timeout", "extra_headers"}
    assert arguments["extra_body"]["tools"] == [TOOL]


LONG = 2000


def consume(adapter: Adapter) -> int:
    return sum(len(piece.result) for piece in adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))


def test_chunks_are_not_kept(make_adapter: MakeAdapter, provider: Provider) -> None:
    """LiteLLM keeps each until the end, almost 4 kB a chunk (P6); telemetry keeps the text alone."""
    adapter = make_adapter("litellm")
    consume(adapter)
    provider.say(answer(*["text "] * LONG))
    tracemalloc.start()
    assert consume(adapter) == LONG * len("text ")
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < LONG * 1000
