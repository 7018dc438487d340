"""What is raised into a call and is not about it comes out as it was raised, and ends the exchange."""

from __future__ import annotations

import signal
import sys
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing, contextmanager
from dataclasses import replace
from functools import partial
from types import FrameType

import httpx
import pytest

from llm_adapter import Adapter, LLMError, RequestFailedError
from llm_adapter.backends.ark_listing import EndpointDirectory
from llm_adapter.clients import Clients
from llm_adapter.interruptions import interruption
from tests.adapter.conftest import MakeAdapter
from tests.adapter.provider import End, Provider, Reply, answer
from tests.adapter.test_redirects import WAYS


class SoftTimeLimitExceeded(Exception):  # noqa: N818 (Celery's name for its own)
    """Like Celery's: raised by a signal handler, wherever the task is."""


class ImpatientError(TimeoutError):
    """One that HTTP libraries take for their own."""


class HastyError(ConnectionError):
    """One that is worth another attempt, to who does not look where it was raised."""


READING = ("_backends/sync.py", "/socket.py")
"""Where a call waits for what the provider says."""


def _interrupt(main: int, waiting: tuple[str, ...]) -> None:
    """Send the signal once the call waits there: before, an exchange is not yet open."""
    while not sys._current_frames()[main].f_code.co_filename.endswith(waiting):
        time.sleep(0.001)
    signal.pthread_kill(main, signal.SIGUSR1)


@contextmanager
def raising(error: BaseException, waiting: tuple[str, ...] = READING) -> Iterator[Callable[[], None]]:
    """Gives a function that lets the error be raised here, in the main thread, while it waits there."""

    def handler(_number: int, _frame: FrameType | None) -> None:
        raise error

    before = signal.signal(signal.SIGUSR1, handler)
    main = threading.main_thread().ident
    assert main is not None
    try:
        yield partial(_interrupt, main, waiting)
    finally:
        signal.signal(signal.SIGUSR1, before)


ERRORS = [SoftTimeLimitExceeded, ImpatientError, HastyError, KeyboardInterrupt, SystemExit]


@pytest.mark.parametrize("kind", ERRORS)
@pytest.mark.parametrize("end", [End.SILENCE, End.STALL])
@pytest.mark.parametrize(("backend", "model"), WAYS)
def test_what_a_signal_handler_raises_is_not_translated_and_not_asked_again_for(
    backend: str,
    model: str,
    end: End,
    kind: type[BaseException],
    provider: Provider,
    make_adapter: MakeAdapter,
) -> None:
    error = kind("60 s")
    provider.say(Reply(pieces=(b": wait\n\n",), end=end))
    adapter = make_adapter(backend)
    with raising(error) as now:
        provider.on_stall = now
        with pytest.raises(type(error)) as raised:
            list(adapter.invoke_llm(None, "u", None, model, "hi"))
    assert raised.value is error
    assert len(provider.asked) == 1
    assert provider.left.wait(60)


def _host(*_: object, **__: object) -> None:
    raise RuntimeError


@pytest.mark.parametrize("error", [LLMError("mine", model="m"), ValueError("mine"), GeneratorExit()])
def test_what_the_consumer_throws_in_comes_out_unchanged(
    error: BaseException, adapter: Adapter, provider: Provider
) -> None:
    provider.say(answer("a", "b"))
    stream = replace(adapter, raise_error=_host).invoke_llm(None, "u", None, "gpt-4o", "hi")
    next(stream)
    with pytest.raises(type(error)) as raised:
        stream.throw(error)
    assert raised.value is error


def test_what_the_application_was_handling_is_not_taken_for_an_interruption(
    adapter: Adapter, provider: Provider
) -> None:
    provider.say(Reply(status=400))
    try:
        int("none")
    except ValueError:
        with pytest.raises(RequestFailedError) as raised:
            list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))
        assert interruption(raised.value) is None


def _post(url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    return httpx.post(url, headers=headers, content=body, timeout=60).content


def test_so_is_the_search_for_an_endpoint(make_adapter: MakeAdapter, provider: Provider) -> None:
    """Though one that fails is a warning. Another thread searches, and the call waits for it: here, however
    long that takes, as a call that has given up waits elsewhere.
    """
    error = SoftTimeLimitExceeded()
    provider.say(Reply(end=End.SILENCE))
    listing = {"ARK_ACCESS_KEY_ID": "a", "ARK_SECRET_ACCESS_KEY": "b", "ARK_LISTING_URL": provider.url}
    clients = Clients(directory=EndpointDirectory(send=_post, patience=60))
    with (
        closing(replace(make_adapter(**listing), clients=clients)) as adapter,
        raising(error, ("/threading.py",)) as now,
    ):
        provider.on_stall = now
        with pytest.raises(SoftTimeLimitExceeded) as raised:
            list(adapter.invoke_llm(None, "u", None, "ark/mine", "hi"))
    assert raised.value is error
    assert len(provider.asked) == 1
