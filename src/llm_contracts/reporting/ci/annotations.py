"""A result as annotations: GitHub shows each beside the line that it is about.

They are commands on a job's standard output. Whatever a model says stays inside its command: line feeds,
colons and commas are written as GitHub's runner reads them (actions/toolkit, `core/src/command.ts`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby

from llm_contracts.parity.decision_groups import DecisionGroup, members_of, queue
from llm_contracts.parity.divergence import Divergence, Severity
from llm_contracts.parity.grouping import group
from llm_contracts.parity.result import Item, Result
from llm_contracts.reporting.ci.values import cut, seen, sides, some
from llm_contracts.util.text import count

MOST = 10
"""What GitHub shows of each level in a step; it drops the others without a word."""

_LONGEST_VALUE = 200


class AnnotationLevel(StrEnum):
    """How GitHub marks an annotation, the most important first."""

    ERROR = "error"
    WARNING = "warning"
    NOTICE = "notice"


@dataclass(frozen=True, kw_only=True, slots=True)
class FilePosition:
    """A file, from the repository's root, and a line in it if it is known."""

    file: str
    line: int | None = None


Find = Callable[[str, Divergence | None], FilePosition | None]
"""Where a difference of an item stands, or the item itself; None where there is no such file."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Annotation:
    """One annotation."""

    level: AnnotationLevel
    title: str
    message: str
    place: FilePosition | None = None


def notes(result: Result, find: Find, *, waivers: str | None = None) -> tuple[Annotation, ...]:
    """What a reader of the change has to know, a note for each decision.

    Args:
        result: the run.
        find: see `Find`.
        waivers: the waivers file, as GitHub names it.
    """
    found = (
        *_unreadable(result.items, find),
        *_complaints(result.complaints, waivers),
        *_differences(result.items, find),
        *_noise(result.items, find),
        *_missing(result.missing),
    )
    return tuple(sorted(found, key=lambda note: list(AnnotationLevel).index(note.level)))


def workflow_commands(found: Iterable[Annotation], *, most: int = MOST) -> Iterator[str]:
    """The lines to print. Of more than `most` of a level the last place says how many there are."""
    for level, group_ in groupby(found, key=lambda note: note.level):
        same = list(group_)
        if len(same) > most:
            more = f"{count(len(same) - most + 1, f'more {level}')}: see the job summary or the report."
            same = [*same[: most - 1], Annotation(level=level, title="And more", message=more)]
        yield from map(_command, same)


def _differences(items: Iterable[Item], find: Find) -> Iterator[Annotation]:
    open_ones = (m for item in items for m in members_of(item) if m.fingerprint not in item.waived)
    for found in queue(open_ones):
        if found.severity is not Severity.COSMETIC:
            yield _difference(found, find)


def _difference(found: DecisionGroup, find: Find) -> Annotation:
    first = found.members[0]
    ids = list(dict.fromkeys(member.item for member in found.members))
    return Annotation(
        level=AnnotationLevel.ERROR if found.severity is Severity.BREAKING else AnnotationLevel.WARNING,
        title=f"{found.severity} difference: {found.kind} at {found.where}",
        message="\n".join([*_values(first.divergence), f"in {_some(ids)}"]),
        place=find(first.item, first.divergence),
    )


def _noise(items: Iterable[Item], find: Find) -> Iterator[Annotation]:
    for found in group(items, lambda item: item.noise):
        if found.severity is not Severity.COSMETIC:
            yield Annotation(
                level=AnnotationLevel.WARNING,
                title=f"noise: {found.kind} at {found.where}",
                message="\n".join(["The reference differs when it runs twice.", f"in {_some(found.ids)}"]),
                place=find(found.ids[0], None),
            )


def _unreadable(items: Iterable[Item], find: Find) -> Iterator[Annotation]:
    for item in items:
        if item.problem is not None:
            yield Annotation(
                level=AnnotationLevel.ERROR,
                title="A recording that cannot be used",
                message=item.problem,
                place=find(item.id, None),
            )


def _complaints(complaints: Iterable[str], waivers: str | None) -> Iterator[Annotation]:
    place = None if waivers is None else FilePosition(file=waivers)
    for text in complaints:
        yield Annotation(level=AnnotationLevel.ERROR, title="The waivers file", message=text, place=place)


def _missing(names: Sequence[str]) -> Iterator[Annotation]:
    if names:
        title = count(len(names), "scenario has no recording", "scenarios have no recording")
        yield Annotation(level=AnnotationLevel.NOTICE, title=title, message=_some(names))


def _values(divergence: Divergence) -> list[str]:
    return [f"{name}: {value}" for name, value in sides(divergence, _LONGEST_VALUE)]


def _some(ids: Sequence[str]) -> str:
    return some([cut(each, 120) for each in ids])


def _command(note: Annotation) -> str:
    properties = {"title": note.title}
    if note.place is not None:
        line = {} if note.place.line is None else {"line": str(note.place.line)}
        properties = {"file": note.place.file, **line, **properties}
    fields = ",".join(f"{key}={_property(value)}" for key, value in properties.items())
    return f"::{note.level} {fields}::{_data(note.message)}"


def _data(text: str) -> str:
    return seen(text).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _data(text).replace(":", "%3A").replace(",", "%2C")
