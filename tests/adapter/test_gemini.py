"""Gemini: LiteLLM writes the request, we send it and read the answer ourselves."""

from __future__ import annotations

import json
import threading
import time
import traceback
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from types import SimpleNamespace
from typing import Any

import openai
import pytest

from llm_adapter import Adapter, RequestFailedError, adapter_from
from llm_adapter.backends.litellm import LiteLLMBackend, _handler_class
from llm_adapter.chunks import Chunk
from llm_adapter.clients import Clients
from llm_adapter.errors import Category
from llm_adapter.failures import NoAnswerError
from llm_adapter.policies import FAMILIES, family_of
from llm_adapter.requests import Outgoing
from llm_adapter.settings import BackendName, Settings
from tests.adapter.conftest import AS_ASKED
from tests.adapter.provider import KEY, End, Provider, Reply, document

STREAM = {"content-type": "text/event-stream"}
LITE, FLASH, PRO, THREE = (
    "gemini-2.5-flash-lite",
    "gemini-2.5-flash",
    "gemini-2.5-pro",
    "gemini-3-pro-preview",
)
TOTALS = {
    "promptTokenCount": 15,
    "candidatesTokenCount": 2,
    "totalTokenCount": 99,
    "thoughtsTokenCount": 48,
    "cachedContentTokenCount": 4,
}


def event(data: object) -> bytes:
    """One event as Google frames it."""
    return f"data: {json.dumps(data, ensure_ascii=False)}\r\n\r\n".encode()


def says(text: str, *, thought: bool = False, finish: str | None = None, **more: Any) -> bytes:
    part = {"text": text, **({"thought": True} if thought else {})}
    candidate = {"content": {"parts": [part], "role": "model"}, "index": 0}
    ended = {**candidate, **({"finishReason": finish} if finish else {})}
    return event({"candidates": [ended], "responseId": "r-1", "modelVersion": "m-1", **more})


def stream(*pieces: bytes, end: End = End.COMPLETE) -> Reply:
    return Reply(pieces=pieces, headers=STREAM, end=end)


def refusal(code: int, status: str, message: str = "no", *details: Mapping[str, Any]) -> Reply:
    error = {"code": code, "message": message, "status": status, "details": list(details)}
    return document({"error": error}, status=code)


GOOD = stream(says("Hel"), says("lo", finish="STOP", usageMetadata=TOTALS))


@pytest.fixture
def waited() -> list[float]:
    """The pauses between attempts, none of which is waited for."""
    return []


@pytest.fixture
def adapter(provider: Provider, waited: list[float]) -> Iterator[Adapter]:
    with closing(made(provider, waited, LLM_DEFAULT_OUTPUT_LIMIT="none")) as adapter:
        yield adapter


def made(provider: Provider, waited: list[float], **environ: str) -> Adapter:
    provider.say(GOOD)
    environ |= {"GEMINI_API_KEY": KEY, "GEMINI_API_URL": f"{provider.url}/"}
    backend = LiteLLMBackend(sleep=waited.append)
    clients = Clients(backends={BackendName.LITELLM: lambda: backend})
    return Adapter(settings=Settings.from_environ(environ), clients=clients)


def ask(adapter: Adapter, model: str = LITE, **params: Any) -> list[str]:
    return [piece.result for piece in adapter.invoke_llm(None, "u", None, model, "hi", **params)]


def failed(adapter: Adapter, model: str = LITE, **params: Any) -> RequestFailedError:
    with pytest.raises(RequestFailedError) as caught:
        ask(adapter, model, **params)
    return caught.value


def chunks(adapter: Adapter, provider: Provider, *pieces: bytes) -> list[Chunk]:
    """What the adapter reads of an answer."""
    provider.say(stream(*pieces))
    backend = adapter.clients.backend(BackendName.LITELLM)
    messages: tuple[dict[str, str], ...] = ({"role": "user", "content": "hi"},)
    asked = Outgoing(provider="gemini", base_url=provider.url, api_key=KEY, model=LITE, messages=messages)
    opened = backend(asked)
    found: list[Chunk] = list(opened.chunks)
    opened.close()
    return found


# What is sent


def test_the_key_goes_in_a_header_and_the_model_into_the_path(adapter: Adapter, provider: Provider) -> None:
    assert ask(adapter) == ["Hel", "lo"]
    (asked,) = provider.asked
    assert asked.target == f"/v1/models/{LITE}:streamGenerateContent?alt=sse"
    assert asked.headers["x-goog-api-key"] == KEY
    assert "authorization" not in asked.headers


