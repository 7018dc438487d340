"""A second opinion on Gemini, written by hand from Google's documentation: no client library, no LiteLLM.

No legacy client calls Gemini, so none can say what the new client must do. This one can: it asks with the
standard library, reads the events itself, and hands on and reports to telemetry what our product would. It
shares no code with the product, and so none of its mistakes.
"""

from __future__ import annotations

import http.client
import json
import time
from codecs import BOM_UTF8
from collections.abc import Iterator, Mapping
from contextlib import closing
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from llm_contracts import Call, Function

Json = dict[str, Any]

_ATTEMPTS = 3
_TIMEOUT_S = 30.0

# Google reads either spelling of its names; the product's is used here, so that the values can be compared.
_SETTINGS = {"temperature": "temperature", "top_p": "topP", "max_tokens": "max_output_tokens"}
_BUDGETS = {"low": 1024, "medium": 2048, "high": 4096}


class GeminiError(Exception):
    """A failed call, as the product describes one."""

    code = "server.llm.requestFailed"

    def __init__(
        self, category: str, *, status: int | None, provider_code: str | None, attempts: int
    ) -> None:
        super().__init__(f"gemini: {category} ({status}, {provider_code})")
        self.category = category
        self.status = status
        self.provider_code = provider_code
        self.attempts = attempts


_BLOCKED = {"SAFETY", "RECITATION", "BLOCKLIST", "PROHIBITED_CONTENT", "SPII", "IMAGE_SAFETY"}
"""Of Google's finish reasons (ai.google.dev/api/generate-content) those that are about what was said."""


@dataclass(slots=True)
class Told:
    """What telemetry is told in the end."""

    output: str = ""
    reasoning: str = ""
    usage: Json = field(default_factory=dict)


def gemini_direct(call: Call) -> Iterator[Any]:
    """Make the call."""
    if call.function is Function.LIST_MODELS:
        yield from _models(call)
        return
    told = Told()
    try:
        yield from _pieces(call, told)
    except GeminiError as error:
        call.telemetry(_generation(call, told, level="ERROR", status_message=str(error)))
        raise
    except GeneratorExit:
        call.telemetry(_generation(call, told, level="WARNING", status_message="the caller has left"))
        raise
    call.telemetry(_generation(call, told))


def _pieces(call: Call, told: Told) -> Iterator[Json]:
    target = f"/models/{call.model}:streamGenerateContent?alt=sse"
    with closing(_answer(call, "POST", target, _body(call))) as opened:
        said, end = False, None
        for event in opened.events():
            candidate = _candidate(event, opened.attempts)
            parts = candidate.get("content", {}).get("parts", [])
            said = said or any(part.get("text") or "functionCall" in part for part in parts)
            end = candidate.get("finishReason", end)
            text = "".join(part.get("text", "") for part in parts if not part.get("thought"))
            told.output += text
            told.reasoning += "".join(part.get("text", "") for part in parts if part.get("thought"))
            told.usage = event.get("usageMetadata", told.usage)
            if text:
                finish = candidate.get("finishReason")
                yield {
                    "id": event.get("responseId", ""),
                    "result": text,
                    "is_end": finish is not None,
                    "is_truncated": False,
                    "finish_reason": finish,
                    "usage": None,
                }
    if not said and end not in {"STOP", "MAX_TOKENS"}:
        # Without a reason the model "has not stopped generating tokens" (ai.google.dev/api/generate-content).
        category = "protocol" if end is None else "content_policy" if end in _BLOCKED else "server"
        raise GeminiError(category, status=None, provider_code=end, attempts=opened.attempts)


def _candidate(event: Json, attempts: int) -> Json:
    if "error" in event:
        raise _failed(None, event, attempts)
    candidates = event.get("candidates", [])
    reason = event.get("promptFeedback", {}).get("blockReason")
    if reason and not candidates:
        raise GeminiError("content_policy", status=None, provider_code=reason, attempts=attempts)
    return dict(candidates[0]) if candidates else {}


# Requests


