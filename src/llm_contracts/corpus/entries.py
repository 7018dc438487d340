"""What comes out of a corpus: streams that can be replayed, and what cannot be used, with the reason."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from llm_contracts.wire.cassette.model import Provenance
from llm_contracts.wire.interaction import Interaction


class ProblemKind(StrEnum):
    """The kinds of reasons for which something cannot be used."""

    UNREADABLE = "unreadable"
    TRUNCATED = "truncated"
    UNKNOWN_ENCODING = "unknown-encoding"
    NO_BODY = "no-body"
    DUPLICATE = "duplicate"
    NOT_CHAT = "not-a-chat-completion"
    NOT_HTTP = "not-http"
    NOT_A_RECORDING = "not-a-recording"
    UNKNOWN_PROVIDER = "unknown-provider"
    MADE_UP = "made-up"
    NOT_OFFERED = "not-offered"

    @property
    def damaged(self) -> bool:
        """Whether something that was meant to be used is lost. The others are merely no business of ours."""
        lost = (ProblemKind.UNREADABLE, ProblemKind.TRUNCATED, ProblemKind.UNKNOWN_ENCODING)
        return self in (*lost, ProblemKind.NO_BODY, ProblemKind.DUPLICATE)


@dataclass(frozen=True, kw_only=True, slots=True)
class CorpusStream:
    """One recorded answer of a model.

    Attributes:
        id: unique in the corpus.
        provider: who answered: a known provider's name, or else the host; until it is judged, what the file
            says.
        interaction: the exchange, its body unpacked.
        place: the file, and the place in it.
        recorder: what recorded it, as far as the file tells.
        recorded_at: when, if the file tells; UTC.
        provenance: what the file says it is worth as evidence; the files of others say nothing.
    """

    id: str
    provider: str = ""
    interaction: Interaction
    place: str = ""
    recorder: str = ""
    recorded_at: datetime | None = None
    provenance: Provenance = Provenance.IMPORTED


@dataclass(frozen=True, kw_only=True, slots=True)
class CorpusProblem:
    """Something in the corpus that cannot be used.

    `place` is a file, with the place in it where there is one, and empty as long as nobody asks whose problem
    it is; `reason` goes on from there.
    """

    place: str = ""
    reason: str
    why: ProblemKind = ProblemKind.UNREADABLE


Entry = CorpusStream | CorpusProblem


class UnreadableError(Exception):
    """A file, or a part of one, that cannot be used; the place of its `problem` is one in the file."""

    def __init__(self, place: str, reason: str, why: ProblemKind = ProblemKind.UNREADABLE) -> None:
        super().__init__(place, reason, why)
        self.problem = CorpusProblem(place=place, reason=reason, why=why)
