"""ERNIE's first API: the old client as it was, and the new one, which tells what the old one swallows."""

from __future__ import annotations

import logging
import traceback
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from threading import Barrier, Thread
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest

from llm_adapter import Adapter, LLMNotConfiguredError, LLMStreamUsage, RequestFailedError
from llm_adapter.backends import ernie_v1
from llm_adapter.backends.connection import Connections
from llm_adapter.backends.ernie_v1 import ENDPOINTS, Tokens
from llm_adapter.backends.litellm import LiteLLMBackend
from llm_adapter.catalog import resolve
from llm_adapter.errors import Category
from llm_adapter.failures import describe
from llm_adapter.providers import PROVIDERS
from llm_adapter.redaction import hide_in_logs
from llm_adapter.requests import Outgoing
from llm_adapter.settings import Settings
from tests.adapter.conftest import MakeAdapter
from tests.adapter.provider import KEY, End, Provider, Reply, document, event

TOKEN = "24.made-up-token-of-a-test"
GRANT = document({"access_token": TOKEN, "expires_in": 2592000, "refresh_token": "25.x", "scope": "public"})
MODEL = "ERNIE-4.0-8K"
HISTORY = [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]


def line(result: str, *, end: bool = False, tokens: int = 0, **more: Any) -> bytes:
    """One line of an answer; `tokens`: the completion's so far."""
    usage = {"prompt_tokens": 5, "completion_tokens": tokens, "total_tokens": 40 + tokens}
    told = {"id": "as-1", "object": "chat.completion", "created": 1, "sentence_id": 0, "is_end": end}
    rest = {"is_truncated": False, "result": result, "need_clear_history": False, "usage": usage}
    return event({**told, **rest, **more})


def said(*lines: bytes, end: End = End.COMPLETE) -> Reply:
    return Reply(pieces=lines, end=end)


def wrong(code: int, message: str = "no") -> Reply:
    """An error as it is sent: with status 200."""
    return document({"error_code": code, "error_msg": message, "id": "as-1"})


LAST = line("", end=True, tokens=3, finish_reason="normal")
ANSWER = said(line("Hel", tokens=1), line("lo", tokens=2), LAST)


@pytest.fixture
def ask(adapter: Adapter) -> Callable[..., list[Any]]:
    def asked(**params: Any) -> list[Any]:
        return list(adapter.invoke_llm(None, "u", None, MODEL, "hi", **params))

    return asked


@pytest.fixture
def new(make_adapter: MakeAdapter) -> Adapter:
    return make_adapter("litellm")


def failure(adapter: Adapter) -> RequestFailedError:
    with pytest.raises(RequestFailedError) as caught:
        list(adapter.invoke_llm(None, "u", None, MODEL, "hi"))
    return caught.value


def paths(provider: Provider) -> list[str]:
    return [urlsplit(asked.target).path for asked in provider.asked]


# What both clients do


def test_every_line_is_a_response_with_its_own_totals(ask: Callable[..., Any], provider: Provider) -> None:
    """The totals are counted up: the last are the call's."""
    provider.say(GRANT, ANSWER)
    pieces = ask()
    assert [(piece.result, piece.is_end, piece.finish_reason) for piece in pieces] == [
        ("Hel", False, None),
        ("lo", False, None),
        ("", True, "normal"),
    ]
    assert {piece.id for piece in pieces} == {"as-1"}
    assert pieces[-1].usage == LLMStreamUsage(prompt_tokens=5, completion_tokens=3, total_tokens=43)
    assert [piece.usage.completion_tokens for piece in pieces] == [1, 2, 3]


def test_a_line_says_whether_it_is_truncated(ask: Callable[..., Any], provider: Provider) -> None:
    provider.say(GRANT, said(line("Hel", end=True, is_truncated=True)))
    assert [piece.is_truncated for piece in ask()] == [True]


def test_a_token_is_bought_and_spent(ask: Callable[..., Any], provider: Provider) -> None:
    provider.say(GRANT, ANSWER)
    ask()
    bought, spent = provider.asked
    assert parse_qs(urlsplit(bought.target).query) == {
        "grant_type": ["client_credentials"],
        "client_id": [KEY],
        "client_secret": [KEY],
    }
    assert urlsplit(spent.target).path == "/v1" + ernie_v1.CHAT_PATH + "completions_pro"
    assert parse_qs(urlsplit(spent.target).query) == {"access_token": [TOKEN]}
    assert "authorization" not in spent.headers


