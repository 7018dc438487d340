"""Every way a provider is known to fail becomes one description, the same on both backends."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from llm_adapter import Adapter, Category, LLMError, RequestFailedError, adapter_from
from llm_adapter.failures import describe, in_band, origin
from tests.adapter.conftest import MakeAdapter, environ_for
from tests.adapter.provider import KEY, DONE, End, Provider, Reply, answer, chunk, document, event, refusal

Envelope = dict[str, Any]


def error(message: str = "no", **more: Any) -> Envelope:
    return {"error": {"message": message, **more}}


def failed(adapter: Adapter, model: str = "gpt-4o", **params: Any) -> RequestFailedError:
    with pytest.raises(RequestFailedError) as caught:
        list(adapter.invoke_llm(None, "u", None, model, "hi", **params))
    return caught.value


C = Category
REFUSALS: list[tuple[str, int, Any, Category, str | None]] = [
    # OpenAI
    ("gpt-4o", 401, error("Incorrect", type="invalid_request_error", code="invalid_api_key"), C.AUTHENTICATION, "invalid_api_key"),
    ("gpt-4o", 404, error(code="model_not_found"), C.NOT_FOUND, "model_not_found"),
    ("gpt-4o", 429, error(type="tokens", code="rate_limit_exceeded"), C.RATE_LIMIT, "rate_limit_exceeded"),
    ("gpt-4o", 429, error(type="insufficient_quota", code="insufficient_quota"), C.QUOTA, "insufficient_quota"),
    ("gpt-4o", 429, error(type="insufficient_quota", code=None), C.QUOTA, None),
    ("gpt-4o", 400, error(code="context_length_exceeded"), C.CONTEXT_LENGTH, "context_length_exceeded"),
    ("gpt-4o", 400, error(code="unsupported_value", param="temperature"), C.BAD_REQUEST, "unsupported_value"),
    ("gpt-4o", 400, error("rate limit of your patience"), C.BAD_REQUEST, None),
    ("gpt-4o", 400, error("Conversation roles must alternate user/assistant"), C.BAD_REQUEST, None),
    ("gpt-4o", 400, error("Could not finish the message because max_tokens or model output limit was reached."), C.BAD_REQUEST, None),
    ("gpt-4o", 400, error("Last message must have role `user`"), C.BAD_REQUEST, None),
    ("gpt-4o", 422, error(), C.BAD_REQUEST, None),
    ("gpt-4o", 409, error(), C.BAD_REQUEST, None),
    ("gpt-4o", 500, error(type="server_error"), C.SERVER, None),
    ("gpt-4o", 502, "<html>bad gateway</html>", C.SERVER, None),
    ("gpt-4o", 503, error(), C.OVERLOADED, None),
    ("gpt-4o", 504, error(), C.TIMEOUT, None),
    # DeepSeek, whose code says the same for everything
    ("deepseek-chat", 401, error(type="authentication_error", code="invalid_request_error"), C.AUTHENTICATION, "invalid_request_error"),
    ("deepseek-chat", 402, error("Insufficient Balance", code="invalid_request_error"), C.QUOTA, "invalid_request_error"),
    ("deepseek-chat", 400, error("Content Exists Risk", code="invalid_request_error"), C.CONTENT_POLICY, "invalid_request_error"),
    ("deepseek-chat", 400, error("This model's maximum context length is 65536 tokens."), C.CONTEXT_LENGTH, None),
    # Qwen
    ("qwen/m", 400, error(code="Arrearage", type="Arrearage"), C.QUOTA, "Arrearage"),
    ("qwen/m", 400, error(code="data_inspection_failed"), C.CONTENT_POLICY, "data_inspection_failed"),
    ("qwen/m", 400, error("<400> InternalError.Algo.InvalidParameter: Range of input length should be [1, 9]", code="invalid_parameter_error"), C.CONTEXT_LENGTH, "invalid_parameter_error"),
    ("qwen/m", 429, error(code="limit_requests"), C.RATE_LIMIT, "limit_requests"),
    ("qwen/m", 429, error(code="Throttling.AllocationQuota"), C.QUOTA, "Throttling.AllocationQuota"),
    ("qwen/m", 429, "", C.RATE_LIMIT, None),
    # ERNIE
    ("ernie/m", 401, error(code="invalid_iam_token", type="invalid_request_error"), C.AUTHENTICATION, "invalid_iam_token"),
    ("ernie/m", 429, error(code="rpm_rate_limit_exceeded"), C.RATE_LIMIT, "rpm_rate_limit_exceeded"),
    ("ernie/m", 400, error(code="tokens_too_long"), C.CONTEXT_LENGTH, "tokens_too_long"),
    ("ernie/m", 403, error(code="system_unsafe"), C.CONTENT_POLICY, "system_unsafe"),
    # GLM
    ("glm/m", 401, error(code="401"), C.AUTHENTICATION, "401"),
    ("glm/m", 429, error(code="1113"), C.QUOTA, "1113"),
    ("glm/m", 429, error(code="1302"), C.RATE_LIMIT, "1302"),
    ("glm/m", 429, error(code="1305"), C.OVERLOADED, "1305"),
    ("glm/m", 400, error(code="1261"), C.CONTEXT_LENGTH, "1261"),
    ("glm/m", 400, error(code="1301", contentFilter=[{"level": 1}]), C.CONTENT_POLICY, "1301"),
    ("glm/m", 434, error(code="1220"), C.PERMISSION, "1220"),
    # Ark
    ("ark/m", 401, error(code="AuthenticationError", param="", type="Unauthorized"), C.AUTHENTICATION, "AuthenticationError"),
    ("ark/m", 403, error(code="AccountOverdueError"), C.QUOTA, "AccountOverdueError"),
    ("ark/m", 403, error(code="AccessDenied"), C.PERMISSION, "AccessDenied"),
    ("ark/m", 404, error(code="InvalidEndpointOrModel.NotFound"), C.NOT_FOUND, "InvalidEndpointOrModel.NotFound"),
    ("ark/m", 429, error(code="ServerOverloaded"), C.OVERLOADED, "ServerOverloaded"),
    ("ark/m", 429, error(code="RateLimitExceeded.EndpointRPMExceeded"), C.RATE_LIMIT, "RateLimitExceeded.EndpointRPMExceeded"),
    ("ark/m", 429, error(code="ModelAccountTpmRateLimitExceeded"), C.RATE_LIMIT, "ModelAccountTpmRateLimitExceeded"),
    ("ark/m", 400, error(code="SensitiveContentDetected.Violence"), C.CONTENT_POLICY, "SensitiveContentDetected.Violence"),
    # SiliconFlow, without an envelope
    ("silicon/m", 401, "Api key is invalid", C.AUTHENTICATION, None),
    ("silicon/m", 400, {"code": 20012, "message": "Model does not exist.", "data": None}, C.NOT_FOUND, "20012"),
    ("silicon/m", 403, {"code": 30001, "message": "balance", "data": None}, C.QUOTA, "30001"),
    ("silicon/m", 403, {"message": "Sorry, your account balance is insufficient", "data": None}, C.QUOTA, None),
    ("silicon/m", 429, {"message": "rejected due to rate limiting. Details:TPM", "data": None}, C.RATE_LIMIT, None),
    ("silicon/m", 451, {"code": 20021, "message": "unsafe"}, C.CONTENT_POLICY, "20021"),
    ("silicon/m", 503, {"code": 50505, "message": "overloaded"}, C.OVERLOADED, "50505"),
    # others speak in lists
    ("silicon/m", 400, [{"error": {"code": 400, "message": "API key not valid"}}], C.BAD_REQUEST, "400"),
]  # fmt: skip


@pytest.mark.parametrize(("model", "status", "body", "category", "code"), REFUSALS)
def test_refusals(
    make_adapter: MakeAdapter,
    provider: Provider,
    model: str,
    status: int,
    body: Any,
    category: Category,
    code: str | None,
) -> None:
    for backend in ("legacy", "litellm"):
        provider.asked.clear()
        provider.say(document(body, status=status, retry_after_ms="1"))
        caught = failed(make_adapter(backend), model)
        assert (caught.category, caught.status, caught.provider_code) == (category, status, code)
        retried = status in {408, 409, 429} or status >= 500
        assert caught.attempts == len(provider.asked) == (3 if retried else 1)


def test_a_refusal_framed_as_an_event_is_read(adapter: Adapter, provider: Provider) -> None:
    """DashScope answers a streaming request with 400 and an event for a body."""
    body = error("Input data may contain inappropriate content.", code="data_inspection_failed")
    provider.say(Reply(pieces=(event(body),), status=400))
    caught = failed(adapter, "qwen/m")
    assert (caught.category, caught.provider_code) == (Category.CONTENT_POLICY, "data_inspection_failed")
    assert caught.provider_message == "Input data may contain inappropriate content."


MID_STREAM: list[tuple[str, bytes, End, Category, str | None]] = [
    ("an envelope", event(error("busy", type="server_error")), End.COMPLETE, C.SERVER, None),
    ("its code is known", event(error(code="data_inspection_failed")), End.COMPLETE, C.CONTENT_POLICY, "data_inspection_failed"),
    ("an error that is text", event({"error": "out of order"}), End.COMPLETE, C.SERVER, None),
    ("no envelope", event({"code": "Throttling.RateQuota", "message": "slow", "request_id": "1"}), End.COMPLETE, C.RATE_LIMIT, "Throttling.RateQuota"),
    ("a named event", b'event: error\ndata: {"code": 50505, "message": "full"}\n\n', End.COMPLETE, C.OVERLOADED, "50505"),
    ("no JSON", event("{oops"), End.COMPLETE, C.PROTOCOL, None),
    ("no UTF-8", b"data: \xff\xfe\n\n", End.COMPLETE, C.PROTOCOL, None),
    ("cut", b"", End.CUT, C.PROTOCOL, None),
    ("reset", b"", End.RESET, C.CONNECTION, None),
    ("stalled", b"", End.STALL, C.TIMEOUT, None),
]  # fmt: skip


@pytest.mark.parametrize(
    ("last", "end", "category", "code"),
    [case[1:] for case in MID_STREAM],
    ids=[case[0] for case in MID_STREAM],
)
def test_failures_in_mid_stream(
    adapter: Adapter, provider: Provider, last: bytes, end: End, category: Category, code: str | None
) -> None:
    """The text that came before has been handed on; there is no second request."""
    provider.say(Reply(pieces=(chunk("Hel"), *((last,) if last else ())), end=end))
    stream = adapter.invoke_llm(None, "u", None, "qwen/m", "hi", timeout=0.3)
    assert next(stream).result == "Hel"
    with pytest.raises(RequestFailedError) as caught:
        list(stream)
    told = caught.value
    assert (told.category, told.provider_code, told.status) == (category, code, None)
    assert told.attempts == len(provider.asked) == 1
    assert told.__cause__ is not None


@pytest.mark.parametrize(
    "body",
    [
        error("quota", code="insufficient_quota"),
        {"error_code": 17, "error_msg": "daily limit"},
        {"code": 7, "message": "m"},
    ],
)
def test_an_error_document_with_status_200_is_an_error(
    adapter: Adapter, provider: Provider, body: Envelope
) -> None:
    provider.say(document(body))
    caught = failed(adapter)
    assert (caught.status, caught.attempts) == (None, 1)
    assert caught.category in {Category.QUOTA, Category.SERVER}
    assert caught.provider_message


@pytest.mark.parametrize("pieces", [answer("a").pieces, (b"{}",), (b'{"code": 0, "message": "ok"}',)])
def test_other_documents_with_status_200_are_no_error(
    adapter: Adapter, provider: Provider, pieces: tuple[bytes, ...]
) -> None:
    """Events under the wrong content type are still events."""
    provider.say(Reply(pieces=pieces, headers={"content-type": "application/json"}))
    texts = [piece.result for piece in adapter.invoke_llm(None, "u", None, "gpt-4o", "hi")]
    assert texts in ([], ["a"])


def test_an_event_without_choices_that_is_no_error_is_passed_over(
    adapter: Adapter, provider: Provider
) -> None:
    provider.say(Reply(pieces=(event({"id": "1", "note": "hold on"}), chunk("a"), DONE)))
    assert [piece.result for piece in adapter.invoke_llm(None, "u", None, "gpt-4o", "hi")] == ["a"]


def test_nobody_there_is_a_connection_error(provider: Provider) -> None:
    for backend in ("legacy", "litellm"):
        environ = environ_for(provider, LLM_BACKEND=backend, OPENAI_BASE_URL="http://127.0.0.1:9/v1")
        adapter = adapter_from(environ)
        caught = failed(adapter)
        assert (caught.category, caught.status, caught.attempts) == (Category.CONNECTION, None, 3)
        adapter.close()


def test_a_provider_that_never_answers_is_a_timeout(adapter: Adapter, provider: Provider) -> None:
    provider.say(Reply(end=End.STALL))
    assert failed(adapter, timeout=0.05).category is Category.TIMEOUT


@pytest.mark.parametrize("end", [End.CUT, End.RESET])
def test_a_stream_that_dies_before_its_first_event_is_asked_for_once_more(
    make_adapter: MakeAdapter, provider: Provider, end: End
) -> None:
    provider.say(Reply(pieces=(b": keep-alive\n\n",), end=end), answer("Hel", "lo"))
    pieces = make_adapter().invoke_llm(None, "u", None, "gpt-4o", "hi")
    assert "".join(piece.result for piece in pieces) == "Hello"
    assert len(provider.asked) == 2
    assert provider.asked[0].body == provider.asked[1].body


def test_and_only_once(make_adapter: MakeAdapter, provider: Provider) -> None:
    provider.say(Reply(pieces=(b": keep-alive\n\n",), end=End.CUT))
    caught = failed(make_adapter())
    assert (caught.category, caught.attempts, len(provider.asked)) == (Category.PROTOCOL, 2, 2)


def test_the_legacy_path_does_not_ask_again(make_adapter: MakeAdapter, provider: Provider) -> None:
    provider.say(Reply(pieces=(b": keep-alive\n\n",), end=End.CUT))
    failed(make_adapter("legacy"))
    assert len(provider.asked) == 1


def test_an_error_as_the_first_event_is_not_asked_again(
    make_adapter: MakeAdapter, provider: Provider
) -> None:
    provider.say(Reply(pieces=(event(error("no")),)))
    assert failed(make_adapter()).attempts == len(provider.asked) == 1


def test_retries_succeed_in_silence(adapter: Adapter, provider: Provider) -> None:
    provider.say(refusal(429), refusal(500), answer("a"))
    assert [piece.result for piece in adapter.invoke_llm(None, "u", None, "gpt-4o", "hi")] == ["a"]
    assert len(provider.asked) == 3


def test_attempts_count_the_retries_before_a_stream_that_failed(adapter: Adapter, provider: Provider) -> None:
    provider.say(refusal(429), Reply(pieces=(chunk("a"), event({"code": "x", "message": "no"}))))
    assert failed(adapter).attempts == len(provider.asked) == 2


ECHOES: dict[str, Callable[[str], Reply]] = {
    "refusal": lambda key: refusal(401, f"Incorrect API key provided: {key}", code=f"bad_{key}"),
    "bare text": lambda key: document(f"Bearer {key}", status=403),
    "list": lambda key: document([{"error": {"message": key}}], status=400),
    "event": lambda key: Reply(pieces=(chunk("a"), event(error(f"key {key}")))),
    "bare event": lambda key: Reply(pieces=(chunk("a"), event({"code": key, "message": key}))),
    "broken": lambda key: Reply(pieces=(chunk("a"), event("{" + key))),
    "page": lambda key: Reply(
        pieces=(f"<p>{key}</p>".encode(),), status=502, headers={"retry-after-ms": "1"}
    ),
}


@pytest.mark.parametrize("echo", ECHOES.values(), ids=list(ECHOES))
def test_no_key_is_ever_shown(
    adapter: Adapter, provider: Provider, echo: Callable[[str], Reply], caplog: pytest.LogCaptureFixture
) -> None:
    """Neither in the error nor in what a logged traceback prints of its cause, whatever a provider echoes."""
    caplog.set_level(logging.INFO)
    provider.say(echo(KEY))
    caught = failed(adapter)
    logging.getLogger("app").exception("call failed", exc_info=caught)
    cause = caught.__cause__
    shown = [
        str(caught), repr(caught), repr(vars(caught)), repr(adapter), repr(adapter.settings), caplog.text,
        "".join(traceback.format_exception(caught)), repr(getattr(cause, "body", None)), repr(cause), repr(vars(cause)),
    ]  # fmt: skip
    assert not [text for text in shown if KEY in text]
    assert "[key]" in str(caught) or echo is ECHOES["broken"]


def test_nothing_of_a_call_is_logged(adapter: Adapter, caplog: pytest.LogCaptureFixture) -> None:
    """Parameters, messages and keys used to be written to the application's log."""
    caplog.set_level(logging.INFO)
    app = SimpleNamespace(logger=logging.getLogger("app"))
    list(adapter.invoke_llm(app, "u", None, "gpt-4o", "a private question", user="bob"))
    assert "private" not in caplog.text
    assert KEY not in caplog.text
    assert [record for record in caplog.records if record.name == "app"] == []


