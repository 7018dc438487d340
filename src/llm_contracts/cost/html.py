"""What calls cost, on the first page of a report: figures and bars, both clients one below the other."""

from __future__ import annotations

from typing import Any

from llm_contracts.cost.model import Cost, Measure, ProviderCost
from llm_contracts.cost.terminal import between, figure, how_measured, not_measured, ratio


def cost_table(cost: Cost) -> dict[str, Any]:
    """The section as its template (`cost.html.j2`) reads it. A provider with its own reference names it."""
    exceeded = {(each.provider, each.measure) for each in cost.exceeded}
    return {
        "measures": [measure.label for measure in Measure],
        "rows": [
            (
                row.provider,
                None if row in cost.comparable else row.reference,
                [_bars(row, measure, over=(row.provider, measure) in exceeded) for measure in Measure],
            )
            for row in cost.providers
        ],
        "notes": list(how_measured(cost)),
        "missing": list(not_measured(cost)),
        "exceeded": list(map(str, cost.exceeded)),
    }


def _bars(row: ProviderCost, measure: Measure, *, over: bool) -> dict[str, Any] | None:
    """Widths are in per cent of the longer bar; `over`: a limit is exceeded."""
    pair = row.found.get(measure)
    if pair is None:
        return None
    longest = max(pair.reference, pair.candidate)
    return {
        "ratio": ratio(pair.ratio.median),
        "between": between(pair.ratio),
        "reference": figure(pair.reference),
        "candidate": figure(pair.candidate),
        "unit": measure.unit,
        "reference_width": round(100 * pair.reference / longest, 1),
        "candidate_width": round(100 * max(0.0, pair.candidate) / longest, 1),
        "over": over,
    }
