"""The log of a server's requests, and what it says when it starts."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import click
from rich.table import Table

from llm_contracts.serve.answers import base_urls
from llm_contracts.serve.session import Entry, ServeSession
from llm_contracts.util.terminal import echo, terminal_console

_LOG_WIDTH = 160  # where output is kept in a file, an address stays on its line


@contextmanager
def request_log(file: Path) -> Iterator[Callable[[Entry], None]]:
    """Appends a line of JSON for each request; `-` is standard output."""
    if str(file) == "-":
        yield Lines("standard output", click.echo)  # for programs, so as it is
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8", buffering=1) as stream:
        yield Lines(str(file), lambda line: stream.write(f"{line}\n"))


class Lines:
    """A log whose end, on a full disk or with its reader gone, is reported once and ends nothing else."""

    def __init__(self, name: str, write: Callable[[str], object]) -> None:
        self._name = name
        self._write = write
        self._failed = False

    def __call__(self, entry: Entry) -> None:
        if self._failed:
            return
        try:
            self._write(entry.line())
        except OSError as error:
            self._failed = True
            echo(f"{self._name}: the log cannot be continued ({error.strerror}).", err=True)


def print_addresses(session: ServeSession, *, untimed: int) -> None:
    """Print on standard error where to call; `untimed`: how many recordings have no pauses to be played."""
    known = sys.stderr.isatty() or "COLUMNS" in os.environ
    console = terminal_console(stderr=True, width=None if known else _LOG_WIDTH)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in ("provider", "base URL", "recordings"):
        table.add_column(title, justify="right" if title == "recordings" else "left", overflow="fold")
    for name, url in base_urls(session.origin, session.indexes).items():
        table.add_row(name, url, str(len(session.indexes[name].recordings)))
    console.print(table)
    console.print()
    addresses = {
        "one recording by name": f"{session.origin}/scenario/NAME/PROVIDER/…",
        "one run of several": f"{session.origin}/run/KEY/PROVIDER/…",
        "names": f"{session.origin}/",
    }
    for what, url in addresses.items():
        console.print(f"{what:22} {url}", style="dim", soft_wrap=True)
    console.print("Ctrl-C ends it.", style="dim")
    if untimed:
        console.print(f"Without recorded times, so played without pauses: {untimed} of the recordings.")
