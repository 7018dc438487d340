"""Dify's apps: the old client as it was, and the new one, which hears every kind of event."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import Any

import pytest

from llm_adapter import Adapter, LLMNotConfiguredError, LLMStreamResponse, RequestFailedError
from llm_adapter.backends.dify import reader
from llm_adapter.catalog import resolve
from llm_adapter.errors import Category
from llm_adapter.settings import Settings
from tests.adapter.conftest import MakeAdapter
from tests.adapter.provider import KEY, End, Provider, Reply, document, event

USAGE = {
    "prompt_tokens": 11,
    "completion_tokens": 7,
    "total_tokens": 40,
    "total_price": "0.1",
    "latency": 1.5,
}
HISTORY = [{"role": "user", "content": "before"}, {"role": "user", "content": "now"}]


def dify_event(kind: str, **more: Any) -> bytes:
    common = {"task_id": "t-1", "message_id": "m-1", "conversation_id": "c-1", "created_at": 1}
    return event({"event": kind, **common, **more})


def message(answer: str) -> bytes:
    return dify_event("message", answer=answer)


def agent(answer: str) -> bytes:
    return dify_event("agent_message", answer=answer)


END = dify_event("message_end", id="m-1", metadata={"usage": USAGE, "retriever_resources": []})


def said(*events: bytes, end: End = End.COMPLETE) -> Reply:
    return Reply(pieces=events, end=end)


ANSWER = said(message("Hel"), message("lo"), END)


@pytest.fixture
def new(make_adapter: MakeAdapter) -> Adapter:
    return make_adapter("litellm")


@pytest.fixture
def old(make_adapter: MakeAdapter) -> Adapter:
    return make_adapter("legacy")


def texts(adapter: Adapter) -> list[str]:
    return [piece.result for piece in adapter.invoke_llm(None, "user-7", None, "dify", "hi")]


def fails(adapter: Adapter, *before: str) -> RequestFailedError:
    """The failure, after just these pieces."""
    stream = adapter.invoke_llm(None, "user-7", None, "dify", "hi")
    for text in before:
        assert next(stream).result == text
    with pytest.raises(RequestFailedError) as caught:
        next(stream)
    return caught.value


def read(*events: bytes) -> list[Any]:
    """The pieces of a whole answer at hand."""
    found = reader(SimpleNamespace(request=None, headers={}, status_code=200))
    return [*(piece for event in events for piece in found.feed(event)), *found.end()]


# What both clients do


def test_every_message_is_a_piece_and_each_is_the_end(adapter: Adapter, provider: Provider) -> None:
    provider.say(ANSWER)
    first, second = adapter.invoke_llm(None, "user-7", None, "dify", "hi")
    assert first == LLMStreamResponse(
        id="t-1", is_end=True, is_truncated=False, result="Hel", finish_reason=None, usage=None
    )
    assert second.result == "lo"


def test_the_request_names_the_person_and_asks_the_last_question(
    adapter: Adapter, provider: Provider
) -> None:
    provider.say(ANSWER)
    list(adapter.chat_llm(None, "user-7", None, "dify", HISTORY, temperature=0.3))
    assert provider.body == {
        "query": "now",
        "user": "user-7",
        "response_mode": "streaming",
        "auto_generate_name": False,
        "inputs": {},
        "files": [],
    }
    assert provider.asked[0].target == "/v1/chat-messages"
    assert provider.asked[0].headers["authorization"] == f"Bearer {KEY}"


def test_a_caller_may_name_the_conversation(adapter: Adapter, provider: Provider) -> None:
    provider.say(ANSWER)
    extra = {"conversation_id": "c-1", "inputs": {"name": "Ann"}}
    list(adapter.invoke_llm(None, "u", None, "dify", "hi", extra_body=extra))
    assert (provider.body["conversation_id"], provider.body["inputs"]) == ("c-1", {"name": "Ann"})


def test_a_conversation_of_nothing_asks_nothing(adapter: Adapter, provider: Provider) -> None:
    provider.say(ANSWER)
    list(adapter.chat_llm(None, "u", None, "dify", []))
    assert provider.body["query"] == ""


def test_leaving_early_ends_the_exchange(adapter: Adapter, provider: Provider) -> None:
    provider.say(said(message("Hel"), end=End.STALL))
    stream = adapter.invoke_llm(None, "u", None, "dify", "hi")
    next(stream)
    stream.close()
    assert provider.left.wait(60)


@pytest.mark.parametrize(
    ("environ", "variable"),
    [({"DIFY_URL": "http://x"}, "DIFY_API_KEY"), ({"DIFY_API_KEY": "x"}, "DIFY_URL")],
)
def test_an_app_needs_a_key_and_an_address(environ: dict[str, str], variable: str) -> None:
    with pytest.raises(LLMNotConfiguredError, match=variable) as caught:
        resolve("dify", Settings.from_environ(environ))
    assert caught.value.config_var == variable


# What the old client does wrong


@pytest.mark.parametrize(
    "reply",
    [
        document({"code": "unauthorized", "message": "no", "status": 401}, status=401),
        said(dify_event("error", status=400, code="invalid_param", message="no")),
        said(agent("Hel"), agent("lo"), END),
    ],
)
def test_the_old_client_gives_an_empty_answer(old: Adapter, provider: Provider, reply: Reply) -> None:
    provider.say(reply)
    assert texts(old) == []
    assert len(provider.asked) == 1


def test_the_old_client_shows_an_agent_s_repetition_and_leaves_moderated_text(
    old: Adapter, provider: Provider
) -> None:
    provider.say(
        said(agent("Hel"), agent("lo"), message("Hello"), dify_event("message_replace", answer="no"), END)
    )
    assert texts(old) == ["Hello"]


# What the new client hears


def test_an_agent_s_pieces_are_given_and_its_repetition_is_not(new: Adapter, provider: Provider) -> None:
    provider.say(
        said(agent("Hel"), dify_event("agent_thought", thought="hm"), agent("lo"), message("Hello"), END)
    )
    assert texts(new) == ["Hel", "lo"]


def test_what_an_agent_says_beyond_its_repetition_is_given(new: Adapter, provider: Provider) -> None:
    provider.say(said(agent("Hel"), message("Hello"), message("!"), END))
    assert texts(new) == ["Hel", "lo", "!"]


def test_a_message_that_is_no_repetition_is_a_message(new: Adapter, provider: Provider) -> None:
    provider.say(said(agent("One moment. "), message("Hello"), END))
    assert texts(new) == ["One moment. ", "Hello"]


def test_what_is_no_part_of_the_answer_is_passed_over(new: Adapter, provider: Provider) -> None:
    noise = [
        dify_event(kind, audio="x", data={"status": "succeeded"}) for kind in ("tts_message", "node_finished")
    ]
    files = dify_event("message_file", url="https://x", type="image")
    ping = b"event: ping\n\n"
    provider.say(
        said(ping, *noise, message("Hel"), ping, files, message("lo"), dify_event("never_heard_of"), END)
    )
    assert texts(new) == ["Hel", "lo"]


def test_totals_come_from_the_end_of_the_message() -> None:
    *_, last = read(message("Hel"), END)
    assert last.usage == {"input": 11, "output": 7, "total": 40}
    assert last.response is None


@pytest.mark.parametrize("metadata", [None, {}, {"usage": None}, {"usage": {"latency": 0.1}}])
def test_an_end_without_totals_is_an_end(metadata: Any) -> None:
    text, end = read(message("x"), dify_event("message_end", metadata=metadata))
    assert (text.finish_reason, end.finish_reason) == (None, "message_end")
    assert (text.usage, end.usage) == (None, None)


def test_reasoning_is_told_apart() -> None:
    thought = dify_event("reasoning_chunk", data={"reasoning": "The user", "is_final": False})
    last = dify_event("reasoning_chunk", data={"reasoning": "", "is_final": True})
    pieces = read(thought, last, message("Hi"))
    assert [(piece.reasoning, piece.text) for piece in pieces] == [("The user", ""), ("", "Hi")]


def test_a_replacement_of_what_was_said_is_a_failure_with_the_new_words(
    new: Adapter, provider: Provider
) -> None:
    """What has been handed on cannot be taken back; nothing more of it is."""
    provider.say(
        said(message("bad"), dify_event("message_replace", answer="moderated"), message(" more"), END)
    )
    error = fails(new, "bad")
    assert (error.category, error.provider_code) == (Category.CONTENT_POLICY, "message_replace")
    assert error.provider_message == "moderated"


def test_a_replacement_of_nothing_is_the_answer(new: Adapter, provider: Provider) -> None:
    provider.say(said(dify_event("message_replace", answer="moderated"), message("bad"), END))
    assert texts(new) == ["moderated"]


@pytest.mark.parametrize(
    ("code", "status", "category"),
    [
        ("invalid_param", 400, "bad_request"),
        ("bad_request", 400, "bad_request"),
        ("app_unavailable", 400, "bad_request"),
        ("not_chat_app", 400, "bad_request"),
        ("provider_not_initialize", 400, "bad_request"),
        ("provider_quota_exceeded", 400, "quota"),
        ("model_currently_not_support", 400, "bad_request"),
        ("conversation_completed", 400, "bad_request"),
        ("agent_not_published", 400, "bad_request"),
        ("unauthorized", 401, "authentication"),
        ("forbidden", 403, "permission"),
        ("workflow_version_execution_not_allowed", 403, "permission"),
        ("not_found", 404, "not_found"),
        ("file_too_large", 413, "bad_request"),
        ("unsupported_file_type", 415, "bad_request"),
        ("too_many_requests", 429, "rate_limit"),
        ("rate_limit_error", 429, "quota"),
        ("internal_server_error", 500, "server"),
    ],
)
def test_an_error_is_told_by_its_code_before_the_answer_and_in_it(
    new: Adapter, provider: Provider, code: str, status: int, category: str
) -> None:
    body = {"code": code, "message": "so it is", "status": status}
    provider.say(said(message("Hel"), dify_event("error", **body)))
    error = fails(new, "Hel")
    assert (error.category, error.provider_code, error.status) == (category, code, None)
    provider.say(document(body, status=status, retry_after_ms="1"))
    error = fails(new)
    assert (error.category, error.provider_code, error.status) == (category, code, status)
    assert error.provider_message == "so it is"
    assert error.attempts == (3 if status in {429, 500} else 1)


def test_a_refusal_in_no_dialect_is_told_by_its_status(new: Adapter, provider: Provider) -> None:
    provider.say(Reply(pieces=(b"<html>502</html>",), status=404, headers={"content-type": "text/html"}))
    assert fails(new).category is Category.NOT_FOUND


def test_an_error_document_with_status_200_is_an_error(new: Adapter, provider: Provider) -> None:
    provider.say(document({"code": "app_unavailable", "message": "no", "status": 400}))
    assert fails(new).provider_code == "app_unavailable"


def test_a_failed_workflow_is_a_failure_with_or_without_its_error(new: Adapter, provider: Provider) -> None:
    failed = dify_event("workflow_finished", data={"status": "failed", "error": "node llm: boom"})
    provider.say(said(message("Hel"), failed))
    error = fails(new, "Hel")
    assert (error.category, error.provider_code) == (Category.SERVER, "workflow_failed")
    assert error.provider_message == "node llm: boom"
    provider.say(
        said(failed, dify_event("error", status=400, code="completion_request_error", message="boom"))
    )
    error = fails(new)
    assert (error.category, error.provider_code) == (Category.SERVER, "completion_request_error")


@pytest.mark.parametrize("status", ["succeeded", "partial-succeeded", "stopped"])
def test_a_finished_workflow_is_no_failure(new: Adapter, provider: Provider, status: str) -> None:
    finished = dify_event("workflow_finished", data={"status": status, "error": None, "total_tokens": 50})
    provider.say(said(message("Hi"), END, finished))
    assert texts(new) == ["Hi"]


def test_an_app_that_waits_for_a_person_cannot_be_served(new: Adapter, provider: Provider) -> None:
    provider.say(
        said(dify_event("human_input_required"), dify_event("workflow_paused", data={"status": "paused"}))
    )
    error = fails(new)
    assert (error.category, error.provider_code) == (Category.BAD_REQUEST, "workflow_paused")


@pytest.mark.parametrize(
    "reply", [said(), said(b"event: ping\n\n"), said(event([1])), said(event('{"event":')), document([1])]
)
def test_an_answer_that_is_none_is_a_failure(new: Adapter, provider: Provider, reply: Reply) -> None:
    provider.say(reply)
    assert fails(new).category is Category.PROTOCOL


def test_a_connection_that_breaks_before_the_first_event_is_tried_once_more(
    new: Adapter, provider: Provider
) -> None:
    provider.say(said(end=End.CUT), ANSWER)
    assert texts(new) == ["Hel", "lo"]


def test_one_that_breaks_later_is_a_failure(new: Adapter, provider: Provider) -> None:
    provider.say(said(message("Hel"), end=End.CUT))
    assert fails(new, "Hel").category is Category.CONNECTION


def test_an_answer_that_is_no_text_is_empty(new: Adapter, provider: Provider) -> None:
    provider.say(said(dify_event("message", answer=None), message("Hi"), END))
    assert texts(new) == ["", "Hi"]


def test_headers_query_and_patience_of_the_caller_go_along(new: Adapter, provider: Provider) -> None:
    provider.say(ANSWER)
    extra: dict[str, Any] = {
        "extra_headers": {"x-team": "blue"},
        "extra_query": {"trial": "1"},
        "timeout": 30.0,
    }
    list(new.invoke_llm(None, "u", None, "dify", "hi", **extra))
    assert provider.asked[0].headers["x-team"] == "blue"
    assert provider.asked[0].target == "/v1/chat-messages?trial=1"


# Without the extra


def test_without_requests_the_old_client_says_what_to_install_and_the_new_one_works(
    provider: Provider, old: Adapter, new: Adapter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "requests", None)
    for client in ("dify", "ernie_v1", "session"):
        monkeypatch.delitem(sys.modules, f"llm_adapter.legacy.{client}", raising=False)
    error = fails(old)
    assert error.provider_message == "the legacy client needs requests: pip install 'llm-adapter[legacy]'"
    assert provider.asked == []
    provider.say(ANSWER)
    assert texts(new) == ["Hel", "lo"]
