"""OpenAI's embeddings, by answers recorded from api.openai.com.

Recorded: one document, base64 of little-endian floats where `encoding_format` asks for it (OpenAI's SDK does
so by itself), totals without completion tokens. Refusals are those of chat completions.

UNVERIFIED, and so chosen here: 64 numbers where nobody asks for `dimensions`, to keep recordings short.
"""

from __future__ import annotations

import base64
import struct
from dataclasses import replace
from hashlib import shake_128

from llm_contracts.simulator.dialect import ChunkPart, Json, Model, Stream
from llm_contracts.simulator.openai import OPENAI
from llm_contracts.simulator.texts import tokens_in
from llm_contracts.util.json_values import as_list

_MODELS = {name: Model(answers=name) for name in ("text-embedding-3-small", "text-embedding-3-large")}
_DIMENSIONS = 64
_HALF = 128


def _whole(stream: Stream, _parts: tuple[ChunkPart, ...]) -> Json:
    asked = stream.ask.body or {}
    given = asked.get("input")
    texts = as_list(given) or [given]
    size = asked.get("dimensions", _DIMENSIONS)
    packed = asked.get("encoding_format") == "base64"
    rows = [
        {"object": "embedding", "index": index, "embedding": _vector(str(text), size, packed=packed)}
        for index, text in enumerate(texts)
    ]
    tokens = sum(tokens_in(str(text)) for text in texts)
    usage = {"prompt_tokens": tokens, "total_tokens": tokens}
    return {"object": "list", "data": rows, "model": stream.model, "usage": usage}


def _vector(text: str, size: int, *, packed: bool) -> str | list[float]:
    """Numbers that are the same for the same text: multiples of 1/128, which four bytes hold exactly."""
    numbers = [(byte - _HALF) / _HALF for byte in shake_128(text.encode()).digest(size)]
    return base64.b64encode(struct.pack(f"<{size}f", *numbers)).decode() if packed else numbers


OPENAI_EMBEDDINGS = replace(
    OPENAI, name="openai-embeddings", chat_path="/embeddings", models=_MODELS, whole=_whole
)
