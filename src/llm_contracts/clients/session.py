"""What an engine tells of a client while it plays a recording to it."""

from __future__ import annotations

from typing import Protocol

from llm_contracts.wire.interaction import Request


class SessionLike(Protocol):
    """A session of the edge, or of any other engine, as far as `observe` needs it."""

    def requests(self) -> tuple[Request, ...]: ...
    def events_sent(self) -> int | None: ...
    def delivered(self, text: int, reasoning: int = 0, arguments: int = 0, others: int = 0, /) -> None: ...
    def abort(self) -> None: ...

    def exchange_times(self) -> tuple[tuple[float, float | None], ...]:
        """When each request came and its answer ended, on the monotonic clock; none where nobody knows."""
        return ()

    def patience_spent(self) -> float:
        """The seconds for which the other side waited in vain for what had been sent to be handed on."""
        return 0.0

    def connections_open(self) -> int:
        """How many of the client's connections are open."""
        return 0
