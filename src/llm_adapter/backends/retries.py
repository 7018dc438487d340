"""When to ask again, and after which pause: one rule for every provider, whichever client asks.

It is the openai SDK's own (2.54): two more attempts for 408, 409, 429, 5xx and broken connections, after the
wait that the provider asks for, or else after half a second and then twice that. What will come again the
same way is not asked for twice. An attempt that the caller's time does not allow is not made.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import suppress
from datetime import UTC
from email.utils import parsedate_to_datetime
from math import isfinite
from typing import Any, TypeVar

from llm_adapter.control import active, allows
from llm_adapter.errors import Category
from llm_adapter.failures import describe
from llm_adapter.requests import MAX_RETRIES

T = TypeVar("T")

_WORTH_ANOTHER_TRY = {408, 409, 429}
_BROKEN = 500
_LONGEST_WAIT_S = 120.0  # a provider that asks for more is not worth waiting for: the call fails at once
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 8.0


_SLEEP = time.sleep


def sleep(seconds: float) -> None:
    """Wait; cancelling the call ends it. By `time.sleep` where that was replaced: by who measures pauses."""
    control = active()
    if control is None or time.sleep is not _SLEEP:
        time.sleep(seconds)
    else:
        control.pause(seconds)


def retrying(
    once: Callable[[int], T], *, max_retries: int = MAX_RETRIES, sleep: Callable[[float], None] = sleep
) -> T:
    """The result of the first attempt that succeeds; `once` is called with its number, from 1 on."""
    attempt = 1
    while True:
        try:
            return once(attempt)
        except Exception as error:
            pause = _pause(error, attempt, max_retries)
            if pause is None:
                vars(error)["attempts"] = attempt  # where `failures.describe` looks
                raise
        sleep(pause)
        attempt += 1


async def aretrying(once: Callable[[int], Awaitable[T]], *, max_retries: int = MAX_RETRIES) -> T:
    """`retrying`, without blocking the event loop."""
    attempt = 1
    while True:
        try:
            return await once(attempt)
        except Exception as error:
            pause = _pause(error, attempt, max_retries)
            if pause is None:
                vars(error)["attempts"] = attempt
                raise
        await asyncio.sleep(pause)
        attempt += 1


def _pause(error: Exception, attempt: int, max_retries: int) -> float | None:
    """Seconds until the next attempt, or None where there must be none."""
    if attempt > max_retries or not _passes(error):
        return None
    asked = getattr(error, "wait", None) or _asked_wait_of(error)
    if asked is not None and asked > _LONGEST_WAIT_S:
        return None
    pause = min(_FIRST_PAUSE_S * 2.0 ** (attempt - 1), _LONGEST_PAUSE_S)
    # Many clients that failed together must not come back together.
    pause = asked if asked is not None else pause * random.uniform(0.75, 1)  # noqa: S311 - no secret
    return pause if allows(pause) else None


def _passes(error: Exception) -> bool:
    """Whether it is the kind of trouble that passes; the header is what OpenAI's servers may say about it."""
    status = getattr(error, "status_code", None)
    if not isinstance(status, int):
        return describe(error).category in {Category.CONNECTION, Category.TIMEOUT}
    advice = _headers(error).get("x-should-retry")
    if advice in {"true", "false"}:
        return advice == "true"
    return status in _WORTH_ANOTHER_TRY or status >= _BROKEN


def _asked_wait_of(error: Exception) -> float | None:
    return asked_wait(_headers(error), getattr(error, "body", None))


def _headers(error: Exception) -> Mapping[str, str]:
    return getattr(getattr(error, "response", None), "headers", None) or {}


def asked_wait(headers: Mapping[str, str], body: Any) -> float | None:
    """The seconds that a refusal asks to be left alone, or None: in a header, or where Google has it.

    Providers send negative numbers and `nan`, too, which are not a wait.
    """
    waits = (*_header_waits(headers), *_retry_delays(body))
    return next((wait for wait in waits if isfinite(wait) and wait > 0), None)


def _header_waits(headers: Mapping[str, str]) -> Iterator[float]:
    for name, unit in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        value = headers.get(name, "")
        with suppress(ValueError):
            yield float(value) * unit
        with suppress(ValueError, OverflowError):
            date = parsedate_to_datetime(value)
            yield (date if date.tzinfo else date.replace(tzinfo=UTC)).timestamp() - time.time()


def _retry_delays(body: Any) -> Iterator[float]:
    """Google's `retryDelay`, wherever it stands: in an envelope, in a list of one, or bare."""
    if isinstance(body, list):
        for part in body:
            yield from _retry_delays(part)
    elif isinstance(body, Mapping):
        delay = str(body.get("retryDelay") or "")
        if delay.endswith("s"):
            with suppress(ValueError):
                yield float(delay.removesuffix("s"))
        yield from _retry_delays([body.get("error"), body.get("details")])
