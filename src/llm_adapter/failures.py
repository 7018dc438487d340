"""Saying what went wrong: any client's exception, and any provider's way to word it, to one description.

Both backends end here with an exception of the same client library at the bottom of the chain, and only
that one is read: LiteLLM chooses its own classes by words found in the provider's text. Status and code
decide; text is only looked at where a provider gives nothing else. Codes come from the providers'
documentation and from answers seen in the wild.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llm_adapter.errors import Category, SettingsError
from llm_adapter.interruptions import interruption
from llm_adapter.redaction import chain
from llm_adapter.requests import TRANSPORT_PARAMS

_LONGEST_MESSAGE = 2000
_REDIRECTS = {301, 302, 303, 307, 308}
_REDIRECTED = "it redirects to another address, which nobody configured and no key is sent to"
_MESSAGES = ("message", "msg", "error_msg", "details", "detail")


class InBandError(Exception):
    """The provider answered 200 and then sent an error instead of, or in the middle of, the answer.

    Attributes:
        body: what it sent, an `error` envelope already taken off.
        request: the HTTP request it was the answer to, where that is known.
    """

    def __init__(self, body: Any, request: Any = None) -> None:
        super().__init__("the provider sent an error in the place of a chunk")
        self.body = body
        self.request = request


class NoAnswerError(Exception):
    """The provider answered 200, and what came is no answer: a page, an empty body, a stream of nothing.

    Attributes:
        body: what came, or what is missing.
        request: the HTTP request it was the answer to, where that is known.
    """

    def __init__(self, body: str, request: Any = None) -> None:
        super().__init__("what the provider sent is not an answer")
        self.body = {"message": body}
        self.request = request


class RefusedError(Exception):
    """The provider answered with a failing status, to a client that has no exceptions of its own for that.

    Attributes:
        status_code: the HTTP status.
        body: what it sent, with `code`, `type` and `message` where it has such things.
        attempts: how many requests were made.
        wait: how many seconds it asks to be left alone, or None.
    """

    def __init__(self, status_code: int, body: Any, *, attempts: int, wait: float | None = None) -> None:
        super().__init__(f"HTTP {status_code}")
        self.status_code = status_code
        self.body = body
        self.attempts = attempts
        self.wait = wait


class NotSentError(Exception):
    """The request cannot be made in this way, and was not; says why and what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.body = {"message": reason}


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """What went wrong, in terms that no client library and no provider decides."""

    category: Category
    status: int | None = None
    provider_code: str | None = None
    provider_message: str | None = None
    attempts: int | None = None
    request_id: str | None = None


