"""Cassettes of other projects: every layout that vcrpy has had since 1.0, and its relatives.

Unlike our own reading this is lenient, exchange by exchange: what one of them lacks is reported, and the
others are read. Layouts:

* vcrpy: `version: 1` and `interactions`; for httpx it once wrote `status_code` and `content`;
* pydantic-ai's and openllmetry's serializers: the former with other bodies, see `_body`;
* LangChain's: lists of `requests` and `responses`, packed with gzip;
* cassetter: `status` as a number, typed bodies, WebSocket and gRPC exchanges of their own.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from llm_contracts.corpus.entries import CorpusProblem, CorpusStream, Entry, ProblemKind, UnreadableError
from llm_contracts.corpus.judge import judged, read_each, require_call
from llm_contracts.wire.interaction import Headers, Interaction, Request, Response

_OTHERS: Mapping[str, str] = {"ws_interactions": "a WebSocket", "grpc_interactions": "a gRPC call"}
_CUT = "is missing; the file may be cut."
_TYPES = frozenset({"none", "text", "json", "binary"})
_KEPT_AS = frozenset({"string", "base64_string"})
_BYTE = 256


def is_cassette(document: object) -> bool:
    """Whether a document has the shape of any of these."""
    if not isinstance(document, dict):
        return False
    pairs = isinstance(document.get("requests"), list) and isinstance(document.get("responses"), list)
    return pairs or any(key in document for key in ("interactions", *_OTHERS))


def read_cassette(document: dict[str, Any]) -> Iterator[Entry]:
    """The exchanges of a cassette; see `read_each`.

    Raises:
        UnreadableError: the document as a whole cannot be read.
    """
    rows = _rows(document)
    if not rows and not any(other in document for other in _OTHERS):
        raise UnreadableError("", "holds no exchanges.", ProblemKind.NOT_A_RECORDING)
    yield from read_each(rows, _exchange)
    for key, what in _OTHERS.items():
        others = document.get(key)
        for number in range(len(others) if isinstance(others, list) else 0):
            reason = f"is {what}, not an HTTP exchange."
            yield CorpusProblem(place=f"{key}[{number}]", reason=reason, why=ProblemKind.NOT_HTTP)


def _rows(document: dict[str, Any]) -> list[tuple[str, Any]]:
    """Each exchange with its place."""
    if "requests" in document:
        requests, responses = document["requests"], document.get("responses")
        if not isinstance(responses, list) or len(requests) != len(responses):
            raise UnreadableError("responses", "there are not as many as requests; the file may be cut.")
        pairs = zip(requests, responses, strict=True)
        return [(f"[{n}]", {"request": asked, "response": got}) for n, (asked, got) in enumerate(pairs)]
    rows, version = document.get("interactions"), document.get("version")
    if version != 1:  # vcrpy writes it last, so a file that was cut anywhere lacks it
        raise UnreadableError("version", _CUT if version is None else f"is {version!r}, not 1.")
    if not isinstance(rows, list) and not (rows is None and any(other in document for other in _OTHERS)):
        raise UnreadableError("interactions", "must be a list; the file may be cut.")
    return [(f"interactions[{number}]", row) for number, row in enumerate(rows or ())]


def _exchange(row: Any, place: str, number: str) -> Entry:
    if not isinstance(row, dict):
        raise UnreadableError(place, f"must be a mapping, not {type(row).__name__}.")
    asked, at = _member(row, place, dict, "request"), f"{place}.request"
    request = Request(
        method=_member(asked, at, str, "method").upper(), uri=_member(asked, at, str, "uri", "url")
    )
    require_call(request, place)
    got, there = _member(row, place, dict, "response"), f"{place}.response"
    fault, exact, bodies = None, True, []
    for holder, whose in ((asked, "its request's"), (got, "its")):
        body = b""
        try:
            body, exact = _body(holder, of_request=holder is asked)
        except _OddError as error:
            fault = CorpusProblem(why=ProblemKind.UNKNOWN_ENCODING, reason=f"{whose} body {error}.")
        bodies.append(body)
    status, reason = _status(got, there)
    request = replace(request, headers=_headers(asked, at), body=bodies[0])
    response = Response(status=status, reason=reason, headers=_headers(got, there), body=bodies[1])
    stream = CorpusStream(
        id=number,
        place=place,
        interaction=Interaction(request=request, response=response),
        recorder="cassetter" if isinstance(got.get("status"), int) else "vcrpy",
        recorded_at=_moment(row.get("recorded_at"), response.header("date")),
    )
    return judged(stream, fault=fault, exact=exact)


def _member(holder: dict[str, Any], place: str, kind: type[dict[str, Any] | str], *keys: str) -> Any:
    """The first of these that is there."""
    for key in keys:
        value = holder.get(key)
        if isinstance(value, kind):
            return value
        if value is not None:
            what = "text" if kind is str else "a mapping"
            raise UnreadableError(f"{place}.{key}", f"must be {what}, not {type(value).__name__}.")
    raise UnreadableError(f"{place}.{keys[0]}", _CUT)


def _status(response: dict[str, Any], place: str) -> tuple[int, str]:
    """`{code, message}`, or a number of its own."""
    status = response.get("status")
    code: Any = response.get("status_code", status)
    message: Any = ""
    if isinstance(status, dict):
        code, message = status.get("code"), status.get("message")
    if isinstance(code, str) and code.isascii() and code.isdigit():
        code = int(code[:4])
    if not isinstance(code, int) or isinstance(code, bool) or code < 0:
        what = _CUT if code is None else f"must be a number, not {code!r}."
        raise UnreadableError(f"{place}.status", what)
    return code, message if isinstance(message, str) else ""


def _headers(holder: dict[str, Any], at: str) -> Headers:
    """A mapping of names to values or lists of values, or pairs, or a list of either."""
    headers = holder.get("headers") or ()
    if not isinstance(headers, dict | list | tuple):
        raise UnreadableError(f"{at}.headers", f"must be a mapping or a list, not {type(headers).__name__}.")
    pairs: list[Any] = []
    for item in [headers] if isinstance(headers, dict) else headers:
        if isinstance(item, dict):
            pairs += item.items()
        elif isinstance(item, list | tuple) and len(item) == 2:  # noqa: PLR2004 - a name and a value
            pairs.append(item)
        else:
            what = f"holds {type(item).__name__}, which is not a header line."
            raise UnreadableError(f"{at}.headers", what)
    return tuple(
        (_as_text(name), _as_text(each))
        for name, value in pairs
        for each in (value if isinstance(value, list | tuple) else [value])
    )


def _as_text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else "" if value is None else str(value)


def _moment(stated: Any, served: str) -> datetime | None:
    """When it was recorded: as cassetter writes it (ISO 8601), or by the server's clock, to the second."""
    for value, read in ((stated, datetime.fromisoformat), (served, parsedate_to_datetime)):
        with suppress(ValueError, TypeError, OverflowError):
            moment = value if isinstance(value, datetime) else read(value)
            return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    return None


