"""A run that was stopped, and goes on where it was: what it left is believed only for the same input."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_contracts.corpus import CorpusStream
from llm_contracts.corpus.survey import name_of
from llm_contracts.parity.result import Item
from llm_contracts.project.config import ConfigError
from llm_contracts.results.document import light
from llm_contracts.results.store import DRAFT, Packed, StoredResultError, item_from_json, read_offsets
from llm_contracts.run.workers.threads import Task, WorkerPool

_TOLD = b""  # a line that stands in the file already


@dataclass(frozen=True, kw_only=True, slots=True)
class UnfinishedRun:
    """The items that a run had finished when it was stopped.

    Attributes:
        file: where they are.
        started_at: names the run.
        plan: what the run was about; see `cli.stored.keeping`.
        offsets: item → where its line begins.
        end: where the last whole line ends.
    """

    file: Path
    started_at: str
    plan: Mapping[str, Any]
    offsets: Mapping[str, int]
    end: int

    def item(self, name: str) -> Item:
        """One of its items, with everything in it.

        Raises:
            StoredResultError: its line is damaged.
        """
        with self.file.open("rb") as file:
            file.seek(self.offsets[name])
            line = file.readline()
        try:
            return item_from_json(json.loads(line))
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            msg = f"{self.file}: {name}: is damaged ({type(error).__name__}). Begin anew, without --continue."
            raise StoredResultError(msg) from error


def read_draft(folder: Path, plan: Mapping[str, Any]) -> UnfinishedRun:
    """What a run with this plan has left in a folder.

    Raises:
        ConfigError: there is nothing to continue, or the run was about something else; it says what.
    """
    file = folder / DRAFT
    if not file.is_file():
        raise ConfigError(f"{folder}: holds no run that was stopped. Leave --continue out to begin one.")
    data = json.loads(_first_line(file) or b"null")
    if not isinstance(data, dict) or not isinstance(data.get("plan"), dict):
        raise ConfigError(f"{file}: does not say what it is about. Leave --continue out to begin anew.")
    changed = differences(data["plan"], plan)
    if changed:
        raise ConfigError(
            f"{file}: cannot be continued: since then, changed: {', '.join(changed)}. "
            "Leave --continue out to begin anew."
        )
    _, offsets = read_offsets(file)
    return UnfinishedRun(
        file=file, started_at=data["started_at"], plan=data["plan"], offsets=offsets, end=_whole_lines(file)
    )


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """In which points two plans differ, in words."""
    points = [name for name in (*before, *(now.keys() - before.keys())) if before.get(name) != now.get(name)]
    return tuple(_told(name, before.get(name), now.get(name)) for name in points)


def _told(name: str, before: Any, now: Any) -> str:
    if isinstance(before, dict) and isinstance(now, dict):
        return ", ".join(differences(before, now))
    short = all(len(str(value)) <= 40 for value in (before, now))  # noqa: PLR2004 - what a line takes
    return f"{name} ({before} then, {now} now)" if short else name


def continuing(crew: WorkerPool, draft: UnfinishedRun) -> WorkerPool:
    """A crew that does only what the draft does not have. What could not be run is tried again."""

    def continued(tasks: Iterable[Task]) -> Iterator[tuple[int, Packed]]:
        fresh: list[int] = []  # the crew's numbers → those of the tasks
        ready: list[tuple[int, Packed]] = []

        def rest() -> Iterator[Task]:
            for number, task in enumerate(tasks):
                done = _done(draft, task)
                if done is None:
                    fresh.append(number)
                    yield task
                else:
                    ready.append((number, done))

        for number, done in crew(rest()):
            yield from _emptied(ready)
            yield fresh[number], done
        yield from _emptied(ready)

    return continued


def _emptied(ready: list[tuple[int, Packed]]) -> Iterator[tuple[int, Packed]]:
    while ready:
        yield ready.pop()


def _done(draft: UnfinishedRun, task: Task) -> Packed | None:
    name = name_of(task)
    item = draft.item(name) if name in draft.offsets else None
    if item is None or (isinstance(task, CorpusStream) and item.problem is not None):
        return None
    return Packed(item=light(item), line=_TOLD)


def _first_line(file: Path) -> bytes:
    with file.open("rb") as lines:
        line = lines.readline()
    return line if line.endswith(b"\n") else b""


def _whole_lines(file: Path) -> int:
    """How many bytes of the file are lines that have an end."""
    end = 0
    with file.open("rb") as lines:
        for line in lines:
            end += len(line) if line.endswith(b"\n") else 0
    return end
