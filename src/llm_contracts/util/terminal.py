"""How results are drawn on a terminal: signs, headings, lists and progress.

Everything that a command prints goes through `terminal_console` or `echo`: names, messages and texts come
from providers, other people's files and pull requests, and must not act on a terminal or a CI log.
"""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, TextIO, cast

import click
from rich.console import Console, ConsoleOptions, RenderableType
from rich.measure import Measurement
from rich.progress import MofNCompleteColumn, Progress, ProgressColumn, Task, TextColumn, TimeElapsedColumn
from rich.segment import Segment
from rich.text import Text

from llm_contracts.util.environ import variables


def fits(table: RenderableType, width: int) -> bool:
    """Whether a table can be drawn in so many columns as wide as it would like to be."""
    ruler = Console(width=10_000)
    return Measurement.get(ruler, ruler.options, table).maximum <= width


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


_UNWRAPPED = 4_000  # what is kept in a file or searched has no window to fit into: its lines stay whole
_LOG_WIDTH = 120  # but for tables that can be laid out otherwise

_PACE = 600.0  # seconds over which the speed is measured: calls to a provider differ widely

_ACTING = re.compile(
    # Control characters of both sets, halves of surrogate pairs, separators of lines, marks of direction.
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]"
)
_SIZES = ("COLUMNS", "LINES")
_PADDING = re.compile(r"(?m)[ \t]+$")
_COMMAND = re.compile(r"(?m)^(\s*)::(?=\w)|##(?=\[|vso\[|teamcity\[)")
"""How CI services recognise commands in a log: GitHub at the start of a line, Azure and TeamCity anywhere."""


def inert(text: str) -> str:
    """The text without anything that acts on a terminal or on a CI service that reads the log.

    Each acting character becomes a `?`; line ends and tabs stay. The width in cells stays the same where the
    text is free of control characters.
    """
    return without_commands(_ACTING.sub("?", text))


def without_commands(text: str) -> str:
    """The text without anything that a CI service that reads the log takes for a command."""
    return _COMMAND.sub(lambda found: "# " if found[0] == "##" else f"{found[1]}: ", text)


def one_line(text: str) -> str:
    """A name from outside in a single line: characters that cannot be printed are written as escapes."""
    if text.isprintable():
        return text
    return "".join(c if c.isprintable() else c.encode("unicode_escape").decode() for c in text)


def echo(text: str, *, err: bool = False) -> None:
    """Print a line for people, on standard output or standard error."""
    click.echo(inert(text), err=err)


class _Unpadded:
    """Standard output or error without the spaces that fill a line up."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(_PADDING.sub("", text))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


class _InertConsole(Console):
    """A console on which only its own styles act. Nothing that is printed is read as markup."""

    def render(self, renderable: RenderableType, options: ConsoleOptions | None = None) -> Iterator[Segment]:
        for segment in super().render(renderable, options):
            yield segment if segment.control else Segment(inert(segment.text), segment.style)


def terminal_console(*, stderr: bool = False, width: int | None = None) -> Console:
    """A console for people, on which foreign text cannot do anything."""
    stream = sys.stderr if stderr else sys.stdout
    file = stream if stream.isatty() else cast("TextIO", _Unpadded(stream))
    # A width or height of nothing comes from terminals that do not know theirs: nothing would be printed.
    around = variables(os.environ).items()
    environ = {name: value for name, value in around if value.strip("0 ") or name not in _SIZES}
    return _InertConsole(file=file, width=width, highlight=False, markup=False, emoji=False, _environ=environ)


def report_console() -> Console:
    """A console for results on standard output; without colour unless that is a terminal."""
    asked = os.environ.get("COLUMNS", "").strip("0 ").isdecimal()
    return terminal_console(width=None if sys.stdout.isatty() or asked else _UNWRAPPED)


def table_width(console: Console) -> int:
    """How wide a table may be that can be laid out in several ways."""
    return console.width if console.width < _UNWRAPPED else _LOG_WIDTH


def print_markdown(console: Console, page: str) -> None:
    """Print a page in Markdown: drawn on a terminal, and as it stands where a program or a file takes it."""
    if console.is_terminal:
        from rich.markdown import Markdown

        console.print(Markdown(page))
    else:
        console.print(page.rstrip(), markup=False, soft_wrap=True)


class TimeLeft(ProgressColumn):
    """How long the rest will take at the speed of the last minutes; empty as long as that is unknown."""

    def render(self, task: Task) -> Text:
        """`3:20 left`."""
        seconds = task.time_remaining
        if seconds is None or task.finished:
            return Text("")
        minutes, rest = divmod(int(seconds), 60)
        return Text(f"{minutes}:{rest:02} left", style="progress.remaining")


@contextmanager
def progress_bar(
    title: str, total: int | None, first: str = "", *, still: bool = False
) -> Iterator[Callable[[str], None]]:
    """Draws how far a command is. Call what it yields with the name of each thing that is done; `total` is
    None where it is not known, and `first` says what goes on until then. It draws on standard error, and only
    where that is a terminal; `still`, only when something is done, for drawing takes processor time, too.
    """
    if not sys.stderr.isatty() or "CI" in os.environ:
        yield lambda _name: None
        return
    columns = (
        TextColumn("{task.description}"),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        TimeLeft(),
        TextColumn("{task.fields[done]}", markup=False),
    )
    console = terminal_console(stderr=True)
    with Progress(
        *columns, console=console, transient=True, speed_estimate_period=_PACE, auto_refresh=not still
    ) as progress:
        task = progress.add_task(title, total=total, done=first)
        progress.refresh()
        yield lambda name: progress.update(task, advance=1, done=one_line(name), refresh=still)
