"""What is removed before two streams are compared: shape that no application should depend on.

Every removal has a name and is counted where it hid a difference, so that a report can say what was not
shown. Nothing else is removed. A project switches one off by naming it in `strict`; then what it would hide
is a difference.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from itertools import groupby

from llm_contracts.clients.observation import Chunk


class Normalisation(StrEnum):
    """The closed set of removals."""

    NULL = "null"  # null where the other has no such key
    EMPTY_VALUE = "empty-value"  # an empty text, list or object where the other has null or no such key
    CREATED = "created"  # the time of an answer: LiteLLM puts its own clock there
    OBJECT_TYPE = "object-type"  # mappings where the other has objects: keys are compared, names are not
    LABEL_REPEATED = "label-repeated"  # the same id or model on chunks where the other has none
    EMPTY_CHUNK = "empty-chunk"  # chunks that carry nothing; their number is `chunk_count`
    ROLE = "role"  # the same `role` on more or fewer chunks, or `assistant` where the provider sent none
    TOOL_TYPE = "tool-type"  # `type: function` added to continuing deltas of a tool call
    FINISH_SPLIT = "finish-split"  # the finish reason rides on the last text, or comes in a chunk of its own
    FINISH_EMPTY = "finish-empty"  # an empty string in the place of null
    NUMBER_SPELLING = "number-spelling"  # 1 where the other has 1.0
    KEY_ORDER = "key-order"  # the properties of a schema in another order
    REQUEST_ORDER = "request-order"  # the same requests in another order: concurrent calls
    CALLS_AT_ONCE = "calls-at-once"  # how late each of several calls at once hands on what came
    QUERY_SPELLING = "query-spelling"  # order and escapes of a query
    BODY_SPELLING = (
        "body-spelling"  # order of keys, spaces, escapes of a JSON body; Anthropic: a text as one block
    )
    HEADER = "header-without-meaning"  # request headers that change nothing for the provider
    PAUSE_JITTER = "pause-jitter"  # how long to back off is partly chance
    REPEATED_REQUEST = "repeated-request"  # a difference already reported for an earlier attempt
    ERROR_ADDED = "error-added"  # fields that only the candidate's error has
    ERROR_SUBCLASS = "error-subclass"  # another class of error, which the same `except` clauses catch
    ERROR_CAUSE = "error-cause"  # another class of exception below an error
    WHOLE_ANSWER = "whole-answer"  # whether a call that streams nothing fails, or reading its answer
    AFTER_ERROR = "after-error"  # what one client could not reach because it had failed
    PROTOCOL_WORDS = "protocol-words"  # finish reasons and totals, where the two hand on objects of two APIs
    OTHER_PROTOCOL = "other-protocol"  # what only one of two APIs has a place for
    TELEMETRY_METADATA = "telemetry-metadata"
    TELEMETRY_MESSAGE = "telemetry-message"


def is_empty(chunk: Chunk) -> bool:
    """Whether a chunk carries nothing that an application could use; an empty string counts as nothing."""
    return not any(
        (
            chunk.text,
            chunk.reasoning,
            chunk.tool_calls,
            chunk.finish_reason,
            chunk.usage,
            chunk.extra,
            chunk.others,
            chunk.is_event,
        )
    )


def finish_reasons(chunks: Iterable[Chunk]) -> tuple[str, ...]:
    """The finish reasons in order, without empty ones and immediate repetitions."""
    given = (chunk.finish_reason for chunk in chunks if chunk.finish_reason)
    return tuple(reason for reason, _ in groupby(given))


def distinct(values: Iterable[str | None]) -> tuple[str, ...]:
    """The different values in order of appearance."""
    return tuple(dict.fromkeys(value for value in values if value))
