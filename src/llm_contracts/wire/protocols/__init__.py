"""What an API's bytes mean: one module an API, and what a project hands in of its own.

Code that reads bytes is given `Protocols`: each event is read by the first of them that claims it. What none
claims is `generic`: its own names stand for themselves, and text is found by none.
"""

from llm_contracts.wire.protocols.anthropic_messages import ANTHROPIC_MESSAGES
from llm_contracts.wire.protocols.embeddings import EMBEDDINGS
from llm_contracts.wire.protocols.gemini import GEMINI
from llm_contracts.wire.protocols.models import MODELS
from llm_contracts.wire.protocols.openai_chat import OPENAI_CHAT, OPENAI_COMPLETIONS
from llm_contracts.wire.protocols.openai_responses import OPENAI_RESPONSES
from llm_contracts.wire.protocols.protocol import (
    GENERIC,
    Protocol,
    Protocols,
    Reading,
    StreamReader,
    protocol_at,
)

__all__ = [
    "ANTHROPIC_MESSAGES",
    "BUILT_IN",
    "EMBEDDINGS",
    "GEMINI",
    "GENERIC",
    "MODELS",
    "OPENAI_CHAT",
    "OPENAI_COMPLETIONS",
    "OPENAI_RESPONSES",
    "Protocol",
    "Protocols",
    "Reading",
    "StreamReader",
    "protocol_at",
]

BUILT_IN: Protocols = (
    GEMINI,
    OPENAI_RESPONSES,
    ANTHROPIC_MESSAGES,
    OPENAI_COMPLETIONS,
    OPENAI_CHAT,
    EMBEDDINGS,
    MODELS,
)
