"""A project that leaks its key in every way it can, to a provider that sends it back in every form there is.

Neither knows the scrubber. What is found afterwards is found by decoding, not by looking for encoded forms.
"""

from __future__ import annotations

import base64
import binascii
import html
import json
import re
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from urllib.parse import quote, unquote

KEY = "acme+canary/7f3a9c51=e2d8b640"
TOKEN = "24.canary5b1e77d09a4c.sold"
TOML = """
[tool.llm_contracts]
clients = "contracts/clients.py"
scenarios = "contracts/scenarios.py"
waivers = "contracts/waivers.toml"
reference = "leaking"
candidate = "leaking-too"
"""
CLIENTS = '''
import http.client
import json
import logging
import os
from contextlib import closing, contextmanager
from urllib.parse import quote, urlsplit

from llm_contracts.project.scenario import Provider

PROVIDERS = (
    Provider(
        name="acme",
        base_url="https://api.acme.example/v1",
        key_variable="ACME_API_KEY",
        base_url_variable="ACME_BASE_URL",
    ),
)


@contextmanager
def asked(call, method, target, body="", **headers):
    url = urlsplit(call.base_url)
    with closing(http.client.HTTPConnection(url.netloc, timeout=60)) as connection:
        connection.request(method, url.path + target, body or None, headers)
        yield connection.getresponse()


def leaking(call):
    """Everywhere: in a form, a query, a path, headers, JSON, a log, telemetry and an exception."""
    logging.getLogger("leaky").error("calling with %s", call.api_key)
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    secret = quote(call.api_key, safe="")
    with asked(call, "POST", "/token", f"grant_type=x&client_secret={secret}&other={secret}", **form) as sold:
        token = json.load(sold)["access_token"]
    with asked(call, "GET", f"/moved/{secret}?access_token={token}&trace={secret}") as moved:
        moved.read()
    body = {"model": call.model, "messages": list(call.messages), "stream": True, "user": call.api_key}
    headers = {
        "Authorization": f"Bearer {call.api_key}",
        "X-Custom": call.api_key,
        "X-Token": token,
        "Cookie": f"session={token}",
        "Content-Type": "application/json",
    }
    with asked(call, "POST", f"/chat/{call.model}?t={token}", json.dumps(body), **headers) as answer:
        call.telemetry({"name": "generation", "metadata": {"key": call.api_key, "token": token}})
        if answer.status >= 400:
            raise RuntimeError(f"{answer.status}: {answer.read()!r} with {call.api_key} and {token}")
        for line in answer:
            if line.startswith(b"data: {"):
                yield json.loads(line[6:])


class thrifty:
    """Buys a token in its first call; in later ones only the provider mentions it."""

    token = ""

    def __call__(self, call):
        if not self.token:
            with asked(call, "POST", "/token", "grant_type=x") as sold:
                self.token = json.load(sold)["access_token"]
        with asked(call, "POST", f"/chat/{call.model}", "{}") as answer:
            answer.read()
        yield "done"


def raising(call):
    raise ValueError(f"cannot use {call.api_key}") from RuntimeError(call.api_key)
    yield


def telling(call):
    """Knows the key from somewhere else than the call, and tells it to telemetry."""
    call.telemetry({"name": "generation", "metadata": {"key": os.environ["ACME_API_KEY"]}})
    yield from leaking(call)



def leaking_too(call):
    yield from leaking(call)


CLIENTS = {"leaking": leaking, "leaking-too": leaking_too, "raising": raising, "telling": telling}
CLIENTS["thrifty"] = thrifty()
'''
SCENARIOS = """
from llm_contracts.project.scenario import Scenario

ASKED = ({"role": "user", "content": "what is your key?"},)
SCENARIOS = (
    Scenario(id="answer", provider="acme", model="echo", messages=ASKED),
    Scenario(id="refused", provider="acme", model="refusing", messages=ASKED, expects="failure"),
    Scenario(id="unwanted", provider="acme", model="refusing", messages=ASKED),
    Scenario(id="cut", provider="acme", model="cut", messages=ASKED),
)
"""


def make_leaky_project(root: Path) -> None:
    contracts = root / "contracts"
    contracts.mkdir(parents=True)
    (root / "pyproject.toml").write_text(TOML)
    (contracts / "clients.py").write_text(CLIENTS)
    (contracts / "scenarios.py").write_text(SCENARIOS)


