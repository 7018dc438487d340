"""Which recording answers a request? Pure, and strict: a request that was never recorded has no answer."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from enum import StrEnum

from llm_contracts.wire.interaction import Interaction, Request, Response
from llm_contracts.wire.request_diff import RequestDifference, differences, likeness, same_place, same_request


@dataclass(frozen=True, kw_only=True, slots=True)
class IndexedRecording:
    """The recording of one scenario.

    Attributes:
        name: the scenario, unique in its index.
        file: where it lies, as messages name it.
        interactions: the exchanges, in order.
        usual: whether a provider answers so of itself. A made-up failure is an answer to a plain question,
            too, but only those get it who ask for it by name.
    """

    name: str
    file: str
    interactions: tuple[Interaction, ...]
    usual: bool = True


@dataclass(frozen=True, kw_only=True, slots=True)
class Fit:
    """A recording that answers a request.

    Attributes:
        recording: which.
        places: its exchanges that fit, in order.
        differences: what of the request is not as recorded; empty unless any body was allowed.
    """

    recording: IndexedRecording
    places: tuple[int, ...]
    differences: tuple[RequestDifference, ...] = ()


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
        nearest: the recorded request that is most like this one, and the name of its recording.
        differences: what of the request differs from that.
        names: what there is to choose from instead.
    """

    reason: Reason
    nearest: tuple[str, Request] | None = None
    differences: tuple[RequestDifference, ...] = ()
    names: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class RecordingIndex:
    """The recordings of one provider.

    Attributes:
        provider: its name.
        base_path: the path of its base URL.
        recordings: in the order of the scenarios.
    """

    provider: str
    base_path: str
    recordings: Sequence[IndexedRecording]

    def find(self, request: Request, *, name: str | None = None, any_body: bool = False) -> Fit | Miss:
        """The recording that answers a request.

        Without a name every recording with the same request is considered: the usual ones first, and several
        only if they give the same answer.

        Args:
            request: what was asked, without secrets, as the recordings are.
            name: the recording that must answer.
            any_body: let the recording of that name answer whatever query and body are.
        """
        names = tuple(each.name for each in self.recordings)
        if name is not None and name not in names:
            return Miss(reason=Reason.NO_SCENARIO, names=names)
        considered = [each for each in self.recordings if name in (None, each.name)]
        fits = _fits(considered, request, same_request)
        if not fits and name is not None and any_body:
            fits = _fits(considered, request, same_place)
        if not fits:
            recorded = [
                (each.name, exchange.request) for each in considered for exchange in each.interactions
            ]
            nearest = max(recorded, key=lambda entry: likeness(request, entry[1]), default=None)
            differs = differences(request, nearest[1]) if nearest else ()
            return Miss(reason=Reason.NOTHING, nearest=nearest, differences=differs)
        usual = [fit for fit in fits if fit.recording.usual] or fits
        if len({_answers(fit) for fit in usual}) > 1:
            return Miss(reason=Reason.SEVERAL, names=tuple(fit.recording.name for fit in fits))
        return usual[0]


def _fits(
    considered: Sequence[IndexedRecording], request: Request, same: Callable[[Request, Request], bool]
) -> list[Fit]:
    found = []
    for recording in considered:
        exchanges = [each.request for each in recording.interactions]
        places = tuple(place for place, each in enumerate(exchanges) if same(request, each))
        if places:
            differs = () if same is same_request else differences(request, exchanges[places[0]])
            found.append(Fit(recording=recording, places=places, differences=differs))
    return found


def _answers(fit: Fit) -> tuple[Response, ...]:
    """What the fitting exchanges answer, without what differs each time: headers, and when bytes came."""
    answers = (fit.recording.interactions[place].response for place in fit.places)
    return tuple(Response(status=each.status, body=each.body, end=each.end) for each in answers)
