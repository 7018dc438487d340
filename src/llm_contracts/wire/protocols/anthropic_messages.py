"""Anthropic's Messages API, streamed and whole, also as Vertex AI and Bedrock hand it on.

Totals come twice, at the start and at the end; the later overwrite the earlier, nothing is added up. Tool
calls are those that the application has to make: what the provider runs itself stays under its own names.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_contracts.util.json_values import as_list, as_mapping, as_text
from llm_contracts.wire.protocols.protocol import (
    Document,
    Protocol,
    Reading,
    arguments_text,
    tool_call,
    without,
    words,
)

_EVENTS = words(
    "message_start message_delta message_stop ping content_block_start content_block_delta content_block_stop"
)
_BLOCKS = {"text": ("text", "content"), "thinking": ("thinking", "reasoning")}
_READ = {"text": ("text",), "thinking": ("thinking",), "tool_use": ("id", "name", "input")}
"""What is read of each kind of block."""


def _speaks(document: Document) -> bool:
    return as_text(document.get("type")) in _EVENTS or (
        document.get("type") == "message" and isinstance(document.get("content"), list)
    )


@dataclass(slots=True)
class _MessagesReader:
    """Keeps the totals so far, and which blocks are tool calls."""

    usage: dict[str, Any] = field(default_factory=dict)
    calls: dict[str, int] = field(default_factory=dict)

    def __call__(self, document: Document) -> Reading:
        kind, rest = as_text(document.get("type")), dict(document)
        if kind == "message":
            return Reading(chunk=self._whole(document), last=True)
        choice: dict[str, Any] = {"index": 0, "delta": {}}
        chunk: dict[str, Any] = {"choices": [choice]}
        if kind == "message_start":
            message = dict(as_mapping(rest.pop("message", None)))
            chunk |= {"id": message.pop("id", None), "model": message.pop("model", None)}
            chunk |= self._totals(message)
            choice["delta"] = {"role": message.pop("role", None)}
            rest["message"] = message
        elif kind == "content_block_start":
            choice["delta"] = self._begun(rest)
        elif kind == "content_block_delta":
            choice["delta"] = self._continued(rest)
        elif kind == "message_delta":
            delta = dict(as_mapping(rest.pop("delta", None)))
            choice["finish_reason"] = delta.pop("stop_reason", None)
            counted = as_mapping(rest.get("usage"))
            chunk |= self._totals(rest)
            # The totals so far hide what this event alone does not count.
            rest |= {
                "delta": delta,
                "counted": ", ".join(sorted(n for n in counted if counted[n] is not None)),
            }
        return Reading(chunk={**rest, **chunk}, last=kind == "message_stop")

    def _totals(self, holder: dict[str, Any]) -> dict[str, Any]:
        given = holder.pop("usage", None)
        if not isinstance(given, Mapping):
            return {}
        self.usage |= {name: value for name, value in given.items() if value is not None}
        return {"usage": dict(self.usage)}

    def _begun(self, rest: dict[str, Any]) -> dict[str, Any]:
        block = dict(as_mapping(rest.pop("content_block", None)))
        kind = as_text(block.get("type"))
        delta: dict[str, Any] = {}
        if kind == "tool_use":
            index = self.calls.setdefault(repr(rest.get("index")), len(self.calls))
            call_id, name, given = (block.pop(name, None) for name in _READ[kind])
            delta = {"tool_calls": [tool_call(index, call_id, name, arguments_text(given) if given else "")]}
        elif kind in _BLOCKS and (text := block.pop(_BLOCKS[kind][0], "")):
            delta = {_BLOCKS[kind][1]: text}
        rest["content_block"] = block
        return delta

    def _continued(self, rest: dict[str, Any]) -> dict[str, Any]:
        delta = dict(as_mapping(rest.pop("delta", None)))
        kind, at = as_text(delta.get("type")), repr(rest.get("index"))
        found: dict[str, Any] = {}
        if (block := kind.removesuffix("_delta")) in _BLOCKS and block != kind:
            name, ours = _BLOCKS[block]
            found = {ours: delta.pop(name, None)}
        elif kind == "input_json_delta" and at in self.calls:
            piece = delta.pop("partial_json", "")
            found = {"tool_calls": [{"index": self.calls[at], "function": {"arguments": piece}}]}
        rest["delta"] = delta
        return found

    def _whole(self, document: Document) -> Document:
        rest = dict(document)
        blocks = [as_mapping(block) for block in as_list(rest.pop("content"))]
        tools = [block for block in blocks if block.get("type") == "tool_use"]
        message: dict[str, Any] = {"role": rest.pop("role", None)}
        for kind, (name, ours) in _BLOCKS.items():
            texts = [as_text(block.get(name)) for block in blocks if block.get("type") == kind]
            if found := "".join(texts):
                message[ours] = found
        if tools:
            message["tool_calls"] = [
                tool_call(index, block.get("id"), block.get("name"), arguments_text(block.get("input")))
                for index, block in enumerate(tools)
            ]
        finish = rest.pop("stop_reason", None)
        left = [without(block, *_READ.get(as_text(block.get("type")), ())) for block in blocks]
        choices = [{"index": 0, "message": message, "finish_reason": finish}]
        return {**rest, "content": left, "choices": choices}


ANTHROPIC_MESSAGES = Protocol(
    name="anthropic-messages",
    speaks=_speaks,
    reader=_MessagesReader,
    members=words(
        "type message delta content content_block index text thinking signature partial_json stop_reason "
        "stop_sequence usage input_tokens output_tokens id name input role model"
    ),
    path=r"/messages|:(?:streamR|r)awPredict",
)
