"""Record what a provider really sends, replay it to two clients, and compare everything they do.

The names below are the public API; everything else in this package may change between releases. Each is
imported when it is first used, so `import llm_contracts` loads nothing.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_contracts.clients.builtin import NotOfferedError
    from llm_contracts.clients.call import Call, Client, Function, cached_client
    from llm_contracts.clients.gateway import Gateway, RunningGateway
    from llm_contracts.clients.observation import Chunk, Failure, Observation, Usage
    from llm_contracts.clients.resolve import ClientError
    from llm_contracts.parity.divergence import Divergence, Kind, Severity
    from llm_contracts.parity.result import Item, Readiness, Result, Verdict
    from llm_contracts.parity.waivers import WaiverError
    from llm_contracts.project.config import ConfigError
    from llm_contracts.project.recorded_scenarios import imported_scenarios
    from llm_contracts.project.scenario import Provider, Scenario
    from llm_contracts.testing import Contract, opened_contract
    from llm_contracts.wire.cassette import CassetteError
    from llm_contracts.wire.interaction import Interaction, Request, Response
    from llm_contracts.wire.protocols import Protocol, Reading

__all__ = [
    "Call",
    "CassetteError",
    "Chunk",
    "Client",
    "ClientError",
    "ConfigError",
    "Contract",
    "Divergence",
    "Failure",
    "Function",
    "Gateway",
    "Interaction",
    "Item",
    "Kind",
    "NotOfferedError",
    "Observation",
    "Protocol",
    "Provider",
    "Readiness",
    "Reading",
    "Request",
    "Response",
    "Result",
    "RunningGateway",
    "Scenario",
    "Severity",
    "Usage",
    "Verdict",
    "WaiverError",
    "cached_client",
    "imported_scenarios",
    "opened_contract",
]

_HOMES = {
    "clients.builtin": ("NotOfferedError",),
    "clients.call": ("Call", "Client", "Function", "cached_client"),
    "clients.gateway": ("Gateway", "RunningGateway"),
    "clients.observation": ("Chunk", "Failure", "Observation", "Usage"),
    "clients.resolve": ("ClientError",),
    "parity.divergence": ("Divergence", "Kind", "Severity"),
    "parity.result": ("Item", "Readiness", "Result", "Verdict"),
    "parity.waivers": ("WaiverError",),
    "project.config": ("ConfigError",),
    "project.recorded_scenarios": ("imported_scenarios",),
    "project.scenario": ("Provider", "Scenario"),
    "testing": ("Contract", "opened_contract"),
    "wire.cassette": ("CassetteError",),
    "wire.interaction": ("Interaction", "Request", "Response"),
    "wire.protocols": ("Protocol", "Reading"),
}


def __getattr__(name: str) -> Any:
    for module, names in _HOMES.items():
        if name in names:
            return getattr(import_module(f"{__name__}.{module}"), name)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})
