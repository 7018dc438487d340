"""A server that breaks HTTP with the key in what it sends gets it into no exception, traceback or log."""

from __future__ import annotations

import base64
import html
import io
import json
import logging
import quopri
import socket
import threading
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from itertools import product
from typing import Any
from urllib.parse import quote

import pytest

from llm_adapter import LLMError, adapter_from
from llm_adapter.redaction import Redactor, links
from tests.adapter.conftest import environ_for
from tests.adapter.provider import Provider
from tests.adapter.test_redirects import WAYS

KEY = "bce-v3/ALTAK-ab+cd=1/" + "0123456789abcdef"

FORMS: Mapping[str, Callable[[str], str]] = {
    "raw": str,
    "url": lambda key: quote(key, safe=""),
    "url, lower case": lambda key: "".join(
        part.lower() if part.startswith("%") else part for part in _percent(key)
    ),
    "url, every character": lambda key: "".join(f"%{ord(letter):02x}" for letter in key),
    "url, twice": lambda key: quote(quote(key, safe=""), safe=""),
    "json": lambda key: json.dumps(key).replace("/", "\\/"),
    "json, every character": lambda key: "".join(f"\\u{ord(letter):04X}" for letter in key),
    "json within json": lambda key: json.dumps(json.dumps(key.replace("/", "\\/"))),
    "python": lambda key: "".join(f"\\x{ord(letter):02x}" for letter in key),
    "base64": lambda key: base64.b64encode(key.encode()).decode(),
    "base64 after one": lambda key: base64.b64encode(b":" + key.encode()).decode(),
    "base64 within words": lambda key: base64.b64encode(f"id {key} and more".encode()).decode(),
    "base64 for urls": lambda key: base64.urlsafe_b64encode(b"??" + key.encode()).decode(),
    "hex": lambda key: key.encode().hex(),
    "hex, capitals": lambda key: key.encode().hex().upper(),
    "hex, with bars": lambda key: " | ".join(f"{ord(letter):02x}" for letter in key),
    "hex, on lines": lambda key: "\\n".join(f"{ord(letter):02x}" for letter in key),
    "utf-16": lambda key: key.encode("utf-16-be").decode("latin-1"),
    "utf-32, as Python shows it": lambda key: repr(key.encode("utf-32-le")),
    "utf-16 in base64": lambda key: base64.b64encode(key.encode("utf-16-be")).decode(),
    "html, without semicolons": lambda key: "".join(f"&#{ord(letter)}" for letter in key),
    "old javascript": lambda key: "".join(f"%u{ord(letter):04X}" for letter in key),
    "numbers, on lines": lambda key: json.dumps([*key.encode()], indent=1),
    "hex, parted": lambda key: key.encode().hex(":"),
    "html": html.escape,
    "html, decimal": lambda key: "".join(f"&#{ord(letter)};" for letter in key),
    "html, hexadecimal": lambda key: "".join(f"&#x{ord(letter):X};" for letter in key),
    "capitals": str.upper,
    "small letters": str.lower,
    "octal": lambda key: "".join(f"\\{ord(letter):03o}" for letter in key),
    "javascript": lambda key: "".join(f"\\u{{{ord(letter):x}}}" for letter in key),
    "hexadecimal numbers": lambda key: ", ".join(hex(ord(letter)) for letter in key),
    "numbers": lambda key: str([*key.encode()]),
    "quoted-printable": lambda key: quopri.encodestring(key.encode(), quotetabs=True).decode(),
    "base64 in lines": lambda key: base64.encodebytes(b"and so on " * 9 + key.encode()).decode(),
    "the first half": lambda key: key[: len(key) // 2 + 3],
    "the last half": lambda key: key[len(key) // 2 - 3 :],
}


NESTED = (
    "url",
    "url, every character",
    "json",
    "json, every character",
    "base64",
    "base64 for urls",
    "hex",
    "html",
)


def _percent(key: str) -> Iterator[str]:
    for letter in key:
        yield quote(letter, safe="")


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\n"
BROKEN: Mapping[str, Callable[[bytes], bytes]] = {
    "status line": lambda echo: b"HTTP/9 " + echo + b"\r\n\r\n",
    "no status line": lambda echo: echo + b"\r\n\r\n",
    "long status": lambda echo: b"HTTP/1.1 " + b" " * 180 + echo * 9 + b"\r\n\r\n",
    "reason": lambda echo: b"HTTP/1.1 401 " + echo + b"\r\n\r\n",
    "request id": lambda echo: b"HTTP/1.1 401 No\r\nx-request-id: " + echo + b"\r\n\r\n",
    "header name": lambda echo: HEAD + echo + b"\r\n\r\n",
    "header value": lambda echo: HEAD + b"x: \x01" + echo + b"\r\n\r\n",
    "content length": lambda echo: HEAD + b"content-length: " + echo + b"\r\n\r\n",
    "two lengths": lambda echo: HEAD + b"content-length: 1\r\ncontent-length: 1" + echo + b"\r\n\r\n",
    "transfer encoding": lambda echo: HEAD + b"transfer-encoding: " + echo + b"\r\n\r\n",
    "chunk size": lambda echo: HEAD + b"transfer-encoding: chunked\r\n\r\n" + echo + b"\r\n",
    "after a chunk": lambda echo: HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\n:" + echo + b"\r\n",
    "content encoding": lambda echo: HEAD + b"content-encoding: gzip\r\n\r\n" + echo,
    "broken utf-8": lambda echo: HEAD + b"\r\ndata: \xff" + echo + b"\n\n",
    "broken json": lambda echo: HEAD + b'\r\ndata: {"a": ' + echo + b"\n\n",
    "no object": lambda echo: HEAD + b'\r\ndata: ["' + echo + b'"]\n\n',
    "location": lambda echo: b"HTTP/1.1 307 T\r\nlocation: http://[" + echo + b"\r\n\r\n",
    "refusal": lambda echo: b"HTTP/1.1 401 No\r\n\r\n" + echo,
    "refusal in json": lambda echo: (
        b'HTTP/1.1 400 No\r\ncontent-type: application/json\r\n\r\n{"error": {"code": "'
        + echo.replace(b'"', b"'")
        + b'", "message": "'
        + echo.replace(b'"', b"'")
        + b'"}}'
    ),
    "page": lambda echo: b"HTTP/1.1 200 OK\r\ncontent-type: text/html\r\n\r\n<p>" + echo,
}


@contextmanager
def saying(raw: list[bytes]) -> Iterator[str]:
    """A server that answers every request with these bytes and closes; gives its URL."""
    server = socket.create_server(("127.0.0.1", 0))

    def answer(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            head = b""
            while b"\r\n\r\n" not in head:
                head += connection.recv(65536)
            connection.sendall(raw[0])
            connection.shutdown(socket.SHUT_WR)
            while connection.recv(65536):
                pass

    def serve() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=answer, args=server.accept()[:1], daemon=True).start()

    thread = threading.Thread(target=serve, daemon=True)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.getsockname()[1]}/v1"
    finally:
        server.shutdown(socket.SHUT_RDWR)
        server.close()
        thread.join()


def _failure(call: Callable[[], object]) -> LLMError | None:
    try:
        call()
    except LLMError as error:
        return error
    return None  # as the old clients have it: a refusal is an empty answer


def everything(error: BaseException) -> Iterator[str]:
    """Whatever is shown of an exception: its words, its chain's, their arguments, the traceback, the log."""
    for link in links(error):
        yield from (str(link), repr(link), repr(link.args), repr(vars(link)))
        yield from (repr(getattr(link, name, None)) for name in ("object", "doc", "strerror", "filename"))
    yield "".join(traceback.format_exception(error))
    stream = io.StringIO()
    logger = logging.getLogger("shown")
    logger.addHandler(logging.StreamHandler(stream))
    logger.error("it failed: %r", error, exc_info=error)
    yield stream.getvalue()


# Each form is looked for below; here it matters where the text comes from.
ECHOED = ("raw", "url, lower case", "base64 after one", "hex")
LOUD = ("httpcore.http11", "httpcore.connection", "httpx", "openai._base_client", "urllib3.connectionpool")


@pytest.mark.parametrize(("backend", "model"), WAYS)
def test_no_key_gets_into_an_exception_or_a_log(
    backend: str, model: str, caplog: pytest.LogCaptureFixture
) -> None:
    for name in LOUD:
        caplog.set_level(logging.DEBUG, logger=name)
    raw = [b""]
    with saying(raw) as url:
        environ = environ_for(Provider(url=url), LLM_BACKEND=backend)
        adapter = adapter_from(
            {name: KEY if "KEY" in name or "ERNIE_API" in name else value for name, value in environ.items()}
        )
        for broken, form in product(BROKEN, ECHOED):
            echo = FORMS[form](KEY)
            raw[0] = BROKEN[broken](echo.encode())
            caplog.clear()
            failed = _failure(lambda: list(adapter.invoke_llm(None, "u", None, model, "hi", max_retries=0)))
            told = list(map(logging.Formatter().format, caplog.records))
            part = echo[: len(echo) // 2]  # what shows it may cut it short
            assert not [text for text in told if part in text or KEY in text], (broken, form)
            if failed is None:
                continue
            shown = [text for text in everything(failed) if part in text or KEY in text]
            assert not shown, (broken, form, shown[0][-600:])
            assert failed.__cause__ is not None
            assert failed.__cause__.__traceback__ is not None
        adapter.close()


def test_type_and_place_of_the_original_stay() -> None:
    with saying([b"HTTP/9 " + KEY.encode() + b"\r\n\r\n"]) as url:
        adapter = adapter_from({"DIFY_URL": url, "DIFY_API_KEY": KEY})
        with pytest.raises(LLMError) as raised:
            list(adapter.invoke_llm(None, "u", None, "dify", "hi", max_retries=0))
    cause = raised.value.__cause__
    assert type(cause).__name__ == "RemoteProtocolError"
    text = "".join(traceback.format_exception(cause))
    assert "in handle_request" in text
    assert "[key]" in text


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_found_within_a_sentence_and_nothing_beside_it(form: str) -> None:
    echo = FORMS[form](KEY)
    said = Redactor.of([KEY]).text(f"before {echo} after")
    assert said.startswith("before ")
    assert said.endswith(" after")
    assert "[key]" in said
    assert len(said) < 40 + (20 if "within" in form else 125 if "in lines" in form else 0)


@pytest.mark.parametrize("outer", NESTED)
def test_every_form_is_found_below_another(outer: str) -> None:
    for inner, innermost in product(NESTED, NESTED):
        echo = FORMS[outer](FORMS[inner](FORMS[innermost](KEY)))
        said = Redactor.of([KEY]).text(f"before {echo} after")
        assert said.startswith("before "), (inner, innermost)
        assert said.endswith(" after"), (inner, innermost)
        assert "[key]" in said, (inner, innermost)


def test_what_is_like_a_key_or_packs_none_stays() -> None:
    said = f"chatcmpl-9abc0123456789defghijk {base64.b64encode(b'no key at all here').decode()} {KEY[:11]}"
    assert Redactor.of([KEY]).text(said) == said


def test_a_user_before_a_host_is_hidden() -> None:
    said = "Unknown scheme for proxy URL URL('socks9://token-1" + ":pw@proxy:1080/x?y=a@b')"
    assert (
        Redactor.of(()).text(said) == "Unknown scheme for proxy URL URL('socks9://[key]@proxy:1080/x?y=a@b')"
    )


def test_what_exceptions_of_the_language_hold_beside_their_arguments_is_hidden_too() -> None:
    inner = UnicodeDecodeError("utf-8", b"\xff" + KEY.encode(), 0, 1, "bad " + KEY)
    nested: list[Any] = [OSError(5, KEY, "/" + KEY), KeyError({"a": [KEY.encode()]}), inner]
    outer = ExceptionGroup("all of them", [ValueError(nested[0]), nested[1], nested[2]])
    outer.add_note("note " + KEY)
    Redactor.of([KEY]).exceptions(outer)
    assert [text for text in everything(outer) if KEY in text] == []
