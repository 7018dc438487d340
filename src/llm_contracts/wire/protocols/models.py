"""Listings of models, or one of them: OpenAI's and its copies', Anthropic's, Gemini's and Ollama's."""

from __future__ import annotations

from llm_contracts.util.json_values import as_list, as_mapping
from llm_contracts.wire.protocols.protocol import Document, Protocol, Reading, words


def _speaks(document: Document) -> bool:
    first = as_mapping(next(iter(as_list(document.get("data"))), document))
    listed = as_mapping(next(iter(as_list(document.get("models"))), None))
    return "model" in (first.get("object"), first.get("type")) or isinstance(listed.get("name"), str)


MODELS = Protocol(
    name="models",
    speaks=_speaks,
    reader=lambda: lambda document: Reading(chunk=document, last=True),
    members=words("data models id owned_by name object"),
    path=r"/models|/api/tags",
    has_text=False,
)
