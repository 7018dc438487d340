"""Refusals and error events in a provider's own words, as the simulator has them."""

from __future__ import annotations

from dataclasses import dataclass

from llm_contracts.simulator.ask import ParsedRequest
from llm_contracts.simulator.dialect import Dialect
from llm_contracts.simulator.engine import KEY, Reply, Responder, respond
from llm_contracts.simulator.script import Ending, Refusal, Refused, ScriptedAnswer, Turn
from llm_contracts.wire.interaction import Headers, Response

_BROKEN, _BUSY = 500, 429


@dataclass(frozen=True, kw_only=True, slots=True)
class DialectWriter:
    """Speaks one dialect."""

    dialect: Dialect

    def failed(self) -> Response:
        """A 500 in the place of an answer."""
        return _response(
            self._said(Refusal(why=Refused.SERVER_ERROR, status=_BROKEN)), "Internal Server Error"
        )

    def busy(self, *, retry_after: int) -> Response:
        """A 429 that asks to come back in so many seconds."""
        turn = Refusal(why=Refused.RATE_LIMIT, status=_BUSY, retry_after=retry_after)
        return _response(self._said(turn), "Too Many Requests")

    def error_event(self) -> bytes:
        """The event that ends a stream in the place of its end."""
        text = ("a", "b")
        return self._said(ScriptedAnswer(text=text, json_text=text, ending=Ending.ERROR)).pieces[-1]

    def _said(self, turn: Turn) -> Reply:
        body = {"model": next(iter(self.dialect.models)), "stream": True, "messages": []}
        return respond(Responder(dialect=self.dialect), ParsedRequest(path="/", key=KEY, body=body), turn)


def _response(reply: Reply, reason: str) -> Response:
    headers: Headers = tuple(reply.headers)
    return Response(status=reply.status, reason=reason, headers=headers, body=b"".join(reply.pieces))
