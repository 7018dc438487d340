"""Shapes that several dialects share, each a small pure function that a dialect can take as it is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any

from llm_contracts.simulator.dialect import ChunkPart, Json, Model, Stream, TokenCounts, compact


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


def blocks(parts: Iterable[ChunkPart]) -> Iterator[tuple[str, list[Json]]]:
    """The blocks of an answer, for an API that has such: the member of deltas that each fills, and these."""
    deltas = [part.delta for part in parts if part.delta]
    for (member, _number), group in groupby(deltas, _block):
        yield member, list(group)


def _block(delta: Json) -> tuple[str, int]:
    if calls := delta.get("tool_calls"):
        return "tool_calls", calls[0]["index"]
    return "reasoning_content" if "reasoning_content" in delta else "content", 0


def listing(**beside: Any) -> Callable[[Mapping[str, Model]], bytes]:
    """A list of models whose rows have an id, the type `model` and the given rest."""

    def listed(models: Mapping[str, Model]) -> bytes:
        rows = [{"id": name, "object": "model", **beside} for name in models]
        return compact({"object": "list", "data": rows}).encode()

    return listed
