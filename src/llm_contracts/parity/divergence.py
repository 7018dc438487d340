"""One located difference between two clients: a closed set of kinds, each with its default severity."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum
from typing import Any


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
    """What differs. The set is closed: a script may rely on it."""

    TEXT = "text"
    DELTAS = "deltas"
    REASONING = "reasoning"
    TOOL_CALLS = "tool_calls"
    FINISH_REASON = "finish_reason"
    USAGE = "usage"
    USAGE_INVENTED = "usage_invented"
    USAGE_MISSING = "usage_missing"
    USAGE_DETAILS = "usage_details"
    ERROR = "error"
    ERROR_POSITION = "error_position"
    RESPONSE_ID = "response_id"
    MODEL_NAME = "model_name"
    CHUNK_COUNT = "chunk_count"
    DELIVERY_LAG = "delivery_lag"
    REQUEST_TARGET = "request_target"
    REQUEST_BODY = "request_body"
    REQUEST_HEADERS = "request_headers"
    ATTEMPTS = "attempts"
    TELEMETRY = "telemetry"
    UNFAITHFUL = "unfaithful"
    FIELDS = "fields"
    ORDER = "order"
    SURFACE = "surface"
    SIDE_EFFECT = "side_effect"

    @property
    def severity(self) -> Severity:
        """What a difference of this kind means; some places weigh more, see `Divergence.severity`."""
        if self in _VISIBLE:
            return Severity.VISIBLE
        return Severity.COSMETIC if self is Kind.CHUNK_COUNT else Severity.BREAKING


_VISIBLE = frozenset(
    {
        Kind.DELTAS,
        Kind.USAGE_DETAILS,
        Kind.ERROR_POSITION,
        Kind.RESPONSE_ID,
        Kind.MODEL_NAME,
        Kind.DELIVERY_LAG,
        Kind.REQUEST_HEADERS,
        Kind.UNFAITHFUL,
        Kind.FIELDS,
        Kind.ORDER,
        Kind.SURFACE,
        Kind.SIDE_EFFECT,
    }
)


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
