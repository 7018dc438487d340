"""What an answer consists of in a dialect: the parts that become chunks, each with what it costs."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import accumulate

from llm_contracts.simulator.dialect import ChunkPart, Dialect, Json, Stream, TokenCounts
from llm_contracts.simulator.script import ScriptedAnswer, UsagePlacement
from llm_contracts.simulator.texts import Pieces, tokens_in


def parts_of(
    dialect: Dialect, stream: Stream, answer: ScriptedAnswer, *, broken_off: bool
) -> tuple[ChunkPart, ...]:
    """All that is sent, totals included. `broken_off`: an error follows in place of an end."""
    thoughts, text, finish = _said(dialect, stream, answer)
    going = (*_begun(dialect, stream, answer, thoughts), *_spoken(dialect, stream, thoughts, text))
    parts = tuple(replace(part, finish=answer.unfinished) for part in going)
    if not broken_off:
        *before, last = dialect.closing(stream)
        finish = dialect.finishes.get(finish, finish)
        parts += (*(ChunkPart(delta=delta) for delta in before), ChunkPart(delta=last, finish=finish))
    if answer.listed and not dialect.events:
        parts = tuple(map(_with_list, parts))
    wanted = dialect.always_totals or stream.ask.include_usage
    return _counted(dialect, stream, parts, broken_off=broken_off) if answer.usage and wanted else parts


def _said(dialect: Dialect, stream: Stream, answer: ScriptedAnswer) -> tuple[Pieces, Pieces, str]:
    """What the request's limit and the turn's ending leave of thoughts and text, and the finish reason."""
    text = answer.json_text if stream.ask.json_mode else answer.text
    thoughts = answer.reasoning if stream.thinks else ()
    if answer.broken_off:
        # Only a filter that ends the answer properly gives a reason: after an error event there is none.
        return thoughts, text[: len(text) // 2], dialect.filter_finish
    kept = _within(stream.ask.limit, (*thoughts, *text))
    spoken = kept[len(thoughts) :]
    reason = "length" if spoken != text else "tool_calls" if answer.arguments else "stop"
    return kept[: len(thoughts)], spoken, answer.finish or reason


def _within(limit: int | None, pieces: Pieces) -> Pieces:
    """As many pieces as the limit on tokens allows; none is cut."""
    if limit is None:
        return pieces
    totals = accumulate(tokens_in(piece) for piece in pieces)
    return tuple(piece for piece, total in zip(pieces, totals, strict=True) if total <= limit)


def _begun(dialect: Dialect, stream: Stream, answer: ScriptedAnswer, thoughts: Pieces) -> Iterator[ChunkPart]:
    """The first chunk, if the provider has one, and the tool calls, of which that one may begin the first.
    Thoughts that are never shown are paid for here.
    """
    opening = dialect.opening(stream)
    if opening:
        yield ChunkPart(delta=opening, spent=TokenCounts() if dialect.thought else _thinking(thoughts))
    for number, first in enumerate(stream.calls):
        if number or "tool_calls" not in (opening or {}):
            yield ChunkPart(delta=dialect.tool(stream, first))
        for piece in answer.arguments:
            call: Json = {"index": number, "function": {"arguments": piece}}
            yield ChunkPart(delta=dialect.tool(stream, call), spent=TokenCounts(completion=tokens_in(piece)))


def _spoken(dialect: Dialect, stream: Stream, thoughts: Pieces, text: Pieces) -> Iterator[ChunkPart]:
    if dialect.thought:
        for piece in thoughts:
            yield ChunkPart(delta=dialect.thought(piece), spent=_thinking((piece,)))
    for piece in text:
        yield ChunkPart(delta=dialect.text(stream, piece), spent=TokenCounts(completion=tokens_in(piece)))


def _thinking(thoughts: Pieces) -> TokenCounts:
    tokens = sum(map(tokens_in, thoughts))
    return TokenCounts(completion=tokens, reasoning=tokens)


def _with_list(part: ChunkPart) -> ChunkPart:
    """The same text as a list of parts, as a few models outside OpenAI's family send it."""
    text = (part.delta or {}).get("content")
    if not text:
        return part
    return replace(part, delta={**(part.delta or {}), "content": [{"type": "text", "text": text}]})


def _counted(
    dialect: Dialect, stream: Stream, parts: tuple[ChunkPart, ...], *, broken_off: bool
) -> tuple[ChunkPart, ...]:
    """The parts with the totals where they belong. What breaks off has only those that came underway."""
    start = TokenCounts(prompt=stream.ask.prompt_tokens)
    spent = list(accumulate((part.spent for part in parts), initial=start))[1:]
    if stream.place is UsagePlacement.EVERY:
        counts = (dialect.totals(stream, sofar) for sofar in spent)
        return tuple(replace(part, usage=usage) for part, usage in zip(parts, counts, strict=True))
    if broken_off:
        return parts
    usage = dialect.totals(stream, spent[-1])
    if stream.place is UsagePlacement.OWN:
        return (*parts, ChunkPart(usage=usage))
    return (*parts[:-1], replace(parts[-1], usage=usage))
