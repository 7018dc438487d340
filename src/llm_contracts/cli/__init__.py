"""The command line: it parses, calls one function, and prints. Nothing is decided here."""

from __future__ import annotations

import faulthandler
import logging
import os
import sys
from collections.abc import Mapping, Sequence
from datetime import datetime
from importlib import import_module
from io import StringIO, TextIOWrapper
from keyword import iskeyword
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from llm_contracts.cli.exit_codes import Exit, exit_of_failure
from llm_contracts.util.text import SIGNS

SHORT_HELPS: Mapping[str, str] = {
    "init": "Write the files that a new project needs.",
    "doctor": "Is everything fit for use?",
    "record": "Call the providers and keep what they send, byte by byte.",
    "capture": "Run a program and make recordings of the calls that it makes to LLM providers.",
    "check": "Replay every recording through both clients and compare.",
    "reduce": "Shrink a recording to what shows a difference.",
    "review": "Decide what differs: accept it, or mark it.",
    "report": "Write the stored result as an HTML page, or for CI.",
    "verdict": "GO or NO-GO for providers, with reasons and what to run next.",
    "drift": "Compare recordings with those of a git revision, by shape.",
    "matrix": "Check under other releases of LiteLLM and openai.",
    "serve": "Serve recordings to an application in any language.",
    "import": "Make recordings of what others recorded.",
    "corpus": "Compare over streams recorded elsewhere.",
    "cassettes": "Are the recordings whole, free of secrets, each with a scenario?",
    "leftovers": "List what still refers to the old clients.",
    "completion": "Print the completion of commands and names for a shell.",
}
"""Command → its short help, in the order in which people come to need them. The commands themselves are
imported when they are used: help and completion must not wait for what they import.
"""

_MODULES: Mapping[str, str] = {
    "cassettes": "doctor",
    "leftovers": "doctor",
    "init": "importing",
    "import": "importing",
    "report": "stored",
    "verdict": "stored",
}
"""Command → its module, where that has another name."""

_EXAMPLES = """\b
Examples:
  llm-contracts doctor                       is everything fit for use?
  llm-contracts record --source simulator    recordings, for a start without keys
  llm-contracts check                        what differs, and a verdict per provider
  llm-contracts review                       decide what differs
  eval "$(llm-contracts completion bash)"    names and options complete themselves; also zsh, fish

\b
Exit codes:
  0  in agreement
  1  a divergence that nobody has accepted
  2  wrong usage or configuration
  3  a recording that cannot be read
  4  a secret was found
"""


def _print_versions(context: click.Context, _option: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click calls it so
    if wanted:
        from llm_contracts.util.versions import versions

        click.echo("\n".join(f"{name} {version}" for name, version in versions().items()))
        context.exit()


class _LazyGroup(click.Group):
    """Lists its commands from a table and imports a command's module only to run or complete it."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click hands it over
        return list(SHORT_HELPS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in SHORT_HELPS:
            return None
        module = import_module(f"{__name__}.{_MODULES.get(cmd_name, cmd_name)}")
        command: click.Command = getattr(module, f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name)
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        if args[0] not in SHORT_HELPS and not args[0].startswith("-") and not ctx.resilient_parsing:
            from llm_contracts.project.config import nearest

            ctx.fail(f"No such command {args[0]!r}. {nearest(args[0], SHORT_HELPS)}")
        return super().resolve_command(ctx, args)

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl(list(SHORT_HELPS.items()))

    def shell_complete(self, ctx: click.Context, incomplete: str) -> list[CompletionItem]:
        commands = [
            CompletionItem(name, help=text)
            for name, text in SHORT_HELPS.items()
            if name.startswith(incomplete)
        ]
        return [*commands, *click.Command.shell_complete(self, ctx, incomplete)]


@click.group(
    cls=_LazyGroup,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog=_EXAMPLES,
)
@click.option(
    "--version",
    is_flag=True,
    is_eager=True,
    expose_value=False,
    callback=_print_versions,
    help="Show the versions that take part in a comparison.",
)
def group() -> None:
    """Does the product behave the same after the move? Record once, replay to both clients, compare."""
    try:
        datetime.now().astimezone()
    except ValueError as error:
        zone = os.environ.get("TZ", "")
        raise click.UsageError(
            f"TZ={zone} in the environment is a day or more from UTC, so it is not a time zone. "
            "Unset TZ, or set it to one, such as UTC."
        ) from error


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    # Without a handler Python prints what libraries log (that a client hung up, say) into the report.
    logging.getLogger().addHandler(logging.NullHandler())
    # A crash in a library's C code would end the run without a word of where it was.
    faulthandler.enable()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):  # an output that knows only ASCII gets ASCII, not a traceback
            stream.reconfigure(errors=SIGNS)
    sys.path.insert(0, str(Path.cwd()))  # `module:attribute` means modules as seen from here
    code, leave, own = int(Exit.USAGE), os._exit, os.getpid()
    # A project's code may end the process, at its import or when Python ends, but not say that all is well.
    os._exit = lambda status: leave(status or (code if os.getpid() == own else 0))
    code = run()
    sys.exit(code)


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; every failure that is to be expected is one line on standard error and a code."""
    try:
        return int(group.main(args=arguments, prog_name="llm-contracts", standalone_mode=False) or 0)
    except click.ClickException as error:
        said = StringIO()
        error.show(file=said)
        text, code = said.getvalue().rstrip("\n"), Exit.USAGE
    except (click.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    except Exception as error:
        failed = exit_of_failure(error)
        if failed is None:
            raise
        from llm_contracts.cli.paths import refusal

        text, code = f"llm-contracts: {refusal(error) if isinstance(error, OSError) else error}", failed
    from llm_contracts.util.terminal import echo

    echo(text, err=True)  # made inert: it quotes what was typed, and a script types names from elsewhere
    return code
