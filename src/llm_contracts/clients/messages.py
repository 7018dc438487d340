"""Objects that frameworks hand on in place of an API's own: LangChain's messages, pydantic-ai's events and
responses, the events of OpenAI's Agents SDK, and those of `chat.completions.stream` in OpenAI's own. They are
read as they come, like the objects of an API.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llm_contracts.util.json_values import as_list, as_mapping, as_text
from llm_contracts.wire.protocols import OPENAI_CHAT, OPENAI_RESPONSES, Protocol, Protocols, Reading

Document = Mapping[str, Any]

_OWN_ID = "lc_run-"
"""How an id begins that LangChain makes up for each run (`langchain_core.messages.base`: `LC_ID_PREFIX`); any
other is the provider's.
"""


def _message(given: Document) -> Reading:
    """A LangChain message. What it was made from stays in `response_metadata`."""
    rest = dict(given)
    metadata = dict(as_mapping(rest.pop("response_metadata", None)))
    content = rest.pop("content", None)
    texts, others = _blocks(content)
    pieces = as_list(rest.pop("tool_call_chunks", None))
    calls = as_list(rest.pop("tool_calls", None))
    delta: dict[str, Any] = {"content": texts}
    extra = dict(as_mapping(rest.pop("additional_kwargs", None)))
    if isinstance(reasoning := extra.pop("reasoning_content", None), str):
        delta["reasoning_content"] = reasoning
    if found := [_call(as_mapping(call), place) for place, call in enumerate(pieces or calls)]:
        delta["tool_calls"] = found
    finish, model = (metadata.pop(name, None) for name in ("finish_reason", "model_name"))
    usage = rest.pop("usage_metadata", None)
    if as_text(rest.get("id")).startswith(_OWN_ID):
        rest.pop("id")
    return Reading(
        chunk={
            **rest,
            "additional_kwargs": extra,
            "content": others,
            "response_metadata": metadata,
            "model": model,
            "usage": usage,
            "choices": [{"index": 0, "delta": delta, "finish_reason": finish}],
        }
    )


def _blocks(content: Any) -> tuple[str, list[Any]]:
    """The text of a message, and its blocks that hold something else."""
    if isinstance(content, str):
        return content, []
    blocks = as_list(content)
    texts = [block if isinstance(block, str) else as_mapping(block).get("text") for block in blocks]
    others = [block for block, text in zip(blocks, texts, strict=True) if not isinstance(text, str)]
    return "".join(text for text in texts if isinstance(text, str)), others


def _call(call: Document, place: int) -> Document:
    arguments = call.get("args")
    text = arguments if isinstance(arguments, str) or arguments is None else json.dumps(arguments)
    index = call.get("index")
    named = {"index": place if index is None else index, "id": call.get("id"), "type": "function"}
    return {**named, "function": {"name": call.get("name"), "arguments": text}}


_PIECES = {"text": "content", "thinking": "reasoning_content"}
_EVENTS = frozenset({"part_start", "part_delta", "part_end", "final_result"})


def _event(given: Document) -> Reading:
    """An event of a pydantic-ai run: a part begins, or goes on. Its end repeats it."""
    rest = dict(given)
    kind = given["event_kind"]
    part = dict(as_mapping(rest.pop("part" if kind == "part_start" else "delta", None)))
    delta = {} if kind in {"part_end", "final_result"} else _part(part, given.get("index"))
    return Reading(chunk={**rest, "part": part, "choices": [{"index": 0, "delta": delta}]})


def _part(part: dict[str, Any], index: Any) -> dict[str, Any]:
    kind = as_text(part.get("part_kind")) or as_text(part.get("part_delta_kind"))
    if kind in _PIECES:
        return {_PIECES[kind]: _pop_first(part, "content", "content_delta")}
    if kind not in {"tool-call", "tool_call"}:
        return {}
    arguments = _pop_first(part, "args", "args_delta")
    text = arguments if isinstance(arguments, str) or arguments is None else json.dumps(arguments)
    name = _pop_first(part, "tool_name", "tool_name_delta")
    function = {key: value for key, value in (("name", name), ("arguments", text)) if value is not None}
    call = {"index": index, "id": part.pop("tool_call_id", None), "function": function}
    return {"tool_calls": [{key: value for key, value in call.items() if value is not None}]}


def _pop_first(part: dict[str, Any], *names: str) -> Any:
    """The first of these that is there; all are taken out."""
    found = [part.pop(name, None) for name in names]
    return next((value for value in found if value is not None), None)


def _run() -> Any:
    """Reads what pydantic-ai hands on: events, a response, or both. Then the response repeats the events
    and adds how the answer ended and what it cost.
    """
    begun = False

    def reading(given: Document) -> Reading:
        nonlocal begun
        if "provider_response_id" in given:
            return _response(given, repeats=begun)
        begun = True
        return _event(given)

    return reading


def _response(given: Document, *, repeats: bool) -> Reading:
    rest = dict(given)
    parts = [dict(as_mapping(part)) for part in as_list(rest.pop("parts", None))]
    deltas = [] if repeats else [_part(part, place) for place, part in enumerate(parts)]
    message = {
        name: "".join(str(delta[name]) for delta in deltas if delta.get(name)) for name in _PIECES.values()
    }
    calls = [call for delta in deltas for call in delta.get("tool_calls", ())]
    finish, answer, model = (
        rest.pop(name, None) for name in ("finish_reason", "provider_response_id", "model_name")
    )
    return Reading(
        chunk={
            **{name: value for name, value in rest.items() if name not in {"timestamp", "run_id"}},
            "id": answer,
            "model": model,
            "parts": parts,
            "choices": [{"message": {**message, "tool_calls": calls}, "finish_reason": finish}],
        }
    )


def _agent_events() -> Any:
    """Reads the events of a run: those of the model are the API's own, the others are the SDK's."""
    read = OPENAI_RESPONSES.reader()

    def reading(given: Document) -> Reading:
        data = as_mapping(given.get("data"))
        return read(data) if OPENAI_RESPONSES.speaks(data) else Reading(chunk={"event": given["type"]})

    return reading


_AGENT_EVENTS = frozenset({"raw_response_event", "run_item_stream_event", "agent_updated_stream_event"})

_OF_CHUNKS = ("content.", "refusal.", "logprobs.", "tool_calls.function.arguments.")
"""How the types of events begin that OpenAI's helper makes of chunks."""


