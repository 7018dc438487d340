"""Cassette text to values, strictly: every complaint names the place in the file and the way out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, TypeVar

import yaml

from llm_contracts.wire.interaction import End, Headers, Interaction, Piece, Request, Response
from llm_contracts.wire.recording import Cassette, Provenance, Recording

# Only safe loaders: a cassette may come from a pull request. The C one is ten times as fast.
_Loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_VERSION = 1
_Member = TypeVar("_Member", End, Provenance)
_RESTORE = "Restore the file from version control or record it again."


class FormatError(Exception):
    """Text that is no cassette. `place` is a path in it (`interactions[0].response`), or empty."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem


def parse(data: bytes) -> Cassette:
    """Read a cassette's bytes.

    Raises:
        FormatError: with the place and the way out.
    """
    root = _Node(_document(data), "")
    version = root.key("version").value
    if version != _VERSION or isinstance(version, bool):
        problem = (
            f"is {version!r}, but only version {_VERSION} is known. Update llm-contracts, or record again."
        )
        raise FormatError("version", problem)
    recording = root.optional("recording")
    return Cassette(
        interactions=tuple(_interaction(node) for node in root.key("interactions").items()),
        recording=None if recording is None else _recording(recording),
    )


def _document(data: bytes) -> Any:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"byte {error.start}", f"is not UTF-8. {_RESTORE}") from error
    if not text.strip():
        raise FormatError("", f"is empty. {_RESTORE}")
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, see above
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = "" if mark is None else f"line {mark.line + 1}"
        what = getattr(error, "problem", None) or "unreadable characters"
        raise FormatError(place, f"is not valid YAML ({what}); the file may be cut. {_RESTORE}") from error
    except (ValueError, RecursionError) as error:
        raise FormatError("", f"is not valid YAML ({error}). {_RESTORE}") from error


@dataclass(frozen=True, slots=True)
class _Node:
    """A value in the document together with its place."""

    value: Any
    place: str

    def fail(self, problem: str) -> FormatError:
        return FormatError(self.place, f"{problem} {_RESTORE}")

    def mapping(self, *, known: frozenset[str] | None = None) -> dict[str, Any]:
        if not isinstance(self.value, dict):
            raise self.fail(f"must be a mapping, not {_kind(self.value)}.")
        unknown = sorted(str(key) for key in self.value if known is not None and key not in known)
        if unknown:
            raise self.fail(f"has the unknown key {unknown[0]!r}.")
        return self.value

    def optional(self, key: str) -> _Node | None:
        mapping = self.mapping()
        return _Node(mapping[key], f"{self.place}.{key}".lstrip(".")) if key in mapping else None

    def key(self, key: str) -> _Node:
        node = self.optional(key)
        if node is None:
            raise FormatError(
                f"{self.place}.{key}".lstrip("."), f"is missing; the file may be cut. {_RESTORE}"
            )
        return node

    def items(self) -> Iterator[_Node]:
        if not isinstance(self.value, list):
            raise self.fail(f"must be a list, not {_kind(self.value)}.")
        return (_Node(item, f"{self.place}[{index}]") for index, item in enumerate(self.value))

    def text(self) -> str:
        if not isinstance(self.value, str):
            raise self.fail(f"must be text, not {_kind(self.value)}.")
        return self.value

    def whole(self) -> int:
        if not isinstance(self.value, int) or isinstance(self.value, bool) or self.value < 0:
            raise self.fail(f"must be a whole number, not {self.value!r}.")
        return self.value

    def number(self) -> float:
        if not isinstance(self.value, int | float) or isinstance(self.value, bool) or not self.value >= 0:
            raise self.fail(f"must be a number of milliseconds, not {self.value!r}.")
        return float(self.value)

    def content(self) -> bytes:
        """Body bytes: VCR writes text where it can, binary where it must, and null where there is none."""
        if self.value is None:
            return b""
        if isinstance(self.value, bytes):
            return self.value
        return self.text().encode("utf-8")


