"""The command line: it parses, calls one function, and prints. Nothing is decided here."""

from __future__ import annotations

import faulthandler
import logging
import sys
from collections.abc import Sequence
from pathlib import Path

import click

from llm_contracts.cli.cassettes import cassettes
from llm_contracts.cli.check import check
from llm_contracts.cli.completion import completion
from llm_contracts.cli.corpus import corpus
from llm_contracts.cli.doctor import doctor
from llm_contracts.cli.drift import drift
from llm_contracts.cli.exit_codes import FAILURES, Exit
from llm_contracts.cli.import_ import import_
from llm_contracts.cli.leftovers import leftovers
from llm_contracts.cli.matrix import matrix
from llm_contracts.cli.record import record
from llm_contracts.cli.report import report
from llm_contracts.cli.review import review
from llm_contracts.cli.serve import serve
from llm_contracts.cli.verdict import verdict
from llm_contracts.util.versions import versions

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
        click.echo("\n".join(f"{name} {version}" for name, version in versions().items()))
        context.exit()


class _InOrderOfWork(click.Group):
    """Its commands are listed as people come to need them."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002 - click hands it over
        return list(self.commands)


@click.group(
    cls=_InOrderOfWork,
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


for _command in (
    doctor,
    record,
    check,
    review,
    report,
    verdict,
    drift,
    matrix,
    serve,
    import_,
    corpus,
    cassettes,
    leftovers,
    completion,
):
    group.add_command(_command)


def main() -> None:
    """Run the command line and leave the process with its exit code."""
    # Without a handler Python prints what libraries log (that a client hung up, say) into the report.
    logging.getLogger().addHandler(logging.NullHandler())
    # A crash in a library's C code would end the run without a word of where it was.
    faulthandler.enable()
    sys.path.insert(0, str(Path.cwd()))  # `module:attribute` means modules as seen from here
    sys.exit(run())


def run(arguments: Sequence[str] | None = None) -> int:
    """Run the command line; every failure that is to be expected is one line on standard error and a code."""
    try:
        code = group.main(args=arguments, prog_name="llm-contracts", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return Exit.USAGE
    except (click.Abort, KeyboardInterrupt):
        return Exit.INTERRUPTED
    except tuple(FAILURES) as error:
        click.echo(f"llm-contracts: {error}", err=True)
        return next(code for kind, code in FAILURES.items() if isinstance(error, kind))
    return int(code or 0)
