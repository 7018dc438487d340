"""Two answers by their shapes: what has changed, where, and what it can mean to a client. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from llm_contracts.drift.compare_fields import all_kinds
from llm_contracts.drift.difference import ChangeKind, Drift, drift
from llm_contracts.drift.kinds import DONE, ERROR, LAST
from llm_contracts.drift.shape import STREAM, Shape, shape_of
from llm_contracts.parity.divergence import Severity
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.protocols import BUILT_IN, Protocols

ABSENT = "(absent)"
_ARROW = " → "
_SEVERITIES = tuple(Severity)


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


def compare_shapes(recorded: Shape, now: Shape) -> tuple[Drift, ...]:
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
    found += all_kinds(recorded.kinds, now.kinds, recorded.read | now.read)
    if recorded.wording != now.wording:
        old, new = recorded.wording, now.wording
        found.append(drift(ChangeKind.WORDING, Severity.COSMETIC, "error message", recorded=old, now=new))
    return tuple(found)


def _headers(recorded: Shape, now: Shape) -> Iterator[Drift]:
    for name in dict.fromkeys((*recorded.headers, *now.headers)):
        old, new = recorded.headers.get(name, ABSENT), now.headers.get(name, ABSENT)
        if old != new:
            severity = Severity.COSMETIC if "ratelimit" in name else Severity.VISIBLE
            yield drift(ChangeKind.HEADER, severity, f"header {name}", recorded=old, now=new)


def _stream(recorded: Shape, now: Shape) -> Iterator[Drift]:
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


def _usage(recorded: Shape, now: Shape) -> Iterator[Drift]:
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
