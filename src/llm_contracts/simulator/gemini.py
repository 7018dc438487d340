"""Gemini in Google's own protocol, by recorded streams of 2025.

Recorded: CRLF line ends, a space after each colon of the JSON, no `[DONE]`, a content type without charset,
`content-disposition`, the chunks' keys, totals on every chunk and counted so far, thoughts as parts that say
so, the bodies of 404 and 429, in which the wait stands in the body. Documented: `promptFeedback` without any
candidate for a blocked question, the names of finish reasons, API_KEY_INVALID under 400.

UNVERIFIED, and so chosen here: errors laid out over several lines, the bodies of 403, 500 and 503, most
messages' wording, an error in mid-stream, and that the last chunk's text is always empty.
"""

from __future__ import annotations

import json
import string
from collections.abc import Iterable, Mapping
from typing import Any

from llm_contracts.simulator.ask import ParsedRequest, json_object
from llm_contracts.simulator.dialect import (
    HTTP_DATE,
    ChunkPart,
    Dialect,
    Framing,
    Json,
    Model,
    RefusalText,
    Stream,
    TokenCounts,
    digits,
)
from llm_contracts.simulator.script import Refused, UsagePlacement
from llm_contracts.util.json_values import as_mapping

_MODELS = {
    "gemini-2.5-flash-lite": Model(answers="gemini-2.5-flash-lite"),
    "gemini-2.5-flash": Model(answers="gemini-2.5-flash"),
}
_METHOD = ":streamGenerateContent"
_TYPE = "type.googleapis.com/google.rpc."

# Requests


def _read(path: str, headers: Mapping[str, str], body: bytes) -> ParsedRequest:
    """A request, its contents and settings under the names that OpenAI has for them."""
    key = headers.get("x-goog-api-key")
    asked = json_object(body) if body else {}
    if asked is None:
        return ParsedRequest(path=path, key=key, body=None)
    model = path.rpartition("/models/")[2].removesuffix(_METHOD)
    config = {_camel(name): value for name, value in as_mapping(asked.get("generationConfig")).items()}
    wants_json = config.get("responseMimeType") == "application/json"
    messages = [
        {"content": _text_of(one)} for one in (asked.get("systemInstruction"), *asked.get("contents", ()))
    ]
    return ParsedRequest(
        path=path,
        key=key,
        body={
            "model": model,
            "stream": path.endswith(_METHOD),
            "messages": messages,
            "temperature": config.get("temperature"),
            "top_p": config.get("topP"),
            "max_tokens": config.get("maxOutputTokens"),
            "enable_thinking": as_mapping(config.get("thinkingConfig")).get("includeThoughts"),
            "response_format": {"type": "json_object"} if wants_json else None,
        },
    )


def _camel(name: str) -> str:
    """Google reads either spelling of a name."""
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _text_of(content: Any) -> str:
    parts: Iterable[Any] = as_mapping(content).get("parts", ())
    return "".join(str(as_mapping(part).get("text", "")) for part in parts)


# Answers

_FINISHES = {"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP"}


def _totals(_stream: Stream, spent: TokenCounts) -> Json:
    """Thoughts are counted by themselves, and only the total has both."""
    thoughts = {"thoughtsTokenCount": spent.reasoning} if spent.reasoning else {}
    return {
        "promptTokenCount": spent.prompt,
        "candidatesTokenCount": spent.completion - spent.reasoning,
        "totalTokenCount": spent.prompt + spent.completion,
        **thoughts,
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": spent.prompt}],
    }


def _chunk(stream: Stream, _number: int, part: ChunkPart) -> Json:
    candidate: Json = {"content": {"parts": [part.delta], "role": "model"}}
    if part.finish is not None:
        candidate["finishReason"] = part.finish
    return {
        "candidates": [{**candidate, "index": 0}],
        **({"usageMetadata": part.usage} if part.usage else {}),
        "modelVersion": stream.model,
        "responseId": stream.id,
    }


# Refusals


def _words(status: int, kind: str, message: str, *details: Json) -> RefusalText:
    keys = ("code", "message", "status", *(("details",) if details else ()))
    return RefusalText(status=status, message=message, type=kind, code=status, details=details, keys=keys)


