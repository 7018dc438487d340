"""Google's own protocol: what LiteLLM's `gemini` provider needs to be given, and what Google's answers say.

LiteLLM writes the request: address, headers, contents, generation settings. Its reading of the answer is not
used: it adds thoughts to the answer's tokens, says `stop` where Google gave no reason or one that it does not
know, takes a blocked prompt for an answer, and loses the separators of lines that only Unicode knows.

Google counts thoughts apart from `candidatesTokenCount`; here they are a part of `output`, as elsewhere.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import deepcopy
from typing import Any
from urllib.parse import quote, urlencode

from llm_adapter.backends.retrying_client import Request, Response, json_object
from llm_adapter.backends.stream_reader import EventReader
from llm_adapter.chunks import Chunk, ToolPart, counts, details
from llm_adapter.failures import InBandError, NotSentError
from llm_adapter.requests import TRANSPORT_PARAMS, Outgoing

# What LiteLLM has a place for in Google's request. All else it drops without a word.
_TRANSLATED = frozenset(
    {
        "temperature",
        "top_p",
        "max_tokens",
        "max_completion_tokens",
        "n",
        "stop",
        "seed",
        "logprobs",
        "top_logprobs",
        "frequency_penalty",
        "presence_penalty",
        "response_format",
        "modalities",
        "tools",
        "tool_choice",
        "reasoning_effort",
        "thinking",
    }
)
_UNDERSTOOD = _TRANSLATED | TRANSPORT_PARAMS | {"extra_body", "stream_options"}
_BY_ANY_NAME = {"allowed_openai_params": ["reasoning_effort", "thinking"]}

# What goes to Google past LiteLLM, which would write a warning into the log for every call that has them.
_SETTINGS = {"temperature": "temperature", "top_p": "topP"}

_TOTALS = {
    "promptTokenCount": "input",
    "candidatesTokenCount": "output",
    "totalTokenCount": "total",
    "cachedContentTokenCount": "input_cached_tokens",
    "thoughtsTokenCount": "output_reasoning_tokens",
}


def arguments(outgoing: Outgoing) -> dict[str, Any]:
    """What LiteLLM is given to translate; `build_request` adds what is not for it to write.

    Raises:
        NotSentError: a parameter has no place in Google's request, or the model's name none in its address.
    """
    if quote(outgoing.model, safe="") != outgoing.model:
        raise NotSentError(f"{outgoing.model!r} is not a model's name: it stands in the address, as one part")
    strange = ", ".join(sorted(outgoing.params.keys() - _UNDERSTOOD))
    if strange:
        raise NotSentError(f"Gemini takes no {strange}; put Google's own names into extra_body")
    translated = _TRANSLATED - _SETTINGS.keys()
    given = {name: deepcopy(value) for name, value in outgoing.params.items() if name in translated}
    headers = outgoing.params.get("extra_headers")
    return {
        **given,
        **_BY_ANY_NAME,
        "messages": _conversation(outgoing.messages),
        "stream": True,
        **({"extra_headers": dict(headers)} if headers else {}),
    }


def build_request(url: str, headers: Mapping[str, str], body: str, outgoing: Outgoing) -> Request:
    """The request that LiteLLM wrote, with what is not for it to write: system texts, the caller's own body,
    timeout and query. LiteLLM takes a body of the caller's own for Gemini since 1.83 only, and puts system
    texts into the first question for every model that is missing from its price list.

    And without what it adds: a temperature of 1 for every model that it takes for a new one.
    """
    query = outgoing.params.get("extra_query")
    more = f"&{urlencode(query, doseq=True)}" if query else ""
    written = json.loads(body)
    settings = written.pop("generationConfig", {})
    settings.pop("temperature", None)
    own = {**_instruction(outgoing.messages), **_own_body(outgoing.params)}
    settings |= own.pop("generationConfig", {})
    for name, value in own.items():
        both = isinstance(value, dict) and isinstance(written.get(name), dict)
        written[name] = {**written[name], **value} if both else value
    body = json.dumps({**written, **({"generationConfig": settings} if settings else {})})
    return Request(url=url + more, headers=headers, body=body, timeout=outgoing.params.get("timeout"))


def _own_body(params: Mapping[str, Any]) -> dict[str, Any]:
    """What is not for LiteLLM to write. Of two settings of one name the caller's own `extra_body` wins."""
    body = deepcopy(dict(params.get("extra_body") or {}))
    settings = {theirs: params[ours] for ours, theirs in _SETTINGS.items() if params.get(ours) is not None}
    settings |= body.pop("generationConfig", {})
    return {**body, **({"generationConfig": settings} if settings else {})}


