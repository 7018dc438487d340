"""One located difference between two clients: a closed set of kinds, each with its default severity."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Self


class Severity(StrEnum):
    """How much a difference means to an application."""

    BREAKING = "breaking"  # wrong data or another control flow
    VISIBLE = "visible"  # an application may notice
    COSMETIC = "cosmetic"  # it should not

    @property
    def rank(self) -> int:
        """Its place among them, 0 for the gravest."""
        return list(Severity).index(self)


class Kind(StrEnum):
    """What differs, and what a difference of this kind means; some places weigh more, see
    `Divergence.severity`. The set is closed: a script may rely on it.
    """

    severity: Severity

    def __new__(cls, value: str, severity: Severity = Severity.BREAKING) -> Self:
        kind = str.__new__(cls, value)
        kind._value_ = value
        kind.severity = severity
        return kind

    TEXT = "text", Severity.BREAKING
    DELTAS = "deltas", Severity.VISIBLE
    REASONING = "reasoning", Severity.BREAKING
    TOOL_CALLS = "tool_calls", Severity.BREAKING
    FINISH_REASON = "finish_reason", Severity.BREAKING
    USAGE = "usage", Severity.BREAKING
    USAGE_INVENTED = "usage_invented", Severity.BREAKING
    USAGE_MISSING = "usage_missing", Severity.BREAKING
    USAGE_DETAILS = "usage_details", Severity.VISIBLE
    ERROR = "error", Severity.BREAKING
    ERROR_POSITION = "error_position", Severity.VISIBLE
    RESPONSE_ID = "response_id", Severity.VISIBLE
    MODEL_NAME = "model_name", Severity.VISIBLE
    CHUNK_COUNT = "chunk_count", Severity.COSMETIC
    DELIVERY_LAG = "delivery_lag", Severity.VISIBLE
    REQUEST_TARGET = "request_target", Severity.BREAKING
    REQUEST_BODY = "request_body", Severity.BREAKING
    REQUEST_HEADERS = "request_headers", Severity.VISIBLE
    ATTEMPTS = "attempts", Severity.BREAKING
    TELEMETRY = "telemetry", Severity.BREAKING
    UNFAITHFUL = "unfaithful", Severity.VISIBLE
    FIELDS = "fields", Severity.VISIBLE
    ORDER = "order", Severity.VISIBLE
    SURFACE = "surface", Severity.VISIBLE
    SIDE_EFFECT = "side_effect", Severity.VISIBLE


def severity_of(kind: Kind, where: str) -> Severity:
    """How much a difference of this kind means at this place: what the caller gave must stay as it was."""
    if kind is Kind.SIDE_EFFECT and where.startswith("call."):
        return Severity.BREAKING
    return kind.severity


def place(where: str) -> str:
    """A place without its numbers: `delta[17]` is `delta[*]`."""
    return re.sub(r"\[\d+\]", "[*]", where)


@dataclass(frozen=True, kw_only=True, slots=True)
class Divergence:
    """One difference. `where` locates it (`usage.completion_tokens`, `delta[17]`); `reference` and
    `candidate` are JSON values; `fingerprint` names it across runs, without clocks, ids or file order.
    """

    kind: Kind
    where: str
    reference: Any
    candidate: Any
    fingerprint: str

    @property
    def severity(self) -> Severity:
        """How much this difference means."""
        return severity_of(self.kind, self.where)
