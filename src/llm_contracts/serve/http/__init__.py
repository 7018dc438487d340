"""Recordings for any application: one address for all providers, one answer for each request."""

from llm_contracts.serve.http.log import Entry
from llm_contracts.serve.http.session import ServeSession

__all__ = ["Entry", "ServeSession"]
