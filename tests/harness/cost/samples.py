"""Costs to render and to judge, and a meter that needs no time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from llm_contracts.clients.call import Call, Client
from llm_contracts.cost.measure import CallCost, CannotMeasureError
from llm_contracts.cost.model import Cost, Measure, ProviderCost, side_by_side


def pair(reference: float, candidate: float) -> Any:
    return side_by_side((reference, 2 * reference), (candidate, 2 * candidate))


def provider_cost(provider: str = "acme", ratio: float = 2.0, **values: Any) -> ProviderCost:
    given = {
        "reference": "old",
        "recording": f"{provider}/plain-stream",
        "found": {measure: pair(10.0, 10.0 * ratio) for measure in Measure},
        **values,
    }
    return ProviderCost(provider=provider, **given)


def cost(*providers: ProviderCost, **values: Any) -> Cost:
    given = {"rounds": 5, "short": 8, "long": 300, "processors": 2, "load": 1.5, **values}
    return Cost(reference="old", candidate="new", providers=providers or (provider_cost(),), **given)


@dataclass(kw_only=True)
class FakeMeter:
    """Says what calls take by a rule of the test, and notes who was measured, and when.

    `takes` is given the path and the model asked for; `texts` likewise gives the characters that arrive.
    """

    takes: Callable[[Client, str], CallCost]
    texts: Callable[[Client, str], int | str]
    bytes: Callable[[Client, str], float] = lambda _path, _model: 1000.0
    log: list[tuple[str, Client, str]] = field(default_factory=list)

    def text(self, path: Client, call: Call) -> int:
        self.log.append(("text", path, call.model))
        said = self.texts(path, call.model)
        if isinstance(said, str):
            raise CannotMeasureError(said)
        return said

    def cost(self, path: Client, call: Call) -> CallCost:
        self.log.append(("cost", path, call.model))
        return self.takes(path, call.model)

    def peak(self, path: Client, call: Call) -> float:
        self.log.append(("peak", path, call.model))
        return self.bytes(path, call.model)
