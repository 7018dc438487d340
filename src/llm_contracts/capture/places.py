"""Where in a body words stand, and whose they are: the API's own, a schema's, or people's.

What is known for the API's own stays; all else is taken for people's.
"""

from __future__ import annotations

import re
from collections.abc import Container, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from itertools import pairwise
from typing import Literal

from llm_contracts.wire.protocols.protocol import words

_TOKEN = re.compile(r'"((?:[^"\\]+|\\.)*)("?)|([{}\[\],:])|([^\s{}\[\],:"]+)', re.DOTALL)
_DATA = re.compile(r"^data:[ ]?", re.MULTILINE)
_LINE = re.compile(r"[^\r\n]+")
_API_WORD = re.compile(r"@?[\w.$:/@+\[\]-]{0,200}", re.ASCII)
_SCHEMA_WORD = re.compile(r"(?!.*\d{5})[\w.$:/+\[\]-]{0,200}")
_API_NAME = re.compile(r"@?[\w.$:/-]{0,80}", re.ASCII)
_FIELD = re.compile(r"(?:event:[ ]?[\w.$:/-]*|retry:.*)?\s*$", re.ASCII)
_NOTE = re.compile(r"(?:(?:id|event)?:[ ]?)?")

_TORN = 4

_KEPT = words(
    "type role object model modelVersion status event format detail effort finish_reason finishReason "
    "native_finish_reason stop_reason stopReason blockReason reason completionReason done_reason "
    "event_type latency code service_tier encoding_format mime_type mimeType media_type "
    "reasoning_effort tool_choice verbosity system_fingerprint provider category probability severity "
    "truncation modality voice summary_mode allowed_callers background behavior display environment "
    "error_code execution include input_fidelity language mode modalities moderation outcome phase "
    "output_format prompt_cache_retention quality ranker require_approval scheduling response_format "
    "response_inclusion search_content_types search_context_size size speed style syntax threshold "
    "toolset_name ttl generate_summary aspectRatio mediaResolution responseModalities thinkingLevel "
    "trafficType"
)
"""Members whose strings are the API's own words: those that SDKs declare as one of some literals
(`openai.types`, `anthropic.types`, `google.genai.types`).
"""

_NAMED = words(
    "function functions tools tool_calls tool_choice function_call functionCall functionDeclarations "
    "functionResponse content_block content json_schema item output"
)
"""Below these a `name` is that of a tool; elsewhere it is a person's."""

SCHEMAS = words(
    "parameters input_schema output_schema schema inputSchema outputSchema responseSchema "
    "response_schema parametersJsonSchema responseJsonSchema"
)
_ERRORS = frozenset({"error", "errors"})
BYTES = frozenset({"bytes", "data"})
"""Members that hold bytes as numbers; `data` is that of Node's `Buffer`."""

_NUMBERS = frozenset({"embedding", "embeddings", "values"}) | BYTES
API_KEYS = words("name text message arguments input args properties user_id id value") | (
    _KEPT | _NAMED | SCHEMAS | _ERRORS
)
"""Members that stay also where people's data begin: within what a tool is called with, and within texts."""

_FREE_TEXT = ("description", "title", "comment", "message")
_SCHEMA_FORM = frozenset({"required", "propertyOrdering", "dependentRequired", "pattern", "$ref", "type"})


class PlaceKind(Enum):
    """What becomes of a string."""

    KEEP = auto()
    WORDS = auto()
    ID = auto()
    ERROR = auto()


@dataclass(frozen=True, slots=True)
class Token:
    """A name, a string or a number of JSON, by its `sort`: where it stands, without quotes, and below which
    members. The last of these is the one whose value it is; a name has none.
    """

    start: int
    end: int
    path: tuple[str, ...]
    sort: Literal["name", "string", "number"]


def stays(above: tuple[str, ...], name: str, declared: Container[str], *, tools: bool) -> bool:
    """Whether the name of a member is the API's or a schema's, and no data."""
    if not tools and {"properties", "arguments", "input", "args"} & {*above}:
        return False
    if _is_data(above):
        return name in declared
    if above[-1:] == ("logit_bias",):
        return False
    if above[-1:] == ("top_logprobs",):  # of a completion, by the token
        return name in ("token", "logprob", "bytes")
    return bool(SCHEMAS & {*above}) or _API_NAME.fullmatch(name) is not None


