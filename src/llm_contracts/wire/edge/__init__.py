"""The loopback server that everything goes through: a proxy that records, a server that replays."""

from llm_contracts.wire.edge.record import RecordSession
from llm_contracts.wire.edge.replay import ReplaySession
from llm_contracts.wire.edge.server import Edge, EdgeError
from llm_contracts.wire.edge.session import Session

__all__ = ["Edge", "EdgeError", "RecordSession", "ReplaySession", "Session"]