_BY_CODE: Mapping[str, Category] = {
    # OpenAI, and those who took over its codes
    "invalid_api_key": Category.AUTHENTICATION,
    "insufficient_quota": Category.QUOTA,
    "rate_limit_exceeded": Category.RATE_LIMIT,
    "model_not_found": Category.NOT_FOUND,
    "context_length_exceeded": Category.CONTEXT_LENGTH,
    "string_above_max_length": Category.CONTEXT_LENGTH,
    "content_filter": Category.CONTENT_POLICY,
    "content_policy_violation": Category.CONTENT_POLICY,
    "invalid_prompt": Category.CONTENT_POLICY,
    "refusal": Category.CONTENT_POLICY,  # our own word for one that the model spoke itself
    "server_error": Category.SERVER,
    # Qwen, which is DashScope
    "arrearage": Category.QUOTA,
    "throttling.allocationquota": Category.QUOTA,
    "throttling.ratequota": Category.RATE_LIMIT,
    "throttling": Category.RATE_LIMIT,
    "limit_requests": Category.RATE_LIMIT,
    "data_inspection_failed": Category.CONTENT_POLICY,
    "datainspectionfailed": Category.CONTENT_POLICY,
    # ERNIE, which is Qianfan v2
    "tokens_too_long": Category.CONTEXT_LENGTH,
    "characters_too_long": Category.CONTEXT_LENGTH,
    "system_unsafe": Category.CONTENT_POLICY,
    "user_setting_unsafe": Category.CONTENT_POLICY,
    "functions_unsafe": Category.CONTENT_POLICY,
    "invalid_iam_token": Category.AUTHENTICATION,
    "no_parameter_permission": Category.PERMISSION,
    "invalid_model": Category.NOT_FOUND,
    # GLM, which is BigModel
    "1113": Category.QUOTA,
    "1211": Category.NOT_FOUND,
    "1220": Category.PERMISSION,
    "1261": Category.CONTEXT_LENGTH,
    "1301": Category.CONTENT_POLICY,
    "1302": Category.RATE_LIMIT,
    "1305": Category.OVERLOADED,
    "1308": Category.QUOTA,
    "1309": Category.QUOTA,
    "1310": Category.QUOTA,
    # Ark, which is Volcengine
    "accountoverdueerror": Category.QUOTA,
    "quotaexceeded": Category.QUOTA,
    "setlimitexceeded": Category.QUOTA,
    "serveroverloaded": Category.OVERLOADED,
    "modelnotopen": Category.PERMISSION,
    "inputtextsensitivecontentdetected": Category.CONTENT_POLICY,
    "outputtextsensitivecontentdetected": Category.CONTENT_POLICY,
    "sensitivecontentdetected": Category.CONTENT_POLICY,
    # SiliconFlow
    "20012": Category.NOT_FOUND,
    "20021": Category.CONTENT_POLICY,
    "30001": Category.QUOTA,
    "30014": Category.AUTHENTICATION,
    "50505": Category.OVERLOADED,
    "50602": Category.RATE_LIMIT,
    # Gemini: the reason or the general status, and the place where a blocked question is reported
    "api_key_invalid": Category.AUTHENTICATION,
    "unauthenticated": Category.AUTHENTICATION,
    "permission_denied": Category.PERMISSION,
    "failed_precondition": Category.PERMISSION,  # not in this country, or not without paying
    "resource_exhausted": Category.RATE_LIMIT,
    "unavailable": Category.OVERLOADED,
    "deadline_exceeded": Category.TIMEOUT,
    "internal": Category.SERVER,
    "promptfeedback": Category.CONTENT_POLICY,
    # ERNIE's first API, whose codes are small numbers: told together with whose they are
    **{
        f"ernie_v1:{code}": category
        for category, codes in {
            Category.AUTHENTICATION: (13, 14, 15, 100, 110, 111, "invalid_client", "expired_token"),
            Category.PERMISSION: (6, 336004, "unauthorized_client"),
            Category.QUOTA: (17, 19),
            Category.RATE_LIMIT: (4, 18, 336501, 336502),
            Category.OVERLOADED: (2, 336100),
            Category.NOT_FOUND: (3, 336005),
            Category.SERVER: (1, 336000, 500000),
            Category.BAD_REQUEST: (336001, 336002, 336003, 336101, 336104, 336105),
            Category.CONTEXT_LENGTH: ("too_long",),  # which is 336003 as well
        }.items()
        for code in codes
    },
    # MiniMax, likewise
    **{
        f"minimax:{code}": category
        for category, codes in {
            Category.AUTHENTICATION: (1004, 2049),
            Category.QUOTA: (1008, 2056),
            Category.RATE_LIMIT: (1002, 1041),
            Category.TIMEOUT: (1001,),
            Category.CONTEXT_LENGTH: (1039,),
            Category.CONTENT_POLICY: (1026, 1027),
            Category.BAD_REQUEST: (2013,),
        }.items()
        for code in codes
    },
    # Dify, likewise: its `rate_limit_error` is about what a plan allows, others' is about speed
    **{
        f"dify:{code}": category
        for category, codes in {
            Category.AUTHENTICATION: ("unauthorized",),
            Category.PERMISSION: ("forbidden", "workflow_version_execution_not_allowed"),
            Category.QUOTA: ("provider_quota_exceeded", "rate_limit_error"),
            Category.RATE_LIMIT: ("too_many_requests",),
            Category.NOT_FOUND: ("not_found",),
            Category.SERVER: ("internal_server_error", "completion_request_error", "workflow_failed"),
            Category.CONTENT_POLICY: ("message_replace",),
            Category.BAD_REQUEST: (
                "invalid_param",
                "bad_request",
                "app_unavailable",
                "not_chat_app",
                "provider_not_initialize",
                "model_currently_not_support",
                "conversation_completed",
                "agent_not_published",
                "file_too_large",
                "unsupported_file_type",
                "workflow_paused",
            ),
        }.items()
        for code in codes
    },
}

