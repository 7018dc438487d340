"""What commands share besides options: the project, its secrets, signals, and how a result is handed over."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from llm_contracts.project.config import ConfigError, Project, environment, load_settings
from llm_contracts.project.load import load_project
from llm_contracts.project.secrets import NOT_HIDDEN, not_hidden, secrets_in
from llm_contracts.util.files import write_text
from llm_contracts.wire.scrub.scrubber import refuse_secrets

if TYPE_CHECKING:
    from rich.console import Console

    from llm_contracts.results.store import Stored


def project_here(*, needed: bool = True) -> Project:
    """The project that the working directory belongs to. Without one, the defaults where none is needed.

    Raises:
        ConfigError: there is no project, or it cannot be used.
    """
    return load_project(load_settings(Path.cwd(), needed=needed))


def secrets_of(project: Project) -> dict[str, str]:
    """Every value that must not get into a file, by the variable that holds it."""
    return secrets_in(environment(project.settings, os.environ), project.providers)


def warn_of_short_keys(secrets: Mapping[str, str]) -> None:
    """Say on standard error which keys nothing can hide."""
    from llm_contracts.util.terminal import echo

    for name in not_hidden(secrets):
        echo(f"{name} {NOT_HIDDEN}.", err=True)


def stored_here(project: Project, folder: Path | None = None) -> Stored:
    """The result in a folder, by default the project's.

    Raises:
        ConfigError: there is none yet.
        StoredResultError: it cannot be read.
    """
    from llm_contracts.results.store import RESULT, Stored

    place = folder or project.settings.report
    stored = Stored.load(place)
    if stored is None:
        way_out = "Run `llm-contracts check` first (with --scenario it stores none without --report)."
        raise ConfigError(f"{place / RESULT}: there is no result yet. {way_out}")
    return stored


def refuse_secrets_in(file: Path, secrets: Mapping[str, str]) -> None:
    """Refuse a recording with a secret in it; a file that does not exist has none.

    Raises:
        SecretFound: naming the file.
    """
    if secrets and file.is_file():
        refuse_secrets(str(file), file.read_bytes(), secrets)


def hand_over(
    document: str | Mapping[str, Any],
    show: Callable[[Console], object],
    secrets: Mapping[str, str] | None = None,
    *,
    page: str = "",
) -> None:
    """Write a result as JSON, and its `page` as Markdown, where --json and --markdown say; show it to people
    unless one of them took its place on standard output.

    Raises:
        SecretFound: one of `secrets` is in it; then nothing is written or shown.
    """
    from llm_contracts.util.terminal import report_console

    text = document if isinstance(document, str) else json_lines(document)
    refuse_secrets("the result", f"{text}{page}".encode(), secrets or {})
    files = [(_asked("json"), text), (_asked("markdown"), page)]
    for file, written in files:
        if file is not None:
            write_text(file, written)
    if "-" not in {str(file) for file, _ in files}:
        show(report_console())


def write_json(text: str) -> None:
    """Write a result as JSON, where that was asked for."""
    if (file := _asked("json")) is not None:
        write_text(file, text)


def json_takes_over() -> bool:
    """Whether JSON stands on standard output, in the place of what people read."""
    return str(_asked("json")) == "-"


def _asked(name: str) -> Path | None:
    """The file that `option.asked_file` was given."""
    context = click.get_current_context(silent=True)
    return None if context is None else context.meta.get(name)


@contextmanager
def stop_signal() -> Iterator[Callable[[], None]]:
    """A function that waits for Ctrl-C or for the signal with which services are ended."""
    stop = threading.Event()

    def wait() -> None:
        while not stop.wait(0.2):  # without an end Python would not handle signals on some systems
            pass

    with ending_signals(lambda _number: stop.set()):
        yield wait


@contextmanager
def ending_signals(handle: Callable[[int], None]) -> Iterator[None]:
    """While open, `handle` gets the number of each signal that would end the process."""
    ending = (signal.SIGINT, signal.SIGTERM)
    before = {name: signal.signal(name, lambda number, _frame: handle(number)) for name in ending}
    try:
        yield
    finally:
        for name, handler in before.items():
            signal.signal(name, handler)


def json_lines(document: Mapping[str, Any]) -> str:
    """JSON as it is written to files."""
    from llm_contracts.results.document import json_text

    return json_text(document, indent=2) + "\n"


def now() -> str:
    """The present moment, as results state it."""
    return datetime.now(UTC).isoformat(timespec="seconds")
