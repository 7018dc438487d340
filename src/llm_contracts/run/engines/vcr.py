"""The other replay engine: inside the process, through vcrpy, whole bodies, the network blocked.

It shows that the recordings are good VCR files and that the wire engine serves them truthfully. It cannot
play what vcrpy has no notion of (a cut, a reset, silence), and because vcrpy patches clients for the whole
process, one replay at a time runs; a second one waits.

The only module that names vcrpy.
"""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import vcr.request
from pytest_recording.network import blocking_context
from vcr.cassette import Cassette

from llm_contracts.clients.session import SessionLike
from llm_contracts.run.engines import Play, UnplayableError
from llm_contracts.wire.content import decoded
from llm_contracts.wire.interaction import End, Interaction, Request, Response
from llm_contracts.wire.matching import Matcher
from llm_contracts.wire.protocols import BUILT_IN, Protocols

_CONNECTION = frozenset({"connection", "keep-alive", "transfer-encoding"})
_FRAMING = _CONNECTION | {"content-length"}
# Local servers belong to the test, such as one that takes telemetry; only remote hosts are out of bounds.
_LOCAL = [r"127\.0\.0\.1$", r"::1$", r"localhost$"]


_turn = threading.Lock()


@contextmanager
def play_in_process(interactions: Sequence[Interaction], _protocols: Protocols = BUILT_IN) -> Iterator[Play]:
    """Serves the given exchanges to clients that call the provider's own address.

    Raises:
        UnplayableError: an exchange was cut, reset, refused, or fell silent; the wire engine plays those.
    """
    for one in interactions:
        if one.response.end is not End.COMPLETE:
            raise UnplayableError(
                f"{one.request.method} {one.request.uri} ended as {one.response.end}: the vcr engine "
                "plays complete exchanges only. Use the wire engine."
            )
    session = _VcrSession(Matcher(interactions, by_host=True))
    with _turn, _network_blocked(), _Served.use(path="", answer=session.answer):
        yield Play(session=session)


class _VcrSession(SessionLike):
    def __init__(self, matcher: Matcher) -> None:
        self._matcher = matcher
        self._requests: list[Request] = []

    def requests(self) -> tuple[Request, ...]:
        """What was asked, in order."""
        return tuple(self._requests)

    def events_sent(self) -> int | None:
        """Unknown: bodies come whole."""
        return None

    def delivered(self, text: int, reasoning: int = 0, arguments: int = 0, others: int = 0, /) -> None:
        """Nothing waits for the consumer."""

    def abort(self) -> None:
        """There is no connection to drop."""

    def answer(self, request: Request) -> Response:
        """What was recorded as the answer."""
        self._requests.append(request)
        return decoded(self._matcher.answer(request).response)


class _Served(Cassette):  # type: ignore[misc] # vcrpy has no types
    """A vcrpy cassette without a file. It can answer everything, so nothing ever goes out."""

    def __init__(self, *, path: str, answer: Callable[[Request], Response]) -> None:
        super().__init__(path)
        self._answer = answer

    def _load(self) -> None: ...

    def _save(self, force: bool = False) -> None: ...  # noqa: FBT001, FBT002 - vcrpy's signature

    def can_play_response_for(self, request: vcr.request.Request) -> bool:  # noqa: ARG002
        return True

    def play_response(self, request: vcr.request.Request) -> dict[str, Any]:
        response = self._answer(_request(request))
        headers: dict[str, list[str]] = {}
        for name, value in response.headers:
            if name.lower() not in _FRAMING:
                headers.setdefault(name, []).append(value)
        return {
            "status": {"code": response.status, "message": response.reason},
            "headers": headers,
            "body": {"string": response.body},
        }


@contextmanager
def _network_blocked() -> Iterator[None]:
    """Connections to other hosts fail; afterwards everything is as before.

    pytest-recording would put back what was there when it was imported, and so undo a guard of later date.
    """
    kind = socket.socket
    before = kind.connect, kind.connect_ex, socket.socketpair
    try:
        with blocking_context(allowed_hosts=_LOCAL):
            yield
    finally:
        kind.connect, kind.connect_ex, socket.socketpair = before  # type: ignore[method-assign]


def _request(request: vcr.request.Request) -> Request:
    headers = (
        (name, value.decode("latin-1") if isinstance(value, bytes) else str(value))
        for name, value in request.headers.items()
    )
    return Request(
        method=request.method,
        uri=request.uri,
        headers=tuple(line for line in headers if line[0].lower() not in _CONNECTION),
        body=_body(request.body),
    )


def _body(body: Any) -> bytes:
    """The bytes, which vcrpy keeps as the client gave them: bytes, text or parts."""
    if isinstance(body, str):
        return body.encode()
    if body is None or isinstance(body, bytes | bytearray):
        return bytes(body or b"")
    return b"".join(_body(part) for part in body)
