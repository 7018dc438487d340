"""What the single comparisons work on and yield, and the name a difference keeps across runs."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Iterator, Sequence, Sized
from dataclasses import dataclass
from typing import Any

from llm_contracts.clients.observation import Observation
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.parity.normalise import Normalisation
from llm_contracts.wire.facts import WireFacts
from llm_contracts.wire.interaction import Request
from llm_contracts.wire.matching import canonical_body


class _Absent(str):
    """Equal to itself alone: a provider may send the same text."""

    __slots__ = ()
    __hash__ = str.__hash__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, _Absent)

    def __ne__(self, other: object) -> bool:
        return not isinstance(other, _Absent)


ABSENT = _Absent("<absent>")
"""Stands for a value that is not there at all, where null would mean that null was there. Written as text; no
text that is compared is equal to it.
"""

_OK = 200

VOLATILE = re.compile(
    r"""
    \b(?:127\.0\.0\.1|localhost|\[::1\])(?::\d+)?(?:/[\w-]+)?   # the loopback edge: port and key of a session
  | \b(?:chatcmpl|cmpl|resp|req|run|msg|call|toolu)[-_][\w-]+   # ids of responses, requests and tool calls
  | \b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b             # UUIDs
  | \b(?=[0-9a-f]*\d)[0-9a-f]{16,}\b                            # other long hexadecimal ids
  | \b\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d[\d.:+Z-]*               # times of day
  | \b1[5-9]\d{8}(?:\d{3})?\b                                   # seconds or milliseconds since 1970
  | \b\d+(?:\.\d+)?\ ?(?:ms|s|seconds?)\b                       # durations