def test_nothing_is_added_to_what_the_caller_gave(ask: Callable[..., Any], provider: Provider) -> None:
    """No default temperature and no wish for totals: the old client had neither."""
    provider.say(GRANT, ANSWER)
    ask()
    assert provider.body == {"messages": [{"role": "user", "content": "hi"}], "stream": True}


def test_a_given_temperature_is_a_number(ask: Callable[..., Any], provider: Provider) -> None:
    provider.say(GRANT, ANSWER)
    ask(temperature="0.5", top_p=0.9)
    assert (provider.body["temperature"], provider.body["top_p"]) == (0.5, 0.9)


def test_the_system_text_stands_beside_the_messages_and_json_mode_is_a_word(
    adapter: Adapter, provider: Provider
) -> None:
    provider.say(GRANT, ANSWER)
    list(adapter.invoke_llm(None, "u", None, MODEL, "hi", system="be kind", json=True))
    invoked = provider.body
    assert (invoked["system"], invoked["response_format"]) == ("be kind", "json_object")
    assert [message["role"] for message in invoked["messages"]] == ["user"]


def test_a_leading_system_message_moves_there_too(adapter: Adapter, provider: Provider) -> None:
    provider.say(GRANT, ANSWER)
    list(adapter.chat_llm(None, "u", None, MODEL, HISTORY))
    assert provider.body == {"messages": HISTORY[1:], "system": "be kind", "stream": True}
    assert HISTORY[0]["role"] == "system"


def test_a_configured_limit_goes_out_under_its_name(make_adapter: MakeAdapter, provider: Provider) -> None:
    provider.say(GRANT, ANSWER)
    limited = make_adapter("litellm", LLM_MODEL_MAX_OUTPUT_TOKENS='{"ERNIE-4.0-8K": 9}')
    list(limited.invoke_llm(None, "u", None, MODEL, "hi"))
    assert provider.body["max_output_tokens"] == 9


def test_every_model_has_its_address_and_no_other_name_leads_here() -> None:
    (row,) = [row for row in PROVIDERS if row.key == "ernie_v1"]
    assert row.static_models == tuple(ENDPOINTS)
    assert len(ENDPOINTS) == 11
    settings = Settings.from_environ({"ERNIE_API_ID": "an-id", "ERNIE_API_SECRET": "a-secret"})
    assert {resolve(name, settings).provider.key for name in ENDPOINTS} == {"ernie_v1"}


@pytest.mark.parametrize(
    ("environ", "variable"),
    [({"ERNIE_API_SECRET": "x"}, "ERNIE_API_ID"), ({"ERNIE_API_ID": "x"}, "ERNIE_API_SECRET")],
)
def test_half_a_key_is_no_key(environ: Mapping[str, str], variable: str) -> None:
    with pytest.raises(LLMNotConfiguredError, match=variable) as caught:
        resolve(MODEL, Settings.from_environ(environ))
    assert caught.value.config_var == variable


def test_leaving_early_ends_the_exchange(adapter: Adapter, provider: Provider) -> None:
    provider.say(GRANT, said(line("Hel"), end=End.STALL))
    stream = adapter.invoke_llm(None, "u", None, MODEL, "hi")
    assert next(stream).result == "Hel"
    stream.close()
    assert provider.left.wait(60)


def test_a_connection_that_breaks_is_a_failure_after_what_came(adapter: Adapter, provider: Provider) -> None:
    provider.say(GRANT, said(line("Hel"), end=End.CUT))
    stream = adapter.invoke_llm(None, "u", None, MODEL, "hi")
    assert next(stream).result == "Hel"
    with pytest.raises(RequestFailedError):
        list(stream)


# What the old client does wrong


@pytest.mark.parametrize("reply", [wrong(336003), document({"error": "x"}, status=503), said()])
def test_the_old_client_takes_an_error_for_an_empty_answer(
    make_adapter: MakeAdapter, provider: Provider, reply: Reply
) -> None:
    provider.say(GRANT, reply)
    assert list(make_adapter("legacy").invoke_llm(None, "u", None, MODEL, "hi")) == []
    assert len(provider.asked) == 2


@pytest.mark.parametrize(
    ("replies", "cause"),
    [
        ((document({"error": "invalid_client"}, status=401),), KeyError),
        ((GRANT, said(line("x", usage={}))), AttributeError),
        ((GRANT, said(event({"error_code": 18, "error_msg": "slow"}))), TypeError),
    ],
)
def test_the_old_client_stumbles(
    make_adapter: MakeAdapter, provider: Provider, replies: tuple[Reply, ...], cause: type[Exception]
) -> None:
    provider.say(*replies)
    assert type(failure(make_adapter("legacy")).__cause__) is cause


