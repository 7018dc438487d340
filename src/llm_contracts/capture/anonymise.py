"""Recordings without what people said: other words of the same form, everything else byte for byte.

Strings are rewritten where they stand in the source of the JSON, so that lengths, escapes, blanks, pieces and
the borders of events stay. What is known for the API's own words stays; all else is taken for people's.
Text that a stream hands out in parts is rewritten as a whole.
"""

from __future__ import annotations

import base64
import json
import re
import secrets
import zlib
from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from http import HTTPStatus
from io import BytesIO
from urllib.parse import quote, unquote

from llm_contracts.capture import places
from llm_contracts.capture.places import PlaceKind, Token, documents, text_of, tokens
from llm_contracts.capture.words import Words
from llm_contracts.wire.content import decoded
from llm_contracts.wire.events import frames, is_framed
from llm_contracts.wire.interaction import Headers, Interaction
from llm_contracts.wire.protocols.protocol import words

_UNIT = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL
)
_INDEX = re.compile(r'"(?:output_|content_|summary_)?index"\s*:\s*(\d+)')
_PACKED = re.compile(rb'"bytes"\s*:\s*"((?:[A-Za-z\d+/]{4})*(?:[A-Za-z\d+/]{2}==|[A-Za-z\d+/]{3}=)?)"')
_MESSAGE = b":error-message\x07"  # two bytes of length and a text follow
_BLOB = re.compile(r"[A-Za-z0-9+/_-]{64,}={0,2}")
_BASE64 = re.compile(r"(?:[A-Za-z0-9+/_-]{4})*(?:[A-Za-z0-9+/_-]{2,3}={1,2})?")
_ENCODED = frozenset({"b64_json", "data", "encrypted_content", "file_data", "signature", "thoughtSignature"})
"""Members whose text is base64 however short it is."""
_DATA_URL = re.compile(r"(data:[\w/.+-]*)((?:;[^;,]*)*?)(;base64,)(.*)", re.DOTALL)
_ID_PREFIX = re.compile(
    "(?:asst|batch|call|chatcmpl|ci|cmpl|conv|fc|file|gen|item|msg|org|proj|req|resp|rs|run|srvtoolu|step|"
    "thread|toolu|vs|ws)[-_]|ft:[^:]+:"
)
_OWN_IN_PATH = re.compile(
    r"(?<=/)(?<!//)(?<!/model/)(?<!/models/)(?<!/engines/)(?<!/deployments/)"
    rf"(?:({_ID_PREFIX.pattern})(?=[^/]*\d)|(?=[^/]*(?:[@%]|\d{{4}}|[^\0-\x7f])|[A-Z]))([^/]+)"
)
"""What is an application's in a path: ids, and what is not a plain word of an API."""
_QUOTED = re.compile(
    r"""(['`"])(?:(?!\1).){1,400}\1|\u2018[^\u2019]+\u2019|\u201c[^\u201d]+\u201d|«[^»]+»|[\w.+-]+@[\w.-]+|\d{6,}"""
    rf"|\b(?:{_ID_PREFIX.pattern})(?=[\w-]*\d)[\w-]+|(?P<word>(?P<within>(?<=[\w,;] ))?[^\W\d_]{{2,}})"
)
_WORD = re.compile(r"[^\W\d_]{2,}")
_VALUE = re.compile(
    r"((?:^|&)(?!(?:alt|api-version|api_version|beta|limit|order|purpose|stream|version)=)[^=&]*=)([^&]*)"
)
_ERROR_WORDS = words(
    "a above access ai allowed an and anthropic any api are argument as at authentication authorization "
    "available azure bad bedrock claude cohere conflict entity forbidden gateway gemini google groq "
    "mistral payment unavailable unprocessable vertex be because been blocked by call can cannot "
    "capacity client connection content context could credentials current denied deployment do does due "
    "either encrypted endpoint error exceed exceeded exceeds exhausted exist expected fail failed file "
    "filter filtered find for format found from function given had has have header id if image in "
    "incorrect index input inputs internal invalid is it its key large length limit limits list long "
    "longer malformed many match max maximum message messages minimum missing model models more most "
    "must name new no none not number object occurred of on only operation option or out output "
    "overloaded param parameter parts passed please policy prompt property provided quota range rate "
    "reached read received rejected request requests required resource response result role safety "
    "security server service set should size start stop stream streaming string support supported "
    "system temperature text than that the this throttled tier time timed timeout to token tokens too "
    "tool tools try turn type unable unexpected unknown unsupported upstream url usage use used user "
    "using valid validation value values variable violation was web when while with would you your"
)
"""What errors are made of, and clients decide by (LiteLLM's `exception_mapping_utils`): these stay even where
a question has them, too.
"""
_REASONS = frozenset({"", *(status.phrase for status in HTTPStatus)})