""",
    re.VERBOSE | re.IGNORECASE,
)

Value = Any
"""A JSON value."""


def same_but_volatile(one: str, other: str, sent: str) -> bool:
    """Whether two texts differ in ids, times and addresses alone, none of which stands in what was sent: the
    provider's own id is not by chance.
    """
    if VOLATILE.sub("~", one) != VOLATILE.sub("~", other):
        return False
    pairs = zip(VOLATILE.findall(one), VOLATILE.findall(other), strict=True)
    return all(ours == theirs or ours not in sent for ours, theirs in pairs)


@dataclass(frozen=True, kw_only=True, slots=True)
class Finding:
    """A difference before it has its name, or one that a normalisation hides.

    Attributes:
        kind: what differs, or the normalisation that hides it and is counted.
        where: the place; may be empty where the difference is hidden.
        reference, candidate: what stands there on either side; of several that are hidden, the first.
        count: how often it occurs.
        unstable: whether the values depend on timing or wording: the name leaves them out.
    """

    kind: Kind | Normalisation
    where: str = ""
    reference: Value = None
    candidate: Value = None
    count: int = 1
    unstable: bool = False

    def seal(self, scope: str) -> Divergence:
        """The divergence, named for this scope (an item's id)."""
        values = ("", "") if self.unstable else (canonical(self.reference), canonical(self.candidate))
        named = "|".join((scope, self.kind, self.where, *(VOLATILE.sub("~", value) for value in values)))
        return Divergence(
            kind=Kind(self.kind),
            where=self.where,
            reference=self.reference,
            candidate=self.candidate,
            fingerprint=hashlib.sha256(named.encode("utf-8", "surrogatepass")).hexdigest()[:12],
        )


Findings = Iterator[Finding]
"""What one comparison yields."""


def differing(
    kind: Kind | Normalisation, where: str, reference: Value, candidate: Value, *, after_error: bool = False
) -> Findings:
    """A finding where the two values differ. `after_error`: that follows from an earlier failure, so it is
    only counted.
    """
    if reference != candidate and after_error:
        yield Finding(kind=Normalisation.AFTER_ERROR)
    elif reference != candidate:
        yield Finding(kind=kind, where=where, reference=reference, candidate=candidate)


def unfaithful(where: str, shown: Value, sent: Value, source: str = "bytes") -> Finding:
    """Both clients agree on what was shown, and the source says something else."""
    value = {"shown": shown, source: sent}
    return Finding(kind=Kind.UNFAITHFUL, where=where, reference=value, candidate=value)


@dataclass(frozen=True, kw_only=True, slots=True)
class Rules:
    """What a project has said about comparing.

    Attributes:
        strict: the normalisations that are switched off: what they would hide is a difference.
        categories: the classes of errors (`my_shop.errors.LLMError`) whose attribute `category` means
            something; where none is named, it counts where both errors have one.
    """

    strict: frozenset[str] = frozenset()
    categories: tuple[str, ...] = ()


NO_RULES = Rules()


@dataclass(frozen=True, kw_only=True, slots=True)
class ObservationPair:
    """Two observations of the same bytes, what these bytes say, and the requests that were recorded."""

    reference: Observation
    candidate: Observation
    facts: tuple[WireFacts, ...]
    recorded: tuple[Request, ...] = ()
    rules: Rules

    @property
    def sides(self) -> tuple[Observation, Observation]:
        """Reference and candidate."""
        return self.reference, self.candidate

    @property
    def both_failed(self) -> bool:
        return self.reference.failure is not None and self.candidate.failure is not None

    @property
    def one_failed(self) -> bool:
        return (self.reference.failure is None) != (self.candidate.failure is None)

    @property
    def cut(self) -> bool:
        """Whether the two got to different places, so that only what both reached can be compared.

        The difference itself is reported as `error` or `error_position`.
        """
        counts = len(self.reference.deltas), len(self.candidate.deltas)
        return self.one_failed or (self.both_failed and counts[0] != counts[1])

    def excuses(self, ours: Sized, theirs: Sized) -> bool:
        """Whether the one that has less of this may have failed before the rest came: who failed alone, or
        after fewer deltas. What the other lacks is lost, and what it has more is made up.
        """
        counts = len(self.reference.deltas), len(self.candidate.deltas)
        first = self.reference.failure is not None if self.one_failed else counts[0] < counts[1]
        return self.cut and (len(ours) < len(theirs)) == first

    def excuses_rest(self, ours: Sequence[Any], theirs: Sequence[Any]) -> bool:
        """Whether a failure explains how two sequences differ: the one is the beginning of the other."""
        return self.excuses(ours, theirs) and first_difference(ours, theirs) == min(len(ours), len(theirs))

    def excuses_all(self, ours: Sized, theirs: Sized) -> bool:
        """Whether a failure explains that one has nothing of this at all."""
        return self.excuses(ours, theirs) and not (ours and theirs)

    @property
    def said(self) -> str:
        """What the provider says in its refusals and errors, word for word."""
        return "\n".join(facts.said for facts in self.facts)

    @property
    def final(self) -> WireFacts | None:
        """The answer that decides: the last success among those that were asked for, else the last answer.

        A recording may hold more attempts than a client made.
        """
        decisive = self.successes or self.seen
        return decisive[-1] if decisive else None

    @property
    def seen(self) -> tuple[WireFacts, ...]:
        """What came: as many answers as were asked for."""
        asked = max(len(self.reference.requests), len(self.candidate.requests))
        return self.facts[:asked] or self.facts

    @property
    def successes(self) -> tuple[WireFacts, ...]:
        return tuple(facts for facts in self.seen if facts.status == _OK)

    @property
    def asks_more_than_once(self) -> bool:
        """Whether the call asks different things, as an agent's loop or calls at once do; attempts at one
        thing ask the same.
        """
        asked = self.reference.requests
        return len({(request.method, request.uri, canonical_body(request.body)) for request in asked}) > 1

    @property
    def answers(self) -> tuple[WireFacts, ...]:
        """Each answer that may be handed on; `final` alone where one thing was asked."""
        several = self.successes if self.asks_more_than_once else ()
        return several or ((self.final,) if self.final is not None else ())


def canonical(value: Value) -> str:
    """One spelling for equal JSON values."""
    return json.dumps(value, sort_keys=True, ensure_ascii=False, separators=(",", ":"), default=str)


def first_difference(one: Sequence[Any], other: Sequence[Any]) -> int:
    """The first index at which two sequences differ; the shorter one's length if it begins the longer one."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((i for i, (a, b) in pairs if a != b), min(len(one), len(other)))


def at(values: Sequence[Any], index: int) -> Value:
    """The value at an index, or `ABSENT` beyond the end."""
    return values[index] if index < len(values) else ABSENT
