"""The dialects that are built in, by name. A project hands in its own: `Provider(dialect=…)`."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import urlsplit

from llm_contracts.simulator.anthropic import ANTHROPIC
from llm_contracts.simulator.ark import ARK
from llm_contracts.simulator.deepseek import DEEPSEEK
from llm_contracts.simulator.dialect import Dialect
from llm_contracts.simulator.ernie import ERNIE
from llm_contracts.simulator.gemini import GEMINI
from llm_contracts.simulator.glm import GLM
from llm_contracts.simulator.openai import OPENAI, OPENAI_EMBEDDINGS
from llm_contracts.simulator.openai_responses import OPENAI_RESPONSES
from llm_contracts.simulator.qwen import QWEN
from llm_contracts.simulator.silicon import SILICON

DIALECTS: Mapping[str, Dialect] = {
    dialect.name: dialect
    for dialect in (
        *(OPENAI, DEEPSEEK, QWEN, ERNIE, GLM, ARK, SILICON, GEMINI),
        *(OPENAI_RESPONSES, OPENAI_EMBEDDINGS, ANTHROPIC),
    )
}


def dialect_at(uri: str, own: Dialect) -> Dialect:
    """The dialect of what answers at this address: a provider's own, unless another API was asked there."""
    path = urlsplit(uri).path
    return next((one for one in (own, *DIALECTS.values()) if re.search(f"{one.chats_at}$", path)), own)
