"""Redirects, of which none may lead a client past the edge.

A client that followed one would take its key to whoever is named there, off the record; and a replayed one
would lead it into the network. So the client is given an address at the edge in its place: that of the same
path when the provider sends it to itself, and otherwise one where the edge notes that the client followed and
answers with an error. The recording keeps what the provider said.
"""

from __future__ import annotations

from urllib.parse import quote, unquote, urljoin, urlsplit

from llm_contracts.wire.interaction import Headers

_ELSEWHERE = "/.elsewhere/"


def kept_at_the_edge(headers: Headers, *, uri: str, own: frozenset[str], origin: str) -> Headers:
    """The headers with every `Location` led back to the edge.

    Args:
        headers: an answer's.
        uri: what was asked for; relative locations start there.
        own: the provider's origins.
        origin: the session's.
    """
    return tuple(
        (name, _at_the_edge(value, uri, own, origin) if name.lower() == "location" else value)
        for name, value in headers
    )


def made_public(headers: Headers, *, called: str, public: str) -> Headers:
    """The headers with every `Location` at the origin that was called at the provider's public one instead.

    A recording names the provider, whatever gateway it was made through, and gives no host names away.
    """
    return tuple(
        (
            name,
            public + value[len(called) :] if name.lower() == "location" and _is_at(called, value) else value,
        )
        for name, value in headers
    )


def elsewhere(target: str) -> str | None:
    """The foreign URI that a request for this target is really meant for; None for the provider's own."""
    path = urlsplit(target).path
    return unquote(path.removeprefix(_ELSEWHERE)) if path.startswith(_ELSEWHERE) else None


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