_BY_STATUS: Mapping[int, Category] = {
    401: Category.AUTHENTICATION,
    402: Category.QUOTA,
    403: Category.PERMISSION,
    404: Category.NOT_FOUND,
    408: Category.TIMEOUT,
    413: Category.CONTEXT_LENGTH,
    429: Category.RATE_LIMIT,
    434: Category.PERMISSION,  # GLM: no access to the API
    451: Category.CONTENT_POLICY,
    503: Category.OVERLOADED,
    504: Category.TIMEOUT,
    529: Category.OVERLOADED,
}

# General types, by OpenAI's, Anthropic's and vLLM's spelling of them without underscores.
_BY_TYPE: Mapping[str, Category] = {
    "authenticationerror": Category.AUTHENTICATION,
    "permissionerror": Category.PERMISSION,
    "permissiondeniederror": Category.PERMISSION,
    "billingerror": Category.QUOTA,
    "ratelimiterror": Category.RATE_LIMIT,
    "tokens": Category.RATE_LIMIT,
    "requests": Category.RATE_LIMIT,
    "notfounderror": Category.NOT_FOUND,
    "badrequesterror": Category.BAD_REQUEST,
    "invalidrequesterror": Category.BAD_REQUEST,
    "requesttoolarge": Category.CONTEXT_LENGTH,
    "overloadederror": Category.OVERLOADED,
    "timeouterror": Category.TIMEOUT,
}

# Where neither status nor code tells. Each phrase is one provider's whole answer to one question.
_BY_TEXT: tuple[tuple[str, Category], ...] = (
    ("content exists risk", Category.CONTENT_POLICY),  # DeepSeek, 400, code says only invalid_request_error
    ("maximum context length", Category.CONTEXT_LENGTH),  # DeepSeek, 400, likewise
    ("range of input length", Category.CONTEXT_LENGTH),  # Qwen, 400 invalid_parameter_error
    ("less than max_seq_len", Category.CONTEXT_LENGTH),  # SiliconFlow, 400, 20015 is any parameter
    ("inappropriate content", Category.CONTENT_POLICY),  # Qwen, without a code on older models
    ("account balance is insufficient", Category.QUOTA),  # SiliconFlow, 403 without a code
    ("exceeds the maximum number of tokens", Category.CONTEXT_LENGTH),  # Gemini, 400 INVALID_ARGUMENT
)

# Names of exception classes, since openai 2 stands on httpx and openai 3 on httpx2.
_BY_CLASS: tuple[tuple[str, Category], ...] = (
    ("APITimeoutError", Category.TIMEOUT),
    ("TimeoutException", Category.TIMEOUT),
    ("TimeoutError", Category.TIMEOUT),
    ("APIConnectionError", Category.CONNECTION),
    ("NetworkError", Category.CONNECTION),
    ("TransportError", Category.CONNECTION),  # also for a body that ends before its end
    ("ConnectionError", Category.CONNECTION),
    ("ChunkedEncodingError", Category.CONNECTION),  # what `requests` calls such a body
    ("StreamError", Category.CONNECTION),
    ("ValueError", Category.PROTOCOL),  # JSON and UTF-8 that cannot be decoded
    ("TypeError", Category.BAD_REQUEST),  # a parameter that the client library does not know
)