def test_a_plain_model_gets_the_question_a_temperature_and_nothing_else(
    adapter: Adapter, provider: Provider
) -> None:
    ask(adapter)
    assert provider.body == {
        "contents": [{"role": "user", "parts": [{"text": "hi"}]}],
        "generationConfig": {"temperature": 0.8},
    }


@pytest.mark.parametrize("model", [LITE, "gemini-2.0-flash", "gemini-9-unheard-of"])
def test_a_system_text_stands_where_google_has_a_place_for_it_even_of_models_nobody_knows(
    adapter: Adapter, provider: Provider, model: str
) -> None:
    ask(adapter, model, system="be kind")
    assert provider.body["systemInstruction"] == {"parts": [{"text": "be kind"}]}
    assert provider.body["contents"] == [{"role": "user", "parts": [{"text": "hi"}]}]


@pytest.mark.parametrize("model", [LITE, THREE, "gemini-flash-latest"])
def test_a_conversation_gets_no_temperature_that_nobody_asked_for(
    adapter: Adapter, provider: Provider, model: str
) -> None:
    history = [
        {"role": "system", "content": [{"type": "text", "text": "be"}, {"type": "text", "text": "kind"}]},
        {"role": "user", "content": "hi"},
        {"role": "assistant", "content": "yes?"},
        {"role": "user", "content": [{"type": "text", "text": "well"}]},
    ]
    list(adapter.chat_llm(None, "u", None, model, history))
    assert "temperature" not in provider.body.get("generationConfig", {})
    assert [content["role"] for content in provider.body["contents"]] == ["user", "model", "user"]
    assert provider.body["systemInstruction"] == {"parts": [{"text": "be"}, {"text": "kind"}]}
    list(adapter.chat_llm(None, "u", None, model, history, temperature="0.5"))
    assert provider.body["generationConfig"]["temperature"] == 0.5


def test_instructions_alone_are_left_to_be_the_question(adapter: Adapter, provider: Provider) -> None:
    list(adapter.chat_llm(None, "u", None, LITE, [{"role": "system", "content": "say hi"}]))
    assert "say hi" in json.dumps(provider.body)


def test_parameters_get_googles_names_and_the_callers_own_body_wins(
    adapter: Adapter, provider: Provider
) -> None:
    ask(
        adapter,
        max_tokens=16,
        stop=["x"],
        top_p=0.5,
        response_format={"type": "json_object"},
        extra_body={"generationConfig": {"topK": 3, "temperature": 0.1}, "safetySettings": []},
        extra_headers={"x-mine": "1"},
        extra_query={"fields": "candidates"},
    )
    settings = provider.body["generationConfig"]
    assert (settings["max_output_tokens"], settings["stop_sequences"], settings["topP"]) == (16, ["x"], 0.5)
    assert (settings["response_mime_type"], settings["topK"]) == ("application/json", 3)
    assert settings["temperature"] == 0.1
    assert provider.body["safetySettings"] == []
    assert provider.asked[-1].headers["x-mine"] == "1"
    assert provider.asked[-1].target.endswith("?alt=sse&fields=candidates")


def test_a_parameter_that_has_no_place_at_google_is_refused_not_dropped(
    adapter: Adapter, provider: Provider
) -> None:
    error = failed(adapter, logit_bias={"1": 2}, user="bob")
    assert (error.category, error.status, provider.asked) == (Category.BAD_REQUEST, None, [])
    assert "Gemini takes no logit_bias, user; put Google's own names into extra_body" in str(error)


@pytest.mark.parametrize(
    ("model", "effort", "sent"),
    [
        (LITE, None, None),
        (FLASH, None, {"thinkingBudget": 0, "includeThoughts": False}),
        (FLASH, "low", {"thinkingBudget": 0, "includeThoughts": False}),
        (PRO, None, {"thinkingBudget": 128, "includeThoughts": True}),
        (PRO, "none", {"thinkingBudget": 128, "includeThoughts": True}),
        (THREE, "none", {"thinkingLevel": "low", "includeThoughts": True}),
        (THREE, "high", {"thinkingLevel": "low", "includeThoughts": True}),
    ],
)
def test_thinking_is_off_or_as_little_as_the_model_takes_whatever_the_caller_wants(
    adapter: Adapter, provider: Provider, model: str, effort: str | None, sent: Mapping[str, Any] | None
) -> None:
    """2.5 Pro and 3 answer 400 to `none`."""
    ask(adapter, model, **({"reasoning_effort": effort} if effort else {}))
    assert provider.body["generationConfig"].get("thinkingConfig") == sent


