"""Options that several commands share, what they become, and the completion of the names they take."""

from __future__ import annotations

import functools
import inspect
import os
import signal
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from math import isfinite
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from llm_contracts.cli.paths import OutputPath
from llm_contracts.clients.builtin import BUILTIN
from llm_contracts.project.config import ConfigError, Project, environment, load_settings
from llm_contracts.project.load import load_project
from llm_contracts.project.secrets import NOT_HIDDEN, not_hidden, secrets_in
from llm_contracts.run.engines import EngineName
from llm_contracts.run.options import Options
from llm_contracts.run.shards import parse_shard
from llm_contracts.util.files import write_text
from llm_contracts.wire.proxy.playback_options import RECORDED_SPEED, Fragmentation, Pieces, pieces_from
from llm_contracts.wire.scrub.scrubber import refuse_secrets

if TYPE_CHECKING:
    from rich.console import Console

    from llm_contracts.results.store import Stored

Function = TypeVar("Function", bound=Callable[..., Any])
Decorator = Callable[[Any], Any]


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
    json_file: Path | None,
    document: str | Mapping[str, Any],
    show: Callable[[Console], object],
    secrets: Mapping[str, str] | None = None,
    *,
    markdown_file: Path | None = None,
    page: str = "",
) -> None:
    """Write a result as JSON, and its `page` as Markdown, where that was asked for; show it to people unless
    one of them took its place on standard output.

    Raises:
        SecretFound: one of `secrets` is in it; then nothing is written or shown.
    """
    from llm_contracts.util.terminal import report_console

    text = document if isinstance(document, str) else json_lines(document)
    refuse_secrets("the result", f"{text}{page}".encode(), secrets or {})
    for file, written in ((json_file, text), (markdown_file, page)):
        if file is not None:
            write_text(file, written)
    if "-" not in {str(json_file), str(markdown_file)}:
        show(report_console())


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


def all_of(*decorators: Decorator) -> Callable[[Function], Function]:
    """Several decorators as one, applied as if they stood one below the other."""

    def apply(command: Function) -> Function:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


def options_as(
    name: str, build: Callable[..., object], *options: Decorator
) -> Callable[[Function], Function]:
    """Options that reach the command as one value: what `build` makes of them, as its argument `name`.

    The parameters of `build` are named as the options are, and may be more; what it raises is the command's
    own failure.
    """
    fields = tuple(inspect.signature(build).parameters)

    def decorate(command: Function) -> Function:
        @functools.wraps(command)
        def call(*arguments: Any, **values: Any) -> Any:
            built = build(**{field: values.pop(field) for field in fields if field in values})
            return command(*arguments, **values, **{name: built})

        return all_of(*options)(call)  # type: ignore[return-value]  # wraps keeps its signature but for these

    return decorate


def complete_names(
    names: Callable[[Project], Sequence[str]],
) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Completion of names that the project knows. Silent where there is no usable project: the command itself
    will say what is wrong.
    """

    def known(_context: click.Context, _option: click.Parameter, typed: str) -> list[str]:
        try:
            found = names(load_project(load_settings(Path.cwd(), needed=True), names_only=True))
        except ConfigError:
            return []
        return [name for name in found if name.startswith(typed)]

    return known


complete_provider = complete_names(lambda project: [provider.name for provider in project.providers])
complete_scenario = complete_names(
    lambda project: list(dict.fromkeys(name for row in project.scenarios for name in (row.id, row.name)))
)
complete_client = complete_names(lambda project: [*BUILTIN, *project.clients])


def flag_option(name: str, text: str) -> Decorator:
    """An option without a value."""
    return click.option(name, is_flag=True, help=text)


def number_option(
    name: str, default: float | None, unit: str, text: str, kind: click.ParamType[Any] | None = None
) -> Decorator:
    """An option that takes a number, by default a whole one from 1 on."""
    kind = kind or WholeNumber(min=1)
    return click.option(
        name, type=kind, default=default, show_default=default is not None, metavar=unit, help=text
    )


def choice_option(name: str, choices: Iterable[str], default: str, text: str, **more: Any) -> Decorator:
    """An option that takes one of several words."""
    kind = click.Choice([str(choice) for choice in choices])
    return click.option(name, type=kind, default=str(default), show_default=True, help=text, **more)


def several_option(name: str, argument: str, metavar: str, text: str, **more: Any) -> Decorator:
    """An option that may be given several times, which is added to what `text` says."""
    said = f"{text} may be given several times."
    return click.option(name, argument, multiple=True, metavar=metavar, help=said, **more)


def file_option(*names: str, text: str, dash: bool = True) -> Decorator:
    """An option that takes a file to write; with `dash`, `-` is standard output."""
    kind = OutputPath(dir_okay=False, allow_dash=dash)
    return click.option(*names, type=kind, metavar="FILE", help=text)


json_option = file_option(
    "--json",
    "json_file",
    text="Write the result as JSON, too; with - to standard output, in place of the report for people.",
)


class WholeNumber(click.IntRange):
    """As click's own, which calls it an integer range."""

    name = "whole number"


