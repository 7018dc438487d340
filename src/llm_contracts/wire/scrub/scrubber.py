"""The scrubber, and the check behind it that lets no secret through."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import replace
from functools import cache, lru_cache

from llm_contracts.wire.content import UnpackingError, is_text
from llm_contracts.wire.interaction import Headers, Interaction, Request, Response, header_of
from llm_contracts.wire.scrub.candidates import Candidates
from llm_contracts.wire.scrub.credentials import credentials_in
from llm_contracts.wire.scrub.forms import patterns
from llm_contracts.wire.scrub.names import SCRUBBED, is_private_header, masked_fields, scrub_query
from llm_contracts.wire.scrub.nested import decompressed, masked_nested, nested_texts
from llm_contracts.wire.scrub.runs import alternatives, byte_runs, runs
from llm_contracts.wire.scrub.shapes import SHAPES, shapes_in

_SCHEME = re.compile(r"^(Bearer|Basic)\s+", re.IGNORECASE)
_SHAPES = tuple(shape for shapes in SHAPES.values() for shape in shapes)
_Patterns = tuple[re.Pattern[bytes], ...]


class SecretFound(Exception):  # noqa: N818 - it names what happened
    """A file or text holds the value of a secret. Names the variables, never the values."""

    def __init__(self, place: str, names: list[str]) -> None:
        super().__init__(
            f"{place}: holds the value of {', '.join(names)}. Delete it, and revoke the key if it was shared."
        )
        self.place = place
        self.names = names

    def __reduce__(self) -> tuple[type[SecretFound], tuple[str, list[str]]]:
        """How it comes out of another process."""
        return SecretFound, (self.place, self.names)


class Scrubber:
    """Hides secrets: those it is given, and those it has learned from exchanges.

    Args:
        secrets: the variable's name → its value.
        harmless: values that stand where keys do and open nothing; they are not learned.
    """

    def __init__(self, secrets: Mapping[str, str], *, harmless: Iterable[str] = ()) -> None:
        self._secrets = dict(secrets)
        self._harmless = tuple(harmless)
        self._places: Counter[str] = Counter()
        # A value's are made when it first may be there, and then kept: a cache that all share would be too
        # small for a long run's credentials.
        self._patterns = cache(patterns)
        self._candidates = Candidates()
        for value in set(self._secrets.values()):
            self._candidates.add(value)

    def learn(self, interactions: Iterable[Interaction]) -> None:
        """From now on, hide the credentials in these exchanges wherever they appear."""
        known = set(self._secrets.values())
        fresh = {
            value: place
            for value, place in credentials_in(interactions).items()
            if value not in known and not any(harmless in value for harmless in self._harmless)
        }
        for value, place in fresh.items():
            self._places[place] += 1
            number = self._places[place]
            self._secrets[place if number == 1 else f"{place} ({number})"] = value
            self._candidates.add(value)

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
            body=self._body(request.body, header_of(request.headers, "content-type")),
        )

    def response(self, response: Response) -> Response:
        """The response without secrets, in its headers and body."""
        return replace(
            response,
            reason=self.text(response.reason),
            headers=self._headers(response.headers),
            body=self._body(response.body, response.header("content-type")),
        )

    def text(self, text: str) -> str:
        """The text with each secret masked, character by character."""
        return self.data(text.encode("utf-8", "surrogatepass")).decode("utf-8", "surrogatepass")

    def data(self, data: bytes) -> bytes:
        """The bytes with each secret masked, byte by byte, also where events hand it out in parts."""
        # A mask may complete another secret that holds stars itself: go on until nothing is found.
        while (masked := self._masked_once(data)) != data:
            data = masked
        return data

    def _masked_once(self, data: bytes) -> bytes:
        masked = data
        for run in byte_runs(data):
            masked = run.masked(masked, self._masked, seen=data)
        masked = self._masked_deeply(masked)
        for run in runs(masked):
            masked = run.masked(masked, self._masked_deeply, seen=masked)
        return _masked_again(data, masked)

    def _masked_deeply(self, data: bytes) -> bytes:
        return masked_nested(self._masked(data), self._masked)

    def _masked(self, data: bytes) -> bytes:
        """Long values first, so that of two of which one holds the other all is masked; then shapes."""
        for value in sorted(self._candidates.among(data), key=lambda value: (-len(value), value)):
            data = _masked(data, self._patterns(value))
        return _masked(data, _SHAPES)

    def find(self, data: bytes) -> list[str]:
        """The names of the secrets whose value is in the data, learned ones by where they stood."""
        texts = _texts(data)
        found = {
            value
            for text in texts
            for value in self._candidates.among(text)
            if any(pattern.search(text) for pattern in self._patterns(value))
        }
        return sorted(name for name, value in self._secrets.items() if value in found)

    def refuse(self, place: str, text: bytes, interactions: Iterable[Interaction]) -> None:
        """Stop where a key, or what looks like one, would get into a file.

        Args:
            place: names the file.
            text: what would be written.
            interactions: the exchanges in it, whose bodies may stand there encoded.

        Raises:
            SecretFound: naming the place and what was found, never the value.
        """
        bodies = (body for each in interactions for body in (each.request.body, each.response.body))
        found = {name for data in (text, *bodies) for name in (*self.find(data), *shapes_in(data))}
        if found:
            raise SecretFound(place, sorted(found))

    def _body(self, body: bytes, content_type: str) -> bytes:
        if not is_text(body):
            try:
                plain = decompressed(body)
            except UnpackingError:  # nobody can say that nothing is in it
                return b"*" * len(body)
            if plain is not None:
                return body if self._body(plain, content_type) == plain else b"*" * len(body)
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
    return _scrubber(tuple(secrets.items())).find(data) if secrets else []


@lru_cache(maxsize=8)
def _scrubber(secrets: tuple[tuple[str, str], ...]) -> Scrubber:
    """One for many files and lines, which are looked through for the same secrets."""
    return Scrubber(dict(secrets))


def _texts(data: bytes) -> tuple[bytes, ...]:
    """The data, what events hand out in parts, and what stands packed in either."""
    texts = (data, *(run.text(data) for run in (*runs(data), *byte_runs(data))))
    packed = None
    with suppress(UnpackingError):
        packed = None if is_text(data) else decompressed(data)
    nested = (inner for text in texts for inner in nested_texts(text))
    return (*texts, *nested, *(_texts(packed) if packed else ()))


def _masked(data: bytes, given: _Patterns) -> bytes:
    for pattern in given:
        data = pattern.sub(_mask, data)
    return data


def _masked_again(data: bytes, masked: bytes) -> bytes:
    """Whatever was masked in one place, masked where the same object says it again."""
    result = bytearray(masked)
    for (start, end), others in alternatives(data).items() if masked != data else ():
        if masked[start:end] != data[start:end]:
            for begin, stop in others:
                result[begin:stop] = masked[start:end]
    return bytes(result)


def _mask(match: re.Match[bytes]) -> bytes:
    return b"*" * len(match[0])


def refuse_secrets(place: str, data: bytes, secrets: Mapping[str, str]) -> None:
    """Stop where a key would get into, or has got into, a file.

    Raises:
        SecretFound: naming the place and the variable, never the value.
    """
    found = find_secrets(data, secrets)
    if found:
        raise SecretFound(place, found)
