"""Bring what a client yields into one canonical form, whatever library it came from.

What a named field of `Chunk` does not hold stays in `rest`, key by key, so that nothing is lost on the way.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any

from llm_contracts.clients.jsonable import jsonable
from llm_contracts.clients.messages import CLIENT_OBJECTS
from llm_contracts.clients.observation import Chunk, Usage
from llm_contracts.util.json_values import read_json
from llm_contracts.wire.events import events, take_whole, text_of
from llm_contracts.wire.protocols import BUILT_IN, Protocols, StreamReader
from llm_contracts.wire.sse import Event, EventDecoder

_TOTALS = {
    "prompt_tokens": ("prompt_tokens", "input_tokens", "input", "inputTokens"),
    "completion_tokens": ("completion_tokens", "output_tokens", "output", "outputTokens"),
    "total_tokens": ("total_tokens", "total", "totalTokens"),
}
"""Our name of a total → the names it goes by at OpenAI, in OpenAI's newer API and in Langfuse."""

_MARKS = ("choices", "result", "usage", "object")
"""An object of no API that has none of these is not a chunk."""

_DEEPEST_USAGE = 5
_COUNT = re.compile(r"\d{1,15}(\.\d{1,9})?")
_REASONING = ("reasoning_content", "reasoning")  # providers use one or the other


NO_OBJECT = "<none>"
"""Stands for the delta of a choice that has none, or null: code that reads its text fails."""


class NotAChunkError(Exception):
    """A client yielded something that is not a chunk. The message names its type, never its content."""


class ItemReader:
    """Reads what a client yields in one call, item by item: objects and mappings of any API, text, and bytes,
    which count as the events that they hold. `answer`: the index of the choice that came first, if any did.

    Args:
        protocols: the APIs that are known. What none of them claims is compared as it is.
    """

    def __init__(self, protocols: Protocols = BUILT_IN, answer: int | None = None) -> None:
        # A client may hand on objects of another API than the one it reads.
        others = (one for one in BUILT_IN if one not in protocols)
        self._read = StreamReader((*CLIENT_OBJECTS, *protocols, *others))
        self.answer = answer
        self._decoder = EventDecoder()
        self._bytes: bytearray | None = bytearray()  # None once they are known to be server-sent events

    @property
    def protocol(self) -> str:
        """The name of the API of the first item that was one's; empty where none was."""
        return next(iter(self._read.claimed), "")

    def __call__(self, item: Any) -> Iterator[Chunk]:
        """The chunks that an item is: one, or as many as there are events in bytes.

        Raises:
            NotAChunkError: the item has none of the shapes that `Client` names.
        """
        if not isinstance(item, bytes):
            yield self.chunk(item)
            return
        found: Sequence[Event] = self._decoder.feed(item)
        if found:
            self._bytes = None
        elif self._bytes is not None:
            self._bytes += item
            found = take_whole(self._bytes, item)
        yield from self._chunks(found)

    def finish(self) -> Iterator[Chunk]:
        """What is left when all bytes have come: an event cut short, or events in another framing.

        Raises:
            NotAChunkError: as above.
        """
        found, data = tuple(self._decoder.finish()), bytes(self._bytes or b"")
        if data.strip() and not found and not data.startswith(b"[,"):
            found = events(data) or (Event(data=text_of(data), name=None, end=len(data)),)
            if read_json(found[0].data) is None:
                raise NotAChunkError("bytes that are neither events nor JSON")
        yield from self._chunks(found)

    def _chunks(self, found: Iterable[Event]) -> Iterator[Chunk]:
        for event in found:
            if event.data.strip() not in ("", "[DONE]"):
                document = read_json(event.data)
                if not isinstance(document, dict):
                    document = {"data": event.data if document is None else document}
                yield self.chunk(document)

    def chunk(self, item: Any) -> Chunk:
        """The chunk that an item is that is not bytes.

        Raises:
            NotAChunkError: as above.
        """
        if isinstance(item, str):
            return Chunk(text=item)
        given = _document(item, self._read)
        read = _from_response(given) if "result" in given else _from_choices(given, self.answer)
        if self.answer is None:
            self.answer = first_index(given)
        # A `ping` says nothing.
        kind = given.get("type")
        names_itself = isinstance(kind, str) or not any(mark in given for mark in _MARKS)
        return replace(read, is_event=names_itself and kind != "ping")