def _body(call: Call) -> Json:
    params = {"temperature": 0.8, **call.params} if call.function is Function.INVOKE else dict(call.params)
    settings: Json = {theirs: params[ours] for ours, theirs in _SETTINGS.items() if ours in params}
    if params.get("response_format") == {"type": "json_object"}:
        settings["response_mime_type"] = "application/json"
    if "reasoning_effort" in params:
        budget = _BUDGETS[params["reasoning_effort"]]
        settings["thinkingConfig"] = {"thinkingBudget": budget, "includeThoughts": True}
    system = [part for message in call.messages if message["role"] == "system" for part in _parts(message)]
    return {
        "contents": [_content(message) for message in call.messages if message["role"] != "system"],
        **({"systemInstruction": {"parts": system}} if system else {}),
        **({"generationConfig": settings} if settings else {}),
        **({"tools": _tools(params["tools"])} if "tools" in params else {}),
    }


def _content(message: Mapping[str, Any]) -> Json:
    return {"role": "model" if message["role"] == "assistant" else "user", "parts": _parts(message)}


def _parts(message: Mapping[str, Any]) -> list[Json]:
    content = message["content"]
    return [{"text": content}] if isinstance(content, str) else [{"text": part["text"]} for part in content]


def _tools(tools: list[Json]) -> list[Json]:
    return [{"function_declarations": [tool["function"] for tool in tools]}]


@dataclass(frozen=True, slots=True)
class _Opened:
    response: http.client.HTTPResponse
    connection: http.client.HTTPConnection
    attempts: int

    def close(self) -> None:
        self.connection.close()

    def document(self) -> Any:
        return json.loads(self.response.read())

    def events(self) -> Iterator[Json]:
        """Each event's data; a whole document in the place of events is one, too."""
        try:
            if self.response.headers.get_content_type() == "application/json":
                yield self.document()
                return
            for line in self._lines():
                data = line.strip().removeprefix(b"data:")
                if line.startswith(b"data:") and data:
                    yield json.loads(data)
        except (http.client.HTTPException, OSError) as error:
            raise _unheard(error, self.attempts) from error
        except ValueError as error:
            raise GeminiError("protocol", status=None, provider_code=None, attempts=self.attempts) from error

    def _lines(self) -> Iterator[bytes]:
        """Read by pieces: read by lines, a body that is cut ends as if it were whole."""
        rest, begun = b"", False
        while piece := self.response.read1():
            lines = (rest + piece).splitlines(keepends=True)
            rest = b"" if lines[-1].endswith((b"\n", b"\r")) else lines.pop()
            if lines and not begun:
                begun, lines[0] = True, lines[0].removeprefix(BOM_UTF8)
            yield from lines
        if rest:
            yield rest


def _unheard(error: Exception, attempts: int) -> GeminiError:
    """The failure of a call to which no answer, or not all of one, came."""
    category = "timeout" if isinstance(error, TimeoutError) else "connection"
    return GeminiError(category, status=None, provider_code=None, attempts=attempts)


def _answer(call: Call, method: str, target: str, body: Json | None = None) -> _Opened:
    """The answer, after at most two more attempts where trouble passes and the caller's time allows them."""
    ends = time.monotonic() + call.params.get("timeout", _TIMEOUT_S)
    for attempt in range(1, _ATTEMPTS + 1):
        try:
            opened = _sent(call, method, target, body, attempt)
        except (http.client.HTTPException, OSError) as error:
            pause = 0.45 * 2.0 ** (attempt - 1)
            if attempt == _ATTEMPTS or time.monotonic() + pause >= ends:
                raise _unheard(error, attempt) from error
            time.sleep(pause)
            continue
        status = opened.response.status
        if status == 200:
            return opened
        with closing(opened):
            told = _read(opened)
        passes = status in {408, 409, 429} or status >= 500
        pause = _pause(opened.response, told, attempt) if passes else 0.0
        late = "timeout" in call.params and time.monotonic() + pause >= ends
        if attempt == _ATTEMPTS or late or not passes:
            raise _failed(status, told, attempt)
        time.sleep(pause)
    raise AssertionError("the last attempt returns or raises")