def _gateway(status: int, message: str) -> RefusalText:
    kinds = {403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ABORTED", 503: "UNAVAILABLE"}
    return _words(status, kinds.get(status, "UNKNOWN"), message)


def _invalid(message: str, *details: Json) -> RefusalText:
    return _words(400, "INVALID_ARGUMENT", message, *details)


_INTERNAL = _words(500, "INTERNAL", "An internal error has occurred.")
_BAD_KEY: Json = {
    "@type": f"{_TYPE}ErrorInfo",
    "reason": "API_KEY_INVALID",
    "domain": "googleapis.com",
    "metadata": {"service": "generativelanguage.googleapis.com"},
}
_MINUTE: Json = {
    "@type": f"{_TYPE}QuotaFailure",
    "violations": [{"quotaId": "GenerateRequestsPerMinutePerProjectPerModel-FreeTier", "quotaValue": "10"}],
}
_DAY: Json = {
    "@type": f"{_TYPE}QuotaFailure",
    "violations": [{"quotaId": "GenerateRequestsPerDayPerProjectPerModel-FreeTier", "quotaValue": "250"}],
}
_WAIT: Json = {"@type": f"{_TYPE}RetryInfo", "retryDelay": "1s"}
_BLOCKED: Json = {
    "promptFeedback": {"blockReason": "SAFETY"},
    "usageMetadata": {"promptTokenCount": 12, "totalTokenCount": 12},
}
_EXHAUSTED = "RESOURCE_EXHAUSTED"
_UNKNOWN = "models/{model} is not found for API version v1beta, or does not generate content."

_WORDS = {
    Refused.NO_KEY: _words(403, "PERMISSION_DENIED", "Callers without an identity are not served."),
    Refused.WRONG_KEY: _invalid("API key not valid. Please pass a valid API key.", _BAD_KEY),
    Refused.UNKNOWN_MODEL: _words(404, "NOT_FOUND", _UNKNOWN),
    Refused.BAD_REQUEST: _invalid("The request body is no JSON object."),
    Refused.BAD_PARAMETER: _invalid("{parameter} must be between 0 and {limit}."),
    Refused.TOO_LONG: _invalid(
        "The input token count (1200000) exceeds the maximum number of tokens allowed (1048576)."
    ),
    Refused.RATE_LIMIT: _words(429, _EXHAUSTED, "You exceeded your current quota.", _MINUTE, _WAIT),
    Refused.UNPAID: _words(429, _EXHAUSTED, "You exceeded your current quota.", _DAY),
    Refused.SERVER_ERROR: _INTERNAL,
    Refused.UNAVAILABLE: _words(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    Refused.PROMPT_FILTER: RefusalText(status=200, message="Blocked.", framed=True, event=_BLOCKED),
    Refused.MID_STREAM: _INTERNAL,
}


def _row(name: str, *methods: str) -> Json:
    return {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": list(methods)}


def _listing(models: Mapping[str, Model]) -> bytes:
    rows = [_row(name, "generateContent", "countTokens") for name in models]
    return json.dumps({"models": [*rows, _row("gemini-embedding-001", "embedContent")]}, indent=2).encode()


GEMINI = Dialect(
    name="gemini",
    base_path="/v1beta",
    chat_path="/models/{call}",
    read=_read,
    models=_MODELS,
    words=_WORDS,
    gateway=_gateway,
    filter_finish="SAFETY",
    place=UsagePlacement.EVERY,
    always_totals=True,
    framing=Framing(newline="\r\n", colon=": ", done=None),
    stream_type="text/event-stream",
    json_type="application/json; charset=UTF-8",
    new_id=lambda seed: digits(
        f"{seed}/id", f"{string.ascii_uppercase}{string.ascii_lowercase}{string.digits}-_", 22
    ),
    thought=lambda piece: {"text": piece, "thought": True},
    text=lambda _stream, piece: {"text": piece},
    tool=lambda _stream, call: {
        "functionCall": {"name": call["function"].get("name", "weather"), "args": {}}
    },
    closing=lambda _stream, finish: (ChunkPart(delta={"text": ""}, finish=_FINISHES.get(finish, finish)),),
    totals=_totals,
    chunk=_chunk,
    headers=lambda _seed: (
        ("Date", HTTP_DATE),
        ("Content-Disposition", "attachment"),
        ("Server", "scaffolding on HTTPServer2"),
    ),
    refuse=lambda error, _seed: (json.dumps({"error": error}, ensure_ascii=False, indent=2) + "\n").encode(),
    listing=_listing,
)
