"""What calls cost, on the first page of a report: figures and bars, both clients one below the other."""

from __future__ import annotations

from dataclasses import dataclass

from llm_contracts.cost.model import Cost, Measure, ProviderCost, SideBySide
from llm_contracts.cost.terminal import between, figure, how_measured, not_measured, ratio


@dataclass(frozen=True, kw_only=True, slots=True)
class BarPair:
    """One measure of one provider. Widths are in per cent of the longer bar; `over`: a limit is not kept."""

    ratio: str
    between: str
    reference: str
    candidate: str
    unit: str
    reference_width: float
    candidate_width: float
    over: bool


@dataclass(frozen=True, kw_only=True, slots=True)
class CostTable:
    """The section as the page shows it: the measures' names, a row for each provider, and what to know."""

    measures: tuple[str, ...]
    rows: tuple[tuple[str, str | None, tuple[BarPair | None, ...]], ...]
    notes: tuple[str, ...]
    missing: tuple[str, ...]
    exceeded: tuple[str, ...]


def cost_table(cost: Cost) -> CostTable:
    """The section. Of a provider with a reference of its own its name is told."""
    return CostTable(
        measures=tuple(measure.label for measure in Measure),
        rows=tuple(
            (
                row.provider,
                None if row in cost.comparable else row.reference,
                tuple(_bars(row, measure, cost) for measure in Measure),
            )
            for row in cost.providers
        ),
        notes=tuple(how_measured(cost)),
        missing=tuple(not_measured(cost)),
        exceeded=tuple(map(str, cost.exceeded)),
    )


def _bars(row: ProviderCost, measure: Measure, cost: Cost) -> BarPair | None:
    pair = row.found.get(measure)
    if pair is None:
        return None
    over = any((row.provider, measure) == (each.provider, each.measure) for each in cost.exceeded)
    left, right = _widths(pair)
    return BarPair(
        ratio=ratio(pair.ratio.median),
        between=between(pair.ratio),
        reference=figure(pair.reference.median),
        candidate=figure(pair.candidate.median),
        unit=measure.unit,
        reference_width=left,
        candidate_width=right,
        over=over,
    )


def _widths(pair: SideBySide) -> tuple[float, float]:
    sides = (pair.reference.median, max(0.0, pair.candidate.median))
    left, right = (round(100 * each / max(sides), 1) for each in sides)
    return left, right
