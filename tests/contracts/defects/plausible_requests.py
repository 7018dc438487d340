"""Faults in what is sent that nobody is known to have shipped, and anybody might."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from llm_adapter.backends import Backend, Opened
from llm_adapter.backends.connection import Connections, Headers
from llm_adapter.requests import Outgoing
from tests.contracts.defects.defect import Defect, shows
from tests.contracts.defects.putting import (
    connecting,
    opening,
    sending,
)


class ThreeRetries(Connections):
    """A call is tried once more often than before."""

    def client(self, base_url: str, api_key: str, headers: Headers = ()) -> Any:
        return super().client(base_url, api_key, headers).with_options(max_retries=3)


class NoRetries(Connections):
    """Clients that leave trying again to others."""

    def client(self, base_url: str, api_key: str, headers: Headers = ()) -> Any:
        return super().client(base_url, api_key, headers).with_options(max_retries=0)


def again_at_once(backend: Backend, outgoing: Outgoing) -> Opened:
    """A provider that asks for a pause is tried again at once."""
    for _ in range(2):
        with suppress(Exception):
            return backend(outgoing)
    return backend(outgoing)


def stale_alias(outgoing: Outgoing) -> Outgoing:
    """A model's name leads to the model that it meant last year."""
    return replace(outgoing, model=f"{outgoing.model}-2024")


def another_key(outgoing: Outgoing) -> Outgoing:
    """A provider is sent the key of another."""
    return replace(outgoing, api_key="key-of-another-provider")


def another_endpoint(outgoing: Outgoing) -> Outgoing:
    """The base URL is extended, as LiteLLM's own DeepSeek provider does."""
    return replace(outgoing, base_url=f"{outgoing.base_url}/beta")


def system_text_dropped(outgoing: Outgoing) -> Outgoing:
    """The system text is not sent."""
    return replace(outgoing, messages=outgoing.messages[1:])


def messages_merged(outgoing: Outgoing) -> Outgoing:
    """The system text is put before the question, in one message."""
    system, user = outgoing.messages
    merged = {**user, "content": f"{system['content']}\n{user['content']}"}
    return replace(outgoing, messages=(merged,))


def user_dropped(outgoing: Outgoing) -> Outgoing:
    """A parameter that LiteLLM's table does not have for the provider is dropped."""
    kept = {name: value for name, value in outgoing.params.items() if name != "user"}
    return replace(outgoing, params=kept)


REQUESTS: tuple[Defect, ...] = (
    shows("P01", ThreeRetries, connecting, "openai/server-error", "attempts requests"),
    shows(
        "P02",
        again_at_once,
        partial(opening, connections=NoRetries),
        "openai/rate-limit-retry-after",
        "attempts pauses[0]",
    ),
    shows("P03", stale_alias, sending, "openai/plain-stream", "request_body body.model"),
    shows("P04", another_key, sending, "openai/plain-stream", "request_headers headers.authorization"),
    shows(
        "P05", another_endpoint, sending, "deepseek/plain-stream", "error error", "request_target target.path"
    ),
    shows("P06", system_text_dropped, sending, "openai/system-prompt", "request_body body.messages*"),
    shows("P07", messages_merged, sending, "qwen/system-prompt", "request_body body.messages*"),
    shows(
        "P08",
        user_dropped,
        sending,
        "openai/plain-stream",
        "request_body body.user",
        asked={"params": {"user": "user-7"}},
    ),
)