def _kind(value: Any) -> str:
    return "nothing" if value is None else type(value).__name__


def _interaction(node: _Node) -> Interaction:
    return Interaction(request=_request(node.key("request")), response=_response(node.key("response")))


def _request(node: _Node) -> Request:
    body = node.optional("body")
    return Request(
        method=node.key("method").text(),
        uri=node.key("uri").text(),
        headers=_headers(node.key("headers")),
        body=b"" if body is None else body.content(),
    )


def _response(node: _Node) -> Response:
    if node.optional("status_code") is not None:
        return _flat_response(node)
    status, body = node.key("status"), node.key("body")
    reason = status.key("message")
    content = b"" if body.value is None else body.key("string").content()
    end, pieces = _wire(node.optional("wire"), len(content))
    return Response(
        status=status.key("code").whole(),
        reason="" if reason.value is None else reason.text(),
        headers=_headers(node.key("headers")),
        body=content,
        end=end,
        pieces=pieces,
    )


def _flat_response(node: _Node) -> Response:
    """The shape that vcrpy 2 to 5 wrote for httpx, still found in other projects' cassettes."""
    return Response(
        status=node.key("status_code").whole(),
        headers=_headers(node.key("headers")),
        body=node.key("content").content(),
    )


def _headers(node: _Node) -> Headers:
    """VCR writes a list of values for each name; some writers give the bare value."""
    if node.value is None:
        return ()
    found: list[tuple[str, str]] = []
    for name in node.mapping():
        values = node.key(name)
        lines = values.items() if isinstance(values.value, list) else (values,)
        found.extend((_Node(name, node.place).text(), line.text()) for line in lines)
    return tuple(found)


_WIRE_KEYS = frozenset({"end", "chunks"})


def _wire(node: _Node | None, size: int) -> tuple[End, tuple[Piece, ...] | None]:
    if node is None:
        return End.COMPLETE, None
    node.mapping(known=_WIRE_KEYS)
    end = _member(End, node.key("end"))
    chunks = node.optional("chunks")
    if chunks is None:
        return end, None
    pieces = tuple(_piece(item) for item in chunks.items())
    total = sum(piece.size for piece in pieces)
    if total != size:
        raise chunks.fail(f"add up to {total} bytes, but the body has {size}.")
    return end, pieces


def _piece(node: _Node) -> Piece:
    fields = list(node.items())
    if len(fields) != 2:  # noqa: PLR2004 - a size and a time
        raise node.fail("must be a pair of bytes and milliseconds.")
    return Piece(size=fields[0].whole(), at_ms=fields[1].number())


_RECORDING_KEYS = frozenset({"provenance", "recorded_at", "provider", "scenario", "client", "versions"})


def _recording(node: _Node) -> Recording:
    node.mapping(known=_RECORDING_KEYS)
    versions = node.key("versions")
    return Recording(
        provenance=_member(Provenance, node.key("provenance")),
        recorded_at=_moment(node.key("recorded_at")),
        provider=node.key("provider").text(),
        scenario=node.key("scenario").text(),
        client=node.key("client").text(),
        versions={_Node(key, versions.place).text(): versions.key(key).text() for key in versions.mapping()},
    )


def _moment(node: _Node) -> datetime:
    """UTC, whether quoted or read by YAML as a timestamp of its own."""
    moment = node.value
    if not isinstance(moment, datetime):
        try:
            moment = datetime.fromisoformat(node.text())
        except ValueError as error:
            raise node.fail(
                f"must be a date and time such as 2026-01-31T12:00:00Z, not {node.value!r}."
            ) from error
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _member(kind: type[_Member], node: _Node) -> _Member:
    try:
        return kind(node.text())
    except ValueError as error:
        names = ", ".join(kind)
        raise node.fail(f"is {node.value!r}, which is none of {names}.") from error
