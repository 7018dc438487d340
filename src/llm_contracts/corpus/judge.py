"""Is a recorded exchange of use: a model's answer, or a refusal of one, with all its bytes?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from urllib.parse import urlsplit

from llm_contracts.corpus.entries import CorpusExchange, CorpusProblem, CorpusStream, Entry, ProblemKind
from llm_contracts.wire.content import Unpacked, unpacked
from llm_contracts.wire.interaction import End, Interaction, Request
from llm_contracts.wire.protocols import BUILT_IN, MODELS, protocol_at

CHAT = "/chat/completions"
_FIRST_FAILURE = 400
_HOSTS: Mapping[str, str] = {
    "api.deepseek.com": "deepseek",
    "api.openai.com": "openai",
    "dashscope-intl.aliyuncs.com": "qwen",
    "dashscope.aliyuncs.com": "qwen",
}
_CALLS = tuple(one for one in BUILT_IN if one is not MODELS)
_OTHER_APIS = re.compile(
    r"/api/(chat|generate)$"  # Ollama
    r"|/(converse(-stream)?|invoke(-with-response-stream)?)$"  # Bedrock
    r"|/v[12]/chat$"  # Cohere
    r"|:(predict|streamRawPredict|rawPredict)$"  # Vertex AI
)
"""Addresses of models whose API no protocol describes: their answers are compared as they are."""


def judged(exchange: CorpusExchange) -> Entry:
    """The stream, its body unpacked, or what keeps it from being used."""
    fault = (None if exchange.chosen else elsewhere(exchange.interaction.request)) or exchange.fault
    plain = unpacked(exchange.interaction.response)
    fault = fault or _unusable(exchange, plain)
    if fault is not None:
        return replace(fault, place=exchange.place)
    request = exchange.interaction.request
    if "://" not in request.uri and not request.uri.startswith("/"):
        request = replace(request, uri=f"https://{request.uri}")  # a word stands in its origin's place
    return CorpusStream(
        id=exchange.id,
        provider=provider_of(request.uri, exchange.provider),
        interaction=Interaction(request=request, response=plain.response),
        place=exchange.place,
        recorder=exchange.recorder,
        recorded_at=exchange.recorded_at,
        provenance=exchange.provenance,
    )


def provider_of(uri: str, named: str = "") -> str:
    """The provider's name, if its host is known; else what the file calls it, or the host."""
    host = urlsplit(uri).hostname or ""
    return _HOSTS.get(host) or _HOSTS.get(named) or named or host or "unknown"


def elsewhere(request: Request) -> CorpusProblem | None:
    """Why a request is not a call of a model, by its method and path alone; None if it is one."""
    path = urlsplit(request.uri).path
    known = protocol_at(request.uri, _CALLS) or _OTHER_APIS.search(path)
    if request.method.upper() == "POST" and known:
        return None
    asked = f"{request.method.upper()} {path or '/'}"
    return CorpusProblem(why=ProblemKind.NOT_CHAT, reason=f"is not a call of a model ({asked}).")


def _unusable(exchange: CorpusExchange, plain: Unpacked) -> CorpusProblem | None:
    kept = exchange.interaction.response
    if kept.end is not End.COMPLETE:
        return None  # recorded as what it was
    if kept.status == 0:
        return CorpusProblem(
            why=ProblemKind.NO_BODY, reason="got no answer: the request was blocked or given up."
        )
    if kept.status < _FIRST_FAILURE and not kept.body:
        return CorpusProblem(why=ProblemKind.NO_BODY, reason="its body was not kept.")
    if plain.fault:
        why = ProblemKind.TRUNCATED if plain.cut else ProblemKind.UNKNOWN_ENCODING
        return CorpusProblem(why=why, reason=f"its body {plain.fault}.")
    # Fewer bytes than were announced. Recorders that unpack bodies may keep the packed size.
    announced = kept.header("content-length").strip()
    stated = exchange.exact and announced.isascii() and announced.isdigit()
    if not stated or kept.header("content-encoding") or len(kept.body) >= int(announced[:18]):
        return None
    reason = f"its body has {len(kept.body)} of {announced} bytes: the rest was not kept."
    return CorpusProblem(why=ProblemKind.TRUNCATED, reason=reason)
