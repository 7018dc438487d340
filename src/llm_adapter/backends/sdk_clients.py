"""The SDK's clients, kept to what they are given and to whom they are to ask.

Made on first use, because importing the SDK takes longer than importing this package may.
"""

from __future__ import annotations

import os
from contextlib import suppress
from functools import cache
from typing import Any

from llm_adapter.backends.network import limit_sockets
from llm_adapter.backends.retries import sleep
from llm_adapter.control import active, allows
from llm_adapter.errors import SettingsError
from llm_adapter.interruptions import interruptible
from llm_adapter.settings import CERTIFICATES


@cache
def plain_client_class(*, asynchronous: bool = False) -> Any:
    """The SDK's client, deaf to variables that the SDK reads besides what it is given: an organisation, a
    project, headers and further keys, all of which it would send to every provider.
    """
    import openai

    kind: Any = openai.AsyncOpenAI if asynchronous else openai.OpenAI

    class Plain(kind):  # type: ignore[misc]
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            headers = dict(given.get("default_headers") or {})
            read = ("organization", "project", "admin_api_key", "webhook_secret")
            self.__dict__.update({name: given.get(name) for name in read}, _custom_headers=headers)

        if not asynchronous:

            def _should_retry(self, response: Any) -> bool:
                again: bool = super()._should_retry(response)
                control = active() if again else None
                if control is not None and control.remaining() is not None:
                    # The SDK closes it before it pauses; where the pause is too long it is the error.
                    with interruptible(), suppress(Exception):
                        response.read()
                return again

            def _sleep_for_retry(
                self, *, retries_taken: int, max_retries: int, options: Any, response: Any
            ) -> None:
                """The SDK's pause before another attempt, by its own length, within the caller's time."""
                headers = None if response is None else response.headers
                pause = self._calculate_retry_timeout(max_retries - retries_taken, options, headers)
                if allows(pause):
                    sleep(pause)
                elif response is not None:
                    raise self._make_status_error_from_response(response)
                else:
                    raise  # noqa: PLE0704 (called while the failure of the attempt is handled)

    Plain.__name__ = kind.__name__  # by which the SDK names itself to providers
    return Plain


def http_client(*, asynchronous: bool = False, **given: Any) -> Any:
    """An HTTP client with the SDK's pool and timeouts that follows no redirect to another origin.

    HTTP libraries follow these and take along every header but `Authorization`, and the question with them.

    Raises:
        SettingsError: the certificates that the environment names cannot be read.
    """
    try:
        if asynchronous:
            import openai

            return openai.DefaultAsyncHttpxClient(event_hooks={"response": [_arefuse_to_leave]}, **given)
        client = _http_client_class()(event_hooks={"response": [_refuse_to_leave]}, **given)
    except OSError as error:  # it says what is wrong, but neither where nor who said so
        names = " or ".join(name for name in CERTIFICATES if os.environ.get(name))
        raise SettingsError(f"the certificates that {names} names cannot be read") from error
    return limit_sockets(client)


@cache
def _http_client_class() -> Any:
    import openai

    class Client(openai.DefaultHttpxClient):
        def send(self, *arguments: Any, **named: Any) -> Any:
            with interruptible():  # the SDK would ask again
                return super().send(*arguments, **named)

    return Client


def _refuse_to_leave(response: Any) -> None:
    """Take the address off a redirect that leads away from whom was asked: it ends as a refusal."""
    if not response.has_redirect_location:
        return
    asked = response.request.url
    try:
        target = asked.join(response.headers["location"])
        stays = _origin(target) == _origin(asked) and not target.userinfo
    except Exception as error:
        if not isinstance(error, ValueError) and type(error).__name__ != "InvalidURL":
            raise
        stays = False
    if not stays:
        del response.headers["location"]


async def _arefuse_to_leave(response: Any) -> None:
    _refuse_to_leave(response)


def _origin(url: Any) -> tuple[str, str, int | None]:
    return url.scheme, url.host, url.port