# Bodies, in the forms that recorders give them


class _OddError(Exception):
    """The rest of a sentence about a body that nobody here understands."""


def _body(holder: dict[str, Any], *, of_request: bool) -> tuple[bytes, bool]:
    """The body of a request or response, and whether it is byte for byte as it was, not written anew from a
    value.

    Plain vcrpy has `body` (a text, bytes, or a mapping with `string`), its older httpx stubs `content`;
    vcrpy 1.0 `base64_string`; pydantic-ai's serializer `parsed_body`, a JSON value;
    cassetter a mapping of `type` and `content`, in TOML `body_type` and `body_content`. What aiohttp was
    given to send as JSON vcrpy keeps as it is, a mapping like any other.
    """
    body = holder["body"] if "body" in holder else holder.get("content")
    value = holder.get("parsed_body")
    if of_request and "body" in holder and isinstance(body, dict) and body and not _is_described(body):
        value = body
    if value is not None:
        return _from_value(value), False
    if "body_type" in holder:
        return _typed(holder["body_type"], holder.get("body_content"), in_text=True)
    if not isinstance(body, dict):
        return _plain(body), True
    if "type" in body:
        return _typed(body["type"], body.get("content"), in_text=False)
    if "base64_string" in body or ("string" in body and str(body.get("encoding")).lower() == "base64"):
        packed = _plain(body.get("base64_string", body.get("string")))
        try:
            return base64.b64decode(b"".join(packed.split()), validate=True), True
        except binascii.Error as error:
            raise _OddError(f"is damaged base64 ({error})") from error
    if "string" in body or not body:
        return _plain(body.get("string")), True
    raise _OddError(f"is described by {', '.join(sorted(map(str, body)))}, which no known recorder does")


def _is_described(body: dict[str, Any]) -> bool:
    """Whether a mapping describes a body rather than being one."""
    keys = set(body)
    typed = str(body.get("type")) in _TYPES and keys <= {"type", "content"}
    return typed or (bool(keys & _KEPT_AS) and keys <= {*_KEPT_AS, "encoding"})


def _typed(kind: object, content: object, *, in_text: bool) -> tuple[bytes, bool]:
    """cassetter's: JSON as a value (in TOML as text), binary as hexadecimal digits."""
    if kind in ("none", "text"):
        return b"" if kind == "none" else _plain(content), True
    if kind == "json":
        return _plain(content) if in_text else _from_value(content), False
    if kind == "binary":
        try:
            return bytes.fromhex(str(content)), True
        except ValueError as error:
            raise _OddError("is of type binary, but holds no hexadecimal digits") from error
    raise _OddError(f"is of the unknown type {kind!r}")


def _plain(body: object) -> bytes:
    """Text, bytes, or the parts of an iterator, as clients hand them to a recorder."""
    if body is None or isinstance(body, bytes):
        return body or b""
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


def _from_value(value: object) -> bytes:
    """JSON written anew: the value is that of the recording, its blanks are not."""
    try:
        return json.dumps(value, ensure_ascii=False).encode("utf-8")
    except (TypeError, ValueError, RecursionError) as error:
        raise _OddError(f"is not a JSON value ({error})") from error