def _of_helper(given: Document) -> bool:
    kind = as_text(given.get("type"))
    return (kind == "chunk" and "choices" in as_mapping(given.get("chunk"))) or (
        kind.startswith(_OF_CHUNKS) and kind.endswith((".delta", ".done"))
    )


def _helper_event(given: Document) -> Reading:
    """An event of `chat.completions.stream`: a chunk, or what has been made of chunks, which repeats them."""
    return Reading(chunk=as_mapping(given.get("chunk")) or {"event": given["type"]})


CLIENT_OBJECTS: Protocols = (
    Protocol(
        name="langchain",
        speaks=lambda given: "response_metadata" in given and "additional_kwargs" in given,
        reader=lambda: _message,
    ),
    Protocol(
        name="pydantic-ai",
        speaks=lambda given: (
            as_text(given.get("event_kind")) in _EVENTS
            or ("provider_response_id" in given and "parts" in given)
        ),
        reader=_run,
    ),
    Protocol(
        name="openai-agents",
        speaks=lambda given: as_text(given.get("type")) in _AGENT_EVENTS,
        reader=_agent_events,
    ),
    Protocol(name=OPENAI_CHAT.name, speaks=_of_helper, reader=lambda: _helper_event),
)
"""What is looked for in a client's items before the APIs' own objects."""
