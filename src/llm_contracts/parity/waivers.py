"""The file of accepted differences. It may not rot: what is wrong, lapsed or of no use fails a run.

A file that cannot be read at all raises; faults of single entries are complaints, and such an entry accepts
nothing. A missing file accepts nothing and is not an error.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from packaging.specifiers import InvalidSpecifier, SpecifierSet

from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.parity.result import Item
from llm_contracts.parity.waiver import Waiver
from llm_contracts.util.files import read_file

_REQUIRED = ("kind", "provider", "scenario", "reason", "by", "until")
_OPTIONAL = ("where", "reference", "candidate", "litellm", "openai")
_LONGEST_DAYS = 366  # nothing is accepted for ever
_RANGES = ("litellm", "openai")
_WORDS = ("reason", "by")
_SEVERAL = ("provider", "scenario")  # may be a list of patterns
_CONFLICT = re.compile(r"<{7}(?: |$)|={7}$|>{7}(?: |$)")
_ENTRY = re.compile(r"\s*\[\[\s*waiver\s*\]\]")

Scope = tuple[str, str]
"""A provider and one of its scenarios."""


class WaiverError(Exception):
    """The waivers file cannot be read. The message names the file, the line if known, and the way out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Waivers:
    """What has been accepted.

    Attributes:
        entries: the valid ones that have not lapsed.
        complaints: a sentence for each faulty, repeated or lapsed entry; each fails the run.
        warnings: a sentence for each entry that lapses soon.
    """

    entries: tuple[Waiver, ...] = ()
    complaints: tuple[str, ...] = ()
    warnings: tuple[str, ...] = ()

    def match(
        self, divergence: Divergence, *, provider: str, scenario: str, versions: Mapping[str, str]
    ) -> Waiver | None:
        """The first entry that accepts this difference here, under these releases."""
        matching = (
            entry
            for entry in self.entries
            if entry.covers(provider, scenario) and entry.applies(versions) and entry.accepts(divergence)
        )
        return next(matching, None)

    def applied(self, items: Iterable[Item], versions: Mapping[str, str]) -> tuple[Item, ...]:
        """The items, with the reason beside each difference that is accepted."""

        def waived(item: Item) -> Iterator[tuple[str, str]]:
            for each in item.divergences:
                row = self.match(each, provider=item.provider, scenario=item.scenario, versions=versions)
                if row is not None:
                    yield each.fingerprint, row.reason

        return tuple(replace(item, waived=dict(waived(item))) for item in items)

    def unused(
        self,
        items: Iterable[Item],
        versions: Mapping[str, str],
        *,
        known: Iterable[Scope] | None = None,
    ) -> tuple[str, ...]:
        """A complaint for each entry that accepts nothing.

        Only where this run could have shown it: all scenarios that the entry covers ran, under releases that
        it is for, and for an entry about variants some of these as well.

        Args:
            items: what ran.
            versions: the releases under which it ran.
            known: every scenario of the project; those of the items, if nothing was left out of this run.
        """
        ran = tuple(item for item in items if item.problem is None)
        scopes = {(item.provider, item.scenario) for item in ran}
        everything = scopes if known is None else set(known)
        return tuple(
            complaint
            for entry in self.entries
            if entry.applies(versions)
            for part in _parts(entry)
            for complaint in _useless(part, ran, scopes, everything)
        )


def load_waivers(path: Path, today: date, *, warning_days: int = 14) -> Waivers:
    """Read the waivers file.

    Args:
        path: the file; it need not exist.
        today: the day that decides what has lapsed.
        warning_days: entries that lapse within so many days give a warning.

    Raises:
        WaiverError: the file is not UTF-8, not TOML, or holds the marks of an unresolved merge.
    """
    if not path.exists():
        return Waivers()
    text, document = _read(path)
    rows = document.get("waiver", [])
    lines = [number for number, line in enumerate(text.splitlines(), 1) if _ENTRY.match(line)]
    entries: list[Waiver] = []
    # `[[waivers]]` by mistake would silently accept nothing.
    others = sorted(document.keys() - {"waiver"})
    complaints = [f"{path}: {name!r} is not known here; entries begin with [[waiver]]" for name in others]
    for index, row in enumerate(rows):
        place = _place(path, index, lines if len(lines) == len(rows) else [], row)
        faults = list(_faults(row))
        complaints += [f"{place}: {fault}" for fault in faults]
        if not faults:
            entries.append(_waiver(row, place))
    return _sorted_out(entries, complaints, today, warning_days)


def _read(path: Path) -> tuple[str, dict[str, Any]]:
    """The file's text, and the document that it is."""
    try:
        text = read_file(path).decode()
    except UnicodeDecodeError as error:
        raise WaiverError(f"{path}: byte {error.start} is not UTF-8; save the file as UTF-8") from None
    except OSError as error:
        raise WaiverError(f"{path}: cannot be read: {error.strerror}") from error
    for number, line in enumerate(text.splitlines(), 1):
        if _CONFLICT.match(line):
            raise WaiverError(f"{path}: line {number} is the mark of an unresolved merge; resolve it first")
    try:
        document = tomllib.loads(text)
    except (RecursionError, ValueError) as error:
        raise WaiverError(f"{path}: is not TOML: {error}") from None
    rows = document.get("waiver", [])
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise WaiverError(f"{path}: 'waiver' is not a list of tables; begin each entry with [[waiver]]")
    return text, document