# People read these. Which library met the failure, and what that calls it, is in the cause.
WORDS: Mapping[Category, str] = {
    Category.AUTHENTICATION: "the key was refused",
    Category.PERMISSION: "the key does not allow this",
    Category.QUOTA: "the allowance is used up",
    Category.RATE_LIMIT: "too many requests",
    Category.NOT_FOUND: "no such model or address",
    Category.BAD_REQUEST: "the request cannot be made or was refused",
    Category.CONTEXT_LENGTH: "the request is too long",
    Category.CONTENT_POLICY: "the content was refused",
    Category.OVERLOADED: "the service is overloaded",
    Category.SERVER: "the service failed",
    Category.TIMEOUT: "no answer in time",
    Category.CONNECTION: "the connection failed or broke off",
    Category.PROTOCOL: "the answer cannot be understood",
    Category.CANCELLED: "the call was cancelled",
    Category.CONFIGURATION: "the settings make no sense",
}
"""What a failure is called where the provider has said nothing."""


def describe(error: BaseException, *, attempts: int | None = None) -> Failure:
    """Say what went wrong.

    Args:
        error: what the client raised.
        attempts: the requests made, where the caller knows; otherwise the exception is asked.
    """
    source = origin(error)
    if isinstance(source, SettingsError):
        return Failure(category=Category.CONFIGURATION, provider_message=str(source))
    status = _status(source)
    body = _parsed(getattr(source, "body", None))
    code, kind, message = _parse_error(body)
    if status in _REDIRECTS:  # what is written on the page says no more than where it leads
        message = _REDIRECTED
    return Failure(
        category=_category(source, status, code, kind, message),
        status=status,
        provider_code=code,
        provider_message=message or None,
        attempts=attempts or _attempts(source),
        request_id=request_id(getattr(getattr(source, "response", None), "headers", None)),
    )


def request_id(headers: Any) -> str | None:
    """The provider's id of a request, from the headers of its answer."""
    return next((headers[name] for name in _REQUEST_IDS if name in headers), None) if headers else None


def unsendable(error: BaseException, params: Mapping[str, Any]) -> str | None:
    """Which parameters kept a request from being made: those that are not JSON. None if it was not that."""
    if not isinstance(origin(error), TypeError):
        return None
    names = [name for name, value in params.items() if name not in TRANSPORT_PARAMS and not _is_json(value)]
    return f"not JSON: {', '.join(names)}" if names else None


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


# OpenAI and most others; SiliconFlow; DeepSeek.
_REQUEST_IDS = ("x-request-id", "request-id", "x-siliconcloud-trace-id", "x-ds-trace-id")


def origin(error: BaseException) -> BaseException:
    """The exception to read, and to name as the cause: the SDK's own where there is one.

    LiteLLM wraps it twice, and its copies lose code, body and request. In mid-stream there may be none: then
    it is the HTTP library's, whose upper layer knows the request.
    """
    links = [link for link in chain(error) if _library(link) != "litellm"] or [error]
    return next((link for link in links if _library(link) == "openai"), links[0])


def is_broken_connection(error: BaseException) -> bool:
    """Whether the way to the provider failed. What cannot be understood comes again the same way."""
    if interruption(error) is not None:
        return False
    return describe(error).category is Category.CONNECTION and _status(error) is None


def in_band(body: Any, *, request: Any = None) -> InBandError | None:
    """The error that a decoded event or answer is, or None if it is none.

    An envelope has an `error`; some send code and message bare, or a code of HTTP's alone. SiliconFlow's
    `code`, ERNIE's `error_code` and MiniMax's `status_code` are numbers; a code of 0 says that all is well.
    """
    if not isinstance(body, Mapping) or body.get("choices"):
        return None
    if body.get("error"):
        return InBandError(body["error"], request)
    base = body.get("base_resp")
    if isinstance(base, Mapping) and base.get("status_code"):
        code = base["status_code"]
        message = base.get("status_msg") or ""
        return InBandError({"code": code, "type": f"minimax:{code}", "message": message}, request)
    code, _, message = _parse_error(body)
    if ((code or body.get("error_msg")) and message) or _http_status(code) or body.get("object") == "error":
        return InBandError(body, request)
    return None


