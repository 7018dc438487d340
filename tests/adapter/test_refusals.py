"""Every refusal a provider is known to send becomes one description, the same on both backends."""

from __future__ import annotations

from typing import Any

import pytest

from llm_adapter import Category, RequestFailedError
from tests.adapter.conftest import MakeAdapter
from tests.adapter.provider import Provider, document, error

C = Category
INVALID = "invalid_request_error"
PARAMETER = "invalid_parameter_error"
CUT_SHORT = "Could not finish the message because max_tokens or model output limit was reached."
TOO_LONG = "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 9]"

# What was asked for, the answer's status and body, and what it means.
REFUSALS: list[tuple[str, int, Category, Any]] = [
    # OpenAI
    (
        "gpt-4o",
        401,
        C.AUTHENTICATION,
        error("Incorrect", type=INVALID, code="invalid_api_key"),
    ),
    ("gpt-4o", 404, C.NOT_FOUND, error(code="model_not_found")),
    ("gpt-4o", 429, C.RATE_LIMIT, error(type="tokens", code="rate_limit_exceeded")),
    ("gpt-4o", 429, C.QUOTA, error(type="insufficient_quota", code="insufficient_quota")),
    ("gpt-4o", 429, C.QUOTA, error(type="insufficient_quota", code=None)),
    ("gpt-4o", 400, C.CONTEXT_LENGTH, error(code="context_length_exceeded")),
    ("gpt-4o", 400, C.BAD_REQUEST, error(code="unsupported_value", param="temperature")),
    ("gpt-4o", 400, C.BAD_REQUEST, error("rate limit of your patience")),
    ("gpt-4o", 400, C.BAD_REQUEST, error("Conversation roles must alternate user/assistant")),
    (
        "gpt-4o",
        400,
        C.BAD_REQUEST,
        error(CUT_SHORT),
    ),
    ("gpt-4o", 400, C.BAD_REQUEST, error("Last message must have role `user`")),
    ("gpt-4o", 422, C.BAD_REQUEST, error()),
    ("gpt-4o", 409, C.BAD_REQUEST, error()),
    ("gpt-4o", 500, C.SERVER, error(type="server_error")),
    ("gpt-4o", 502, C.SERVER, "<html>bad gateway</html>"),
    ("gpt-4o", 503, C.OVERLOADED, error()),
    ("gpt-4o", 504, C.TIMEOUT, error()),
    # DeepSeek, whose code says the same for everything
    (
        "deepseek-chat",
        401,
        C.AUTHENTICATION,
        error(type="authentication_error", code=INVALID),
    ),
    ("deepseek-chat", 402, C.QUOTA, error("Insufficient Balance", code=INVALID)),
    ("deepseek-chat", 400, C.CONTENT_POLICY, error("Content Exists Risk", code=INVALID)),
    ("deepseek-chat", 400, C.CONTEXT_LENGTH, error("This model's maximum context length is 65536 tokens.")),
    # Qwen
    ("qwen/m", 400, C.QUOTA, error(code="Arrearage", type="Arrearage")),
    ("qwen/m", 400, C.CONTENT_POLICY, error(code="data_inspection_failed")),
    (
        "qwen/m",
        400,
        C.CONTEXT_LENGTH,
        error(
            "<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 9]",
            code="invalid_parameter_error",
        ),
    ),
    ("qwen/m", 429, C.RATE_LIMIT, error(code="limit_requests")),
    ("qwen/m", 429, C.QUOTA, error(code="Throttling.AllocationQuota")),
    ("qwen/m", 429, C.RATE_LIMIT, ""),
    # ERNIE
    ("ernie/m", 401, C.AUTHENTICATION, error(code="invalid_iam_token", type=INVALID)),
    ("ernie/m", 429, C.RATE_LIMIT, error(code="rpm_rate_limit_exceeded")),
    ("ernie/m", 400, C.CONTEXT_LENGTH, error(code="tokens_too_long")),
    ("ernie/m", 403, C.CONTENT_POLICY, error(code="system_unsafe")),
    # GLM
    ("glm/m", 401, C.AUTHENTICATION, error(code="401")),
    ("glm/m", 429, C.QUOTA, error(code="1113")),
    ("glm/m", 429, C.RATE_LIMIT, error(code="1302")),
    ("glm/m", 429, C.OVERLOADED, error(code="1305")),
    ("glm/m", 400, C.CONTEXT_LENGTH, error(code="1261")),
    ("glm/m", 400, C.CONTENT_POLICY, error(code="1301", contentFilter=[{"level": 1}])),
    ("glm/m", 434, C.PERMISSION, error(code="1220")),
    # Ark
    ("ark/m", 401, C.AUTHENTICATION, error(code="AuthenticationError", param="", type="Unauthorized")),
    ("ark/m", 403, C.QUOTA, error(code="AccountOverdueError")),
    ("ark/m", 403, C.PERMISSION, error(code="AccessDenied")),
    ("ark/m", 404, C.NOT_FOUND, error(code="InvalidEndpointOrModel.NotFound")),
    ("ark/m", 429, C.OVERLOADED, error(code="ServerOverloaded")),
    ("ark/m", 429, C.RATE_LIMIT, error(code="RateLimitExceeded.EndpointRPMExceeded")),
    ("ark/m", 429, C.RATE_LIMIT, error(code="ModelAccountTpmRateLimitExceeded")),
    ("ark/m", 400, C.CONTENT_POLICY, error(code="SensitiveContentDetected.Violence")),
    # SiliconFlow, without an envelope
    ("silicon/m", 401, C.AUTHENTICATION, "Api key is invalid"),
    ("silicon/m", 400, C.NOT_FOUND, {"code": 20012, "message": "Model does not exist.", "data": None}),
    ("silicon/m", 403, C.QUOTA, {"code": 30001, "message": "balance", "data": None}),
    ("silicon/m", 403, C.QUOTA, {"message": "Sorry, your account balance is insufficient", "data": None}),
    ("silicon/m", 429, C.RATE_LIMIT, {"message": "rejected due to rate limiting. Details:TPM", "data": None}),
    ("silicon/m", 451, C.CONTENT_POLICY, {"code": 20021, "message": "unsafe"}),
    ("gpt-4o", 503, C.OVERLOADED, error("The server is overloaded", type="server_error")),
    (
        "silicon/m",
        400,
        C.CONTEXT_LENGTH,
        {"code": 20015, "message": "length of prompt_tokens (9) must be less than max_seq_len (8)."},
    ),
    ("silicon/m", 503, C.OVERLOADED, {"code": 50505, "message": "overloaded"}),
    # others speak in lists
    ("silicon/m", 400, C.BAD_REQUEST, [{"error": {"code": 400, "message": "API key not valid"}}]),
]


def code_in(body: Any) -> str | None:
    """The provider's code, wherever a body has it."""
    if isinstance(body, list):
        return code_in(body[0])
    if not isinstance(body, dict):
        return None
    code = body.get("error", body).get("code")
    return None if code is None else str(code)


@pytest.mark.parametrize(("model", "status", "category", "body"), REFUSALS)
def test_refusals(
    make_adapter: MakeAdapter, provider: Provider, model: str, status: int, category: Category, body: Any
) -> None:
    retried = status in {408, 409, 429} or status >= 500
    for backend in ("legacy", "litellm"):
        provider.asked.clear()
        provider.say(document(body, status=status, retry_after_ms="1"))
        with pytest.raises(RequestFailedError) as caught:
            list(make_adapter(backend).invoke_llm(None, "u", None, model, "hi"))
        told = caught.value
        assert (told.category, told.status, told.provider_code) == (category, status, code_in(body))
        assert told.attempts == len(provider.asked) == (3 if retried else 1)
