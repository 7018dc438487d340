"""Recordings to choose from by request: which answers this one? Pure, and strict: a request that was never
recorded has no answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum

from llm_contracts.wire.interaction import Interaction, Request, Response
from llm_contracts.wire.request_diff import RequestDifference, differences, likeness, same_place, same_request


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexedRecording:
    """The recording of one scenario.

    Attributes:
        name: the scenario, unique on its shelf.
        file: where it lies, as messages name it.
        interactions: the exchanges, in order.
        usual: whether a provider that is asked answers so of itself. A made-up failure to a plain question is
            an answer, too, but nobody gets it who does not ask for it by name.
    """

    name: str
    file: str
    interactions: tuple[Interaction, ...]
    usual: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """A tape that answers a request: the places of the exchanges that fit, best first.

    `differences` says what of the request is not as recorded; empty unless any body was allowed.
    """

    tape: IndexedRecording
    same: tuple[int, ...]
    other: tuple[int, ...] = ()
    differences: tuple[RequestDifference, ...] = ()

    def next(self, played: set[int]) -> int:
        """The place of the exchange to play: each once, in order, then the last one for ever."""
        fresh = (place for place in (*self.same, *self.other) if place not in played)
        return next(fresh, (self.same or self.other)[-1])


class Reason(StrEnum):
    """Why there is no answer."""

    NOTHING = "nothing_recorded"
    SEVERAL = "several_recorded"
    NO_SCENARIO = "unknown_scenario"
    NO_PROVIDER = "unknown_provider"
    NO_RUN = "unusable_run_key"


@dataclass(frozen=True, kw_only=True, slots=True)
class Miss:
    """No answer, and why.

    Attributes:
        nearest: the recorded request that is most like this one, and the name of its tape.
        differences: what of the request differs from that.
        names: what there is to choose from instead.
    """

    reason: Reason
    nearest: tuple[str, Request] | None = None
    differences: tuple[RequestDifference, ...] = ()
    names: tuple[str, ...] = ()


class RecordingIndex:
    """The tapes of one provider.

    Args:
        provider: its name.
        base_path: the path of its base URL.
        tapes: in the order of the scenarios.
    """

    def __init__(self, provider: str, base_path: str, tapes: Sequence[IndexedRecording]) -> None:
        self.provider = provider
        self.base_path = base_path
        self.tapes = tuple(tapes)
        self._by_name = {tape.name: tape for tape in tapes}

    def find(self, request: Request, *, name: str | None = None, any_body: bool = False) -> Fit | Miss:
        """The tape that answers a request.

        Without a name every tape with the same request comes into question: the usual ones first, and several
        only if they give the same answer.

        Args:
            request: what was asked, without secrets, as the recordings are.
            name: the tape that must answer.
            any_body: let the tape of that name answer whatever query and body are.
        """
        if name is not None and name not in self._by_name:
            return Miss(reason=Reason.NO_SCENARIO, names=tuple(self._by_name))
        tapes = self.tapes if name is None else (self._by_name[name],)
        fits = [fit for tape in tapes if (fit := _fit(tape, request))]
        if not fits and name is not None and any_body:
            fits = [fit for tape in tapes if (fit := _loose_fit(tape, request))]
        if not fits:
            return self._nothing(request, tapes)
        usual = [fit for fit in fits if fit.tape.usual] or fits
        if len({_answers(fit) for fit in usual}) > 1:
            return Miss(reason=Reason.SEVERAL, names=tuple(fit.tape.name for fit in fits))
        return usual[0]

    @staticmethod
    def _nothing(request: Request, tapes: Sequence[IndexedRecording]) -> Miss:
        recorded = [(tape.name, each.request) for tape in tapes for each in tape.interactions]
        if not recorded:
            return Miss(reason=Reason.NOTHING)
        nearest = max(recorded, key=lambda entry: likeness(request, entry[1]))
        return Miss(reason=Reason.NOTHING, nearest=nearest, differences=differences(request, nearest[1]))


def _fit(tape: IndexedRecording, request: Request) -> Fit | None:
    same = tuple(place for place, each in enumerate(tape.interactions) if same_request(request, each.request))
    return Fit(tape=tape, same=same) if same else None


def _loose_fit(tape: IndexedRecording, request: Request) -> Fit | None:
    other = tuple(place for place, each in enumerate(tape.interactions) if same_place(request, each.request))
    if not other:
        return None
    first = tape.interactions[other[0]].request
    return Fit(tape=tape, same=(), other=other, differences=differences(request, first))


def _answers(fit: Fit) -> tuple[Response, ...]:
    """What the fitting exchanges answer, without what differs each time: headers, and when bytes came."""
    answers = (fit.tape.interactions[place].response for place in fit.same or fit.other)
    return tuple(Response(status=each.status, body=each.body, end=each.end) for each in answers)
