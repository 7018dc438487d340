"""Two answers by their shapes: what has changed, where, and what it can mean to a client. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum

from llm_contracts.drift.fields import Field, Fields, member, merged, parent, severity_of_value
from llm_contracts.drift.shape import DONE, ERROR, LAST, STREAM, AnswerShape, shape_of
from llm_contracts.parity.divergence import Severity
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.protocols import BUILT_IN, Protocols

ABSENT = "(absent)"
_ARROW = " → "
_NUMBERS = frozenset({"integer", "number"})
_NOTHING = Field()
_LONGEST = 200


class ChangeKind(StrEnum):
    """What has changed. The set is closed: a script may rely on it."""

    STATUS = "status"
    END = "end"
    BODY = "body"
    EXCHANGES = "exchanges"
    ORDER = "order"
    USAGE_MOVED = "usage_moved"
    FIELD_GONE = "field_gone"
    FIELD_TYPE = "field_type"
    FIELD_SOMETIMES = "field_sometimes"
    FIELD_NEW = "field_new"
    FIELD_NULL = "field_null"
    VALUE = "value"
    HEADER = "header"
    LINES = "lines"
    WORDING = "wording"
    TOGETHER = "together"


_WITH_ALL_IN_IT = frozenset({ChangeKind.FIELD_GONE, ChangeKind.FIELD_NEW, ChangeKind.FIELD_NULL})


@dataclass(frozen=True, kw_only=True, slots=True)
class Drift:
    """One difference.

    Attributes:
        change: what has changed.
        severity: what that can mean to a client.
        where: the kind of event and the field in it: `content: choices[].delta.content`; for an exchange that
            is not the only one with its number before it.
        recorded, now: both sides, in words.
    """

    change: ChangeKind
    severity: Severity
    where: str
    recorded: str
    now: str


def drift(change: ChangeKind, severity: Severity, where: str, *, recorded: str, now: str) -> Drift:
    """A difference with its texts fit to be shown: what providers send may hold anything, and any amount."""
    return Drift(
        change=change,
        severity=severity,
        where=shown(where),
        recorded=shown(recorded),
        now=shown(now),
    )


def _changed(change: ChangeKind, severity: Severity, where: str, recorded: str, now: str) -> Iterator[Drift]:
    """The difference of two texts, if there is one."""
    if recorded != now:
        yield drift(change, severity, where, recorded=recorded, now=now)


def shown(text: str) -> str:
    """One line of printable characters, shortened where it is long."""
    plain = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text[: _LONGEST + 1])
    return plain if len(text) <= _LONGEST else plain[:_LONGEST] + "…"


def compare_recordings(
    recorded: Sequence[Interaction], now: Sequence[Interaction], protocols: Protocols = BUILT_IN
) -> tuple[Drift, ...]:
    """All differences between the answers of two recordings, exchange by exchange, the worst first.

    Requests take no part: what differs in them is our own doing.
    """
    numbers = str(len(recorded)), str(len(now))
    found = [*_changed(ChangeKind.EXCHANGES, Severity.VISIBLE, "exchanges", *numbers)]
    alone = len(recorded) == len(now) == 1
    for number, (old, new) in enumerate(zip(recorded, now, strict=False)):
        drifts = compare_shapes(shape_of(old.response, protocols), shape_of(new.response, protocols))
        found += drifts if alone else (replace(d, where=f"interactions[{number}]: {d.where}") for d in drifts)
    return tuple(sorted(found, key=lambda drift: drift.severity.rank))


def compare_shapes(recorded: AnswerShape, now: AnswerShape) -> tuple[Drift, ...]:
    """All differences between two answers. Where one is a refusal and the other none, or one a stream and the
    other a document, that is said and nothing of what follows from it.
    """
    if recorded.status != now.status:
        old, new = (f"{shape.status} {shape.wording}".strip() for shape in (recorded, now))
        return (drift(ChangeKind.STATUS, Severity.BREAKING, "status", recorded=old, now=new),)
    if recorded.body != now.body:
        return (*_changed(ChangeKind.BODY, Severity.BREAKING, "body", recorded.body, now.body),)
    wordings = recorded.wording, now.wording
    return (
        *_changed(ChangeKind.END, Severity.BREAKING, "end", recorded.end, now.end),
        *_headers(recorded, now),
        *(_stream(recorded, now) if recorded.body == STREAM else ()),
        *_all_kinds(recorded.kinds, now.kinds, recorded.read | now.read),
        *_changed(ChangeKind.WORDING, Severity.COSMETIC, "error message", *wordings),
    )


def _headers(recorded: AnswerShape, now: AnswerShape) -> Iterator[Drift]:
    for name in dict.fromkeys((*recorded.headers, *now.headers)):
        values = (shape.headers.get(name, ABSENT) for shape in (recorded, now))
        severity = Severity.COSMETIC if "ratelimit" in name else Severity.VISIBLE
        yield from _changed(ChangeKind.HEADER, severity, f"header {name}", *values)


def _stream(recorded: AnswerShape, now: AnswerShape) -> Iterator[Drift]:
    lines = (", ".join(sorted(shape.lines)) for shape in (recorded, now))
    yield from _changed(ChangeKind.LINES, Severity.VISIBLE, "lines", *lines)
    usage, later = recorded.usage, now.usage
    if usage is None or later is None:
        pass  # totals that are gone are a field that is gone, and new ones a new field
    elif usage.last != later.last:
        yield drift(ChangeKind.USAGE_MOVED, Severity.BREAKING, "usage", recorded=usage.last, now=later.last)
    elif None not in {usage.throughout, later.throughout}:
        often = ("with each piece of text, too" if one.throughout else "once" for one in (usage, later))
        yield from _changed(ChangeKind.USAGE_MOVED, Severity.VISIBLE, "usage", *often)
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


# Fields against fields, kind of event by kind of event


def _all_kinds(
    recorded: Mapping[str, Fields], now: Mapping[str, Fields], read: frozenset[str]
) -> Iterator[Drift]:
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
            usual = {}
            for path, one in merged(fields for fields in recorded.values() if fields).items():
                if one.always or path in now[kind]:
                    here = now[kind].get(path, _NOTHING).types
                    # One kind need not hold all types that the others have together.
                    narrower = here <= one.types and (here or not one.always)
                    usual[path] = replace(one, types=here) if narrower else one
            differing = _fields(kind, usual, now[kind], read)
        found += [(kind, one) for one in differing]
    # What has happened to a field in several kinds of events alike is one difference.
    everywhere = {kind for kind in recorded if kind in now and recorded[kind]}
    alike: dict[Drift, list[str]] = {}
    for kind, difference in found:
        alike.setdefault(difference, []).append(kind)
    for each, names in alike.items():
        place = "all events" if len(names) > 1 and set(names) >= everywhere else ", ".join(names)
        where = f"{place}: {each.where}"
        yield drift(each.change, each.severity, where, recorded=each.recorded, now=each.now)


def _fields(kind: str, recorded: Fields, now: Fields, read: frozenset[str]) -> Iterator[Drift]:
    reported: set[str] = set()
    for path in dict.fromkeys((*recorded, *now)):
        # What lies in a field that is gone is gone with it, and need not be reported.
        if parent(path) in reported:
            reported.add(path)
            continue
        for one in _field(kind, path, recorded.get(path), now.get(path), read):
            yield one
            if one.change in _WITH_ALL_IN_IT:
                reported.add(path)


def _field(
    kind: str, path: str, recorded: Field | None, now: Field | None, read: frozenset[str]
) -> Iterator[Drift]:
    old, new = recorded or _NOTHING, now or _NOTHING
    is_read = member(path) in read
    weight = Severity.BREAKING if is_read else Severity.VISIBLE
    lighter = Severity.VISIBLE if is_read else Severity.COSMETIC
    change: ChangeKind | None = None
    if old.types and not new.types:
        change, severity = ChangeKind.FIELD_GONE, weight
    elif new.types and not old.types:
        change, severity = ChangeKind.FIELD_NEW, lighter
    elif old.types != new.types:
        numbers = old.types | new.types <= _NUMBERS and not is_read
        harmless = new.types < old.types or numbers
        change, severity = ChangeKind.FIELD_TYPE, Severity.COSMETIC if harmless else weight
    elif old.always and not new.always:
        change, severity = ChangeKind.FIELD_SOMETIMES, lighter
    elif (recorded is None) != (now is None):
        change, severity = ChangeKind.FIELD_NULL, Severity.COSMETIC
    if change is not None:
        before, after = _types(recorded, change), _types(now, change)
        yield Drift(change=change, severity=severity, where=path, recorded=before, now=after)
    fresh = new.values - old.values
    if fresh and new.types <= old.types:  # a new field or another type says it all
        severities = [severity_of_value(path, value, error=kind == ERROR) for value in fresh]
        worst = min(severities, key=lambda severity: severity.rank)
        before, after = (", ".join(sorted(field.values)) or "(none)" for field in (old, new))
        yield Drift(change=ChangeKind.VALUE, severity=worst, where=path, recorded=before, now=after)


def _types(field: Field | None, change: ChangeKind) -> str:
    if field is None:
        return ABSENT
    if not field.types:
        return "null"
    types = " or ".join(sorted(field.types))
    return types if field.always or change is not ChangeKind.FIELD_SOMETIMES else f"{types}, not always"