def test_an_effort_reaches_models_that_litellm_has_never_heard_of(
    adapter: Adapter, provider: Provider
) -> None:
    """How it is worded for them changes from one release to the next."""
    ask(adapter, "gemini-9-unheard-of", reasoning_effort="low")
    assert provider.body["generationConfig"]["thinkingConfig"]["includeThoughts"] is True


def test_the_callers_own_thinking_settings_count_where_the_caller_has_the_say(
    provider: Provider, waited: list[float]
) -> None:
    with closing(made(provider, waited, **AS_ASKED)) as adapter:
        _ask_with_thinking_settings(adapter, provider)


def _ask_with_thinking_settings(adapter: Adapter, provider: Provider) -> None:
    ask(adapter, FLASH, reasoning_effort="low")
    sent = {"thinkingBudget": 1024, "includeThoughts": True}
    assert provider.body["generationConfig"]["thinkingConfig"] == sent
    ask(adapter, PRO, extra_body={"generationConfig": {"thinkingConfig": {"thinkingBudget": 512}}})
    assert provider.body["generationConfig"]["thinkingConfig"] == {"thinkingBudget": 512}
    ask(adapter, PRO, thinking={"type": "enabled", "budget_tokens": 300})
    assert provider.body["generationConfig"]["thinkingConfig"]["thinkingBudget"] == 300


@pytest.mark.parametrize("model", ["gemini-2.5-flash-image", "gemini-2.5-flash-lite", "gemini-embedding-001"])
def test_models_that_do_not_think_are_in_no_family(model: str) -> None:
    assert family_of("gemini", model) not in FAMILIES


# What comes back


def test_text_thoughts_finish_and_totals_are_google_s(adapter: Adapter, provider: Provider) -> None:
    """LiteLLM would say `stop`, and lose the line separator. Thoughts are output, as with all others."""
    thought, text, end = chunks(
        adapter,
        provider,
        says("hm", thought=True),
        says("a\u2028b"),
        says("", finish="MALFORMED_FUNCTION_CALL", usageMetadata=TOTALS),
    )
    assert (thought.reasoning, thought.text, thought.id) == ("hm", "", "r-1")
    assert (text.text, text.finish_reason, text.usage) == ("a\u2028b", None, None)
    assert end.finish_reason == "MALFORMED_FUNCTION_CALL"
    assert end.usage == {
        "input": 15,
        "output": 50,
        "total": 99,
        "input_cached_tokens": 4,
        "output_reasoning_tokens": 48,
    }


def test_no_finish_reason_and_no_totals_are_made_up(adapter: Adapter, provider: Provider) -> None:
    (chunk,) = chunks(adapter, provider, says("Hi"))
    assert (chunk.text, chunk.finish_reason, chunk.usage) == ("Hi", None, None)
    with pytest.raises(NoAnswerError):
        chunks(adapter, provider)


def test_events_are_read_however_they_are_cut_and_framed(adapter: Adapter, provider: Provider) -> None:
    body = b": hello\n\n" + says("Zü") + b"event: x\nid: 1\ndata:{}\n\n" + b"\r\n" + says("rich").rstrip()
    pieces = [body[index : index + 1] for index in range(len(body))]
    assert "".join(chunk.text for chunk in chunks(adapter, provider, *pieces)) == "Zürich"
    halves = event({"a": 1, "b": 2}).replace(b', "b"', b',\r\ndata: "b"')
    assert chunks(adapter, provider, halves) == [Chunk()]


def test_an_answer_that_rides_with_the_finish_is_the_end(adapter: Adapter) -> None:
    *_, last = adapter.invoke_llm(None, "u", None, LITE, "hi")
    assert (last.result, last.is_end, last.finish_reason) == ("lo", True, "STOP")


