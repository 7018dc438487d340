"""Single values written in a line, as every view writes them."""

from __future__ import annotations

import hashlib
import json
import math
import unicodedata
from collections.abc import Callable, Mapping
from typing import Any

from llm_contracts.clients.observation import Chunk, Usage
from llm_contracts.parity.compare import ABSENT
from llm_contracts.parity.compare.finding import first_difference
from llm_contracts.parity.divergence import Divergence

_HIDDEN = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})  # controls, directions, half pairs, separators
_SEEN = frozenset("\n\t\u200c\u200d")  # emoji and Indic scripts need the joiners, and they move nothing
_AROUND = 40  # characters shown before a difference


def quoted(text: str) -> str:
    """A JSON string in which every character that cannot be seen is written as an escape."""
    plain = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in plain)


def compact(value: object) -> str:
    """A value as JSON, keys in order."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


def value_line(value: object, longest: int | None = None) -> str:
    """A value of a difference as JSON, or `absent`; its end is cut off beyond `longest` characters."""
    text = "absent" if value == ABSENT else json.dumps(value, ensure_ascii=False, default=str)
    return text if longest is None or len(text) <= longest else f"{text[:longest]}…"


def cut_text(text: str, longest: int, begin: int) -> str:
    """So many characters of a text from one on, with a sign on each side where it goes on."""
    end = begin + longest
    return ("…" if begin else "") + text[begin:end] + ("…" if len(text) > end else "")


def value_pair(
    one: object,
    other: object,
    longest: int,
    *,
    write: Callable[[object], str] = value_line,
    cut: Callable[[str, int, int], str] = cut_text,
) -> tuple[str, str]:
    """Two values as `write` writes them, and what differs can be seen: of long ones the part around the first
    difference, taken by `cut`, and of what looks alike the numbers of its characters.
    """
    left, right = distinct(write(one), write(other))
    at, around = first_difference(left, right), min(_AROUND, longest // 3)
    begin = 0 if left == right or at + around <= longest else at - around
    return cut(left, longest, begin), cut(right, longest, begin)


def distinct(one: str, other: str) -> tuple[str, str]:
    """Two texts; where they differ and look the same, with the characters beyond ASCII as escapes."""
    if one == other or _looks(one) != _looks(other):
        return one, other
    return _spelled(one), _spelled(other)


def _looks(text: str) -> str:
    """What an eye makes of it: nothing of what hides, and one way to write a letter with its accents."""
    if text.isascii() and text.isprintable():
        return text
    return "".join(c for c in unicodedata.normalize("NFKC", text) if unicodedata.category(c)[0] != "C")


def _spelled(text: str) -> str:
    return "".join(c if " " <= c <= "~" else json.dumps(c)[1:-1] for c in text)


def finite(value: Any) -> Any:
    """The value with numbers that JSON does not know (some servers send NaN) as their names."""
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): finite(part) for key, part in value.items()}
    if isinstance(value, (list, tuple)):
        return [finite(part) for part in value]
    return value


def visible(text: str) -> str:
    """The text with every character that hides, or turns the direction of others, written as its number."""
    hidden = {c for c in set(text) - _SEEN if unicodedata.category(c) in _HIDDEN}
    return "".join(f"⟨U+{ord(c):04X}⟩" if c in hidden else c for c in text)


def side_lines(
    divergence: Divergence,
    longest: int,
    pair: Callable[[object, object, int], tuple[str, str]] = value_pair,
) -> list[tuple[str, str]]:
    """What to call each value, and the value as `pair` writes it: one where both clients share it and the
    bytes contradict.
    """
    one, other = divergence.reference, divergence.candidate
    names = ("both",) if one == other else ("reference", "candidate")
    return list(zip(names, pair(one, other, longest), strict=False))


def chunk_line(chunk: Chunk) -> str:
    """One chunk: what it carries, without its id and model."""
    parts = [
        quoted(chunk.text) if chunk.text else "",
        f"reasoning {quoted(chunk.reasoning)}" if chunk.reasoning else "",
        *(f"tool {compact(dict(call))}" for call in chunk.tool_calls),
        f"finish {chunk.finish_reason}" if chunk.finish_reason is not None else "",
        f"usage {usage_line(chunk.usage)}" if chunk.usage else "",
        *(f"choice {compact(dict(other))}" for other in chunk.others),
        compact(dict(chunk.extra)) if chunk.extra else "",
    ]
    return " ".join(part for part in parts if part) or "(nothing)"


def usage_line(usage: Usage) -> str:
    """`12 + 7 = 19`, unknown numbers as `?`, followed by the details."""
    totals = (usage.prompt_tokens, usage.completion_tokens, usage.total_tokens)
    prompt, completion, total = ("?" if n is None else n for n in totals)
    details = f" {compact(dict(usage.details))}" if usage.details else ""
    return f"{prompt} + {completion} = {total}{details}"


def body_lines(body: bytes) -> tuple[str, ...]:
    """A body as canonical JSON, a line for each value; other texts as they are; of other bytes how many."""
    if not body:
        return ()
    try:
        text = body.decode()
        value = json.loads(text)
    except UnicodeDecodeError:
        return (f"{len(body)} bytes, not text: sha256 {digest(body)}",)
    except (ValueError, RecursionError):
        return tuple(text.splitlines())
    return tuple(json.dumps(value, ensure_ascii=False, sort_keys=True, indent=2).splitlines())


def digest(data: bytes) -> str:
    """Sixteen hex digits that name some bytes."""
    return hashlib.sha256(data).hexdigest()[:16]
