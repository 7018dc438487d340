"""Whatever a path does, it is observed: raising, hanging, yielding nonsense, never ending."""

from __future__ import annotations

import asyncio
import json
import sys
import threading
import time
from collections import UserDict
from collections.abc import AsyncIterator, Iterator
from enum import StrEnum
from types import SimpleNamespace
from typing import Any

import pytest

from llm_contracts.clients.call import Call, Client
from llm_contracts.clients.failures import describe
from llm_contracts.clients.observation import Chunk, Failure, Observation
from llm_contracts.clients.observe import observe
from llm_contracts.clients.session import SessionLike
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Request, Response

CALL = Call(base_url="http://127.0.0.1/v1", api_key="sk-very-secret", provider="x", model="m")
REQUEST = Request(method="POST", uri="https://x.invalid/v1/chat/completions")


class Session(SessionLike):
    """Stands for a session of the edge: one event leaves with every delivery."""

    def __init__(self) -> None:
        self.handed: list[tuple[int, ...]] = []
        self.aborted = threading.Event()

    def requests(self) -> tuple[Request, ...]:
        return (REQUEST,)

    def events_sent(self) -> int | None:
        return len(self.handed) + 1

    def delivered(self, text: int, reasoning: int = 0, arguments: int = 0, others: int = 0, /) -> None:
        self.handed.append((text, reasoning, arguments, others))

    def abort(self) -> None:
        self.aborted.set()


def seen(path: Client, session: Session | None = None, call: Call = CALL, **limits: Any) -> Observation:
    return observe(path, call, name="mine", session=session or Session(), **limits)


def failure_of(path: Client, **limits: Any) -> Failure:
    failure = seen(path, **limits).failure
    assert failure is not None
    return failure


def raising(error: BaseException) -> Client:
    def path(_call: Call) -> Iterator[str]:
        yield "He"
        raise error

    return path


def test_a_path_is_given_the_call_and_observed_to_its_end() -> None:
    session = Session()
    observed = seen(lambda call: iter(["He", "llo", call.model]), session)
    assert observed.client == "mine"
    assert observed.text == "Hellom"
    assert observed.failure is None
    assert observed.requests == (REQUEST,)
    assert observed.duration_ms > 0


def test_each_delivery_has_its_position_and_time_and_is_told_to_the_session() -> None:
    session = Session()
    observed = seen(lambda _: iter(["He", "", "llo"]), session)
    assert [chunk.position for chunk in observed.chunks] == [1, 2, 3]
    assert [text for text, *_ in session.handed] == [2, 2, 5]
    times = [chunk.at_ms for chunk in observed.chunks if chunk.at_ms is not None]
    assert times == sorted(times)
    assert len(times) == 3


def test_what_is_handed_on_is_counted_by_the_choice_whichever_came_first() -> None:
    """A client that hands on one choice alone is not waited for with the text of the others."""

    def path(_call: Call) -> Iterator[dict[str, Any]]:
        for index, text in ((1, "abc"), (0, "de"), (1, "f")):
            yield {"choices": [{"index": index, "delta": {"content": text}}]}

    session = Session()
    seen(path, session)
    assert session.handed == [(0, 0, 0, 3), (2, 0, 0, 3), (2, 0, 0, 4)]


def test_each_event_of_an_unknown_api_counts_for_a_client_as_on_the_wire() -> None:
    """Or the edge waits in vain for one, such as for totals that come alone."""
    events = [{"step": 1}, {"usage": {"prompt_tokens": 3}}, {"step": 2, "usage": {"total_tokens": 4}}]
    session = Session()
    seen(lambda _: iter(events), session)
    body = "".join(f"data: {json.dumps(event)}\n\n" for event in events).encode()
    sent = read_facts(Response(status=200, headers=(("Content-Type", "text/event-stream"),), body=body))
    assert [text for text, *_ in session.handed] == [text for text, *_ in sent.progress] == [1, 2, 3]


def test_an_async_path_is_the_same_to_an_observer() -> None:
    async def path(_call: Call) -> AsyncIterator[str]:
        yield "He"
        await asyncio.sleep(0)
        yield "llo"

    assert seen(path).chunks == seen(lambda _: ["He", "llo"]).chunks


def test_a_failure_keeps_what_was_handed_on_before() -> None:
    observed = seen(raising(ValueError("broken")))
    assert observed.chunks == (Chunk(text="He"),)
    assert observed.failure == Failure(category="ValueError", message="broken")


