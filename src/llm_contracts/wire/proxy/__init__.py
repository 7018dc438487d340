"""The loopback server that everything goes through: a proxy that records, a server that replays."""

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
