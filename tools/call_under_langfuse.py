"""One call of the adapter under a span of whatever Langfuse is installed; run by `beside_langfuse.py`."""

from __future__ import annotations

import json
import logging
import sys
from contextlib import closing
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from importlib.metadata import version
from threading import Thread
from types import SimpleNamespace
from typing import Any

from llm_adapter import adapter_from
from tests.adapter.provider import USAGE, answer, running
from tools.beside_langfuse import WHOLE


class _Ingestion(BaseHTTPRequestHandler):
    """Langfuse's server: takes what comes."""

    bodies: list[bytes] = []  # noqa: RUF012 - one server a process

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        self.bodies.append(self.rfile.read(int(self.headers.get("content-length", "0"))))
        self.send_response(207)
        self.send_header("content-length", "2")
        self.end_headers()
        self.wfile.write(b"{}")


def spans(url: str) -> tuple[Any, Any]:
    """A span of this Langfuse, and what flushes it."""
    from langfuse import Langfuse

    keys: dict[str, Any] = {"public_key": "pk-1", "secret_key": "sk-1", "host": url}
    if int(version("langfuse").partition(".")[0]) >= 5:  # noqa: PLR2004
        keys["otel_compression"] = "none"
    client: Any = Langfuse(**keys)
    if version("langfuse").startswith("2."):
        return client.trace(name="t").span(name="s"), client
    start = getattr(client, "start_span", None) or client.start_observation
    return start(name="s"), client


def main() -> None:
    """Make the call, and print how much of it arrived."""
    problems: list[str] = []
    log = logging.getLogger("app")
    log.addHandler(SimpleNamespace(level=0, handle=lambda record: problems.append(record.getMessage())))  # type: ignore[arg-type]
    with ThreadingHTTPServer(("127.0.0.1", 0), _Ingestion) as server, running() as provider:
        Thread(target=server.serve_forever, daemon=True).start()
        span, client = spans(f"http://127.0.0.1:{server.server_port}")
        cached = {"prompt_tokens_details": {"cached_tokens": 4}}
        provider.say(answer("Hel", "lo", usage={**USAGE, **cached}))
        environ = {"OPENAI_API_KEY": "k-1", "OPENAI_BASE_URL": provider.url}
        with closing(adapter_from(environ)) as adapter:
            list(adapter.invoke_llm(SimpleNamespace(logger=log), "u", span, "gpt-4o", "hi"))
        span.end()
        client.flush()
        server.shutdown()
    sent = b"".join(_Ingestion.bodies)
    whole = all(word in sent for word in (b"Hello", b"input_cached_tokens", b"gpt-4o", b"generation"))
    said = WHOLE if whole and not problems else f"not whole: {problems}"
    sys.stdout.write(json.dumps({"told": said}) + "\n")


if __name__ == "__main__":
    main()
