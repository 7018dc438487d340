"""Options: those that several commands share, how others are made, and the completion of what they take."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Sequence
from math import isfinite
from pathlib import Path
from typing import Any, TypeVar

import click

from llm_contracts.cli.paths import OutputPath
from llm_contracts.clients.builtin import BUILTIN
from llm_contracts.project.config import ConfigError, Project, load_settings
from llm_contracts.project.load import load_project
from llm_contracts.run.engines import EngineName
from llm_contracts.run.options import Options
from llm_contracts.run.shards import parse_shard
from llm_contracts.wire.proxy.playback_options import RECORDED_SPEED, Fragmentation, Pieces, pieces_from

Function = TypeVar("Function", bound=Callable[..., Any])
Decorator = Callable[[Any], Any]


def all_of(*decorators: Decorator) -> Callable[[Function], Function]:
    """Several decorators as one, applied as if they stood one below the other."""

    def apply(command: Function) -> Function:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


def as_one(name: str, build: Callable[..., object], *options: Decorator) -> Callable[[Function], Function]:
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


def flag(name: str, text: str) -> Decorator:
    """An option without a value."""
    return click.option(name, is_flag=True, help=text)


def number(
    name: str, default: float | None, unit: str, text: str, kind: click.ParamType[Any] | None = None
) -> Decorator:
    """An option that takes a number, by default a whole one from 1 on."""
    kind = kind or WholeNumber(min=1)
    return click.option(
        name, type=kind, default=default, show_default=default is not None, metavar=unit, help=text
    )


def choice(name: str, choices: Iterable[str], default: str, text: str, **more: Any) -> Decorator:
    """An option that takes one of several words."""
    kind = click.Choice([str(choice) for choice in choices])
    return click.option(name, type=kind, default=str(default), show_default=True, help=text, **more)


def several(name: str, argument: str, metavar: str, text: str, **more: Any) -> Decorator:
    """An option that may be given several times, which is added to what `text` says."""
    said = f"{text} may be given several times."
    return click.option(name, argument, multiple=True, metavar=metavar, help=said, **more)


def file(*names: str, text: str, dash: bool = True, **more: Any) -> Decorator:
    """An option that takes a file to write; with `dash`, `-` is standard output."""
    kind = OutputPath(dir_okay=False, allow_dash=dash)
    return click.option(*names, type=kind, metavar="FILE", help=text, **more)


def folder(*names: str, text: str) -> Decorator:
    """An option that takes a folder to write to."""
    return click.option(*names, type=OutputPath(file_okay=False), metavar="DIR", help=text)


def asked_file(name: str, text: str, *, dash: bool = True) -> Decorator:
    """A file for the result, which `frame.hand_over` writes: the command does not see it."""

    def noted(context: click.Context, _option: click.Parameter, given: Path | None) -> None:
        context.meta[name.removeprefix("--")] = given

    return file(name, text=text, dash=dash, expose_value=False, callback=noted)


json_file = asked_file(
    "--json", "Write the result as JSON, too; with - to standard output, in place of the report for people."
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


markdown_file = asked_file(
    "--markdown",
    "Write the result as Markdown, too; with - to standard output, in place of the report for people.",
)
report = folder("--report", text="The folder of the stored result, in place of report/.")
jobs = click.option(
    "--jobs",
    type=WholeNumber(min=0),
    default=0,
    metavar="N",
    help="Processors to use, a process each; 0, the default, is all of them where there are recordings "
    "enough to make up for importing the clients in every process.",
)


def provider(text: str = "Only this provider") -> Decorator:
    """`--provider NAME`, any number of times."""
    return several("--provider", "providers", "NAME", f"{text};", shell_complete=complete_provider)


selection = all_of(
    provider(),
    several(
        "--scenario",
        "scenarios",
        "NAME",
        "Only this scenario (plain-stream, or openai/plain-stream);",
        shell_complete=complete_scenario,
    ),
)


def client(role: str, text: str, argument: str = "") -> Decorator:
    """`--reference` or `--candidate`, for an argument of that name if it is not said."""
    names = (f"--{role}", argument or role)
    return click.option(*names, metavar="CLIENT", shell_complete=complete_client, help=text)


clients = all_of(
    client(
        "reference",
        f"The client in use today. A built-in one ({', '.join(BUILTIN)}), one that clients.py registers, or "
        "module:attribute.",
    ),
    client("candidate", "The client that is to replace it."),
)


def port(default: int, text: str) -> Decorator:
    """Where a server of ours listens; `text` says so, and what 0 means is added."""
    said = f"{text} on 127.0.0.1; 0 lets the system choose."
    return number("--port", default, "N", said, WholeNumber(0, 65535))


def timeout(default: float) -> Decorator:
    """`--timeout SECONDS`."""
    text = "Longest time for one call; after it the call counts as hanging."
    return number("--timeout", default, "SECONDS", text, Number(min=0, min_open=True))


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


def playback(default: Fragmentation) -> Callable[[Function], Function]:
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


run = as_one(
    "options",
    Options,
    clients,
    choice(
        "--engine",
        EngineName,
        EngineName.WIRE,
        "wire: over a real socket, piece by piece; vcr: in process, whole bodies.",
        callback=lambda _context, _option, name: EngineName(name),
    ),
    jobs,
    timeout(60.0),
    playback(Fragmentation.EVENTS),
    click.option(
        "--shard",
        metavar="I/N",
        callback=lambda _context, _option, text: None if text is None else parse_shard(text),
        help="Only the I-th of N parts, for N machines; `report --merge` gives the verdicts.",
    ),
)
"""Which clients to compare, and how to run them: the command's `options`, of type `Options`."""
