"""What a consumer of the stream sees: text, its pieces, reasoning, tool calls, finish, identity.

Where one client failed before the other, only what both reached is compared: the failure is the difference,
and the text that was never reached follows from it. What is left out for that reason counts as
`after-error`. A candidate that fails as the reference does, but hands on nothing at all of what came before,
has lost it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence, Sized
from itertools import groupby
from typing import Any

from llm_contracts.clients.observation import Chunk
from llm_contracts.parity.compare.finding import (
    ABSENT,
    Finding,
    Findings,
    ObservationPair,
    at,
    differing,
    first_difference,
)
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.normalise import Normalisation, distinct, finish_reasons, is_empty

_BEFORE, _AFTER = 20, 60  # characters shown around the first difference of two texts

_EXTRAS = {
    "content": Kind.TEXT,  # a list or number where text is usual
    "refusal": Kind.TEXT,
    "choices": Kind.TEXT,  # answers besides the first, and their finish reasons
    "reasoning": Kind.REASONING,
    "function_call": Kind.TOOL_CALLS,
}

_SHAPE: Mapping[Normalisation, Callable[[Chunk], int]] = {
    Normalisation.EMPTY_CHUNK: is_empty,
    Normalisation.TOOL_TYPE: lambda chunk: sum("type" in call for call in chunk.tool_calls),
    Normalisation.FINISH_SPLIT: lambda chunk: bool(chunk.text and chunk.finish_reason),
    Normalisation.FINISH_EMPTY: lambda chunk: chunk.finish_reason == "",
}
"""What a chunk has of the shapes that normalisations hide."""


def compare_stream(pair: ObservationPair) -> Findings:
    """Everything that is read from the chunks, usage apart."""
    yield from _texts(pair)
    for place, kind in _EXTRAS.items():
        ours, theirs = ([c.extra[place] for c in side.chunks if place in c.extra] for side in pair.sides)
        yield from _sequence(pair, kind, place, ours, theirs)
    yield from _other_choices(pair)
    yield from _tool_calls(pair)
    yield from _finish(pair)
    yield from _identity(pair, Kind.RESPONSE_ID, "id")
    yield from _identity(pair, Kind.MODEL_NAME, "model")
    yield from _shape(pair)


def _texts(pair: ObservationPair) -> Findings:
    ours, theirs = pair.sides
    text = list(_sequence(pair, Kind.TEXT, "text", ours.text, theirs.text, _excerpt))
    yield from text
    if not any(found.kind is Kind.TEXT for found in text):
        yield from _cut(pair, "delta", ours.deltas, theirs.deltas)
    yield from _sequence(pair, Kind.REASONING, "reasoning", ours.reasoning, theirs.reasoning, _excerpt)
    if ours.reasoning == theirs.reasoning:
        pieces = ([chunk.reasoning for chunk in side.chunks if chunk.reasoning] for side in pair.sides)
        yield from _cut(pair, "reasoning.delta", *pieces)
    # The same reasoning under another name is lost to whoever reads the old one.
    one, other = (
        distinct(key for chunk in side.chunks for key in chunk.reasoning_keys) for side in pair.sides
    )
    if one and other and one != other:
        yield Finding(kind=Kind.REASONING, where="reasoning.key", reference=_few(one), candidate=_few(other))


def _sequence(
    pair: ObservationPair,
    kind: Kind,
    place: str,
    ours: Sequence[Any],
    theirs: Sequence[Any],
    shown: Callable[[Any, int], Any] = at,
) -> Findings:
    """Where two sequences differ first; only counted where one client merely got further."""
    if ours == theirs:
        return
    index = first_difference(ours, theirs)
    if _follows(pair, ours, theirs) and index == min(len(ours), len(theirs)):
        yield Finding(kind=Normalisation.AFTER_ERROR)
        return
    where = f"{place}[{index}]"
    yield Finding(kind=kind, where=where, reference=shown(ours, index), candidate=shown(theirs, index))


def _follows(pair: ObservationPair, ours: Sized, theirs: Sized) -> bool:
    """Whether it follows from an earlier failure that the one has more of it."""
    return pair.excuses(ours, theirs) and (pair.one_failed or len(theirs) > 0)


def _excerpt(text: str, index: int) -> str:
    start, end = max(0, index - _BEFORE), index + _AFTER
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")


def _cut(pair: ObservationPair, place: str, ours: Sequence[Any], theirs: Sequence[Any]) -> Findings:
    """Where the same is handed on in other pieces, as far as both clients got."""
    index = first_difference(ours, theirs)
    if ours != theirs and not (pair.cut and index == min(len(ours), len(theirs))):
        one, other = at(ours, index), at(theirs, index)
        yield Finding(kind=Kind.DELTAS, where=f"{place}[{index}]", reference=one, candidate=other)


def _other_choices(pair: ObservationPair) -> Findings:
    """The choices beside the answer, each by its index: what each says in the end."""
    ours, theirs = (_by_index(side.chunks) for side in pair.sides)
    for index in sorted(ours.keys() | theirs.keys()):
        one, other = ours.get(index, {}), theirs.get(index, {})
        for name in dict.fromkeys((*one, *other)):
            follows = _reached_alike(pair, one.get(name, ()), other.get(name, ()))
            a, b = one.get(name, ABSENT), other.get(name, ABSENT)
            kind = Kind.TEXT if name == "extra" else Kind(name)
            yield from differing(kind, f"choices[{index}].{name}", a, b, after_error=follows)
        if one == other:
            pieces = (_pieces_of(index, side.chunks) for side in pair.sides)
            yield from _cut(pair, f"choices[{index}].delta", *pieces)


def _reached_alike(pair: ObservationPair, ours: Sequence[Any], theirs: Sequence[Any]) -> bool:
    """Whether the one is as much of the other as it got to before it failed."""
    one, other = ("".join(map(str, side)) for side in (ours, theirs))
    alike = (
        _begins_alike(a, b) if isinstance(a, dict) else a == b for a, b in zip(ours, theirs, strict=False)
    )
    return _follows(pair, one, other) and all(alike)


def _pieces_of(index: int, chunks: Sequence[Chunk]) -> list[str]:
    parts = (other.get("text") for chunk in chunks for other in chunk.others if other["index"] == index)
    return [text for text in parts if text]


def _by_index(chunks: Sequence[Chunk]) -> dict[int, dict[str, Any]]:
    """Index → what the choice says, put together; what it does not say is left out."""
    found: dict[int, list[Mapping[str, Any]]] = {}
    for other in (other for chunk in chunks for other in chunk.others):
        found.setdefault(other["index"], []).append(other)
    together = {
        index: {
            "text": "".join(part.get("text", "") for part in parts),
            "reasoning": "".join(part.get("reasoning", "") for part in parts),
            "tool_calls": assemble([Chunk(tool_calls=part.get("tool_calls", ())) for part in parts]),
            "finish_reason": list(distinct(part.get("finish_reason") for part in parts)),
            "extra": [part["extra"] for part in parts if part.get("extra")],
        }
        for index, parts in found.items()
    }
    said = ((index, {n: v for n, v in choice.items() if v}) for index, choice in together.items())
    return {index: choice for index, choice in said if choice}


def _tool_calls(pair: ObservationPair) -> Findings:
    ours, theirs = assemble(pair.reference.chunks), assemble(pair.candidate.chunks)
    if ours == theirs:
        yield from _call_deltas(pair)
    if _reached_alike(pair, ours, theirs):
        if ours != theirs:
            yield Finding(kind=Normalisation.AFTER_ERROR)
        return
    if _follows(pair, ours, theirs):
        both = min(len(ours), len(theirs))
        ours, theirs = ours[:both], theirs[:both]
    for index in range(max(len(ours), len(theirs))):
        yield from _tool_call(index, at(ours, index), at(theirs, index))


def _call_deltas(pair: ObservationPair) -> Findings:
    """How the same calls are handed on: the pieces of their arguments, and the deltas that name them. Who
    takes an id for the beginning of a call makes one of each delta that has one.
    """
    sides = (_by_call(side.chunks) for side in pair.sides)
    for index, (ours, theirs) in enumerate(zip(*sides, strict=True)):
        where = f"tool_calls[{index}]"
        pieces = ([each["arguments"] for each in side if each.get("arguments")] for side in (ours, theirs))
        yield from _cut(pair, f"{where}.arguments.delta", *pieces)
        for name in ("id", "name"):
            named = (_named_on(name, side) for side in (ours, theirs))
            yield from differing(Kind.FIELDS, f"{where}.{name}", *named)


def _named_on(name: str, deltas: Sequence[Mapping[str, Any]]) -> str:
    first, later = bool(deltas[0].get(name)), any(delta.get(name) for delta in deltas[1:])
    return ("on the first delta" if first else "") + (" and on later ones" if later else "")


def _begins_alike(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two calls may be one that got to different places."""
    return all(
        a is None or b is None or str(a).startswith(str(b)) or str(b).startswith(str(a))
        for a, b in ((one[name], other[name]) for name in one)
    )


