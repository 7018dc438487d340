"""Everything in chunks and errors that no named kind has accounted for, leaf by leaf in order of the stream.

A field that is lost on a thousand chunks is one difference: the first one is shown.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import groupby
from typing import Any

from llm_contracts.clients.chunks import NO_OBJECT
from llm_contracts.clients.observation import Chunk, Failure
from llm_contracts.parity.compare.finding import (
    ABSENT,
    Finding,
    Findings,
    ObservationPair,
    at,
    first_difference,
    same_but_volatile,
)
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.normalise import Normalisation, distinct, is_empty
from llm_contracts.util.json_values import is_number

Leaves = Mapping[str, Any]
"""Path → value."""

_NOTHING = (None, ABSENT)
_EMPTY: tuple[Any, ...] = ("", [], {})
_NAMED = frozenset({"message", "category", "code", "status", "status_code", "provider_code", "attempts"})
"""Fields of an error that are compared by name."""

_OF_THE_CONNECTION = frozenset(
    {"date", "server", "connection", "content-length", "transfer-encoding", "keep-alive", "set-cookie"}
)
"""Headers of an answer that say how it was sent, and not what was said."""


_OF_THE_SDK = re.compile(
    r"(?:_request_id|sdkHttpResponse|automaticFunctionCallingHistory|parsed|createTime|response\.content)\b"
)
"""What some SDKs add to answers or leave out, and other objects of the same answers do not."""


def compare_fields(pair: ObservationPair) -> Findings:
    """`fields` for each path at which the two differ."""
    yield from _roles(pair)
    answers = [{"stream": {"response": _shared_headers(side.answer)}} for side in pair.sides if side.answer]
    if len(answers) == len(pair.sides):
        yield from _pairwise([answers])
    ours, theirs = pair.reference.chunks, pair.candidate.chunks
    if len(ours) != len(theirs) and not pair.cut:
        full = [[chunk for chunk in chunks if not is_empty(chunk)] for chunks in (ours, theirs)]
        if len(full[0]) != len(full[1]):
            yield from _in_order(ours, theirs)
            return
        yield from _lost_with_empty_chunks(ours, theirs)
        ours, theirs = tuple(full[0]), tuple(full[1])
    yield from _pairwise((one.rest, other.rest) for one, other in zip(ours, theirs, strict=False))


def compare_error_fields(pair: ObservationPair) -> Findings:
    """What two errors say beside their category, status and code, which `error` compares."""
    ours, theirs = pair.reference.failure, pair.candidate.failure
    if ours is None or theirs is None:
        return
    named = {"message": (ours.said, theirs.said), "provider_code": (ours.provider_code, theirs.provider_code)}
    for name, (one, other) in named.items():
        if not same_but_volatile(one or "", other or "", pair.said):
            yield Finding(
                kind=Kind.FIELDS,
                where=f"error.{name}",
                reference=one,
                candidate=other,
                unstable=name == "message",
            )
    yield from _error_leaves(ours, theirs, pair.said)


def _error_leaves(ours: Failure, theirs: Failure, sent: str) -> Findings:
    named = {name for name in _NAMED if all(_is_named(name, failure) for failure in (ours, theirs))}
    if ours.said != theirs.said:
        named.add("message")
    further = [{n: v for n, v in side.fields.items() if n not in named} for side in (ours, theirs)]
    for path, kind, a, b in _differences(*(_leaves(_shared_headers(fields)) for fields in further)):
        if isinstance(a, str) and isinstance(b, str) and same_but_volatile(a, b, sent):
            continue
        added = kind is Kind.FIELDS and a == ABSENT
        shown = Normalisation.ERROR_ADDED if added else kind
        yield Finding(kind=shown, where=f"error.{path}", reference=a, candidate=b)


def _is_named(name: str, failure: Failure) -> bool:
    """Whether a field says nothing but what is compared by name: `status_code` as text is not the status."""
    value = failure.fields.get(name)
    return value is None or value in (failure.said, *(getattr(failure, each, None) for each in _NAMED))


def _shared_headers(answer: Mapping[str, Any]) -> dict[str, Any]:
    headers = answer.get("headers")
    if not isinstance(headers, Mapping):
        return dict(answer)
    said = {name: value for name, value in headers.items() if name not in _OF_THE_CONNECTION}
    return {**answer, "headers": said}


def _by_choice(chunks: Sequence[Chunk]) -> dict[str, list[str]]:
    """Place → the roles that a choice was given there, in order."""
    found: dict[str, list[str]] = {}
    for chunk in chunks:
        others = ((other["index"], other.get("role")) for other in chunk.others)
        for index, role in ((0, chunk.role), *others):
            if role:
                found.setdefault(f"choices[{index}].delta.role", []).append(role)
    return found


def _roles(pair: ObservationPair) -> Findings:
    sides = [_by_choice(side.chunks) for side in pair.sides]
    for where in dict.fromkeys((*sides[0], *sides[1])):
        ours, theirs = (side.get(where, []) for side in sides)
        if ours == theirs or pair.excuses_all(ours, theirs):
            continue
        one, other = distinct(ours), distinct(theirs)
        hidden = one == other or (not ours and other == ("assistant",))
        yield Finding(
            kind=Normalisation.ROLE if hidden else Kind.FIELDS,
            count=abs(len(ours) - len(theirs)) or 1,
            where=where,
            reference=list(one) or ABSENT,
            candidate=list(other) or ABSENT,
        )


def _pairwise(pairs: Iterable[Iterable[Leaves]]) -> Findings:
    first: dict[tuple[str, Kind | Normalisation], tuple[Any, Any]] = {}
    counts: Counter[tuple[str, Kind | Normalisation]] = Counter()
    leaves = _remembering(_leaves)
    differing_leaves = _remembering(lambda one, other: list(_differences(leaves(one), leaves(other))))
    for one, other in pairs:
        for path, kind, a, b in () if one is other else differing_leaves(one, other):
            first.setdefault((path, kind), (a, b))
            counts[path, kind] += 1
    for (path, kind), (a, b) in first.items():
        yield Finding(kind=kind, where=path, reference=a, candidate=b, count=counts[path, kind])


def _differences(one: Leaves, other: Leaves) -> Iterator[tuple[str, Kind | Normalisation, Any, Any]]:
    for path in dict.fromkeys((*one, *other)):
        a, b = one.get(path, ABSENT), other.get(path, ABSENT)
        if not _equal(a, b):
            yield path, _hidden(path, a, b) or Kind.FIELDS, a, b


def _in_order(ours: Sequence[Chunk], theirs: Sequence[Chunk]) -> Findings:
    """Where the pieces differ in number: for each path, the values in order, each run of equal ones once. The
    kinds of events are compared as their order.
    """
    sides = [[_leaves(chunk.rest) for chunk in chunks] for chunks in (ours, theirs)]
    for path in dict.fromkeys(path for side in sides for leaves in side for path in leaves if path != "type"):
        yield from _nothing_at(path, *sides)
        one, other = ([leaves[path] for leaves in side if path in leaves] for side in sides)
        one, other = ([v for v in side if v not in _NOTHING and v not in _EMPTY] for side in (one, other))
        one, other = ([key for key, _ in groupby(side)] for side in (one, other))
        index = first_difference(one, other)
        a, b = at(one, index), at(other, index)
        if one != other:
            kind = _hidden(path, a, b) or Kind.FIELDS
            yield Finding(kind=kind, where=path, reference=a, candidate=b)


def _nothing_at(path: str, ours: Sequence[Leaves], theirs: Sequence[Leaves]) -> Findings:
    """A null, or an empty value, that only one side has at this path."""
    one, other = ([leaves[path] for leaves in side if path in leaves] for side in (ours, theirs))
    for name, values in ((Normalisation.NULL, [None]), (Normalisation.EMPTY_VALUE, _EMPTY)):
        a, b = (next((value for value in side if value in values), ABSENT) for side in (one, other))
        if (a == ABSENT) != (b == ABSENT):
            yield Finding(kind=name, where=path, reference=a, candidate=b)


def _lost_with_empty_chunks(ours: Sequence[Chunk], theirs: Sequence[Chunk]) -> Findings:
    """What only chunks without content carried: it must not vanish with them."""
    one, other = (
        {p: v for c in chunks if is_empty(c) for p, v in _leaves(c.rest).items()} for chunks in (ours, theirs)
    )
    known, seen = (
        {p for c in chunks for p, v in _leaves(c.rest).items() if v is not None} for chunks in (ours, theirs)
    )
    for path, kind, a, b in _differences(one, other):
        lost = (path in known) != (path in seen) and not path.endswith("].index")
        if lost and kind is Kind.FIELDS:
            yield Finding(kind=kind, where=path, reference=a, candidate=b)


def _equal(one: Any, other: Any) -> bool:
    """Whether two leaves are the same, also as JSON writes them: -0.0 is not 0.0, and NaN is NaN."""
    if one.__class__ is not other.__class__:
        return isinstance(one, str) and bool(one == other)
    return repr(one) == repr(other) if isinstance(one, float) else bool(one == other)


def _hidden(path: str, one: Any, other: Any) -> Normalisation | None:
    """The normalisation that hides this difference; None if none does."""
    if (one in _NOTHING and other in _NOTHING) or (one == NO_OBJECT and other == ABSENT):
        return Normalisation.NULL
    empty = (one in _NOTHING or one in _EMPTY) and (other in _NOTHING or other in _EMPTY)
    loops = path == "choices" and one == [] and other is None  # whoever loops over them cannot
    if (empty and not loops) or (path.endswith("].index") and (one, other) == (None, 0)):
        return Normalisation.EMPTY_VALUE
    if is_number(one) and is_number(other) and one == other:
        return Normalisation.NUMBER_SPELLING
    if _OF_THE_SDK.match(path) and (one in _NOTHING or other == ABSENT):
        return Normalisation.OBJECT_TYPE
    # Whole seconds since 1970, from 2001 on, are what a clock says; other numbers are not an answer's time.
    clock = is_number(other) and 1e9 <= other < 1e10 and other == int(other)  # noqa: PLR2004
    return Normalisation.CREATED if path == "created" and is_number(one) and clock else None


def _leaves(value: Mapping[str, Any]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    if value:
        _collect(value, "", found)
    return found


def _collect(value: Any, place: str, found: dict[str, Any]) -> None:
    if isinstance(value, Mapping) and value:
        for name, part in value.items():
            _collect(part, f"{place}.{name}" if place else str(name), found)
    elif isinstance(value, list) and value:
        by_index = place == "choices"
        for number, part in enumerate(value):
            index = part.get("index") or 0 if by_index and isinstance(part, Mapping) else number
            _collect(part, f"{place}[{index}]", found)
    else:
        found[place] = value


def _remembering(work: Callable[..., Any]) -> Callable[..., Any]:
    """Chunks share what is left of them, so most work has been done for the chunk before."""
    done: dict[tuple[int, ...], Any] = {}

    def remembered(*values: Leaves) -> Any:
        key = tuple(map(id, values))
        if key not in done:
            done[key] = work(*values)
        return done[key]

    return remembered
