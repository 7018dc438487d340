"""What is removed before two streams are compared: shape that no application should depend on.

Every removal has a name and is counted where it hid a difference, so that a report can say what was not
shown. Nothing else is removed. (`created` and the shape of `choices` beside usage never get into a `Chunk`.)
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from llm_contracts.clients.observation import Chunk


class Normalisation(StrEnum):
    """The closed set of removals."""

    EMPTY_CHUNK = "empty-chunk"  # chunks that carry nothing; their number is `chunk_count`
    ROLE = "role"  # `role` repeated, left out or rewritten
    TOOL_TYPE = "tool-type"  # `type: function` added to continuing deltas of a tool call
    FINISH_SPLIT = "finish-split"  # the finish reason rides on the last text, or comes in a chunk of its own
    FINISH_REPEATED = "finish-repeated"  # the same finish reason again
    FINISH_EMPTY = "finish-empty"  # an empty string in the place of null
    USAGE_REPEATED = "usage-repeated"  # running totals on several chunks, where only the last counts
    BODY_SPELLING = "body-spelling"  # order of keys, spaces, escapes of a JSON body
    HEADER = "header-without-meaning"  # request headers that change nothing for the provider
    PAUSE_JITTER = "pause-jitter"  # how long to back off is partly chance
    REPEATED_REQUEST = "repeated-request"  # a difference already reported for an earlier attempt
    ERROR_MESSAGE = "error-message"  # wording of an error
    ERROR_PROVIDER_CODE = "error-provider-code"  # the provider's own code, kept elsewhere or left out
    AFTER_ERROR = "after-error"  # what one path could not reach because it had failed
    TELEMETRY_METADATA = "telemetry-metadata"
    TELEMETRY_MESSAGE = "telemetry-message"


@dataclass(frozen=True, kw_only=True, slots=True)
class NormalisationCount:
    """A normalisation hid so many differences."""

    name: Normalisation
    count: int = 1


def is_empty(chunk: Chunk) -> bool:
    """Whether a chunk carries nothing that an application could use; an empty string counts as nothing."""
    return not any(
        (chunk.text, chunk.reasoning, chunk.tool_calls, chunk.finish_reason, chunk.usage, chunk.extra)
    )


def finish_reasons(chunks: Iterable[Chunk]) -> tuple[str, ...]:
    """The finish reasons in order, without empty ones and immediate repetitions."""
    given = (chunk.finish_reason for chunk in chunks if chunk.finish_reason)
    return tuple(reason for reason, _ in groupby(given))


def distinct(values: Iterable[str | None]) -> tuple[str, ...]:
    """The different values in order of appearance."""
    return tuple(dict.fromkeys(value for value in values if value))


_COUNTED: tuple[tuple[Normalisation, Callable[[tuple[Chunk, ...]], int]], ...] = (
    (Normalisation.EMPTY_CHUNK, lambda chunks: sum(map(is_empty, chunks))),
    (Normalisation.ROLE, lambda chunks: sum(chunk.role is not None for chunk in chunks)),
    (Normalisation.TOOL_TYPE, lambda chunks: sum("type" in call for c in chunks for call in c.tool_calls)),
    (Normalisation.FINISH_SPLIT, lambda chunks: sum(bool(c.text and c.finish_reason) for c in chunks)),
    (Normalisation.FINISH_EMPTY, lambda chunks: sum(chunk.finish_reason == "" for chunk in chunks)),
    (
        Normalisation.FINISH_REPEATED,
        lambda chunks: sum(bool(c.finish_reason) for c in chunks) - len(finish_reasons(chunks)),
    ),
    (Normalisation.USAGE_REPEATED, lambda chunks: max(0, sum(c.usage is not None for c in chunks) - 1)),
)


def shape_notes(reference: tuple[Chunk, ...], candidate: tuple[Chunk, ...]) -> Iterator[NormalisationCount]:
    """What the normalisations of chunks hid between two streams: how many more there were on one side."""
    for name, count in _COUNTED:
        hidden = abs(count(reference) - count(candidate))
        if hidden:
            yield NormalisationCount(name=name, count=hidden)
    renamed = _roles(reference) ^ _roles(candidate)
    if renamed and _roles(reference) and _roles(candidate):
        yield NormalisationCount(name=Normalisation.ROLE, count=len(renamed))


def _roles(chunks: tuple[Chunk, ...]) -> set[str]:
    return set(distinct(chunk.role for chunk in chunks))
