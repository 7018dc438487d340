"""What people decided about differences, as a file: written by `review` and by the page of `report`, read by
`review apply`.

    {"format": 1, "run": "3f0c…", "decisions": [
        {"decision": "accept", "fingerprints": ["…"], "reason": "…", "by": "…", "until": "2027-05-31",
         "scope": "group"},
        {"decision": "fix", "fingerprints": ["…"], "note": "…"}]}

`run` is the `run` of the result that was looked at, and the fingerprints say what is decided; `group` is a
name for people. Reading is strict: a decision that nobody meant is worse than a message.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from enum import StrEnum
from typing import Any, TypeVar

FORMAT = 1

_TOP = frozenset({"format", "run", "decisions"})
_TEXTS = ("group", "reason", "by", "note")
_KNOWN = ("decision", "fingerprints", "scope", "until", *_TEXTS)
_WRITTEN = ("group", "fingerprints", "reason", "by", "until", "scope", "note")

_Known = TypeVar("_Known", bound=StrEnum)


class Choice(StrEnum):
    """What can be decided about a difference."""

    ACCEPT = "accept"  # it may stay until a date: a waiver
    FIX = "fix"  # the candidate is wrong: it goes on failing, with a note
    NOISE = "noise"  # it means nothing and should be normalised: it goes on failing until that is done


class Scope(StrEnum):
    """How far an acceptance reaches."""

    RECORDING = "recording"  # these differences in their recordings, nothing else
    GROUP = "group"  # everything that the group holds today
    PROVIDER = "provider"  # this kind at this place in every scenario of the provider
    FIELD = "field"  # this kind at this place everywhere


class DecisionsError(Exception):
    """Decisions cannot be used. The message names the file, the entry and the way out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decision:
    """One decision about differences that belong together.

    Attributes:
        choice: what was decided.
        fingerprints: the differences, by the names they keep across runs.
        group: what the group was called where it was decided; for people only.
        reason, by, until, scope: of an acceptance; `until` is the last day on which it holds.
        note: what is to be fixed, or what makes this noise.
    """

    choice: Choice
    fingerprints: tuple[str, ...]
    group: str = ""
    reason: str = ""
    by: str = ""
    until: date | None = None
    scope: Scope | None = None
    note: str = ""


@dataclass(frozen=True, kw_only=True, slots=True)
class Decisions:
    """The decisions about one run; `run` is that of the result."""

    run: str
    decisions: tuple[Decision, ...] = ()


def render_decisions(found: Decisions) -> str:
    """The file's text, fields that say nothing left out."""
    rows = [
        {"decision": each.choice, **{name: value for name in _WRITTEN if (value := getattr(each, name))}}
        for each in found.decisions
    ]
    document = {"format": FORMAT, "run": found.run, "decisions": rows}
    return json.dumps(document, ensure_ascii=False, indent=2, default=str) + "\n"


def parse_decisions(text: str | bytes, name: str) -> Decisions:
    """Read a file of decisions.

    Args:
        text: its content.
        name: what messages call it.

    Raises:
        DecisionsError: it is not JSON, not of this format, or an entry is not what it should be.
    """
    try:
        document = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise DecisionsError(f"{name}: is not JSON ({error}). Export the decisions again.") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise DecisionsError(f"{name}: is not a file of decisions of format {FORMAT}.")
    unknown = sorted(document.keys() - _TOP)
    if unknown:
        raise DecisionsError(f"{name}: {unknown[0]!r} is not known; known are {', '.join(sorted(_TOP))}.")
    rows, run = document.get("decisions"), document.get("run")
    if not isinstance(rows, list) or not isinstance(run, str):
        raise DecisionsError(f"{name}: needs 'run', a text, and 'decisions', a list.")
    found = (_decision(row, f"{name}: decision {number}") for number, row in enumerate(rows, 1))
    return Decisions(run=run, decisions=tuple(found))


def _decision(row: Any, place: str) -> Decision:
    """One entry. Empty texts count as absent: a page exports what its form holds."""
    if not isinstance(row, dict):
        raise DecisionsError(f"{place}: must be an object, not {type(row).__name__}.")
    unknown = sorted(row.keys() - set(_KNOWN))
    if unknown:
        raise DecisionsError(f"{place}: {unknown[0]!r} is not known; known are {', '.join(_KNOWN)}.")
    prints = row.get("fingerprints")
    if not isinstance(prints, list) or not prints or not all(isinstance(each, str) for each in prints):
        raise DecisionsError(f"{place}: 'fingerprints' must be a list of texts that names at least one.")
    texts = {key: _text(row, key, place) for key in _TEXTS}
    scope, until = _text(row, "scope", place), _text(row, "until", place)
    try:
        last_day = date.fromisoformat(until) if until else None
    except ValueError:
        raise DecisionsError(f"{place}: 'until' must be a date such as 2027-01-31, not {until!r}.") from None
    return Decision(
        choice=_one_of(Choice, _text(row, "decision", place), f"{place}: 'decision'"),
        fingerprints=tuple(prints),
        scope=_one_of(Scope, scope, f"{place}: 'scope'") if scope else None,
        until=last_day,
        **texts,
    )


def _text(row: Mapping[str, Any], key: str, place: str) -> str:
    value = row.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise DecisionsError(f"{place}: {key!r} must be a text, not {type(value).__name__}.")
    return value.strip()


def _one_of(known: type[_Known], value: str, place: str) -> _Known:
    if value not in list(known):
        raise DecisionsError(f"{place} must be one of {', '.join(known)}, not {value!r}.")
    return known(value)
