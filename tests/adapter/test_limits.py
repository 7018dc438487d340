"""What a caller waits at most, and cancelling from another thread, against providers that say nothing."""

from __future__ import annotations

import asyncio
import gc
import socket
import ssl
import threading
import warnings
from collections.abc import Callable, Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import aclosing, closing, contextmanager, suppress
from dataclasses import dataclass, field, replace
from types import SimpleNamespace
from typing import Any

import pytest
import trustme

from llm_adapter import Adapter, CallRecord, Outcome, RequestFailedError, adapter_from
from llm_adapter.backends import ernie_v1, network
from llm_adapter.backends.ark_listing import EndpointDirectory
from llm_adapter.backends.litellm import LiteLLMBackend
from llm_adapter.backends.litellm_async import AsyncLiteLLMBackend
from llm_adapter.clients import Clients
from llm_adapter.control import CallCancelled, CallControl, acquired
from llm_adapter.errors import Category
from llm_adapter.failures import describe
from llm_adapter.requests import Outgoing
from llm_adapter.settings import BackendName
from tests.adapter.provider import KEY, chunk

HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n"
FIRST = b"%x\r\n%b\r\n" % (len(chunk("One")), chunk("One"))
HEARTBEAT = b"9\r\n: alive\n\n\r\n"
SLOW = b'{"error": {"message": "slow down", "code": "slow_down"}}'
LATER = b"HTTP/1.1 429 Slow\r\nretry-after: 50\r\ncontent-length: %d\r\n\r\n%b" % (len(SLOW), SLOW)
SOON = 10.0  # seconds after which a test gives up waiting for what has been set off


@pytest.fixture(scope="module", autouse=True)
def _imported() -> None:
    """The first call of a process imports LiteLLM, which would count."""
    LiteLLMBackend().warm_up(())


@dataclass(slots=True)
class Silent:
    """A provider that takes requests and says no more than `words`; with `chatty` it goes on for ever with
    what means nothing.

    Attributes:
        url: where it is.
        asked: set when a request has come, and its words have been said.
        requests: how many have come.
    """

    url: str
    words: bytes = b""
    chatty: bool = False
    asked: threading.Event = field(default_factory=threading.Event)
    requests: int = 0
    over: threading.Event = field(default_factory=threading.Event)

    def serve(self, listener: socket.socket, context: ssl.SSLContext | None) -> None:
        with suppress(OSError):
            while True:
                connection, _ = listener.accept()
                threading.Thread(target=self._answer, args=(connection, context), daemon=True).start()

    def _answer(self, connection: socket.socket, context: ssl.SSLContext | None) -> None:
        with suppress(OSError), connection:
            talking = context.wrap_socket(connection, server_side=True) if context else connection
            with talking:
                talking.recv(65536)
                self.requests += 1
                talking.sendall(self.words)
                self.asked.set()
                while self.chatty and not self.over.wait(0.02):
                    talking.sendall(HEARTBEAT if b"\r\n\r\n" in self.words else b"x")
                self.over.wait()


@contextmanager
def silent(
    words: bytes = b"", *, chatty: bool = False, context: ssl.SSLContext | None = None
) -> Iterator[Silent]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        scheme = "https" if context else "http"
        provider = Silent(
            url=f"{scheme}://127.0.0.1:{listener.getsockname()[1]}/v1", words=words, chatty=chatty
        )
        threading.Thread(target=provider.serve, args=(listener, context), daemon=True).start()
        yield provider
        provider.over.set()


def ended_elsewhere(
    stream: Iterable[Any], reached: threading.Event, end: Callable[[], None]
) -> BaseException | None:
    """What comes of reading a stream in another thread that is ended as soon as it has got so far."""
    with ThreadPoolExecutor(1) as pool:
        waiting = pool.submit(list, stream)
        assert reached.wait(SOON)
        end()
        return waiting.exception(SOON)


@contextmanager
def asking() -> Iterator[LiteLLMBackend]:
    backend = LiteLLMBackend()
    yield backend
    backend.close()


def outgoing(provider: Silent, key: str = "openai", **params: Any) -> Outgoing:
    messages = ({"role": "user", "content": "hi"},)
    return Outgoing(
        provider=key, base_url=provider.url, api_key=KEY, model="m", messages=messages, params=params
    )


