"""The sockets beneath an HTTP client: where a call's limits hold, and where cancelling reaches it.

httpx and httpx2 stand on httpcore and httpcore2, which read and write through a replaceable backend. It is
put into a client after the fact, since the clients offer no other way that keeps proxies of the environment.
"""

from __future__ import annotations

import logging
import socket
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib import import_module
from typing import Any

from llm_adapter.control import CallControl, active
from llm_adapter.interruptions import interruptible
from llm_adapter.waiting import waited

_logger = logging.getLogger(__name__)


def limit_sockets(client: Any) -> Any:
    """Let an HTTP client's sockets heed the limits of the call that uses them; gives the client back."""
    transports = [getattr(client, "_transport", None), *getattr(client, "_mounts", {}).values()]
    pools = [getattr(transport, "_pool", None) for transport in transports]
    found: list[Any] = [pool for pool in pools if hasattr(pool, "_network_backend")]
    for pool in found:
        errors = import_module(type(pool).__module__.partition(".")[0])
        pool._network_backend = _Backend(pool._network_backend, errors)  # noqa: SLF001 - see above
    if not found and any(pools):
        _logger.warning("this HTTP library hides its sockets: a wait cannot be cancelled, only the next one")
    return client


@dataclass(frozen=True, slots=True)
class _Backend:
    """Opens connections."""

    inner: Any
    errors: Any

    def connect_tcp(self, *arguments: Any, **named: Any) -> Any:
        return self._opened(self.inner.connect_tcp, *arguments, **named)

    def connect_unix_socket(self, *arguments: Any, **named: Any) -> Any:
        return self._opened(self.inner.connect_unix_socket, *arguments, **named)

    def sleep(self, seconds: float) -> None:
        self.inner.sleep(seconds)

    def _opened(self, connect: Callable[..., Any], *arguments: Any, **named: Any) -> Any:
        control = active()
        if control is not None:
            expired = self.errors.ConnectTimeout
            named["timeout"] = _shortest(control, named.get("timeout"), expired)
            made = _aside(lambda: connect(*arguments, **named), expired)
        else:
            made = connect(*arguments, **named)
        return _Stream(made, self.errors)


@dataclass(frozen=True, slots=True)
class _Stream:
    """One connection."""

    inner: Any
    errors: Any

    def read(self, max_bytes: int, timeout: float | None = None) -> bytes:
        control = active()
        if control is None:
            return self._read(max_bytes, timeout)
        timeout = _shortest(control, timeout, self.errors.ReadTimeout)
        return control.wait(lambda: self._read(max_bytes, timeout), self._shut_down)  # type: ignore[no-any-return]

    def write(self, buffer: bytes, timeout: float | None = None) -> None:
        control = active()
        if control is None:
            return self._write(buffer, timeout)
        timeout = _shortest(control, timeout, self.errors.WriteTimeout)
        return control.wait(lambda: self._write(buffer, timeout), self._shut_down)  # type: ignore[no-any-return]

    # httpcore takes what a signal handler raises while it writes for a connection that is about to answer.
    def _read(self, max_bytes: int, timeout: float | None) -> bytes:
        with interruptible():
            return self.inner.read(max_bytes, timeout)  # type: ignore[no-any-return]

    def _write(self, buffer: bytes, timeout: float | None) -> None:
        with interruptible():
            self.inner.write(buffer, timeout)

    def close(self) -> None:
        self.inner.close()

    def start_tls(self, ssl_context: Any, server_hostname: Any = None, timeout: float | None = None) -> Any:
        control = active()
        if control is not None:
            expired = self.errors.ConnectTimeout
            timeout = _shortest(control, timeout, expired)
            made = _aside(lambda: self.inner.start_tls(ssl_context, server_hostname, timeout), expired)
        else:
            made = self.inner.start_tls(ssl_context, server_hostname, timeout)
        return _Stream(made, self.errors)

    def get_extra_info(self, info: str) -> Any:
        return self.inner.get_extra_info(info)

    def _shut_down(self) -> None:
        """Wake the thread that reads or writes: closing alone would leave it asleep."""
        with suppress(OSError, AttributeError):
            self.inner.get_extra_info("socket").shutdown(socket.SHUT_RDWR)


def _aside(connect: Callable[[], Any], expired: type[Exception]) -> Any:
    """A connection made in a thread of its own: nothing ends the search for an address, nor, but for its own
    time limit an attempt to connect. One that comes too late is closed.
    """
    try:
        return waited(connect)
    except TimeoutError:
        raise expired("the call's time is up") from None


def _shortest(control: CallControl, timeout: float | None, expired: type[Exception]) -> float | None:
    remaining = control.remaining()
    if remaining is None:
        return timeout
    if remaining == 0:
        raise expired("the call's time is up")
    return remaining if timeout is None else min(timeout, remaining)
