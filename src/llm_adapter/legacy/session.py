"""How the old clients over `requests` reach their providers."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import lru_cache, partial
from socket import SHUT_RDWR
from threading import Timer
from typing import Any, TypeVar
from urllib.parse import urljoin, urlsplit

import requests
from requests.adapters import HTTPAdapter
from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection

from llm_adapter.control import CallControl, active
from llm_adapter.failures import RefusedError
from llm_adapter.waiting import waited

_LATE = "the call's time is up"

T = TypeVar("T")


def post(url: str, **given: Any) -> requests.Response:
    """`requests.post`, by such a session. Who cancels the call, or its limits, end it.

    Raises:
        requests.Timeout: nothing is left of the caller's time.
    """
    control = active() or CallControl()
    remaining = control.remaining()
    if remaining == 0:
        raise requests.Timeout(_LATE)
    try:
        with Session() as session:
            return session.post(url, timeout=remaining, **given)
    except requests.RequestException:
        if control.remaining() != 0:
            raise
    raise requests.Timeout(_LATE)


def lines(response: requests.Response) -> Iterator[bytes]:
    """The lines of a body. Who cancels the call, or its limits, end the reading.

    Raises:
        requests.Timeout: nothing is left of the caller's time.
    """
    body = response.iter_lines()

    def stop() -> None:
        with suppress(AttributeError, NotImplementedError, OSError, RuntimeError, ValueError):
            response.raw.shutdown()

    while True:
        control = active() or CallControl()
        try:
            line = _limited(partial(next, body, None), stop)
        except requests.RequestException:
            if control.remaining() != 0:
                raise
            line = None
        if line is None and control.remaining() == 0:
            raise requests.Timeout(_LATE)
        if line is None:
            return
        yield line


def _limited(operation: Callable[[], T], stop: Callable[[], None]) -> T:
    """The outcome of an operation that `stop` ends, called when the caller's time is up or who cancels."""
    control = active() or CallControl()
    remaining = control.remaining()
    alarm = Timer(remaining or 0.0, stop)
    if remaining is not None:
        alarm.start()
    try:
        outcome: T = control.wait(operation, stop)
    finally:
        alarm.cancel()
    return outcome


class _Limited(HTTPConnection):
    """A connection whose every step is limited: reaching the provider, asking, waiting for the head."""

    def connect(self) -> None:
        connect = super().connect

        def connected() -> Any:
            connect()
            return getattr(self, "sock", None)

        waited(connected)

    def request(self, *args: Any, **named: Any) -> None:
        _limited(partial(super().request, *args, **named), self._stop)

    def getresponse(self) -> Any:
        return _limited(super().getresponse, self._stop)

    def _stop(self) -> None:
        with suppress(AttributeError, OSError):
            self.sock.shutdown(SHUT_RDWR)


@lru_cache(maxsize=8)
def _limited_pool(pool: type[HTTPConnectionPool], connection: type[Any]) -> type[HTTPConnectionPool]:
    """The pool with such connections that are limited. vcrpy puts others in their place for a while."""
    limited = type("LimitedConnection", (_Limited, connection), {})
    return type("LimitedPool", (pool,), {"ConnectionCls": limited})


def _limited_pools() -> dict[str, type[HTTPConnectionPool]]:
    return {
        "http": _limited_pool(HTTPConnectionPool, HTTPConnectionPool.ConnectionCls),
        "https": _limited_pool(HTTPSConnectionPool, HTTPSConnectionPool.ConnectionCls),
    }


class _Adapter(HTTPAdapter):
    def init_poolmanager(self, *args: Any, **named: Any) -> None:
        super().init_poolmanager(*args, **named)
        self.poolmanager.pool_classes_by_scheme = _limited_pools()

    def proxy_manager_for(self, proxy: str, **named: Any) -> Any:
        manager = super().proxy_manager_for(proxy, **named)
        if not proxy.lower().startswith("socks"):  # these have connections of their own
            manager.pool_classes_by_scheme = _limited_pools()
        return manager


class Session(requests.Session):
    """One call's connection. It sends the key that it is given, to whom it is given it, and to nobody else.

    Left alone, `requests` takes a key out of `~/.netrc` in place of the given one, and follows a redirect to
    any host with the question.
    """

    def __init__(self) -> None:
        super().__init__()
        self.auth = _as_given  # else `~/.netrc` has one
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter())

    def get_redirect_target(self, resp: requests.Response) -> str | None:
        """Where a redirect leads; asked by `requests` before it follows one.

        Raises:
            RefusedError: to another origin.
        """
        target = super().get_redirect_target(resp)
        if target is not None and not _stays(resp.url, target):
            resp.close()
            raise RefusedError(resp.status_code, None, attempts=1)
        return target

    def rebuild_auth(self, prepared_request: Any, response: Any) -> None:
        """Nothing: a redirect that is followed stays at the origin, and so does the key."""


def _as_given(request: Any) -> Any:
    return request


def _stays(asked: str, target: str) -> bool:
    try:
        here, there = urlsplit(asked), urlsplit(urljoin(asked, target))
        same = (there.scheme, there.hostname, _port(there)) == (here.scheme, here.hostname, _port(here))
    except ValueError:
        return False
    return same and "@" not in there.netloc


def _port(parts: Any) -> int | None:
    return parts.port or {"http": 80, "https": 443}.get(parts.scheme)
