"""OpenAI's Responses API, streamed and whole, and the gateways and vendors that copy it.

Finish reasons are the API's own words: the status of the response, or why it is incomplete. Tool calls are
those that the application has to make; what the provider runs by itself stays under its own names. Of a
stream the pieces are read; what its last events repeat is compared under their own names, so that a client
that hands on nothing but the end does not seem to hand on everything.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_contracts.util.json_values import as_list, as_mapping, as_text
from llm_contracts.wire.protocols.protocol import Document, Protocol, Reading

_CALLS = {"function_call": "function", "custom_tool_call": "custom"}
"""Items of output that ask the application for something → the type of the tool call."""

_ENDS = frozenset({"response.completed", "response.incomplete", "response.failed"})
_DELTAS = {
    "response.output_text.delta": "content",
    "response.refusal.delta": "refusal",
    "response.reasoning_summary_text.delta": "reasoning",
    "response.reasoning_text.delta": "reasoning",
}
_ARGUMENTS = frozenset({"response.function_call_arguments.delta", "response.custom_tool_call_input.delta"})
_STATES = frozenset({"completed", "incomplete", "failed", "cancelled"})


def _speaks(document: Document) -> bool:
    kind = document.get("type")
    return document.get("object") == "response" or (isinstance(kind, str) and kind.startswith("response."))


@dataclass(slots=True)
class _Reader:
    """Numbers the tool calls of one answer in the order in which they begin."""

    calls: dict[str, int] = field(default_factory=dict)

    def __call__(self, document: Document) -> Reading:
        if document.get("object") == "response":
            return Reading(chunk=self._whole(document), last=True)
        kind, rest = document["type"], dict(document)
        response = rest.pop("response", None)
        if isinstance(response, Mapping):
            return self._of_response(kind, rest, response)
        delta: dict[str, Any] = {}
        if kind in _DELTAS and isinstance(document.get("delta"), str):
            delta = {_DELTAS[kind]: rest.pop("delta")}
        elif kind in _ARGUMENTS:
            function = {"arguments": rest.pop("delta", "")}
            delta = {"tool_calls": [{"index": self._index(document), "function": function}]}
        elif kind == "response.output_item.added" and (call := self._call(document.get("item"), document)):
            delta = {"tool_calls": [call]}
            rest["item"] = _without(document["item"], "call_id", "name", "arguments", "input")
        return Reading(chunk={**rest, "choices": [{"index": 0, "delta": delta}]})

    def _of_response(self, kind: str, rest: dict[str, Any], response: Document) -> Reading:
        ended = kind in _ENDS
        left = _without(response, "id", "model", *(("usage",) if response.get("usage") else ()))
        choice: dict[str, Any] = {"index": 0, "delta": {}}
        if ended:
            choice["finish_reason"] = _finish(response)
        chunk = {
            **rest,
            "id": response.get("id"),
            "model": response.get("model"),
            "response": left,
            "choices": [choice],
            **({"usage": response["usage"]} if response.get("usage") else {}),
        }
        return Reading(chunk=chunk, last=ended)

    def _message(self, response: Document) -> dict[str, Any]:
        items = [as_mapping(item) for item in as_list(response.get("output"))]
        calls = [call for item in items if (call := self._call(item, item, whole=True))]
        texts = {
            "content": "".join(_parts(items, "message", "content", "output_text", "text")),
            "refusal": "".join(_parts(items, "message", "content", "refusal", "refusal")),
            "reasoning": "".join(_reasoning(items)),
        }
        message: dict[str, Any] = {name: text for name, text in texts.items() if text}
        return {**message, **({"tool_calls": calls} if calls else {})}

    def _whole(self, response: Document) -> Document:
        finish = _finish(response) or as_text(response.get("status")) or None  # queued, or still at work
        return {
            **_without(response, "output"),
            "output": [_rest_of_item(as_mapping(item)) for item in as_list(response.get("output"))],
            "choices": [{"index": 0, "message": self._message(response), "finish_reason": finish}],
        }

    def _call(self, item: Any, place: Document, *, whole: bool = False) -> dict[str, Any] | None:
        item = as_mapping(item)
        kind = _CALLS.get(as_text(item.get("type")))
        if kind is None:
            return None
        given = item.get("arguments" if kind == "function" else "input")
        function = {"name": item.get("name"), "arguments": given if whole or given else ""}
        return {
            "index": self._index(place),
            "id": item.get("call_id"),
            "type": kind,
            "function": function,
        }

    def _index(self, place: Document) -> int:
        key = place.get("output_index", place.get("item_id", place.get("call_id")))
        return self.calls.setdefault(repr(key), len(self.calls))


def _finish(response: Document) -> str | None:
    status = as_text(response.get("status"))
    reason = as_mapping(response.get("incomplete_details")).get("reason")
    return reason if status == "incomplete" and reason else status if status in _STATES else None


def _parts(items: list[Document], kind: str, place: str, part_kind: str, name: str) -> Iterator[str]:
    for item in items:
        for part in as_list(item.get(place)) if item.get("type") == kind else ():
            text = as_mapping(part).get(name)
            if as_mapping(part).get("type") == part_kind and isinstance(text, str):
                yield text


def _reasoning(items: list[Document]) -> Iterator[str]:
    for item in items:
        for part in (*as_list(item.get("summary")), *as_list(item.get("content"))):
            text = as_mapping(part).get("text")
            if item.get("type") == "reasoning" and isinstance(text, str):
                yield text


def _rest_of_item(item: Document) -> Document:
    """What is left of an item of output when its text and its call have been read."""
    if as_text(item.get("type")) in _CALLS:
        return _without(item, "call_id", "name", "arguments", "input")
    cut: Callable[[Any], Any] = lambda part: (  # noqa: E731 - one line, used twice
        _without(part, "text", "refusal") if isinstance(part, Mapping) else part
    )
    read = {
        name: list(map(cut, value))
        for name in ("content", "summary")
        if item.get("type") in ("message", "reasoning") and isinstance(value := item.get(name), list)
    }
    return {**item, **read}


def _without(value: Document, *names: str) -> dict[str, Any]:
    return {name: part for name, part in value.items() if name not in names}


def _error(document: Document) -> Document | None:
    """An error event, flat or in an envelope, or a response that failed."""
    if document.get("type") == "error" and isinstance(document.get("message"), str):
        return _without(document, "type", "sequence_number")
    response = document if document.get("object") == "response" else as_mapping(document.get("response"))
    error = as_mapping(response.get("error"))
    if response.get("status") != "failed" and not error:
        return None
    return {**error, "message": str(error.get("message") or "the response failed")}


OPENAI_RESPONSES = Protocol(
    name="openai-responses",
    speaks=_speaks,
    reader=_Reader,
    error=_error,
    members=frozenset(
        {
            *("response", "output", "item", "delta", "text", "status", "incomplete_details", "output_index"),
            *("item_id", "content_index", "call_id", "arguments", "summary", "sequence_number", "part"),
            *("input_tokens", "output_tokens", "total_tokens", "usage", "name", "refusal"),
        }
    ),
    path=r"/responses(?:/[^/]+)?",
)