class Number(click.FloatRange):
    """As click's own, but finite."""

    name = "number"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        """The number."""
        found = super().convert(value, param, ctx)
        if not isfinite(found):
            self.fail(f"{value!r} is not a finite number.", param, ctx)
        return found


markdown_option = file_option(
    "--markdown",
    "markdown_file",
    text="Write the result as Markdown, too; with - to standard output, in place of the report for people.",
)
report_option = click.option(
    "--report",
    type=OutputPath(file_okay=False),
    metavar="DIR",
    help="The folder of the stored result, in place of report/.",
)
jobs_option = click.option(
    "--jobs",
    type=WholeNumber(min=0),
    default=0,
    metavar="N",
    help="Processors to use, a process each; 0, the default, is all of them where there are recordings "
    "enough to make up for importing the clients in every process.",
)


def provider_option(text: str = "Only this provider") -> Decorator:
    """`--provider NAME`, any number of times."""
    return several_option("--provider", "providers", "NAME", f"{text};", shell_complete=complete_provider)


selection_options = all_of(
    provider_option(),
    several_option(
        "--scenario",
        "scenarios",
        "NAME",
        "Only this scenario (plain-stream, or openai/plain-stream);",
        shell_complete=complete_scenario,
    ),
)


def client_option(role: str, text: str) -> Decorator:
    """`--reference` or `--candidate`."""
    return click.option(f"--{role}", metavar="CLIENT", shell_complete=complete_client, help=text)


client_options = all_of(
    client_option(
        "reference",
        f"The client in use today. A built-in one ({', '.join(BUILTIN)}), one that clients.py registers, or "
        "module:attribute.",
    ),
    client_option("candidate", "The client that is to replace it."),
)


def port_option(default: int, text: str) -> Decorator:
    """Where a server of ours listens; `text` says so, and what 0 means is added."""
    said = f"{text} on 127.0.0.1; 0 lets the system choose."
    return number_option("--port", default, "N", said, WholeNumber(0, 65535))


def timeout_option(default: float) -> Decorator:
    """`--timeout SECONDS`."""
    text = "Longest time for one call; after it the call counts as hanging."
    return number_option("--timeout", default, "SECONDS", text, Number(min=0, min_open=True))


def _speed(text: str) -> float:
    named = {"recorded": RECORDED_SPEED, "full": float("inf")}
    try:
        factor = named[text] if text in named else float(text)
    except ValueError:
        factor = 0.0
    if not factor > 0:
        raise click.BadParameter(f"{text!r} is neither recorded, full nor a positive number.")
    return factor


def _pieces(text: str) -> Pieces:
    try:
        return pieces_from(text)
    except ValueError as error:
        raise click.BadParameter(f"{error}.") from error


def complete_words(*names: str) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Completion of these names."""
    return lambda _context, _option, typed: [name for name in names if name.startswith(typed)]


def playback_options(default: Fragmentation) -> Callable[[Function], Function]:
    """`--pieces RULE` and `--speed N`; the former's help says what holds without it."""
    return all_of(
        click.option(
            "--pieces",
            type=_pieces,
            metavar="recorded|events|one|BYTES",
            shell_complete=complete_words(*Fragmentation),
            help="Where bodies are cut: as recorded, after each event, nowhere, or after so many bytes; "
            f"by default {default}.",
        ),
        click.option(
            "--speed",
            type=_speed,
            metavar="recorded|full|N",
            shell_complete=complete_words("recorded", "full"),
            help="How fast bodies are played: with the pauses of the recording, with none (full, the "
            "default), or N times as fast as recorded.",
        ),
    )


run_options = options_as(
    "options",
    Options,
    client_options,
    choice_option(
        "--engine",
        EngineName,
        EngineName.WIRE,
        "wire: over a real socket, piece by piece; vcr: in process, whole bodies.",
        callback=lambda _context, _option, name: EngineName(name),
    ),
    jobs_option,
    timeout_option(60.0),
    playback_options(Fragmentation.EVENTS),
    click.option(
        "--shard",
        metavar="I/N",
        callback=lambda _context, _option, text: None if text is None else parse_shard(text),
        help="Only the I-th of N parts, for N machines; `report --merge` gives the verdicts.",
    ),
)
"""Which clients to compare, and how to run them: the command's `options`, of type `Options`."""
