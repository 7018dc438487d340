"""Recordings without what people said: other words of the same form, everything else byte for byte.

Strings are rewritten where they stand in the source of the JSON, so that lengths, escapes, blanks, pieces and
the borders of events stay. What is known for the API's own words stays; all else is taken for people's.
Text that a stream hands out in parts is rewritten as a whole.
"""

from __future__ import annotations

import re
import secrets
from collections import defaultdict
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from enum import Enum, auto

from llm_contracts.capture.words import Words
from llm_contracts.wire.content import decoded
from llm_contracts.wire.interaction import Headers, Interaction

_TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)("?)|([{}\[\],:])|([^\s{}\[\],:"]+)', re.DOTALL)
_UNIT = re.compile(
    r"\\u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}|\\u[0-9a-fA-F]{4}|\\.|.", re.DOTALL
)
_DATA = re.compile(r"^data:[ ]?", re.MULTILINE)
_LINE = re.compile(r"[^\r\n]*")
_INDEX = re.compile(r'"(?:output_|content_|summary_)?index"\s*:\s*(\d+)')
_BLOB = re.compile(r"[A-Za-z0-9+/_-]{64,}={0,2}")
_DATA_URL = re.compile(r"(data:[\w/.+-]*;base64,)(.*)", re.DOTALL)
_ID = re.compile(r"([A-Za-z]+[-_])?(.*)", re.DOTALL)
_QUOTED = re.compile(r"""(['`"])(?:(?!\1).){1,400}\1|[\w.+-]+@[\w.-]+|\d{6,}""")

_KEPT = frozenset(
    {
        *("type", "role", "object", "model", "modelVersion", "status", "event", "format", "detail", "effort"),
        *("finish_reason", "finishReason", "native_finish_reason", "stop_reason", "blockReason", "reason"),
        *("code", "param", "service_tier", "encoding_format", "mime_type", "mimeType", "media_type"),
        *("reasoning_effort", "tool_choice", "verbosity", "system_fingerprint", "provider", "category"),
        *("probability", "severity", "truncation", "modality", "voice", "owned_by", "summary_mode"),
    }
)
"""Members whose strings are the API's own words."""

_NAMED = frozenset(
    {
        *("function", "functions", "tools", "tool_calls", "tool_choice", "function_call", "functionCall"),
        *(
            "functionDeclarations",
            "functionResponse",
            "content_block",
            "content",
            "json_schema",
            "item",
            "output",
        ),
    }
)
"""Below these a `name` is that of a tool; elsewhere it is a person's."""

_SCHEMAS = frozenset({"parameters", "input_schema", "schema", "responseSchema", "parametersJsonSchema"})
_ERRORS = frozenset({"error", "errors"})
_NUMBERS = frozenset({"embedding", "embeddings", "values", "bytes"})
_MASKABLE = frozenset({"request-id", "x-request-id"})
_SIMPLE = {"\\n": "\n", "\\t": "\t", "\\r": "\r", "\\b": "\b", "\\f": "\f"}


class _Kind(Enum):
    KEEP = auto()
    WORDS = auto()
    ID = auto()
    ERROR = auto()
    NUMBERS = auto()


