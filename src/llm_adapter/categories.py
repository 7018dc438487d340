"""Which kind of trouble a failure is: by the provider's code first, then by its words, its status, its type.

Codes come from the providers' documentation and from answers seen in the wild.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from llm_adapter.errors import Category

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
    # Reasons why an answer without text ended
    **dict.fromkeys(
        ("sensitive", "safety", "prohibited_content", "blocklist", "spii", "recitation", "image_safety"),
        Category.CONTENT_POLICY,
    ),
    "insufficient_system_resource": Category.OVERLOADED,
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

# How general types, codes and HTTP's own words end, as OpenAI, Anthropic, vLLM and AWS spell them: letters
# alone, without `error` or `exception`. `server_overloaded` and `ModelTimeoutException` are two of these.
_BY_END: Mapping[str, Category] = {
    "authentication": Category.AUTHENTICATION,
    "unauthorized": Category.AUTHENTICATION,
    "unauthenticated": Category.AUTHENTICATION,
    "permission": Category.PERMISSION,
    "denied": Category.PERMISSION,
    "forbidden": Category.PERMISSION,
    "billing": Category.QUOTA,
    "quotaexceeded": Category.QUOTA,
    "ratelimit": Category.RATE_LIMIT,
    "ratelimited": Category.RATE_LIMIT,
    "ratelimitexceeded": Category.RATE_LIMIT,
    "throttled": Category.RATE_LIMIT,
    "throttling": Category.RATE_LIMIT,
    "toomanyrequests": Category.RATE_LIMIT,
    "notfound": Category.NOT_FOUND,
    "badrequest": Category.BAD_REQUEST,
    "invalidrequest": Category.BAD_REQUEST,
    "unprocessableentity": Category.BAD_REQUEST,
    "validation": Category.BAD_REQUEST,
    "requesttoolarge": Category.CONTEXT_LENGTH,
    "overloaded": Category.OVERLOADED,
    "serviceunavailable": Category.OVERLOADED,
    "timeout": Category.TIMEOUT,
}
_LIMITS = {"requests", "tokens"}  # what there were too many of is OpenAI's type of a rate limit

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
    ("Timeout", Category.TIMEOUT),  # what `requests` calls one
    ("APIConnectionError", Category.CONNECTION),
    ("NetworkError", Category.CONNECTION),
    ("TransportError", Category.CONNECTION),  # also for a body that ends before its end
    ("ConnectionError", Category.CONNECTION),
    ("ChunkedEncodingError", Category.CONNECTION),  # what `requests` calls such a body
    ("StreamError", Category.CONNECTION),
    ("UnicodeEncodeError", Category.BAD_REQUEST),  # half an emoji in a question: no request was made
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


def category_of(
    *,
    status: int | None,
    code: str | None,
    kind: str | None,
    message: str,
    in_band: bool,
    classes: Iterable[type],
) -> Category:
    """The category of a failure.

    Args:
        status: the HTTP status, where the failure came with one.
        code: the provider's code.
        kind: the provider's type of error.
        message: the provider's words.
        in_band: it came in the place of an answer, with a good status.
        classes: the classes of the client's exception.
    """
    status = status or http_status(code)
    spoken = _by_code(code) or _by_code(kind) or _by_text(message)
    if spoken is Category.SERVER and status is not None:
        spoken = None  # OpenAI says `server_error` with a 503 as well, where the status knows more
    if spoken is not None:
        return spoken
    if status is not None:
        return _by_status(status)
    if message or kind or code or in_band:
        # An error event in mid-stream: its type decides, which beside an HTTP status is too general.
        return next(filter(None, map(_by_end, (kind, code, message))), Category.SERVER)
    names = {cls.__name__ for cls in classes}
    return next((category for name, category in _BY_CLASS if name in names), Category.PROTOCOL)


def http_status(code: str | None) -> int | None:
    """The HTTP status that an error in the place of a chunk gives as its code."""
    return int(code) if code is not None and re.fullmatch("[45][0-9][0-9]", code) else None


def _by_code(code: str | None) -> Category | None:
    """Codes by their whole name, or by what stands before the first dot (Ark adds details after it)."""
    if code is None:
        return None
    name = code.lower()
    found = _BY_CODE.get(name) or _BY_CODE.get(name.partition(".")[0])
    if found is None and "ratelimitexceeded" in re.sub("[_-]", "", name):
        return Category.RATE_LIMIT
    if found is None and "perday" in name:  # Gemini names the quota: this one is full again tomorrow
        return Category.QUOTA
    return found


def _by_end(words: str | None) -> Category | None:
    letters = re.sub("[^a-z]", "", (words or "").lower())
    if letters in _LIMITS:
        return Category.RATE_LIMIT
    stem = letters.removesuffix("exception").removesuffix("error")
    return next((_BY_END[end] for end in _BY_END if stem.endswith(end)), None)


def _by_text(message: str) -> Category | None:
    lower = message.lower()
    return next((category for phrase, category in _BY_TEXT if phrase in lower), None)


def _by_status(status: int) -> Category:
    found = _BY_STATUS.get(status)
    if found is not None:
        return found
    if status < 400:  # noqa: PLR2004 (HTTP's own boundaries) a redirect is not an answer
        return Category.PROTOCOL
    return Category.SERVER if status >= 500 else Category.BAD_REQUEST  # noqa: PLR2004
