"""Faults in what our responses have no place for, so put into the bare stream of the SDK.

Whoever judges a client that hands on tool calls, reasoning or model names relies on these being seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llm_contracts.clients import builtin
from tests.contracts.defects.defect import Defect, shows
from tests.contracts.defects.putting import Chunks, bare
from tests.contracts.defects.shipped_answers import reasoning_lost


def calls_renamed(chunks: Chunks) -> Iterator[Any]:
    """A tool call gets an id of the client's own making, by which nobody at the provider knows it."""
    for chunk in chunks:
        for choice in chunk.choices:
            for call in choice.delta.tool_calls or ():
                call.id = call.id and "call_of_our_own"
        yield chunk


def reasoning_dropped(chunks: Chunks) -> Iterator[Any]:
    """Reasoning is not handed on."""
    return reasoning_lost(chunks)


def model_as_requested(chunks: Chunks) -> Iterator[Any]:
    """The model's name is the one that was asked for, not the one that answered."""
    for chunk in chunks:
        chunk.model = "gpt-4o-mini"
        yield chunk


def empty_chunks_skipped(chunks: Chunks) -> Iterator[Any]:
    """Chunks that carry nothing are left out."""
    for chunk in chunks:
        delta = chunk.choices[0].delta if chunk.choices else None
        if delta is None or delta.content or chunk.choices[0].finish_reason:
            yield chunk


def usage_first(chunks: Chunks) -> Iterator[Any]:
    """The totals are handed on before the answer."""
    *answer, usage = chunks
    yield from (usage, *answer)


def printed(chunks: Chunks) -> Iterator[Any]:
    """Each piece is printed as well, as while looking for an error."""
    for chunk in chunks:
        print(chunk.id)  # noqa: T201 - the defect
        yield chunk


_BARE = {"against": builtin.openai, "sound": builtin.openai}

BARE: tuple[Defect, ...] = (
    shows("P27", calls_renamed, bare, "openai/tool-calls", "tool_calls tool_calls[0].id", **_BARE),
    shows(
        "P28",
        reasoning_dropped,
        bare,
        "deepseek/reasoning",
        "reasoning reasoning[0]",
        "chunk_count chunks.empty",
        **_BARE,
    ),
    shows("P29", model_as_requested, bare, "openai/plain-stream", "model_name model", **_BARE),
    shows(
        "P30",
        empty_chunks_skipped,
        bare,
        "openai/plain-stream",
        "chunk_count chunks.empty",
        "fields choices[0].delta.role",
        **_BARE,
    ),
    shows(
        "P31",
        usage_first,
        bare,
        "openai/plain-stream",
        "order order.usage",
        "fields *",
        "delivery_lag delta[0]",
        **_BARE,
    ),
    shows("P32", printed, bare, "openai/plain-stream", "side_effect stdout", **_BARE),
)