def _library(link: BaseException) -> str:
    return type(link).__module__.partition(".")[0]


def _status(error: BaseException) -> int | None:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def _attempts(error: BaseException) -> int | None:
    counted = getattr(error, "attempts", None)
    if isinstance(counted, int):
        return counted
    try:
        request: Any = error.request  # type: ignore[attr-defined]
        return int(request.headers.get("x-stainless-retry-count", "0")) + 1
    except (AttributeError, RuntimeError, ValueError):  # httpx raises RuntimeError where there was no request
        return None


def _parsed(body: Any) -> Any:
    """A body that the client library could not read: DashScope frames a 400 as a server-sent event."""
    if not isinstance(body, str):
        return body
    text = body.strip().removeprefix("data:").strip()
    try:
        parsed = json.loads(text)
    except ValueError:
        return body
    return parsed.get("error") or parsed if isinstance(parsed, dict) else parsed


def _parse_error(body: Any) -> tuple[str | None, str | None, str]:
    """The provider's code, type and message, wherever in the body it puts them."""
    if isinstance(body, str):  # SiliconFlow answers bare JSON strings; gateways answer pages
        return None, None, body.strip()[:_LONGEST_MESSAGE]
    if isinstance(body, list) and body:
        return _parse_error(body[0])
    if not isinstance(body, Mapping):
        return None, None, ""
    if isinstance(body.get("error"), (Mapping, str)):
        return _parse_error(body["error"])
    message = next((body[name] for name in _MESSAGES if body.get(name)), "")
    code = _text(body.get("code")) or _text(body.get("error_code"))
    return code, _text(body.get("type")), str(message)[:_LONGEST_MESSAGE]


def _http_status(code: str | None) -> int | None:
    """The HTTP status that an error in the place of a chunk gives as its code."""
    return int(code) if code is not None and re.fullmatch("[45][0-9][0-9]", code) else None


def _text(value: Any) -> str | None:
    return str(value) if isinstance(value, (str, int)) and value not in {"", 0} else None


def _category(
    error: BaseException, status: int | None, code: str | None, kind: str | None, message: str
) -> Category:
    if isinstance(error, NotSentError):
        return Category.BAD_REQUEST
    if isinstance(error, NoAnswerError):
        return Category.PROTOCOL
    status = status or _http_status(code)
    spoken = _by_code(code) or _by_code(kind) or _by_text(message)
    if spoken is Category.SERVER and status is not None:
        spoken = None  # OpenAI says `server_error` with a 503 as well, where the status knows more
    if spoken is not None:
        return spoken
    if status is not None:
        return _by_status(status)
    if message or isinstance(error, InBandError):
        # An error event in mid-stream: its type decides, which beside an HTTP status is too general.
        return _BY_TYPE.get((kind or "").lower().replace("_", ""), Category.SERVER)
    names = {cls.__name__ for cls in type(error).__mro__}
    return next((category for name, category in _BY_CLASS if name in names), Category.PROTOCOL)


def _by_code(code: str | None) -> Category | None:
    """Codes by their whole name, or by what stands before the first dot (Ark adds details after it)."""
    if code is None:
        return None
    name = code.lower()
    found = _BY_CODE.get(name) or _BY_CODE.get(name.partition(".")[0])
    if found is None and "ratelimitexceeded" in name.replace("_", ""):
        return Category.RATE_LIMIT
    if found is None and "perday" in name:  # Gemini names the quota: this one is full again tomorrow
        return Category.QUOTA
    return found


def _by_text(message: str) -> Category | None:
    lower = message.lower()
    return next((category for phrase, category in _BY_TEXT if phrase in lower), None)


def _by_status(status: int) -> Category:
    found = _BY_STATUS.get(status)
    if found is not None:
        return found
    if status < 400:  # noqa: PLR2004 (HTTP's own boundaries) a redirect is no answer
        return Category.PROTOCOL
    return Category.SERVER if status >= 500 else Category.BAD_REQUEST  # noqa: PLR2004