def _place(path: Path, index: int, lines: list[int], row: Mapping[str, Any]) -> str:
    line = f":{lines[index]}" if lines else ""
    names = ", ".join(_joined(row[name]) for name in ("kind", "provider", "scenario") if name in row)
    return f"{path}{line}: waiver {index + 1} ({names})"


def _faults(row: Mapping[str, Any]) -> Iterator[str]:
    known = (*_REQUIRED, *_OPTIONAL)
    for name in sorted(row.keys() - {*known}):
        yield f"{name!r} is not known; known are {', '.join(known)}"
    for name in _REQUIRED:
        if name not in row:
            yield f"{name!r} is missing"
    for name, value in row.items():
        given = value if isinstance(value, list) and value and name in _SEVERAL else [value]
        filled = all(map(_is_filled, given)) and (name not in _WORDS or says_something(str(value)))
        if name in known and name != "until" and not filled:
            yield f"{name!r} must be a text that says something"
    yield from _bad_values(row)
    yield from _too_wide(row)


def says_something(text: str) -> bool:
    """Whether a reason or a name has a letter or a digit in it."""
    return any(map(str.isalnum, text))


def _too_wide(row: Mapping[str, Any]) -> Iterator[str]:
    """A pattern that fits everything decides nothing."""
    names = (_joined(row.get(name, "*")) for name in ("provider", "scenario", "where"))
    if all(map(_fits_all, names)):
        yield "it names neither provider nor scenario nor place, and would accept everything of its kind"
    variants = all("~" in name for name in _joined(row.get("scenario", "")).split("|"))
    ends = (_joined(row.get(name, "any" if variants else "*")) for name in ("reference", "candidate"))
    if row.get("kind") == Kind.ERROR and any(map(_fits_all, ends)):
        yield "'reference' and 'candidate' of an error must say how the clients end, not '*'"


def _fits_all(pattern: str) -> bool:
    return not all(part.strip("*?") for part in pattern.split("|"))


def _is_filled(value: Any) -> bool:
    return isinstance(value, str) and bool(value.strip())


def _joined(value: Any) -> str:
    return "|".join(map(str, value)) if isinstance(value, list) else str(value)


def _bad_values(row: Mapping[str, Any]) -> Iterator[str]:
    kind = row.get("kind")
    if _is_filled(kind) and kind not in list(Kind):
        yield f"{kind!r} is not a kind of difference; the kinds are {', '.join(Kind)}"
    if "until" in row and _day(row["until"]) is None:
        yield f"'until' must be a date such as 2027-01-31, not {str(row['until'])!r}"
    for name in _RANGES:
        if _is_filled(row.get(name)) and not _is_range(row[name]):
            yield f"{name!r} must be a range of versions such as '>=1.94,<1.101', not {row[name]!r}"


def _day(value: Any) -> date | None:
    with suppress(TypeError, ValueError):  # a time of day is not a date
        return value if type(value) is date else date.fromisoformat(value)
    return None


def _is_range(value: str) -> bool:
    try:
        SpecifierSet(value)
    except InvalidSpecifier:
        return False
    return True


def _waiver(row: Mapping[str, Any], place: str) -> Waiver:
    until = _day(row["until"])
    assert until is not None, "faulty rows do not get here"
    texts = {name: _joined(value) for name, value in row.items() if name not in ("kind", "until")}
    return Waiver(kind=Kind(row["kind"]), until=until, place=place, **texts)


def _sorted_out(entries: list[Waiver], complaints: list[str], today: date, warning_days: int) -> Waivers:
    """Drop repetitions and what has lapsed, with a complaint; warn of what lapses soon."""
    seen: dict[object, Waiver] = {}
    valid: list[Waiver] = []
    warnings: list[str] = []
    for entry in entries:
        left = (entry.until - today).days
        if entry.identity in seen:
            complaints.append(f"{entry.place}: says the same as {seen[entry.identity].place}")
            continue
        seen[entry.identity] = entry
        if left > _LONGEST_DAYS:
            complaints.append(f"{entry.place}: holds until {entry.until}; a year ahead is the most")
        elif left < 0:
            complaints.append(f"{entry.place}: lapsed on {entry.until}; fix the difference or decide again")
        else:
            valid.append(entry)
            warnings += [f"{entry.place}: lapses on {entry.until}"] if left <= warning_days else []
    return Waivers(entries=tuple(valid), complaints=tuple(complaints), warnings=tuple(warnings))


def _parts(entry: Waiver) -> tuple[Waiver, ...]:
    """An entry that lists names, once with each of them: none may outlive its use behind the others."""
    names = [("scenario", name) for name in entry.scenario.split("|") if "|" in entry.scenario]
    names += [("provider", name) for name in entry.provider.split("|") if "|" in entry.provider]
    parts: list[dict[str, Any]] = [{field: name, "place": f"{entry.place}: {name}"} for field, name in names]
    return tuple(replace(entry, **part) for part in parts) or (entry,)


def _useless(
    entry: Waiver, ran: tuple[Item, ...], scopes: set[Scope], everything: set[Scope]
) -> Iterator[str]:
    covered = {scope for scope in everything if entry.covers_recording(*scope)}
    could_show = covered <= scopes and any(entry.covers(*scope) for scope in scopes)
    if not covered:
        yield f"{entry.place}: no scenario has such a name"
    elif could_show and not any(
        entry.covers(item.provider, item.scenario) and any(map(entry.accepts, item.divergences))
        for item in ran
    ):
        yield f"{entry.place}: accepts nothing that occurs; remove it"
