"""What calls cost under a pair of releases, in a few words for its table."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_contracts.cost.document import cost_from
from llm_contracts.cost.model import Measure
from llm_contracts.cost.terminal import between, ratio


def cost_measures(document: Mapping[str, Any]) -> Mapping[str, str]:
    """How many times what the reference costs the candidate does: the median of the providers and, where
    there are several, the lowest and the highest. Nothing where costs were not measured.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: the document is no check's.
    """
    value = document.get("cost")
    if value is None:
        return {}
    cost = cost_from(value)
    found = {measure: cost.typical(measure) for measure in Measure}
    return {
        f"{measure.label}, times the reference": "–"  # noqa: RUF001 - the sign for nothing
        if spread is None
        else f"{ratio(spread.median)}" + (f" ({between(spread)})" if len(cost.comparable) > 1 else "")
        for measure, spread in found.items()
    }