def test_the_old_client_buys_a_token_for_every_call(make_adapter: MakeAdapter, provider: Provider) -> None:
    adapter = make_adapter("legacy")
    for _ in range(2):
        provider.say(GRANT, said(line("x"), event("[DONE]"), line("never read")))
        assert [piece.result for piece in adapter.invoke_llm(None, "u", None, MODEL, "hi")] == ["x"]
    assert [path.rpartition("/")[2] for path in paths(provider)] == ["token", "completions_pro"] * 2


# What the new client does about it


def test_a_token_is_used_again(new: Adapter, provider: Provider) -> None:
    provider.say(GRANT, ANSWER)
    for _ in range(3):
        list(new.invoke_llm(None, "u", None, MODEL, "hi"))
    assert [path.rpartition("/")[2] for path in paths(provider)] == ["token"] + ["completions_pro"] * 3


@pytest.mark.parametrize("code", [100, 110, 111])
def test_a_refused_token_is_bought_anew_once(new: Adapter, provider: Provider, code: int) -> None:
    second = document({"access_token": "24.second-token", "expires_in": 9})
    provider.say(GRANT, wrong(code), second, ANSWER)
    assert len(list(new.invoke_llm(None, "u", None, MODEL, "hi"))) == 3
    assert provider.asked[-1].target.endswith("access_token=24.second-token")


def test_a_token_that_is_refused_again_is_a_failure(new: Adapter, provider: Provider) -> None:
    provider.say(GRANT, wrong(111), GRANT, wrong(111, "Access token expired"))
    error = failure(new)
    assert (error.category, error.provider_code, error.status) == (Category.AUTHENTICATION, "111", None)
    assert (error.provider_message, error.attempts) == ("Access token expired", 2)
    assert len(provider.asked) == 4


@pytest.mark.parametrize("status", [200, 400, 401])
def test_wrong_keys_are_an_authentication_failure(new: Adapter, provider: Provider, status: int) -> None:
    body = {"error": "invalid_client", "error_description": "unknown client id"}
    provider.say(document(body, status=status))
    error = failure(new)
    assert (error.category, error.provider_code) == (Category.AUTHENTICATION, "invalid_client")
    assert error.provider_message == "unknown client id"


@pytest.mark.parametrize("grant", [document([1]), document({"scope": "public"})])
def test_a_grant_without_a_token_is_a_failure(new: Adapter, provider: Provider, grant: Reply) -> None:
    provider.say(grant)
    assert failure(new).category is Category.SERVER


@pytest.mark.parametrize(
    ("code", "category"),
    [
        (1, "server"),
        (3, "not_found"),
        (4, "rate_limit"),
        (6, "permission"),
        (13, "authentication"),
        (14, "authentication"),
        (17, "quota"),
        (19, "quota"),
        (336000, "server"),
        (336001, "bad_request"),
        (336002, "bad_request"),
        (336003, "bad_request"),
        (336004, "permission"),
        (336005, "not_found"),
        (336101, "bad_request"),
        (336104, "bad_request"),
        (336105, "bad_request"),
        (500000, "server"),
        (424242, "server"),
    ],
)
def test_an_error_with_status_200_is_told_by_its_code(
    new: Adapter, provider: Provider, code: int, category: str
) -> None:
    provider.say(GRANT, wrong(code, "so it is"))
    error = failure(new)
    assert (error.category, error.provider_code, error.provider_message, error.attempts) == (
        category,
        str(code),
        "so it is",
        1,
    )


def test_a_message_that_is_too_long_is_told_by_its_words(new: Adapter, provider: Provider) -> None:
    provider.say(GRANT, wrong(336003, "message content is too long, must be less than 20000"))
    assert failure(new).category is Category.CONTEXT_LENGTH


@dataclass(slots=True)
class Naps:
    """Notes how long somebody meant to sleep."""

    seconds: list[float] = field(default_factory=list)

    def __call__(self, seconds: float) -> None:
        self.seconds.append(seconds)


def outgoing(provider: Provider, **more: Any) -> Outgoing:
    return Outgoing(
        provider="ernie_v1",
        base_url=provider.url,
        api_key=KEY,
        api_secret=KEY,
        model=MODEL,
        messages=({"role": "user", "content": "hi"},),
        **more,
    )