def to_chunk(item: Any, answer: int | None = None) -> Chunk:
    """The canonical form of one item that says all by itself.

    Args:
        item: what the client yielded.
        answer: the index of the choice that is the answer; None for the first choice of this item.

    Raises:
        NotAChunkError: the item has none of the shapes that `Client` names.
    """
    return ItemReader(answer=answer).chunk(item)


def _document(item: Any, read: StreamReader) -> Mapping[str, Any]:
    """An item as JSON in the words of OpenAI's chat completions."""
    given = jsonable(item)
    if isinstance(given, list):
        return {"data": given}
    if isinstance(given, dict):
        before = len(read.claimed)
        found = read(given)
        # Of an object that is nobody's, nothing says that its fields are an answer.
        if found is not given or isinstance(item, Mapping) or before or any(mark in given for mark in _MARKS):
            return found
    raise NotAChunkError(f"an object of type {type(item).__name__}")


def first_index(chunk: Mapping[str, Any]) -> int | None:
    """The index of the first choice of a chunk (no index counts as 0); None where there is no choice."""
    choices = chunk.get("choices")
    return _index(choices[0]) if isinstance(choices, list) and choices else None


def to_usage(value: Any) -> Usage | None:
    """Totals and details of a usage object or mapping, by OpenAI's or Langfuse's names.

    None where there is none; an empty object says nothing, so it counts as none.
    """
    given = jsonable(value)
    if not isinstance(given, dict):
        return None
    numbers = dict(_numbers(given))
    if not numbers:
        return None
    names = {ours: next((n for n in theirs if n in numbers), None) for ours, theirs in _TOTALS.items()}
    totals = {ours: numbers.pop(name) for ours, name in names.items() if name is not None}
    return Usage(**totals, details=numbers, names=tuple(name for name in names.values() if name is not None))


def _from_choices(item: Mapping[str, Any], answer: int | None) -> Chunk:
    rest = dict(item)
    given = rest.pop("choices", None)
    choices = [choice for choice in given if isinstance(choice, dict)] if isinstance(given, list) else []
    wanted = first_index(item) if answer is None else answer
    main = next((choice for choice in choices if _index(choice) == wanted), None)
    fields, left = _choice(main) if main is not None else ({}, {})
    others = [_other(choice) for choice in choices if choice is not main]
    kept = [{"index": _index(choice), **_choice(choice)[1]} for choice in choices if choice is not main]
    if main is not None:
        left = {"index": main.get("index"), **left}
    if left or kept:
        rest["choices"] = [left, *kept]
    elif "choices" in item and not choices:
        rest["choices"] = given
    return Chunk(
        **fields,
        usage=_usage(rest),
        id=_label(rest.pop("id", None)),
        model=_label(rest.pop("model", None)),
        others=tuple(others),
        rest=rest,
    )


def _from_response(item: Mapping[str, Any]) -> Chunk:
    rest = dict(item)
    text, extra = _content(rest.pop("result"), "content")
    return Chunk(
        text=text,
        finish_reason=_label(rest.pop("finish_reason", None)),
        usage=_usage(rest),
        id=_label(rest.pop("id", None)),
        extra=extra,
        rest=rest,
    )


