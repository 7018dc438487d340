"""Who and what may come in.

The edge is for programs on this machine that were given its address. A web page in a browser on the same
machine is not one of them, whatever name it makes resolve to 127.0.0.1; and a client that takes the edge for
a forward proxy would have its requests go anywhere. Whatever is refused is told why, in the shape of an
OpenAI error, and asked not to try again.

Nothing of a request is ever logged here: its headers hold keys.
"""

from __future__ import annotations

import asyncio
import logging
import re
import traceback
from collections.abc import Awaitable, Callable, Collection
from typing import Any
from weakref import WeakMethod

from aiohttp import HttpVersion11, web
from aiohttp.http_exceptions import LineTooLong

LONGEST_LINE = 65536
"""Bytes that a header line may have: more than aiohttp's 8 KiB, which cookies and proxies' tokens exceed."""

MOST_HEADERS = 128

HEAD_WITHIN = 30.0
"""Seconds in which a request's line and headers must have arrived."""

_HOST = re.compile(r"(?:127\.0\.0\.1|localhost|\[::1\])(?::\d{1,5})?", re.IGNORECASE)
_PAGE = re.compile(rf"https?://{_HOST.pattern}", re.IGNORECASE)
_TOO_LONG = (
    f"The request's line or one of its headers is longer than {LONGEST_LINE} bytes, or there are more than "
    f"{MOST_HEADERS} headers."
)
_TWICE = re.compile(r"Duplicate '((?!host|content-length|transfer-encoding)[\w-]+)' header", re.IGNORECASE)
"""What aiohttp says of a header that may stand once and decides nothing, such as `User-Agent`. Most servers
take two: who gets this answer must see that it is about the request, and not about what was recorded.
"""
LATE = b"HTTP/1.1 408 Request Timeout\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
_LOG = logging.getLogger(__name__)


class AccessCheck(web.Server):
    """aiohttp's server, with limits, and without its habit of writing bad requests into logs and answers.

    Args:
        handler: answers what is let in.
        head_within: seconds in which a request's line and headers must have arrived.
    """

    def __init__(
        self,
        handler: Callable[[web.BaseRequest], Awaitable[web.StreamResponse]],
        *,
        head_within: float = HEAD_WITHIN,
    ) -> None:
        # Cancelling handlers is how the edge learns that a client has left while nothing was being sent.
        super().__init__(handler, handler_cancellation=True)
        self._head_within = head_within

    def __call__(self) -> web.RequestHandler:
        return Connection(
            self._head_within,
            self,
            loop=asyncio.get_running_loop(),
            access_log=None,  # documented as the way to have none
            auto_decompress=False,
            max_line_size=LONGEST_LINE,
            max_field_size=LONGEST_LINE,
            max_headers=MOST_HEADERS,
        )


class Connection(web.RequestHandler):
    """A client's connection: what a request has as its `protocol`.

    Attributes:
        on_lost: what is called with it when it is gone. Weak: clients use a connection for one session after
            the other, and it would keep all of them, with what they have recorded.
    """

    __slots__ = ("_head_timer", "_head_within", "on_lost")

    def __init__(self, head_within: float, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.on_lost: set[WeakMethod[Callable[[Connection], None]]] = set()
        self._head_within = head_within
        self._head_timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Start the clock for the first request; called by asyncio."""
        super().connection_made(transport)
        self._head_timer = self._loop.call_later(self._head_within, self._head_is_late)

    def data_received(self, data: bytes) -> None:
        """Stop the clock when a head is whole, and start it with the next one's first bytes; called by
        asyncio. aiohttp itself waits for a head as long as a connection may idle: an hour.
        """
        heads = self._request_count
        idle = self._waiter is not None
        super().data_received(data)
        if self._request_count > heads:
            self._stop_clock()
        elif idle and self._head_timer is None:
            self._head_timer = self._loop.call_later(self._head_within, self._head_is_late)

    def connection_lost(self, exc: BaseException | None) -> None:
        """Called by asyncio."""
        self._stop_clock()
        super().connection_lost(exc)
        for each in self.on_lost:
            if (tell := each()) is not None:
                tell(self)

    def _stop_clock(self) -> None:
        if self._head_timer is not None:
            self._head_timer.cancel()
            self._head_timer = None

    def _head_is_late(self) -> None:
        if self.transport is not None:
            self.transport.write(LATE)
        self.force_close()

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,
        exc: BaseException | None = None,
        message: str | None = None,
    ) -> web.StreamResponse:
        """Answer what cannot be parsed, and faults of ours; called by aiohttp."""
        if request.writer.output_size > 0:
            raise ConnectionError("part of an answer has been sent already")
        if isinstance(exc, LineTooLong) or "oo many" in (message or ""):
            response = refused(431, _TOO_LONG)
        elif (twice := _TWICE.search(message or "")) is not None:
            why = f"The request has the header {twice[1]} twice, which RFC 9110 (5.3) forbids"
            response = refused(status, f"{why}. Some servers refuse that, and so does the edge.")
        elif status < 500:  # noqa: PLR2004
            response = refused(status, "This is not an HTTP request that the edge understands.")
        else:
            kind = type(exc).__name__
            if not isinstance(exc, ConnectionError):  # the client has left, which is not a fault
                # Where it came from, without its text, which may quote a request.
                frames = traceback.format_tb(exc.__traceback__) if exc else []
                _LOG.error("The edge failed with %s at\n%s", kind, "".join(frames))
            response = refused(500, f"The edge itself failed ({kind}). Report this.")
        response.force_close()
        return response


def refused(status: int, message: str) -> web.Response:
    """An answer of the edge's own."""
    error = {"message": message, "type": "llm_contracts", "param": None, "code": None}
    return web.json_response({"error": error}, status=status, headers={"x-should-retry": "false"})


def objection(incoming: web.BaseRequest, origins: Collection[str] = ()) -> web.Response | None:
    """Why a request is not let in; None when it is. `origins`: those of web pages that are let in, beside the
    pages that this machine itself serves.
    """
    if not incoming.raw_path.startswith("/"):
        return refused(
            400, "The edge is not a forward proxy: give its address to the client as base URL instead."
        )
    hosts = incoming.headers.getall("Host", [])
    if not hosts and incoming.version < HttpVersion11:
        return None
    if len(hosts) != 1 or not _HOST.fullmatch(hosts[0]):
        return refused(421, "The Host header does not name this machine's loopback (127.0.0.1, localhost).")
    pages = incoming.headers.getall("Origin", [])
    # A page's picture has no Origin. A person who follows a link does no more than look at the server.
    site, mode = (incoming.headers.get(f"Sec-Fetch-{name}") for name in ("Site", "Mode"))
    is_foreign = site == "cross-site" and mode != "navigate" and not pages
    if is_foreign or not all(page in origins or _PAGE.fullmatch(page) for page in pages):
        return refused(
            403,
            "A web page of another site sent this request: its Origin is neither this machine nor one that "
            "--allow-origin names.",
        )
    return None
