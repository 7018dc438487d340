"""Calls on an event loop, against the same provider as the others."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

import pytest

from llm_adapter.backends import AsyncOpened, Opened
from llm_adapter.backends.litellm import LiteLLMBackend
from llm_adapter.backends.litellm_async import AsyncLiteLLMBackend
from llm_adapter.chunks import read_chunk
from llm_adapter.failures import NotSentError, describe
from llm_adapter.legacy import AsyncLegacyBackend, LegacyBackend
from llm_adapter.requests import Outgoing
from tests.adapter.conftest import MakeAdapter
from tests.adapter.provider import (
    EVENT_STREAM,
    KEY,
    USAGE,
    End,
    Provider,
    Reply,
    answer,
    chunk,
    document,
    event,
    refusal,
)

GEMINI = event({"candidates": [{"content": {"parts": [{"text": "Hel"}]}, "finishReason": "STOP"}]})
ERNIE = event({"id": "1", "result": "Hel", "is_end": True, "is_truncated": False})
DIFY = event({"event": "message", "task_id": "t", "answer": "Hel"})
TOKEN = document({"access_token": "t", "expires_in": 100})  # pragma: allowlist secret

REPLIES: dict[str, tuple[str, tuple[Reply, ...]]] = {
    "answer": ("openai", (answer("Hel", "lo", usage=USAGE),)),
    "refusal": ("openai", (refusal(401, "no", code="invalid_api_key"),)),
    "overload": ("openai", (refusal(429, "slow"), answer("Hel"))),
    "in-band": ("openai", (Reply(pieces=(chunk("Hel"), event({"error": {"message": "no"}}))),)),
    "page": ("openai", (Reply(pieces=(b"<html>no</html>",), headers={"content-type": "text/html"}),)),
    "cut": ("openai", (Reply(pieces=(chunk("Hel"),), end=End.CUT),)),
    "gemini": ("gemini", (Reply(pieces=(GEMINI,)),)),
    "gemini-refusal": (
        "gemini",
        (document({"error": {"message": "no", "status": "NOT_FOUND"}}, status=404),),
    ),
    "ernie": ("ernie_v1", (TOKEN, Reply(pieces=(ERNIE,)))),
    "ernie-error": ("ernie_v1", (TOKEN, document({"error_code": 17, "error_msg": "daily limit"}))),
    "dify": ("dify", (Reply(pieces=(DIFY,)),)),
    "dify-refusal": ("dify", (document({"code": "invalid_param", "message": "no"}, status=400),)),
}


def outgoing(provider: Provider, key: str, **params: Any) -> Outgoing:
    return Outgoing(
        provider=key,
        base_url=provider.url,
        api_key=KEY,
        api_secret=KEY,
        user="u",
        model="ERNIE-4.0-8K" if key == "ernie_v1" else "m-1",
        messages=({"role": "user", "content": "hi"},),
        params=params,
    )


def in_turn(backend: Any, asked: Outgoing) -> tuple[list[Any], Any]:
    """What is read, and how the failure is described, if there is one."""
    found: list[Any] = []
    opened: Opened | None = None
    try:
        opened = backend(asked)
        found.extend(map(read_chunk, opened.chunks))
    except Exception as error:  # noqa: BLE001 (whatever the client raises)
        return found, describe(error, attempts=opened.attempts if opened else None)
    finally:
        backend.close()
    return found, opened.attempts


def on_a_loop(backend: Any, asked: Outgoing) -> tuple[list[Any], Any]:
    """`in_turn`, on an event loop."""

    async def call() -> tuple[list[Any], Any]:
        found: list[Any] = []
        opened: AsyncOpened | None = None
        try:
            opened = await backend(asked)
            async for item in opened.chunks:
                found.append(read_chunk(item))  # noqa: PERF401 (what came before a failure counts)
        except Exception as error:  # noqa: BLE001
            return found, describe(error, attempts=opened.attempts if opened else None)
        finally:
            await backend.close()
        return found, opened.attempts

    return asyncio.run(call())


@pytest.mark.parametrize("name", REPLIES)
def test_litellm_gives_the_same_on_a_loop(provider: Provider, name: str) -> None:
    key, replies = REPLIES[name]
    results = []
    for run, backend in ((in_turn, LiteLLMBackend()), (on_a_loop, AsyncLiteLLMBackend())):
        provider.say(*replies)
        results.append(run(backend, outgoing(provider, key)))
    assert results[0] == results[1]
    texts = [piece.text for piece in results[1][0] if piece.text]
    assert "".join(texts) in {"Hel", "Hello"} or results[1][1].provider_message
    first, second = provider.asked[: len(provider.asked) // 2], provider.asked[len(provider.asked) // 2 :]
    assert [(each.target, each.body) for each in first] == [(each.target, each.body) for each in second]


@pytest.mark.parametrize("name", ["answer", "refusal", "overload", "in-band", "page", "cut"])
def test_the_legacy_client_gives_the_same_on_a_loop(provider: Provider, name: str) -> None:
    key, replies = REPLIES[name]
    results = []
    for run, backend in ((in_turn, LegacyBackend()), (on_a_loop, AsyncLegacyBackend())):
        provider.say(*replies)
        results.append(run(backend, outgoing(provider, key)))
    assert results[0] == results[1]


def test_what_the_legacy_client_cannot_do_on_a_loop_says_so(provider: Provider) -> None:
    backend = AsyncLegacyBackend()
    with pytest.raises(NotSentError, match=r"set LLM_BACKEND_DIFY=litellm"):
        asyncio.run(backend(outgoing(provider, "dify")))
    assert not provider.asked


def test_a_loop_that_is_closed_leaves_no_clients(provider: Provider) -> None:
    backend = AsyncLiteLLMBackend()
    provider.say(answer("Hel"))

    async def ask() -> int:
        opened = await backend(outgoing(provider, "openai"))
        return len([item async for item in opened.chunks])

    assert asyncio.run(ask()) == asyncio.run(ask()) > 0
    assert len(backend.connections._clients._made) == 1
    asyncio.run(backend.close())


def test_ten_streams_at_once_keep_apart(provider: Provider) -> None:
    backend = AsyncLiteLLMBackend()
    provider.say(answer(*"abcdef"))

    async def text() -> str:
        opened = await backend(outgoing(provider, "openai"))
        return "".join([read_chunk(item).text async for item in opened.chunks])

    async def ten() -> list[str]:
        texts = await asyncio.gather(*(text() for _ in range(10)))
        await backend.close()
        return texts

    assert asyncio.run(ten()) == ["abcdef"] * 10


@pytest.mark.parametrize("backend", ["legacy", "litellm"])
def test_the_functions_give_the_same_pieces_and_record_on_a_loop(
    make_adapter: MakeAdapter, provider: Provider, backend: str
) -> None:
    adapter, span = make_adapter(backend), None

    async def ask(function: str, *arguments: Any) -> tuple[list[Any], Any]:
        stream = getattr(adapter, "a" + function)(None, "u", span, "gpt-4o", *arguments, seed=7)
        pieces = [piece async for piece in stream]
        await adapter.aclose()
        return pieces, stream.record

    headers = {"content-type": EVENT_STREAM, "x-request-id": "req-7"}
    provider.say(replace(answer("Hel", "lo", usage=USAGE), headers=headers))
    for function, arguments in (
        ("invoke_llm", ("hi",)),
        ("chat_llm", ([{"role": "user", "content": "hi"}],)),
    ):
        stream = getattr(adapter, function)(None, "u", span, "gpt-4o", *arguments, seed=7)
        expected = list(stream)
        pieces, record = asyncio.run(ask(function, *arguments))
        assert pieces == expected
        assert [piece.result for piece in pieces] == ["Hel", "lo"]
        assert record.request_id == "req-7"
        times = {"latency_s": 0.0, "first_token_s": None}
        assert replace(record, **times) == replace(stream.record, **times)
        assert provider.asked[-1].body == provider.asked[-2].body


def test_a_stream_that_breaks_before_its_first_text_is_asked_for_once_more_on_a_loop(
    make_adapter: MakeAdapter, provider: Provider
) -> None:
    adapter = make_adapter()
    provider.say(Reply(pieces=(chunk("", role="assistant"),), end=End.CUT), answer("Hel"))

    async def ask() -> list[str]:
        texts = [piece.result async for piece in adapter.ainvoke_llm(None, "u", None, "gpt-4o", "hi")]
        await adapter.aclose()
        return texts

    assert asyncio.run(ask()) == ["Hel"]
    assert len(provider.asked) == 2


def test_leaving_early_on_a_loop_ends_the_exchange(make_adapter: MakeAdapter, provider: Provider) -> None:
    adapter = make_adapter()
    provider.say(Reply(pieces=(chunk("Hel"),), end=End.STALL))

    async def leave() -> None:
        stream = adapter.ainvoke_llm(None, "u", None, "gpt-4o", "hi")
        assert (await anext(stream)).result == "Hel"
        await stream.aclose()
        assert await asyncio.to_thread(provider.left.wait, 10)
        await adapter.aclose()

    asyncio.run(leave())
