"""One located difference between a recording and what the provider sends now: a closed set of changes."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from llm_contracts.parity.divergence import Severity


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


_LONGEST = 200


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


def shown(text: str) -> str:
    """One line of printable characters, shortened where it is long."""
    plain = "".join(each if each.isprintable() else f"\\u{ord(each):04x}" for each in text[: _LONGEST + 1])
    return plain if len(text) <= _LONGEST else plain[:_LONGEST] + "…"