def _instruction(messages: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """System texts as Google wants them; nothing where there is no conversation besides."""
    texts = [text for message in messages if _is_system(message) for text in _texts(message)]
    if not texts or all(map(_is_system, messages)):
        return {}
    return {"systemInstruction": {"parts": [{"text": text} for text in texts]}}


def _conversation(messages: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """What is not in the instruction, for LiteLLM to translate."""
    apart = bool(_instruction(messages))
    return [deepcopy(dict(message)) for message in messages if not (apart and _is_system(message))]


def _is_system(message: Mapping[str, Any]) -> bool:
    return message.get("role") == "system"


def _texts(message: Mapping[str, Any]) -> Iterator[str]:
    content = message.get("content")
    parts = content if isinstance(content, list) else [{"text": content}]
    yield from (str(part["text"]) for part in parts if isinstance(part.get("text"), str))


# Answers


def reader(response: Any) -> EventReader:
    """Reads the answer's pieces.

    Raises, when it reads:
        InBandError: Google sent an error, or blocked the question, in place of the answer.
        ValueError: what it sent is not JSON.
    """
    own = frozenset({"candidates", "error", "promptFeedback", "usageMetadata"})
    return EventReader(read=lambda data: (_chunk(data, response.request),), own=own, response=response)


def _chunk(data: Any, request: Any) -> Chunk:
    data = json_object(data[0] if isinstance(data, list) and data else data)
    if data.get("error"):
        raise InBandError(error_document(data), request)
    candidate: Mapping[str, Any] = next(iter(data.get("candidates") or ()), {})
    feedback = data.get("promptFeedback") or {}
    if feedback.get("blockReason") and not candidate:
        raise InBandError(_blocked(feedback), request)
    return Chunk(
        id=data.get("responseId") or "",
        text=_said(candidate, thought=False),
        reasoning=_said(candidate, thought=True),
        finish_reason=candidate.get("finishReason") or None,
        model=data.get("modelVersion") or "",
        tool_calls=tuple(_tool_parts(candidate)),
        usage=_usage(data.get("usageMetadata")),
        details=details(data.get("usageMetadata")),
    )


def _tool_parts(candidate: Mapping[str, Any]) -> Iterator[ToolPart]:
    """Google sends each call whole, and mostly without an id: each is one of its own."""
    for part in (candidate.get("content") or {}).get("parts") or ():
        call = part.get("functionCall")
        if call:
            arguments = json.dumps(call.get("args") or {}, ensure_ascii=False)
            yield ToolPart(object(), call.get("id") or "", call.get("name") or "", arguments)


def _said(candidate: Mapping[str, Any], *, thought: bool) -> str:
    parts = (candidate.get("content") or {}).get("parts") or ()
    return "".join(part.get("text") or "" for part in parts if bool(part.get("thought")) is thought)


def _usage(counted: Mapping[str, Any] | None) -> dict[str, float] | None:
    if counted is None:
        return None
    found = counts({name: counted.get(theirs) for theirs, name in _TOTALS.items()})
    if "output_reasoning_tokens" in found:
        found["output"] = found.get("output", 0) + found["output_reasoning_tokens"]
    return found


def _blocked(feedback: Mapping[str, Any]) -> dict[str, Any]:
    reason = feedback["blockReason"]
    message = feedback.get("blockReasonMessage") or f"the prompt was blocked: {reason}"
    return {"code": reason, "type": "promptFeedback", "message": message}


# Refusals


def error_document(document: Any) -> Any:
    """A refusal as `failures` reads one: the most telling code first, Google's general word as the type."""
    document = document[0] if isinstance(document, list) and document else document
    error = document.get("error") if isinstance(document, Mapping) else None
    if not isinstance(error, Mapping):
        return document
    status = error.get("status")
    code = _reason(error) or status or error.get("code")
    return {"code": code, "type": status, "message": error.get("message") or ""}


def _reason(error: Mapping[str, Any]) -> str | None:
    """The reason of `ErrorInfo`, or which quota is used up."""
    for detail in _details({"error": error}):
        if isinstance(detail.get("reason"), str):
            return str(detail["reason"])
        for violation in detail.get("violations") or ():
            if isinstance(violation.get("quotaId"), str):
                return str(violation["quotaId"])
    return None


def _details(document: Any) -> Iterator[Mapping[str, Any]]:
    error = document.get("error") if isinstance(document, Mapping) else None
    details = error.get("details") if isinstance(error, Mapping) else None
    yield from (detail for detail in details or () if isinstance(detail, Mapping))


# Models

_KEY_HEADER = "x-goog-api-key"
_PAGE = 1000


def list_models(
    send: Callable[[Request], Response], base_url: str, api_key: str, patience: float
) -> Iterator[str]:
    """The names of all models that can be asked for text, page by page; `patience`: seconds for each."""
    token = ""
    while True:
        query = urlencode({"pageSize": _PAGE, **({"pageToken": token} if token else {})})
        url = f"{base_url.rstrip('/')}/models?{query}"
        asked = Request(url=url, headers={_KEY_HEADER: api_key}, timeout=patience)
        page = _read(send(asked))
        yield from (
            model["name"].removeprefix("models/")
            for model in page["models"]
            if "generateContent" in model.get("supportedGenerationMethods", ())
        )
        token = page.get("nextPageToken") or ""
        if not token:
            return


def _read(answer: Response) -> Mapping[str, Any]:
    try:
        answer.response.read()
        page: Mapping[str, Any] = answer.response.json()
    finally:
        answer.response.close()
    return page
