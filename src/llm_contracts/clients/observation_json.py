"""Observations as JSON values and back, for results that are kept. Nothing is lost, clocks included."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_contracts.clients.observation import Observation
from llm_contracts.util.dataclass_json import from_json, to_json


def observation_to_json(observation: Observation) -> dict[str, Any]:
    """What a client did, as JSON values. What is left of a chunk is mostly what was left of the one before:
    then it is not written again, for there may be five thousand of them.
    """
    written: dict[str, Any] = to_json(observation)
    before: object = {}
    for chunk, given in zip(observation.chunks, written.get("chunks", ()), strict=False):
        given.pop("rest", None)
        if chunk.rest != before:
            given["rest"] = dict(chunk.rest)
        before = chunk.rest
    return written


def observation_from_json(value: Mapping[str, Any]) -> Observation:
    """The observation again.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: the value is none that `observation_to_json` gives.
    """
    rest: Mapping[str, Any] = {}
    chunks = []
    for given in value.get("chunks", ()):
        rest = given.get("rest", rest)
        others = [
            {k: tuple(v) if k in {"reasoning_keys", "tool_calls"} else v for k, v in other.items()}
            for other in given.get("others", ())
        ]
        chunks.append({**given, "rest": rest, "others": others})
    named = {"client" if name == "path" else name: part for name, part in value.items()}  # its older name
    return from_json(Observation, {**named, "chunks": chunks})
