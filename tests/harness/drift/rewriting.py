"""Streams taken apart into documents, changed, and put together again."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from llm_contracts.wire.cassette import load
from llm_contracts.wire.events import events
from llm_contracts.wire.interaction import Response

CASSETTES = Path(__file__).parents[3] / "cassettes"


@dataclass(frozen=True, kw_only=True)
class Part:
    """One event: its name, and its document or what stands in place of one (`[DONE]`)."""

    name: str | None
    document: Any


def response(name: str) -> Response:
    """The last answer of a recording."""
    return load(CASSETTES / f"{name}.yaml").interactions[-1].response


def taken_apart(answer: Response) -> list[Part]:
    """Its events; a document is a single part."""
    found = events(answer.body)
    if not found:
        return [Part(name=None, document=json.loads(answer.body))]
    return [Part(name=one.name, document=_value(one.data)) for one in found]


def put_together(answer: Response, parts: Sequence[Part]) -> Response:
    """The same answer with other events, which say nothing about pieces."""
    if not events(answer.body):
        return replace(answer, body=json.dumps(parts[0].document).encode(), pieces=None)
    return replace(answer, body=b"".join(map(_event, parts)), pieces=None)


def _value(data: str) -> Any:
    try:
        return json.loads(data)
    except ValueError:
        return data


def _event(part: Part) -> bytes:
    name = f"event: {part.name}\n" if part.name else ""
    data = part.document if isinstance(part.document, str) else json.dumps(part.document)
    return f"{name}data: {data}\n\n".encode()


def holders(document: Any, path: str = "") -> Iterator[tuple[dict[str, Any], str, str]]:
    """Every member of every object in a document: the object, the member's name, and its place."""
    if isinstance(document, dict):
        for name, value in list(document.items()):
            place = f"{path}.{name}" if path else name
            yield document, name, place
            yield from holders(value, place)
    elif isinstance(document, list):
        for element in document:
            yield from holders(element, f"{path}[]")


def with_leaves(document: Any, change: Callable[[str, Any], Any], name: str = "") -> Any:
    """A document with its leaves changed; `change` is given each one's name and value."""
    if isinstance(document, dict):
        return {key: with_leaves(value, change, key) for key, value in document.items()}
    if isinstance(document, list):
        return [with_leaves(element, change, name) for element in document]
    return change(name, document)


def with_member(
    parts: Sequence[Part], wanted: Sequence[int], place: str, change: Callable[[dict[str, Any], str], None]
) -> list[Part]:
    """The parts, with one place changed in those that are wanted."""
    changed = copy.deepcopy(list(parts))
    for number in wanted:
        for holder, name, found in list(holders(changed[number].document)):
            if found == place and name in holder:
                change(holder, name)
    return changed
