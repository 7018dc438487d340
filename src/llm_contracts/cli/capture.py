"""`llm-contracts capture`."""

from __future__ import annotations

import os
import shlex
import signal
import subprocess
from collections.abc import Sequence
from pathlib import Path
from shutil import which
from typing import TYPE_CHECKING

import click

from llm_contracts.cli import frame, option
from llm_contracts.project.config import ConfigError, environment, find_root
from llm_contracts.util.environ import variables

if TYPE_CHECKING:
    from llm_contracts.capture.run import Capture
    from llm_contracts.project.config import Project

_MIB = 2**20
_PORT = 8900
_SIGNALLED = 128  # what a shell adds to the number of the signal that ended a program
_EXAMPLES = """\b
Examples:
  llm-contracts capture -- python app.py           whatever it calls, few of each shape
  llm-contracts capture --keep 1 -- npm test
  llm-contracts capture --listen --sample 0.01     a proxy that stays; base URL http://127.0.0.1:8900/openai/v1

\b
Addresses of --listen:
  /PROVIDER/…                                      the provider itself; what passes may become a recording
  GET /health                                      status 503 while it ends
"""


@click.command("capture", epilog=_EXAMPLES, context_settings={"ignore_unknown_options": True})
@click.argument("command", nargs=-1, metavar="[-- COMMAND...]", type=click.UNPROCESSED)
@option.flag("--listen", "Run no program: wait for calls until SIGTERM, with an address per provider.")
@option.port(_PORT, "Where --listen waits")
@option.number(
    "--drain", 30.0, "SECONDS", "How long calls under way may take when it ends.", option.Number(min=0)
)
@option.number("--keep", 3, "N", "Recordings of each shape of calls; those that are there count.")
@option.number(
    "--sample",
    1.0,
    "PART",
    "The part of the calls that is looked at, such as 0.01.",
    option.Number(min=0, max=1, min_open=True),
)
@option.number("--recordings", 500, "N", "At most so many recordings of this run.")
@option.number("--size", 64, "MIB", "At most so many MiB of recordings of this run.")
@option.folder("--to", "folder", text="The folder for recordings, in place of the project's cassettes.")
@click.option(
    "--anonymise/--no-anonymise",
    default=True,
    show_default=True,
    help="Replace the words of prompts and answers by others of the same form.",
)
@option.choice(
    "--tools",
    ("keep", "hide"),
    "keep",
    "With --anonymise: whether the names of tools and of their parameters stay.",
)
@option.json_file
def capture(
    command: tuple[str, ...],
    *,
    listen: bool,
    port: int,
    drain: float,
    keep: int,
    sample: float,
    recordings: int,
    size: int,
    folder: Path | None,
    anonymise: bool,
    tools: str,
) -> int:
    """Run a program and make recordings of the calls that it makes to LLM providers.

    The program is started with the base URLs of the usual SDKs (and of the project's providers) pointing at a
    proxy on this machine, which passes everything on. Each call that is kept brings a scenario of its own.
    The exit code is the program's.
    """
    from llm_contracts.capture.anonymise import Anonymiser
    from llm_contracts.capture.keeper import CaptureOptions
    from llm_contracts.capture.run import capturing
    from llm_contracts.capture.terminal import capture_document, print_capture

    if bool(command) is listen:
        raise ConfigError("Name the program to run (capture -- python app.py), or --listen; not both.")
    if command and command[0].startswith("-"):
        raise click.NoSuchOption(command[0])
    if command and which(command[0]) is None:
        raise ConfigError(f"{command[0]}: there is no such program, or this user may not run it.")
    project = frame.project_here(needed=False)
    options = CaptureOptions(
        folder=folder or project.settings.cassettes,
        environ=environment(project.settings, os.environ),
        keep=keep,
        recordings=recordings,
        size=size * _MIB,
        sample=sample,
        port=port if listen else 0,
        drain=drain,
        change=Anonymiser(tools=tools == "keep") if anonymise else tuple,
    )
    with capturing(project, options) as running:
        code = _serve(running, options.folder) if listen else _run(command, running)
    frame.hand_over(
        capture_document(running),
        lambda _console: print_capture(
            running, options.folder, ran=not listen, further=further(project, options.folder)
        ),
        frame.secrets_of(project),
    )
    return code


def further(project: Project, folder: Path) -> str:
    """The commands that compare what is in a folder."""
    own = project.settings.cassettes
    steps = [] if find_root(Path.cwd()) else ["llm-contracts init"]
    if folder.resolve() != own.resolve():
        steps.append(shlex.join(["cp", "-r", f"{folder}/.", os.path.relpath(own)]))
    return " && ".join([*steps, "llm-contracts check"])


def _serve(running: Capture, folder: Path) -> int:
    """Wait for calls until somebody ends it."""
    from llm_contracts.capture.terminal import print_addresses

    with frame.stop_signal() as wait:
        print_addresses(running, folder)
        wait()
    return 0


def _run(command: Sequence[str], running: Capture) -> int:
    """Run a program until it ends, whatever signals come: they are for the program."""
    environ = {**variables(os.environ), **running.variables}
    process = subprocess.Popen(command, env=environ)  # noqa: S603 - it is the user's

    def pass_on(number: int) -> None:
        if number != signal.SIGINT:  # a terminal's Ctrl-C has reached the program by itself
            process.send_signal(number)

    with frame.ending_signals(pass_on):
        code = process.wait()
    return code if code >= 0 else _SIGNALLED - code
