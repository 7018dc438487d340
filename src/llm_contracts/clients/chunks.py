"""Bring what a path yields into one canonical form, whatever client it came from.

What never reaches a `Chunk`, because it is shape and no application reads it across clients: `created`
(LiteLLM puts its own clock there) and whether a chunk with usage has `choices: []` or one empty choice.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llm_contracts.clients.jsonable import fields, jsonable, read
from llm_contracts.clients.observation import Chunk, Usage

_TOTALS = {
    "prompt_tokens": ("prompt_tokens", "input_tokens", "input"),
    "completion_tokens": ("completion_tokens", "output_tokens", "output"),
    "total_tokens": ("total_tokens", "total"),
}
"""Our name of a total → the names it goes by at OpenAI, in OpenAI's newer API and in Langfuse."""

_MARKS = ("choices", "result", "usage", "object")
"""A mapping with none of these keys is no chunk."""


class NotAChunkError(Exception):
    """A path yielded something that is no chunk. The message names its type, never its content."""


def to_chunk(item: Any) -> Chunk:
    """The canonical form of one yielded item.

    Raises:
        NotAChunkError: the item has none of the shapes that `Client` names.
    """
    if isinstance(item, str):
        return Chunk(text=item)
    if isinstance(item, Mapping):
        if not any(mark in item for mark in _MARKS):
            raise NotAChunkError(f"a mapping without any of {', '.join(_MARKS)}")
        return _from_choices(item) if "result" not in item else _from_response(item)
    if hasattr(item, "choices"):
        return _from_choices(item)
    if hasattr(item, "result"):
        return _from_response(item)
    raise NotAChunkError(f"an object of type {type(item).__name__}")


def to_usage(value: Any) -> Usage | None:
    """Totals and details of a usage object or mapping, by OpenAI's or Langfuse's names.

    None where there is none; an empty object says nothing, so it counts as none.
    """
    if value is None:
        return None
    numbers = dict(_numbers(value))
    totals = {ours: _take(numbers, names) for ours, names in _TOTALS.items()}
    if not numbers and all(total is None for total in totals.values()):
        return None
    return Usage(**totals, details=numbers)


_REASONING = ("reasoning_content", "reasoning")  # providers use one or the other


def _from_choices(item: Any) -> Chunk:
    choices = read(item, "choices")
    given = list(choices) if isinstance(choices, (list, tuple)) else []
    first = next((choice for choice in given if not read(choice, "index")), None)
    delta = read(first, "delta")
    text, extra = _content(read(delta, "content"), "content")
    keys = tuple(name for name in _REASONING if read(delta, name))
    reasoning, more = _content(read(delta, keys[0]) if keys else None, "reasoning")
    return Chunk(
        text=text,
        reasoning=reasoning,
        reasoning_keys=keys,
        tool_calls=tuple(_tool_call(call) for call in read(delta, "tool_calls") or ()),
        finish_reason=_label(read(first, "finish_reason")),
        usage=to_usage(read(item, "usage")),
        id=_label(read(item, "id")),
        model=_label(read(item, "model")),
        role=_label(read(delta, "role")),
        extra={**extra, **more, **_rest(delta, given, first)},
    )


def _from_response(item: Any) -> Chunk:
    text, extra = _content(read(item, "result"), "content")
    return Chunk(
        text=text,
        finish_reason=_label(read(item, "finish_reason")),
        usage=to_usage(read(item, "usage")),
        id=_label(read(item, "id")),
        extra=extra,
    )


def _content(value: Any, place: str) -> tuple[str, dict[str, Any]]:
    """Text, or what stood in its place: Mistral sends a list of typed parts, and some servers a number."""
    if value is None or isinstance(value, str):
        return value or "", {}
    return "", {place: jsonable(value)}


def _rest(delta: Any, choices: list[Any], first: Any) -> dict[str, Any]:
    extra = {name: jsonable(read(delta, name)) for name in ("refusal", "function_call") if read(delta, name)}
    others = [_other(choice) for choice in choices if choice is not first]
    return {**extra, "choices": others} if others else extra


def _other(choice: Any) -> dict[str, Any]:
    content = jsonable(read(read(choice, "delta"), "content")) or ""
    finish = _label(read(choice, "finish_reason"))
    return {"index": read(choice, "index"), "content": content, "finish_reason": finish}


def _tool_call(call: Any) -> dict[str, Any]:
    function = read(call, "function")
    given = {
        "index": read(call, "index"),
        "id": read(call, "id"),
        "type": read(call, "type"),
        "name": read(function, "name"),
        "arguments": read(function, "arguments"),
    }
    return {name: jsonable(value) for name, value in given.items() if value is not None}


def _label(value: Any) -> str | None:
    return None if value is None else str(jsonable(value))


def _take(numbers: dict[str, Any], names: tuple[str, ...]) -> int | None:
    """The first of these names that holds a whole number, taken out of the details."""
    for name in names:
        if isinstance(numbers.get(name), int):
            return int(numbers.pop(name))
    return None


def _numbers(value: Any, place: str = "", depth: int = 0) -> Iterator[tuple[str, int | float]]:
    if isinstance(value, bool) or value is None or depth > 5:  # noqa: PLR2004 - deeper is no usage object
        return
    if isinstance(value, (int, float)):
        yield place, value
        return
    parts = dict(enumerate(value)) if isinstance(value, (list, tuple)) else _parts(value)
    for name, part in parts.items():
        yield from _numbers(part, f"{place}.{name}" if place else str(name), depth + 1)


def _parts(value: Any) -> Mapping[Any, Any]:
    return {} if isinstance(value, str) else fields(value)
