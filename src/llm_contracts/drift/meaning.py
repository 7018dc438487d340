"""What clients make of names: which members they read, and by which values they choose their way.

A protocol names the members that its clients read. An application may read more; so nothing else is passed
over, it only weighs less.
"""

from __future__ import annotations

from llm_contracts.parity.divergence import Severity
from llm_contracts.wire.protocols import Protocols

_OF_ERRORS = frozenset(
    {
        *("error", "message", "code", "type", "param", "status", "error_code", "error_msg"),
        *("error_description", "base_resp", "status_code", "status_msg", "detail", "details", "reason"),
        "retryDelay",
    }
)

FINISH = frozenset({"finish_reason", "finishReason", "stop_reason"})
KNOWN_FINISH = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
"""What OpenAI's API names; clients have a branch for each."""

_REFUSAL = frozenset({"code", "error_code", "status_code", "status", "type", "reason", "blockReason"})
_VISIBLE = frozenset({"object", "role", "event", "param", *_REFUSAL})
_COSMETIC = frozenset({"model", "modelVersion", "service_tier"})
_CHOICES = FINISH | _VISIBLE | _COSMETIC


def members_read(protocols: Protocols) -> frozenset[str]:
    """The members that some client of these APIs reads. A change in them can break it."""
    return _OF_ERRORS.union(*(protocol.members for protocol in protocols))


def is_read(path: str, read: frozenset[str]) -> bool:
    """Whether the member at the end of a path is one of these."""
    return _name(path) in read


def is_choice(path: str) -> bool:
    """Whether the value itself means something. What a listing lists is stock, not shape."""
    return _name(path) in _CHOICES and not path.startswith(("data[]", "models[]"))


def severity_of_value(path: str, value: str, *, error: bool) -> Severity:
    """What a value means that was not there before. `error`: whether it says what went wrong."""
    name = _name(path)
    if name in FINISH:
        return Severity.VISIBLE if value in KNOWN_FINISH else Severity.BREAKING
    if name in _COSMETIC:
        return Severity.COSMETIC
    return Severity.BREAKING if error and name in _REFUSAL else Severity.VISIBLE


def _name(path: str) -> str:
    return path.replace("[]", "").rpartition(".")[2]
