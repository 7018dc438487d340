"""Credentials that no configuration knows: a token sold during the run, a signature, a session's cookie.

What stands under a credential's name in one place is a secret wherever else it appears: in the query of the
next request, in the provider's complaint about it.
"""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterable, Iterator
from contextlib import suppress
from itertools import chain
from urllib.parse import unquote_plus

from llm_contracts.wire.interaction import Interaction, Request, Response, header_of
from llm_contracts.wire.scrub.names import (
    SCRUBBED,
    body_credentials,
    is_credential_header,
    is_form,
    query_credentials,
)
from llm_contracts.wire.scrub.shapes import SHAPES

_SHORTEST = 16
_LONGEST = 256  # what a pattern costs grows faster than the value it finds
_SEPARATORS = re.compile(r"[\s,;=\"]+")


def credentials_in(interactions: Iterable[Interaction]) -> dict[str, str]:
    """Value → where it stood, for each credential in these exchanges that can be told from a word: of 16
    characters or more, digits among them.
    """
    return _by_value(
        found
        for interaction in interactions
        for found in (*_in_request(interaction.request), *_in_message("response", interaction.response))
    )


def credentials_of(requests: Iterable[Request]) -> dict[str, str]:
    """Where it stood → value, for each such credential in these requests."""
    found = _by_value(found for request in requests for found in _in_request(request))
    return {f"{place} ({number})": value for number, (value, place) in enumerate(found.items(), 1)}


def _by_value(found: Iterable[tuple[str, str]]) -> dict[str, str]:
    values: dict[str, str] = {}
    for place, value in found:
        for part in _parts(value):
            values.setdefault(part, place)
    return values


def _in_request(request: Request) -> Iterator[tuple[str, str]]:
    for value in query_credentials(request.uri):
        yield "a credential in a request's query", unquote_plus(value)
    yield from _in_message("request", request)
    for text in (request.uri.encode(), *(value.encode() for _, value in request.headers), request.body):
        for what, shapes in SHAPES.items():
            for match in chain.from_iterable(shape.finditer(text) for shape in shapes):
                yield f"{what} in a request", match[0].decode("utf-8", "replace")


def _in_message(side: str, message: Request | Response) -> Iterator[tuple[str, str]]:
    for name, value in message.headers:
        if is_credential_header(name.lower()):
            for part in _header_parts(value):
                yield f"the {side} header {name.lower()}", part
    kind = header_of(message.headers, "content-type")
    for raw in body_credentials(message.body, kind, sent=side == "request"):
        yield f"a credential in a {side}'s body", _read(raw, kind)


def _header_parts(value: str) -> Iterator[str]:
    """The value, what follows its scheme, its parameters, and what a `Basic` one packs."""
    if len(value) <= _LONGEST:
        yield value
    yield from _SEPARATORS.split(value)
    scheme, _, packed = value.partition(" ")
    if scheme.lower() == "basic":
        with suppress(ValueError):
            yield from base64.b64decode(packed, validate=True).decode().split(":", 1)


def _read(raw: bytes, content_type: str) -> str:
    text = raw.decode("utf-8", "replace")
    if is_form(content_type):
        return unquote_plus(text)
    try:
        return str(json.loads(f'"{text}"'))
    except ValueError:
        return text


def _parts(value: str) -> list[str]:
    """The value if it can be told from a word; a long one in parts, which are found faster, all the same."""
    plain = value.replace("*", "").replace(SCRUBBED, "")
    if len(plain) < _SHORTEST or not any(letter.isdigit() for letter in plain):
        return []
    size = -(-len(value) // -(-len(value) // _LONGEST))
    return [value[start : start + size] for start in range(0, len(value), size)]
