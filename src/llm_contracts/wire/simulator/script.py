"""What the simulator can be told to play, free of any dialect: one turn for each request of a scenario."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from llm_contracts.wire.simulator.texts import Pieces


class Refused(StrEnum):
    """Why a provider refuses or breaks off. Each dialect has its own words for every one."""

    NO_KEY = "no_key"
    WRONG_KEY = "wrong_key"
    UNKNOWN_MODEL = "unknown_model"
    BAD_REQUEST = "bad_request"
    BAD_PARAMETER = "bad_parameter"
    JSON_WORD = "json_word"
    RATE_LIMIT = "rate_limit"
    SERVER_ERROR = "server_error"
    PROMPT_FILTER = "prompt_filter"
    OUTPUT_FILTER = "output_filter"
    MID_STREAM = "mid_stream"


class Ending(StrEnum):
    """How an answer stops."""

    WHOLE = "whole"
    NO_DONE = "no_done"  # finish reason and usage are sent, the closing [DONE] is not
    ERROR = "error"  # an error event after half of the text
    FILTERED = "filtered"  # the provider's content filter strikes after half of the text


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """A streamed answer.

    Attributes:
        text: what is said.
        json_text: what is said instead when the request asks for JSON mode.
        reasoning: what is thought first, by a model that thinks.
        usage: False withholds the totals even from a client that asked for them.
    """

    text: Pieces
    json_text: Pieces
    reasoning: Pieces = ()
    ending: Ending = Ending.WHOLE
    usage: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A refusal before the first byte of an answer; `retry_after` in seconds becomes the header."""

    why: Refused
    retry_after: int | None = None


Turn = Answer | Refusal


@dataclass(frozen=True, kw_only=True, slots=True)
class Script:
    """The turns of one scenario: the n-th request gets the n-th turn, and every later one the last."""

    id: str
    turns: tuple[Turn, ...]

    def turn(self, number: int) -> Turn:
        """The turn for the request with this number, counted from 0."""
        return self.turns[min(number, len(self.turns) - 1)]
