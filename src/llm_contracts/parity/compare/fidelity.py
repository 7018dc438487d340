"""Where both clients agree with each other, but not with the bytes.

A judge that only compares two clients would call this agreement. Each finding has what the clients showed
and what the bytes say. Usage is judged in `usage`.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from llm_contracts.clients.observation import Observation
from llm_contracts.parity.compare.finding import (
    ABSENT,
    Finding,
    Findings,
    ObservationPair,
    first_difference,
    unfaithful,
)
from llm_contracts.parity.normalise import finish_reasons
from llm_contracts.wire.facts import WireFacts
from llm_contracts.wire.interaction import End
from llm_contracts.wire.protocols import GENERIC

_EXCERPT = 60  # characters
_FIRST_FAILURE = 400
_OK = 200
_CODES = frozenset({"code", "error", "error_code", "status", "status_code", "type", "blockReason"})
"""Names under which APIs send the code of an error."""

_GOOD_ENDS = frozenset(
    {
        "stop",
        "length",
        "tool_calls",
        "function_call",
        "end_turn",
        "max_tokens",
        "stop_sequence",
        "tool_use",
        "normal",
    }
)
"""Reasons, in small letters, with which an answer may end without text."""


def compare_fidelity(pair: ObservationPair) -> Findings:
    """What both clients hide or make up. Nothing where no answer is known, or where only one fails."""
    facts = pair.final
    if facts is None or pair.one_failed:
        return
    if pair.both_failed:
        yield from _failed(pair, facts)
    else:
        yield from _ended(pair, facts)
        if facts.protocol != GENERIC:  # where nobody knows what is text, no text can be wrong
            yield from _text(pair, facts)
            yield from _unseen_parts(pair, facts)
            yield from _refusal(pair, facts)
    if facts.protocol != GENERIC:
        yield from _finish(pair)


def _failed(pair: ObservationPair, facts: WireFacts) -> Findings:
    """Both fail on an answer without fault: they cannot read it, or never got to ask for it. Whoever calls a
    refusal, an end in trouble, or bytes of no event an error is not wrong.
    """
    failure = pair.reference.failure
    asked = pair.seen if pair.asks_more_than_once else (facts,)
    if failure is not None and all(map(_sound, asked)):
        yield unfaithful("error", failure.category, "a complete answer")


def _sound(facts: WireFacts) -> bool:
    if not (facts.events or facts.protocol):  # an empty body answers nothing
        return False
    whole = facts.error is None and facts.end is End.COMPLETE and facts.status < _FIRST_FAILURE
    return whole and not (facts.malformed or facts.unread or facts.refusal or _ends_in_trouble(facts))


def _ends_in_trouble(facts: WireFacts) -> bool:
    """There is no text, and the finish reason says why: a filter, a fault, no resources."""
    reason = facts.finish_reasons[-1].lower() if facts.finish_reasons else ""
    return bool(reason and not facts.whole_text and reason not in _GOOD_ENDS)


def _ended(pair: ObservationPair, facts: WireFacts) -> Findings:
    """Both end as if all were well. A cut after `[DONE]` loses nothing; a caller that hung up knows."""
    if facts.error is not None and not all(_hands_on(side, facts.error) for side in pair.sides):
        yield unfaithful("error", "a normal end", facts.error.get("message", "an error"))
    shown = {pair.reference.text, pair.candidate.text}
    if facts.unread and facts.status == _OK and (facts.events or shown != {facts.text} or not facts.text):
        yield unfaithful("body.unread", "a normal end", f"{facts.unread} bytes that no client reads")
    if facts.end not in (End.COMPLETE, End.CLIENT_LEFT) and not facts.done:
        yield unfaithful("end", "a normal end", str(facts.end))


def _hands_on(side: Observation, error: Mapping[str, Any]) -> bool:
    """Whether a client hands the error on as an item, as some SDKs do with their API's error events: with its
    whole message, or its code where codes stand. Part of a value, or a number that means something else, says
    nothing of an error.
    """
    message, code = error.get("message"), str(error.get("code") or "")
    return any(
        (name in _CODES and code and str(leaf) == code) or (message and leaf == message and message != code)
        for chunk in side.chunks
        for name, leaf in _named_leaves(chunk.rest)
    )


def _named_leaves(value: Any, name: str = "") -> Iterator[tuple[str, Any]]:
    """Each value that holds no others, with the name that it, or the list around it, has."""
    if isinstance(value, Mapping):
        for key, part in value.items():
            yield from _named_leaves(part, str(key))
    elif isinstance(value, list | tuple):
        for part in value:
            yield from _named_leaves(part, name)
    else:
        yield name, value


def _text(pair: ObservationPair, facts: WireFacts) -> Findings:
    """An agent may show its last answer alone; answers to calls at once may come in any order, or mixed."""
    shown, answers = pair.reference.text, [_sent_text(pair, each) for each in pair.answers]
    sent = "".join(answers)
    if len(answers) > 1 and (shown == answers[-1] or sorted(shown) == sorted(sent)):
        return
    if (facts.streamed or sent) and shown == pair.candidate.text != sent and facts.error is None:
        yield _other_text("text", shown, sent)


def _unseen_parts(pair: ObservationPair, facts: WireFacts) -> Findings:
    """Reasoning, and arguments of tool calls, where both hand on the same and neither what was sent. Who
    hands none on has no place for them. Of a call that asks several things, nobody knows which it shows.
    """
    if len(pair.answers) > 1:
        return
    for place, said, sent in (
        ("reasoning", lambda side: side.reasoning, facts.reasoning),
        ("tool_calls.arguments", _arguments, facts.arguments),
    ):
        shown = said(pair.reference)
        if shown and shown == said(pair.candidate) != sent and facts.error is None:
            yield _other_text(place, shown, sent)


def _other_text(place: str, shown: str, sent: str) -> Finding:
    index = first_difference(shown, sent)
    return unfaithful(f"{place}[{index}]", *(text[index : index + _EXCERPT] for text in (shown, sent)))


def _arguments(side: Observation) -> str:
    """In the order of the stream. An object in the place of text is none of the provider's."""
    found = (call.get("arguments") for chunk in side.chunks for call in chunk.tool_calls)
    return "".join(text for text in found if isinstance(text, str))


def _refusal(pair: ObservationPair, facts: WireFacts) -> Findings:
    """A refusal that nobody hands on, neither under its name nor as text, is an empty answer."""
    sides = pair.sides
    handed_on = (side.text or any("refusal" in chunk.extra for chunk in side.chunks) for side in sides)
    if facts.refusal and not any(handed_on):
        yield unfaithful("refusal", ABSENT, facts.refusal[:_EXCERPT])


def _sent_text(pair: ObservationPair, facts: WireFacts) -> str:
    """Text in lists of parts is lost by a client that reads strings only, unless it hands the lists on."""
    kept = any("content" in chunk.extra for chunk in pair.reference.chunks)
    return facts.text if kept or not facts.list_content else facts.whole_text


def _finish(pair: ObservationPair) -> Findings:
    shown, theirs = finish_reasons(pair.reference.chunks), finish_reasons(pair.candidate.chunks)
    sent = [reason for each in pair.answers for reason in each.finish_reasons]
    if shown == theirs and not set(shown) <= set(sent):
        yield unfaithful("finish_reason", list(shown), sent or ABSENT)
