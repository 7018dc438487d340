"""What an API's bytes mean: one module an API, and what a project hands in of its own.

Code that reads bytes is given `Protocols`: each event is read by the first of them that claims it. What none
claims is read as a chunk of OpenAI's chat completions, the shape that most APIs share.
"""

from llm_contracts.wire.protocols.gemini import GEMINI
from llm_contracts.wire.protocols.openai_chat import OPENAI_CHAT
from llm_contracts.wire.protocols.protocol import Protocol, Protocols, Reading, StreamReader

__all__ = ["BUILT_IN", "GEMINI", "OPENAI_CHAT", "Protocol", "Protocols", "Reading", "StreamReader"]

BUILT_IN: Protocols = (GEMINI, OPENAI_CHAT)