def _tool_call(index: int, ours: Any, theirs: Any) -> Findings:
    where = f"tool_calls[{index}]"
    if ABSENT in (ours, theirs):
        yield Finding(kind=Kind.TOOL_CALLS, where=where, reference=ours, candidate=theirs)
        return
    for name in ours:
        if name == "type" and (ours[name], theirs[name]) == (None, "function"):
            yield Finding(kind=Normalisation.TOOL_TYPE, where=f"{where}.type", candidate="function")
        else:
            yield from differing(Kind.TOOL_CALLS, f"{where}.{name}", ours[name], theirs[name])


def assemble(chunks: Sequence[Chunk]) -> list[dict[str, Any]]:
    """The tool calls that an application would put together: deltas with an index belong to the call of that
    index; one without continues the last call, unless it brings an id of its own.
    """
    return [_assembled(deltas) for deltas in _by_call(chunks)]


def _by_call(chunks: Sequence[Chunk]) -> list[list[Mapping[str, Any]]]:
    """The deltas of each call."""
    calls: dict[object, list[Mapping[str, Any]]] = {}
    key: object = None
    for delta in (delta for chunk in chunks for delta in chunk.tool_calls):
        if "index" in delta:
            key = delta["index"]
        elif "id" in delta or key is None:
            key = ("id", delta.get("id"))
        calls.setdefault(key, []).append(delta)
    return list(calls.values())


