"""Where results go: the terminal, a JSON file, and the stored result that `verdict` reads."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import click
from rich.console import Console
from rich.progress import MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.text import Text

from llm_contracts.wire.scrub import SecretFound, find_secrets

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


def write_text(file: Path, text: str) -> None:
    """Write a whole file or nothing; `-` is standard output."""
    if str(file) == "-":
        click.echo(text, nl=False)
        return
    write_pieces(file, (text,))


def write_pieces(file: Path, pieces: Iterable[str]) -> None:
    """Write a whole file or nothing, never holding more than a piece of it."""
    file.parent.mkdir(parents=True, exist_ok=True)
    draft = file.with_name(f".{file.name}.{os.getpid()}")
    try:
        with draft.open("w", encoding="utf-8") as out:
            out.writelines(pieces)
        draft.replace(file)
    finally:
        draft.unlink(missing_ok=True)


def refuse_secrets(place: str, data: bytes, secrets: Mapping[str, str]) -> None:
    """Stop where a key would get into, or has got into, a file.

    Raises:
        SecretFound: naming the place and the variable, never the value.
    """
    found = find_secrets(data, secrets)
    if found:
        raise SecretFound(place, found)