def test_attempts_before_an_answer_that_fails_with_its_first_event_are_counted(
    adapter: Adapter, provider: Provider
) -> None:
    blocked = stream(event({"promptFeedback": {"blockReason": "SAFETY"}}))
    provider.say(refusal(503, "UNAVAILABLE"), blocked)
    error = failed(adapter)
    assert (error.provider_code, error.attempts, len(provider.asked)) == ("SAFETY", 2, 2)


@pytest.mark.parametrize("message", [None, "not this"])
def test_a_blocked_question_fails_by_content_policy(
    adapter: Adapter, provider: Provider, message: str | None
) -> None:
    """LiteLLM would end it as an answer without a word."""
    said = {"blockReasonMessage": message} if message else {}
    provider.say(stream(event({"promptFeedback": {"blockReason": "SAFETY", **said}})))
    error = failed(adapter)
    assert (error.category, error.provider_code, error.attempts) == (Category.CONTENT_POLICY, "SAFETY", 1)
    assert error.provider_message == (message or "the prompt was blocked: SAFETY")


@pytest.mark.parametrize(
    ("said", "category"),
    [
        ({"error": {"code": 503, "message": "m", "status": "UNAVAILABLE"}}, Category.OVERLOADED),
        ([{"error": {"code": 500, "message": "m", "status": "INTERNAL"}}], Category.SERVER),
        ({"error": "out of order"}, Category.SERVER),
        ("no object", Category.PROTOCOL),
    ],
)
def test_an_error_in_mid_stream_fails_the_call_after_what_was_said(
    adapter: Adapter, provider: Provider, said: object, category: Category
) -> None:
    provider.say(stream(says("Hel"), event(said)))
    responses = adapter.invoke_llm(None, "u", None, LITE, "hi")
    assert next(responses).result == "Hel"
    with pytest.raises(RequestFailedError) as caught:
        next(responses)
    assert (caught.value.category, caught.value.status) == (category, None)


def test_a_document_in_the_place_of_a_stream_is_an_error_or_an_answer(
    adapter: Adapter, provider: Provider
) -> None:
    provider.say(document({"error": {"code": 400, "message": "m", "status": "INVALID_ARGUMENT"}}))
    assert failed(adapter).category is Category.SERVER
    provider.say(document([{"candidates": [{"content": {"parts": [{"text": "whole"}]}}]}]))
    assert ask(adapter) == ["whole"]


def test_half_an_event_at_the_end_is_no_answer(adapter: Adapter, provider: Provider) -> None:
    provider.say(stream(says("Hel"), says("lo")[:-20]))
    assert failed(adapter).category is Category.PROTOCOL


# Refusals and attempts

INFO = {"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": "API_KEY_INVALID"}
DAY = {"violations": [{}, {"quotaId": "GenerateRequestsPerDayPerProject"}]}
MINUTE = {"violations": [{"quotaId": "GenerateRequestsPerMinutePerProject"}]}


@pytest.mark.parametrize(
    ("reply", "category", "code"),
    [
        (refusal(400, "INVALID_ARGUMENT", "bad key", INFO), Category.AUTHENTICATION, "API_KEY_INVALID"),
        (refusal(400, "INVALID_ARGUMENT"), Category.BAD_REQUEST, "INVALID_ARGUMENT"),
        (
            refusal(
                400, "INVALID_ARGUMENT", "The input token count (9) exceeds the maximum number of tokens"
            ),
            Category.CONTEXT_LENGTH,
            "INVALID_ARGUMENT",
        ),
        (refusal(400, "FAILED_PRECONDITION"), Category.PERMISSION, "FAILED_PRECONDITION"),
        (refusal(401, "UNAUTHENTICATED"), Category.AUTHENTICATION, "UNAUTHENTICATED"),
        (refusal(403, "PERMISSION_DENIED"), Category.PERMISSION, "PERMISSION_DENIED"),
        (refusal(404, "NOT_FOUND"), Category.NOT_FOUND, "NOT_FOUND"),
        (refusal(429, "RESOURCE_EXHAUSTED"), Category.RATE_LIMIT, "RESOURCE_EXHAUSTED"),
        (
            refusal(429, "RESOURCE_EXHAUSTED", "m", MINUTE),
            Category.RATE_LIMIT,
            "GenerateRequestsPerMinutePerProject",
        ),
        (refusal(429, "RESOURCE_EXHAUSTED", "m", DAY), Category.QUOTA, "GenerateRequestsPerDayPerProject"),
        (refusal(500, "INTERNAL"), Category.SERVER, "INTERNAL"),
        (refusal(503, "UNAVAILABLE"), Category.OVERLOADED, "UNAVAILABLE"),
        (refusal(504, "DEADLINE_EXCEEDED"), Category.TIMEOUT, "DEADLINE_EXCEEDED"),
        (document([{"error": {"code": 404, "message": "m"}}], status=404), Category.NOT_FOUND, "404"),
        (document("it is lost", status=404), Category.NOT_FOUND, None),
        (Reply(pieces=(b"<html>502</html>",), status=502), Category.SERVER, None),
    ],
)
def test_googles_refusals_by_category_and_most_telling_code(
    adapter: Adapter, provider: Provider, reply: Reply, category: Category, code: str | None
) -> None:
    provider.say(reply)
    error = failed(adapter)
    assert (error.category, error.provider_code, error.status) == (category, code, reply.status)
    passes = reply.status in {429, 500, 502, 503, 504}
    assert error.attempts == len(provider.asked) == (3 if passes else 1)


