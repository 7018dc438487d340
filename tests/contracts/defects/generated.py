"""Defects of one form, made by the dozen: each leaf of some streams dropped or changed, parts moved."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

from llm_contracts.clients import builtin
from llm_contracts.clients.call import Call, Client
from llm_contracts.clients.jsonable import jsonable
from llm_contracts.parity.divergence import Kind
from llm_contracts.wire.cassette import load
from llm_contracts.wire.events import events
from tests.contracts.recorded import PROJECT, RECORDED

Json = dict[str, Any]
Change = Callable[[list[Json]], list[Json]]

STREAMS = ("openai/plain-stream", "openai/tool-calls", "deepseek/reasoning")

_KINDS = (
    (r"choices\[\]\.delta\.content", Kind.TEXT),
    (r"choices\[\]\.delta\.reasoning(_content)?", Kind.REASONING),
    (r"choices\[\]\.delta\.tool_calls\[\]\.(id|index|type|function\..*)", Kind.TOOL_CALLS),
    (r"choices\[\]\.finish_reason", Kind.FINISH_REASON),
    (r"usage\.(prompt|completion|total)_tokens", Kind.USAGE),
    (r"usage\..*", Kind.USAGE_DETAILS),
    (r"id", Kind.RESPONSE_ID),
    (r"model", Kind.MODEL_NAME),
    (r".*", Kind.FIELDS),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Generated:
    """A made defect: on which recording, what is done to the chunks, and as which kind it is reported."""

    scenario: str
    what: str
    change: Change
    kind: Kind

    @property
    def name(self) -> str:
        """A name for tests."""
        return f"{self.scenario}: {self.what}"

    @property
    def client(self) -> Client:
        """The client that has the defect."""
        return partial(changed, self.change)


def changed(change: Change, call: Call) -> Iterator[Any]:
    """The SDK's chunks as mappings, changed."""
    yield from change([jsonable(chunk) for chunk in builtin.openai(call)])


def sound(call: Call) -> Iterator[Any]:
    """The same without a change: all chunks at once, as the defects need them."""
    yield from changed(list, call)


def generated() -> tuple[Generated, ...]:
    """All of them."""
    return tuple(each for scenario in STREAMS for each in (*_leaves(scenario), *_moves(scenario)))


def _leaves(scenario: str) -> Iterator[Generated]:
    for path, value in _paths(scenario).items():
        kind = next(kind for pattern, kind in _KINDS if re.fullmatch(pattern, path))
        yield Generated(
            scenario=scenario, what=f"{path} dropped", change=partial(_each, path, _drop), kind=kind
        )
        if path != "created":
            other = partial(_each, path, partial(_set, _other(value)))
            yield Generated(scenario=scenario, what=f"{path} changed", change=other, kind=kind)


def _moves(scenario: str) -> Iterator[Generated]:
    for path, kind in (("usage", Kind.ORDER), ("choices[].finish_reason", Kind.ORDER)):
        yield Generated(scenario=scenario, what=f"{path} first", change=partial(_first, path), kind=kind)
        yield Generated(scenario=scenario, what=f"{path} twice", change=partial(_twice, path), kind=kind)

    for label, kind in (("id", Kind.RESPONSE_ID), ("model", Kind.MODEL_NAME)):
        alone = partial(_on_the_first_alone, label)
        yield Generated(scenario=scenario, what=f"{label} on the first alone", change=alone, kind=kind)
    for path in sorted(_paths(scenario).keys() & _PIECES):
        pieces = partial(_cut_once_more, path)
        yield Generated(scenario=scenario, what=f"{path} cut once more", change=pieces, kind=Kind.DELTAS)


_PIECES = frozenset(
    {
        "choices[].delta.content",
        "choices[].delta.reasoning_content",
        "choices[].delta.tool_calls[].function.arguments",
    }
)


def _on_the_first_alone(label: str, chunks: list[Json]) -> list[Json]:
    return [chunks[0], *({**chunk, label: None} for chunk in chunks[1:])]


def _cut_once_more(path: str, chunks: list[Json]) -> list[Json]:
    """Each chunk as two: the first letter with all that came with it, then the others."""
    return [one for chunk in chunks for one in _halves(path, chunk)]


def _halves(path: str, chunk: Json) -> Iterator[Json]:
    names = path.replace("[]", ".[]").split(".")
    found: list[str] = []
    _walk(chunk, names, lambda holder, key: found.append(holder[key] or ""))
    whole = "".join(found)
    if len(whole) < 2:
        yield chunk
        return
    first, rest = copy.deepcopy(chunk), copy.deepcopy(chunk)
    _walk(first, names, lambda holder, key: holder.update({key: whole[0]}))
    _walk(rest, names, lambda holder, key: holder.update({key: whole[1:]}))
    for each in ("id", "type"):
        _walk(rest, ["choices", "[]", "delta", "tool_calls", "[]", each], _drop)
    _walk(rest, ["choices", "[]", "delta", "tool_calls", "[]", "function", "name"], _drop)
    yield first
    yield rest


def _paths(scenario: str) -> dict[str, Any]:
    """Every leaf that is not null, with its first value."""
    found: dict[str, Any] = {}
    body = load(PROJECT.cassette(RECORDED[scenario])).interactions[-1].response.body
    for event in events(body):
        if event.data.strip() != "[DONE]":
            _collect(json.loads(event.data), "", found)
    return found


def _collect(value: Any, place: str, found: dict[str, Any]) -> None:
    if isinstance(value, dict):
        for name, part in value.items():
            _collect(part, f"{place}.{name}" if place else name, found)
    elif isinstance(value, list):
        for part in value:
            _collect(part, f"{place}[]", found)
    elif value not in (None, "", 0) and place != "choices[].index":
        found.setdefault(place, value)


def _other(value: Any) -> Any:
    return value + 1 if isinstance(value, int) else "another"


def _drop(holder: Any, key: Any) -> None:
    holder.pop(key, None)


def _set(value: Any, holder: Any, key: Any) -> None:
    if holder.get(key) is not None:
        holder[key] = value


def _each(path: str, act: Callable[[Any, Any], None], chunks: list[Json]) -> list[Json]:
    own = copy.deepcopy(chunks)
    for chunk in own:
        _walk(chunk, path.replace("[]", ".[]").split("."), act)
    return own


def _walk(value: Any, names: list[str], act: Callable[[Any, Any], None]) -> None:
    name, *rest = names
    if name == "[]":
        for part in value if isinstance(value, list) else ():
            _walk(part, rest, act)
    elif isinstance(value, dict) and name in value:
        if rest:
            _walk(value[name], rest, act)
        else:
            act(value, name)


def _carries(path: str, chunk: Json) -> bool:
    found: list[Any] = []
    _walk(chunk, path.replace("[]", ".[]").split("."), lambda holder, key: found.append(holder[key]))
    return any(value is not None for value in found)


def _first(path: str, chunks: list[Json]) -> list[Json]:
    return sorted(chunks, key=lambda chunk: not _carries(path, chunk))


def _twice(path: str, chunks: list[Json]) -> list[Json]:
    return [
        each
        for chunk in chunks
        for each in ([chunk, copy.deepcopy(chunk)] if _carries(path, chunk) else [chunk])
    ]