@dataclass(frozen=True, slots=True)
class _String:
    """A string of JSON, or with `NUMBERS` a number: where it stands, without its quotes, and below which
    members.
    """

    start: int
    end: int
    path: tuple[str, ...]
    kind: _Kind


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
        return tuple(map(self._interaction, interactions))

    def _interaction(self, interaction: Interaction) -> Interaction:
        request, response = interaction.request, decoded(interaction.response)
        return Interaction(
            request=replace(request, body=self.body(request.body)),
            response=replace(
                response, body=self.body(response.body), headers=self._headers(response.headers)
            ),
        )

    def body(self, body: bytes) -> bytes:
        """A body of the same size."""
        text = body.decode("utf-8", "surrogateescape")
        if "\0" in text or sum("\udc80" <= character <= "\udcff" for character in text[:4096]) > 4:  # noqa: PLR2004
            return self._binary(body)
        edits: list[tuple[int, int, str]] = []
        runs: dict[tuple[object, ...], list[_String]] = defaultdict(list)
        for start, end in _documents(text):
            index = tuple(_INDEX.findall(text, start, end))
            for found in self._strings(text, start, end):
                if found.kind is _Kind.WORDS:
                    runs[(found.path, index)].append(found)
                else:
                    edits.append((found.start, found.end, self._one(text[found.start : found.end], found)))
        for run in runs.values():
            edits += self._run(text, run)
        return _edited(text, edits).encode("utf-8", "surrogateescape")

    def _binary(self, body: bytes) -> bytes:
        made = self._words.blob("A" * len(body) + body[:64].hex())
        return made[: len(body)].encode()

    def _headers(self, headers: Headers) -> Headers:
        return tuple(
            (name, self._words.word(value) if name.lower() in _MASKABLE else value) for name, value in headers
        )

    def _strings(self, text: str, start: int, end: int) -> Iterator[_String]:
        """The strings of one document, and the numbers that tell words. What is no JSON is one text."""
        if text[start:end].lstrip("\ufeff \t\r\n,[")[:1] not in ("{", '"', "]"):
            if text[start:end].strip() != "[DONE]":
                yield _String(start, end, (), _Kind.WORDS)
            return
        stack: list[str] = []
        key = ""
        for token in _TOKEN.finditer(text, start, end):
            if token[3] is not None:
                key = _below(stack, key, token[3])
            elif token[4] is not None:
                if key in _NUMBERS and token[4][:1] in "-0123456789":
                    yield _String(token.start(), token.end(), (*stack, key), _Kind.NUMBERS)
            elif token[2] and re.match(r"\s*:", text[token.end() : token.end() + 9]):
                key = token[1]
                if not self._tools and {"properties", "arguments", "input", "args"} & {*stack}:
                    yield _String(token.start(1), token.end(1), (*stack, "{}"), _Kind.ID)
            else:
                path = tuple(part for part in (*stack, key) if part)
                yield _String(token.start(1), token.end(1), path, self._kind(path))

    def _kind(self, path: tuple[str, ...]) -> _Kind:
        last, above = (path[-1], path[:-1]) if path else ("", ())
        if _SCHEMAS & {*above} and last != "description":
            named = last in ("enum", "const", "required", "title", "default")
            return _Kind.ID if named and not self._tools else _Kind.KEEP
        if last == "name" and _NAMED & {*above}:
            return _Kind.KEEP if self._tools else _Kind.ID
        if last in _KEPT and not {"arguments", "input", "args", "metadata"} & {*above}:
            return _Kind.KEEP
        if last == "id" or last.endswith(("_id", "Id")):
            return _Kind.ID
        if _ERRORS & {*path} or path == ("message",):
            return _Kind.ERROR
        return _Kind.WORDS

    def _one(self, source: str, found: _String) -> str:
        if found.kind is _Kind.KEEP:
            return source
        if found.kind is _Kind.NUMBERS:
            at = re.match(r"-?[12]?(?=\d\d$)|", source) if found.path[-1] == "bytes" else None
            lead = at[0] if at else ""
            exponent = re.search("[eE].*", source)
            tail = exponent[0] if exponent else ""
            middle = source[len(lead) : len(source) - len(tail)]
            return lead.replace("2", "1") + self._words.word(middle) + tail
        if found.kind is _Kind.ID:
            match = _ID.fullmatch(source)
            assert match is not None
            return (match[1] or "") + self._words.text(match[2], keys=False)
        return _QUOTED.sub(lambda match: self._words.text(match[0], keys=False), source)

    def _run(self, text: str, run: list[_String]) -> Iterator[tuple[int, int, str]]:
        """The parts of one text, rewritten as a whole."""
        if (
            len(run) == 1
            and (made := self._made_up(text[run[0].start : run[0].end], run[0].path)) is not None
        ):
            yield run[0].start, run[0].end, made
            return
        parts = [_UNIT.findall(text[each.start : each.end]) for each in run]
        said = "".join(_meant(unit) for units in parts for unit in units)
        keys = self._tools and said.lstrip()[:1] in ("{", "[")
        new = iter(self._words.text(said, keys=keys))
        for each, units in zip(run, parts, strict=True):
            yield each.start, each.end, "".join(_written(unit, next(new)) for unit in units)

    def _made_up(self, source: str, path: tuple[str, ...]) -> str | None:
        """Other data in the place of data; None for words."""
        plain = source.replace("\\/", "/")
        if match := _DATA_URL.fullmatch(plain):
            made = match[1] + self._words.blob(match[2])
        elif path[-1:] == ("embedding",):
            made = self._words.floats(plain)
        elif _BLOB.fullmatch(plain):
            made = self._words.blob(plain)
        else:
            return None
        return made + "A" * (len(source) - len(made))


def _below(stack: list[str], key: str, sign: str) -> str:
    """The member that holds what comes next, after a sign of JSON."""
    if sign in "{[":
        stack.append(key)
        return "" if sign == "{" else key
    return stack.pop() if sign in "}]" and stack else key


def _documents(text: str) -> Iterator[tuple[int, int]]:
    """Where in a body JSON stands: in the data lines of an event stream, else all of it."""
    found = [(match.end(), _line_end(text, match.end())) for match in _DATA.finditer(text)]
    if found and text.lstrip("\ufeff")[:1] not in ("{", "["):
        yield from found
    elif text:
        yield 0, len(text)


def _line_end(text: str, start: int) -> int:
    match = _LINE.match(text, start)
    assert match is not None
    return match.end()


def _meant(unit: str) -> str:
    """The character that a unit of a JSON string's source stands for."""
    if not unit.startswith("\\"):
        return unit
    if unit[1:2] != "u":
        return _SIMPLE.get(unit, unit[1:] or "\\")
    codes = [int(code, 16) for code in unit.split("\\u")[1:]]
    if len(codes) == 1:
        return chr(codes[0])
    return chr(0x10000 + ((codes[0] - 0xD800) << 10) + (codes[1] - 0xDC00))


def _written(unit: str, character: str) -> str:
    """A character in the way in which this unit is written."""
    if _meant(unit) == character:
        return unit
    if not unit.startswith("\\u"):
        return unit[:-1] + character
    units = character.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at : at + 2].hex()}" for at in range(0, len(units), 2))


def _edited(text: str, edits: list[tuple[int, int, str]]) -> str:
    parts, place = [], 0
    for start, end, new in sorted(edits):
        parts += [text[place:start], new]
        place = end
    return "".join([*parts, text[place:]])