def test_trouble_that_passes_is_tried_twice_more_and_then_answered(
    adapter: Adapter, provider: Provider, waited: list[float]
) -> None:
    provider.say(refusal(429, "RESOURCE_EXHAUSTED"), refusal(503, "UNAVAILABLE"), GOOD)
    assert ask(adapter) == ["Hel", "lo"]
    assert 0.375 <= waited[0] <= 0.5
    assert 0.75 <= waited[1] <= 1.0


@pytest.mark.parametrize(
    ("headers", "detail", "seconds"),
    [
        ({}, {"retryDelay": "34.4s"}, 34.4),
        ({"retry_after": "2"}, {"retryDelay": "34.4s"}, 2.0),
        ({"retry_after_ms": "1500"}, {}, 1.5),
    ],
)
def test_the_wait_that_google_asks_for_is_kept_to_the_second(
    adapter: Adapter,
    provider: Provider,
    waited: list[float],
    headers: dict[str, str],
    detail: Mapping[str, Any],
    seconds: float,
) -> None:
    error = {"code": 429, "status": "RESOURCE_EXHAUSTED", "details": ["odd", {"reason": 5}, detail]}
    provider.say(document({"error": error}, status=429, **headers), GOOD)
    ask(adapter)
    assert waited == [seconds]


@pytest.mark.parametrize("delay", ["3600s", "soon"])
def test_an_hour_is_not_waited_for_and_nonsense_is_no_wait(
    adapter: Adapter, provider: Provider, waited: list[float], delay: str
) -> None:
    provider.say(refusal(429, "RESOURCE_EXHAUSTED", "m", {"retryDelay": delay}))
    error = failed(adapter)
    assert error.attempts == len(provider.asked) == (1 if delay == "3600s" else 3)
    assert len(waited) == len(provider.asked) - 1
    assert all(pause <= 1 for pause in waited)


def test_nobody_there_is_a_broken_connection_after_three_attempts(waited: list[float]) -> None:
    settings = Settings.from_environ({"GEMINI_API_KEY": KEY, "GEMINI_API_URL": "http://127.0.0.1:9"})
    made = LiteLLMBackend(sleep=waited.append)
    with closing(
        Adapter(settings=settings, clients=Clients(backends={BackendName.LITELLM: lambda: made}))
    ) as adapter:
        error = failed(adapter)
    assert (error.category, error.status, error.attempts, len(waited)) == (Category.CONNECTION, None, 3, 2)


def test_the_callers_timeout_counts_though_litellm_forgets_it(adapter: Adapter, provider: Provider) -> None:
    provider.say(stream(says("Hel"), end=End.STALL))
    assert failed(adapter, timeout=0.2).category is Category.TIMEOUT


def test_a_stream_that_dies_before_its_first_event_is_asked_for_once_more(
    adapter: Adapter, provider: Provider
) -> None:
    provider.say(stream(end=End.CUT), GOOD)
    assert ask(adapter) == ["Hel", "lo"]
    assert len(provider.asked) == 2


def test_a_stream_that_has_said_something_is_not(adapter: Adapter, provider: Provider) -> None:
    provider.say(stream(says("Hel"), end=End.CUT), GOOD)
    assert failed(adapter).category is Category.CONNECTION
    assert len(provider.asked) == 1


