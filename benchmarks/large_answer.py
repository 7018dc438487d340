"""What an answer of 500 MB costs the recording edge: it is passed on whole, and kept by nobody.

The client and the edge are in one process, whose resident memory is looked at after each piece; the provider
is in another.
"""

from __future__ import annotations

import http.client
import socket
from collections.abc import Iterator
from contextlib import closing
from multiprocessing.connection import Connection
from urllib.parse import urlsplit

import psutil

from benchmarks.measure import Figure, Size, figure, serving
from llm_contracts.wire.proxy.exchange import Limits, UnkeepableError
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.scrub import Scrubber

_MIB = 2**20
_LARGE = 500 * _MIB
_PIECE = b'data: {"choices": [{"delta": {"content": "%b"}}]}\n\n' % (b"x" * 2**16)
_HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
_BESIDE = 64  # MiB beside what is kept: buffers, and the rest that the allocator holds


def run(_size: Size) -> Iterator[Figure]:
    """The benchmark."""
    with serving(_provide) as provider, Edge() as edge:
        session = edge.record(upstream=provider, public="https://api.example.com", scrubber=Scrubber({}))
        parts = urlsplit(session.origin)
        memory = psutil.Process().memory_info
        before = memory().rss
        most, received = 0, 0
        with closing(http.client.HTTPConnection(parts.netloc, timeout=60)) as connection:
            connection.request("POST", f"{parts.path}/v1/chat/completions", b"{}")
            answer = connection.getresponse()
            while data := answer.read(2**16):
                received += len(data)
                most = max(most, memory().rss - before)
        try:
            kept = len(session.interactions())
        except UnkeepableError:
            kept = 0
        after = memory().rss - before
    yield figure("missing", [(_LARGE - received) / _MIB], unit="MiB", at_most=0)
    yield figure("kept", [kept], unit="answers", at_most=0)
    yield figure("memory at its most", [most / _MIB], unit="MiB", at_most=Limits().answer / _MIB + _BESIDE)
    yield figure("memory afterwards", [after / _MIB], unit="MiB", at_most=_BESIDE)


def _provide(pipe: Connection) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        pipe.send(server.getsockname()[1])
        connection, _ = server.accept()
        with connection:
            connection.recv(2**16)
            connection.sendall(_HEAD)
            for left in range(_LARGE, 0, -len(_PIECE)):
                piece = _PIECE[:left]
                connection.sendall(b"%x\r\n%b\r\n" % (len(piece), piece))
            connection.sendall(b"0\r\n\r\n")
