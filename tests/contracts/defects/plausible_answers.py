"""Faults in what is made of the answer that nobody is known to have shipped, and anybody might."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from llm_adapter.errors import LLMError
from llm_adapter.responses import LLMStreamResponse
from llm_adapter.telemetry import Recorder
from tests.contracts.defects.defect import Defect, shows
from tests.contracts.defects.putting import (
    Chunks,
    Responses,
    handing_on,
    receiving,
    telling,
)


def last_delta_lost(responses: Responses) -> Iterator[Any]:
    """The last piece of text is lost."""
    yield from list(responses)[:-1]


def totals_added_up(chunks: Chunks) -> Iterator[Any]:
    """Running token totals are added up, as if each chunk told only its own."""
    counted = 0
    for chunk in chunks:
        if chunk.usage is not None:
            counted += chunk.usage.total_tokens
            chunk.usage.total_tokens = counted
        yield chunk


def totals_swapped(chunks: Chunks) -> Iterator[Any]:
    """Prompt and completion tokens change places."""
    for chunk in chunks:
        usage = chunk.usage
        if usage is not None:
            usage.prompt_tokens, usage.completion_tokens = usage.completion_tokens, usage.prompt_tokens
        yield chunk


def left_at_the_finish(chunks: Chunks) -> Iterator[Any]:
    """Reading stops at the finish reason, before the chunk with the token totals."""
    for chunk in chunks:
        yield chunk
        if chunk.choices and chunk.choices[0].finish_reason:
            return


def error_swallowed(responses: Responses) -> Iterator[Any]:
    """An error in mid-stream is caught, and what came before it passes for the whole answer."""
    try:
        yield from responses
    except LLMError:
        return


def bytes_decoded_in_blocks(responses: Responses) -> Iterator[Any]:
    """Bytes are decoded block by block, so that a character on a border becomes two question marks."""
    for response in responses:
        raw = response.result.encode()
        blocks = (raw[start : start + 4] for start in range(0, len(raw), 4))
        yield replace(response, result="".join(block.decode(errors="replace") for block in blocks))


def blank_deltas_dropped(responses: Responses) -> Iterator[Any]:
    """Pieces of nothing but white space are dropped, and with them empty lines."""
    return (response for response in responses if response.result.strip())


def deltas_stripped(responses: Responses) -> Iterator[Any]:
    """White space at the ends of each piece is cut off."""
    return (replace(response, result=response.result.strip()) for response in responses)


def deltas_out_of_order(responses: Responses) -> Iterator[Any]:
    """The first two pieces change places, as when two threads hand them on."""
    held = list(responses)
    yield from (held[1], held[0], *held[2:])


def cut_into_characters(responses: Responses) -> Iterator[Any]:
    """Pieces are cut into single characters, for a smoother look."""
    for response in responses:
        yield from (replace(response, result=character) for character in response.result)


def finish_made_up(responses: Responses) -> Iterator[Any]:
    """A finish reason is made up: an answer that was cut off looks whole."""
    yield from responses
    yield LLMStreamResponse(
        id="", is_end=True, is_truncated=False, result="", finish_reason="stop", usage=None
    )


def whole_answer_at_once(responses: Responses) -> Iterator[Any]:
    """The answer is collected and handed on at its end."""
    yield from list(responses)


def one_behind(responses: Responses) -> Iterator[Any]:
    """Each piece is held back until the next has come; the last is lost when an error comes instead."""
    held: list[Any] = []
    for response in responses:
        yield from held
        held = [response]
    yield from held


def ids_of_our_own(responses: Responses) -> Iterator[Any]:
    """The provider's id of the answer is replaced, so that nobody there can find it."""
    return (replace(response, id="answer-1") for response in responses)


def static_models_dropped(models: Responses) -> Iterator[Any]:
    """Models that a provider has but does not list are no longer offered."""
    yield from list(models)[:-1]


class NeverEnded:
    """A telemetry generation is never ended, and so never exported."""

    def __init__(self, recorder: Recorder) -> None:
        self.see = recorder.see
        self.fail = recorder.fail
        self.stop = recorder.stop

    def finish(self) -> None:
        """Nothing is told."""


class ToldAsWell:
    """A failed call is told to telemetry as a good one."""

    def __init__(self, recorder: Recorder) -> None:
        self.see = recorder.see
        self.finish = self.stop = recorder.finish
        self._recorder = recorder

    def fail(self, message: str) -> None:
        """Told as if nothing had happened."""
        del message
        self._recorder.finish()


ANSWERS: tuple[Defect, ...] = (
    shows(
        "P09", last_delta_lost, handing_on, "openai/system-prompt", "text text[*]", "delivery_lag delta[0]"
    ),
    shows("P10", totals_added_up, receiving, "ark/usage-every-chunk", "usage usage.total_tokens"),
    shows(
        "P11",
        totals_swapped,
        receiving,
        "deepseek/plain-stream",
        "usage usage.prompt_tokens",
        "usage usage.completion_tokens",
    ),
    shows("P12", left_at_the_finish, receiving, "openai/plain-stream", "usage_missing usage"),
    shows("P13", error_swallowed, handing_on, "openai/mid-stream-error", "error error"),
    shows("P14", error_swallowed, handing_on, "openai/mid-stream-error", "unfaithful error", shared=True),
    shows("P15", bytes_decoded_in_blocks, handing_on, "glm/plain-stream", "text text[*]"),
    shows(
        "P16",
        blank_deltas_dropped,
        handing_on,
        "openai/plain-stream",
        "text text[*]",
        "delivery_lag delta[*]",
    ),
    shows(
        "P17",
        deltas_stripped,
        handing_on,
        "silicon/plain-stream",
        "text text[*]",
        "chunk_count chunks.empty",
        "delivery_lag delta[*]",
    ),
    shows(
        "P18", deltas_out_of_order, handing_on, "qwen/system-prompt", "text text[*]", "delivery_lag delta[0]"
    ),
    shows("P19", cut_into_characters, handing_on, "ernie/plain-stream", "deltas delta[*]"),
    shows(
        "P20",
        finish_made_up,
        handing_on,
        "openai/finish-length",
        "finish_reason finish_reason.invented",
        "response_id id",
        "fields is_end",
    ),
    shows("P21", whole_answer_at_once, handing_on, "deepseek/system-prompt", "delivery_lag delta[0]"),
    shows(
        "P22",
        one_behind,
        handing_on,
        "deepseek/mid-stream-error",
        "error_position error.position",
        "delivery_lag delta[0]",
    ),
    shows("P23", ids_of_our_own, handing_on, "openai/plain-stream", "response_id id"),
    shows("P24", static_models_dropped, handing_on, "qwen/list-models", "text text[*]"),
    shows(
        "P25",
        NeverEnded,
        telling,
        "openai/plain-stream",
        "usage_missing usage",
        "telemetry generation.ended",
        "telemetry generation.output",
    ),
    shows("P26", ToldAsWell, telling, "openai/wrong-key", "telemetry generation.level"),
)