def test_a_path_that_raises_at_once_is_a_failure() -> None:
    def path(_call: Call) -> Iterator[str]:
        raise KeyError("x")

    assert failure_of(path).category == "KeyError"


@pytest.mark.parametrize("error", [SystemExit(3), KeyboardInterrupt(), GeneratorExit()])
def test_not_even_an_exit_of_a_path_ends_the_run(error: BaseException) -> None:
    assert failure_of(raising(error)).category == type(error).__name__


def test_an_async_path_that_exits_is_a_failure() -> None:
    async def path(_call: Call) -> AsyncIterator[str]:
        yield "He"
        sys.exit(1)

    assert failure_of(path).category == "SystemExit"


def test_a_hanging_path_is_ended_by_dropping_its_connections() -> None:
    session = Session()

    def path(_call: Call) -> Iterator[str]:
        yield "He"
        session.aborted.wait(60)
        raise ConnectionError

    observed = seen(path, session, timeout=1)
    assert observed.failure is not None
    assert observed.failure.category == "hang"
    assert observed.failure.message == (
        "no end within the limit of 1 s; it ended when its connections were dropped"
    )
    assert observed.chunks == (Chunk(text="He"),)


def test_a_thread_that_cannot_be_ended_is_named_and_stopped_at_its_next_item() -> None:
    release, done = threading.Event(), threading.Event()
    session = Session()

    def path(call: Call) -> Iterator[str]:
        try:
            release.wait(60)
            call.telemetry({"name": "late"})
            yield "late"
            yield "later"
        finally:
            done.set()

    observed = seen(path, session, timeout=0.05)
    assert observed.failure is not None
    assert "its thread is still running" in observed.failure.message
    release.set()
    assert done.wait(60)
    assert (observed.chunks, observed.generations, session.handed) == ((), (), [])


def test_a_path_that_never_ends_is_closed_after_so_many_items() -> None:
    closed = threading.Event()

    def path(_call: Call) -> Iterator[str]:
        try:
            while True:
                yield "a"
        finally:
            closed.set()

    observed = seen(path, max_chunks=5)
    assert observed.failure == Failure(category="endless", message="")
    assert len(observed.chunks) == 5
    assert closed.is_set()


def test_an_async_path_that_never_ends_is_closed_too() -> None:
    closed = threading.Event()

    async def path(_call: Call) -> AsyncIterator[str]:
        try:
            while True:
                yield "a"
        finally:
            closed.set()

    assert seen(path, max_chunks=5).failure == Failure(category="endless", message="")
    assert closed.is_set()


class Endless:
    """An async iterator without `aclose`."""

    def __aiter__(self) -> Endless:
        return self

    async def __anext__(self) -> str:
        return "a"


def test_an_endless_iterable_that_cannot_be_closed_is_left() -> None:
    assert failure_of(lambda _: iter(lambda: "a", "b"), max_chunks=2).category == "endless"
    assert failure_of(lambda _: Endless(), max_chunks=2).category == "endless"


def test_nonsense_is_named_by_place_and_type() -> None:
    failure = failure_of(lambda _: ["He", 7])
    assert (failure.category, failure.message) == (
        "nonsense",
        "item 1 is not a chunk but an object of type int",
    )


@pytest.mark.parametrize("kind", [bytes, bytearray, memoryview])
def test_bytes_may_come_in_any_buffer(kind: Any) -> None:
    pieces = [b'data: {"choices":[{"index":0,"delta":{"content":"He"}}]}\n', b"\ndata: [DONE]\n\n"]
    found = seen(lambda _: map(kind, pieces))
    assert (found.text, found.failure, found.effects) == ("He", None, {})


async def _coroutine(_call: Call) -> Any:
    return ["Hel", "lo"]


def test_a_coroutine_is_awaited_and_its_answer_read() -> None:
    coroutine: Any = _coroutine
    assert seen(coroutine).text == "Hello"


@pytest.mark.parametrize(
    ("returned", "kind"),
    [
        (lambda _: None, "nothing (None)"),
        (lambda _: 7, "an object of type int"),
        (lambda _: "text", "an object of type str"),
        (lambda _: {}, "an object of type dict"),
    ],
)
def test_a_path_that_returns_no_iterable_is_nonsense(returned: Any, kind: str) -> None:
    failure = failure_of(returned)
    assert failure.category == "nonsense"
    assert failure.message == f"the client returned {kind} instead of an iterable of chunks"


