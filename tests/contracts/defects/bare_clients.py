"""Faults in what our responses have no place for, so put into the bare stream of the SDK.

Whoever judges a client that hands on tool calls, reasoning or model names relies on these being seen.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llm_contracts.parity.divergence import Kind
from llm_contracts.paths import builtin
from tests.contracts.defects.defect import Defect
from tests.contracts.defects.putting import Chunks, bare


def calls_renamed(chunks: Chunks) -> Iterator[Any]:
    """A tool call gets an id of the client's own making, by which nobody at the provider knows it."""
    for chunk in chunks:
        for choice in chunk.choices:
            for call in choice.delta.tool_calls or ():
                call.id = call.id and "call_of_our_own"
        yield chunk


def reasoning_dropped(chunks: Chunks) -> Iterator[Any]:
    """Reasoning is not handed on."""
    for chunk in chunks:
        for choice in chunk.choices:
            choice.delta.reasoning_content = None
        yield chunk


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


_SOUND = builtin.openai

BARE: tuple[Defect, ...] = (
    Defect(
        id="P27",
        fault=calls_renamed,
        put=bare,
        scenario="openai/tool-calls",
        against=_SOUND,
        sound=_SOUND,
        reported=((Kind.TOOL_CALLS, "tool_calls[0].id"),),
    ),
    Defect(
        id="P28",
        fault=reasoning_dropped,
        put=bare,
        scenario="deepseek/reasoning",
        against=_SOUND,
        sound=_SOUND,
        reported=((Kind.REASONING, "reasoning[0]"), (Kind.CHUNK_COUNT, "chunks.empty")),
    ),
    Defect(
        id="P29",
        fault=model_as_requested,
        put=bare,
        scenario="openai/plain-stream",
        against=_SOUND,
        sound=_SOUND,
        reported=((Kind.MODEL_NAME, "model"),),
    ),
    Defect(
        id="P30",
        fault=empty_chunks_skipped,
        put=bare,
        scenario="openai/plain-stream",
        against=_SOUND,
        sound=_SOUND,
        reported=((Kind.CHUNK_COUNT, "chunks.empty"),),
    ),
)
