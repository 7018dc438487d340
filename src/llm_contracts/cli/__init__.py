"""The command line: it parses, calls one function, and prints. Nothing is decided here."""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence

import click

from llm_contracts.cli.check import check
from llm_contracts.cli.corpus import corpus
from llm_contracts.cli.exits import Exit
from llm_contracts.cli.record import record
from llm_contracts.cli.verdict import verdict
from llm_contracts.versions import versions


def _print_versions(context: click.Context, _option: click.Parameter, wanted: bool) -> None:  # noqa: FBT001 - click's
    if wanted:
        click.echo("\n".join(f"{name} {version}" for name, version in versions().items()))
        context.exit()


@click.group(
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 110},
    epilog='Shell completion: eval "$(_LLM_CONTRACTS_COMPLETE=bash_source llm-contracts)" (or zsh_source, fish_source).',
)
@click.option("--version", is_flag=True, is_eager=True, expose_value=False, callback=_print_versions)
def group() -> None:
    """Does the product behave the same after the move to LiteLLM? Record once, replay to both clients, compare.

    \b
    Exit codes:
      0  in agreement
      1  a divergence that nobody has accepted
      2  wrong usage or configuration
      3  a recording that cannot be read
      4  a secret was found
    """


for command in (record, check, corpus, verdict):
    group.add_command(command)


def main(arguments: Sequence[str] | None = None) -> None:
    """Run the command line and leave the process with its exit code."""
    sys.path.insert(0, str(os.getcwd()))  # noqa: PTH109 - `module:attribute` means modules seen from here
    sys.exit(run(arguments))


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; every expected failure is one line on stderr and a code."""
    from llm_contracts.config import ConfigError  # noqa: PLC0415

    try:
        return int(group.main(args=arguments, prog_name="llm-contracts", standalone_mode=False) or 0)
    except click.ClickException as error:
        error.show()
        return Exit.USAGE
    except (click.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