def read(backend: LiteLLMBackend, asked: Outgoing, control: CallControl) -> None:
    with control.step():
        for _ in backend(asked).chunks:
            pass


@pytest.mark.parametrize("key", ["openai", "gemini", "dify"])
@pytest.mark.parametrize("words", [b"", HEAD], ids=["no-head", "no-event"])
def test_the_callers_time_holds_for_all_attempts_together(key: str, words: bytes) -> None:
    """There is no time left for a second attempt, nor for the pause before it."""
    control = CallControl.of({"timeout": 0.3})
    with silent(words) as provider, asking() as backend:
        with pytest.raises(Exception) as caught:  # noqa: PT011 (whatever the client raises)
            read(backend, outgoing(provider, key, timeout=0.3), control)
        assert describe(caught.value).category is Category.TIMEOUT
        assert provider.requests <= 1


@contextmanager
def blocked() -> Iterator[Callable[[], None]]:
    """What blocks until the test is over."""
    over = threading.Event()

    def block() -> None:
        over.wait(SOON)

    yield block
    over.set()


def late(adapter: Adapter, model: str, *, looped: bool, **limits: Any) -> RequestFailedError:
    """The failure of a call, after which nobody has been asked."""

    async def ask() -> None:
        async with aclosing(adapter.ainvoke_llm(None, "u", None, model, "hi", **limits)) as pieces:
            async for _ in pieces:
                pass

    def ask_here() -> None:
        list(adapter.invoke_llm(None, "u", None, model, "hi", **limits))

    with pytest.raises(RequestFailedError) as caught:
        asyncio.run(ask()) if looped else ask_here()
    return caught.value


@pytest.mark.parametrize("looped", [False, True], ids=["thread", "loop"])
@pytest.mark.parametrize("limit", [{"timeout": 0.1}, {"timeout": "0.1"}, {"deadline": 0.1}])
def test_the_search_for_an_endpoint_is_a_part_of_the_wait(limit: dict[str, Any], looped: bool) -> None:
    with blocked() as block, silent() as provider:
        directory = EndpointDirectory(send=lambda *_: block() or b"", patience=SOON)
        environ = {"ARK_API_KEY": KEY, "ARK_BASE_URL": provider.url, "ARK_LISTING_URL": provider.url}
        keys = {"ARK_ACCESS_KEY_ID": KEY, "ARK_SECRET_ACCESS_KEY": KEY}
        with closing(adapter_from({**environ, **keys}, clients=Clients(directory=directory))) as adapter:
            error = late(adapter, "ark/doubao", looped=looped, **limit)
    assert (error.category, provider.requests) == (Category.TIMEOUT, 0)


@pytest.mark.parametrize("looped", [False, True], ids=["thread", "loop"])
@pytest.mark.parametrize("backend", ["legacy", "litellm"])
def test_the_import_of_a_library_is_a_part_of_the_wait(backend: str, looped: bool) -> None:
    with blocked() as block:
        makers: Any = dict.fromkeys(BackendName, block)
        adapter = adapter_from(
            {"OPENAI_API_KEY": KEY, "LLM_BACKEND": backend},
            clients=Clients(backends=makers, async_backends=makers),
        )
        assert late(adapter, "gpt-4o", looped=looped, timeout=0.1).category is Category.TIMEOUT


def test_who_cancels_does_not_wait_for_the_import_of_a_library() -> None:
    making = threading.Event()
    with blocked() as block:

        def make() -> None:
            making.set()
            block()

        makers: Any = dict.fromkeys(BackendName, make)
        adapter = adapter_from({"OPENAI_API_KEY": KEY}, clients=Clients(backends=makers))
        stream = adapter.invoke_llm(None, "u", None, "gpt-4o", "hi")
        error = ended_elsewhere(stream, making, stream.cancel)
    assert isinstance(error, RequestFailedError)
    assert error.category is Category.CANCELLED


def test_a_lock_that_another_call_holds_is_waited_for_no_longer_than_the_call_may() -> None:
    """As of a call that asks for a token, or for the names of endpoints."""
    lock = threading.Lock()
    assert acquired(lock)
    with CallControl.of({"timeout": 0.05}).step():
        assert not acquired(lock)
    cancelled = CallControl()
    with pytest.raises(CallCancelled), cancelled.step():  # noqa: PT012 (the step is what raises)
        cancelled.cancel()
        acquired(lock)


