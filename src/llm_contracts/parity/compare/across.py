"""Two clients that hand on objects of different APIs, such as Anthropic's SDK and LiteLLM's answers in
OpenAI's shape: both are brought to what both APIs can say, in the words of chat completions.

What each says in words of its own is translated (`protocol-words`): finish reasons and token totals. What
only one API has a place for is counted and left out (`other-protocol`). Text, reasoning, tool calls, the
answer's id and model, errors and requests are compared as ever.

The words are those of OpenAI's, Anthropic's and Google's API references. What stands for nothing in chat
completions (`pause_turn`: send this back and go on) stays as it is, so that a client that makes `stop` of it
differs.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Any

from llm_contracts.clients.chunks import to_usage
from llm_contracts.clients.observation import Chunk, Observation, Usage
from llm_contracts.parity.compare.finding import Finding, ObservationPair
from llm_contracts.parity.compare.usage import totals
from llm_contracts.parity.normalise import Normalisation, is_empty
from llm_contracts.wire.facts import WireFacts

_CALLS = "tool_calls"
_FILTERED = ("SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII")
_FINISHES: Mapping[str, Mapping[str, str]] = {
    "openai-chat": {"function_call": _CALLS},
    "openai-responses": {"completed": "stop", "max_output_tokens": "length"},
    "anthropic-messages": {
        "end_turn": "stop",
        "stop_sequence": "stop",
        "max_tokens": "length",
        "model_context_window_exceeded": "length",
        "tool_use": _CALLS,
        "refusal": "content_filter",
    },
    "gemini": {"STOP": "stop", "MAX_TOKENS": "length", **dict.fromkeys(_FILTERED, "content_filter")},
}
"""API → its finish reasons in the words of chat completions."""

_SILENT_ABOUT_CALLS = frozenset({"openai-responses", "gemini"})
"""APIs that finish as ever where tools are called."""

_CACHED, _REASONED = "prompt_tokens_details.cached_tokens", "completion_tokens_details.reasoning_tokens"
_PARTS: Mapping[str, str] = {
    _CACHED: _CACHED,
    _REASONED: _REASONED,
    "input_tokens_details.cached_tokens": _CACHED,
    "output_tokens_details.reasoning_tokens": _REASONED,
    "cache_read_input_tokens": _CACHED,
    "output_tokens_details.thinking_tokens": _REASONED,
}
"""The parts of totals that all of these APIs count → what chat completions call them."""


def across(pair: ObservationPair) -> tuple[ObservationPair, tuple[Finding, ...]]:
    """The pair in common words, and what was passed over on the way. Where both clients hand on objects of
    one API, or of one that is not known here, the pair itself and nothing.
    """
    sides = (pair.reference, pair.candidate)
    apis = {side.protocol for side in sides}
    if len(apis) == 1 or not apis <= _FINISHES.keys():
        return pair, ()
    reference, candidate = map(_in_common, sides)
    facts = tuple(map(_facts_in_common, pair.facts))
    return replace(pair, reference=reference, candidate=candidate, facts=facts), (
        _note(Normalisation.PROTOCOL_WORDS, *map(_words, sides)),
        _note(Normalisation.OTHER_PROTOCOL, *map(_own_places, sides)),
    )


def _note(name: Normalisation, ours: list[str], theirs: list[str]) -> Finding:
    apart = set(ours) ^ set(theirs)
    return Finding(kind=name, count=len(apart), where="protocol", reference=ours, candidate=theirs)


def _words(side: Observation) -> list[str]:
    """The finish reasons, and the names of totals and of their parts."""
    finishes = (chunk.finish_reason for chunk in side.chunks if chunk.finish_reason)
    counted = (name for usage in side.reported_usage for name in (*usage.names, *usage.details))
    return sorted({*finishes, *counted})


def _own_places(side: Observation) -> list[str]:
    """The names of what has no place of its own in an observation."""
    return sorted({f"{side.protocol}.{name}" for chunk in side.chunks for name in chunk.rest})


def _in_common(side: Observation) -> Observation:
    """Only chunks that say something, each with an id and a model: some APIs say them once, at the beginning
    or at the end, others with every event.
    """
    called = any(chunk.tool_calls for chunk in side.chunks)
    last = max((place for place, chunk in enumerate(side.chunks) if chunk.usage), default=None)
    calls: dict[Any, int] = {}
    chunks: list[Chunk] = []
    before = Chunk(
        id=next((chunk.id for chunk in side.chunks if chunk.id), None),
        model=next((chunk.model for chunk in side.chunks if chunk.model), None),
    )
    for place, chunk in enumerate(side.chunks):
        common = replace(
            chunk,
            finish_reason=_finish(chunk.finish_reason, side.protocol, called=called),
            usage=_usage(chunk.usage, side.protocol) if place == last and chunk.usage else None,
            reasoning_keys=(),
            tool_calls=tuple(_call(call, calls) for call in chunk.tool_calls),
            id=chunk.id or before.id,
            model=chunk.model or before.model,
            rest={},
            is_event=False,
        )
        before = common
        if not is_empty(common):
            chunks.append(common)
    return replace(side, chunks=tuple(chunks), surface={})


def _call(call: Mapping[str, Any], known: dict[Any, int]) -> Mapping[str, Any]:
    """A piece of a tool call, numbered by the order of calls: some APIs count other blocks as well."""
    number = known.setdefault(call.get("index"), len(known))
    return {**call, "type": "function", **({"index": number} if "index" in call else {})}


def _finish(reason: str | None, protocol: str, *, called: bool) -> str | None:
    found = _FINISHES.get(protocol, {}).get(reason or "", reason)
    return _CALLS if found == "stop" and called and protocol in _SILENT_ABOUT_CALLS else found


def _usage(usage: Usage, protocol: str) -> Usage:
    """Totals as chat completions count them: prompts with what was cached, completions with thoughts."""
    prompt, completion, details = usage.prompt_tokens, usage.completion_tokens, usage.details
    if protocol == "anthropic-messages":
        cached = ("cache_read_input_tokens", "cache_creation_input_tokens")
        prompt = None if prompt is None else prompt + sum(details.get(name, 0) for name in cached)
    if protocol == "gemini" and completion is not None:
        completion += details.get(_REASONED, 0)
    both = None if prompt is None or completion is None else prompt + completion
    parts = ((_PARTS[name], number) for name, number in details.items() if name in _PARTS and number)
    return Usage(
        prompt_tokens=prompt,
        completion_tokens=completion,
        total_tokens=both if usage.total_tokens is None else usage.total_tokens,
        details=dict(parts),
    )


def _facts_in_common(facts: WireFacts) -> WireFacts:
    return replace(
        facts,
        finish_reasons=_finishes(facts.finish_reasons, facts),
        usage=_as_sent(facts.usage, facts.protocol),
        usages=tuple(filter(None, (_as_sent(usage, facts.protocol) for usage in facts.usages))),
    )


def _finishes(reasons: Iterable[str], facts: WireFacts) -> tuple[str, ...]:
    found = (_finish(reason, facts.protocol, called=bool(facts.arguments)) for reason in reasons)
    return tuple(filter(None, found))


def _as_sent(sent: Mapping[str, Any] | None, protocol: str) -> Mapping[str, Any] | None:
    usage = to_usage(sent)
    if usage is None:
        return sent
    common = _usage(usage, protocol)
    nested: dict[str, dict[str, Any]] = {}
    for name, number in common.details.items():
        place, _, part = name.partition(".")
        nested.setdefault(place, {})[part] = number
    return {**{name: number for name, number in totals(common).items() if number is not None}, **nested}
