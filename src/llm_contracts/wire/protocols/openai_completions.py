"""OpenAI's older completions, streamed and whole: text stands in the choice itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from llm_contracts.util.json_values import as_list, as_mapping, as_text
from llm_contracts.wire.protocols.protocol import Document, Protocol, Reading, words

_OBJECTS = frozenset({"text_completion", "text.completion"})


def is_completion(document: Document) -> bool:
    """Whether this is an event or an answer of the older completions."""
    choice = as_mapping(next(iter(as_list(document.get("choices"))), None))
    by_shape = "text" in choice and not {"delta", "message"} & choice.keys()
    return "choices" in document and (as_text(document.get("object")) in _OBJECTS or by_shape)


def _read(document: Document) -> Reading:
    return Reading(chunk={**document, "choices": [_choice(one) for one in as_list(document["choices"])]})


def _choice(choice: Any) -> Document:
    if not isinstance(choice, Mapping):
        return {}
    return {**{k: v for k, v in choice.items() if k != "text"}, "delta": {"content": choice.get("text")}}


OPENAI_COMPLETIONS = Protocol(
    name="openai-completions",
    speaks=is_completion,
    reader=lambda: _read,
    members=words("choices text index finish_reason usage id model logprobs"),
    path=r"(?<!/chat)/completions",
)
