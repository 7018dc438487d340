"""Observations as JSON values and back, for results that are kept.

Nothing is lost, clocks and wire positions included. What has its default value is left out: most chunks are
a piece of text and little else, and there may be five thousand of them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from llm_contracts.clients.observation import Chunk, Failure, Observation, Usage
from llm_contracts.wire.interaction_json import request_from_json, request_to_json


def observation_to_json(observation: Observation) -> dict[str, Any]:
    """What a client did, as JSON values."""
    return {
        "client": observation.client,
        "protocol": observation.protocol,
        "requests": [request_to_json(request) for request in observation.requests],
        "pauses": None if observation.pauses is None else list(observation.pauses),
        "waits": dict(observation.waits),
        "surface": {part: list(names) for part, names in observation.surface.items()},
        "answer": dict(observation.answer),
        "effects": dict(observation.effects),
        "chunks": list(_chunks_to_json(observation.chunks)),
        "failure": None if observation.failure is None else _non_default_fields(observation.failure),
        "generations": [dict(generation) for generation in observation.generations],
        "duration_ms": observation.duration_ms,
    }


def observation_from_json(value: Mapping[str, Any]) -> Observation:
    """The observation again.

    Raises:
        KeyError, TypeError, ValueError: the value is none that `observation_to_json` gives.
    """
    pauses, failure = value["pauses"], value["failure"]
    return Observation(
        client=value["client"] if "client" in value else value["path"],
        protocol=value.get("protocol", ""),
        requests=tuple(request_from_json(request) for request in value["requests"]),
        pauses=None if pauses is None else tuple(pauses),
        waits=value.get("waits", {}),
        surface={part: tuple(names) for part, names in value.get("surface", {}).items()},
        answer=value.get("answer", {}),
        effects=value.get("effects", {}),
        chunks=tuple(_chunks_from_json(value["chunks"])),
        failure=None if failure is None else Failure(**_with_tuples(failure, "classes", "below")),
        generations=tuple(value["generations"]),
        duration_ms=value["duration_ms"],
    )


def _chunks_to_json(chunks: Iterable[Chunk]) -> Iterator[dict[str, Any]]:
    """What is left of a chunk is mostly what was left of the one before: then it is not written again."""
    before: object = {}
    for chunk in chunks:
        given = _non_default_fields(chunk)
        if chunk.usage is not None:
            given["usage"] = _non_default_fields(chunk.usage)
        given.pop("rest", None)
        if chunk.rest != before:
            given["rest"] = dict(chunk.rest)
        before = chunk.rest
        yield given


def _chunks_from_json(values: Iterable[Mapping[str, Any]]) -> Iterator[Chunk]:
    rest: Mapping[str, Any] = {}
    for value in values:
        given = _with_tuples(value, "reasoning_keys", "tool_calls", "others")
        for other in given.get("others", ()):
            other.update(_with_tuples(other, "reasoning_keys", "tool_calls"))
        if "usage" in given:
            given["usage"] = Usage(**_with_tuples(given["usage"], "names"))
        rest = given.get("rest", rest)
        yield Chunk(**{**given, "rest": rest})


def _with_tuples(value: Mapping[str, Any], *names: str) -> dict[str, Any]:
    return {name: tuple(part) if name in names else part for name, part in value.items()}


def _non_default_fields(value: Chunk | Failure | Usage) -> dict[str, Any]:
    """Field → value, without those that have their default."""
    return {
        field.name: _plain(getattr(value, field.name))
        for field in dataclasses.fields(value)
        if getattr(value, field.name) != _default(field)
    }


def _default(field: dataclasses.Field[Any]) -> Any:
    return field.default if field.default_factory is dataclasses.MISSING else field.default_factory()


def _plain(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_plain(part) for part in value]
    return dict(value) if isinstance(value, Mapping) else value
