"""How the old clients over `requests` reach their providers."""

from __future__ import annotations

from typing import Any
from urllib.parse import urljoin, urlsplit

import requests

from llm_adapter.control import active
from llm_adapter.failures import RefusedError


def post(url: str, **given: Any) -> requests.Response:
    """`requests.post`, by such a session. What is left of the caller's time is the longest silence.

    Raises:
        requests.Timeout: nothing is left of it.
    """
    control = active()
    remaining = None if control is None else control.remaining()
    if remaining == 0:
        raise requests.Timeout("the call's time is up")
    with Session() as session:
        return session.post(url, timeout=remaining, **given)


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
