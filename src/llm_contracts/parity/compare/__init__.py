"""Hold two observations of the same bytes against each other and against the bytes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace

from llm_contracts.clients.observation import Observation
from llm_contracts.parity.compare.across import across
from llm_contracts.parity.compare.effects import compare_effects
from llm_contracts.parity.compare.failure import compare_failures
from llm_contracts.parity.compare.fidelity import compare_fidelity
from llm_contracts.parity.compare.fields import compare_error_fields, compare_fields
from llm_contracts.parity.compare.finding import ABSENT, NO_RULES, Finding, Findings, ObservationPair, Rules
from llm_contracts.parity.compare.lateness import compare_lateness
from llm_contracts.parity.compare.order import compare_order
from llm_contracts.parity.compare.pauses import compare_pauses, compare_waits
from llm_contracts.parity.compare.requests import compare_requests, compare_with_recorded
from llm_contracts.parity.compare.stream import compare_stream
from llm_contracts.parity.compare.surface import compare_surface
from llm_contracts.parity.compare.telemetry import compare_telemetry
from llm_contracts.parity.compare.usage import compare_usage
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.parity.normalise import Normalisation
from llm_contracts.wire.facts import WireFacts
from llm_contracts.wire.interaction import Request

__all__ = ["ABSENT", "NO_RULES", "Comparison", "Rules", "compare"]

_COMPARISONS: tuple[Callable[[ObservationPair], Findings], ...] = (
    compare_failures,
    compare_stream,
    compare_lateness,
    compare_usage,
    compare_requests,
    compare_with_recorded,
    compare_pauses,
    compare_waits,
    compare_telemetry,
    compare_fields,
    compare_error_fields,
    compare_order,
    compare_surface,
    compare_effects,
    compare_fidelity,
)

_OF_ONE_API = (compare_fields, compare_order, compare_surface)
"""What only objects of the same API can be held against each other by."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Every difference, and how often a normalisation (by name) hid one."""

    divergences: tuple[Divergence, ...]
    normalised: Mapping[str, int] = field(default_factory=dict)


def compare(
    reference: Observation,
    candidate: Observation,
    facts: tuple[WireFacts, ...],
    *,
    scope: str,
    recorded: tuple[Request, ...] = (),
    rules: Rules = NO_RULES,
) -> Comparison:
    """Find every difference that means something.

    Args:
        reference: what the trusted client did.
        candidate: what the client under judgement did.
        facts: what the recorded answers say, one for each interaction of the recording, in order.
        scope: the item's id; the fingerprints of its divergences are made from it.
        recorded: the requests of the recording, if they are this project's own.
        rules: what the project says about comparing.

    Returns:
        The divergences in a fixed order, and the count of each normalisation that hid something.
    """
    pair = ObservationPair(
        reference=reference, candidate=candidate, facts=facts, recorded=recorded, rules=rules
    )
    pair, passed_over = across(pair)
    made = [one for one in _COMPARISONS if not (passed_over and one in _OF_ONE_API)]
    found = [_strictly(item, rules) for item in (*passed_over, *(i for one in made for i in one(pair)))]
    hidden: Counter[str] = Counter()
    for note in found:
        if isinstance(note.kind, Normalisation):
            hidden[str(note.kind)] += note.count
    return Comparison(
        divergences=tuple(item.seal(scope) for item in found if isinstance(item.kind, Kind)),
        normalised=dict(sorted(hidden.items())),
    )


def _strictly(found: Finding, rules: Rules) -> Finding:
    """What a normalisation hid is a difference again where it is switched off."""
    if found.kind not in rules.strict:
        return found
    return replace(found, kind=Kind.FIELDS, where=found.where or f"normalised.{found.kind}")
