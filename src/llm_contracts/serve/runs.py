"""Who has been given what: concurrent runs do not use up each other's recordings."""

from __future__ import annotations

from collections import Counter, OrderedDict
from dataclasses import dataclass, field

from llm_contracts.serve.index import Fit
from llm_contracts.wire.interaction import Interaction

MOST_RUNS = 10_000
"""Runs that are remembered; beyond that the one that was used longest ago is forgotten and starts anew."""


@dataclass(kw_only=True, slots=True)
class ClientRun:
    """One run's position in everything it has asked for.

    Attributes:
        requests: how many requests to providers it has made.
        unmatched: how many of these had no answer.
        answered: how many each recording has answered, by `provider/scenario`.
    """

    requests: int = 0
    unmatched: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    _played: dict[str, set[int]] = field(default_factory=dict)

    def next(self, provider: str, fit: Fit) -> tuple[int, Interaction]:
        """The exchange that answers now, and its place in the recording: each that fits once, in order, then
        the last one for ever.
        """
        name = f"{provider}/{fit.recording.name}"
        played = self._played.setdefault(name, set())
        place = next((each for each in fit.places if each not in played), fit.places[-1])
        played.add(place)
        self.answered[name] += 1
        return place, fit.recording.interactions[place]


class ClientRuns(OrderedDict[str, ClientRun]):
    """All runs by their keys."""

    def __init__(self, most: int = MOST_RUNS) -> None:
        super().__init__()
        self._most = most

    def used(self, key: str) -> ClientRun:
        """The run of this key; it begins with its first request."""
        run = self.setdefault(key, ClientRun())
        self.move_to_end(key)
        if len(self) > self._most:
            self.popitem(last=False)
        return run
