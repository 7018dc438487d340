"""A provider made of bare sockets: it says exactly which bytes when, and knows no HTTP library."""

from __future__ import annotations

import socket
import ssl
import struct
import threading
from collections.abc import Callable
from contextlib import suppress
from types import TracebackType
from typing import Self

from llm_contracts.wire.interaction import Headers

Script = Callable[["Peer"], None]


class Peer:
    """One accepted connection."""

    def __init__(self, connection: socket.socket, left: threading.Event) -> None:
        self._connection = connection
        self._left = left

    def head(
        self,
        *,
        status: str = "200 OK",
        headers: Headers = (("content-type", "text/event-stream"),),
        chunked: bool = True,
    ) -> None:
        framing = "transfer-encoding: chunked\r\n" if chunked else ""
        lines = "".join(f"{name}: {value}\r\n" for name, value in headers)
        self.send(f"HTTP/1.1 {status}\r\n{lines}{framing}\r\n".encode())

    def chunk(self, data: bytes) -> None:
        self.send(b"%x\r\n%s\r\n" % (len(data), data))

    def last_chunk(self) -> None:
        self.send(b"0\r\n\r\n")

    def send(self, data: bytes) -> None:
        self._connection.sendall(data)

    def receive(self) -> bytes:
        """What comes next."""
        return self._connection.recv(65536)

    def reset(self) -> None:
        self._connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self._connection.close()

    def wait_for_the_end(self) -> None:
        """Until the other side hangs up."""
        self._connection.settimeout(60)
        while self._connection.recv(4096):
            pass
        self._left.set()


class Upstream:
    """Plays the script to each connection, over TLS if told how. `heads` are the requests as they came."""

    def __init__(self, script: Script, *, tls: ssl.SSLContext | None = None) -> None:
        self._script = script
        self._tls = tls
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._serve, daemon=True)
        self.heads: list[bytes] = []
        self.left = threading.Event()
        scheme, host = ("https", "localhost") if tls else ("http", "127.0.0.1")
        self.origin = f"{scheme}://{host}:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join(60)

    def _serve(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return
            with connection:
                if self._tls is None:
                    self._play(connection)
                    continue
                # A client that trusts nobody here ends the handshake.
                with suppress(ssl.SSLError), self._tls.wrap_socket(connection, server_side=True) as secured:
                    self._play(secured)

    def _play(self, connection: socket.socket) -> None:
        self.heads.append(_request(connection))
        self._script(Peer(connection, self.left))


def _request(connection: socket.socket) -> bytes:
    """Head and body of one request."""
    data = b""
    while b"\r\n\r\n" not in data:
        data += connection.recv(65536)
    head, _, body = data.partition(b"\r\n\r\n")
    lengths = [line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")]
    size = int(lengths[0].split(b":")[1]) if lengths else 0
    while len(body) < size:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body