@pytest.fixture
def naps() -> Naps:
    return Naps()


@pytest.fixture
def backend(naps: Naps) -> Iterator[LiteLLMBackend]:
    backend = LiteLLMBackend(connections=Connections(), sleep=naps)
    yield backend
    backend.close()


@pytest.mark.parametrize(
    ("code", "category"),
    [
        (2, "overloaded"),
        (15, "authentication"),
        (18, "rate_limit"),
        (336100, "overloaded"),
        (336501, "rate_limit"),
        (336502, "rate_limit"),
    ],
)
def test_what_passes_is_tried_three_times(
    backend: LiteLLMBackend, naps: Naps, provider: Provider, code: int, category: str
) -> None:
    provider.say(GRANT, wrong(code))
    with pytest.raises(Exception) as caught:  # noqa: PT011 (LiteLLM's own around ours)
        backend(outgoing(provider))
    told = describe(caught.value)
    assert (told.category, told.attempts) == (category, 3)
    assert naps.seconds == [0.5, 1.0]


def test_an_answer_after_a_busy_moment_counts_both_attempts(
    backend: LiteLLMBackend, provider: Provider
) -> None:
    provider.say(GRANT, wrong(18), document({}, status=503), ANSWER)
    opened = backend(outgoing(provider))
    assert opened.attempts == 3
    assert [chunk.text for chunk in opened.chunks] == ["Hel", "lo", ""]


def test_an_error_among_the_lines_is_told_after_what_came(new: Adapter, provider: Provider) -> None:
    provider.say(GRANT, said(line("Hel"), event({"error_code": 336100, "error_msg": "busy"})))
    stream = new.invoke_llm(None, "u", None, MODEL, "hi")
    assert next(stream).result == "Hel"
    with pytest.raises(RequestFailedError) as caught:
        next(stream)
    assert (caught.value.category, caught.value.provider_code) == (Category.OVERLOADED, "336100")


@pytest.mark.parametrize(
    "reply",
    [
        said(),
        said(event([1])),
        said(event('{"result":')),
        Reply(pieces=(b"<html>",), headers={"content-type": "text/html"}),
    ],
)
def test_an_answer_that_is_none_is_a_failure(new: Adapter, provider: Provider, reply: Reply) -> None:
    provider.say(GRANT, reply)
    assert failure(new).category is Category.PROTOCOL


@pytest.mark.parametrize(
    "reply", [document({"ok": 1}), document([]), Reply(pieces=(b"{",), headers=GRANT.headers)]
)
def test_a_document_that_is_no_error_is_no_answer_either(
    new: Adapter, provider: Provider, reply: Reply
) -> None:
    provider.say(GRANT, reply)
    error = failure(new)
    assert error.category is Category.PROTOCOL
    assert error.provider_message == reply.pieces[0].decode()


def test_a_line_without_totals_is_no_reason_to_fail(new: Adapter, provider: Provider) -> None:
    provider.say(GRANT, said(line("Hel", usage={}), line("lo", usage=None), line("!", end=True, tokens=7)))
    pieces = list(new.invoke_llm(None, "u", None, MODEL, "hi"))
    assert [piece.usage and piece.usage.completion_tokens for piece in pieces] == [None, None, 7]


def test_headers_and_query_of_the_caller_go_along(new: Adapter, provider: Provider) -> None:
    provider.say(GRANT, ANSWER)
    extra: dict[str, Any] = {
        "extra_headers": {"x-team": "blue"},
        "extra_query": {"trial": "1"},
        "timeout": 30.0,
    }
    list(new.invoke_llm(None, "u", None, MODEL, "hi", **extra))
    asked = provider.asked[-1]
    assert asked.headers["x-team"] == "blue"
    assert "trial=1&access_token=" in asked.target
    assert asked.body.keys() == {"messages", "stream"}


# Secrets


@pytest.mark.parametrize("backend_name", ["legacy", "litellm"])
def test_neither_keys_nor_token_are_logged(
    make_adapter: MakeAdapter, provider: Provider, caplog: pytest.LogCaptureFixture, backend_name: str
) -> None:
    provider.say(GRANT, ANSWER)
    with caplog.at_level(logging.INFO, logger="httpx"), caplog.at_level(logging.DEBUG):
        list(make_adapter(backend_name).invoke_llm(None, "u", None, MODEL, "hi"))
    assert f"{ernie_v1.CHAT_PATH}completions_pro?" in caplog.text  # the URL was logged, its fields were not
    assert not [secret for secret in (TOKEN, KEY) if secret in caplog.text]


