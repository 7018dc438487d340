"""Shapes that several dialects share, each a small pure function that a dialect can take as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from itertools import groupby
from typing import Any

from llm_contracts.simulator.dialect import ChunkPart, Json, Stream, TokenCounts

EPOCH = 1767225600
"""The simulated moment, 2026-01-01 00:00 UTC: fixed, so that recording again changes nothing."""
DATE = ("Date", "Thu, 01 Jan 2026 00:00:00 GMT")
"""The header that says so."""


def thought(piece: str) -> Json:
    """A thought, where answers have a null in its place and the other way round."""
    return {"content": None, "reasoning_content": piece}


def text(stream: Stream, piece: str) -> Json:
    """A piece of an answer, beside a null where the model could have thought."""
    return {"content": piece, "reasoning_content": None} if stream.thinks else {"content": piece}


def counted(spent: TokenCounts) -> Json:
    """The three totals that everybody has."""
    return {
        "prompt_tokens": spent.prompt,
        "completion_tokens": spent.completion,
        "total_tokens": spent.prompt + spent.completion,
    }


def reasoning_counted(spent: TokenCounts) -> Json:
    """How much of the completion was thought, where most have it."""
    return {"completion_tokens_details": {"reasoning_tokens": spent.reasoning}}


def finish(part: ChunkPart) -> Json:
    """The finish reason, where there is none in other chunks."""
    return {} if part.finish is None else {"finish_reason": part.finish}


def chunk(
    stream: Stream, part: ChunkPart, members: str, choice: Json, *, null_usage: bool = False, **beside: Any
) -> Json:
    """A chunk of chat completions.

    Args:
        stream: the answer it is of.
        part: what it adds.
        members: their names in the provider's order; where `usage` is not among them, totals come last.
        choice: the one choice, which a part without a delta leaves out.
        null_usage: whether a null stands where there are no totals.
        beside: the values of members that other providers do not have.
    """
    values = {
        "id": stream.id,
        "object": "chat.completion.chunk",
        "created": EPOCH,
        "model": stream.model,
        "choices": [] if part.delta is None else [choice],
        "usage": part.usage,
        **beside,
    }
    found = {name: values[name] for name in members.split()}
    return {**found, "usage": part.usage} if part.usage or null_usage else found


def blocks(parts: Iterable[ChunkPart]) -> Iterator[tuple[str, list[Json]]]:
    """The blocks of an answer, for an API that has such: the member of deltas that each fills, and these."""
    deltas = [part.delta for part in parts if part.delta]
    for (member, _number), group in groupby(deltas, _block):
        yield member, list(group)


def _block(delta: Json) -> tuple[str, int]:
    if calls := delta.get("tool_calls"):
        return "tool_calls", calls[0]["index"]
    return "reasoning_content" if "reasoning_content" in delta else "content", 0


def listing(**beside: Any) -> Callable[[Iterable[str]], Json]:
    """A list of models whose rows have an id, the type `model` and the given rest."""
    return lambda models: {
        "object": "list",
        "data": [{"id": name, "object": "model", **beside} for name in models],
    }
