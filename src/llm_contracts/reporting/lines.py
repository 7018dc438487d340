"""Single values written in a line, as every view writes them."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from llm_contracts.parity.compare import ABSENT

if TYPE_CHECKING:
    from llm_contracts.clients.observation import Chunk, Observation, Usage
    from llm_contracts.parity.divergence import Divergence


def quoted(text: str) -> str:
    """A JSON string in which every character that cannot be seen is written as an escape."""
    plain = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in plain)


def compact(value: object) -> str:
    """A value as JSON, keys in order."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def value_line(value: object, longest: int | None = None, more: str = "…") -> str:
    """A value of a difference as JSON, or `absent`; its end is cut off beyond `longest` characters."""
    if value == ABSENT:
        return "absent"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if longest is None or len(text) <= longest else text[:longest] + more


def sides(divergence: Divergence) -> tuple[tuple[str, Any], ...]:
    """What to call each value, and the value: one where both clients share it and the bytes contradict."""
    if divergence.reference == divergence.candidate:
        return (("both", divergence.reference),)
    return (("reference", divergence.reference), ("candidate", divergence.candidate))


def chunk_line(chunk: Chunk) -> str:
    """One chunk: what it carries, without its id and model."""
    parts = [
        quoted(chunk.text) if chunk.text else "",
        f"reasoning {quoted(chunk.reasoning)}" if chunk.reasoning else "",
        *(f"tool {compact(dict(call))}" for call in chunk.tool_calls),
        f"finish {chunk.finish_reason}" if chunk.finish_reason is not None else "",
        f"usage {usage_line(chunk.usage)}" if chunk.usage else "",
        compact(dict(chunk.extra)) if chunk.extra else "",
    ]
    return " ".join(part for part in parts if part) or "(nothing)"


def usage_line(usage: Usage) -> str:
    """`12 + 7 = 19`, unknown numbers as `?`, followed by the details."""
    totals = (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)
    prompt, completion, total = ("?" if n is None else n for n in totals)
    details = f" {compact(dict(usage.details))}" if usage.details else ""
    return f"{prompt} + {completion} = {total}{details}"


def end_lines(seen: Observation) -> dict[str, str]:
    """How a call ended: name → finish reasons and totals."""
    return {
        "finish": ", ".join(seen.finish_reasons) or "none",
        "usage": ", ".join(map(usage_line, seen.reported_usage)) or "none",
    }


def json_lines(body: bytes) -> tuple[str, ...] | None:
    """A body as canonical JSON, a line for each value; None where it is not JSON."""
    try:
        value = json.loads(body)
    except (ValueError, RecursionError):
        return None
    return tuple(json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2).splitlines())


def request_lines(seen: Observation) -> list[str]:
    """What a client sent: a line for each request, below it its body as canonical JSON."""
    lines: list[str] = []
    for request in seen.requests:
        lines.append(f"{request.method} {request.uri}")
        body = json_lines(request.body) if request.body else ()
        if body is None:
            body = (f"{len(request.body)} bytes, not JSON: sha256 {digest(request.body)}",)
        lines += (f"  {line}" for line in body)
    return lines


def digest(data: bytes) -> str:
    """Sixteen hex digits that name some bytes."""
    return hashlib.sha256(data).hexdigest()[:16]