def test_no_pause_is_made_that_would_outlast_the_wait() -> None:
    """ERNIE's own kind of busy, which comes with a good status."""
    words = b'{"error_code": 2, "error_msg": "busy"}'
    head = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ncontent-length: %d\r\n\r\n" % len(words)
    control = CallControl.of({"timeout": 0.3}, clock=lambda: 0.0)
    tokens = ernie_v1.Tokens()
    with silent(head + words) as provider:
        asked = replace(outgoing(provider, "ernie_v1"), model="ERNIE-4.0-8K")
        tokens.get((provider.url, KEY, ""), lambda: {"access_token": "t", "expires_in": 9999})
        with closing(LiteLLMBackend(tokens=tokens)) as backend, pytest.raises(Exception) as caught:  # noqa: PT011
            read(backend, asked, control)
    assert (describe(caught.value).category, provider.requests) == (Category.OVERLOADED, 1)


def test_heartbeats_do_not_prolong_the_wait() -> None:
    control = CallControl.of({"timeout": 0.3})
    with silent(HEAD, chatty=True) as provider, asking() as backend:
        with pytest.raises(Exception) as caught:  # noqa: PT011
            read(backend, outgoing(provider), control)
        assert describe(caught.value).category is Category.TIMEOUT


def test_a_deadline_ends_a_call_whatever_it_waits_for() -> None:
    control = CallControl.of({"timeout": 60, "deadline": 0.3})
    with silent(HEAD, chatty=True) as provider, asking() as backend:
        with pytest.raises(Exception) as caught:  # noqa: PT011
            read(backend, outgoing(provider), control)
        assert describe(caught.value).category is Category.TIMEOUT


def test_each_step_has_its_own_time_and_the_deadline_is_for_all() -> None:
    now = [100.0]
    control = CallControl.of({"timeout": 5, "deadline": 12}, clock=lambda: now[0])
    assert control.remaining() is None
    for passed, remaining in ((0, 5), (4, 5), (4, 4), (3, 1), (9, 0)):
        now[0] += passed
        with control.step():
            assert control.remaining() == remaining


@pytest.mark.parametrize("key", ["openai", "gemini"])
@pytest.mark.parametrize("words", [b"", HEAD], ids=["no-head", "no-event"])
def test_another_thread_cancels_a_wait(key: str, words: bytes) -> None:
    with silent(words) as provider, asking() as backend:
        assert_cancelled(backend, outgoing(provider, key), provider)


