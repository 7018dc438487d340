"""The loopback server that everything goes through: a proxy that records, a server that replays."""

from llm_contracts.wire.edge.errors import EdgeError, UnkeepableError
from llm_contracts.wire.edge.exchange import Limits
from llm_contracts.wire.edge.network import DIRECT, Network, network_from
from llm_contracts.wire.edge.record import RecordSession
from llm_contracts.wire.edge.replay import ReplaySession
from llm_contracts.wire.edge.server import Edge
from llm_contracts.wire.edge.session import Session

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
