"""What the simulator can be told to play, free of any dialect: one turn for each request of a scenario."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

from llm_contracts.simulator.texts import Pieces


class Refused(StrEnum):
    """Why a provider refuses or breaks off. Each dialect has its own words for every one."""

    NO_KEY = "no_key"
    WRONG_KEY = "wrong_key"
    UNKNOWN_MODEL = "unknown_model"
    BAD_REQUEST = "bad_request"
    BAD_PARAMETER = "bad_parameter"
    JSON_WORD = "json_word"
    TOO_LONG = "too_long"
    RATE_LIMIT = "rate_limit"
    UNPAID = "unpaid"  # the account has no money left; the status differs widely
    OVERLOADED = "overloaded"  # too many others are asking; not everybody says 503
    SERVER_ERROR = "server_error"
    PROMPT_FILTER = "prompt_filter"
    OUTPUT_FILTER = "output_filter"
    MID_STREAM = "mid_stream"
    FORBIDDEN = "forbidden"
    NOT_FOUND = "not_found"
    TIMEOUT = "timeout"
    CONFLICT = "conflict"
    UNPROCESSABLE = "unprocessable"
    UNAVAILABLE = "unavailable"
    SITE_OVERLOADED = "site_overloaded"


GATEWAY: Mapping[Refused, tuple[int, str]] = {
    Refused.FORBIDDEN: (403, "Forbidden"),
    Refused.NOT_FOUND: (404, "Not Found"),
    Refused.TIMEOUT: (408, "Request Timeout"),
    Refused.CONFLICT: (409, "Conflict"),
    Refused.UNPROCESSABLE: (422, "Unprocessable Entity"),
    Refused.UNAVAILABLE: (503, "Service Unavailable"),
    Refused.OVERLOADED: (503, "Service Overloaded"),
    Refused.SITE_OVERLOADED: (529, "Site Overloaded"),
}
"""What any gateway may say, with the names that HTTP has for it. Dialects know better for some."""


class Ending(StrEnum):
    """How an answer stops."""

    WHOLE = "whole"
    NO_DONE = "no_done"  # finish reason and usage are sent, the closing [DONE] is not
    ERROR = "error"  # an error event after half of the text
    FILTERED = "filtered"  # the provider's content filter strikes after half of the text


class UsagePlacement(StrEnum):
    """Where the totals of tokens are in a stream."""

    OWN = "own"  # a chunk of their own, without choices
    LAST = "last"  # beside the finish reason's choice
    EVERY = "every"  # on every chunk, counted so far
    INSIDE = "inside"  # within the finish reason's choice


@dataclass(frozen=True, kw_only=True, slots=True)
class Insert:
    """Bytes between the chunks, sent as they are once `after` (from 0 to 1) of the chunks have left.

    `with_rest`: all that follows leaves in one write with them, and so is there to be recorded even where the
    client hangs up on these bytes.
    """

    after: float
    raw: bytes
    with_rest: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class ScriptedAnswer:
    """A streamed answer.

    Attributes:
        text: what is said.
        json_text: what is said instead when the request asks for JSON mode.
        reasoning: what is thought first, by a model that thinks.
        arguments: of the tool that is called; empty calls none.
        calls: how often it is called, side by side.
        usage: False withholds the totals even from a client that asked for them.
        place: where the totals are instead of where the provider puts them.
        finish: the finish reason instead of the one that follows from all else.
        unfinished: the finish reason of every chunk before the last.
        listed: text is a list of parts, not a string.
    """

    text: Pieces
    json_text: Pieces
    reasoning: Pieces = ()
    arguments: Pieces = ()
    calls: int = 1
    ending: Ending = Ending.WHOLE
    usage: bool = True
    place: UsagePlacement | None = None
    finish: str | None = None
    unfinished: str | None = None
    listed: bool = False
    inserts: tuple[Insert, ...] = ()

    @property
    def broken_off(self) -> bool:
        """Whether only half of the text is said."""
        return self.ending in {Ending.ERROR, Ending.FILTERED}


@dataclass(frozen=True, kw_only=True, slots=True)
class Refusal:
    """A refusal before the first byte of an answer.

    `retry_after` in seconds becomes the header; `status` stands in for the one that goes with the words.
    """

    why: Refused
    retry_after: int | None = None
    status: int | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class GatewayPage:
    """What a gateway in front of a provider says, in no dialect: an HTML page."""

    status: int
    html: str


Turn = ScriptedAnswer | Refusal | GatewayPage


Script = tuple[Turn, ...]
"""The turns of one scenario: the n-th request gets the n-th turn, and every later one the last."""
