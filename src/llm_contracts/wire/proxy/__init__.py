"""The loopback server that everything goes through: a proxy that records, a server that replays.

Importing the package imports no server: how a recording is played, and what its times are, is also asked by
what never plays one.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from llm_contracts.wire.proxy.errors import EdgeError, UnkeepableError
    from llm_contracts.wire.proxy.exchange import Limits
    from llm_contracts.wire.proxy.network import DIRECT, Network, network_from
    from llm_contracts.wire.proxy.record import RecordSession
    from llm_contracts.wire.proxy.replay import ReplaySession
    from llm_contracts.wire.proxy.server import Edge
    from llm_contracts.wire.proxy.session import Session

__all__ = [
    "DIRECT",
    "Edge",
    "EdgeError",
    "Limits",
    "Network",
    "RecordSession",
    "ReplaySession",
    "Session",
    "UnkeepableError",
    "network_from",
]

_HOMES = {
    "DIRECT": "network",
    "Edge": "server",
    "EdgeError": "errors",
    "Limits": "exchange",
    "Network": "network",
    "RecordSession": "record",
    "ReplaySession": "replay",
    "Session": "session",
    "UnkeepableError": "errors",
    "network_from": "network",
}


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOMES[name]}"), name)