def test_another_thread_cancels_a_wait_under_tls(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    authority = trustme.CA()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("127.0.0.1").configure_cert(context)
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    monkeypatch.setenv("SSL_CERT_FILE", str(tmp_path / "ca.pem"))
    with silent(HEAD, context=context) as provider, asking() as backend:
        assert_cancelled(backend, outgoing(provider), provider)


@contextmanager
def finding_nothing(monkeypatch: pytest.MonkeyPatch) -> Iterator[Silent]:
    """The address of a provider cannot be found, and the search for it does not end."""
    nowhere = Silent(url="http://nowhere.invalid/v1")

    def search(*_: Any, **__: Any) -> list[Any]:
        nowhere.requests += 1
        nowhere.asked.set()
        nowhere.over.wait(SOON)
        raise socket.gaierror

    monkeypatch.setattr(socket, "getaddrinfo", search)
    yield nowhere
    nowhere.over.set()


def test_another_thread_cancels_the_search_for_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with finding_nothing(monkeypatch) as nowhere, asking() as backend:
        assert_cancelled(backend, outgoing(nowhere), nowhere)


def test_the_callers_time_holds_for_the_search_for_an_address(monkeypatch: pytest.MonkeyPatch) -> None:
    with finding_nothing(monkeypatch) as nowhere, asking() as backend:
        # What comes before the search takes no time.
        control = CallControl.of({"timeout": 0.1}, clock=lambda: 0.0)
        with pytest.raises(Exception) as caught:  # noqa: PT011 (which one is the library's)
            read(backend, outgoing(nowhere), control)
        assert describe(caught.value).category is Category.TIMEOUT
        assert not nowhere.over.is_set()


def test_another_thread_cancels_a_handshake() -> None:
    with silent() as provider, asking() as backend:
        provider.url = provider.url.replace("http:", "https:")
        assert_cancelled(backend, outgoing(provider), provider)


def test_a_connection_that_is_made_too_late_is_closed() -> None:
    made, over, closed = threading.Event(), threading.Event(), threading.Event()

    class Late:
        def connect_tcp(self, *_: Any, **__: Any) -> Any:
            made.set()
            over.wait(SOON)
            return self

        def close(self) -> None:
            closed.set()

    control = CallControl()

    def connect() -> None:
        with control.step():
            network._Backend(Late(), SimpleNamespace(ConnectTimeout=TimeoutError)).connect_tcp("h", 1)

    with ThreadPoolExecutor(1) as pool:
        connecting = pool.submit(connect)
        assert made.wait(SOON)
        control.cancel()
        assert isinstance(connecting.exception(SOON), CallCancelled)
    assert not closed.is_set()
    over.set()
    assert closed.wait(SOON)


def test_a_wait_within_a_wait_does_not_make_the_outer_one_deaf() -> None:
    """As of a thread that asks for a token while the event loop waits for it."""
    control, woken = CallControl(), list[str]()
    with control.interruptible(lambda: woken.append("outer")):
        control.wait(lambda: None, lambda: woken.append("inner"))
        control.cancel()
    assert woken == ["outer"]


def test_another_thread_cancels_a_pause_between_two_attempts() -> None:
    with silent(LATER) as provider, asking() as backend:
        assert_cancelled(backend, outgoing(provider), provider)


def assert_cancelled(backend: LiteLLMBackend, asked: Outgoing, provider: Silent) -> None:
    """The waiting thread is let go, with nothing asked again."""
    control, ended = CallControl(), list[BaseException]()

    def wait() -> None:
        try:
            read(backend, asked, control)
        except BaseException as error:  # noqa: BLE001 (which one is what is tested)
            ended.append(error)

    waiting = threading.Thread(target=wait, daemon=True)
    waiting.start()
    assert provider.asked.wait(SOON)
    control.cancel()
    waiting.join(SOON)
    assert [type(error) for error in ended] == [CallCancelled]
    assert provider.requests == 1
    with pytest.raises(CallCancelled), control.step():
        raise AssertionError


@contextmanager
def adapting(provider: Silent, backend: str = "litellm") -> Iterator[Adapter]:
    environ = {"OPENAI_API_KEY": KEY, "OPENAI_BASE_URL": provider.url, "LLM_BACKEND": backend}
    with closing(adapter_from(environ)) as adapter:
        yield adapter


@pytest.mark.parametrize("way", ["cancel", "close"])
@pytest.mark.parametrize("words", [b"", HEAD, HEAD + FIRST], ids=["no-head", "no-event", "after-a-piece"])
def test_a_stream_is_cancelled_while_another_thread_waits_for_it(way: str, words: bytes) -> None:
    records: list[CallRecord] = []
    with silent(words) as provider, adapting(provider) as adapter:
        stream = replace(adapter, on_usage=records.append).invoke_llm(None, "u", None, "gpt-4o", "hi")
        error = ended_elsewhere(stream, provider.asked, getattr(stream, way))
    assert isinstance(error, RequestFailedError)
    assert (error.category, error.provider, error.model) == (Category.CANCELLED, "openai", "gpt-4o")
    assert [record.outcome for record in records] == [Outcome.STOPPED]
    assert provider.requests == 1


def test_a_cancelled_stream_says_so_when_it_is_asked_later() -> None:
    """As a normal end would be taken for the whole answer."""
    with silent(HEAD + FIRST) as provider, adapting(provider) as adapter:
        stream = adapter.invoke_llm(None, "u", None, "gpt-4o", "hi")
        assert next(stream).result == "One"
        stream.cancel()
        for _ in range(2):
            with pytest.raises(RequestFailedError, match="was cancelled"):
                next(stream)
        assert stream.record.outcome is Outcome.STOPPED


def test_the_callers_time_is_told_as_a_timeout() -> None:
    with silent(HEAD + FIRST, chatty=True) as provider, adapting(provider) as adapter:
        stream = adapter.invoke_llm(None, "u", None, "gpt-4o", "hi", timeout=0.3)
        assert next(stream).result == "One"
        with pytest.raises(RequestFailedError) as caught:
            next(stream)
        assert caught.value.category is Category.TIMEOUT


@pytest.mark.parametrize("backend", ["legacy", "litellm"])
@pytest.mark.parametrize(
    ("words", "category", "limit"),
    [
        (b"", Category.TIMEOUT, {"timeout": 0.3}),
        (HEAD, Category.TIMEOUT, {"timeout": 0.3}),
        (HEAD, Category.TIMEOUT, {"deadline": 0.3}),
        (LATER, Category.RATE_LIMIT, {"timeout": 30}),
        (LATER, Category.RATE_LIMIT, {"deadline": 30}),
    ],
)
def test_with_either_backend_no_attempt_is_made_that_would_come_too_late(
    backend: str, words: bytes, category: Category, limit: dict[str, Any]
) -> None:
    with silent(words) as provider, adapting(provider, backend) as adapter:
        with pytest.raises(RequestFailedError) as caught:
            list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi", **limit))
        assert caught.value.category is category
        assert caught.value.provider_code == ("slow_down" if words == LATER else None)
        assert provider.requests <= 1


@contextmanager
def old_dify(provider: Silent, **more: Any) -> Iterator[Adapter]:
    environ = {"DIFY_API_KEY": KEY, "DIFY_URL": provider.url, "LLM_BACKEND": "legacy"}
    with closing(adapter_from(environ, **more)) as adapter:
        yield adapter


@pytest.mark.parametrize("limit", ["timeout", "deadline"])
@pytest.mark.parametrize(
    ("words", "chatty"),
    [(b"", False), (b"HTTP/1.1 200 OK\r\nx-slow: ", True), (HEAD, False), (HEAD, True)],
    ids=["no-head", "half-a-head", "no-event", "heartbeats"],
)
def test_the_old_clients_of_other_protocols_do_not_wait_for_ever_either(
    words: bytes, chatty: bool, limit: str
) -> None:
    limits: dict[str, Any] = {limit: 0.3}
    with silent(words, chatty=chatty) as provider, old_dify(provider) as adapter:
        with pytest.raises(RequestFailedError) as caught:
            list(adapter.invoke_llm(None, "u", None, "dify", "hi", **limits))
        assert caught.value.category is Category.TIMEOUT


@pytest.mark.parametrize(
    ("words", "chatty"),
    [(b"", False), (b"HTTP/1.1 200 OK\r\nx-slow: ", True), (HEAD, False), (HEAD, True)],
    ids=["no-head", "half-a-head", "no-event", "heartbeats"],
)
def test_another_thread_cancels_the_old_clients_of_other_protocols(words: bytes, chatty: bool) -> None:
    records: list[CallRecord] = []
    with silent(words, chatty=chatty) as provider, old_dify(provider, on_usage=records.append) as adapter:
        stream = adapter.invoke_llm(None, "u", None, "dify", "hi")
        error = ended_elsewhere(stream, provider.asked, stream.cancel)
    assert isinstance(error, RequestFailedError)
    assert error.category is Category.CANCELLED
    assert [record.outcome for record in records] == [Outcome.STOPPED]


@pytest.mark.parametrize("model", ["dify", "ERNIE-4.0-8K", "gpt-4o"])
def test_no_time_at_all_is_a_timeout_with_the_old_clients_as_well(model: str) -> None:
    with silent() as provider:
        keys = ("DIFY_API_KEY", "ERNIE_API_ID", "ERNIE_API_SECRET", "OPENAI_API_KEY")
        urls = ("DIFY_URL", "ERNIE_V1_BASE_URL", "OPENAI_BASE_URL")
        environ = {**dict.fromkeys(keys, KEY), **dict.fromkeys(urls, provider.url), "LLM_BACKEND": "legacy"}
        with closing(adapter_from(environ)) as adapter, pytest.raises(RequestFailedError) as caught:
            list(adapter.invoke_llm(None, "u", None, model, "hi", timeout=0))
    assert (caught.value.category, provider.requests) == (Category.TIMEOUT, 0)


@pytest.mark.parametrize("backend", ["legacy", "litellm"])
def test_with_either_backend_a_pause_between_attempts_is_cancelled(backend: str) -> None:
    with silent(LATER) as provider, adapting(provider, backend) as adapter:
        stream = adapter.invoke_llm(None, "u", None, "gpt-4o", "hi")
        error = ended_elsewhere(stream, provider.asked, stream.cancel)
    assert isinstance(error, RequestFailedError)
    assert (error.category, provider.requests) == (Category.CANCELLED, 1)


@pytest.mark.parametrize("limit", ["timeout", "deadline"])
@pytest.mark.parametrize("words", [b"", HEAD], ids=["no-head", "no-event"])
def test_limits_hold_on_an_event_loop(words: bytes, limit: str) -> None:
    async def ask(adapter: Adapter) -> None:
        limits: dict[str, Any] = {limit: 0.3}
        try:
            async for _ in adapter.ainvoke_llm(None, "u", None, "gpt-4o", "hi", **limits):
                raise AssertionError
        finally:
            await adapter.aclose()

    with silent(words, chatty=bool(words)) as provider, adapting(provider) as adapter:
        with pytest.raises(RequestFailedError) as caught:
            asyncio.run(ask(adapter))
        assert caught.value.category is Category.TIMEOUT
        assert provider.requests <= 1


def test_a_task_that_is_cancelled_while_litellm_writes_leaves_nothing_behind() -> None:
    """LiteLLM writes in the loop's pool of threads, and makes a coroutine there that is to be awaited."""

    async def ask(provider: Silent) -> None:
        block, written = threading.Event(), asyncio.Event()
        loop = asyncio.get_running_loop()

        class Slow(ThreadPoolExecutor):
            def submit(self, task: Callable[..., Any], /, *given: Any, **named: Any) -> Any:
                def run() -> Any:
                    result = task(*given, **named)
                    loop.call_soon_threadsafe(written.set)
                    block.wait(SOON)
                    return result

                return super().submit(run)

        loop.set_default_executor(Slow(1))
        backend = AsyncLiteLLMBackend()
        asking = asyncio.ensure_future(backend(outgoing(provider)))
        await written.wait()
        asking.cancel()
        await asyncio.sleep(0)
        block.set()
        with pytest.raises(asyncio.CancelledError):
            await asking
        await backend.close()

    with silent() as provider, warnings.catch_warnings():
        warnings.simplefilter("error")
        asyncio.run(ask(provider))
        gc.collect()
        assert provider.requests == 0


def test_a_cancelled_task_ends_the_call() -> None:
    records: list[CallRecord] = []

    async def ask(adapter: Adapter, provider: Silent) -> None:
        stream = replace(adapter, on_usage=records.append).ainvoke_llm(None, "u", None, "gpt-4o", "hi")
        waiting = asyncio.create_task(anext(stream))
        assert await asyncio.to_thread(provider.asked.wait, SOON)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await adapter.aclose()

    with silent(HEAD) as provider, adapting(provider) as adapter:
        asyncio.run(ask(adapter, provider))
    assert [record.outcome for record in records] == [Outcome.STOPPED]


@pytest.mark.parametrize("words", [b"", HEAD, HEAD + FIRST], ids=["no-head", "no-event", "after-a-piece"])
def test_another_thread_cancels_a_stream_on_an_event_loop(words: bytes) -> None:
    records: list[CallRecord] = []

    async def ask(adapter: Adapter, provider: Silent) -> list[RequestFailedError]:
        stream = replace(adapter, on_usage=records.append).ainvoke_llm(None, "u", None, "gpt-4o", "hi")
        errors = list[RequestFailedError]()

        async def read() -> None:
            async for _ in stream:
                pass

        waiting = asyncio.create_task(read())
        assert await asyncio.to_thread(provider.asked.wait, SOON)
        await asyncio.to_thread(stream.cancel)
        for wait in (waiting, anext(stream)):
            with pytest.raises(RequestFailedError) as caught:
                await wait
            errors.append(caught.value)
        await adapter.aclose()
        return errors

    with silent(words) as provider, adapting(provider) as adapter:
        errors = asyncio.run(ask(adapter, provider))
    assert [error.category for error in errors] == [Category.CANCELLED] * 2
    assert [record.outcome for record in records] == [Outcome.STOPPED]
    assert provider.requests == 1


def test_no_retries_means_one_attempt() -> None:
    refusal = b"HTTP/1.1 503 Busy\r\ncontent-length: 0\r\n\r\n"
    for key in ("openai", "gemini", "dify"):
        with silent(refusal) as provider, asking() as backend:
            with pytest.raises(Exception) as caught:  # noqa: PT011
                backend(outgoing(provider, key, max_retries=0))
            assert (describe(caught.value).attempts, provider.requests) == (1, 1)
