"""Cassettes that vcrpy itself makes: over loopback, through the clients that people use."""

from __future__ import annotations

import asyncio
import gzip
import json
import threading
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import vcr

from llm_contracts.corpus import CorpusProblem, CorpusStream, read_corpus
from tests.harness.wire.exchanges import stream

STREAM = stream("你好", " 👩‍🚀", " café")
QUESTION = {"model": "gpt", "messages": [{"role": "user", "content": "问"}], "stream": True}

PACKINGS: Mapping[str, Callable[[bytes], bytes]] = {
    "": bytes,
    "gzip": gzip.compress,
    "deflate": zlib.compress,
}


class _Provider(BaseHTTPRequestHandler):
    """Streams the same answer to all, packed as the path says: `/gzip/v1/chat/completions`."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        coding = self.path.split("/")[1].replace("v1", "")
        self.rfile.read(int(self.headers["content-length"]))
        body = PACKINGS[coding](STREAM)
        self.send_response(200)
        self.send_header("Content-Type", "text/event-stream")
        self.send_header("Content-Length", str(len(body)))
        if coding:
            self.send_header("Content-Encoding", coding)
        self.end_headers()
        self.wfile.write(body)

    def log_request(self, code: int | str = "-", size: int | str = "-") -> None: ...


@contextmanager
def provider() -> Iterator[str]:
    """The origin of a server that streams."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), _Provider)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def with_requests(url: str) -> None:
    import requests

    with requests.Session() as session:
        session.post(url, json=QUESTION, timeout=60)


def with_httpx(url: str) -> None:
    import httpx

    with httpx.Client(trust_env=False) as client:
        client.post(url, json=QUESTION)


def with_httpx_async(url: str) -> None:
    import httpx

    async def post() -> None:
        async with httpx.AsyncClient(trust_env=False) as client:
            await client.post(url, json=QUESTION)

    asyncio.run(post())


def with_aiohttp(url: str) -> None:
    import aiohttp

    async def post() -> None:
        async with aiohttp.ClientSession() as session, session.post(url, json=QUESTION) as response:
            await response.read()

    asyncio.run(post())


CLIENTS: Mapping[str, Callable[[str], None]] = {
    "requests": with_requests,
    "httpx": with_httpx,
    "httpx-async": with_httpx_async,
    "aiohttp": with_aiohttp,
}


def record_with_vcrpy(file: Path, url: str, ask: Callable[[str], None], **settings: Any) -> None:
    """Have vcrpy record one call into a file; `settings` are its own."""
    with vcr.VCR(**settings).use_cassette(str(file)):
        ask(url)


def one_stream(source: Path) -> CorpusStream:
    """The only thing in a corpus, which must be a stream."""
    (found,) = read_corpus(source)
    assert isinstance(found, CorpusStream), found
    return found


def one_problem(source: Path) -> CorpusProblem:
    """The only thing in a corpus, which must be a problem."""
    (found,) = read_corpus(source)
    assert isinstance(found, CorpusProblem), found
    return found


def write_json(file: Path, document: Any) -> Path:
    """The file, with this in it."""
    file.write_text(json.dumps(document), encoding="utf-8")
    return file
