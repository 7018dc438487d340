"""When a call is made again, and after which pause: the same for every provider and client."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import httpx
import openai
import pytest

from llm_adapter.backends.retries import aretrying, asked_wait, retrying
from llm_adapter.backends.retrying_client import Request, RetryingClient
from llm_adapter.control import CallControl
from llm_adapter.failures import RefusedError

GOOGLE = {"@type": "type.googleapis.com/google.rpc.RetryInfo"}


def refused_by_sdk(status: int, headers: dict[str, str], body: Any) -> Exception:
    """What the SDK makes of a refusal."""
    answered = httpx.MockTransport(
        lambda _: httpx.Response(status, headers=headers, content=json.dumps(body))
    )
    client = openai.OpenAI(api_key="k", base_url="http://p", http_client=httpx.Client(transport=answered))
    with pytest.raises(openai.APIStatusError) as caught:
        client.with_options(max_retries=0).models.list()
    return caught.value


def refused_by_us(status: int, headers: dict[str, str], body: Any) -> Exception:
    """What our own client makes of it."""
    answered = httpx.MockTransport(
        lambda _: httpx.Response(status, headers=headers, content=json.dumps(body))
    )
    client = RetryingClient(
        client=httpx.Client(transport=answered), error_document=lambda document: document, max_retries=0
    )
    with pytest.raises(RefusedError) as caught:
        client.send(Request(url="http://p"))
    return caught.value


def pauses(error: Exception, *, max_retries: int = 2) -> list[float]:
    """The pauses of a call whose every attempt fails so."""
    waited: list[float] = []

    def once(_attempt: int) -> None:
        raise error

    with pytest.raises(type(error)):
        retrying(once, max_retries=max_retries, sleep=waited.append)
    return waited


BACK_OFF = "half a second, then twice that"
WAITS: dict[str, tuple[dict[str, str], Any, Any]] = {
    "seconds": ({"retry-after": "7"}, {}, 7.0),
    "milliseconds": ({"retry-after-ms": "1500", "retry-after": "7"}, {}, 1.5),
    "negative": ({"retry-after": "-5"}, {}, BACK_OFF),
    "negative-milliseconds": ({"retry-after-ms": "-1", "retry-after": "3"}, {}, 3.0),
    "nan": ({"retry-after": "nan"}, {}, BACK_OFF),
    "words": ({"retry-after": "soon"}, {}, BACK_OFF),
    "infinite": ({"retry-after": "inf"}, {}, BACK_OFF),
    "google": ({}, {"error": {"message": "m", "details": [{**GOOGLE, "retryDelay": "34.4s"}]}}, 34.4),
    "google-in-a-list": ({}, [{"error": {"details": ["odd", {**GOOGLE, "retryDelay": "3s"}]}}], 3.0),
    "google-negative": ({}, {"error": {"details": [{**GOOGLE, "retryDelay": "-3s"}]}}, BACK_OFF),
    "google-words": ({}, {"error": {"details": [{**GOOGLE, "retryDelay": "later"}]}}, BACK_OFF),
    "header-first": ({"retry-after": "2"}, {"error": {"details": [{"retryDelay": "9s"}]}}, 2.0),
    "negative-header": ({"retry-after": "-2"}, {"error": {"details": [{"retryDelay": "9s"}]}}, 9.0),
    "two-minutes": ({"retry-after": "120"}, {}, 120.0),
    "longer": ({"retry-after": "121"}, {}, None),
}


@pytest.mark.parametrize("refused", [refused_by_sdk, refused_by_us])
@pytest.mark.parametrize("name", WAITS)
def test_the_wait_that_is_asked_for(refused: Callable[..., Exception], name: str) -> None:
    headers, body, wait = WAITS[name]
    waited = pauses(refused(429, headers, body))
    if wait is None:
        assert waited == []
    elif wait is BACK_OFF:
        first, second = waited
        assert 0.375 <= first <= 0.5
        assert 0.75 <= second <= 1
    else:
        assert waited == [wait, wait]


def test_a_date_is_a_wait_until_then() -> None:
    then = format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)
    wait = asked_wait({"retry-after": then}, None)
    assert wait is not None
    assert 30 < wait <= 60
    assert (
        asked_wait({"retry-after": format_datetime(datetime.now(UTC) - timedelta(seconds=60))}, None) is None
    )


@pytest.mark.parametrize("refused", [refused_by_sdk, refused_by_us])
@pytest.mark.parametrize(
    ("status", "advice", "again"),
    [
        (400, None, False),
        (404, None, False),
        (408, None, True),
        (409, None, True),
        (429, None, True),
        (500, None, True),
        (529, None, True),
        (400, "true", True),
        (503, "false", False),
    ],
)
def test_what_is_asked_again(
    refused: Callable[..., Exception], status: int, advice: str | None, again: bool
) -> None:
    headers = {"x-should-retry": advice} if advice else {}
    assert len(pauses(refused(status, headers, {}))) == (2 if again else 0)


def test_what_comes_again_the_same_way_is_not_asked_for_twice() -> None:
    """JSON that is broken, and a coding that the body does not have."""
    assert pauses(json.JSONDecodeError("no", "{", 0)) == []
    assert pauses(httpx.DecodingError("no")) == []
    assert len(pauses(httpx.ReadError("gone"))) == 2


@pytest.mark.parametrize("max_retries", [0, 1, 5])
def test_the_caller_says_how_often(max_retries: int) -> None:
    error = refused_by_us(503, {}, {})
    assert len(pauses(error, max_retries=max_retries)) == max_retries
    assert vars(error)["attempts"] == max_retries + 1


def test_a_pause_that_the_callers_time_does_not_allow_is_not_begun() -> None:
    control = CallControl.of({"timeout": 5}, clock=lambda: 0.0)
    for wait, allowed in (("4", True), ("5", False), ("60", False)):
        with control.step():
            waited = pauses(refused_by_us(429, {"retry-after": wait}, {}))
        assert bool(waited) is allowed


def test_the_same_rule_holds_on_an_event_loop() -> None:
    attempts: list[int] = []

    async def once(attempt: int) -> str:
        attempts.append(attempt)
        if attempt < 3:
            raise refused_by_us(429, {"retry-after-ms": "1"}, {})
        return "answer"

    assert asyncio.run(aretrying(once)) == "answer"
    assert attempts == [1, 2, 3]
    with pytest.raises(RefusedError):
        asyncio.run(aretrying(once, max_retries=0))
