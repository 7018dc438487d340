"""What calls cost as JSON values and back: the field `cost` of a result's document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from llm_contracts.cost.model import Cost, Measure, ProviderCost, SideBySide, Spread
from llm_contracts.results.items import StoredResultError
from llm_contracts.results.store import RESULT, Stored


def cost_document(cost: Cost) -> dict[str, Any]:
    """Everything that was measured, as plain JSON values."""
    return {
        "reference": cost.reference,
        "candidate": cost.candidate,
        "rounds": cost.rounds,
        "chunks": {"short": cost.short, "long": cost.long},
        "machine": {"processors": cost.processors, "load": cost.load},
        "providers": {
            row.provider: {
                "reference": row.reference,
                "recording": row.recording,
                "measures": {
                    str(measure): {"unit": measure.unit, **_rounded(asdict(pair))}
                    for measure, pair in row.found.items()
                },
                "not_measured": {str(measure): reason for measure, reason in row.missing.items()},
            }
            for row in cost.providers
        },
        "at_most": {str(measure): limit for measure, limit in cost.at_most.items()},
        "exceeded": [{**asdict(excess), "measure": str(excess.measure)} for excess in cost.exceeded],
    }


def stored_cost(stored: Stored) -> Cost | None:
    """The costs in a stored result; None where none were measured.

    Raises:
        StoredResultError: they cannot be read.
    """
    value = stored.document.get("cost")
    try:
        return None if value is None else cost_from(value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        damaged = f"the costs are damaged ({type(error).__name__}). Run check again."
        raise StoredResultError(f"{stored.folder / RESULT}: {damaged}") from error


def cost_from(value: Mapping[str, Any]) -> Cost:
    """The costs again.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: the value does not come from `cost_document`.
    """
    return Cost(
        reference=value["reference"],
        candidate=value["candidate"],
        providers=tuple(
            ProviderCost(
                provider=name,
                reference=row["reference"],
                recording=row["recording"],
                found={
                    Measure(measure): SideBySide(
                        reference=float(pair["reference"]),
                        candidate=float(pair["candidate"]),
                        ratio=Spread(**pair["ratio"]),
                    )
                    for measure, pair in row["measures"].items()
                },
                missing={Measure(measure): reason for measure, reason in row["not_measured"].items()},
            )
            for name, row in value["providers"].items()
        ),
        rounds=value["rounds"],
        short=value["chunks"]["short"],
        long=value["chunks"]["long"],
        processors=value["machine"]["processors"],
        load=value["machine"]["load"],
        at_most={Measure(name): limit for name, limit in value["at_most"].items()},
    )


def _rounded(value: Any) -> Any:
    """Four significant digits: more would only show the noise."""
    if isinstance(value, dict):
        return {key: _rounded(each) for key, each in value.items()}
    return float(f"{value:.4g}")
