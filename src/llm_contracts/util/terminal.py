# ruff: noqa: RUF001 - the signs are meant to be what they are
"""How results are drawn on a terminal: signs, headings, lists and progress."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from rich.console import Console, RenderableType
from rich.progress import MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text


@dataclass(frozen=True, kw_only=True, slots=True)
class Marks:
    """The signs in the table."""

    agree: str
    differ: str
    waived: str
    noise: str
    unreadable: str
    missing: str
    times: str
    dot: str
    more: str


UNICODE = Marks(
    agree="✓", differ="✗", waived="~", noise="≈", unreadable="!", missing="–", times="×", dot="·", more="…"
)

ASCII = Marks(
    agree="ok", differ="X", waived="~", noise="%", unreadable="!", missing="-", times="x", dot="-", more="..."
)


def marks_for(encoding: str | None) -> Marks:
    """Signs that an output with this encoding can show."""
    try:
        "✗≈✓–…".encode(encoding or "ascii")
    except (UnicodeEncodeError, LookupError):
        return ASCII
    return UNICODE


def titled(title: str) -> Iterator[RenderableType]:
    """The heading of a section."""
    yield Text("")
    yield Text(title, style="bold underline")


def listed(title: str, lines: Iterable[str], style: str) -> Iterator[RenderableType]:
    """A section of sentences; nothing where there are none."""
    found = list(lines)
    if found:
        yield from titled(f"{title} ({len(found)})")
        yield from (Text(line, style=style) for line in found)


_LOG_WIDTH = 120  # where output is kept in a file, nobody's window limits the table

_PACE = 600.0  # seconds whose pace is thought to go on: calls to a provider differ widely


class TimeLeft(ProgressColumn):
    """How long the rest will take at the pace of the last minutes; empty as long as nobody can know."""

    def render(self, task: Task) -> Text:
        """`3:20 left`."""
        seconds = task.time_remaining
        if seconds is None or task.finished:
            return Text("")
        minutes, rest = divmod(int(seconds), 60)
        return Text(f"{minutes}:{rest:02} left", style="progress.remaining")


def report_console() -> Console:
    """A console for results on standard output; without colour unless that is a terminal."""
    width = None if sys.stdout.isatty() or "COLUMNS" in os.environ else _LOG_WIDTH
    return Console(width=width, highlight=False)


@contextmanager
def progress_bar(title: str, total: int | None) -> Iterator[Callable[[str], None]]:
    """Tell it the name of each thing done; how many there are need not be known. It draws on standard error,
    only where that is a terminal.
    """
    if not sys.stderr.isatty() or "CI" in os.environ:
        yield lambda _name: None
        return
    columns = (
        TextColumn("{task.description}"),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeLeft(),
        TextColumn("{task.fields[done]}"),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, speed_estimate_period=_PACE) as progress:
        task = progress.add_task(title, total=total, done="")
        yield lambda name: progress.update(task, advance=1, done=name)
