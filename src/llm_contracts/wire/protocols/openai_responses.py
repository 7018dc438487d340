"""OpenAI's Responses API, streamed and whole, and the gateways and vendors that copy it.

Finish reasons are the API's own words: the status of the response, or why it is incomplete. Tool calls are
those that the application has to make; what the provider runs by itself stays under its own names. Of a
stream the pieces are read; what later events repeat is compared under their own names. Where something did
not come in pieces, as gateways send it, the event is read that says the whole of it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_contracts.util.json_values import as_list, as_mapping, as_text
from llm_contracts.wire.protocols.protocol import Document, Protocol, Reading, tool_call, without, words

_CALLS = {"function_call": ("function", "arguments"), "custom_tool_call": ("custom", "input")}
"""Items of output that ask the application for something → the type of the call, and what it is given."""

_OF_CALLS = ("call_id", "name", "arguments", "input")
_PIECES = {
    "response.output_text": ("content", "text"),
    "response.refusal": ("refusal", "refusal"),
    "response.reasoning_summary_text": ("reasoning", "text"),
    "response.reasoning_text": ("reasoning", "text"),
    "response.function_call_arguments": ("arguments", "arguments"),
    "response.custom_tool_call_input": ("arguments", "input"),
}
"""What comes in events of `delta` → what it is, and where the event of `done` says the whole of it."""

_STATES = frozenset({"completed", "incomplete", "failed", "cancelled"})


def _speaks(document: Document) -> bool:
    kind = document.get("type")
    return document.get("object") == "response" or (isinstance(kind, str) and kind.startswith("response."))


@dataclass(slots=True)
class _ResponsesReader:
    """Numbers the tool calls of an answer in the order in which they begin, and knows what has been said. A
    client may hand several answers on, one after the other.
    """

    calls: dict[str, int] = field(default_factory=dict)
    said: set[str] = field(default_factory=set)

    def __call__(self, document: Document) -> Reading:
        if document.get("object") == "response":
            self._begin()
            return Reading(chunk=self._whole(document), last=True)
        kind, rest = document["type"], dict(document)
        if kind == "response.created":
            self._begin()
        response = rest.pop("response", None)
        if isinstance(response, Mapping):
            return self._of_response(kind, rest, response)
        base, _, step = kind.rpartition(".")
        delta: dict[str, Any] = {}
        if base in _PIECES:
            place, whole = _PIECES[base]
            part = _part(base if place != "arguments" else place, document)
            name = "delta" if step == "delta" else whole
            if isinstance(document.get(name), str) and (step == "delta" or part not in self.said):
                self.said.add(part)
                delta = self._piece(place, rest.pop(name), document)
        elif base == "response.output_item" and (call := self._call(document.get("item"), document)):
            delta = {"tool_calls": [call]}
            rest["item"] = without(document["item"], *_OF_CALLS)
        return Reading(chunk={**rest, "choices": [{"index": 0, "delta": delta}]})

    def _begin(self) -> None:
        self.calls.clear()
        self.said.clear()

    def _piece(self, place: str, text: str, document: Document) -> dict[str, Any]:
        if place != "arguments":
            return {place: text}
        index = self.calls.setdefault(_item(document), len(self.calls))
        return {"tool_calls": [{"index": index, "function": {"arguments": text}}]}

    def _of_response(self, kind: str, rest: dict[str, Any], response: Document) -> Reading:
        ended = kind.rpartition(".")[2] in _STATES
        left = without(response, "id", "model", *(("usage",) if response.get("usage") else ()))
        choice: dict[str, Any] = {"index": 0, "delta": {}}
        if ended:
            choice["finish_reason"] = _finish(response)
            choice["delta"] = {} if self.said or self.calls else self._message(response)
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
        calls = [
            call for place, item in enumerate(items) if (call := self._call(item, {"output_index": place}))
        ]
        texts = {
            "content": _joined(items, "message", ("content",), "text", part_kind="output_text"),
            "refusal": _joined(items, "message", ("content",), "refusal", part_kind="refusal"),
            "reasoning": _joined(items, "reasoning", ("summary", "content"), "text"),
        }
        return {name: value for name, value in {**texts, "tool_calls": calls}.items() if value}

    def _whole(self, response: Document) -> Document:
        finish = _finish(response) or as_text(response.get("status")) or None  # queued, or still at work
        return {
            **without(response, "output"),
            "output": [_rest_of_item(as_mapping(item)) for item in as_list(response.get("output"))],
            "choices": [{"index": 0, "message": self._message(response), "finish_reason": finish}],
        }

    def _call(self, item: Any, place: Document) -> dict[str, Any] | None:
        """The call that an item is; of one that has begun only what has not been said yet."""
        item = as_mapping(item)
        kind, name = _CALLS.get(as_text(item.get("type")), ("", ""))
        if not kind:
            return None
        part, begun = _part("arguments", place), _item(place) in self.calls
        arguments = "" if part in self.said else item.get(name) or ""
        if arguments:
            self.said.add(part)
        index = self.calls.setdefault(_item(place), len(self.calls))
        if begun:
            return {"index": index, "function": {"arguments": arguments}} if arguments else None
        return tool_call(index, item.get("call_id"), item.get("name"), arguments, kind)


def _item(place: Document) -> str:
    """Which item of the output an event is about."""
    return repr(place.get("output_index", place.get("item_id", as_mapping(place.get("item")).get("id"))))


def _part(what: str, place: Document) -> str:
    return f"{what} {_item(place)} {place.get('content_index') or place.get('summary_index') or 0}"


def _finish(response: Document) -> str | None:
    status = as_text(response.get("status"))
    reason = as_mapping(response.get("incomplete_details")).get("reason")
    return reason if status == "incomplete" and reason else status if status in _STATES else None


def _joined(
    items: list[Document], kind: str, places: tuple[str, ...], name: str, *, part_kind: str = ""
) -> str:
    """The texts of this name in all parts, of one kind or of any, in these places of such items."""
    found = (item.get(place) for item in items if item.get("type") == kind for place in places)
    parts = (as_mapping(part) for listed in found for part in as_list(listed))
    return "".join(as_text(part.get(name)) for part in parts if part_kind in ("", part.get("type")))


def _rest_of_item(item: Document) -> Document:
    """What is left of an item of output when its text and its call have been read."""
    if as_text(item.get("type")) in _CALLS:
        return without(item, *_OF_CALLS)
    read = {
        name: [without(part, "text", "refusal") if isinstance(part, Mapping) else part for part in value]
        for name in ("content", "summary")
        if item.get("type") in ("message", "reasoning") and isinstance(value := item.get(name), list)
    }
    return {**item, **read}


def _error(document: Document) -> Document | None:
    """An error event, flat or in an envelope, or a response that failed."""
    if document.get("type") == "error" and isinstance(document.get("message"), str):
        return without(document, "type", "sequence_number")
    response = document if document.get("object") == "response" else as_mapping(document.get("response"))
    error = as_mapping(response.get("error"))
    if response.get("status") != "failed" and not error:
        return None
    return {**error, "message": str(error.get("message") or "the response failed")}


OPENAI_RESPONSES = Protocol(
    name="openai-responses",
    speaks=_speaks,
    reader=_ResponsesReader,
    error=_error,
    members=words(
        "response output item delta text status incomplete_details output_index item_id content_index "
        "call_id arguments summary sequence_number part input_tokens output_tokens total_tokens usage "
        "name refusal"
    ),
    path=r"/responses(?:/[^/]+)?",
)
