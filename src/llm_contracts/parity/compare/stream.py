"""What a consumer of the stream sees: text, its pieces, reasoning, tool calls, finish, identity.

Where one client failed before the other, only what both reached is compared: the failure is the difference,
and the text that was never reached follows from it. What is left out for that reason counts as
`after-error`. A candidate that fails as the reference does, but hands on nothing at all of what came before,
has lost it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Sized
from itertools import groupby
from typing import Any

from llm_contracts.clients.observation import Chunk, Observation
from llm_contracts.parity.compare.finding import (
    ABSENT,
    Findings,
    ObservationPair,
    UnnamedDivergence,
    at,
    first_difference,
)
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.normalise import (
    Normalisation,
    NormalisationCount,
    distinct,
    finish_reasons,
    is_empty,
    shape_notes,
)

_BEFORE, _AFTER = 20, 60  # characters shown around the first difference of two texts

_EXTRAS = {
    "content": Kind.TEXT,  # a list or number where text is usual
    "refusal": Kind.TEXT,
    "choices": Kind.TEXT,  # answers besides the first, and their finish reasons
    "reasoning": Kind.REASONING,
    "function_call": Kind.TOOL_CALLS,
}


def compare_stream(pair: ObservationPair) -> Findings:
    """Everything that is read from the chunks, usage apart."""
    yield from _texts(pair)
    yield from _extras(pair)
    yield from _other_choices(pair)
    yield from _tool_calls(pair)
    yield from _finish(pair)
    yield from _identity(pair, Kind.RESPONSE_ID, "id")
    yield from _identity(pair, Kind.MODEL_NAME, "model")
    yield from _empty_chunks(pair)
    yield from shape_notes(pair.reference.chunks, pair.candidate.chunks)


def _texts(pair: ObservationPair) -> Findings:
    ours, theirs = pair.reference, pair.candidate
    text = list(_joined(pair, Kind.TEXT, "text", ours.text, theirs.text))
    yield from text
    if not any(isinstance(found, UnnamedDivergence) for found in text):
        yield from _pieces(pair)
    yield from _joined(pair, Kind.REASONING, "reasoning", ours.reasoning, theirs.reasoning)
    if ours.reasoning == theirs.reasoning:
        pieces = ([chunk.reasoning for chunk in side.chunks if chunk.reasoning] for side in (ours, theirs))
        yield from _cut(pair, "reasoning.delta", *pieces)
    yield from _reasoning_keys(pair)


def _reasoning_keys(pair: ObservationPair) -> Findings:
    """The same reasoning under another name is lost to whoever reads the old one."""
    ours, theirs = (
        distinct(key for chunk in side.chunks for key in chunk.reasoning_keys)
        for side in (pair.reference, pair.candidate)
    )
    if ours and theirs and ours != theirs:
        yield UnnamedDivergence(
            kind=Kind.REASONING, where="reasoning.key", reference=_few(ours), candidate=_few(theirs)
        )


def _joined(pair: ObservationPair, kind: Kind, place: str, ours: str, theirs: str) -> Findings:
    if ours == theirs:
        return
    index = first_difference(ours, theirs)
    if _follows(pair, ours, theirs) and index == min(len(ours), len(theirs)):
        yield NormalisationCount(name=Normalisation.AFTER_ERROR)
        return
    yield UnnamedDivergence(
        kind=kind,
        where=f"{place}[{index}]",
        reference=_excerpt(ours, index),
        candidate=_excerpt(theirs, index),
    )


def _follows(pair: ObservationPair, ours: Sized, theirs: Sized) -> bool:
    """Whether it follows from an earlier failure that the one has more of it."""
    return pair.excuses(ours, theirs) and (pair.one_failed or len(theirs) > 0)


def _excerpt(text: str, index: int) -> str:
    start, end = max(0, index - _BEFORE), index + _AFTER
    return ("…" if start else "") + text[start:end] + ("…" if end < len(text) else "")


def _pieces(pair: ObservationPair) -> Findings:
    """How the same text was cut. Where the clients got to different places, as far as both got."""
    yield from _cut(pair, "delta", pair.reference.deltas, pair.candidate.deltas)


def _cut(pair: ObservationPair, place: str, ours: Sequence[Any], theirs: Sequence[Any]) -> Findings:
    """Where the same is handed on in other pieces."""
    index = first_difference(ours, theirs)
    whole = index == min(len(ours), len(theirs))
    if ours != theirs and not (pair.cut and whole):
        yield UnnamedDivergence(
            kind=Kind.DELTAS,
            where=f"{place}[{index}]",
            reference=at(ours, index),
            candidate=at(theirs, index),
        )


def _other_choices(pair: ObservationPair) -> Findings:
    """The choices beside the answer, each by its index: what each says in the end."""
    ours, theirs = (_by_index(side.chunks) for side in (pair.reference, pair.candidate))
    for index in sorted(ours.keys() | theirs.keys()):
        one, other = ours.get(index, {}), theirs.get(index, {})
        for name in dict.fromkeys((*one, *other)):
            a, b = one.get(name, ABSENT), other.get(name, ABSENT)
            if a != b and _reached_alike(pair, one.get(name, ()), other.get(name, ())):
                yield NormalisationCount(name=Normalisation.AFTER_ERROR)
            elif a != b:
                kind = _OF_A_CHOICE[name]
                where = f"choices[{index}].{name}"
                yield UnnamedDivergence(kind=kind, where=where, reference=a, candidate=b)
        if one == other:
            pieces = (_pieces_of(index, side.chunks) for side in (pair.reference, pair.candidate))
            yield from _cut(pair, f"choices[{index}].delta", *pieces)


def _reached_alike(pair: ObservationPair, ours: Sequence[Any], theirs: Sequence[Any]) -> bool:
    """Whether the one is as much of the other as it got to before it failed."""
    one, other = ("".join(map(str, side)) for side in (ours, theirs))
    alike = (
        _begins_alike(a, b) if isinstance(a, dict) else a == b for a, b in zip(ours, theirs, strict=False)
    )
    return _follows(pair, one, other) and all(alike)


_OF_A_CHOICE = {
    "text": Kind.TEXT,
    "reasoning": Kind.REASONING,
    "tool_calls": Kind.TOOL_CALLS,
    "finish_reason": Kind.FINISH_REASON,
    "extra": Kind.TEXT,
}


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


def _extras(pair: ObservationPair) -> Findings:
    for place, kind in _EXTRAS.items():
        ours, theirs = _extra(pair.reference, place), _extra(pair.candidate, place)
        if ours == theirs:
            continue
        index = first_difference(ours, theirs)
        if _follows(pair, ours, theirs) and index == min(len(ours), len(theirs)):
            yield NormalisationCount(name=Normalisation.AFTER_ERROR)
            continue
        where = f"{place}[{index}]"
        yield UnnamedDivergence(
            kind=kind, where=where, reference=at(ours, index), candidate=at(theirs, index)
        )


def _extra(observation: Observation, place: str) -> list[Any]:
    return [chunk.extra[place] for chunk in observation.chunks if place in chunk.extra]


def _tool_calls(pair: ObservationPair) -> Findings:
    ours, theirs = assemble(pair.reference.chunks), assemble(pair.candidate.chunks)
    if ours == theirs:
        yield from _call_deltas(pair)
    if _reached_alike(pair, ours, theirs):
        if ours != theirs:
            yield NormalisationCount(name=Normalisation.AFTER_ERROR)
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
    sides = (_by_call(side.chunks) for side in (pair.reference, pair.candidate))
    for index, (ours, theirs) in enumerate(zip(*sides, strict=True)):
        where = f"tool_calls[{index}]"
        pieces = ([each["arguments"] for each in side if each.get("arguments")] for side in (ours, theirs))
        yield from _cut(pair, f"{where}.arguments.delta", *pieces)
        for name in ("id", "name"):
            one, other = (_named_on(name, side) for side in (ours, theirs))
            if one != other:
                yield UnnamedDivergence(
                    kind=Kind.FIELDS, where=f"{where}.{name}", reference=one, candidate=other
                )


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
        yield UnnamedDivergence(kind=Kind.TOOL_CALLS, where=where, reference=ours, candidate=theirs)
        return
    for name in ours:
        if name == "type" and (ours[name], theirs[name]) == (None, "function"):
            yield NormalisationCount(
                name=Normalisation.TOOL_TYPE, where=f"{where}.type", candidate="function"
            )
        elif ours[name] != theirs[name]:
            place = f"{where}.{name}"
            yield UnnamedDivergence(
                kind=Kind.TOOL_CALLS, where=place, reference=ours[name], candidate=theirs[name]
            )


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
    ours, theirs = finish_reasons(pair.reference.chunks), finish_reasons(pair.candidate.chunks)
    if ours == theirs:
        return
    if pair.excuses(ours, theirs) and not (ours and theirs):
        yield NormalisationCount(name=Normalisation.AFTER_ERROR)
        return
    where = f"finish_reason.{_what_happened(pair, ours, theirs)}"
    yield UnnamedDivergence(
        kind=Kind.FINISH_REASON, where=where, reference=list(ours), candidate=list(theirs)
    )


def _what_happened(pair: ObservationPair, ours: tuple[str, ...], theirs: tuple[str, ...]) -> str:
    """`reference`: the candidate shows what the provider sent, and the reference does not. Else what the
    candidate did: `changed` it, `invented` one, or `lost` it.
    """
    sent = [reason for each in pair.answers for reason in each.finish_reasons] if pair.answers else ours
    if ours != theirs == tuple(dict.fromkeys(sent)):
        return "reference"
    if ours and theirs:
        return "changed"
    return "invented" if theirs else "lost"


def _identity(pair: ObservationPair, kind: Kind, name: str) -> Findings:
    every = [[getattr(chunk, name) for chunk in side.chunks] for side in (pair.reference, pair.candidate)]
    ours, theirs = (tuple(label for label, _ in groupby(filter(None, side))) for side in every)
    if ours == theirs:
        # Other APIs have their labels on other events.
        if ours and pair.reference.protocol == pair.candidate.protocol:
            yield from _labelled(pair, kind, name)
        return
    if pair.excuses(ours, theirs) and first_difference(ours, theirs) == min(len(ours), len(theirs)):
        yield NormalisationCount(name=Normalisation.AFTER_ERROR)
        return
    yield UnnamedDivergence(kind=kind, where=name, reference=_few(ours), candidate=_few(theirs))


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
        yield UnnamedDivergence(kind=kind, where=name, reference=one, candidate=other)
    elif lacking < without:
        yield NormalisationCount(
            name=Normalisation.LABEL_REPEATED,
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


def _empty_chunks(pair: ObservationPair) -> Findings:
    ours, theirs = (sum(map(is_empty, side.chunks)) for side in (pair.reference, pair.candidate))
    if ours == theirs:
        return
    if pair.cut:
        yield NormalisationCount(name=Normalisation.AFTER_ERROR)
        return
    yield UnnamedDivergence(kind=Kind.CHUNK_COUNT, where="chunks.empty", reference=ours, candidate=theirs)
