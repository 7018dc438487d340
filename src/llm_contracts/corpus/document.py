"""The bytes of somebody else's file to plain values, whatever they were written as. Nothing is ever executed.

Recorders write YAML, JSON or TOML, some of them packed with gzip, and that once more as base64 (LangChain).
"""

from __future__ import annotations

import base64
import binascii
import json
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from llm_contracts.corpus.entries import UnreadableError
from llm_contracts.util.files import read_file
from llm_contracts.wire.cassette.yaml import Convert, YamlError, read_yaml
from llm_contracts.wire.content import LARGEST, gunzip

_GZIP = b"\x1f\x8b"
_GZIP_IN_BASE64 = b"H4sI"
_TOO_LARGE = f"is larger than {LARGEST:,} bytes. Split it."


def _first(value: Any) -> Any:
    """`iter([…])` as the list inside, given bare or under `args`; a request body that was a file as the first
    part of its `state`, which is its bytes.
    """
    parts = value.get("args", value.get("state")) if isinstance(value, dict) else value
    return parts[0] if isinstance(parts, list) and parts else b""


_VCRPY: Mapping[str, Convert] = {
    **dict.fromkeys(("str", "unicode", "tuple"), lambda value: value),
    "bytes": base64.b64decode,
    "object/apply:builtins.iter": _first,
    "object/new:_io.BytesIO": _first,
}
_TAGS = {f"tag:yaml.org,2002:python/{tag}": convert for tag, convert in _VCRPY.items()}
"""Tags that vcrpy has written over the years, and what they mean as plain values."""


def read_document(file: Path, suffix: str) -> Any:
    """The value that a file holds; see `parse_document`.

    Raises:
        UnreadableError: with the place in the file.
        OSError: it cannot be read.
    """
    if file.stat().st_size > LARGEST:
        raise UnreadableError("", _TOO_LARGE)
    return parse_document(read_file(file), suffix)


def parse_document(data: bytes, suffix: str) -> Any:
    """The value that a file's bytes stand for.

    Args:
        data: the bytes.
        suffix: how its name ends, `.gz` left out; JSON and TOML are known by it.

    Raises:
        UnreadableError: with the place in the file.
    """
    if data.startswith(_GZIP_IN_BASE64):
        try:
            data = base64.b64decode(b"".join(data.split()), validate=True)
        except binascii.Error as error:
            raise UnreadableError("", f"looks like gzip in base64, but is damaged ({error}).") from error
    try:
        data = gunzip(data) if data.startswith(_GZIP) else data
    except ValueError as error:
        raise UnreadableError("", f"{error}.") from error
    if len(data) > LARGEST:
        raise UnreadableError("", _TOO_LARGE)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise UnreadableError(f"byte {error.start}", "is not UTF-8.") from error
    if not text.strip():
        raise UnreadableError("", "is empty.")
    return _value(text, suffix)


def _value(text: str, suffix: str) -> Any:
    try:
        if suffix in {".json", ".har"}:
            return json.loads(text)
        if suffix == ".toml":
            return tomllib.loads(text)
        return read_yaml(text, _TAGS)
    except YamlError as error:
        place = "" if error.line is None else f"line {error.line}"
        raise UnreadableError(place, f"is not usable YAML ({error.problem}).") from error
    except json.JSONDecodeError as error:
        place = f"line {error.lineno}"
        raise UnreadableError(place, f"is not valid JSON ({error.msg}); the file may be cut.") from error
    except (ValueError, RecursionError) as error:
        what = "valid TOML" if suffix == ".toml" else "usable JSON"
        raise UnreadableError("", f"is not {what} ({error}).") from error
