"""Faults in what is sent that nobody is known to have shipped, and anybody might."""

from __future__ import annotations

from contextlib import suppress
from dataclasses import replace
from functools import partial
from typing import Any

from llm_adapter.backends import Backend, Opened
from llm_adapter.backends.connection import Connections
from llm_adapter.requests import Outgoing
from llm_contracts.parity.divergence import Kind
from tests.contracts.defects.defect import Defect
from tests.contracts.defects.putting import (
    connecting,
    opening,
    sending,
)


class ThreeRetries(Connections):
    """A call is tried once more often than before."""

    def client(self, base_url: str, api_key: str) -> Any:
        return super().client(base_url, api_key).with_options(max_retries=3)


class NoRetries(Connections):
    """Clients that leave trying again to others."""

    def client(self, base_url: str, api_key: str) -> Any:
        return super().client(base_url, api_key).with_options(max_retries=0)


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
    Defect(
        id="P01",
        fault=ThreeRetries,
        put=connecting,
        scenario="openai/server-error",
        reported=((Kind.ATTEMPTS, "requests"),),
    ),
    Defect(
        id="P02",
        fault=again_at_once,
        put=partial(opening, connections=NoRetries),
        scenario="openai/rate-limit-retry-after",
        reported=((Kind.ATTEMPTS, "pauses[0]"),),
    ),
    Defect(
        id="P03",
        fault=stale_alias,
        put=sending,
        scenario="openai/plain-stream",
        reported=((Kind.REQUEST_BODY, "body.model"),),
    ),
    Defect(
        id="P04",
        fault=another_key,
        put=sending,
        scenario="openai/plain-stream",
        reported=((Kind.REQUEST_HEADERS, "headers.authorization"),),
    ),
    Defect(
        id="P05",
        fault=another_endpoint,
        put=sending,
        scenario="deepseek/plain-stream",
        reported=(
            (Kind.ERROR, "error"),
            (Kind.REQUEST_TARGET, "target.path"),
        ),
    ),
    Defect(
        id="P06",
        fault=system_text_dropped,
        put=sending,
        scenario="openai/system-prompt",
        reported=((Kind.REQUEST_BODY, "body.messages*"),),
    ),
    Defect(
        id="P07",
        fault=messages_merged,
        put=sending,
        scenario="qwen/system-prompt",
        reported=((Kind.REQUEST_BODY, "body.messages*"),),
    ),
    Defect(
        id="P08",
        fault=user_dropped,
        put=sending,
        scenario="openai/plain-stream",
        asked={"params": {"user": "user-7"}},
        reported=((Kind.REQUEST_BODY, "body.user"),),
    ),
)
