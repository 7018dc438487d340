"""OpenAI's chat completions, streamed and whole, and all APIs that copy them.

Its older completions, too, in which text stands in the choice itself.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from llm_contracts.util.json_values import as_list, as_mapping, as_text
from llm_contracts.wire.protocols.protocol import Document, Protocol, Reading, words

_OBJECTS = frozenset({"text_completion", "text.completion"})


def _is_completion(document: Document) -> bool:
    """Whether this is an event or an answer of the older completions."""
    choice = as_mapping(next(iter(as_list(document.get("choices"))), None))
    by_shape = "text" in choice and not {"delta", "message"} & choice.keys()
    return "choices" in document and (as_text(document.get("object")) in _OBJECTS or by_shape)


def _read_completion(document: Document) -> Reading:
    return Reading(chunk={**document, "choices": [_completed(one) for one in as_list(document["choices"])]})


def _completed(choice: Any) -> Document:
    if not isinstance(choice, Mapping):
        return {}
    return {**{k: v for k, v in choice.items() if k != "text"}, "delta": {"content": choice.get("text")}}


def _speaks(document: Document) -> bool:
    """OpenAI's SDK gives an event of any API these members, with nothing in them."""
    filled = any(document.get(name) is not None for name in ("choices", "id", "model", "object", "usage"))
    return "choices" in document and filled and not _is_completion(document)


def _reader() -> Callable[[Document], Reading]:
    in_pieces: object = None  # the id of an answer that came so

    def read(document: Document) -> Reading:
        nonlocal in_pieces
        choices = document["choices"]
        if isinstance(choices, list) and choices and isinstance(choices[0], Mapping):
            if choices[0].get("delta") is not None:
                in_pieces = document.get("id")
            elif "message" in choices[0] and in_pieces and in_pieces == document.get("id"):
                # MiniMax's last chunk says once more what has been said.
                document = {**document, "choices": [{**as_mapping(one), "delta": {}} for one in choices]}
        return Reading(chunk=document)

    return read


def _error(document: Document) -> Document | None:
    """OpenRouter's, which stands in the choice that ended with it."""
    choice = as_mapping(next(iter(as_list(document.get("choices"))), None))
    error = as_mapping(choice.get("error"))
    return error if isinstance(error.get("message"), str) else None


OPENAI_CHAT = Protocol(
    name="openai-chat",
    speaks=_speaks,
    reader=_reader,
    error=_error,
    members=words(
        "choices delta message index content role finish_reason usage id model reasoning_content reasoning "
        "refusal text type created object x_groq tool_calls function name arguments function_call "
        "prompt_tokens completion_tokens total_tokens data models owned_by"  # the last of listings
    ),
    path="/chat/completions",
)

OPENAI_COMPLETIONS = Protocol(
    name="openai-completions",
    speaks=_is_completion,
    reader=lambda: _read_completion,
    members=words("choices text index finish_reason usage id model logprobs"),
    path=r"(?<!/chat)/completions",
)
