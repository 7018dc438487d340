"""Bodies in the forms that recorders give them, to bytes."""

from __future__ import annotations

import base64
import binascii
import json
from dataclasses import dataclass
from typing import Any

from llm_contracts.corpus.entries import CorpusProblem, ProblemKind

_TYPES = frozenset({"none", "text", "json", "binary"})
_BYTE = 256
_KEPT_AS = frozenset({"string", "base64_string"})


@dataclass(frozen=True, kw_only=True, slots=True)
class Body:
    """What was found. `exact`: byte for byte as it was, not written anew from a value."""

    data: bytes = b""
    exact: bool = True
    fault: CorpusProblem | None = None


def read_body(holder: dict[str, Any], *, of_request: bool = False) -> Body:
    """The body of a request or response, given as the mapping that describes it.

    Plain vcrpy has `body` (a text, bytes, or a mapping with `string`), its older httpx stubs `content`;
    vcrpy 1.0 `base64_string`; pydantic-ai's serializer `parsed_body`, a JSON value;
    cassetter a mapping of `type` and `content`, in TOML `body_type` and `body_content`. What aiohttp was
    given to send as JSON vcrpy keeps as it is, a mapping like any other.
    """
    try:
        body = holder.get("body")
        if of_request and isinstance(body, dict) and body and not _is_described(body):
            return _from_value(body)
        return _body(holder)
    except _OddError as error:
        return Body(fault=CorpusProblem(why=ProblemKind.UNKNOWN_ENCODING, reason=f"its body {error}."))


class _OddError(Exception):
    """The rest of a sentence about a body that nobody here understands."""


def _body(holder: dict[str, Any]) -> Body:
    if holder.get("parsed_body") is not None:
        return _from_value(holder["parsed_body"])
    if "body_type" in holder:
        return _typed(holder["body_type"], holder.get("body_content"), in_text=True)
    body = holder["body"] if "body" in holder else holder.get("content")
    if isinstance(body, dict):
        return _described(body)
    return Body(data=_plain(body))


def _is_described(body: dict[str, Any]) -> bool:
    """Whether a mapping describes a body rather than being one."""
    keys = set(body)
    typed = str(body.get("type")) in _TYPES and keys <= {"type", "content"}
    return typed or (bool(keys & _KEPT_AS) and keys <= {*_KEPT_AS, "encoding"})


def _described(body: dict[str, Any]) -> Body:
    if "type" in body:
        return _typed(body["type"], body.get("content"), in_text=False)
    if "base64_string" in body:
        return Body(data=_from_base64(body["base64_string"]))
    if "string" in body:
        packed = str(body.get("encoding")).lower() == "base64"
        return Body(data=_from_base64(body["string"]) if packed else _plain(body["string"]))
    if not body:
        return Body()
    raise _OddError(f"is described by {', '.join(sorted(map(str, body)))}, which no known recorder does")


def _typed(kind: object, content: object, *, in_text: bool) -> Body:
    """cassetter's: JSON as a value (in TOML as text), binary as hexadecimal digits."""
    if kind == "none":
        return Body()
    if kind == "text":
        return Body(data=_plain(content))
    if kind == "json":
        return Body(data=_plain(content), exact=False) if in_text else _from_value(content)
    if kind == "binary":
        try:
            return Body(data=bytes.fromhex(str(content)))
        except ValueError as error:
            raise _OddError("is of type binary, but holds no hexadecimal digits") from error
    raise _OddError(f"is of the unknown type {kind!r}")


def _plain(body: object) -> bytes:
    """Text, bytes, or the parts of an iterator, as clients hand them to a recorder."""
    if body is None:
        return b""
    if isinstance(body, bytes):
        return body
    if isinstance(body, str):
        try:
            return body.encode("utf-8")
        except UnicodeEncodeError as error:
            raise _OddError("holds half a character, so it was cut or decoded wrongly") from error
    if isinstance(body, list | tuple):
        return b"".join(
            bytes([part]) if type(part) is int and 0 <= part < _BYTE else _plain(part) for part in body
        )
    raise _OddError(f"is neither text nor bytes, but {type(body).__name__}")


def _from_base64(body: object) -> bytes:
    try:
        return base64.b64decode(b"".join(_plain(body).split()), validate=True)
    except binascii.Error as error:
        raise _OddError(f"is damaged base64 ({error})") from error


def _from_value(value: object) -> Body:
    """JSON written anew: the value is that of the recording, its blanks are not."""
    try:
        return Body(data=json.dumps(value, ensure_ascii=False).encode("utf-8"), exact=False)
    except (TypeError, ValueError, RecursionError) as error:
        raise _OddError(f"is not a JSON value ({error})") from error
