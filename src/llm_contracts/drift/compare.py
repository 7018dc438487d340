"""Two answers by their shapes: what has changed, where, and what it can mean to a client. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from llm_contracts.drift.difference import ChangeKind, Drift, drift
from llm_contracts.drift.fields import Field, Fields, merged, parent
from llm_contracts.drift.kinds import DONE, ERROR, LAST
from llm_contracts.drift.meaning import is_read, severity_of_value
from llm_contracts.drift.shape import STREAM, AnswerShape, shape_of
from llm_contracts.parity.divergence import Severity
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.protocols import BUILT_IN, Protocols

ABSENT = "(absent)"
_ARROW = " → "
_SEVERITIES = tuple(Severity)
_NUMBERS = frozenset({"integer", "number"})
_NOTHING = Field()
_WITH_ALL_IN_IT = frozenset({ChangeKind.FIELD_GONE, ChangeKind.FIELD_NEW, ChangeKind.FIELD_NULL})


def compare_recordings(
    recorded: Sequence[Interaction], now: Sequence[Interaction], protocols: Protocols = BUILT_IN
) -> tuple[Drift, ...]:
    """All differences between the answers of two recordings, exchange by exchange, the worst first.

    Requests take no part: what differs in them is our own doing.
    """
    found: list[Drift] = []
    if len(recorded) != len(now):
        before, after = str(len(recorded)), str(len(now))
        found.append(drift(ChangeKind.EXCHANGES, Severity.VISIBLE, "exchanges", recorded=before, now=after))
    for number, (old, new) in enumerate(zip(recorded, now, strict=False)):
        drifts = compare_shapes(shape_of(old.response, protocols), shape_of(new.response, protocols))
        alone = len(recorded) == len(now) == 1
        found += drifts if alone else (replace(d, where=f"interactions[{number}]: {d.where}") for d in drifts)
    return tuple(sorted(found, key=lambda drift: _SEVERITIES.index(drift.severity)))


def compare_shapes(recorded: AnswerShape, now: AnswerShape) -> tuple[Drift, ...]:
    """All differences between two answers. Where one is a refusal and the other none, or one a stream and the
    other a document, that is said and nothing of what follows from it.
    """
    if recorded.status != now.status:
        old, new = (f"{shape.status} {shape.wording}".strip() for shape in (recorded, now))
        return (drift(ChangeKind.STATUS, Severity.BREAKING, "status", recorded=old, now=new),)
    if recorded.body != now.body:
        return (drift(ChangeKind.BODY, Severity.BREAKING, "body", recorded=recorded.body, now=now.body),)
    found: list[Drift] = []
    if recorded.end is not now.end:
        old, new = str(recorded.end), str(now.end)
        found.append(drift(ChangeKind.END, Severity.BREAKING, "end", recorded=old, now=new))
    found += _headers(recorded, now)
    if recorded.body == STREAM:
        found += _stream(recorded, now)
    found += _all_kinds(recorded.kinds, now.kinds, recorded.read | now.read)
    if recorded.wording != now.wording:
        old, new = recorded.wording, now.wording
        found.append(drift(ChangeKind.WORDING, Severity.COSMETIC, "error message", recorded=old, now=new))
    return tuple(found)


def _headers(recorded: AnswerShape, now: AnswerShape) -> Iterator[Drift]:
    for name in dict.fromkeys((*recorded.headers, *now.headers)):
        old, new = recorded.headers.get(name, ABSENT), now.headers.get(name, ABSENT)
        if old != new:
            severity = Severity.COSMETIC if "ratelimit" in name else Severity.VISIBLE
            yield drift(ChangeKind.HEADER, severity, f"header {name}", recorded=old, now=new)


def _stream(recorded: AnswerShape, now: AnswerShape) -> Iterator[Drift]:
    if recorded.lines != now.lines:
        old, new = (", ".join(sorted(lines)) for lines in (recorded.lines, now.lines))
        yield drift(ChangeKind.LINES, Severity.VISIBLE, "lines", recorded=old, now=new)
    yield from _usage(recorded, now)
    if recorded.order != now.order:
        old, new = _ARROW.join(recorded.order), _ARROW.join(now.order)
        lost, fresh = set(recorded.order) - set(now.order), set(now.order) - set(recorded.order)
        # Whoever waits for the end waits for ever; whoever knows no error in a stream shows half an answer.
        breaks = lost & {DONE, *LAST} or ERROR in fresh
        severity = Severity.BREAKING if breaks else Severity.VISIBLE
        yield drift(ChangeKind.ORDER, severity, "order of events", recorded=old, now=new)
    elif recorded.usage == now.usage and set(recorded.kinds) != set(now.kinds):
        old, new = (", ".join(shape.kinds) for shape in (recorded, now))
        yield drift(ChangeKind.TOGETHER, Severity.COSMETIC, "kinds of events", recorded=old, now=new)


def _usage(recorded: AnswerShape, now: AnswerShape) -> Iterator[Drift]:
    """Totals that are gone are a field that is gone, and new ones a new field."""
    old, new = recorded.usage, now.usage
    if old is None or new is None:
        return
    if old.last != new.last:
        yield drift(ChangeKind.USAGE_MOVED, Severity.BREAKING, "usage", recorded=old.last, now=new.last)
    elif None not in {old.throughout, new.throughout} and old.throughout != new.throughout:
        recorded_so, now_so = (
            "with each piece of text, too" if each.throughout else "once" for each in (old, new)
        )
        yield drift(ChangeKind.USAGE_MOVED, Severity.VISIBLE, "usage", recorded=recorded_so, now=now_so)


# Fields against fields, kind of event by kind of event


def _all_kinds(
    recorded: Mapping[str, Fields], now: Mapping[str, Fields], read: frozenset[str]
) -> tuple[Drift, ...]:
    """What differs in the fields; `read` are the members that clients read.

    A kind of event that only one side has is held against all of the other's: what stood in events of its own
    may come together with something else.
    """
    found: list[tuple[str, Drift]] = []
    for kind in dict.fromkeys((*recorded, *now)):
        if kind in recorded and kind in now:
            differing = _fields(kind, recorded[kind], now[kind], read)
        elif kind in recorded:
            there = {path: one for path, one in merged(now.values()).items() if path in recorded[kind]}
            differing = _fields(kind, recorded[kind], there, read)
            differing = (one for one in differing if one.change is ChangeKind.FIELD_GONE)
        else:
            # What every event had, whatever its kind, a new kind must have, too; the rest it may do without.
            # `[DONE]` and its like have no fields that it could lack.
            usual = {
                path: _narrowed(one, now[kind].get(path, _NOTHING))
                for path, one in merged(fields for fields in recorded.values() if fields).items()
                if one.always or path in now[kind]
            }
            differing = _fields(kind, usual, now[kind], read)
        found += [(kind, one) for one in differing]
    everywhere = [kind for kind in recorded if kind in now and recorded[kind]]
    return tuple(_grouped(found, everywhere))


def _grouped(found: Iterable[tuple[str, Drift]], everywhere: Sequence[str]) -> Iterator[Drift]:
    """What has happened to a field in several kinds of events alike is one difference."""
    kinds: dict[Drift, list[str]] = {}
    for kind, one in found:
        kinds.setdefault(one, []).append(kind)
    for one, names in kinds.items():
        everywhere_so = len(names) > 1 and set(names) >= set(everywhere)
        place = "all events" if everywhere_so else ", ".join(names)
        yield drift(one.change, one.severity, f"{place}: {one.where}", recorded=one.recorded, now=one.now)


def _fields(kind: str, recorded: Fields, now: Fields, read: frozenset[str]) -> Iterator[Drift]:
    reported: set[str] = set()
    for path in dict.fromkeys((*recorded, *now)):
        # What lies in a field that is gone is gone with it, and need not be reported.
        if parent(path) in reported:
            reported.add(path)
            continue
        for found in _field(kind, path, recorded.get(path), now.get(path), read):
            yield found
            if found.change in _WITH_ALL_IN_IT:
                reported.add(path)


def _narrowed(recorded: Field, now: Field) -> Field:
    """One kind need not hold all types that the others have together."""
    if now.types <= recorded.types and (now.types or not recorded.always):
        return replace(recorded, types=now.types)
    return recorded


def _field(
    kind: str, path: str, recorded: Field | None, now: Field | None, read: frozenset[str]
) -> Iterator[Drift]:
    old, new = recorded or _NOTHING, now or _NOTHING
    found = _of_types(old, new, is_read=is_read(path, read))
    if found is None and (recorded is None) != (now is None):
        found = (ChangeKind.FIELD_NULL, Severity.COSMETIC)
    if found is not None:
        yield _drift(path, *found, _types_of(recorded, found[0]), _types_of(now, found[0]))
    fresh = new.values - old.values
    if fresh and new.types <= old.types:  # a new field or another type says it all
        severities = [severity_of_value(path, value, error=kind == ERROR) for value in fresh]
        worst = min(severities, key=_SEVERITIES.index)
        yield _drift(path, ChangeKind.VALUE, worst, _values(old), _values(new))


def _of_types(old: Field, new: Field, *, is_read: bool) -> tuple[ChangeKind, Severity] | None:
    """What has become of a place, and what that means."""
    weight = Severity.BREAKING if is_read else Severity.VISIBLE
    if old.types and not new.types:
        return ChangeKind.FIELD_GONE, weight
    if new.types and not old.types:
        return ChangeKind.FIELD_NEW, Severity.VISIBLE if is_read else Severity.COSMETIC
    if old.types != new.types:
        return ChangeKind.FIELD_TYPE, _severity_of_type(old, new, weight)
    if old.always and not new.always:
        return ChangeKind.FIELD_SOMETIMES, Severity.VISIBLE if is_read else Severity.COSMETIC
    return None


def _severity_of_type(old: Field, new: Field, weight: Severity) -> Severity:
    if new.types < old.types or (old.types | new.types <= _NUMBERS and weight is not Severity.BREAKING):
        return Severity.COSMETIC
    return weight


def _types_of(field: Field | None, change: ChangeKind) -> str:
    if field is None:
        return ABSENT
    if not field.types:
        return "null"
    types = " or ".join(sorted(field.types))
    return types if field.always or change is not ChangeKind.FIELD_SOMETIMES else f"{types}, not always"


def _values(field: Field) -> str:
    return ", ".join(sorted(field.values)) or "(none)"


def _drift(path: str, change: ChangeKind, severity: Severity, recorded: str, now: str) -> Drift:
    return Drift(change=change, severity=severity, where=path, recorded=recorded, now=now)