def _sent(call: Call, method: str, target: str, body: Json | None, attempt: int) -> _Opened:
    address = urlsplit(call.base_url)
    # Looked up for each call: who plays recordings within the process replaces these classes.
    kinds = {"http": http.client.HTTPConnection, "https": http.client.HTTPSConnection}
    patience = call.params.get("timeout", _TIMEOUT_S)
    connection = kinds[address.scheme](address.netloc, timeout=patience)
    headers = {"x-goog-api-key": call.api_key, **({"Content-Type": "application/json"} if body else {})}
    data = json.dumps(body).encode() if body else None
    try:
        connection.request(method, address.path + target, body=data, headers=headers)
        return _Opened(connection.getresponse(), connection, attempt)
    except BaseException:
        connection.close()
        raise


def _pause(response: http.client.HTTPResponse, told: Json, attempt: int) -> float:
    named = response.headers.get("retry-after")
    if named:
        return float(named)
    for detail in told["error"].get("details", []):
        if "retryDelay" in detail:
            return float(detail["retryDelay"].rstrip("s"))
    return 0.45 * 2.0 ** (attempt - 1)


# Refusals

_BY_WORD = {
    "API_KEY_INVALID": "authentication",
    "PERMISSION_DENIED": "permission",
    "NOT_FOUND": "not_found",
    "UNAVAILABLE": "overloaded",
    "INTERNAL": "server",
}
_BY_STATUS = {400: "bad_request", 404: "not_found", 408: "timeout", 409: "bad_request", 422: "bad_request"}
_OVERLOADED = {503, 529}


def _read(opened: _Opened) -> Json:
    try:
        told = opened.document()
    except ValueError:  # a page of a gateway
        return {"error": {}}
    return dict(told)


def _failed(status: int | None, told: Json, attempts: int) -> GeminiError:
    error = told["error"]
    details = error.get("details", [])
    reason = next((detail["reason"] for detail in details if "reason" in detail), None)
    quotas = [one["quotaId"] for detail in details for one in detail.get("violations", [])]
    word = reason or (quotas[0] if quotas else None) or error.get("status")
    category = _category(status, str(word), error.get("message", ""))
    return GeminiError(category, status=status, provider_code=word, attempts=attempts)


def _category(status: int | None, word: str, message: str) -> str:
    if "PerDay" in word:
        return "quota"
    if "PerMinute" in word:
        return "rate_limit"
    if word in _BY_WORD:
        return _BY_WORD[word]
    if "input token count" in message:
        return "context_length"
    return "overloaded" if status in _OVERLOADED else _BY_STATUS.get(status or 0, "server")


# Telemetry and models

_COUNTS = {
    "input": "promptTokenCount",
    "output": "candidatesTokenCount",
    "total": "totalTokenCount",
    "input_cached_tokens": "cachedContentTokenCount",
    "output_reasoning_tokens": "thoughtsTokenCount",
}


def _generation(call: Call, told: Told, **more: Any) -> Json:
    usage = {name: told.usage[theirs] for name, theirs in _COUNTS.items() if theirs in told.usage}
    return {
        "name": "invoke_llm" if call.function is Function.INVOKE else "user_follow_ask",
        "model": call.model,
        "input": [dict(message) for message in call.messages],
        # As the ear of the other client hears it: text that looks like JSON is taken for JSON.
        "output": _told_output(told.output),
        **({"usage": usage} if usage else {}),
        "metadata": {"reasoning": told.reasoning} if told.reasoning else {},
        "ended": True,
        **more,
    }


def _models(call: Call) -> Iterator[str]:
    """A listing that fails is an empty one, as the product has it."""
    token: str | None = ""
    while token is not None:
        more = f"&pageToken={token}" if token else ""
        try:
            with closing(_answer(call, "GET", f"/models?pageSize=1000{more}")) as opened:
                page = opened.document()
        except GeminiError:
            return
        for model in page["models"]:
            name = model["name"].removeprefix("models/")
            if "generateContent" in model["supportedGenerationMethods"] and name.startswith("gemini"):
                yield name
        token = page.get("nextPageToken")


def _told_output(text: str) -> Any:
    """A whole JSON object as Langfuse shows it; what is left of one that was cut short, as text."""
    try:
        return json.loads(text) if text.startswith("{") else text
    except ValueError:
        return text
