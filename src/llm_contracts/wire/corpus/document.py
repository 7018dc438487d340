"""The bytes of somebody else's file to plain values, whatever they were written as. Nothing is ever executed.

Recorders write YAML, JSON or TOML, some of them packed with gzip, and that once more as base64 (LangChain).
"""

from __future__ import annotations

import base64
import binascii
import json
import tomllib
from typing import Any

import yaml

from llm_contracts.wire.content import LARGEST, gunzip
from llm_contracts.wire.corpus.entries import UnreadableError

_GZIP = b"\x1f\x8b"
_GZIP_IN_BASE64 = b"H4sI"


class _Loader(getattr(yaml, "CSafeLoader", yaml.SafeLoader)):  # type: ignore[misc] # either is one
    """A safe loader that also knows the tags that vcrpy has written over the years, as plain values."""


def _scalar(loader: Any, node: Any) -> Any:
    return loader.construct_scalar(node)


def _sequence(loader: Any, node: Any) -> Any:
    return loader.construct_sequence(node, deep=True)


def _mapping(loader: Any, node: Any) -> Any:
    return loader.construct_mapping(node, deep=True)


def _binary(loader: Any, node: Any) -> bytes:
    return base64.b64decode(loader.construct_scalar(node))


def _only_argument(loader: Any, node: Any) -> Any:
    """`frozenset([…])` and `iter([…])` as the list inside; given bare, or under `args`."""
    if isinstance(node, yaml.MappingNode):
        arguments = _mapping(loader, node).get("args")
    else:
        arguments = _sequence(loader, node)
    return arguments[0] if isinstance(arguments, list | tuple) and arguments else []


def _file_content(loader: Any, node: Any) -> Any:
    """A request body that was a file: its bytes are the first part of its state."""
    state = _mapping(loader, node).get("state")
    return state[0] if isinstance(state, list | tuple) and state else b""


_PYTHON = "tag:yaml.org,2002:python/"
for _tag, _construct in {
    "str": _scalar,
    "unicode": _scalar,
    "bytes": _binary,
    "tuple": _sequence,
    "object:vcr.request.Request": _mapping,
    "object/apply:__builtin__.frozenset": _only_argument,
    "object/apply:builtins.frozenset": _only_argument,
    "object/apply:builtins.iter": _only_argument,
    "object/new:_io.BytesIO": _file_content,
}.items():
    _Loader.add_constructor(_PYTHON + _tag, _construct)


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
    return _toml(text) if suffix == ".toml" else _yaml(text)


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


def _toml(text: str) -> Any:
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        raise UnreadableError("", f"is not valid TOML ({error}).") from error


def _yaml(text: str) -> Any:
    try:
        return yaml.load(text, Loader=_Loader)  # noqa: S506 - a safe loader, see above
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        place = "" if mark is None else f"line {mark.line + 1}"
        what = getattr(error, "problem", None) or "unreadable characters"
        raise UnreadableError(place, f"is not usable YAML ({what}).") from error
    except (ValueError, TypeError, AttributeError, RecursionError) as error:
        raise UnreadableError("", f"is not usable YAML ({error}).") from error
