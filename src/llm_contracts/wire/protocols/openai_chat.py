"""OpenAI's chat completions, streamed and whole, and all APIs that copy them."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from llm_contracts.util.json_values import as_list, as_mapping
from llm_contracts.wire.protocols.openai_completions import is_completion
from llm_contracts.wire.protocols.protocol import Document, Protocol, Reading, words


def _speaks(document: Document) -> bool:
    """OpenAI's SDK gives an event of any API these members, with nothing in them."""
    filled = any(document.get(name) is not None for name in ("choices", "id", "model", "object", "usage"))
    return "choices" in document and filled and not is_completion(document)


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
