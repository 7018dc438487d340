"""Is a recorded exchange of use: a streamed chat completion, or a refusal of one, with all its bytes?"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from itertools import islice
from urllib.parse import urlsplit

from llm_contracts.corpus.entries import (
    CorpusExchange,
    CorpusProblem,
    CorpusStream,
    Entry,
    ExchangeProblem,
    ProblemKind,
)
from llm_contracts.util.json_values import as_mapping, read_json
from llm_contracts.wire.content import Unpacked, unpacked
from llm_contracts.wire.events import events
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import End, Request, Response

CHAT = "/chat/completions"
_FIRST_FAILURE = 400
_LOOKED_AT = 3  # events, to see which dialect a stream speaks
_HOSTS: Mapping[str, str] = {
    "api.deepseek.com": "deepseek",
    "api.openai.com": "openai",
    "dashscope-intl.aliyuncs.com": "qwen",
    "dashscope.aliyuncs.com": "qwen",
}
_DIALECTS: Mapping[str, re.Pattern[str]] = {
    "Anthropic's Messages API": re.compile(r"/v\d+/messages$|:(streamR|r)awPredict$"),
    "Gemini's own API": re.compile(r":(streamG|g)enerateContent$"),
    "OpenAI's Responses API": re.compile(r"/responses(/[^/]+)?$"),
    "the older text completions API": re.compile(r"/completions$"),
    "Ollama's own API": re.compile(r"/api/(chat|generate)$"),
    "Bedrock's own API": re.compile(r"/(converse(-stream)?|invoke(-with-response-stream)?)$"),
    "Cohere's own API": re.compile(r"/v[12]/chat$"),
}


def judged(exchange: CorpusExchange) -> Entry:
    """The stream, its body unpacked, or what keeps it from being used."""
    fault = elsewhere(exchange.interaction.request) or exchange.fault
    plain = unpacked(exchange.interaction.response)
    fault = fault or _unusable(exchange, plain)
    if fault is not None:
        return CorpusProblem(place=exchange.place, reason=fault.reason, why=fault.why)
    return CorpusStream(
        id=exchange.id,
        provider=provider_of(exchange.interaction.request.uri, exchange.named),
        interaction=replace(exchange.interaction, response=plain.response),
        place=exchange.place,
        recorder=exchange.recorder,
        recorded_at=exchange.recorded_at,
        provenance=exchange.provenance,
    )


def provider_of(uri: str, named: str = "") -> str:
    """The provider's name, if its host is known; else what the file calls it, or the host."""
    host = urlsplit(uri).hostname or ""
    return _HOSTS.get(host) or _HOSTS.get(named) or named or host or "unknown"


def elsewhere(request: Request) -> ExchangeProblem | None:
    """Why a request is no chat completion, by its method and path alone; None if it is one."""
    path = urlsplit(request.uri).path
    asked = f"{request.method.upper()} {path or '/'}"
    if request.method.upper() != "POST":
        return ExchangeProblem(why=ProblemKind.NOT_CHAT, reason=f"is no chat completion ({asked}).")
    if path.endswith(CHAT):
        return None
    for name, pattern in _DIALECTS.items():
        if pattern.search(path):
            return _other(name, asked)
    return ExchangeProblem(why=ProblemKind.NOT_CHAT, reason=f"is no chat completion ({asked}).")


def _other(name: str, where: str) -> ExchangeProblem:
    return ExchangeProblem(
        why=ProblemKind.OTHER_DIALECT, reason=f"speaks {name} ({where}), which is no chat completion."
    )


def _unusable(exchange: CorpusExchange, plain: Unpacked) -> ExchangeProblem | None:
    kept = exchange.interaction.response
    if kept.end is not End.COMPLETE:
        return None  # recorded as what it was
    if kept.status == 0:
        return ExchangeProblem(
            why=ProblemKind.NO_BODY, reason="got no answer: the request was blocked or given up."
        )
    if kept.status < _FIRST_FAILURE and not kept.body:
        return ExchangeProblem(why=ProblemKind.NO_BODY, reason="its body was not kept.")
    if plain.fault:
        why = ProblemKind.TRUNCATED if plain.cut else ProblemKind.UNKNOWN_ENCODING
        return ExchangeProblem(why=why, reason=f"its body {plain.fault}.")
    short = _short(kept) if exchange.exact else None
    return short or _spoken(plain.response) or _whole(exchange.interaction.request, plain.response)


def _short(kept: Response) -> ExchangeProblem | None:
    """A body with fewer bytes than were announced. Recorders that unpack bodies may keep the packed size."""
    announced = kept.header("content-length").strip()
    if not announced.isascii() or not announced.isdigit() or kept.header("content-encoding"):
        return None
    if len(kept.body) >= int(announced[:18]):
        return None
    reason = f"its body has {len(kept.body)} of {announced} bytes: the rest was not kept."
    return ExchangeProblem(why=ProblemKind.TRUNCATED, reason=reason)


def _spoken(plain: Response) -> ExchangeProblem | None:
    """Another provider's events, at whatever address they were."""
    for event in islice(events(plain.body), _LOOKED_AT):
        data = as_mapping(read_json(event.data))
        kind = str(data.get("type", ""))
        if "candidates" in data:
            return _other("Gemini's own API", "by its events")
        if kind in {"message_start", "content_block_start", "content_block_delta"}:
            return _other("Anthropic's Messages API", "by its events")
        if kind.startswith("response."):
            return _other("OpenAI's Responses API", "by its events")
    return None


def _whole(request: Request, plain: Response) -> ExchangeProblem | None:
    """An answer in one piece. One that was given although a stream was asked for is evidence, and so is a
    failure.
    """
    facts = read_facts(plain)
    if facts.streamed or facts.error is not None or facts.status >= _FIRST_FAILURE:
        return None
    if as_mapping(read_json(request.body)).get("stream") is True:
        return None
    return ExchangeProblem(
        why=ProblemKind.NOT_STREAMED, reason="is an answer in one piece; what is compared are streams."
    )
