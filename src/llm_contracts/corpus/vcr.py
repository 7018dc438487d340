"""Cassettes of other projects: every layout that vcrpy has had since 1.0, and its relatives.

Unlike our own reading this is lenient, exchange by exchange: what one of them lacks is reported, and the
others are read. Layouts:

* vcrpy: `version: 1` and `interactions`; for httpx it once wrote `status_code` and `content`;
* pydantic-ai's and openllmetry's serializers: the former with other bodies, see `body`;
* LangChain's: lists of `requests` and `responses`, packed with gzip;
* cassetter: `status` as a number, typed bodies, WebSocket and gRPC exchanges of their own.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Any

from llm_contracts.corpus.body import read_body
from llm_contracts.corpus.entries import CorpusExchange, ProblemKind, UnreadableError
from llm_contracts.corpus.judge import elsewhere
from llm_contracts.wire.interaction import Headers, Interaction, Request, Response

_OTHERS: Mapping[str, str] = {"ws_interactions": "a WebSocket", "grpc_interactions": "a gRPC call"}


def is_cassette(document: object) -> bool:
    """Whether a document has the shape of any of these."""
    if not isinstance(document, dict):
        return False
    pairs = isinstance(document.get("requests"), list) and isinstance(document.get("responses"), list)
    return pairs or any(key in document for key in ("interactions", *_OTHERS))


def read_cassette(document: dict[str, Any]) -> Iterator[CorpusExchange | UnreadableError]:
    """The exchanges of a cassette, in order. `id` is the exchange's number, empty where there is but one;
    `place` is its place in the document.

    Raises:
        UnreadableError: the document as a whole cannot be read.
    """
    rows = _rows(document)
    if not rows and not any(other in document for other in _OTHERS):
        raise UnreadableError("", "holds no exchanges.", ProblemKind.NOT_A_RECORDING)
    for number, (place, row) in enumerate(rows):
        try:
            yield _exchange(row, place, str(number) if len(rows) > 1 else "")
        except UnreadableError as error:
            yield error
    for key, what in _OTHERS.items():
        others = document.get(key)
        for number in range(len(others) if isinstance(others, list) else 0):
            yield UnreadableError(
                f"{key}[{number}]", f"is {what}, not an HTTP exchange.", ProblemKind.NOT_HTTP
            )


def _rows(document: dict[str, Any]) -> list[tuple[str, Any]]:
    """Each exchange with its place."""
    if "requests" in document:
        requests, responses = document["requests"], document.get("responses")
        if not isinstance(responses, list) or len(requests) != len(responses):
            raise UnreadableError("responses", "there are not as many as requests; the file may be cut.")
        pairs = zip(requests, responses, strict=True)
        return [(f"[{n}]", {"request": asked, "response": got}) for n, (asked, got) in enumerate(pairs)]
    rows = document.get("interactions")
    if document.get("version") != 1:
        version = document.get("version")
        # vcrpy writes it last, so a file that was cut anywhere lacks it.
        what = "is missing; the file may be cut." if version is None else f"is {version!r}, not 1."
        raise UnreadableError("version", what)
    if not isinstance(rows, list) and not (rows is None and any(other in document for other in _OTHERS)):
        raise UnreadableError("interactions", "must be a list; the file may be cut.")
    return [(f"interactions[{number}]", row) for number, row in enumerate(rows or ())]


@dataclass(frozen=True, slots=True)
class _NodePosition:
    """A mapping and its place."""

    value: dict[str, Any]
    place: str

    def mapping(self, key: str) -> _NodePosition:
        place = f"{self.place}.{key}"
        value = self.value.get(key)
        if value is None:
            raise UnreadableError(place, "is missing; the file may be cut.")
        if not isinstance(value, dict):
            raise UnreadableError(place, f"must be a mapping, not {type(value).__name__}.")
        return _NodePosition(value, place)

    def text(self, *keys: str) -> str:
        """The first of these that is there."""
        for key in keys:
            value = self.value.get(key)
            if isinstance(value, str):
                return value
            if value is not None:
                raise UnreadableError(f"{self.place}.{key}", f"must be text, not {type(value).__name__}.")
        raise UnreadableError(f"{self.place}.{keys[0]}", "is missing; the file may be cut.")


def _exchange(row: Any, place: str, number: str) -> CorpusExchange:
    if not isinstance(row, dict):
        raise UnreadableError(place, f"must be a mapping, not {type(row).__name__}.")
    at = _NodePosition(row, place)
    asked = at.mapping("request")
    request = Request(method=asked.text("method").upper(), uri=asked.text("uri", "url"))
    if elsewhere(request):
        # Nobody looks at its answer, so what that lacks is not a complaint.
        unseen = Interaction(request=request, response=Response(status=0))
        return CorpusExchange(id=number, place=place, interaction=unseen)
    got = at.mapping("response")
    body, answer = read_body(asked.value, of_request=True), read_body(got.value)
    status, reason = _status(got)
    request = replace(request, headers=_headers(asked), body=body.data)
    response = Response(status=status, reason=reason, headers=_headers(got), body=answer.data)
    fault = answer.fault
    if fault is None and body.fault is not None:
        fault = replace(body.fault, reason=body.fault.reason.replace("its", "its request's", 1))
    return CorpusExchange(
        id=number,
        place=place,
        interaction=Interaction(request=request, response=response),
        fault=fault,
        exact=answer.exact,
        recorder="cassetter" if isinstance(got.value.get("status"), int) else "vcrpy",
        recorded_at=_moment(row.get("recorded_at")) or _date(response),
    )


def _status(response: _NodePosition) -> tuple[int, str]:
    """`{code, message}`, or a number of its own."""
    status = response.value.get("status")
    code: Any = response.value.get("status_code", status)
    message: Any = ""
    if isinstance(status, dict):
        code, message = status.get("code"), status.get("message")
    if isinstance(code, str) and code.isascii() and code.isdigit():
        code = int(code[:4])
    if not isinstance(code, int) or isinstance(code, bool) or code < 0:
        place = f"{response.place}.status"
        what = "is missing; the file may be cut." if code is None else f"must be a number, not {code!r}."
        raise UnreadableError(place, what)
    return code, message if isinstance(message, str) else ""


def _headers(holder: _NodePosition) -> Headers:
    """A mapping of names to values or lists of values, or pairs."""
    headers = holder.value.get("headers")
    if headers is None:
        return ()
    if isinstance(headers, dict):
        return tuple((str(name), line) for name, value in headers.items() for line in _lines(value))
    if isinstance(headers, list | tuple):
        return tuple(line for item in headers for line in _header_lines(item, holder.place))
    raise UnreadableError(
        f"{holder.place}.headers", f"must be a mapping or a list, not {type(headers).__name__}."
    )


def _header_lines(item: Any, place: str) -> Iterator[tuple[str, str]]:
    if isinstance(item, dict):
        yield from ((str(name), line) for name, value in item.items() for line in _lines(value))
    elif isinstance(item, list | tuple) and len(item) == 2:  # noqa: PLR2004 - a name and a value
        yield from ((_as_text(item[0]), line) for line in _lines(item[1]))
    else:
        raise UnreadableError(f"{place}.headers", f"holds {type(item).__name__}, which is not a header line.")


def _lines(value: Any) -> list[str]:
    return [_as_text(each) for each in value] if isinstance(value, list | tuple) else [_as_text(value)]


def _as_text(value: Any) -> str:
    return value.decode("latin-1") if isinstance(value, bytes) else "" if value is None else str(value)


def _date(response: Response) -> datetime | None:
    """The server's clock: the moment of the recording, to the second."""
    with suppress(ValueError, TypeError, OverflowError):
        return _utc(parsedate_to_datetime(response.header("date")))
    return None


def _moment(value: object) -> datetime | None:
    """ISO 8601, as cassetter writes it."""
    if isinstance(value, datetime):
        return _utc(value)
    if isinstance(value, str):
        with suppress(ValueError, OverflowError):
            return _utc(datetime.fromisoformat(value))
    return None


def _utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
