"""The promises, each as a function of any bytes."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import replace
from types import MappingProxyType

from llm_contracts.corpus.document import parse_document
from llm_contracts.corpus.entries import UnreadableError
from llm_contracts.wire.cassette import Cassette
from llm_contracts.wire.cassette.parse import FormatError, parse
from llm_contracts.wire.cassette.render import render
from llm_contracts.wire.content import decoded
from llm_contracts.wire.events import events
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import End, Interaction, Request, Response
from llm_contracts.wire.scrub import Scrubber, find_secrets
from llm_contracts.wire.sse import EventDecoder

_KEY = "sk-canary/42+x=="
_KINDS = ("text/event-stream", "application/json", "application/x-www-form-urlencoded", "text/plain")
_CODINGS = ("", "gzip", "deflate", "br", "gzip, deflate", "identity")


def cassette(data: bytes) -> None:
    """A cassette's bytes are read or refused with a place; what was read is written and read as the same."""
    try:
        read = parse(data)
    except FormatError:
        return
    try:
        again = parse(render(read))
    except (
        FormatError
    ) as error:  # such as a header with a lone surrogate, which is refused before it is written
        raise AssertionError(f"read, but not read back: {error}") from error
    assert Cassette(interactions=_grouped(read), recording=again.recording) == again


def document(data: bytes) -> None:
    """Anybody's YAML, JSON or TOML, packed or not, is read or refused."""
    suffix, content = (".yaml", ".json", ".toml", ".har")[data[0] % 4] if data else ".yaml", data[1:]
    try:
        parse_document(content, suffix)
    except UnreadableError:
        return


def stream(data: bytes) -> None:
    """The events of a body are the same however it is cut, and in order."""
    size, body = 1 + data[0] % 7 if data else 1, data[1:]
    decoder = EventDecoder()
    cut = [event for at in range(0, len(body), size) for event in decoder.feed(body[at : at + size])]
    whole = events(body)
    assert (*cut, *decoder.finish()) == whole
    ends = [event.end for event in whole]
    assert ends == sorted(ends)
    assert all(0 < end <= len(body) for end in ends)


def facts(data: bytes) -> None:
    """Whatever a provider answers, packed or not, is described."""
    read_facts(decoded(_response(data)))


def scrubber(data: bytes) -> None:
    """Scrubbing keeps every length, leaves no secret, and changes nothing the second time."""
    hides = Scrubber({"KEY": _KEY})
    first = hides.interaction(Interaction(request=_request(data), response=_response(data)))
    assert len(first.response.body) == max(0, len(data) - 2)
    assert hides.interaction(first) == first
    assert find_secrets(first.response.body, {"KEY": _KEY}) == []
    assert find_secrets(first.request.uri.encode("utf-8", "surrogatepass"), {"KEY": _KEY}) == []


TARGETS: Mapping[str, Callable[[bytes], None]] = MappingProxyType(
    {check.__name__: check for check in (cassette, document, stream, facts, scrubber)}
)


def words() -> tuple[bytes, ...]:
    """Fragments that mean something to one of the readers."""
    yaml = rb"""version: 1|interactions:|- request:|response:|headers: {}|body:|string: ||wire:|end: cut
        |chunks: [[1, 0.5]]|!!binary|!!int|!!timestamp|!!python/tuple|&a |*a|<<: *a|{a: |[|- |? |: |'|"
        |%YAML 1.1|---|...|\ud800|0x|1:30|2026-01-31T12:00:00Z|.inf|.nan|recording:"""
    wire = rb"""data: |event: error|id: 1|: ping|[DONE]|{"choices":[{"index":0,"delta":{"content":"|"}}]}
        |"usage":{|"finish_reason":"stop"|"error":{"message":"|"index":0|\u00e9|access_token=|&key=
        |"api_key":"|Bearer sk-"""
    found = [part.strip() for part in re.split(rb"\|\s*", yaml + b"|" + wire) if part.strip()]
    return (*found, b"\r", b"\n", b"\r\n", b"\n\n", b"  ", _KEY.encode(), b"\x1f\x8b", b"\xef\xbb\xbf")


def _grouped(read: Cassette) -> tuple[Interaction, ...]:
    """As it is written: header lines of one name come together, where the first of them stood."""

    def together(headers: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
        names = dict.fromkeys(name for name, _ in headers)
        return tuple(line for name in names for line in headers if line[0] == name)

    return tuple(
        Interaction(
            request=replace(one.request, headers=together(one.request.headers)),
            response=replace(one.response, headers=together(one.response.headers)),
        )
        for one in read.interactions
    )


def _request(data: bytes) -> Request:
    kind = _KINDS[data[0] % len(_KINDS)] if data else ""
    uri = "https://api.example.com/v1?" + data[2:].decode("utf-8", "surrogateescape")
    headers = (("content-type", kind), ("x-other", data[2:].decode("latin-1")))
    return Request(method="POST", uri=uri.encode("utf-8", "replace").decode(), headers=headers, body=data[2:])


def _response(data: bytes) -> Response:
    kind, coding = (data[0], data[1]) if len(data) > 1 else (0, 0)
    return Response(
        status=(200, 200, 429, 500, 0)[kind % 5],
        headers=(
            ("content-type", _KINDS[kind // 5 % len(_KINDS)]),
            ("content-encoding", _CODINGS[coding % len(_CODINGS)]),
        ),
        body=data[2:],
        end=list(End)[coding // 6 % len(End)],
    )
