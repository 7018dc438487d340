"""Reading one chunk of a stream, as any OpenAI-compatible client gives it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llm_adapter.failures import in_band
from llm_adapter.responses import LLMStreamResponse

# The parts of totals: telemetry's name for one, and where in the usage object it is found.
_DETAILS: tuple[tuple[str, str, str], ...] = (
    ("input_cached_tokens", "prompt_tokens_details", "cached_tokens"),
    ("output_reasoning_tokens", "completion_tokens_details", "reasoning_tokens"),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Chunk:
    """What matters of one chunk.

    Attributes:
        id: the provider's id.
        text: the text of the first choice, empty where there is none or it is no text.
        reasoning: the reasoning text of the first choice.
        finish_reason: the provider's own word; an empty one means there is none.
        usage: token totals under telemetry's names, or None where the chunk has none.
        shown: what the caller is given for it, where that is not just its text.
    """

    id: str = ""
    text: str = ""
    reasoning: str = ""
    finish_reason: str | None = None
    usage: Mapping[str, int] | None = None
    shown: LLMStreamResponse | None = None

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


def read_chunk(item: Any) -> Chunk:
    """Read a chunk; one that a backend has read already is given back.

    Raises:
        InBandError: the item is an error that the client took for a chunk.
    """
    if isinstance(item, Chunk):
        return item
    choices = getattr(item, "choices", None)
    if choices is None:
        _raise_if_error(item)
    choice = choices[0] if choices else None
    delta = getattr(choice, "delta", None)
    return Chunk(
        id=getattr(item, "id", None) or "",
        text=_text(delta, "content"),
        # OpenRouter-like gateways say `reasoning` for what the others call `reasoning_content`.
        reasoning=_text(delta, "reasoning_content") or _text(delta, "reasoning"),
        finish_reason=getattr(choice, "finish_reason", None) or None,
        # Moonshot, and gateways before it, put the totals into the choice that finishes.
        usage=_usage(_part(item, "usage") or _part(choice, "usage")),
    )


def _raise_if_error(item: Any) -> None:
    """An event without choices may be an error without the envelope that the client looks for."""
    error = in_band(item.model_dump(exclude_none=True)) if hasattr(item, "model_dump") else None
    if error is not None:
        raise error


def _text(delta: Any, name: str) -> str:
    value = getattr(delta, name, None)
    if isinstance(value, list):  # Mistral's reasoning models send parts; the thoughts among them are no text
        return "".join(part["text"] for part in value if _is_text(part))
    return value if isinstance(value, str) else ""


def _is_text(part: Any) -> bool:
    return isinstance(part, Mapping) and part.get("type") == "text" and isinstance(part.get("text"), str)


def _usage(usage: Any) -> dict[str, int] | None:
    """Totals exactly as sent; nothing is added up, because providers count what they do not list."""
    if usage is None:
        return None
    found = {
        "input": _part(usage, "prompt_tokens"),
        "output": _part(usage, "completion_tokens"),
        "total": _part(usage, "total_tokens"),
        **{name: _detail(usage, place, part) for name, place, part in _DETAILS},
    }
    if found["input_cached_tokens"] is None:  # DeepSeek's own name, from before it took over OpenAI's
        found["input_cached_tokens"] = _part(usage, "prompt_cache_hit_tokens")
    return {name: count for name, count in found.items() if isinstance(count, int)}


def totals(usage: Mapping[str, Any]) -> dict[str, int]:
    """The three totals of a decoded usage object under telemetry's names, so far as they are there."""
    names = {"input": "prompt_tokens", "output": "completion_tokens", "total": "total_tokens"}
    return {ours: usage[theirs] for ours, theirs in names.items() if isinstance(usage.get(theirs), int)}


def _detail(usage: Any, place: str, part: str) -> Any:
    return _part(_part(usage, place), part)


def _part(whole: Any, name: str) -> Any:
    """A field: of an object where the client has a type for it, of a mapping where it has none."""
    return whole.get(name) if isinstance(whole, Mapping) else getattr(whole, name, None)
