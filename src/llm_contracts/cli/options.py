"""Options that several commands share, and the completion of the names they take."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any, TypeVar

import click

from llm_contracts.cli.replay_options import pieces_option, speed_option
from llm_contracts.clients.builtin import BUILTIN
from llm_contracts.project.config import ConfigError, Project, load_project, load_settings
from llm_contracts.run.check import Options
from llm_contracts.run.engines import EngineName
from llm_contracts.run.shards import parse_shard
from llm_contracts.wire.proxy.playback_options import Fragmentation

Function = TypeVar("Function", bound=Callable[..., Any])
Decorator = Callable[[Function], Function]


def project_here(*, needed: bool = True) -> Project:
    """The project that the working directory belongs to. Without one, the defaults where none is needed.

    Raises:
        ConfigError: there is no project, or it cannot be used.
    """
    return load_project(load_settings(Path.cwd(), needed=needed))


def run_options(given: Mapping[str, Any]) -> Options:
    """The options of a run, as they came from the command line.

    Raises:
        ConfigError: the vcr engine is asked for pieces or pauses.
    """
    if given["engine"] == EngineName.VCR and (given["pieces"] is not None or given["speed"] is not None):
        raise ConfigError("The vcr engine plays whole bodies: --pieces and --speed need --engine wire.")
    return Options(
        reference=given["reference"],
        candidate=given["candidate"],
        engine=EngineName(given["engine"]),
        jobs=given["jobs"],
        timeout=given["timeout"],
        pieces=given["pieces"],
        speed=given["speed"],
        shard=given.get("shard"),
        # Waivers last until the end of a day where the person who runs this lives.
        today=datetime.now().astimezone().date(),
    )


def selection_options(command: Function) -> Function:
    """`--provider` and `--scenario`."""
    return _all_of(
        click.option(
            "--provider",
            "providers",
            multiple=True,
            metavar="NAME",
            shell_complete=_complete(_provider_names),
            help="Only this provider; may be given several times.",
        ),
        click.option(
            "--scenario",
            "scenarios",
            multiple=True,
            metavar="NAME",
            shell_complete=_complete(_scenario_names),
            help="Only this scenario (plain-stream, or openai/plain-stream); may be given several times.",
        ),
    )(command)


def client_options(command: Function) -> Function:
    """`--reference` and `--candidate`."""
    client_help = (
        f"A built-in path ({', '.join(BUILTIN)}), one that clients.py registers, or module:attribute."
    )
    return _all_of(
        click.option(
            "--reference",
            metavar="PATH",
            shell_complete=_complete(client_names),
            help=f"What holds today. {client_help}",
        ),
        click.option(
            "--candidate",
            metavar="PATH",
            shell_complete=_complete(client_names),
            help="What is to replace it.",
        ),
    )(command)


def jobs_option(command: Function) -> Function:
    """`--jobs N`."""
    return click.option(
        "--jobs",
        type=click.IntRange(min=0),
        default=0,
        metavar="N",
        help="Processors to use, each by a process of its own; 0, the default, is all of them where there "
        "are recordings enough to make up for importing the clients so often.",
    )(command)


def match_options(command: Function) -> Function:
    """Which paths to compare, and how to run them."""
    engines = click.Choice([str(name) for name in EngineName])
    return _all_of(
        client_options,
        click.option(
            "--engine",
            type=engines,
            default=str(EngineName.WIRE),
            show_default=True,
            help="wire: over a real socket, piece by piece; vcr: in process, whole bodies.",
        ),
        jobs_option,
        timeout_option(60.0),
        pieces_option(Fragmentation.EVENTS),
        speed_option,
    )(command)


def shard_option(command: Function) -> Function:
    """`--shard I/N`."""
    return click.option(
        "--shard",
        metavar="I/N",
        callback=lambda _context, _option, text: None if text is None else parse_shard(text),
        help="Only the I-th of N parts, for N machines; `report --merge` gives the verdicts.",
    )(command)


def timeout_option(default: float) -> Callable[[Function], Function]:
    """`--timeout SECONDS`."""
    return click.option(
        "--timeout",
        type=click.FloatRange(min=0, min_open=True),
        default=default,
        show_default=True,
        metavar="SECONDS",
        help="Longest time for one call; after it the call counts as hanging.",
    )


def json_option(command: Function) -> Function:
    """`--json FILE`."""
    return click.option(
        "--json",
        "json_file",
        type=click.Path(dir_okay=False, allow_dash=True, path_type=Path),
        metavar="FILE",
        help="Write the result as JSON, too; with - to standard output, in place of the report for people.",
    )(command)


def _all_of(*decorators: Callable[[Any], Any]) -> Callable[[Function], Function]:
    def apply(command: Function) -> Function:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return apply


def _complete(
    names: Callable[[Project], Sequence[str]],
) -> Callable[[click.Context, click.Parameter, str], list[str]]:
    """Completion of names that the project knows. Silent where there is no usable project: the command itself
    will say what is wrong.
    """

    def complete(_context: click.Context, _option: click.Parameter, typed: str) -> list[str]:
        try:
            known = names(project_here())
        except ConfigError:
            return []
        return [name for name in known if name.startswith(typed)]

    return complete


def _provider_names(project: Project) -> list[str]:
    return [provider.name for provider in project.providers]


def _scenario_names(project: Project) -> list[str]:
    return list(dict.fromkeys(name for row in project.scenarios for name in (row.id, row.name)))


def client_names(project: Project) -> list[str]:
    return [*BUILTIN, *project.clients]


complete_provider = _complete(_provider_names)
complete_client = _complete(client_names)
