"""Headers on their way through the edge."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import urlsplit

from llm_contracts.wire.interaction import Headers

FRAMING = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
"""What frames a message, and is made anew by whoever serves it again."""

_OF_PROXIES = frozenset({"proxy-authenticate", "proxy-authorization", "proxy-connection"})
_HOP_BY_HOP = (FRAMING - {"content-length"}) | _OF_PROXIES | {"te", "trailer", "upgrade"}
"""Those of one connection, not of the message (RFC 9110, section 7.6.1)."""


def end_to_end(raw: Iterable[tuple[bytes, bytes]]) -> Headers:
    """The header lines that belong to the message, as text."""
    lines = tuple((_text(name), _text(value)) for name, value in raw)
    named = {
        part.strip().lower()
        for name, value in lines
        if name.lower() == "connection"
        for part in value.split(",")
    }
    return without(lines, _HOP_BY_HOP | named)


def without(headers: Headers, names: Iterable[str]) -> Headers:
    """The headers but those of the given (lower-case) names."""
    unwanted = frozenset(names)
    return tuple(line for line in headers if line[0].lower() not in unwanted)


def with_host(headers: Headers, origin: str) -> Headers:
    """The headers with the host of the given origin, in the place where the old one stood."""
    host = urlsplit(origin).netloc.rpartition("@")[2]
    return tuple((name, host if name.lower() == "host" else value) for name, value in headers)


def _text(raw: bytes) -> str:
    """Header bytes are Latin-1 by the book, UTF-8 in practice."""
    try:
        return raw.decode("utf-8")
    except UnicodeDecodeError:
        return raw.decode("latin-1")
