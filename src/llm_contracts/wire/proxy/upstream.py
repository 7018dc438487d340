"""Asking the provider on a client's behalf: the request as it came, over connections like the client's own.

Each connection of a client has its own to the provider. So a client that keeps its connection spares itself
the handshake as it would without the edge, and one that opens a new connection never meets an old one that
the provider is about to close.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from io import BytesIO

import aiohttp
from aiohttp import WSCloseCode, WSMsgType, web
from multidict import CIMultiDict
from yarl import URL

from llm_contracts.wire.interaction import End, Request, without
from llm_contracts.wire.proxy.access_check import LONGEST_LINE
from llm_contracts.wire.proxy.framing import ends_with_connection
from llm_contracts.wire.proxy.headers import with_host
from llm_contracts.wire.proxy.network import Network

_CONNECTING = 30.0
_NO_CONNECTION = (
    aiohttp.ClientConnectorError,
    aiohttp.ClientProxyConnectionError,
    aiohttp.ClientHttpProxyError,
    aiohttp.InvalidURL,
    ValueError,
)

MISTAKES = (aiohttp.ClientError, OSError, ValueError)
"""What asking may raise."""


class Upstream:
    """One provider, for one session. Lives in the edge's loop.

    Args:
        origin: scheme and host to send to.
        timeout: seconds without a byte after which the provider counts as silent.
        network: the way there.

    Raises:
        EdgeError: the network's settings cannot be used.
    """

    def __init__(self, *, origin: str, timeout: float, network: Network) -> None:
        self.origin = origin.rstrip("/")
        self._timeout = aiohttp.ClientTimeout(total=None, sock_connect=_CONNECTING, sock_read=timeout)
        self._proxy = network.proxy_for(self.origin)
        self._tls = network.tls() if self.origin.startswith("https:") else True
        self._clients: dict[object, aiohttp.ClientSession] = {}
        self._closing: set[asyncio.Task[None]] = set()

    async def ask(self, request: Request, target: str, *, connection: object) -> aiohttp.ClientResponse:
        """Send the request as it came, but for the host, and without an offer to unpack anything.

        Args:
            request: what the client sent.
            target: path and query to send it to.
            connection: the client's; anything that stays the same as long as it does.

        Raises:
            one of `MISTAKES`: there is no answer.
        """
        headers = without(request.headers, ("accept-encoding", "content-length", "expect"))
        return await self._client(connection).request(
            request.method,
            URL(self.origin + target, encoded=True),
            headers=CIMultiDict((*with_host(headers, self.origin), ("Accept-Encoding", "identity"))),
            data=BytesIO(request.body) if request.body else None,
            allow_redirects=False,
            skip_auto_headers=("Accept", "Content-Type", "User-Agent"),
            proxy=self._proxy,
            ssl=self._tls,
        )

    async def websocket(
        self, incoming: web.BaseRequest, request: Request, target: str
    ) -> web.WebSocketResponse:
        """Pass the messages of a WebSocket on, both ways, until either side closes it.

        Raises:
            one of `MISTAKES`: the provider did not accept it, or nobody reached it.
        """
        offered = incoming.headers.get("Sec-WebSocket-Protocol", "").split(",")
        async with self._client(incoming.protocol).ws_connect(
            URL(self.origin + target, encoded=True),
            headers=[
                one for one in request.headers if not one[0].lower().startswith(("sec-websocket", "host"))
            ],
            protocols=[name.strip() for name in offered if name.strip()],
            max_msg_size=0,
            proxy=self._proxy,
            ssl=self._tls,
        ) as there:
            here = web.WebSocketResponse(
                protocols=filter(None, [there.protocol]), max_msg_size=0, compress=False
            )
            await here.prepare(incoming)
            await asyncio.gather(_relay(here, there), _relay(there, here))
        return here

    def forget(self, connection: object) -> None:
        """The client's connection is gone, so nothing more is asked over ours."""
        client = self._clients.pop(connection, None)
        if client is not None:
            task = asyncio.get_running_loop().create_task(client.close())
            self._closing.add(task)
            task.add_done_callback(self._closing.discard)

    def forget_all(self, *, but: set[object]) -> None:
        """Nothing more is asked over connections that stand idle."""
        for connection in self._clients.keys() - but:
            self.forget(connection)

    def _client(self, connection: object) -> aiohttp.ClientSession:
        if connection not in self._clients:
            client = aiohttp.ClientSession(
                timeout=self._timeout,
                auto_decompress=False,
                cookie_jar=aiohttp.DummyCookieJar(),
                max_line_size=LONGEST_LINE,
                max_field_size=LONGEST_LINE,
            )
            # Or a GET that a kept connection swallows would be asked again, which is for the client to do.
            client._retry_connection = False  # noqa: SLF001 - aiohttp has no public switch
            self._clients[connection] = client
        return self._clients[connection]


_Socket = web.WebSocketResponse | aiohttp.ClientWebSocketResponse


async def _relay(source: _Socket, sink: _Socket) -> None:
    while (message := await source.receive()).type in (WSMsgType.TEXT, WSMsgType.BINARY):
        await (sink.send_str if message.type is WSMsgType.TEXT else sink.send_bytes)(message.data)
    closed = message.type is WSMsgType.CLOSE
    await sink.close(code=(closed and message.data) or WSCloseCode.OK, message=(message.extra or "").encode())


def end_of(error: BaseException) -> End:
    """How an exchange ended that got no answer, or not the whole of it."""
    if isinstance(error, TimeoutError):
        return End.TIMEOUT
    if isinstance(error, _NO_CONNECTION):
        return End.REFUSED
    # In the middle of a body aiohttp tells a reset only in the text of its error.
    signs = ("ConnectionResetError", "[Errno 104]")
    is_reset = isinstance(error, ConnectionResetError) or any(sign in str(error) for sign in signs)
    return End.RESET if is_reset else End.CUT


def way_of_closing(answer: aiohttp.ClientResponse) -> Callable[[], BaseException | None]:
    """Asked after the last byte of an answer, tells what broke the connection, if that was the end of it.

    A body without a length and without chunks ends when the connection does. aiohttp takes a reset for such
    an end, too, and keeps the difference only in the protocol's own future.
    """
    connection = answer.connection if ends_with_connection(answer) else None
    protocol = None if connection is None else connection.protocol
    closed = None if protocol is None else protocol.closed
    if closed is None:
        return lambda: None
    # Or asyncio complains of an error that nobody asked for.
    closed.add_done_callback(lambda done: done.cancelled() or done.exception())
    return lambda: closed.exception() if closed.done() and not closed.cancelled() else None
