"""Faults in what is made of the answer, as a migration to LiteLLM has shipped them before."""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from itertools import groupby
from typing import Any

from llm_adapter.backends import Backend, Opened
from llm_adapter.backends.litellm import library
from llm_adapter.errors import RequestFailedError
from llm_adapter.requests import Outgoing
from tests.contracts.defects.defect import Defect, Interactions, shows
from tests.contracts.defects.naive import as_openai, watched
from tests.contracts.defects.putting import Chunks, Responses, configured, handing_on, opening, receiving


def usage_taken_for_granted(backend: Backend, outgoing: Outgoing) -> Opened:
    """`chunk.usage` is read from LiteLLM's chunks, most of which have no such attribute."""
    return watched(as_openai(backend, outgoing), lambda chunk: chunk.usage)


def usage_estimated(backend: Backend, outgoing: Outgoing) -> Opened:
    """Where a provider sends no token totals, LiteLLM's own estimate is taken for the provider's."""
    return as_openai(backend, outgoing)


def repetition_refused(chunks: Chunks) -> Iterator[Any]:
    """A hundred equal pieces in a row are taken for a looping model: an error after part of the answer."""
    for text, run in groupby(chunks, key=_text):
        for number, chunk in enumerate(run):
            if text.strip() and number >= 100:
                raise library().InternalServerError(
                    message=f"The model is repeating the same chunk = {text}.",
                    model="m",
                    llm_provider="openai",
                )
            yield chunk


def raw_error_in_mid_stream(responses: Responses) -> Iterator[Any]:
    """An error after the first piece of text reaches the caller as the client raised it, without our code."""
    begun = False
    try:
        for response in responses:
            begun = True
            yield response
    except RequestFailedError as error:
        raise (error.__cause__ if begun and error.__cause__ else error) from None


def cached_tokens_lost(chunks: Chunks) -> Iterator[Any]:
    """The number of cached input tokens is lost on the way to metering."""
    for chunk in chunks:
        if chunk.usage is not None:
            chunk.usage.prompt_tokens_details = None
        yield chunk


def reasoning_lost(chunks: Chunks) -> Iterator[Any]:
    """Reasoning text never gets to telemetry."""
    for chunk in chunks:
        for choice in chunk.choices:
            choice.delta.reasoning_content = None
        yield chunk


def listing_out_of_date(models: Responses) -> Iterator[Any]:
    """DeepSeek's models are a static list that nobody keeps up to date."""
    del models
    yield "deepseek-chat"


def older_models_dropped(models: Responses) -> Iterator[Any]:
    """ERNIE's models of the older interface vanish from the listing, and with them what users had chosen."""
    return (name for name in models if not str(name).startswith("ERNIE-"))


def nobody_is_asked(interactions: Interactions) -> Interactions:
    """nobody is asked"""
    del interactions
    return ()


def _text(chunk: Any) -> str:
    text = chunk.choices[0].delta.content if chunk.choices else ""
    return text or ""


_SECRET = {"ERNIE_API_SECRET": "secret-of-ernie"}

ANSWERS: tuple[Defect, ...] = (
    shows("R01", usage_taken_for_granted, opening, "qwen/multi-turn-chat", "error error"),
    shows("R14", repetition_refused, receiving, "qwen/equal-chunks", "error error"),
    shows(
        "R16",
        raw_error_in_mid_stream,
        handing_on,
        "openai/mid-stream-error",
        "error error.category",
        "error error.code",
        "surface *",
        "fields error.*",
    ),
    shows(
        "R17", cached_tokens_lost, receiving, "openai/plain-stream", "usage_details usage.input_cached_tokens"
    ),
    shows("R18", usage_estimated, opening, "qwen/no-usage", "usage_invented usage"),
    shows("R20", reasoning_lost, receiving, "deepseek/reasoning", "telemetry generation.metadata.reasoning"),
    shows(
        "R21", listing_out_of_date, handing_on, "deepseek/list-models", "text text[*]", "attempts requests"
    ),
    shows(
        "R22",
        older_models_dropped,
        partial(handing_on, variables=_SECRET),
        "qwen/list-models",
        "text text[*]",
        asked={"provider": "ernie_v1"},
        played=nobody_is_asked,
        against=configured("legacy", _SECRET),
        sound=configured("litellm", _SECRET),
    ),
)