def test_generations_are_copied_and_still_reach_the_sink_of_the_call() -> None:
    reached: list[Any] = []
    call = Call(base_url="", api_key="sk-very-secret", provider="x", model="m", telemetry=reached.append)

    def path(given: Call) -> Iterator[str]:
        generation: dict[str, Any] = {"name": "n", "metadata": {"key": "sk-very-secret"}, "input": ("a",)}
        given.telemetry(generation)
        generation["name"] = "changed later"
        given.telemetry(["no mapping"])  # type: ignore[arg-type]
        yield "a"

    observed = seen(path, call=call)
    assert observed.generations == (
        {"name": "n", "metadata": {"key": "[api key]"}, "input": ["a"]},
        {"unreadable": "an object of type list"},
    )
    assert len(reached) == 2


def test_ctrl_c_while_waiting_drops_the_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    session = Session()

    def interrupted(_thread: threading.Thread, _timeout: float | None = None) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(threading.Thread, "join", interrupted)
    with pytest.raises(KeyboardInterrupt):
        seen(lambda _: iter(["a"]), session)
    assert session.aborted.is_set()


def test_runs_side_by_side_do_not_mix() -> None:
    def path(call: Call) -> Iterator[str]:
        for _ in range(20):
            time.sleep(0.001)
            yield call.model

    found: dict[str, str] = {}

    def one(model: str) -> None:
        found[model] = seen(path, call=Call(base_url="", api_key="k", provider="x", model=model)).text

    threads = [threading.Thread(target=one, args=(name,)) for name in "abcd"]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)
    assert found == {name: name * 20 for name in "abcd"}


# What a failure says


class Code(StrEnum):
    FAILED = "app.requestFailed"


class AdapterError(Exception):
    code = Code.FAILED
    status = 429
    category = "rate_limit"
    provider_code = "1302"
    attempts = 3


class SdkError(Exception):
    status_code = 401
    code = "invalid_api_key"


class ResponseError(Exception):
    """As Google's SDK raises it, with aiohttp's response."""

    status = "Bad Gateway"
    response = SimpleNamespace(status=502)


class OddError(Exception):
    status_code = "429"
    code = True
    category = ""

    @property
    def attempts(self) -> int:
        raise RuntimeError

    def __str__(self) -> str:
        raise RuntimeError


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        (
            AdapterError("slow down"),
            Failure(
                category="rate_limit",
                message="",
                status=429,
                code="app.requestFailed",
                provider_code="1302",
                attempts=3,
            ),
        ),
        (
            SdkError("no"),
            Failure(category="SdkError", message="", status=401, provider_code="invalid_api_key"),
        ),
        (ResponseError("no"), Failure(category="ResponseError", message="", status=502)),
        (OddError(), Failure(category="OddError", message="")),
    ],
)
def test_a_failure_is_described_by_its_own_attributes(error: Exception, expected: Failure) -> None:
    assert describe(error, "sk-very-secret") == expected


def test_an_exception_with_cookies_that_cannot_be_listed_is_still_described() -> None:
    """httpx names a cookie for a subdomain without a value, and then says that there is none."""

    class Cookies(UserDict[str, str]):
        def __getitem__(self, name: str) -> str:
            raise KeyError(name)

    error = RuntimeError("refused")
    error.cookies = Cookies(session="1")  # type: ignore[attr-defined]
    found = failure_of(raising(error))
    assert (found.message, found.fields["cookies"]) == ("refused", "<Cookies>")


def test_an_exception_that_cannot_be_printed_is_still_described() -> None:
    assert describe(OddError(), "").message == "(OddError cannot be printed)"


def test_what_lies_below_a_failure_is_told() -> None:
    """The openai SDK says `Connection error.` whatever happened."""
    error = SdkError("Connection error.")
    error.__cause__ = OSError("refused by sk-very-secret")
    assert describe(error, "sk-very-secret").message == (
        "Connection error. (from OSError: refused by [api key])"
    )
    error.__cause__ = None
    assert describe(error, "").message == "Connection error."


def test_no_key_gets_into_a_failure() -> None:
    error = SdkError("Incorrect API key provided: sk-very-secret. " + "x" * 5000)
    error.code = "sk-very-secret"
    failure = describe(error, "sk-very-secret")
    assert failure.message.startswith("Incorrect API key provided: [api key].")
    assert len(failure.message) == 2000
    assert "secret" not in repr(failure)
