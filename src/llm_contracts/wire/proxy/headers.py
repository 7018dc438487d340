"""Headers on their way through the edge.

No redirect may lead a client past the edge. A client that followed one would take its key to whoever is named
there, off the record; and a replayed one would lead it into the network. So the client is given an address at
the edge in its place: that of the same path when the provider sends it to itself, and otherwise one where the
edge notes that the client followed and answers with an error. The recording keeps what the provider said.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from urllib.parse import quote, unquote, urljoin, urlsplit

from llm_contracts.wire.interaction import Headers, without

FRAMING = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})
"""What frames a message, and is made anew by whoever serves it again."""

_OF_PROXIES = frozenset({"proxy-authenticate", "proxy-authorization", "proxy-connection"})
_HOP_BY_HOP = (FRAMING - {"content-length"}) | _OF_PROXIES | {"te", "trailer", "upgrade"}
"""Those of one connection, not of the message (RFC 9110, section 7.6.1)."""
_ELSEWHERE = "/.elsewhere/"


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


def kept_at_the_edge(headers: Headers, *, uri: str, own: frozenset[str], origin: str) -> Headers:
    """The headers with every `Location` led back to the edge.

    Args:
        headers: an answer's.
        uri: what was asked for; relative locations start there.
        own: the provider's origins.
        origin: the session's.
    """
    return _relocated(headers, lambda location: _at_the_edge(location, uri, own, origin))


def made_public(headers: Headers, *, called: str, public: str) -> Headers:
    """The headers with every `Location` at the origin that was called at the provider's public one instead.

    A recording names the provider, whatever gateway it was made through, and gives no host names away.
    """
    return _relocated(
        headers,
        lambda location: public + location[len(called) :] if _is_at(called, location) else location,
    )


def elsewhere(target: str) -> str | None:
    """The foreign URI that a request for this target is really meant for; None for the provider's own."""
    path = urlsplit(target).path
    return unquote(path.removeprefix(_ELSEWHERE)) if path.startswith(_ELSEWHERE) else None


def _relocated(headers: Headers, change: Callable[[str], str]) -> Headers:
    return tuple((name, change(value) if name.lower() == "location" else value) for name, value in headers)


def _is_at(origin: str, location: str) -> bool:
    return location.startswith(origin) and location[len(origin) :][:1] in {"", "/", "?", "#"}


def _at_the_edge(location: str, uri: str, own: frozenset[str], origin: str) -> str:
    try:
        goal = urljoin(uri, location)
        parts = urlsplit(goal)
    except ValueError:  # such as an IPv6 address without its bracket
        return f"{origin}{_ELSEWHERE}{quote(location, safe='')}"
    if f"{parts.scheme}://{parts.netloc}" not in own:
        return f"{origin}{_ELSEWHERE}{quote(goal, safe='')}"
    query = f"?{parts.query}" if parts.query else ""
    return f"{origin}{parts.path or '/'}{query}"
