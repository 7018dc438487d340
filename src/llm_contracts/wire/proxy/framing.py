"""How a client can tell where a body ends.

By its length, by its last chunk, or by nothing but the end of the connection. It matters when the connection
breaks: aiohttp, and so LiteLLM's asynchronous calls, takes a reset for the end of a body of the last kind,
httpx does not. So the edge keeps the provider's kind. In a recording, which leaves the headers of the
connection out, `Connection: close` without a length stands for the last kind.
"""

from __future__ import annotations

import aiohttp
from aiohttp import HttpVersion11, hdrs, web
from multidict import CIMultiDict

from llm_contracts.wire.interaction import Headers

_CLOSED: Headers = (("connection", "close"),)
_BODILESS = frozenset({204, 304})


def ends_with_connection(answer: aiohttp.ClientResponse) -> bool:
    """Whether nothing but the end of the connection tells where the answer's body ends."""
    if answer.status in _BODILESS or answer.method == hdrs.METH_HEAD:
        return False
    return hdrs.CONTENT_LENGTH not in answer.headers and hdrs.TRANSFER_ENCODING not in answer.headers


def marked(headers: Headers) -> Headers:
    """The headers, saying that the body ends with the connection."""
    return (*headers, *_CLOSED)


def is_marked(headers: Headers) -> bool:
    """Whether a recording's headers say that the body ends with the connection."""
    named = {name.lower(): value.strip().lower() for name, value in headers}
    return named.get("connection") == "close" and not named.keys() & {"content-length", "transfer-encoding"}


def streaming(
    incoming: web.BaseRequest, *, status: int, reason: str | None, headers: Headers
) -> web.StreamResponse:
    """A response whose body ends as the headers say: by its length or with the connection, else in chunks."""
    kind = _Unframed if is_marked(headers) else _Verbatim
    response = kind(status=status, reason=reason, headers=CIMultiDict(headers))
    if hdrs.CONTENT_LENGTH not in response.headers:
        if kind is _Verbatim and incoming.version >= HttpVersion11:
            response.enable_chunked_encoding()
        else:
            response.force_close()  # who keeps connections with HTTP/1.0 would wait for more
    return response


class _Verbatim(web.StreamResponse):
    """A stream response without the headers that aiohttp adds where a provider sent none."""

    async def _prepare_headers(self) -> None:
        added = [name for name in (hdrs.CONTENT_TYPE, hdrs.DATE, hdrs.SERVER) if name not in self.headers]
        await super()._prepare_headers()
        for name in added:
            self.headers.popall(name, None)


class _Unframed(_Verbatim):
    """The same, without aiohttp's habit of putting a body of unknown length into chunks."""

    _length_check = False
