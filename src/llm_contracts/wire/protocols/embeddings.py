"""Embeddings, of OpenAI and of everybody else: lists of numbers in one document.

A list is read as one value, which names its length, its first numbers and a digest of all: the same
numbers are the same, whether they came as numbers or as base64, and one that is wrong is one difference.
Numbers count as the four bytes that base64 has for each; what a provider writes beyond that is not compared.
"""

from __future__ import annotations

import base64
import hashlib
import struct
from collections.abc import Mapping
from typing import Any

from llm_contracts.util.json_values import as_list, as_mapping, is_number
from llm_contracts.wire.protocols.protocol import Document, Protocol, Reading, words

_SHOWN = 3
_SIZE = 4  # bytes of a number
_NOTHING_WRITTEN = frozenset({"completion_tokens", "output_tokens"})
"""Totals that embeddings cannot have: a zero that LiteLLM writes there says what its absence does."""


def _speaks(document: Document) -> bool:
    found: Any = document
    while isinstance(found, Mapping):
        if any(name.lower().endswith(("embedding", "embeddings")) for name in found):
            return True
        found = next(iter(as_list(found.get("data")) or as_list(found.get("predictions"))), None)
    return False


def _read(document: Document) -> Reading:
    rest = dict(document)
    usage = _usage(rest)
    rest.pop("usage", None)
    return Reading(chunk={**_with_vectors(rest), **({"usage": usage} if usage else {})}, last=True)


def _usage(document: Document) -> Document:
    given = {
        name: value
        for name, value in as_mapping(document.get("usage")).items()
        if value or name not in _NOTHING_WRITTEN
    }
    billed = as_mapping(as_mapping(document.get("meta")).get("billed_units"))
    counted = as_mapping(document.get("usageMetadata")).get("promptTokenCount")
    count = document.get("inputTextTokenCount", counted)
    return given or billed or ({} if count is None else {"input_tokens": count})


def _with_vectors(value: Any, name: str = "") -> Any:
    if isinstance(value, Mapping):
        return {key: _with_vectors(part, key) for key, part in value.items()}
    packed = _unpacked(value) if name == "embedding" and isinstance(value, str) else None
    if packed is not None:
        return _vector(packed)
    if not isinstance(value, list):
        return value
    if value and all(map(is_number, value)):
        try:
            return _vector(struct.pack(f"<{len(value)}f", *value))
        except OverflowError:
            return value
    return [_with_vectors(part, name) for part in value]


def _unpacked(text: str) -> bytes | None:
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if data and len(data) % _SIZE == 0 else None


def _vector(data: bytes) -> str:
    first = struct.unpack(f"<{min(_SHOWN, len(data) // _SIZE)}f", data[: _SHOWN * _SIZE])
    shown = ", ".join(f"{number:.6g}" for number in first)
    return f"{len(data) // _SIZE} numbers ({shown}, …; {hashlib.sha256(data).hexdigest()[:12]})"


EMBEDDINGS = Protocol(
    name="embeddings",
    speaks=_speaks,
    reader=lambda: _read,
    members=words("data embedding embeddings index object model usage values"),
    path=r"/embeddings|/embed|:(?:batchEmbedContents|embedContent)",
    has_text=False,
)
