"""`llm-contracts serve`."""

from __future__ import annotations

import json
import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.console import Console
from rich.table import Table

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.options import project_here, selection_options
from llm_contracts.cli.replay_options import pieces_option, speed_option
from llm_contracts.project.config import ConfigError, environment
from llm_contracts.project.secrets import secrets_in
from llm_contracts.serve import run as serving
from llm_contracts.serve.http.answers import base_urls, overview
from llm_contracts.util.files import write_text
from llm_contracts.wire.proxy.playback_options import Fragmentation, PlaybackOptions
from llm_contracts.wire.scrub import Scrubber
from llm_contracts.wire.scrub.scrubber import refuse_secrets

if TYPE_CHECKING:
    from llm_contracts.project.config import Project
    from llm_contracts.serve.http import Entry, ServeSession

_PORT = 8800
_LOG_WIDTH = 160  # where output is kept in a file, an address stays on its line
_EXAMPLES = """\b
Examples:
  llm-contracts serve                              every recording of the project, on port 8800
  llm-contracts serve --provider openai --speed 10
  llm-contracts serve ../other/cassettes --port 0 --json urls.json --log requests.jsonl
  llm-contracts serve --any-body                   base URL http://127.0.0.1:8800/scenario/rate-limit/openai/v1

\b
Addresses:
  /PROVIDER/…                                      the answer that was recorded for this very request
  /scenario/NAME/PROVIDER/…                        the answer of this recording
  /run/KEY/…                                       before either: this run's own position in its recordings
  GET /health    GET /    POST /run    GET, DELETE /run/KEY
"""


@click.command("serve", epilog=_EXAMPLES, short_help="Serve recordings to an application in any language.")
@click.argument("sources", nargs=-1, metavar="[FILE|DIR]...", type=click.Path(exists=True, path_type=Path))
@selection_options
@click.option(
    "--port",
    type=click.IntRange(0, 65535),
    default=_PORT,
    show_default=True,
    metavar="N",
    help="Where to listen on 127.0.0.1; 0 lets the system choose.",
)
@speed_option
@pieces_option(Fragmentation.RECORDED)
@click.option(
    "--any-body",
    is_flag=True,
    help="Let a scenario that the address names answer any body; what differs is logged.",
)
@click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    metavar="ORIGIN",
    help="Let in requests of web pages from this origin, such as https://app.example; those of this "
    "machine are let in anyway. May be given several times.",
)
@click.option(
    "--log",
    "log_file",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    default="-",
    metavar="FILE",
    help="Append a line of JSON for each request; - is standard output, the default.",
)
@click.option(
    "--json",
    "json_file",
    type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
    metavar="FILE",
    help="When ready, write port, base URLs and scenarios as JSON; with - as standard output's first line.",
)
def serve(sources: tuple[Path, ...], **given: Any) -> Exit:
    """Serve recordings to an application in any language: give it a base URL from here.

    A request is answered only if this very request was recorded: any other gets status 599 and is told the
    nearest one and what differs. Nobody else is ever called. Ctrl-C ends it; the exit code is 1 if a request
    had no answer.
    """
    project = project_here(needed=not sources)
    secrets = secrets_in(environment(project.settings, os.environ), project.providers)
    catalogue = _catalogue(project, sources, given)
    for file in {
        recording.file.partition(": ")[0]
        for recordings in catalogue.recordings.values()
        for recording in recordings
    }:
        place = project.settings.root / file
        if secrets and place.is_file():
            refuse_secrets(str(place), place.read_bytes(), secrets)
    for sentence in (*catalogue.left_out, *catalogue.unreadable):
        click.echo(sentence, err=True)
    if catalogue.unreadable:
        return Exit.UNREADABLE
    playback = PlaybackOptions(pieces=given["pieces"], speed=given["speed"])
    with (
        _log(given["log_file"]) as log,
        serving.serving(
            serving.indexes(project, catalogue),
            port=given["port"],
            playback=playback,
            scrubber=Scrubber(secrets),
            any_body=given["any_body"],
            origins=given["origins"],
            log=log,
        ) as session,
        _stopping() as wait,
    ):
        _announce(session, catalogue, playback, given["json_file"])
        wait()
        requests, unmatched = session.counts
    click.echo(f"{requests} request{'' if requests == 1 else 's'}, {unmatched} without an answer.", err=True)
    return Exit.DIVERGENCE if unmatched else Exit.AGREEMENT


def _catalogue(project: Project, sources: Sequence[Path], given: Mapping[str, Any]) -> serving.Catalogue:
    if sources and (given["providers"] or given["scenarios"]):
        raise ConfigError("Name files and folders, or choose among the project's recordings; not both.")
    if sources:
        catalogue = serving.from_files(project, sources)
    else:
        catalogue = serving.from_project(project, project.select(given["providers"], given["scenarios"]))
    if not catalogue.recordings and not catalogue.unreadable:
        where = ", ".join(map(str, sources)) or str(project.settings.cassettes)
        raise ConfigError(f"There is nothing to serve: {where} holds no recording for that.")
    return catalogue


@contextmanager
def _log(file: Path) -> Iterator[Callable[[Entry], None]]:
    """Where requests are written down."""
    if str(file) == "-":
        yield Lines("standard output", click.echo)
        return
    file.parent.mkdir(parents=True, exist_ok=True)
    with file.open("a", encoding="utf-8", buffering=1) as stream:
        yield Lines(str(file), lambda line: stream.write(f"{line}\n"))


class Lines:
    """A log whose end, on a full disk or with its reader gone, is told once and ends nothing else."""

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
            click.echo(f"{self._name}: the log cannot be continued ({error.strerror}).", err=True)


@contextmanager
def _stopping() -> Iterator[Callable[[], None]]:
    """A function that waits for Ctrl-C or for the signal with which services are ended."""
    stop = threading.Event()
    before = {name: signal.signal(name, lambda *_: stop.set()) for name in (signal.SIGINT, signal.SIGTERM)}

    def wait() -> None:
        while not stop.wait(
            0.2
        ):  # a wait without end would keep Python from handling signals on some systems
            pass

    try:
        yield wait
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def _announce(
    session: ServeSession, catalogue: serving.Catalogue, playback: PlaybackOptions, json_file: Path | None
) -> None:
    if json_file is not None:
        document = {"format": 1, "pid": os.getpid(), **overview(session.origin, session.indexes)}
        write_text(json_file, json.dumps(document, ensure_ascii=False) + "\n")
    known = sys.stderr.isatty() or "COLUMNS" in os.environ
    console = Console(stderr=True, highlight=False, width=None if known else _LOG_WIDTH)
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
    if playback.speed is not None and catalogue.untimed:
        console.print(
            f"Without recorded times, so played without pauses: {catalogue.untimed} of the recordings."
        )