def _assembled(deltas: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    call: dict[str, Any] = {"id": None, "type": None, "index": None, "name": "", "arguments": ""}
    for delta in deltas:
        for name in ("id", "type", "index"):
            call[name] = delta.get(name) if call[name] is None else call[name]
        call["name"] += str(delta.get("name", ""))
        call["arguments"] = _continued(call["arguments"], delta.get("arguments", ""))
    return call


def _continued(arguments: Any, piece: Any) -> Any:
    """Arguments come as pieces of JSON text; an object, as some servers send, is kept as it is."""
    return arguments + piece if isinstance(piece, str) and isinstance(arguments, str) else piece


def _finish(pair: ObservationPair) -> Findings:
    """By what happened: `reference` where the candidate shows what the provider sent, and the reference does
    not; else what the candidate did: `changed` the reason, `invented` one, or `lost` it.
    """
    ours, theirs = (list(finish_reasons(side.chunks)) for side in pair.sides)
    sent = [reason for each in pair.answers for reason in each.finish_reasons] if pair.answers else ours
    if theirs == list(dict.fromkeys(sent)):
        happened = "reference"
    elif ours and theirs:
        happened = "changed"
    else:
        happened = "invented" if theirs else "lost"
    follows = pair.excuses_all(ours, theirs)
    yield from differing(Kind.FINISH_REASON, f"finish_reason.{happened}", ours, theirs, after_error=follows)


def _identity(pair: ObservationPair, kind: Kind, name: str) -> Findings:
    every = [[getattr(chunk, name) for chunk in side.chunks] for side in pair.sides]
    ours, theirs = (tuple(label for label, _ in groupby(filter(None, side))) for side in every)
    if ours != theirs and pair.excuses_rest(ours, theirs):
        yield Finding(kind=Normalisation.AFTER_ERROR)
    elif ours != theirs:
        yield Finding(kind=kind, where=name, reference=_few(ours), candidate=_few(theirs))
    elif ours and pair.reference.protocol == pair.candidate.protocol:  # other APIs label other events
        yield from _labelled(pair, kind, name)


def _labelled(pair: ObservationPair, kind: Kind, name: str) -> Findings:
    """The same label on fewer chunks is lost to who reads it there; on more, it only says the same again.
    Where both hand on as many chunks, those count as well that carry nothing else: many read the first.
    """
    sides = pair.reference.chunks, pair.candidate.chunks
    every = len(sides[0]) == len(sides[1])
    ours, theirs = (
        [getattr(chunk, name) for chunk in side if every or not is_empty(chunk)] for side in sides
    )
    without, lacking = ([not label for label in side].count(True) for side in (ours, theirs))
    if lacking > without and not pair.cut:
        one = f"on {len(ours) - without} of {len(ours)} chunks"
        other = f"on {len(theirs) - lacking} of {len(theirs)} chunks"
        yield Finding(kind=kind, where=name, reference=one, candidate=other)
    elif lacking < without:
        yield Finding(
            kind=Normalisation.LABEL_REPEATED,
            count=without - lacking,
            where=name,
            reference=without,
            candidate=lacking,
        )


def _few(values: tuple[str, ...]) -> Any:
    """A random id on every chunk would fill a page: the number says it as well."""
    if len(values) <= 1:
        return values[0] if values else ABSENT
    return list(values) if len(values) <= 3 else f"{len(values)} different ones"  # noqa: PLR2004


def _shape(pair: ObservationPair) -> Findings:
    counts = {name: [sum(map(of, side.chunks)) for side in pair.sides] for name, of in _SHAPE.items()}
    empty = counts[Normalisation.EMPTY_CHUNK]
    yield from differing(Kind.CHUNK_COUNT, "chunks.empty", *empty, after_error=pair.cut)
    for name, (ours, theirs) in counts.items():
        if ours != theirs:
            yield Finding(kind=name, count=abs(ours - theirs), reference=ours, candidate=theirs)
