"""`llm-contracts completion`."""

from __future__ import annotations

from collections.abc import Sequence

import click
from click.shell_completion import get_completion_class

PROGRAM = "llm-contracts"
VARIABLE = "_LLM_CONTRACTS_COMPLETE"  # click listens to it, and derives its name from the program's
SHELLS: Sequence[str] = ("bash", "zsh", "fish")
_EXAMPLES = """\b
Examples:
  eval "$(llm-contracts completion bash)"      in ~/.bashrc
  eval "$(llm-contracts completion zsh)"       in ~/.zshrc, after compinit
  llm-contracts completion fish | source       in ~/.config/fish/config.fish
"""


@click.command(epilog=_EXAMPLES)
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def completion(context: click.Context, shell: str) -> None:
    """Print the completion of commands and names for a shell.

    Providers, scenarios and paths are those of the project that the shell stands in.
    """
    kind = get_completion_class(shell)
    assert kind is not None  # one of the three that click brings
    click.echo(kind(context.find_root().command, {}, PROGRAM, VARIABLE).source())
