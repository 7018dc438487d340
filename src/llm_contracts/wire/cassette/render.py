"""Values to cassette text that a person can read in a diff: event streams and JSON as block text.

Whatever block text cannot hold exactly (carriage returns, tabs, blanks at a line's end) becomes a quoted
string, and what is not UTF-8 becomes binary.
"""

from __future__ import annotations

import base64
import hashlib
import json
import re
from datetime import UTC
from typing import Any

import yaml

from llm_contracts.wire.cassette.model import Cassette
from llm_contracts.wire.interaction import End, Headers, Request, Response

_WIDTH = 120
_BREAKS = re.compile("[\x85\u2028\u2029]")


class _Block(str):
    """Text to be written as a literal block."""

    __slots__ = ()


class _Line(list[Any]):
    """A list to be written on one line, or as few as it takes."""

    __slots__ = ()


def document(cassette: Cassette) -> dict[str, Any]:
    """The file's values in its order. A recording has a digest of all of them: it tells what was recorded
    from what was edited later, and does not stop anybody who means to deceive.
    """
    values: dict[str, Any] = {}
    recording = cassette.recording
    if recording is not None:
        moment = recording.recorded_at.astimezone(UTC).replace(microsecond=0, tzinfo=None)
        values["recording"] = {
            "provenance": str(recording.provenance),
            "recorded_at": f"{moment.isoformat()}Z",
            "provider": recording.provider,
            "scenario": recording.scenario,
            "client": recording.client,
            "versions": dict(recording.versions),
            **({"address": recording.address} if recording.address else {}),
        }
    values["interactions"] = [
        {"request": _request(each.request), "response": _response(each.response)}
        for each in cassette.interactions
    ]
    # Last, as vcrpy has it: a file that was cut anywhere lacks it, and is refused for that.
    values["version"] = 1
    if recording is not None:
        text = json.dumps(values, default=lambda body: {"base64": base64.b64encode(body).decode()})
        values["recording"]["digest"] = f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"
    return values


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
    wire: dict[str, Any] = {"end": str(response.end)}
    if response.pieces is not None:
        wire["chunks"] = _Line(
            _Line((size, int(at) if float(at).is_integer() else at)) for size, at in response.pieces
        )
    elif response.end is End.COMPLETE:
        return written
    return {**written, "wire": wire}


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


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(_Block, _represent_text)
_Dumper.add_representer(
    _Line,
    lambda dumper, items: dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=True),
)


def render(cassette: Cassette) -> bytes:
    """The file's bytes."""
    values = document(cassette)
    text: str = yaml.dump(values, Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_WIDTH)
    return text.encode("utf-8")
