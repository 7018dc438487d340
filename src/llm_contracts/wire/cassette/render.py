"""Values to cassette text that a person can read in a diff: event streams and JSON as block text.

Whatever block text cannot hold exactly (carriage returns, tabs, blanks at a line's end) becomes a quoted
string, and what is no UTF-8 becomes binary.
"""

from __future__ import annotations

import re
from datetime import UTC
from typing import Any

import yaml

from llm_contracts.wire.cassette.model import Cassette, Recording
from llm_contracts.wire.interaction import End, Headers, Interaction, Request, Response

_WIDTH = 120
_BREAKS = re.compile("[\x85\u2028\u2029]")


class _Block(str):
    """Text to be written as a literal block."""

    __slots__ = ()


class _Line(list[Any]):
    """A list to be written on one line, or as few as it takes."""

    __slots__ = ()


# The pure Python dumper: libyaml's escapes every character beyond the basic plane, emoji among them, and so
# loses the block style of most chat streams.
class _Dumper(yaml.SafeDumper):
    """A safe dumper that knows the two styles above and writes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Block text for bodies; always quoted where YAML would take a character for a line break of its own."""
    style = '"' if _BREAKS.search(text) else "|" if isinstance(text, _Block) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style=style)


def _represent_line(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.SequenceNode:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=True)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(_Block, _represent_text)
_Dumper.add_representer(_Line, _represent_line)


def render(cassette: Cassette) -> bytes:
    """The file's bytes."""
    document: dict[str, Any] = {}
    if cassette.recording is not None:
        document["recording"] = _recording(cassette.recording)
    document["interactions"] = [_interaction(interaction) for interaction in cassette.interactions]
    # Last, as vcrpy has it: a file that was cut anywhere lacks it, and is refused for that.
    document["version"] = 1
    text: str = yaml.dump(document, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_WIDTH)
    return text.encode("utf-8")


def _recording(recording: Recording) -> dict[str, Any]:
    moment = recording.recorded_at.astimezone(UTC).replace(microsecond=0, tzinfo=None)
    return {
        "provenance": str(recording.provenance),
        "recorded_at": f"{moment.isoformat()}Z",
        "provider": recording.provider,
        "scenario": recording.scenario,
        "client": recording.client,
        "versions": dict(recording.versions),
    }


def _interaction(interaction: Interaction) -> dict[str, Any]:
    return {"request": _request(interaction.request), "response": _response(interaction.response)}


def _request(request: Request) -> dict[str, Any]:
    return {
        "method": request.method,
        "uri": request.uri,
        "headers": _headers(request.headers),
        "body": _body(request.body) if request.body else None,
    }


def _response(response: Response) -> dict[str, Any]:
    written: dict[str, Any] = {
        "status": {"code": response.status, "message": response.reason},
        "headers": _headers(response.headers),
        "body": {"string": _body(response.body)},
    }
    wire = _wire(response)
    return {**written, "wire": wire} if wire else written


def _wire(response: Response) -> dict[str, Any] | None:
    if response.pieces is None:
        return None if response.end is End.COMPLETE else {"end": str(response.end)}
    chunks = _Line(_Line((piece.size, _number(piece.at_ms))) for piece in response.pieces)
    return {"end": str(response.end), "chunks": chunks}


def _number(milliseconds: float) -> float:
    return int(milliseconds) if float(milliseconds).is_integer() else milliseconds


def _headers(headers: Headers) -> dict[str, list[str]]:
    """Lines of one name come together; among themselves they keep their order, as HTTP asks."""
    grouped: dict[str, list[str]] = {}
    for name, value in headers:
        grouped.setdefault(name, []).append(value)
    return grouped


def _body(body: bytes) -> str | bytes:
    try:
        return _Block(body.decode("utf-8"))
    except UnicodeDecodeError:
        return body