@dataclass(frozen=True, slots=True)
class _Context:
    """What the requests of a call say: names that schemas have (`declared`), and their words (`said`)."""

    declared: frozenset[str]
    said: frozenset[str]


class Anonymiser:
    """Takes the words out of exchanges, with a key that only this object has.

    Args:
        tools: whether names of tools and of what they take stay as they are; else they get others.
        key: for tests; else made up.
    """

    def __init__(self, *, tools: bool = True, key: bytes | None = None) -> None:
        self._tools = tools
        self._words = Words(secrets.token_bytes(32) if key is None else key)

    def __call__(self, interactions: Iterable[Interaction]) -> tuple[Interaction, ...]:
        """The same exchanges in other words."""
        exchanges = tuple(interactions)
        context = self._context(one.request.body for one in exchanges)
        return tuple(self._interaction(one, context) for one in exchanges)

    def _interaction(self, interaction: Interaction, context: _Context) -> Interaction:
        request, response = interaction.request, decoded(interaction.response)
        return Interaction(
            request=replace(request, uri=self._address(request.uri), body=self._body(request.body, context)),
            response=replace(
                response,
                reason=response.reason if response.reason in _REASONS else self._words.text(response.reason),
                body=self._body(response.body, context),
                headers=self._headers(response.headers),
            ),
        )

    def body(self, body: bytes) -> bytes:
        """A body of the same size, of which no request is known."""
        return self._body(body, self._context([body]))

    def _context(self, bodies: Iterable[bytes]) -> _Context:
        declared: set[str] = set()
        said: set[str] = set()
        for text in filter(None, map(text_of, bodies)):
            for token in (token for place in documents(text) for token in tokens(text, *place)):
                source = text[token.start : token.end]
                if token.sort == "name":
                    if places.is_declared(token.path):
                        declared.add(source)
                    elif not places.stays(token.path, source, places.API_KEYS, tools=self._tools):
                        said.update(_WORD.findall(_plain(source).lower()))
                elif token.sort == "string" and self._kind(token, source) is PlaceKind.WORDS:
                    said.update(_WORD.findall(_plain(source).lower()))
        return _Context(
            declared=frozenset(places.API_KEYS | declared if self._tools else ()),
            said=frozenset(said - _ERROR_WORDS),
        )

    def _kind(self, token: Token, source: str) -> PlaceKind:
        return places.kind_of(token.path, source, tools=self._tools)

    def _body(self, body: bytes, context: _Context) -> bytes:
        if is_framed(body):
            return self._framed(body, context)
        text = text_of(body)
        if text is None:
            return self._bytes(body)
        edits: list[tuple[int, int, str]] = []
        runs: dict[tuple[object, ...], list[Token]] = defaultdict(list)
        for start, end in documents(text):
            index = tuple(_INDEX.findall(text, start, end))
            for token in tokens(text, start, end):
                source = text[token.start : token.end]
                if token.sort == "string" and self._kind(token, source) is PlaceKind.WORDS:
                    runs[(token.path, index)].append(token)
                else:
                    edits.append((token.start, token.end, self._one(token, source, context)))
        for run in runs.values():
            edits += self._run(text, run, context)
        return _edited(text, edits).encode("utf-8", "surrogateescape")

    def _bytes(self, body: bytes) -> bytes:
        return self._words.blob("A" * len(body) + body[:64].hex())[: len(body)].encode()

    def _framed(self, body: bytes, context: _Context) -> bytes:
        """AWS's frames: the payloads as one event stream, each in its frame again, with a new checksum."""
        spans = list(frames(body))
        payloads = [body[payload : end - 4] for _, payload, end in spans]
        packed = [_PACKED.search(payload) for payload in payloads]
        plain = [
            base64.b64decode(one[1]) if one else each for one, each in zip(packed, payloads, strict=True)
        ]
        new = BytesIO(self._body(b"".join(b"data:%b\n\n" % each for each in plain), context))
        whole = b""
        for (start, at, _), payload, one, each in zip(spans, payloads, packed, plain, strict=True):
            made = new.read(len(each) + 7)[5:-2]
            made = payload.replace(one[1], base64.b64encode(made)) if one else made
            before, said, after = body[start:at].partition(_MESSAGE)
            size = int.from_bytes(after[:2], "big") + 2
            frame = before + said + after[:2] + self._bytes(after[2:size]) + after[size:] + made
            whole += frame + zlib.crc32(frame).to_bytes(4, "big")
        return whole + self._bytes(body[len(whole) :])

    def _headers(self, headers: Headers) -> Headers:
        return tuple((name, self._header(name.lower(), value)) for name, value in headers)

    def _header(self, name: str, value: str) -> str:
        if name == "location":
            return self._address(value)
        if name == "openai-model" and value.startswith("ft:"):
            return self._id(value)
        return self._words.word(value) if name in ("request-id", "x-request-id") else value

    def _address(self, uri: str) -> str:
        """A URL in which only the API's own parameters have the values that they had, and ids are others."""
        before, mark, query = uri.partition("?")
        before = _OWN_IN_PATH.sub(lambda match: (match[1] or "") + self._quoted(match[2]), before)
        return before + mark + _VALUE.sub(lambda match: match[1] + self._quoted(match[2]), query)

    def _quoted(self, part: str) -> str:
        """A part of a URL, beneath its escapes."""
        plain = unquote(part, errors="surrogateescape")
        return quote(self._words.text(plain), safe="!$&'()*+,;=:@", errors="surrogateescape")

    def _one(self, token: Token, source: str, context: _Context) -> str:
        """What comes in the place of a name, a number, an id or an error's words; it may be the same."""
        if token.sort == "name":
            kept = places.stays(token.path, source, context.declared, tools=self._tools)
            return source if kept else _deep(source, self._words.text)
        if token.sort == "number":
            return self._number(source, token.path) if places.tells_words(token.path) else source
        kind = self._kind(token, source)
        if kind is PlaceKind.KEEP:
            return source
        if kind is PlaceKind.ID:
            return self._id(source)

        def quoted(match: re.Match[str]) -> str:
            word = match["word"] or ""
            named = match["within"] is not None and word.istitle() and word.lower() not in _ERROR_WORDS
            kept = word and not named and word.lower() not in context.said
            return match[0] if kept else self._words.text(match[0])

        return _deep(source, lambda text: _QUOTED.sub(quoted, text))

    def _id(self, source: str) -> str:
        prefix = _ID_PREFIX.match(source)
        start = prefix.end() if prefix else 0
        return source[:start] + _deep(source[start:], self._words.text)

    def _number(self, source: str, path: tuple[str, ...]) -> str:
        at = re.match(r"-?[12]?(?=\d\d$)|", source) if path[-1] in places.BYTES else None
        lead = at[0] if at else ""
        exponent = re.search("[eE].*", source)
        tail = exponent[0] if exponent else ""
        middle = source[len(lead) : len(source) - len(tail)]
        return lead.replace("2", "1") + self._words.word(middle) + tail

    def _run(self, text: str, run: list[Token], context: _Context) -> Iterator[tuple[int, int, str]]:
        """The parts of one text, rewritten as a whole."""
        parts = [_units(text[each.start : each.end]) for each in run]
        made = [self._made_up(_joined(units), each.path) for each, units in zip(run, parts, strict=True)]
        said = "".join(_joined(units) for units, data in zip(parts, made, strict=True) if data is None)
        new, place = _deep(said, lambda plain: self._words.text(plain, context.declared)), 0
        for each, units, data in zip(run, parts, made, strict=True):
            part = data
            if part is None:
                part = new[place : (place := place + len(units))]
            yield (
                each.start,
                each.end,
                part if isinstance(units, str) else "".join(map(_written, units, part)),
            )

    def _made_up(self, plain: str, path: tuple[str, ...]) -> str | None:
        """Other data in the place of data; None for words."""
        if match := _DATA_URL.fullmatch(plain):
            return match[1] + self._words.text(match[2]) + match[3] + self._words.blob(match[4])
        if path[-1:] == ("embedding",):
            return self._words.floats(plain)
        if _BLOB.fullmatch(plain) or (path[-1:] and path[-1] in _ENCODED and _BASE64.fullmatch(plain)):
            return self._words.blob(plain)
        return None