def test_a_hundred_and_fifty_streams_are_open_at_once(adapter: Adapter) -> None:
    ask(adapter)  # imports first, outside the race
    everybody = threading.Barrier(150, timeout=60)

    def hold(_: int) -> str:
        stream = adapter.invoke_llm(None, "u", None, LITE, "hi")
        text = next(stream).result
        everybody.wait()
        return text + "".join(piece.result for piece in stream)

    with ThreadPoolExecutor(150) as pool:
        assert set(pool.map(hold, range(150))) == {"Hello"}


def test_nobody_told_otherwise_waits_by_the_clock_that_is_there(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever measures pauses replaces `time.sleep`, after our import as well."""
    waited: list[float] = []
    monkeypatch.setattr(time, "sleep", waited.append)
    LiteLLMBackend().sleep(34.4)
    assert waited == [34.4]


def test_a_caller_that_stops_hangs_up_at_once(adapter: Adapter, provider: Provider) -> None:
    provider.say(stream(says("Hel"), end=End.STALL))
    responses = adapter.invoke_llm(None, "u", None, LITE, "hi")
    next(responses)
    responses.close()
    assert provider.left.wait(60)


def test_the_key_is_in_no_url_message_or_traceback_even_where_google_echoes_it(
    adapter: Adapter, provider: Provider
) -> None:
    provider.say(refusal(400, "INVALID_ARGUMENT", f"the key {KEY} is bad", INFO))
    error = failed(adapter)
    shown = "".join(traceback.format_exception(error)) + repr(vars(error)) + repr(vars(error.__cause__))
    assert KEY not in shown
    assert "[key]" in shown
    assert KEY not in provider.asked[0].target


# Models


def page(*names: str, **more: Any) -> Reply:
    rows = [{"name": f"models/{name}", "supportedGenerationMethods": ["generateContent"]} for name in names]
    embedding = {"name": "models/gemini-embedding-001", "supportedGenerationMethods": ["embedContent"]}
    return document({"models": [*rows, embedding, {"name": "models/gemini-odd"}], **more})


def test_all_pages_are_listed_and_only_models_that_answer(adapter: Adapter, provider: Provider) -> None:
    provider.say(page("gemini-a", "learnlm-b", nextPageToken="a b"), page("gemini-c"))
    assert adapter.get_current_models(None) == ["gemini-a", "gemini-c"]
    assert [asked.target for asked in provider.asked] == [
        "/v1/models?pageSize=1000",
        "/v1/models?pageSize=1000&pageToken=a+b",
    ]
    assert {asked.headers["x-goog-api-key"] for asked in provider.asked} == {KEY}
    assert not any(KEY in asked.target for asked in provider.asked)


def test_a_listing_that_is_refused_is_a_warning_without_the_key(
    adapter: Adapter, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    provider.say(refusal(403, "PERMISSION_DENIED", KEY))
    assert adapter.get_current_models(SimpleNamespace(logger=None)) == []
    assert "the models of gemini cannot be listed (RefusedError)" in caplog.text
    assert KEY not in caplog.text


def test_the_legacy_backend_for_all_leaves_gemini_where_it_is(provider: Provider) -> None:
    provider.say(GOOD)
    environ = {"LLM_BACKEND": "legacy", "GEMINI_API_KEY": KEY, "GEMINI_API_URL": provider.url}
    with closing(adapter_from(environ)) as adapter:
        assert ask(adapter) == ["Hel", "lo"]


def test_a_handler_that_is_forgotten_leaves_the_shared_client_open() -> None:
    """LiteLLM up to 1.100 closes the client with the handler, in the middle of others' answers."""
    client = openai.DefaultHttpxClient()
    handler = _handler_class()(client, None)
    handler.close()
    del handler
    assert not client.is_closed
    client.close()


@pytest.mark.parametrize("rest", ["/../../admin", "#x", "?key=1", "%2f..%2fx", "\\..", " x", "\n", "é", ":x"])
def test_a_model_s_name_cannot_leave_its_place_in_the_address(
    rest: str, make_adapter: Callable[..., Adapter], provider: Provider
) -> None:
    with pytest.raises(RequestFailedError, match="is not a model's name") as failed:
        list(make_adapter().invoke_llm(None, "u", None, f"gemini-2.5-pro{rest}x", "hi"))
    assert failed.value.category is Category.BAD_REQUEST
    assert provider.asked == []
