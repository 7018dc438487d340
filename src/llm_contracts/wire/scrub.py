"""Secrets out of recordings, before anything touches a disk.

By value everywhere: the value of each configured variable, as it is and as it looks percent-encoded, inside
base64 (at any alignment) and inside JSON strings. By name where names tell: headers, query and form fields,
JSON members of token answers. In bodies a mask is as long as what it hides, so that sizes and pieces stay
true. Scrubbing what is scrubbed changes nothing.

A value of fewer than six characters, or of one repeated character, is no secret here: it occurs by accident
in any text, and hiding it would ruin recordings without protecting anything.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from urllib.parse import quote, quote_plus

from llm_contracts.wire.interaction import Headers, Interaction, Request, Response

SCRUBBED = "scrubbed"
"""What stands for a header value or a query value that was removed because of its name."""

_SHORTEST = 6

_HEADERS = frozenset(
    {
        "api-key",
        "authorization",
        "cf-ray",
        "cookie",
        "openai-organization",
        "openai-project",
        "proxy-authorization",
        "request-id",
        "set-cookie",
        "x-api-key",
        "x-goog-api-key",
        "x-request-id",
    }
)
_SCHEME = re.compile(r"^(Bearer|Basic)\s+", re.IGNORECASE)
_QUERY = re.compile(r"([?&](?:access_token|api_key|client_id|client_secret|key)=)[^&#]*")
_FORM = re.compile(rb"((?:^|(?<=&))(?:access_token|api_key|client_id|client_secret|key)=)([^&]*)")
# `key` and `client_id` are left out: as members of JSON they are ordinary words.
_MEMBER = re.compile(
    rb'("(?:access_token|api_key|client_secret|refresh_token|session_key|session_secret)"\s*:\s*")'
    rb'((?:[^"\\]|\\.)*)(?=")'
)


class SecretFound(Exception):  # noqa: N818 - it names what happened
    """A file or text holds the value of a secret. Names the variables, never the values."""

    def __init__(self, place: str, names: list[str]) -> None:
        super().__init__(
            f"{place}: holds the value of {', '.join(names)}. Delete it, and revoke the key if it was shared."
        )
        self.place = place
        self.names = names


class Scrubber:
    """Hides the given secrets, a mapping from the variable's name to its value."""

    def __init__(self, secrets: Mapping[str, str]) -> None:
        needles = {needle for value in secrets.values() for needle in _needles(value)}
        longest_first = sorted(needles, key=lambda needle: (-len(needle), needle))
        self._pattern = (
            re.compile(b"|".join(re.escape(needle) for needle in longest_first)) if needles else None
        )

    def interaction(self, interaction: Interaction) -> Interaction:
        """The exchange without secrets."""
        return Interaction(
            request=self.request(interaction.request), response=self.response(interaction.response)
        )

    def request(self, request: Request) -> Request:
        """The request without secrets, in its URI, headers and body."""
        return replace(
            request,
            uri=scrub_query(self.text(request.uri)),
            headers=self._headers(request.headers),
            body=self._body(request.body, _content_type(request.headers)),
        )

    def response(self, response: Response) -> Response:
        """The response without secrets, in its headers and body."""
        return replace(
            response,
            reason=self.text(response.reason),
            headers=self._headers(response.headers),
            body=self._body(response.body, _content_type(response.headers)),
        )

    def text(self, text: str) -> str:
        """The text with each secret masked, character by character."""
        return self.data(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def data(self, data: bytes) -> bytes:
        """The bytes with each secret masked, byte by byte."""
        if self._pattern is None:
            return data
        # A mask may complete another secret that holds stars itself: go on until nothing is found.
        while (masked := self._pattern.sub(_mask, data)) != data:
            data = masked
        return data

    def _body(self, body: bytes, content_type: str) -> bytes:
        body = self.data(body)
        pattern = _FORM if content_type.startswith("application/x-www-form-urlencoded") else _MEMBER
        return pattern.sub(lambda match: match[1] + b"*" * len(match[2]), body)

    def _headers(self, headers: Headers) -> Headers:
        return tuple((name, self._header(name.lower(), value)) for name, value in headers)

    def _header(self, name: str, value: str) -> str:
        if name in _HEADERS or name.endswith("-trace-id"):
            scheme = _SCHEME.match(value)
            return f"{scheme[1]} {SCRUBBED}" if scheme else SCRUBBED
        return self.text(value)


def scrub_query(uri: str) -> str:
    """The URI without the values of query fields that hold credentials."""
    return _QUERY.sub(rf"\1{SCRUBBED}", uri)


def find_secrets(data: bytes, secrets: Mapping[str, str]) -> list[str]:
    """The names of the variables whose value occurs in the data, in any of the forms that are scrubbed."""
    return sorted(
        name for name, value in secrets.items() if any(needle in data for needle in _needles(value))
    )


def _mask(match: re.Match[bytes]) -> bytes:
    return b"*" * len(match[0])


def _content_type(headers: Headers) -> str:
    return next((value.lower() for name, value in headers if name.lower() == "content-type"), "")


def _needles(value: str) -> Iterator[bytes]:
    """The byte strings that give a value away."""
    if len(value) < _SHORTEST or len(set(value)) == 1:
        return
    raw = value.encode("utf-8", "surrogatepass")
    yield raw
    for encoded in (quote(raw, safe=""), quote(raw), quote_plus(raw)):
        yield encoded.encode()
        yield re.sub(r"%..", lambda match: match[0].lower(), encoded).encode()
    for escaped in (json.dumps(value), json.dumps(value, ensure_ascii=False)):
        inner = escaped[1:-1].encode("utf-8", "surrogatepass")
        yield inner
        yield inner.replace(b"/", rb"\/")
    yield from _in_base64(raw)


def _in_base64(raw: bytes) -> Iterator[bytes]:
    """What base64 makes of the value wherever in a text it stands: the characters that depend on it alone.

    Three bytes become four characters, so there are three alignments; characters that mix in a neighbour's
    bits are left out.
    """
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw)
        first = -(-offset * 8 // 6)
        last = (offset + len(raw)) * 8 // 6
        core = encoded[first:last]
        yield core
        yield core.translate(bytes.maketrans(b"+/", b"-_"))