@pytest.mark.parametrize("place", ["app", "adapter"])
def test_the_host_s_own_raising_is_used(adapter: Adapter, provider: Provider, place: str) -> None:
    class HostError(Exception):
        pass

    def raise_error_with_args(code: str, **args: str) -> NoReturn:
        raise HostError(code, args["model"])

    app = SimpleNamespace(raise_error_with_args=raise_error_with_args) if place == "app" else None
    hosted = adapter if app else replace(adapter, raise_error=raise_error_with_args)
    provider.say(refusal(400))
    for model, code in (("gpt-4o", "server.llm.requestFailed"), ("no-such", "server.llm.modelNotSupported")):
        with pytest.raises(HostError) as caught:
            list(hosted.chat_llm(app, "u", None, model, [{"role": "user", "content": "hi"}]))
        assert caught.value.args == (code, model)
        assert isinstance(caught.value.__cause__, LLMError)


def test_a_parameter_that_the_legacy_client_does_not_know_is_a_bad_request(
    make_adapter: MakeAdapter, provider: Provider
) -> None:
    assert failed(make_adapter("legacy"), thinking={}).category is Category.BAD_REQUEST
    assert provider.asked == []


def test_a_loop_in_a_chain_of_exceptions_is_no_trap() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert origin(first) is second


def test_what_nobody_foresaw_is_a_protocol_error() -> None:
    assert describe(KeyError("x")).category is Category.PROTOCOL
    assert describe(ConnectionResetError()).category is Category.CONNECTION
    assert describe(TimeoutError()).category is Category.TIMEOUT


@pytest.mark.parametrize(
    "body", [None, "text", [], {"choices": [{}], "error": {"message": "m"}}, {"code": 200}, {"message": "m"}]
)
def test_these_are_no_errors_in_the_place_of_a_chunk(body: Any) -> None:
    assert in_band(body) is None
