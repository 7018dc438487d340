"""What two clients did, side by side, as text that a person can review in a diff.

Pure: the same item always gives the same text. Nothing in it depends on clocks, ports or the ids a provider
makes up, so that recording again changes only what the provider now answers differently.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from rich.cells import cell_len

from llm_contracts.results.document import outcome

if TYPE_CHECKING:
    from llm_contracts.clients.observation import Chunk, Observation, Usage
    from llm_contracts.parity.result import Item
    from llm_contracts.wire.interaction import Request

_LANE = 44  # terminal cells; a longer line pushes the divider to the right rather than losing its end
_GAP = "·"
_KEPT = 3  # equal chunks shown at either end of a folded run
_ID = re.compile(
    r"\b(?:chatcmpl|resp|req|msg|as|gen)-[\w-]+|\b[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}\b",
    re.IGNORECASE,
)


def render_lanes(item: Item) -> str:
    """One recording's review text: requests, chunks, totals, telemetry, errors and divergences.

    Lines of the reference stand left, or are marked `<`; those of the candidate stand right, or are marked
    `>`; what both share is marked `=`.
    """
    if item.reference is None or item.candidate is None:
        return f"# {item.id}\n\nnot compared: {item.problem}\n"
    reference, candidate = item.reference, item.candidate
    sections = (
        ("requests", _merged(request_lines(reference), request_lines(candidate))),
        ("chunks", _lanes(_chunk_lines(reference.chunks), _chunk_lines(candidate.chunks))),
        ("totals", _merged(_total_lines(reference), _total_lines(candidate))),
        ("telemetry", _merged(telemetry_lines(reference), telemetry_lines(candidate))),
        ("divergences", _divergence_lines(item)),
    )
    head = [f"# {item.id} ({item.provenance})", f"# {reference.path} | {candidate.path}"]
    return _masked("\n".join([*head, *_titled(sections)]) + "\n")


def _titled(sections: Iterable[tuple[str, Iterable[str]]]) -> Iterator[str]:
    for title, lines in sections:
        yield ""
        yield f"[{title}]"
        yield from list(lines) or ["none"]


def _masked(text: str) -> str:
    """Ids as `<id 1>`, `<id 2>` in the order of first appearance: which are equal still shows."""
    seen: dict[str, str] = {}
    return _ID.sub(lambda found: seen.setdefault(found[0], f"<id {len(seen) + 1}>"), text)


def quoted(text: str) -> str:
    """A JSON string in which every character that cannot be seen is written as an escape."""
    plain = json.dumps(text, ensure_ascii=False)
    return "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in plain)


def _compact(value: object) -> str:
    return json.dumps(value, ensure_ascii=False, sort_keys=True, default=str)


# Chunks: two columns


def _chunk_lines(chunks: Sequence[Chunk]) -> list[str]:
    return [chunk_line(chunk) for chunk in chunks]


def chunk_line(chunk: Chunk) -> str:
    """One chunk in a line: what it carries, without its id and model."""
    parts = [
        quoted(chunk.text) if chunk.text else "",
        f"reasoning {quoted(chunk.reasoning)}" if chunk.reasoning else "",
        *(f"tool {_compact(dict(call))}" for call in chunk.tool_calls),
        f"finish {chunk.finish_reason}" if chunk.finish_reason is not None else "",
        f"usage {usage_line(chunk.usage)}" if chunk.usage else "",
        _compact(dict(chunk.extra)) if chunk.extra else "",
    ]
    return " ".join(part for part in parts if part) or "(nothing)"


def usage_line(usage: Usage) -> str:
    """`12 + 7 = 19`, unknown numbers as `?`, followed by the details."""
    shown = ["?" if n is None else str(n) for n in (usage.prompt_tokens, usage.completion_tokens)]
    total = "?" if usage.total_tokens is None else str(usage.total_tokens)
    details = f" {_compact(dict(usage.details))}" if usage.details else ""
    return f"{shown[0]} + {shown[1]} = {total}{details}"


def _lanes(left: list[str], right: list[str]) -> Iterator[str]:
    for tag, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from _equal_run(left[a:b])
        else:
            yield from _uneven_run(left[a:b], right[c:d])


def _equal_run(lines: list[str]) -> Iterator[str]:
    folded = len(lines) - 2 * _KEPT
    if folded < _KEPT:
        yield from (_row(line, "=", line) for line in lines)
        return
    yield from (_row(line, "=", line) for line in lines[:_KEPT])
    yield f"= {folded} equal chunks"
    yield from (_row(line, "=", line) for line in lines[-_KEPT:])


def _uneven_run(left: list[str], right: list[str]) -> Iterator[str]:
    for number in range(max(len(left), len(right))):
        yield _row(
            left[number] if number < len(left) else _GAP,
            "|",
            right[number] if number < len(right) else _GAP,
        )


def _row(left: str, mark: str, right: str) -> str:
    # Chinese and emoji fill two cells each: padding by characters would bend the divider.
    return f"{left}{' ' * max(_LANE - cell_len(left), 0)} {mark} {right}"


# Everything else: merged lines


def _merged(left: list[str], right: list[str]) -> Iterator[str]:
    for tag, a, b, c, d in difflib.SequenceMatcher(None, left, right, autojunk=False).get_opcodes():
        if tag == "equal":
            yield from (f"= {line}" for line in left[a:b])
        else:
            yield from (f"< {line}" for line in left[a:b])
            yield from (f"> {line}" for line in right[c:d])


def request_lines(observation: Observation) -> list[str]:
    """What a path sent: a line for each request, below it its body as canonical JSON."""
    return [line for request in observation.requests for line in _one_request(request)]


def _one_request(request: Request) -> Iterator[str]:
    yield f"{request.method} {request.uri}"
    if not request.body:
        return
    try:
        body: Any = json.loads(request.body)
    except ValueError:
        yield f"  {len(request.body)} bytes, not JSON: sha256 {_digest(request.body)}"
        return
    text = json.dumps(body, ensure_ascii=False, sort_keys=True, indent=2)
    yield from (f"  {line}" for line in text.splitlines())


def _total_lines(observation: Observation) -> list[str]:
    text = observation.text
    lines = [
        f"text: {len(text)} characters in {len(observation.deltas)} deltas, sha256 {_digest(text.encode())}",
        f"finish: {', '.join(observation.finish_reasons) or 'none'}",
        f"usage: {', '.join(map(usage_line, observation.reported_usage)) or 'none'}",
        f"requests: {len(observation.requests)}",
    ]
    if observation.reasoning:
        lines.insert(1, f"reasoning: {len(observation.reasoning)} characters")
    failure = (outcome(observation) or {}).get("failure")
    return [*lines, f"error: {_compact(failure) if failure else 'none'}"]


def telemetry_lines(observation: Observation) -> list[str]:
    """What a path told telemetry, a line for each field of each generation."""
    return [
        line for generation in observation.generations for line in _one_generation(generation, observation)
    ]


def _one_generation(generation: Mapping[str, Any], observation: Observation) -> Iterator[str]:
    for key in sorted(generation):
        value = generation[key]
        if key == "output" and value == observation.text:
            yield "output: the joined text"
        else:
            yield f"{key}: {_compact(value)}"


def _divergence_lines(item: Item) -> Iterator[str]:
    for divergence in item.divergences:
        both = f"{_compact(divergence.reference)} | {_compact(divergence.candidate)}"
        yield f"{divergence.severity} {divergence.kind} at {divergence.where}: {both}"
        if divergence.fingerprint in item.waived:
            yield f"    waived: {item.waived[divergence.fingerprint]}"


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
