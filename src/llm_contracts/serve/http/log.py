"""What is written down of each request to a replay server."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from datetime import UTC, datetime

from llm_contracts.wire.interaction import End


@dataclass(kw_only=True, slots=True)
class Entry:
    """One request to a provider. No header and no body is part of it: these hold keys and people's words.

    Attributes:
        time: when the request had arrived, in UTC.
        run: the run's key.
        provider: as named in the address.
        method, path: the request, the path with its query but without credentials.
        scenario, file, exchange: the recording that answered, and the place of the exchange in it.
        status: what was answered; 0 if the connection was ended without an answer.
        events: how many server-sent events were sent.
        ms: how long it took to answer.
        end: how the answer ended: as recorded, or `client_left`.
        reason: why there was no answer (status 599).
        differs: the places in which the request differs from the recorded one, or from the nearest.
    """

    time: str = field(default_factory=lambda: datetime.now(UTC).isoformat(timespec="milliseconds"))
    run: str
    provider: str
    method: str
    path: str
    scenario: str | None = None
    file: str | None = None
    exchange: int | None = None
    status: int = 0
    events: int = 0
    ms: float = 0.0
    end: End | None = None
    reason: str | None = None
    differs: tuple[str, ...] = ()

    def line(self) -> str:
        """The entry as one line of JSON; what is not known is left out."""
        known = {name: value for name, value in asdict(self).items() if value not in (None, ())}
        return json.dumps(known, ensure_ascii=False)
