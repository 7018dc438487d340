"""How the old clients over `requests` reach their providers."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from threading import Timer
from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from llm_adapter.control import CallControl, active
from llm_adapter.failures import RefusedError

_LATE = "the call's time is up"


def post(url: str, **given: Any) -> requests.Response:
    """`requests.post`, by such a session. What is left of the caller's time is the longest silence.

    Raises:
        requests.Timeout: nothing is left of it.
    """
    remaining = (active() or CallControl()).remaining()
    if remaining == 0:
        raise requests.Timeout(_LATE)
    with Session() as session:
        return session.post(url, timeout=remaining, **given)


def lines(response: requests.Response) -> Iterator[bytes]:
    """The lines of a body. Who cancels the call, or its limits, end the reading.

    Raises:
        requests.Timeout: nothing is left of the caller's time.
    """
    body = response.iter_lines()

    def stop() -> None:
        with suppress(AttributeError, NotImplementedError, OSError, RuntimeError, ValueError):
            response.raw.shutdown()

    def read() -> bytes | None:
        return next(body, None)

    while True:
        control = active() or CallControl()
        remaining = control.remaining()
        alarm = Timer(remaining or 0.0, stop)
        if remaining is not None:
            alarm.start()
        try:
            line = control.wait(read, stop)
        except requests.RequestException:
            if control.remaining() != 0:
                raise
            line = None
        finally:
            alarm.cancel()
        if line is None and control.remaining() == 0:
            raise requests.Timeout(_LATE)
        if line is None:
            return
        yield line


class Session(requests.Session):
    """One call's connection. It sends the key that it is given, to whom it is given it, and to nobody else.

    Left alone, `requests` takes a key out of `~/.netrc` in place of the given one, and follows a redirect to
    any host with the question.
    """

    def __init__(self) -> None:
        super().__init__()
        self.auth = _as_given  # else `~/.netrc` has one

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
