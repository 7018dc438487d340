"""What calls cost as JSON values and back: the field `cost` of a result's document."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import TYPE_CHECKING, Any

from llm_contracts.cost.model import Cost, Measure, ProviderCost, SideBySide, Spread
from llm_contracts.results.items import StoredResultError
from llm_contracts.results.store import RESULT

if TYPE_CHECKING:
    from llm_contracts.results.store import Stored

_DIGITS = 4  # significant ones: more would only show the noise


def cost_document(cost: Cost) -> dict[str, Any]:
    """Everything that was measured, as plain JSON values."""
    return {
        "reference": cost.reference,
        "candidate": cost.candidate,
        "rounds": cost.rounds,
        "chunks": {"short": cost.short, "long": cost.long},
        "machine": {"processors": cost.processors, "load": cost.load},
        "providers": {row.provider: _provider(row) for row in cost.providers},
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
        msg = f"{stored.folder / RESULT}: the costs are damaged ({type(error).__name__}). Run check again."
        raise StoredResultError(msg) from error


def cost_from(value: Mapping[str, Any]) -> Cost:
    """The costs again.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: the value is none that `cost_document` gives.
    """
    return Cost(
        reference=value["reference"],
        candidate=value["candidate"],
        providers=tuple(_provider_from(name, row) for name, row in value["providers"].items()),
        rounds=value["rounds"],
        short=value["chunks"]["short"],
        long=value["chunks"]["long"],
        processors=value["machine"]["processors"],
        load=value["machine"]["load"],
        at_most={Measure(name): limit for name, limit in value["at_most"].items()},
    )


def _provider(row: ProviderCost) -> dict[str, Any]:
    return {
        "reference": row.reference,
        "recording": row.recording,
        "measures": {str(measure): _pair(measure, pair) for measure, pair in row.found.items()},
        "not_measured": {str(measure): reason for measure, reason in row.missing.items()},
    }


def _provider_from(name: str, row: Mapping[str, Any]) -> ProviderCost:
    return ProviderCost(
        provider=name,
        reference=row["reference"],
        recording=row["recording"],
        found={Measure(measure): _pair_from(pair) for measure, pair in row["measures"].items()},
        missing={Measure(measure): reason for measure, reason in row["not_measured"].items()},
    )


def _pair(measure: Measure, pair: SideBySide) -> dict[str, Any]:
    sides = {"reference": pair.reference, "candidate": pair.candidate, "ratio": pair.ratio}
    return {"unit": measure.unit, **{name: _spread(each) for name, each in sides.items()}}


def _pair_from(value: Mapping[str, Any]) -> SideBySide:
    return SideBySide(
        **{name: Spread(**value[name]) for name in ("reference", "candidate", "ratio")},
    )


def _spread(spread: Spread) -> dict[str, float]:
    return {name: float(f"{value:.{_DIGITS}g}") for name, value in asdict(spread).items()}
