"""Recordings for any application: one address for all providers, one answer for each request."""

from llm_contracts.wire.edge.serving.log import Entry
from llm_contracts.wire.edge.serving.session import ServeSession

__all__ = ["Entry", "ServeSession"]
