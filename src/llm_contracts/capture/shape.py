"""The shape of a call: all that tells it from others but the words. A million calls have some dozens."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any
from urllib.parse import urlsplit

from llm_contracts.util.json_values import as_list, as_mapping, read_json
from llm_contracts.wire.content import decoded
from llm_contracts.wire.events import events
from llm_contracts.wire.interaction import End, Interaction, Response
from llm_contracts.wire.protocols import BUILT_IN, GENERIC, Protocols, protocol_at
from llm_contracts.wire.sse import Event

_VERSION = re.compile(r"([-@:_]?(20\d\d-?\d\d-?\d\d|latest|preview|\d{3,4}))+$")
_PLAIN = re.compile(r"(?!.*\d{6})(\d{3} )?@?[\w.:=+/-]{1,80}", re.ASCII)
_TOLD = frozenset({"stream", "n", "tool_choice", "reasoning_effort", "parallel_tool_calls", "service_tier"})
"""Parameters whose value changes what an answer looks like."""

_LONGEST_CYCLE = 4
_MOST_KINDS = 60
_FAILED = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class Shape:
    """What one call looked like.

    Attributes:
        api: which API was called; `generic` for an address that none is known by.
        model: the model's family, without dates and versions.
        parameters: what the request named, sorted; with the value where it changes what comes.
        events: the kinds of events in their order, repetitions left out; of a whole answer its members.
        finish: the finish reasons, in order.
        usage: the members of the totals, by the kind of event that carried them.
        errors: status, kind of error and end of each attempt that did not simply succeed.
    """

    api: str
    model: str
    parameters: tuple[str, ...]
    events: tuple[str, ...]
    finish: tuple[str, ...]
    usage: tuple[str, ...]
    errors: tuple[str, ...]

    @property
    def key(self) -> str:
        """Ten hex digits, the same for the same shape in every run."""
        text = json.dumps(asdict(self), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()[:10]

    def __str__(self) -> str:
        """What tells it from others, in a line; of words that no API would use only that they are there."""
        parts = (self.api, self.model, *self.parameters, *self.finish, *self.errors)
        return " ".join(part if _PLAIN.fullmatch(part) else "…" for part in parts if part)


def shape_of(interactions: Sequence[Interaction], protocols: Protocols = BUILT_IN) -> Shape:
    """The shape of a call, which is one exchange or, where it was tried again, several."""
    *_, last = interactions
    sent = as_mapping(read_json(last.request.body))
    response = decoded(last.response)
    documents = list(_documents(response))
    return Shape(
        api=api_of(last, protocols),
        model=_family(sent.get("model"), last),
        parameters=tuple(sorted(_parameters(sent))),
        events=_folded([kind for kind, _ in documents]),
        finish=tuple(dict.fromkeys(reason for _, one in documents for reason in _finish(one))),
        usage=tuple(dict.fromkeys(place for kind, one in documents for place in _usage(kind, one))),
        errors=tuple(found for each in interactions for found in _error(each.response)),
    )


def api_of(interaction: Interaction, protocols: Protocols = BUILT_IN) -> str:
    """The API that was called, by the path alone."""
    protocol = protocol_at(interaction.request.uri, protocols)
    return GENERIC if protocol is None else protocol.name


def _family(model: object, interaction: Interaction) -> str:
    name = str(model or "")
    if not name and (match := re.search(r"/models/([^/:]+):", urlsplit(interaction.request.uri).path)):
        name = match[1]
    name = name.removeprefix("ft:").partition(":")[0].lower() if name.startswith("ft:") else name.lower()
    return _VERSION.sub("", name)


def _parameters(sent: Mapping[str, Any]) -> Iterator[str]:
    for name, value in sent.items():
        if name in _TOLD and isinstance(value, str | int | bool):
            yield f"{name}={json.dumps(value).strip(chr(34))}"
        elif name in ("response_format", "thinking", "tool_choice"):
            yield f"{name}={as_mapping(value).get('type', '')}"
        elif name != "model":
            yield name
    yield from {
        f"{message.get('role', '')}:{kind}"
        for name in ("messages", "input", "contents")
        for message in map(as_mapping, as_list(sent.get(name)))
        for kind in _contents(message)
    }


def _contents(message: Mapping[str, Any]) -> Iterator[str]:
    """What kinds of parts a message has, beside plain text."""
    if message.get("tool_calls"):
        yield "tool_calls"
    parts = [as_mapping(part) for part in as_list(message.get("content") or message.get("parts"))]
    yield from (str(part.get("type") or "+".join(sorted(part))) for part in parts)
    if not parts:
        yield str(message.get("type") or "text")


def _documents(response: Response) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """Each event, or the whole answer, with its kind."""
    found = events(response.body)
    if not found:
        whole = read_json(response.body)
        listed = [as_mapping(each) for each in whole] if isinstance(whole, list) else [as_mapping(whole)]
        for one in listed:
            yield _kind(None, one) or ("empty" if not response.body else "bytes"), one
        return
    for event in found:
        one = as_mapping(read_json(event.data))
        yield _kind(event, one), one


def _kind(event: Event | None, one: Mapping[str, Any]) -> str:
    name = one.get("type") or (event.name if event else None)
    if name:
        return str(name)
    if event is not None and not one:
        return event.data.strip() if event.data.strip() == "[DONE]" else "bytes"
    choices = [as_mapping(choice) for choice in as_list(one.get("choices") or one.get("candidates"))]
    marks = [mark for choice in choices for mark in _marks(choice)]
    others = [name for name in ("error", "usage", "usageMetadata", "data", "object") if one.get(name)]
    if event is not None and choices and "object" in others:
        others.remove("object")
    return "+".join(dict.fromkeys((*marks, *others))) or "+".join(sorted(one))


def _marks(choice: Mapping[str, Any]) -> Iterator[str]:
    if choice.get("index"):
        yield "next choice"
    said = as_mapping(choice.get("delta") or choice.get("message") or choice.get("content"))
    for name, value in said.items():
        if name == "parts":
            yield from ("+".join(sorted(as_mapping(part))) for part in as_list(value))
        elif name != "role" and value not in (None, ""):
            yield name
    if choice.get("finish_reason") or choice.get("finishReason"):
        yield "finish"
    if choice.get("logprobs"):
        yield "logprobs"


def _finish(one: Mapping[str, Any]) -> Iterator[str]:
    for choice in as_list(one.get("choices") or one.get("candidates")):
        reason = as_mapping(choice).get("finish_reason") or as_mapping(choice).get("finishReason")
        if isinstance(reason, str):
            yield reason
    for holder in (one, as_mapping(one.get("delta")), as_mapping(one.get("response"))):
        for name in ("stop_reason", "status"):
            if isinstance(holder.get(name), str):
                yield holder[name]


def _usage(kind: str, one: Mapping[str, Any]) -> Iterator[str]:
    for holder in (one, as_mapping(one.get("message")), as_mapping(one.get("response"))):
        for name in ("usage", "usageMetadata"):
            if isinstance(holder.get(name), dict):
                yield f"{kind}: {' '.join(sorted(_members(holder[name])))}"


def _members(value: Mapping[str, Any], before: str = "") -> Iterator[str]:
    for name, part in value.items():
        if isinstance(part, dict):
            yield from _members(part, f"{before}{name}.")
        else:
            yield before + name


def _error(response: Response) -> Iterator[str]:
    if response.status >= _FAILED or not response.status:
        error = as_mapping(as_mapping(read_json(response.body)).get("error"))
        yield f"{response.status} {error.get('type') or error.get('status') or ''}".strip()
    if response.end is not End.COMPLETE:
        yield str(response.end)


def _folded(kinds: Sequence[str]) -> tuple[str, ...]:
    """The kinds without repetitions of one or of several in turn."""
    folded: list[str] = []
    for kind in kinds:
        folded.append(kind)
        for size in range(1, _LONGEST_CYCLE + 1):
            if folded[-size:] == folded[-2 * size : -size]:
                del folded[-size:]
                break
    return tuple(folded[:_MOST_KINDS])
