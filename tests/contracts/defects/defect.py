"""One defect: what it is, on which recording it shows, and what the check must say of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from llm_contracts import Client, Interaction, Kind, Scenario
from tests.contracts.clients import CLIENTS
from tests.contracts.scenarios import SCENARIOS

Report = tuple[Kind, str]
"""A kind, and where; `*` in the place stands for anything."""

Interactions = tuple[Interaction, ...]


def _as_recorded(interactions: Interactions) -> Interactions:
    return interactions


@dataclass(frozen=True, kw_only=True, slots=True)
class Defect:
    """A fault, put back.

    Attributes:
        id: `R…` for what a migration has shipped before, `P…` for what another might.
        fault: the fault itself; its first sentence says what was shipped.
        put: builds the path that has the fault.
        scenario: the scenario that shows it, and its recording.
        reported: everything that the check says, and nothing else.
        asked: what is asked otherwise than the scenario's row says.
        played: what the provider answers otherwise than was recorded.
        against: what holds. The legacy path; or, where that has the same fault or never had the feature, the
            new client as it is.
        shared: the path that it is held against has the fault as well, so that only the bytes tell.
        sound: the same path without the fault. On the same recording the check has nothing to say of it.
    """

    id: str
    fault: Callable[..., Any]
    put: Callable[[Any], Client]
    scenario: str
    reported: tuple[Report, ...]
    asked: Mapping[str, Any] = field(default_factory=dict)
    played: Callable[[Interactions], Interactions] = _as_recorded
    against: Client = CLIENTS["adapter-legacy"]
    sound: Client = CLIENTS["adapter-litellm"]
    shared: bool = False

    @property
    def name(self) -> str:
        """A name for tests: one id may have several faults, and a fault several recordings."""
        return f"{self.id}-{self.fault.__name__}-{self.row.provider}"

    @property
    def what(self) -> str:
        """What was shipped, in a sentence."""
        return sentence(self.fault)

    @property
    def path(self) -> Client:
        """The path that has the fault."""
        return self.put(self.fault)

    @property
    def recorded(self) -> Scenario:
        """What was recorded."""
        return next(row for row in SCENARIOS if row.name == self.scenario)

    @property
    def row(self) -> Scenario:
        """What is asked."""
        return replace(self.recorded, **self.asked)


def shows(
    ident: str,
    fault: Callable[..., Any],
    put: Callable[[Any], Client],
    scenario: str,
    *reported: str,
    **more: Any,
) -> Defect:
    """A row of the table: which scenario shows which fault, and as what (`request_body body.model`)."""
    split = tuple(report.split(" ") for report in reported)
    found = tuple((Kind(kind), where) for kind, where in split)
    return Defect(id=ident, fault=fault, put=put, scenario=scenario, reported=found, **more)


@dataclass(frozen=True, kw_only=True, slots=True)
class Elsewhere:
    """A fault that no comparison of streams can show.

    Attributes:
        proof: the name of the test that shows it.
        sign: what that test sees.
    """

    id: str
    what: str
    proof: str
    sign: str


def sentence(documented: Callable[..., Any]) -> str:
    """The first paragraph of a docstring on one line, without its full stop."""
    paragraph = (documented.__doc__ or "").partition("\n\n")[0]
    return " ".join(paragraph.split()).removesuffix(".")