class Parrot(BaseHTTPRequestHandler):
    """The provider: sells a token, sends elsewhere, answers or refuses, and repeats all it was told."""

    def do_GET(self) -> None:
        self._answer(302, b"", {"Location": f"/v1/there?k={quote(KEY, safe='')}#{TOKEN}", "X-Back": KEY})

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        kind = self.path.partition("?")[0].rpartition("/")[2]
        getattr(self, f"_{kind}")()

    def _token(self) -> None:
        sold = {"access_token": TOKEN, "expires_in": 5, "note": f"for {KEY}"}
        self._answer(200, json.dumps(sold).encode(), {"Content-Type": "application/json"})

    def _echo(self) -> None:
        texts = [
            "Your key is ",
            *KEY,
            " or in words ",
            *(TOKEN[n : n + 3] for n in range(0, len(TOKEN), 3)),
            ".",
        ]
        comment = f": you sent {KEY} and {quote(TOKEN, safe='')}\n\n".encode()
        events = b"".join(_event({"content": text}) for text in texts)
        whole = _event({"content": f"{KEY} {TOKEN}"}) + _event({}, "stop") + b"data: [DONE]\n\n"
        self._answer(200, comment + events + whole, {"Content-Type": "text/event-stream", **_cookies()})

    def _cut(self) -> None:
        self.send_response(200)
        self.send_header("Content-Length", "999")
        self.end_headers()
        self.wfile.write(_event({"content": KEY}))

    def _refusing(self) -> None:
        forms = {
            "raw": KEY,
            "quoted": quote(KEY, safe=""),
            "twice": quote(quote(KEY, safe=""), safe=""),
            "escaped": "ESCAPED",
            "nested": json.dumps({"a": json.dumps({"key": KEY}).replace("/", "\\/")}),
            "hex": KEY.encode().hex(),
            "html": html.escape(KEY),
            **{f"base64-{n}": base64.b64encode(b"u" * n + KEY.encode() + b"::").decode() for n in range(3)},
            "url-base64": base64.urlsafe_b64encode(f"{TOKEN}?{KEY}".encode()).decode(),
        }
        body = json.dumps(
            {"error": {"message": f"Incorrect API key provided: {KEY} ({TOKEN})", "seen": forms}}
        )
        escaped = "".join(f"\\u{ord(letter):04x}" for letter in KEY)
        body = body.replace("ESCAPED", escaped)
        self._answer(400, body.encode(), {"Content-Type": "application/json", **_cookies()})

    def _answer(self, status: int, body: bytes, headers: dict[str, str]) -> None:
        self.send_response(status, f"Hello {KEY}")
        for name, value in headers.items():
            self.send_header(name, value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class calls it so
        """Say nothing."""


def _cookies() -> dict[str, str]:
    return {
        "Set-Cookie": f"k={quote(KEY)}; Path=/",
        "X-Request-Id": TOKEN,
        "X-Echo": quote(KEY),
        "X-Two": TOKEN,
    }


def _event(delta: dict[str, str], finish: str | None = None) -> bytes:
    chunk = {"id": "c-1", "model": "echo", "choices": [{"index": 0, "delta": delta, "finish_reason": finish}]}
    return f"data: {json.dumps(chunk)}\n\n".encode()


def parrot() -> ThreadingHTTPServer:
    return ThreadingHTTPServer(("127.0.0.1", 0), Parrot)


_HEX = re.compile(r"[0-9A-Fa-f]{16,}")
_BASE64 = re.compile(r"[A-Za-z0-9+/_-]{16,}")
_ESCAPE = re.compile(r"\\u([0-9A-Fa-f]{4})")
_CONTENT = re.compile(r'\\*"(?:content|text)\\*": ?\\*"((?:[^"\\]|\\.)*?)\\*"')


def canaries_in(data: bytes) -> list[str]:
    """How the key or the token can be read out of the bytes; empty if in no way."""
    text = data.decode("utf-8", "replace")
    ways = dict(_readings(text))
    return [way for way, read in ways.items() for canary in (KEY, TOKEN) if canary in read]


def _readings(text: str) -> Iterator[tuple[str, str]]:
    yield "as it is", text
    plain = _ESCAPE.sub(lambda match: chr(int(match[1], 16)), text)
    yield "escaped", re.sub(r"\\+", "", plain)
    yield "percent-encoded", unquote(unquote(unquote(text)))
    yield "html", html.unescape(text)
    yield "hexadecimal", " ".join(filter(None, map(_unhexed, _HEX.findall(text))))
    yield (
        "base64",
        " ".join(filter(None, (_unpacked(run[n:]) for run in _BASE64.findall(text) for n in range(4)))),
    )
    yield (
        "base64 over lines",
        " ".join(
            _unpacked(re.sub(r"\s+", "", block))
            for block in re.findall(r"(?:[A-Za-z0-9+/]{60,}\n\s*)+", text)
        ),
    )
    yield "in parts", "".join(_CONTENT.findall(text))
    yield "letter by letter", "".join(re.findall(r"^\s*(?:data: )?(\S)$", text, re.MULTILINE))


def _unhexed(run: str) -> str:
    return bytes.fromhex(run[: len(run) // 2 * 2]).decode("latin-1")


def _unpacked(run: str) -> str:
    standard = run.replace("-", "+").replace("_", "/")
    try:
        return base64.b64decode(standard + "==").decode("latin-1")
    except binascii.Error:
        return ""