def _choice(choice: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What the named fields of a chunk hold of one choice, and what is left of it.

    A whole completion has a `message` where a stream has a `delta`.
    """
    rest = dict(choice)
    rest.pop("index", None)
    whole = isinstance(rest.get("message"), dict) and not isinstance(rest.get("delta"), dict)
    place = "message" if whole else "delta"
    given = rest.pop(place, None)
    delta = dict(given) if isinstance(given, dict) else {}
    content = delta.pop("content", None)
    text, extra = _content(content, "content")
    keys = tuple(name for name in _REASONING if delta.get(name))
    reasoning, more = _content(delta.pop(keys[0]) if keys else None, "reasoning")
    named = {name: value for name in ("refusal", "function_call") if (value := delta.pop(name, None))}
    calls = delta.pop("tool_calls", None)
    split = [_tool_call(call) for call in calls if isinstance(call, dict)] if isinstance(calls, list) else []
    fields = {
        "text": text,
        "reasoning": reasoning,
        "reasoning_keys": keys,
        "tool_calls": tuple(call for call, _ in split),
        "finish_reason": _label(rest.pop("finish_reason", None)),
        "role": _label(delta.pop("role", None)),
        "extra": {**extra, **more, **named},
    }
    if content == "":
        delta["content"] = ""  # null is another thing to who joins the pieces
    left = [more for _, more in split]
    if any(left):
        delta["tool_calls"] = left
    if delta or not isinstance(given, dict):
        rest[place] = delta or NO_OBJECT
    return fields, rest


def _other(choice: Mapping[str, Any]) -> dict[str, Any]:
    fields, _ = _choice(choice)
    return {"index": _index(choice), **{name: value for name, value in fields.items() if value}}


def _index(choice: Any) -> int:
    index = choice.get("index") if isinstance(choice, Mapping) else None
    return index if isinstance(index, int) else 0


def _content(value: Any, place: str) -> tuple[str, dict[str, Any]]:
    """Text, or what stood in its place: Mistral sends a list of typed parts, and some servers a number."""
    if value is None or isinstance(value, str):
        return value or "", {}
    return "", {place: value}


def _tool_call(call: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    """What is named of one tool call, and what is left of it."""
    rest = dict(call)
    function = rest.pop("function", None)
    function = dict(function) if isinstance(function, dict) else {}
    given = {name: rest.pop(name, None) for name in ("index", "id", "type")}
    given |= {name: function.pop(name, None) for name in ("name", "arguments")}
    if given["arguments"] == "":
        function["arguments"] = ""
    if function:
        rest["function"] = function
    return {name: value for name, value in given.items() if value is not None}, rest


def _usage(rest: dict[str, Any]) -> Usage | None:
    """The usage, taken out of what is left; what of it is not a number stays."""
    given = rest.pop("usage", None)
    words = _words(given)
    if words:
        rest["usage"] = words
    return to_usage(given) if given is not None else None


def _words(value: Any) -> Any:
    """What of a usage object is neither a number nor null; a number as text is one for nobody who adds up."""
    if isinstance(value, dict):
        return {name: left for name, part in value.items() if (left := _words(part))}
    if isinstance(value, list):
        return [left for part in value if (left := _words(part))]
    return value if isinstance(value, (bool, str)) else None


def _label(value: Any) -> str | None:
    return None if value is None else str(value)


def _numbers(value: Any, place: str = "", depth: int = 0) -> Iterator[tuple[str, int | float]]:
    number = _number(value)
    if number is not None:
        yield place, number
    if depth > _DEEPEST_USAGE or not isinstance(value, (dict, list)):
        return
    for name, part in enumerate(value) if isinstance(value, list) else value.items():
        yield from _numbers(part, f"{place}.{name}" if place else str(name), depth + 1)


def _number(value: Any) -> int | float | None:
    """A count: some servers send it as a float, others as text."""
    if isinstance(value, bool) or not isinstance(value, (int, float, str)):
        return None
    if isinstance(value, str):
        if not _COUNT.fullmatch(value):
            return None
        value = float(value)
    return int(value) if isinstance(value, float) and value.is_integer() else value