def _units(text: str) -> list[str] | str:
    """The source of a JSON string in parts that stand for one character each."""
    return [match[0] for match in _UNIT.finditer(text)] if "\\" in text else text


def _joined(units: list[str] | str) -> str:
    return units if isinstance(units, str) else "".join(map(_meant, units))


def _deep(text: str, change: Callable[[str], str]) -> str:
    """A text changed beneath all its escapes, those of JSON within JSON, too; each is written as before."""
    units = _units(text)
    inner = _joined(units)
    return change(text) if inner == text else "".join(map(_written, units, _deep(inner, change)))


def _plain(text: str) -> str:
    """A text without its escapes."""
    inner = _joined(_units(text))
    return text if inner == text else _plain(inner)


@lru_cache(maxsize=4096)
def _meant(unit: str) -> str:
    """The character that a unit of a JSON string's source stands for."""
    if not unit.startswith("\\"):
        return unit
    try:
        meant: str = json.loads(f'"{unit}"')
    except ValueError:  # JSON has no such escape
        return unit[1:] or "\\"
    return meant


def _written(unit: str, character: str) -> str:
    """A character in the way in which this unit is written."""
    if _meant(unit) == character:
        return unit
    if not unit.startswith("\\u") or unit == "\\u":
        return unit if unit.startswith("\\") else character  # a slash in base64: no letter takes as much room
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    parts, place = [], 0
    for start, end, new in sorted(edits):
        parts += [text[place:start], new]
        place = end
    return "".join([*parts, text[place:]])
