"""The bytes of somebody else's file to plain values, whatever they were written as. Nothing is ever executed.

Recorders write YAML, JSON or TOML, some of them packed with gzip, and that once more as base64 (LangChain).
"""

from __future__ import annotations

import base64
import binascii
import json
import tomllib
from collections.abc import Mapping
from typing import Any

from llm_contracts.corpus.entries import UnreadableError
from llm_contracts.wire.cassette.yaml import Convert, YamlError, read_yaml
from llm_contracts.wire.content import LARGEST, gunzip

_GZIP = b"\x1f\x8b"
_GZIP_IN_BASE64 = b"H4sI"


def _as_it_is(value: Any) -> Any:
    return value


def _only_argument(value: Any) -> Any:
    """`iter([…])` as the list inside; given bare, or under `args`."""
    arguments = value.get("args") if isinstance(value, dict) else value
    return arguments[0] if isinstance(arguments, list) and arguments else []


def _file_content(value: Any) -> Any:
    """A request body that was a file: its bytes are the first part of its state."""
    state = value.get("state")
    return state[0] if isinstance(state, list) and state else b""


_VCRPY: Mapping[str, Convert] = {
    "str": _as_it_is,
    "unicode": _as_it_is,
    "bytes": base64.b64decode,
    "tuple": _as_it_is,
    "object/apply:builtins.iter": _only_argument,
    "object/new:_io.BytesIO": _file_content,
}
"""Tags that vcrpy has written over the years, and what they mean as plain values."""

_TAGS = {f"tag:yaml.org,2002:python/{tag}": convert for tag, convert in _VCRPY.items()}


def read_document(data: bytes, suffix: str) -> Any:
    """The value that a file holds.

    Args:
        data: its bytes.
        suffix: how its name ends, `.gz` left out; JSON and TOML are known by it.

    Raises:
        UnreadableError: with the place in the file.
    """
    text = _text(_plain(data))
    if not text.strip():
        raise UnreadableError("", "is empty.")
    if suffix in {".json", ".har"}:
        return _json(text)
    if suffix == ".toml":
        try:
            return tomllib.loads(text)
        except (ValueError, RecursionError) as error:
            raise UnreadableError("", f"is not valid TOML ({error}).") from error
    try:
        return read_yaml(text, _TAGS)
    except YamlError as error:
        place = "" if error.line is None else f"line {error.line}"
        raise UnreadableError(place, f"is not usable YAML ({error.problem}).") from error


def _plain(data: bytes) -> bytes:
    if data.startswith(_GZIP_IN_BASE64):
        try:
            data = base64.b64decode(b"".join(data.split()), validate=True)
        except binascii.Error as error:
            raise UnreadableError("", f"looks like gzip in base64, but is damaged ({error}).") from error
    if not data.startswith(_GZIP):
        return data
    try:
        return gunzip(data)
    except ValueError as error:
        raise UnreadableError("", f"{error}.") from error


def _text(data: bytes) -> str:
    if len(data) > LARGEST:
        raise UnreadableError("", f"is larger than {LARGEST:,} bytes. Split it.")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"byte {error.start}", "is not UTF-8.") from error


def _json(text: str) -> Any:
    try:
        return json.loads(text)
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}"
        raise UnreadableError(place, f"is not valid JSON ({error.msg}); the file may be cut.") from error
    except (ValueError, RecursionError) as error:
        raise UnreadableError("", f"is not usable JSON ({error}).") from error
