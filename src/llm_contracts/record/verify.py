"""Has a provider changed since it was recorded? Its answer of today against the recording."""

from __future__ import annotations

import re
from collections.abc import Mapping
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from llm_contracts.drift.report import ComparedRecording, RecordingState, compare_cassettes
from llm_contracts.wire.cassette import Cassette, CassetteError, load
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import End, Response
from llm_contracts.wire.protocols import Protocols

_OURS = frozenset({401, 402, 403})  # the key, the account: our side, and it will not pass by itself
_UNPAID = re.compile("quota|arrear|balance|billing|overdue", re.IGNORECASE)  # as some say with 400 or 429
_BUSY = frozenset({408, 429})
_SERVER_FAULT = 500
_FAILED = 400


def verified(
    scenario: str, recorded: Cassette, today: Cassette, objection: str, protocols: Protocols
) -> ComparedRecording:
    """What today's answer says about a recording. A provider that is in trouble says nothing about it.

    Args:
        scenario: its name.
        recorded: the recording.
        today: what came; without exchanges if nothing could be kept.
        objection: why that is not what the scenario is about; empty if it is.
        protocols: how to read both.
    """
    olds = chain((one.response for one in recorded.interactions), repeat(None))
    pairs = zip(olds, today.interactions, strict=False)
    troubles = (_trouble(old, now.response, protocols) for old, now in pairs)
    lasting = next((one for one in troubles if one is not None), None) if today.interactions else True
    if lasting is not None:
        state, why = RecordingState.UNVERIFIED, objection or "the provider failed"
        return compare_cassettes(
            scenario, recorded, None, protocols, state=state, detail=why, lasting=lasting
        )
    return compare_cassettes(scenario, recorded, today, protocols)


def replaced(scenario: str, path: Path, now: Cassette, protocols: Protocols) -> ComparedRecording:
    """What a new recording changes against the one whose place it takes."""
    try:
        return compare_cassettes(scenario, load(path) if path.is_file() else None, now, protocols)
    except CassetteError as error:
        why = f"the recording that was replaced could not be read: {error.problem}"
        state = RecordingState.UNREADABLE
        return compare_cassettes(scenario, None, now, protocols, state=state, detail=why)


def _trouble(old: Response | None, new: Response, protocols: Protocols) -> bool | None:
    """Whether the trouble that the provider is in will last; None if it is in none, or in that which was
    recorded.
    """
    was = None if old is None else read_facts(old, protocols).error
    error = read_facts(new, protocols).error
    alike = old is not None and (old.status, old.end) == (new.status, new.end)
    if alike and (was is None) == (error is None):
        return None
    if _is_unpaid(error) and not _is_unpaid(was):
        return True
    if new.end is not End.COMPLETE or new.status in _BUSY or new.status >= _SERVER_FAULT:
        return False
    if was is not None:
        return None  # another refusal is what there is to be seen
    # In a stream or with status 200 a provider says all that it else has a status for.
    ours = new.status in _OURS or (new.status < _FAILED and error is not None)
    return True if ours or new.header("content-encoding") else None


def _is_unpaid(error: Mapping[str, Any] | None) -> bool:
    return any(_UNPAID.search(str((error or {}).get(name) or "")) for name in ("code", "type"))
