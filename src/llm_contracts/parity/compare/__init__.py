"""Hold two observations of the same bytes against each other and against the bytes. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from llm_contracts.clients.observation import Observation
from llm_contracts.parity.compare.failure import compare_failures
from llm_contracts.parity.compare.fidelity import compare_faith
from llm_contracts.parity.compare.finding import ABSENT, Findings, ObservationPair, UnnamedDivergence
from llm_contracts.parity.compare.pauses import compare_pauses
from llm_contracts.parity.compare.requests import compare_requests
from llm_contracts.parity.compare.stream import compare_stream
from llm_contracts.parity.compare.telemetry import compare_telemetry
from llm_contracts.parity.compare.usage import compare_usage
from llm_contracts.parity.divergence import Divergence
from llm_contracts.parity.normalise import NormalisationCount
from llm_contracts.wire.facts import WireFacts

__all__ = ["ABSENT", "Comparison", "compare"]

_COMPARISONS: tuple[Callable[[ObservationPair], Findings], ...] = (
    compare_failures,
    compare_stream,
    compare_usage,
    compare_requests,
    compare_pauses,
    compare_telemetry,
    compare_faith,
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Comparison:
    """Every difference, and how often a normalisation (by name) hid one."""

    divergences: tuple[Divergence, ...]
    normalised: Mapping[str, int] = field(default_factory=dict)


def compare(
    reference: Observation, candidate: Observation, facts: tuple[WireFacts, ...], *, scope: str
) -> Comparison:
    """Find every difference that means something.

    Args:
        reference: what the trusted path did.
        candidate: what the path under judgement did.
        facts: what the recorded answers say, one for each interaction of the recording, in order.
        scope: the item's id; the fingerprints of its divergences are made from it.

    Returns:
        The divergences in a fixed order, and the count of each normalisation that hid something.
    """
    pair = ObservationPair(reference=reference, candidate=candidate, facts=facts)
    found = [item for comparison in _COMPARISONS for item in comparison(pair)]
    hidden: Counter[str] = Counter()
    for note in found:
        if isinstance(note, NormalisationCount):
            hidden[str(note.name)] += note.count
    return Comparison(
        divergences=tuple(item.seal(scope) for item in found if isinstance(item, UnnamedDivergence)),
        normalised=dict(sorted(hidden.items())),
    )