def kind_of(path: tuple[str, ...], source: str, *, tools: bool) -> PlaceKind:
    """What the string below these members is.

    Args:
        path: the members.
        source: the string, as it is written.
        tools: whether the names of tools stay.
    """
    last, above = (path[-1], path[:-1]) if path else ("", ())
    if SCHEMAS & {*above}:
        if last not in _SCHEMA_FORM and (_is_free_text(path) or not _SCHEMA_WORD.fullmatch(source)):
            return PlaceKind.WORDS
        named = last in ("enum", "const", "required", "default")
        return PlaceKind.ID if named and not tools else PlaceKind.KEEP
    if last == "name" and _NAMED & {*above} and not _is_data(above):
        return PlaceKind.KEEP if tools else PlaceKind.ID
    chosen = last in _KEPT or path[-2:] == ("reasoning", "summary")
    if chosen and not _is_data(above) and _API_WORD.fullmatch(source):
        return PlaceKind.ID if source.startswith("ft:") else PlaceKind.KEEP
    if last == "id" or last.endswith(("_id", "Id")):
        return PlaceKind.ID
    error = _ERRORS & {*path} or path in (("message",), ("detail",), ("param",))
    return PlaceKind.ERROR if error else PlaceKind.WORDS


def text_of(body: bytes) -> str | None:
    """A body's characters; None for what is not text."""
    text = body.decode("utf-8", "surrogateescape")
    torn = sum("\udc80" <= character <= "\udcff" for character in text[:4096])
    return None if "\0" in text or torn > _TORN else text


def tokens(text: str, start: int, end: int) -> Iterator[Token]:
    """What one document of JSON holds. What is not JSON is one text."""
    if text[start:end].lstrip("\ufeff \t\r\n,[")[:1] not in ("{", '"', "]"):
        if text[start:end].strip() != "[DONE]":
            yield Token(start, end, (), "string")
        return
    stack: list[tuple[str, str]] = []
    key = ""
    for token in _TOKEN.finditer(text, start, end):
        above = tuple(name for sign, name in stack if sign == "{" and name)
        path = (*above, key) if key else above
        if token[3] is not None:
            key = _below(stack, key, token[3])
        elif token[4] is not None:
            if token[4][:1] in "-0123456789":
                yield Token(token.start(), token.end(), path, "number")
        elif token[2] and re.match(r"\s*:", text[token.end() : token.end() + 9]):
            key = token[1]
            yield Token(token.start(1), token.end(1), above, "name")
        else:
            yield Token(token.start(1), token.end(1), path, "string")


def _below(stack: list[tuple[str, str]], key: str, sign: str) -> str:
    """The member that holds what comes next, after a sign of JSON."""
    if sign in "{[":
        stack.append((sign, key))
        return "" if sign == "{" else key
    return stack.pop()[1] if sign in "}]" and stack else key


def is_declared(above: tuple[str, ...]) -> bool:
    """Whether a name below these members is that of a schema's property."""
    return above[-1:] == ("properties",) and bool(SCHEMAS & {*above})


def _is_data(above: tuple[str, ...]) -> bool:
    """Whether what stands below these members is an application's own, whatever it is called."""
    within = {*above}
    return (
        bool({"arguments", "args", "attributes", "labels", "variables"} & within)
        or above[:2] == ("data", "outputs")  # what it makes
        or above == ("inputs",)  # what an application's own prompt at Dify takes
        or "input" in above[1:]  # a tool's; a request's own stands at the top
        or ("metadata" in within and not _ERRORS & within)
        or {"functionResponse", "response"} <= within
    )


def _is_free_text(path: tuple[str, ...]) -> bool:
    """Whether it is text for readers of a schema. A property may bear the same name."""
    examples = any(
        name in ("examples", "example") and before != "properties" for before, name in pairwise(path)
    )
    return path[-1].lower().endswith(_FREE_TEXT) or examples


def tells_words(path: tuple[str, ...]) -> bool:
    """Whether numbers there are people's: those in data, and what stands for words."""
    return (
        path[-1:] in {(name,) for name in _NUMBERS}
        or path in (("input",), ("prompt",))
        or _is_data(path[:-1])
    )


def documents(text: str) -> Iterator[tuple[int, int]]:
    """Where in a body JSON stands: in the data lines of an event stream, and what else is not a field of one;
    without these all of it.
    """
    if _DATA.search(text) is None or text.lstrip("\ufeff")[:1] in ("{", "["):
        if text:
            yield 0, len(text)
        return
    for line in _LINE.finditer(text):
        data = _DATA.match(line[0])
        if data is not None:
            yield line.start() + data.end(), line.end()
        elif _FIELD.match(line[0]) is None:
            note = _NOTE.match(line[0])
            yield line.start() + (note.end() if note else 0), line.end()
