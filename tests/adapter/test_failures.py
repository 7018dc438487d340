"""Every way a provider is known to fail becomes one description, the same on both backends."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from llm_adapter import Adapter, Category, LLMError, RequestFailedError, adapter_from
from llm_adapter.categories import WORDS
from llm_adapter.failures import RefusedError, describe, in_band, origin
from tests.adapter.conftest import MakeAdapter, environ_for
from tests.adapter.provider import (
    DONE,
    KEY,
    End,
    Provider,
    Reply,
    answer,
    chunk,
    document,
    error,
    event,
    refusal,
)

Envelope = dict[str, Any]


def failed(adapter: Adapter, model: str = "gpt-4o", **params: Any) -> RequestFailedError:
    with pytest.raises(RequestFailedError) as caught:
        list(adapter.invoke_llm(None, "u", None, model, "hi", **params))
    return caught.value


C = Category


def test_a_refusal_framed_as_an_event_is_read(adapter: Adapter, provider: Provider) -> None:
    """DashScope answers a streaming request with 400 and an event for a body."""
    body = error("Input data may contain inappropriate content.", code="data_inspection_failed")
    provider.say(Reply(pieces=(event(body),), status=400))
    caught = failed(adapter, "qwen/m")
    assert (caught.category, caught.provider_code) == (Category.CONTENT_POLICY, "data_inspection_failed")
    assert caught.provider_message == "Input data may contain inappropriate content."


@dataclass(frozen=True, kw_only=True, slots=True)
class Broken:
    """How a stream goes wrong after its first text, and what that means."""

    last: bytes = b""
    end: End = End.COMPLETE
    category: Category
    code: str | None = None


BARE = {"code": "Throttling.RateQuota", "message": "slow", "request_id": "1"}
NAMED = b'event: error\ndata: {"code": 50505, "message": "full"}\n\n'
INSPECTED = "data_inspection_failed"

MID_STREAM = {
    "an envelope": Broken(last=event(error("busy", type="server_error")), category=C.SERVER),
    "its code is known": Broken(last=event(error(code=INSPECTED)), category=C.CONTENT_POLICY, code=INSPECTED),
    "an error that is text": Broken(last=event({"error": "out of order"}), category=C.SERVER),
    "no envelope": Broken(last=event(BARE), category=C.RATE_LIMIT, code="Throttling.RateQuota"),
    "a named event": Broken(last=NAMED, category=C.OVERLOADED, code="50505"),
    "no JSON": Broken(last=event("{oops"), category=C.PROTOCOL),
    "no UTF-8": Broken(last=b"data: \xff\xfe\n\n", category=C.PROTOCOL),
    "cut": Broken(end=End.CUT, category=C.CONNECTION),
    "reset": Broken(end=End.RESET, category=C.CONNECTION),
    "stalled": Broken(end=End.STALL, category=C.TIMEOUT),
}


@pytest.mark.parametrize("broken", list(MID_STREAM.values()), ids=list(MID_STREAM))
def test_failures_in_mid_stream(adapter: Adapter, provider: Provider, broken: Broken) -> None:
    """The text that came before has been handed on; there is no second request."""
    provider.say(Reply(pieces=(chunk("Hel"), *filter(None, [broken.last])), end=broken.end))
    stream = adapter.invoke_llm(None, "u", None, "qwen/m", "hi", timeout=1 if broken.end is End.STALL else 60)
    assert next(stream).result == "Hel"
    with pytest.raises(RequestFailedError) as caught:
        list(stream)
    told = caught.value
    assert (told.category, told.provider_code, told.status) == (broken.category, broken.code, None)
    if told.provider_message is None:  # no class of a library's either: a person reads this
        assert told.user_message.endswith(f": {WORDS[told.category]}")
    assert told.attempts == len(provider.asked) == 1
    assert told.__cause__ is not None


@pytest.mark.parametrize(
    ("body", "category"),
    [
        (error("quota", code="insufficient_quota"), Category.QUOTA),
        ({"error_code": 17, "error_msg": "daily limit"}, Category.SERVER),
        ({"code": 7, "message": "m"}, Category.SERVER),
    ],
)
def test_an_error_document_with_status_200_is_an_error(
    adapter: Adapter, provider: Provider, body: Envelope, category: Category
) -> None:
    provider.say(document(body))
    caught = failed(adapter)
    assert (caught.status, caught.attempts, caught.category) == (None, 1, category)
    assert caught.provider_message


@pytest.mark.parametrize("body", [{}, {"code": 0, "message": "ok"}])
def test_other_documents_with_status_200_are_no_answer(
    adapter: Adapter, provider: Provider, body: Envelope
) -> None:
    provider.say(document(body))
    caught = failed(adapter)
    assert (caught.status, caught.attempts, caught.category) == (None, 1, Category.PROTOCOL)


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
    assert (caught.category, caught.attempts, len(provider.asked)) == (Category.CONNECTION, 2, 2)


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
    logging.getLogger("app").error("call failed", exc_info=caught)
    cause = caught.__cause__
    printed = "".join(traceback.format_exception(caught))
    shown = [str(caught), caught, vars(caught), adapter, adapter.settings, caplog.text, printed]
    shown += [cause, vars(cause), getattr(cause, "body", None)]
    assert not [thing for thing in shown if KEY in repr(thing)]
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


@pytest.mark.parametrize(
    "body",
    [
        {"errors": [{"message": "bad"}]},
        {"error": [{"message": "bad"}]},
        {"detail": [{"loc": ["body"], "msg": "bad"}]},
        'event: error\ndata: {"message": "bad"}\n\n',
        '\ufeff{"error": {"message": "bad"}}',
    ],
)
def test_the_words_of_a_refusal_are_found_in_any_form(body: Any) -> None:
    found = describe(RefusedError(400, body, attempts=1))
    assert (found.category, found.provider_message) == (Category.BAD_REQUEST, "bad")


def test_a_loop_in_a_chain_of_exceptions_is_no_trap() -> None:
    first, second = ValueError("a"), ValueError("b")
    first.__cause__, second.__cause__ = second, first
    assert origin(first) is first


def test_what_nobody_foresaw_is_a_protocol_error() -> None:
    assert describe(KeyError("x")).category is Category.PROTOCOL
    assert describe(ConnectionResetError()).category is Category.CONNECTION
    assert describe(TimeoutError()).category is Category.TIMEOUT


@pytest.mark.parametrize(
    "body", [None, "text", [], {"choices": [{}], "code": 400}, {"code": 200}, {"message": "m"}]
)
def test_these_are_no_errors_in_the_place_of_a_chunk(body: Any) -> None:
    assert in_band(body) is None
