"""Who has been given what: concurrent runs do not use up each other's recordings."""

from __future__ import annotations

import secrets
from collections import Counter, OrderedDict
from dataclasses import dataclass, field

from llm_contracts.serve.catalogue import Fit
from llm_contracts.wire.interaction import Interaction

MOST_RUNS = 10_000
"""Runs that are remembered; beyond that the one that was used longest ago is forgotten and starts anew."""


@dataclass(kw_only=True, slots=True)
class ClientRun:
    """One run's position in everything it has asked for.

    Attributes:
        requests: how many requests to providers it has made.
        unmatched: how many of these had no answer.
        answered: how many each tape has answered, by `provider/scenario`.
    """

    requests: int = 0
    unmatched: int = 0
    answered: Counter[str] = field(default_factory=Counter)
    _played: dict[str, set[int]] = field(default_factory=dict)

    def next(self, provider: str, fit: Fit) -> tuple[int, Interaction]:
        """The exchange that answers now, and its place on the tape."""
        name = f"{provider}/{fit.tape.name}"
        played = self._played.setdefault(name, set())
        place = fit.next(played)
        played.add(place)
        self.answered[name] += 1
        return place, fit.tape.interactions[place]


class ClientRuns:
    """All runs by their keys; one begins with its first request."""

    def __init__(self, most: int = MOST_RUNS) -> None:
        self._most = most
        self._runs: OrderedDict[str, ClientRun] = OrderedDict()

    def __len__(self) -> int:
        return len(self._runs)

    def run(self, key: str) -> ClientRun:
        """The run of this key, a new one if there is none."""
        run = self._runs.setdefault(key, ClientRun())
        self._runs.move_to_end(key)
        if len(self._runs) > self._most:
            self._runs.popitem(last=False)
        return run

    def seen(self, key: str) -> ClientRun:
        """The run of this key to look at; nothing begins by that."""
        return self._runs.get(key) or ClientRun()

    def reset(self, key: str) -> None:
        """Forget a run: with its next request it begins anew."""
        self._runs.pop(key, None)

    def new_key(self) -> str:
        """A key that nobody has."""
        return secrets.token_hex(8)
