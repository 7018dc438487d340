"""Reading one chunk of a stream, as any OpenAI-compatible client gives it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from math import isfinite
from typing import Any, NamedTuple

from llm_adapter.failures import InBandError, in_band
from llm_adapter.responses import LLMStreamResponse

# The parts of totals: telemetry's name for one, and where in the usage object it is looked for in turn. The
# second place is that of OpenAI's Responses API, which gateways pass on; then come DeepSeek's, Moonshot's and
# Anthropic's.
_DETAILS: tuple[tuple[str, str, tuple[str, ...], tuple[str, ...]], ...] = (
    (
        "input_cached_tokens",
        "cached_tokens",
        ("prompt_tokens_details", "input_tokens_details"),
        ("prompt_cache_hit_tokens", "cached_tokens", "cache_read_input_tokens"),
    ),
    (
        "output_reasoning_tokens",
        "reasoning_tokens",
        ("completion_tokens_details", "output_tokens_details"),
        ("reasoning_tokens",),
    ),
)


class ToolPart(NamedTuple):
    """A part of a tool call; the parts of one call have the same index."""

    index: Any
    id: str
    name: str
    arguments: str


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """What matters of one chunk.

    Attributes:
        id: the provider's id.
        text: the text of the first choice, empty where there is none or it is not text.
        reasoning: the reasoning text of the first choice.
        finish_reason: the provider's own word; an empty one means there is none.
        refusal: the refusal's text of the first choice: the model says so itself that it will not answer.
        model: the model that answers, by the provider's name for it.
        tool_calls: the parts of tool calls that it holds.
        usage: token totals under telemetry's names, or None where the chunk has none.
        details: every number of the provider's totals, by its place there, or None likewise.
        shown: what the caller is given for it, where that is not just its text.
    """

    id: str = ""
    text: str = ""
    reasoning: str = ""
    finish_reason: str | None = None
    refusal: str = ""
    model: str = ""
    tool_calls: tuple[ToolPart, ...] = ()
    usage: Mapping[str, float] | None = None
    details: Mapping[str, float] | None = None
    shown: LLMStreamResponse | None = None

    @property
    def is_content(self) -> bool:
        """Whether it is a part of the answer that somebody may have seen."""
        return bool(self.text or self.tool_calls or self.shown)

    @property
    def response(self) -> LLMStreamResponse | None:
        """What the caller is given for it; None where there is nothing to give."""
        if self.shown is not None or not self.text:
            return self.shown
        return LLMStreamResponse(
            id=self.id,
            is_end=self.finish_reason is not None,
            is_truncated=False,
            result=self.text,
            finish_reason=self.finish_reason,
            usage=None,
        )


def read_chunk(item: Any, *, choice_index: int | None = None) -> Chunk:
    """Read a chunk; one that a backend has read already is given back.

    Args:
        item: the chunk.
        choice_index: the choice that is wanted where several were asked for; otherwise the first that comes.

    Raises:
        InBandError: the item is an error that the client took for a chunk.
    """
    if isinstance(item, Chunk):
        return item
    choices = _part(item, "choices")
    if choices is None:
        _raise_if_error(item)
    wanted = [c for c in choices or () if choice_index is None or _part(c, "index") in {choice_index, None}]
    choice = wanted[0] if wanted else None
    delta = _part(choice, "delta")
    if delta is None:  # a whole completion in the place of chunks, or one in the form from before chats
        delta = _part(choice, "message") or {"content": _part(choice, "text")}
    finish = _part(choice, "finish_reason") or None
    if finish is not None and _part(choice, "error"):  # OpenRouter, beside the finish reason `error`
        raise InBandError(_part(choice, "error"))
    # Moonshot, and gateways before it, put the totals into the choice that finishes; Groq beside the choices.
    usage = _part(item, "usage") or _part(choice, "usage") or _part(_part(item, "x_groq"), "usage")
    return Chunk(
        id=_part(item, "id") or "",
        text=_text(delta, "content"),
        # OpenRouter-like gateways say `reasoning` for what the others call `reasoning_content`.
        reasoning=_text(delta, "reasoning_content") or _text(delta, "reasoning"),
        finish_reason=None if finish is None else str(finish),
        refusal=_text(delta, "refusal"),
        model=_text(item, "model"),
        tool_calls=_tool_parts(delta),
        usage=_usage(usage),
        details=details(usage),
    )


def _raise_if_error(item: Any) -> None:
    """An event without choices may be an error without the envelope that the client looks for."""
    error = in_band(item.model_dump(exclude_none=True)) if hasattr(item, "model_dump") else None
    if error is not None:
        raise error


def _text(delta: Any, name: str) -> str:
    value = _part(delta, name)
    if isinstance(value, list):  # Mistral's reasoning models send parts; the thoughts among them are not text
        return "".join(part["text"] for part in value if _is_text(part))
    return value if isinstance(value, str) else ""


def _tool_parts(delta: Any) -> tuple[ToolPart, ...]:
    """The parts of tool calls, also in the older form that knows one call alone."""
    older = _part(delta, "function_call")
    found = _part(delta, "tool_calls") or ([{"function": older}] if older else ())
    return tuple(
        ToolPart(
            index=_part(part, "index"),
            id=_text(part, "id"),
            name=_text(_part(part, "function"), "name"),
            arguments=_text(_part(part, "function"), "arguments"),
        )
        for part in found
    )


def _is_text(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _usage(usage: Any) -> dict[str, float] | None:
    """Totals exactly as sent; nothing is added up, because providers count what they do not list. Anthropic's
    input alone is made whole: it does not include what came from the cache or went there.
    """
    if usage is None:
        return None
    found = {
        "input": _part(usage, "prompt_tokens"),
        "output": _part(usage, "completion_tokens"),
        "total": _part(usage, "total_tokens"),
    }
    if found["input"] is None and found["output"] is None:  # the names of Anthropic and of OpenAI's Responses
        cached = (_part(usage, f"cache_{what}_input_tokens") for what in ("read", "creation"))
        apart = [count for count in map(_number, cached) if count]
        given = _number(_part(usage, "input_tokens"))
        found["input"] = given if given is None else given + sum(apart)
        found["output"] = _part(usage, "output_tokens")
    for name, part, places, others in _DETAILS:
        counted = (
            *(_part(_part(usage, place), part) for place in places),
            *(_part(usage, o) for o in others),
        )
        found[name] = next((count for count in counted if count is not None), None)
    return counts(found)


def details(usage: Any) -> dict[str, float] | None:
    """Every number of a usage object, by its place there (`prompt_tokens_details.audio_tokens`); None where
    it has none.
    """
    return dict(_numbers(usage)) or None


def _numbers(value: Any, path: str = "") -> Iterator[tuple[str, float]]:
    if hasattr(value, "model_dump"):
        value = value.model_dump(exclude_none=True, warnings=False)
    if isinstance(value, (Mapping, list)):
        for name, part in value.items() if isinstance(value, Mapping) else enumerate(value):
            yield from _numbers(part, f"{path}.{name}" if path else str(name))
    elif (number := _number(value)) is not None:
        yield path, number


def counts(found: Mapping[str, Any]) -> dict[str, float]:
    """The values that are numbers. Gateways that bill by weight send fractions, `11.0` for 11, and text."""
    read = ((name, _number(value)) for name, value in found.items())
    return {name: count for name, count in read if count is not None}


def _number(value: Any) -> float | None:
    if type(value) is int:
        return value
    try:
        number = float(value) if isinstance(value, (str, float)) else None
    except ValueError:
        return None
    if number is None or not isfinite(number):
        return None
    return int(number) if number.is_integer() else number


def totals(usage: Mapping[str, Any]) -> dict[str, float]:
    """The three totals of a decoded usage object under telemetry's names, so far as they are there."""
    names = {"input": "prompt_tokens", "output": "completion_tokens", "total": "total_tokens"}
    return counts({ours: usage.get(theirs) for ours, theirs in names.items()})


def _part(whole: Any, name: str) -> Any:
    """A field: of an object where the client has a type for it, of a mapping where it has none."""
    if type(whole) is dict:  # a dozen times a chunk: the general question takes three times as long
        return whole.get(name)
    return whole.get(name) if isinstance(whole, Mapping) else getattr(whole, name, None)
