"""Faults in what is made of the answer that nobody is known to have shipped, and anybody might."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from llm_adapter.errors import LLMError
from llm_adapter.responses import LLMStreamResponse
from llm_adapter.telemetry import Recorder
from llm_contracts.parity.divergence import Kind
from tests.contracts.defects.defect import Defect
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
    Defect(
        id="P09",
        fault=last_delta_lost,
        put=handing_on,
        scenario="openai/system-prompt",
        reported=((Kind.TEXT, "text[*]"), (Kind.DELIVERY_LAG, "delta[0]")),
    ),
    Defect(
        id="P10",
        fault=totals_added_up,
        put=receiving,
        scenario="ark/usage-every-chunk",
        reported=((Kind.USAGE, "usage.total_tokens"),),
    ),
    Defect(
        id="P11",
        fault=totals_swapped,
        put=receiving,
        scenario="deepseek/plain-stream",
        reported=((Kind.USAGE, "usage.prompt_tokens"), (Kind.USAGE, "usage.completion_tokens")),
    ),
    Defect(
        id="P12",
        fault=left_at_the_finish,
        put=receiving,
        scenario="openai/plain-stream",
        reported=((Kind.USAGE_MISSING, "usage"),),
    ),
    Defect(
        id="P13",
        fault=error_swallowed,
        put=handing_on,
        scenario="openai/mid-stream-error",
        reported=((Kind.ERROR, "error"),),
    ),
    Defect(
        id="P14",
        fault=error_swallowed,
        put=handing_on,
        scenario="openai/mid-stream-error",
        shared=True,
        reported=((Kind.UNFAITHFUL, "error"),),
    ),
    Defect(
        id="P15",
        fault=bytes_decoded_in_blocks,
        put=handing_on,
        scenario="glm/plain-stream",
        reported=((Kind.TEXT, "text[*]"),),
    ),
    Defect(
        id="P16",
        fault=blank_deltas_dropped,
        put=handing_on,
        scenario="openai/plain-stream",
        reported=((Kind.TEXT, "text[*]"), (Kind.DELIVERY_LAG, "delta[*]")),
    ),
    Defect(
        id="P17",
        fault=deltas_stripped,
        put=handing_on,
        scenario="silicon/plain-stream",
        reported=(
            (Kind.TEXT, "text[*]"),
            (Kind.CHUNK_COUNT, "chunks.empty"),
            (Kind.DELIVERY_LAG, "delta[*]"),
        ),
    ),
    Defect(
        id="P18",
        fault=deltas_out_of_order,
        put=handing_on,
        scenario="qwen/system-prompt",
        reported=((Kind.TEXT, "text[*]"), (Kind.DELIVERY_LAG, "delta[0]")),
    ),
    Defect(
        id="P19",
        fault=cut_into_characters,
        put=handing_on,
        scenario="ernie/plain-stream",
        reported=((Kind.DELTAS, "delta[*]"),),
    ),
    Defect(
        id="P20",
        fault=finish_made_up,
        put=handing_on,
        scenario="openai/finish-length",
        reported=((Kind.FINISH_REASON, "finish_reason.invented"),),
    ),
    Defect(
        id="P21",
        fault=whole_answer_at_once,
        put=handing_on,
        scenario="deepseek/system-prompt",
        reported=((Kind.DELIVERY_LAG, "delta[0]"),),
    ),
    Defect(
        id="P22",
        fault=one_behind,
        put=handing_on,
        scenario="deepseek/mid-stream-error",
        reported=((Kind.ERROR_POSITION, "error.position"), (Kind.DELIVERY_LAG, "delta[0]")),
    ),
    Defect(
        id="P23",
        fault=ids_of_our_own,
        put=handing_on,
        scenario="openai/plain-stream",
        reported=((Kind.RESPONSE_ID, "id"),),
    ),
    Defect(
        id="P24",
        fault=static_models_dropped,
        put=handing_on,
        scenario="qwen/list-models",
        reported=((Kind.TEXT, "text[*]"),),
    ),
    Defect(
        id="P25",
        fault=NeverEnded,
        put=telling,
        scenario="openai/plain-stream",
        reported=(
            (Kind.USAGE_MISSING, "usage"),
            (Kind.TELEMETRY, "generation.ended"),
            (Kind.TELEMETRY, "generation.output"),
        ),
    ),
    Defect(
        id="P26",
        fault=ToldAsWell,
        put=telling,
        scenario="openai/wrong-key",
        reported=((Kind.TELEMETRY, "generation.level"),),
    ),
)
