"""Kinds of events: what each adds to an answer, and in which order they come. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from llm_contracts.util.json_values import as_list, as_mapping, read_json
from llm_contracts.wire.facts.errors import error_of_event
from llm_contracts.wire.protocols import BUILT_IN, Protocols, StreamReader
from llm_contracts.wire.sse import Event

DONE, ERROR, BROKEN, BLANK = "[DONE]", "error", "not JSON", "blank"
USAGE = "usage"
_SAID = frozenset({"reasoning", "content", "tool call", "tool arguments", "refusal"})
LAST = frozenset({"finish", "end"})
"""What an event holds that says: this was all."""


@dataclass(frozen=True, kw_only=True, slots=True)
class StreamEvent:
    """One event.

    Attributes:
        name: what it calls itself, where it has a name; otherwise it is known by what it holds.
        holds: what it adds to the answer, in a fixed order: role, reasoning, content, tool call, tool
            arguments, refusal, finish, usage, end.
        document: its JSON value; None where it has none.
    """

    name: str = ""
    holds: tuple[str, ...] = ()
    document: Any = None

    @property
    def kind(self) -> str:
        """Events of one kind are compared with each other."""
        return self.name or "+".join(self.holds) or BLANK

    @property
    def steps(self) -> tuple[str, ...]:
        """What it adds to the order. Usage has a place of its own (see `usage_place`)."""
        return (self.name,) if self.name else tuple(part for part in self.holds if part != USAGE)


def happenings(found: Iterable[Event], protocols: Protocols = BUILT_IN) -> Iterator[StreamEvent]:
    """The events of one stream, understood."""
    read = StreamReader(protocols)
    for event in found:
        yield _happening(event, read, protocols)


def _happening(event: Event, read: StreamReader, protocols: Protocols) -> StreamEvent:
    if event.data.strip() == DONE:
        return StreamEvent(name=DONE)
    document = read_json(event.data)
    if error_of_event(event.name, document, event.data, protocols) is not None:
        return StreamEvent(name=ERROR, document=document)
    if not isinstance(document, dict):
        return StreamEvent(name=BROKEN)
    said = document.get("event")
    name = event.name or (said if isinstance(said, str) else "")
    was_done = read.done
    holds = tuple(_holds(read(document)))
    ends = ("end",) if read.done and not was_done else ()
    return StreamEvent(name=name, holds=(*holds, *ends), document=document)


def _holds(chunk: Mapping[str, Any]) -> Iterator[str]:
    choice = _first(chunk.get("choices"))
    delta = as_mapping(choice.get("delta", choice.get("message")))
    if delta.get("role"):
        yield "role"
    if delta.get("reasoning_content") or delta.get("reasoning"):
        yield "reasoning"
    if delta.get("content"):
        yield "content"
    yield from _tools(delta)
    if delta.get("refusal"):
        yield "refusal"
    if choice.get("finish_reason"):
        yield "finish"
    holders = (chunk, choice, as_mapping(chunk.get("x_groq")))
    if any(isinstance(holder.get("usage"), dict) for holder in holders):
        yield USAGE


def _tools(delta: Mapping[str, Any]) -> Iterator[str]:
    call = _first(delta.get("tool_calls")) or as_mapping(delta.get("function_call"))
    if not call:
        return
    named = call.get("id") or call.get("name") or as_mapping(call.get("function")).get("name")
    yield "tool call" if named else "tool arguments"


def order_of(found: Iterable[StreamEvent]) -> tuple[str, ...]:
    """What comes after what, repetition folded: how many events a text comes in, how many tools are called,
    how often thinking and speaking take turns is for the model to say.
    """
    steps = _said_once(_roles_once([step for happening in found for step in happening.steps]))
    size = 1
    while size <= len(steps) // 2:
        folded = _folded(steps, size)
        size = size + 1 if folded == steps else 1
        steps = folded
    return tuple(steps)


def _roles_once(steps: Sequence[str]) -> list[str]:
    """Some say who speaks with every piece of text; it is the first time that counts."""
    first = steps.index("role") if "role" in steps else 0
    return [step for place, step in enumerate(steps) if step != "role" or place == first]


def _said_once(steps: Sequence[str]) -> list[str]:
    """What a model says of its own accord, the first time; and again after anything else: a finish, say."""
    found: list[str] = []
    said: set[str] = set()
    for step in steps:
        if step not in _SAID:
            said.clear()
        elif step in said:
            continue
        else:
            said.add(step)
        found.append(step)
    return found


_LONGEST_ROUND = 12  # more kinds in a round than any provider has


def _folded(steps: Sequence[str], size: int) -> list[str]:
    """Without rounds of this size that repeat the one before."""
    if size > _LONGEST_ROUND:
        return list(steps)
    folded: list[str] = []
    place = 0
    while place < len(steps):
        ahead = list(steps[place : place + size])
        if len(ahead) == size and folded[-size:] == ahead:
            place += size
        else:
            folded.append(steps[place])
            place += 1
    return folded


@dataclass(frozen=True, kw_only=True, slots=True)
class UsagePlace:
    """Where totals stand. `last`: those that count; `throughout`: whether text comes with totals, too; None
    where there was no event with text alone to see it by.
    """

    last: str
    throughout: bool | None


def usage_place(found: Sequence[StreamEvent]) -> UsagePlace | None:
    """Where the totals of a stream stand; None if there are none."""
    with_totals = [place for place, happening in enumerate(found) if USAGE in happening.holds]
    if not with_totals:
        return None
    texts = [one for one in found if set(one.holds) - {USAGE} and not LAST & set(one.holds)]
    throughout = any(USAGE in one.holds for one in texts) if texts else None
    return UsagePlace(last=_place(found, with_totals[-1]), throughout=throughout)


def _place(found: Sequence[StreamEvent], place: int) -> str:
    happening = found[place]
    others = set(happening.holds) - {USAGE}
    if happening.name:
        return f"in the event {happening.name}"
    if others & LAST:
        return "with the finish"
    if others:
        return "with text"
    finished = any(LAST & set(one.holds) for one in found[:place])
    return f"in an event of its own {'after' if finished else 'before'} the finish"


def _first(values: Any) -> Mapping[str, Any]:
    return as_mapping(next(iter(as_list(values)), None))
