"""Cassette text to values, strictly: every complaint names the place in the file and the way out."""

from __future__ import annotations

import reprlib
from collections.abc import Collection, Iterator
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any, TypeVar

from llm_contracts.wire.cassette.model import Cassette, Provenance, Recording
from llm_contracts.wire.cassette.render import document
from llm_contracts.wire.cassette.yaml import YamlError, read_yaml
from llm_contracts.wire.interaction import End, Headers, Interaction, Piece, Request, Response

_VERSION = 1
_LONGEST_MS = 1e12  # thirty years, and not infinity
_Value = TypeVar("_Value", dict[str, Any], list[Any], str)
_Member = TypeVar("_Member", End, Provenance)
_RESTORE = "Restore the file from version control or record it again."


class FormatError(Exception):
    """Text that is not a cassette. `place` is a path in it (`interactions[0].response`), or empty."""

    def __init__(self, place: str, problem: str) -> None:
        super().__init__(f"{place}: {problem}")
        self.place = place
        self.problem = problem


def parse(data: bytes) -> Cassette:
    """Read a cassette's bytes.

    Raises:
        FormatError: with the place and the way out.
    """
    root = _Node(_document(data))
    version = root.key("version").value
    if version != _VERSION or isinstance(version, bool):
        problem = f"is {reprlib.repr(version)}, but only version {_VERSION} is known."
        raise FormatError("version", f"{problem} Update llm-contracts, or record again.")
    recording = root.optional("recording")
    cassette = Cassette(
        interactions=tuple(
            Interaction(request=_request(node.key("request")), response=_response(node.key("response")))
            for node in root.key("interactions").items()
        ),
        recording=None if recording is None else _recording(recording),
    )
    written = cassette.recording.digest if cassette.recording is not None else ""
    if written and written != document(cassette)["recording"]["digest"]:
        problem = "does not fit what the file holds: it was edited after it was recorded."
        raise FormatError("recording.digest", f"{problem} {_RESTORE}")
    return cassette


def _document(data: bytes) -> Any:
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError as error:
        raise FormatError(f"byte {error.start}", f"is not UTF-8. {_RESTORE}") from error
    if not text.strip():
        raise FormatError("", f"is empty. {_RESTORE}")
    try:
        return read_yaml(text)
    except YamlError as error:
        place = "" if error.line is None else f"line {error.line}"
        problem = f"is not valid YAML ({error.problem}). {_RESTORE}"
        raise FormatError(place, problem) from error


# Not frozen: a file has tens of thousands of them, and freezing doubles what they cost.
@dataclass(slots=True)
class _Node:
    """A value in the document together with its place, which is spelt out only for a complaint."""

    value: Any
    above: _Node | None = None
    step: str = ""

    @property
    def place(self) -> str:
        return f"{self.above.place}{self.step}".lstrip(".") if self.above is not None else ""

    def fail(self, problem: str) -> FormatError:
        return FormatError(self.place, f"{problem} {_RESTORE}")

    def mapping(self, *, known: Collection[str] | None = None) -> dict[str, Any]:
        members = self._of(dict, "a mapping")
        unknown = sorted(str(key) for key in members if known is not None and key not in known)
        if unknown:
            raise self.fail(f"has the unknown key {unknown[0]!r}.")
        return members

    def optional(self, key: str) -> _Node | None:
        mapping = self.mapping()
        return _Node(mapping[key], self, f".{key}") if key in mapping else None

    def key(self, key: str) -> _Node:
        node = self.optional(key)
        if node is None:
            place = _Node(None, self, f".{key}").place
            raise FormatError(place, f"is missing; the file may be cut. {_RESTORE}")
        return node

    def items(self) -> Iterator[_Node]:
        items = self._of(list, "a list")
        return (_Node(item, self, f"[{index}]") for index, item in enumerate(items))

    def text(self) -> str:
        return self._of(str, "text")

    def _of(self, kind: type[_Value], name: str) -> _Value:
        if not isinstance(self.value, kind):
            given = "nothing" if self.value is None else type(self.value).__name__
            raise self.fail(f"must be {name}, not {given}.")
        return self.value

    def whole(self) -> int:
        if not isinstance(self.value, int) or isinstance(self.value, bool) or self.value < 0:
            raise self.fail(f"must be a whole number, not {reprlib.repr(self.value)}.")
        return self.value

    def number(self) -> float:
        value = self.value
        if not isinstance(value, int | float) or isinstance(value, bool) or not 0 <= value <= _LONGEST_MS:
            raise self.fail(f"must be a number of milliseconds, not {reprlib.repr(value)}.")
        return float(value)

    def content(self) -> bytes:
        """Body bytes: VCR writes text where it can, binary where it must, and null where there is none."""
        if self.value is None:
            return b""
        if isinstance(self.value, bytes):
            return self.value
        return self.text().encode("utf-8")


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
        # The shape that vcrpy 2 to 5 wrote for httpx, still found in other projects' cassettes.
        return Response(
            status=node.key("status_code").whole(),
            headers=_headers(node.key("headers")),
            body=node.key("content").content(),
        )
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


def _headers(node: _Node) -> Headers:
    """VCR writes a list of values for each name; some writers give the bare value."""
    if node.value is None:
        return ()
    found: list[tuple[str, str]] = []
    for name in node.mapping():
        values = node.key(name)
        lines = values.items() if isinstance(values.value, list) else (values,)
        found.extend((_Node(name, node).text(), line.text()) for line in lines)
    return tuple(found)


def _wire(node: _Node | None, size: int) -> tuple[End, tuple[Piece, ...] | None]:
    if node is None:
        return End.COMPLETE, None
    node.mapping(known={"end", "chunks"})
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
    match node.value:
        # The usual case first, without a node for each number: timelines are most of a cassette's values.
        case [size, at] if type(size) is int and type(at) in {int, float} and size >= 0 <= at <= _LONGEST_MS:
            return Piece(size=size, at_ms=float(at))
        case [_, _]:
            first, second = node.items()
            return Piece(size=first.whole(), at_ms=second.number())
    raise node.fail("must be a pair of bytes and milliseconds.")


def _recording(node: _Node) -> Recording:
    node.mapping(known={field.name for field in fields(Recording)})
    versions = node.key("versions")
    texts = {name: node.key(name).text() for name in ("provider", "scenario", "client")}
    optional = {name: given.text() for name in ("address", "digest") if (given := node.optional(name))}
    return Recording(
        provenance=_member(Provenance, node.key("provenance")),
        recorded_at=_moment(node.key("recorded_at")),
        versions={_Node(key, versions).text(): versions.key(key).text() for key in versions.mapping()},
        **texts,
        **optional,
    )


def _moment(node: _Node) -> datetime:
    """UTC, whether quoted or read by YAML as a timestamp of its own."""
    try:
        moment = node.value if isinstance(node.value, datetime) else datetime.fromisoformat(node.text())
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, OverflowError) as error:
        problem = f"must be a date and time such as 2026-01-31T12:00:00Z, not {reprlib.repr(node.value)}."
        raise node.fail(problem) from error


def _member(kind: type[_Member], node: _Node) -> _Member:
    try:
        return kind(node.text())
    except ValueError as error:
        names = ", ".join(kind)
        raise node.fail(f"is {reprlib.repr(node.value)}, which is none of {names}.") from error
