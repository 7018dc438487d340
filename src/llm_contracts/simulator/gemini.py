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
from collections.abc import Iterable, Mapping
from string import ascii_lowercase, ascii_uppercase
from string import digits as figures
from typing import Any

from llm_contracts.simulator import shapes
from llm_contracts.simulator.dialect import (
    ChunkPart,
    Dialect,
    Framing,
    Json,
    Model,
    RefusalText,
    Stream,
    digits,
)
from llm_contracts.simulator.script import Refused, UsagePlacement
from llm_contracts.util.json_values import as_mapping

_METHOD = ":streamGenerateContent"
_TYPE = "type.googleapis.com/google.rpc."

# Requests


def _asked(path: str, body: Mapping[str, Any]) -> Json:
    model = path.rpartition("/models/")[2].removesuffix(_METHOD)
    config = {_camel(name): value for name, value in as_mapping(body.get("generationConfig")).items()}
    wants_json = config.get("responseMimeType") == "application/json"
    messages = [
        {"content": _text_of(one)} for one in (body.get("systemInstruction"), *body.get("contents", ()))
    ]
    return {
        "model": model,
        "stream": path.endswith(_METHOD),
        "messages": messages,
        "temperature": config.get("temperature"),
        "top_p": config.get("topP"),
        "max_tokens": config.get("maxOutputTokens"),
        "enable_thinking": as_mapping(config.get("thinkingConfig")).get("includeThoughts"),
        "response_format": {"type": "json_object"} if wants_json else None,
    }


def _camel(name: str) -> str:
    """Google reads either spelling of a name."""
    first, *rest = name.split("_")
    return first + "".join(word.title() for word in rest)


def _text_of(content: Any) -> str:
    parts: Iterable[Any] = as_mapping(content).get("parts", ())
    return "".join(str(as_mapping(part).get("text", "")) for part in parts)


# Answers


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

_KINDS = {403: "PERMISSION_DENIED", 404: "NOT_FOUND", 409: "ABORTED", 503: "UNAVAILABLE"}


def _words(status: int, kind: str, message: str, *details: Json) -> RefusalText:
    keys = ("code", "message", "status", *(("details",) if details else ()))
    return RefusalText(status=status, message=message, type=kind, code=status, details=details, keys=keys)


def _invalid(message: str, *details: Json) -> RefusalText:
    return _words(400, "INVALID_ARGUMENT", message, *details)


def _exceeded(per: str, most: str, *details: Json) -> RefusalText:
    violation = {"quotaId": f"GenerateRequestsPer{per}PerProjectPerModel-FreeTier", "quotaValue": most}
    failure = {"@type": f"{_TYPE}QuotaFailure", "violations": [violation]}
    return _words(429, "RESOURCE_EXHAUSTED", "You exceeded your current quota.", failure, *details)


_BAD_KEY: Json = {
    "@type": f"{_TYPE}ErrorInfo",
    "reason": "API_KEY_INVALID",
    "domain": "googleapis.com",
    "metadata": {"service": "generativelanguage.googleapis.com"},
}
_BLOCKED: Json = {
    "promptFeedback": {"blockReason": "SAFETY"},
    "usageMetadata": {"promptTokenCount": 12, "totalTokenCount": 12},
}
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
    Refused.RATE_LIMIT: _exceeded("Minute", "10", {"@type": f"{_TYPE}RetryInfo", "retryDelay": "1s"}),
    Refused.UNPAID: _exceeded("Day", "250"),
    Refused.SERVER_ERROR: _words(500, "INTERNAL", "An internal error has occurred."),
    Refused.UNAVAILABLE: _words(503, "UNAVAILABLE", "The model is overloaded. Please try again later."),
    Refused.PROMPT_FILTER: RefusalText(status=200, message="Blocked.", framed=True, event=_BLOCKED),
}


def _listing(models: Mapping[str, Model]) -> Json:
    methods = {
        **{name: ["generateContent", "countTokens"] for name in models},
        "gemini-embedding-001": ["embedContent"],
    }
    rows = [
        {"name": f"models/{name}", "displayName": name, "supportedGenerationMethods": can}
        for name, can in methods.items()
    ]
    return {"models": rows}


GEMINI = Dialect(
    name="gemini",
    base_path="/v1beta",
    chat_path="/models/{call}",
    key=lambda headers: headers.get("x-goog-api-key"),
    asked=_asked,
    models={
        "gemini-2.5-flash-lite": Model(answers="gemini-2.5-flash-lite"),
        "gemini-2.5-flash": Model(answers="gemini-2.5-flash"),
    },
    words=_WORDS,
    gateway=lambda status, message: _words(status, _KINDS.get(status, "UNKNOWN"), message),
    filter_finish="SAFETY",
    finishes={"stop": "STOP", "length": "MAX_TOKENS", "tool_calls": "STOP"},
    place=UsagePlacement.EVERY,
    always_totals=True,
    framing=Framing(newline="\r\n", colon=": ", done=None),
    stream_type="text/event-stream",
    json_type="application/json; charset=UTF-8",
    new_id=lambda seed: digits(f"{seed}/id", 22, f"{ascii_uppercase}{ascii_lowercase}{figures}-_"),
    thought=lambda piece: {"text": piece, "thought": True},
    text=lambda _stream, piece: {"text": piece},
    tool=lambda _stream, call: {
        "functionCall": {"name": call["function"].get("name", "weather"), "args": {}}
    },
    closing=lambda _stream: ({"text": ""},),
    # Thoughts are counted by themselves, and only the total has both.
    totals=lambda _stream, spent: {
        "promptTokenCount": spent.prompt,
        "candidatesTokenCount": spent.completion - spent.reasoning,
        "totalTokenCount": spent.prompt + spent.completion,
        **({"thoughtsTokenCount": spent.reasoning} if spent.reasoning else {}),
        "promptTokensDetails": [{"modality": "TEXT", "tokenCount": spent.prompt}],
    },
    chunk=_chunk,
    headers=lambda _seed: (
        shapes.DATE,
        ("Content-Disposition", "attachment"),
        ("Server", "scaffolding on HTTPServer2"),
    ),
    listing=_listing,
    document=lambda value: (
        json.dumps(value, ensure_ascii=False, indent=2) + ("\n" if "error" in value else "")
    ),
)
