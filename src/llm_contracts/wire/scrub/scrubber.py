"""The scrubber, and the gate behind it."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import chain, count

from llm_contracts.wire.interaction import Headers, Interaction, Request, Response
from llm_contracts.wire.scrub.credentials import credentials_in
from llm_contracts.wire.scrub.forms import patterns
from llm_contracts.wire.scrub.names import SCRUBBED, is_private_header, masked_fields, scrub_query
from llm_contracts.wire.scrub.runs import Span, byte_runs, runs
from llm_contracts.wire.scrub.shapes import SHAPES

_SCHEME = re.compile(r"^(Bearer|Basic)\s+", re.IGNORECASE)
_MASKED_BYTE = {1: b"0", 2: b"42", 3: b"120"}  # a star where it has room
_Patterns = tuple[re.Pattern[bytes], ...]


class SecretFound(Exception):  # noqa: N818 - it names what happened
    """A file or text holds the value of a secret. Names the variables, never the values."""

    def __init__(self, place: str, names: list[str]) -> None:
        super().__init__(
            f"{place}: holds the value of {', '.join(names)}. Delete it, and revoke the key if it was shared."
        )
        self.place = place
        self.names = names


class Scrubber:
    """Hides secrets: those it is given, and those it has learned from exchanges.

    Args:
        secrets: the variable's name → its value.
        harmless: values that stand where keys do and open nothing; they are not learned.
    """

    def __init__(self, secrets: Mapping[str, str], *, harmless: Iterable[str] = ()) -> None:
        self._secrets = dict(secrets)
        self._harmless = tuple(harmless)
        self._compiled: dict[str, _Patterns] = {}
        self._patterns = self._patterns_of_all()

    def learn(self, interactions: Iterable[Interaction]) -> None:
        """From now on, hide the credentials in these exchanges wherever they appear."""
        known = set(self._secrets.values())
        fresh = {
            value: place
            for value, place in credentials_in(interactions).items()
            if value not in known and not any(harmless in value for harmless in self._harmless)
        }
        for value, place in fresh.items():
            self._secrets[_unused(place, self._secrets)] = value
        if fresh:
            self._patterns = self._patterns_of_all()

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
        """The bytes with each secret masked, byte by byte, also where events hand it out in parts."""
        # A mask may complete another secret that holds stars itself: go on until nothing is found.
        given = self._patterns
        while (masked := _masked_in_bytes(_masked_in_runs(_masked(data, given), given), given)) != data:
            data = masked
        return data

    def find(self, data: bytes) -> list[str]:
        """The names of the secrets whose value is in the data, learned ones by where they stood."""
        return find_secrets(data, self._secrets)

    def _patterns_of_all(self) -> _Patterns:
        """Long values first, so that of two of which one holds the other all is masked; then shapes.

        What was compiled stays: a cache that all share would be too small for a long run's credentials.
        """
        for value in self._secrets.values():
            if value not in self._compiled:
                self._compiled[value] = patterns(value)
        longest_first = sorted(self._compiled, key=lambda value: (-len(value), value))
        given = (pattern for value in longest_first for pattern in self._compiled[value])
        return (*given, *(shape for shapes in SHAPES.values() for shape in shapes))

    def _body(self, body: bytes, content_type: str) -> bytes:
        # Names go first: within a body, what they hide has no part in anything else.
        body = masked_fields(body, content_type)
        while (masked := masked_fields(self.data(body), content_type)) != body:
            body = masked
        return body

    def _headers(self, headers: Headers) -> Headers:
        return tuple((name, self._header(name.lower(), value)) for name, value in headers)

    def _header(self, name: str, value: str) -> str:
        if is_private_header(name):
            scheme = _SCHEME.match(value)
            return f"{scheme[1]} {SCRUBBED}" if scheme else SCRUBBED
        return self.text(value)


def find_secrets(data: bytes, secrets: Mapping[str, str]) -> list[str]:
    """The names of the variables whose value is in the data, in any of the forms that are scrubbed."""
    if not secrets:
        return []
    texts = (
        data,
        *(_joined(data, spans) for spans in runs(data)),
        *(_bytes_of(data, spans) for spans in byte_runs(data)),
    )
    return sorted(
        name
        for name, value in secrets.items()
        if any(pattern.search(text) for pattern in patterns(value) for text in texts)
    )


def _unused(name: str, taken: Mapping[str, str]) -> str:
    """The name, numbered where there are several of it."""
    numbered = (f"{name} ({number})" for number in count(2))
    return next(each for each in chain((name,), numbered) if each not in taken)


def _masked(data: bytes, given: _Patterns) -> bytes:
    for pattern in given:
        data = pattern.sub(_mask, data)
    return data


def _masked_in_runs(data: bytes, given: _Patterns) -> bytes:
    for spans in runs(data):
        joined = _joined(data, spans)
        masked = _masked(joined, given)
        if masked != joined:
            data = _spread(data, spans, masked)
    return data


def _masked_in_bytes(data: bytes, given: _Patterns) -> bytes:
    """Numbers are masked by numbers that have as many digits, so that the list stays one."""
    result = bytearray(data)
    for spans in byte_runs(data):
        text = _bytes_of(data, spans)
        masked = _masked(text, given)
        for (start, end), was, now in zip(spans, text, masked, strict=True):
            if was != now:
                result[start:end] = _MASKED_BYTE[end - start]
    return bytes(result)


def _bytes_of(data: bytes, spans: tuple[Span, ...]) -> bytes:
    return bytes(min(int(data[start:end]), 255) for start, end in spans)


def _joined(data: bytes, spans: tuple[Span, ...]) -> bytes:
    return b"".join(data[start:end] for start, end in spans)


def _spread(data: bytes, spans: tuple[Span, ...], text: bytes) -> bytes:
    """The data with the text in place of the parts; it is as long as they are."""
    result, taken = bytearray(data), 0
    for start, end in spans:
        result[start:end] = text[taken : taken + end - start]
        taken += end - start
    return bytes(result)


def _mask(match: re.Match[bytes]) -> bytes:
    return b"*" * len(match[0])


def _content_type(headers: Headers) -> str:
    return next((value.lower() for name, value in headers if name.lower() == "content-type"), "")


def refuse_secrets(place: str, data: bytes, secrets: Mapping[str, str]) -> None:
    """Stop where a key would get into, or has got into, a file.

    Raises:
        SecretFound: naming the place and the variable, never the value.
    """
    found = find_secrets(data, secrets)
    if found:
        raise SecretFound(place, found)
