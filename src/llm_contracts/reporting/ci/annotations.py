"""A result as annotations: GitHub shows each beside the line that it is about.

They are commands on a job's standard output. Whatever a model says stays inside its command: line feeds,
colons and commas are written as GitHub's runner reads them (actions/toolkit, `core/src/command.ts`), and what
is a command within a line (`##[`, `##vso[`, `##teamcity[`) is none any more.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import groupby
from pathlib import Path

from llm_contracts.parity.decision_groups import groups_of
from llm_contracts.parity.divergence import Divergence, Severity
from llm_contracts.parity.result import Result
from llm_contracts.project.config import Project
from llm_contracts.reporting.ci.text import cut, cut_sides, without_hidden
from llm_contracts.util.terminal import without_commands
from llm_contracts.util.text import count, first_names

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
    """What a reader of the change has to know, a note for each decision; `waivers` is the waivers file, as
    GitHub names it.
    """
    found = _notes(result, find, None if waivers is None else FilePosition(file=waivers))
    return tuple(sorted(found, key=lambda note: list(AnnotationLevel).index(note.level)))


def _notes(result: Result, find: Find, waivers: FilePosition | None) -> Iterator[Annotation]:
    error, warning = AnnotationLevel.ERROR, AnnotationLevel.WARNING
    for item in result.items:
        if item.problem is not None:
            title, place = "A recording that cannot be used", find(item.id, None)
            yield Annotation(level=error, title=title, message=item.problem, place=place)
    for text in result.complaints:
        yield Annotation(level=error, title="The waivers file", message=text, place=waivers)
    for found in groups_of(result.items, lambda item: item.unwaived):
        if found.severity is not Severity.COSMETIC:
            values = [f"{name}: {value}" for name, value in cut_sides(found.example, _LONGEST_VALUE)]
            yield Annotation(
                level=error if found.severity is Severity.BREAKING else warning,
                title=f"{found.severity} difference: {found.kind} at {found.where}",
                message="\n".join([*values, f"in {_named(found.ids)}"]),
                place=find(found.ids[0], found.example),
            )
    for noise in groups_of(result.items, lambda item: item.noise):
        if noise.severity is not Severity.COSMETIC:
            title = f"noise: {noise.kind} at {noise.where}"
            text = f"The reference differs when it runs twice.\nin {_named(noise.ids)}"
            yield Annotation(level=warning, title=title, message=text, place=find(noise.ids[0], None))
    if result.missing:
        title = count(len(result.missing), "scenario has no recording", "scenarios have no recording")
        yield Annotation(level=AnnotationLevel.NOTICE, title=title, message=_named(result.missing))


def workflow_commands(found: Iterable[Annotation]) -> Iterator[str]:
    """The lines to print. Of more than `MOST` of a level the last place says how many there are."""
    for level, group_ in groupby(found, key=lambda note: note.level):
        same = list(group_)
        if len(same) > MOST:
            more = f"{count(len(same) - MOST + 1, f'more {level}')}: see the job summary or the report."
            same = [*same[: MOST - 1], Annotation(level=level, title="And more", message=more)]
        yield from map(_command, same)


def _named(ids: Sequence[str]) -> str:
    return first_names((cut(each, 120) for each in ids), 3)


def _command(note: Annotation) -> str:
    properties = {"title": note.title}
    if note.place is not None:
        line = {} if note.place.line is None else {"line": str(note.place.line)}
        properties = {"file": note.place.file, **line, **properties}
    values = (
        (key, _data(value).replace(":", "%3A").replace(",", "%2C")) for key, value in properties.items()
    )
    return f"::{note.level} {','.join(f'{key}={value}' for key, value in values)}::{_data(note.message)}"


def _data(text: str) -> str:
    return (
        without_commands(without_hidden(text)).replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")
    )


def finder(project: Project, root: Path) -> Find:
    """Finds a difference in the snapshot of its scenario, which a person has reviewed; else the recording. A
    file outside the repository's root is not named.
    """
    settings = project.settings

    def find(name: str, divergence: Divergence | None) -> FilePosition | None:
        cassette = settings.cassettes / f"{name}.yaml"
        if not cassette.resolve().is_relative_to(settings.cassettes.resolve()) or not cassette.is_file():
            return None  # a stream of a corpus
        line = divergence and _line(settings.snapshots / f"{name}.txt", divergence)
        file = settings.snapshots / f"{name}.txt" if line else cassette
        shown = relative(file, root)
        return None if shown is None else FilePosition(file=shown, line=line or None)

    return find


def _line(snapshot: Path, divergence: Divergence) -> int | None:
    wanted = f"{divergence.severity} {divergence.kind} at {divergence.where}: "
    try:
        lines = snapshot.read_text(encoding="utf-8").split("\n")  # as GitHub counts them
    except (OSError, ValueError):
        return None
    return next((number for number, line in enumerate(lines, 1) if line.startswith(wanted)), None)


def relative(file: Path, root: Path) -> str | None:
    """A file as GitHub names it; None where it is outside the repository."""
    place, base = file.resolve(), root.resolve()
    return place.relative_to(base).as_posix() if place.is_relative_to(base) else None