@pytest.mark.parametrize("name", ["httpx", "httpx2", "urllib3.connectionpool"])
def test_credentials_are_taken_out_of_logged_urls(caplog: pytest.LogCaptureFixture, name: str) -> None:
    hide_in_logs()
    with caplog.at_level(logging.INFO, logger=name):
        logging.getLogger(name).info('"POST %s" %d', "/a?access_token=24.x&b=1&client_secret=y", 200)
        logging.getLogger(name).info("%s of %d", "two", 3)
    said = [record.getMessage() for record in caplog.records]
    assert said[0].startswith('"POST /a?')  # in whose words the rest is hidden depends on who was here first
    assert not [value for value in ("24.x", "=y") if value in said[0]]
    assert said[1] == "two of 3"


@pytest.mark.parametrize("backend_name", ["legacy", "litellm"])
def test_neither_keys_nor_token_are_in_a_failure(
    make_adapter: MakeAdapter, provider: Provider, backend_name: str
) -> None:
    """A connection that cannot be made names the whole URL in the exceptions below ours."""
    provider.say(GRANT, said(line("x"), end=End.RESET))
    adapter = make_adapter(backend_name)
    error = failure(adapter)
    assert not [secret for secret in (TOKEN, KEY) if secret in "".join(traceback.format_exception(error))]
    nowhere = make_adapter(backend_name, ERNIE_V1_BASE_URL="http://127.0.0.1:9")
    error = failure(nowhere)
    assert error.category is Category.CONNECTION
    assert KEY not in "".join(traceback.format_exception(error))


# Tokens, with a clock of our own


@dataclass(slots=True)
class Shop:
    """Sells tokens that are numbered and live for an hour."""

    sold: int = 0
    lives: float | None = 3600.0
    now: float = 0.0

    def sell(self) -> dict[str, Any]:
        self.sold += 1
        return {"access_token": str(self.sold), **({"expires_in": self.lives} if self.lives else {})}

    def clock(self) -> float:
        return self.now


WHO = ("http://x", "id", "secret")


def test_a_token_is_kept_until_five_minutes_before_its_end() -> None:
    shop = Shop()
    tokens = Tokens(clock=shop.clock)
    times: dict[float, str] = {}
    for shop.now in (0.0, 3299.0, 3300.0, 6599.0):
        times[shop.now] = tokens.get(WHO, shop.sell)
    assert times == {0.0: "1", 3299.0: "1", 3300.0: "2", 6599.0: "2"}


def test_a_short_lived_token_is_kept_for_half_its_life_and_one_without_an_end_not_at_all() -> None:
    shop = Shop(lives=100.0)
    tokens = Tokens(clock=shop.clock)
    for shop.now in (0.0, 49.0, 50.0):
        tokens.get(WHO, shop.sell)
    assert shop.sold == 2
    shop.lives = None
    shop.now = 500.0
    assert [tokens.get(WHO, shop.sell) for _ in range(2)] == ["3", "4"]


def test_accounts_have_tokens_of_their_own() -> None:
    shop = Shop()
    tokens = Tokens(clock=shop.clock)
    assert tokens.get(WHO, shop.sell) != tokens.get(("http://x", "id-2", "secret"), shop.sell)


def test_only_the_token_that_was_refused_is_forgotten() -> None:
    """Another thread may have bought a new one meanwhile."""
    shop = Shop()
    tokens = Tokens(clock=shop.clock)
    first = tokens.get(WHO, shop.sell)
    tokens.forget(WHO, first)
    second = tokens.get(WHO, shop.sell)
    tokens.forget(WHO, first)
    assert tokens.get(WHO, shop.sell) == second != first


def test_threads_that_need_a_token_at_once_share_one() -> None:
    shop, tokens, start = Shop(), Tokens(), Barrier(8)

    def need() -> None:
        start.wait()
        tokens.get(WHO, shop.sell)

    threads = [Thread(target=need) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shop.sold == 1


def test_no_token_and_no_key_is_in_a_repr(provider: Provider) -> None:
    tokens = Tokens()
    tokens.get((provider.url, KEY, KEY), lambda: {"access_token": TOKEN, "expires_in": 9})
    assert not [secret for secret in (TOKEN, KEY) if secret in repr((tokens, outgoing(provider)))]
