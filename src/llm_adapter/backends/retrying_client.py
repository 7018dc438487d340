"""HTTP for the providers that no SDK client speaks to: requests with further attempts, reading events.

The same rules as the SDK has for the others: two more attempts for 408, 409, 429, 5xx and broken connections,
after the wait that the provider asks for, or else after half a second and then twice that.
"""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from itertools import chain
from math import isfinite
from typing import Any

from llm_adapter.backends.connection import MAX_RETRIES
from llm_adapter.backends.response_body import Lines
from llm_adapter.errors import Category
from llm_adapter.failures import RefusedError, describe

_WORTH_ANOTHER_TRY = {408, 409, 429}
_REFUSED, _BROKEN = 300, 500  # a redirect that was not followed is no answer
_LONGEST_WAIT_S = 60.0  # a provider that asks for more is not worth waiting for: the call fails at once
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 8.0

Waits = Callable[[Any], float | None]
"""Reads from a refusal's body how many seconds the provider asks to be left alone, if it says so."""


def sleep(seconds: float) -> None:
    """Wait, by whatever `time.sleep` is then: who measures pauses replaces it."""
    time.sleep(seconds)


def no_wait(_body: Any) -> None:
    """For providers that say it in headers alone."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request. A key travels in its headers, not in its URL, which logs and tracebacks show; where there
    is no other way (ERNIE's first API), `redaction` hides it there.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: str | None = field(default=None, repr=False)
    timeout: Any = None

    @property
    def method(self) -> str:
        """POST where there is something to post."""
        return "GET" if self.body is None else "POST"


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """A response with a good status, of which only the head has been read."""

    response: Any
    attempts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryingClient:
    """An HTTP client that tries again.

    Attributes:
        client: an HTTP client as httpx and httpx2 have it.
        error_document: reads a refusal's body as `failures` understands it.
        waits: reads a refusal's body for the wait it asks for.
        sleep: waits so many seconds.
    """

    client: Any
    error_document: Callable[[Any], Any]
    waits: Waits = no_wait
    sleep: Callable[[float], None] = sleep

    def send(self, request: Request) -> Response:
        """Send a request until it is answered or there is no point in trying again.

        Raises:
            RefusedError: the provider refused.
        """
        attempt = 1
        while True:
            try:
                return Response(response=self._once(request, attempt), attempts=attempt)
            except Exception as error:
                pause = self._pause(error, attempt)
                if pause is None:
                    vars(error)["attempts"] = attempt  # where `failures.describe` looks
                    raise
            self.sleep(pause)
            attempt += 1

    def _once(self, request: Request, attempt: int) -> Any:
        timeout = {} if request.timeout is None else {"timeout": request.timeout}
        built = self.client.build_request(
            request.method, request.url, headers=request.headers, content=request.body, **timeout
        )
        response = self.client.send(built, stream=True)
        if response.status_code < _REFUSED:
            return response
        try:
            response.read()
            waits = (_parse_wait(response.headers), self.waits(_document(response)))
            raise RefusedError(
                response.status_code,
                self.error_document(_document(response)),
                attempts=attempt,
                wait=next(filter(_is_wait, waits), None),
            )
        finally:
            response.close()

    def _pause(self, error: Exception, attempt: int) -> float | None:
        """Seconds until the next attempt, or None where there must be none."""
        if attempt > MAX_RETRIES or not _passes(error):
            return None
        asked = getattr(error, "wait", None)
        if asked is not None and asked > _LONGEST_WAIT_S:
            return None
        pause = min(_FIRST_PAUSE_S * 2.0 ** (attempt - 1), _LONGEST_PAUSE_S)
        # Many clients that failed together must not come back together.
        return asked if asked is not None else pause * random.uniform(0.75, 1)  # noqa: S311 - no secret


def _passes(error: Exception) -> bool:
    """Whether it is the kind of trouble that passes."""
    if isinstance(error, RefusedError):
        status = error.status_code
        return status in _WORTH_ANOTHER_TRY or status >= _BROKEN
    return describe(error).category in {Category.CONNECTION, Category.TIMEOUT}


def _is_wait(seconds: float | None) -> bool:
    """Whether it can be waited for: providers send negative numbers and `nan`, too."""
    return seconds is not None and isfinite(seconds) and seconds > 0


def _parse_wait(headers: Mapping[str, str]) -> float | None:
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "")
        try:
            return float(value) * unit
        except ValueError:
            pass
        try:
            return parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, OverflowError):
            continue
    return None


def _document(response: Any) -> Any:
    try:
        return response.json()
    except ValueError:
        return response.text


def is_document(response: Any) -> bool:
    """Whether a JSON document stands where a stream should be."""
    kind: str = response.headers.get("content-type", "")
    return kind.partition(";")[0].strip() == "application/json"


def json_object(data: Any) -> Mapping[str, Any]:
    """Decoded JSON that must be an object; anything else is treated like JSON that cannot be read."""
    if not isinstance(data, Mapping):
        raise ValueError("an event is not a JSON object")  # noqa: TRY004 - see above
    return data


def event_data(pieces: Iterable[bytes]) -> Iterator[str]:
    """The data of each server-sent event, as soon as the event is complete.

    Lines are cut in bytes: text may hold the characters at which `str.splitlines` cuts, too. What stands
    there at the end without its blank line is given as well, for whoever reads it to see that it is cut. An
    event without data, such as a bare `data:` line that keeps a connection open, is not an event to anybody
    (WHATWG, server-sent events, "dispatch the event").
    """
    lines, held = Lines(), list[str]()
    for line in chain(chain.from_iterable(map(lines.cut, pieces)), _last(lines)):
        if line.startswith(b"data:"):
            held.append(line.removeprefix(b"data:").removeprefix(b" ").decode())
        elif not line:
            yield from filter(str.strip, ["\n".join(held)])
            held = []
    yield from filter(str.strip, ["\n".join(held)])


def _last(lines: Lines) -> Iterator[bytes]:
    """What has no line end, once all lines before it are read."""
    yield lines.last()
