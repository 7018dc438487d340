"""What is written down of each request to a replay server."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from typing import Any

from llm_contracts.wire.interaction import End


@dataclass(kw_only=True, slots=True)
class Entry:
    """One request to a provider. No header and no body is part of it: these hold keys and people's words.

    Attributes:
        run: the run's key.
        provider: as named in the address.
        method, path: the request, the path with its query but without credentials.
        time: when the request had arrived, in UTC.
        scenario, file, exchange: the recording that answered, and the place of the exchange in it.
        status: what was answered; 0 if the connection was ended without an answer.
        events: how many server-sent events were sent.
        ms: how long it took to answer.
        end: how the answer ended: as recorded, or `client_left`.
        reason: why there was no answer (status 599).
        differs: the places in which the request differs from the recorded one, or from the nearest.
    """

    run: str
    provider: str
    method: str
    path: str
    time: str = ""
    scenario: str | None = None
    file: str | None = None
    exchange: int | None = None
    status: int = 0
    events: int = 0
    ms: float = 0.0
    end: End | None = None
    reason: str | None = None
    differs: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        self.time = self.time or datetime.now(UTC).isoformat(timespec="milliseconds")

    def sent(self, events: int) -> None:
        """So many server-sent events are out."""
        self.events = events

    def line(self) -> str:
        """The entry as one line of JSON; what is not known is left out."""
        return json.dumps(self._known(), ensure_ascii=False)

    def _known(self) -> Mapping[str, Any]:
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        first = {"time": values.pop("time")}
        return first | {name: value for name, value in values.items() if value not in (None, ())}
