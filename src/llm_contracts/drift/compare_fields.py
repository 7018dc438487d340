"""Fields against fields, kind of event by kind of event. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace

from llm_contracts.drift.difference import ChangeKind, Drift, drift
from llm_contracts.drift.fields import Field, Fields, merged, parent
from llm_contracts.drift.kinds import ERROR
from llm_contracts.drift.meaning import is_read, severity_of_value
from llm_contracts.parity.divergence import Severity

Kinds = Mapping[str, Fields]
_NUMBERS = frozenset({"integer", "number"})
_NOTHING = Field()
_WITH_ALL_IN_IT = frozenset({ChangeKind.FIELD_GONE, ChangeKind.FIELD_NEW, ChangeKind.FIELD_NULL})


def all_kinds(recorded: Kinds, now: Kinds, read: frozenset[str]) -> tuple[Drift, ...]:
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
        if (
            parent(path) in reported
        ):  # what lies in a field that is gone is gone with it, and need not be reported
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
        yield _drift(path, *found, _describe(recorded, found[0]), _describe(now, found[0]))
    fresh = new.values - old.values
    if fresh and new.types <= old.types:  # a new field or another type says it all
        severities = [severity_of_value(path, value, error=kind == ERROR) for value in fresh]
        worst = min(severities, key=tuple(Severity).index)
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


def _describe(field: Field | None, change: ChangeKind) -> str:
    if field is None:
        return "(absent)"
    if not field.types:
        return "null"
    types = " or ".join(sorted(field.types))
    return types if field.always or change is not ChangeKind.FIELD_SOMETIMES else f"{types}, not always"


def _values(field: Field) -> str:
    return ", ".join(sorted(field.values)) or "(none)"


def _drift(path: str, change: ChangeKind, severity: Severity, recorded: str, now: str) -> Drift:
    return Drift(change=change, severity=severity, where=path, recorded=recorded, now=now)
