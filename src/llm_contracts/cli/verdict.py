"""`llm-contracts verdict`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import click

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.options import (
    complete_provider,
    hand_over,
    json_option,
    project_here,
    report_option,
    stored_here,
)
from llm_contracts.parity.result import Readiness, Verdict
from llm_contracts.project.config import ConfigError, Settings
from llm_contracts.project.inputs import refuse_stale
from llm_contracts.reporting.evidence import evidence
from llm_contracts.reporting.stored_verdicts import print_stored_verdicts, verdict_document
from llm_contracts.results.store import Stored

_EXAMPLES = """\b
Examples:
  llm-contracts verdict
  llm-contracts verdict openai deepseek
  llm-contracts verdict --provider qwen && ./cut-over qwen
  llm-contracts verdict --report /tmp/bare --json -
"""


@click.command(epilog=_EXAMPLES)
@click.argument("providers", nargs=-1, metavar="[PROVIDER]...", shell_complete=complete_provider)
@click.option(
    "--provider",
    "more_providers",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_provider,
    help="Another way to name a provider, as with the other commands.",
)
@report_option
@json_option
def verdict(
    providers: tuple[str, ...],
    more_providers: tuple[str, ...],
    report: Path | None,
    json_file: Path | None,
) -> Exit:
    """GO or NO-GO for providers, with reasons and what to run next.

    Reads what the last `check` stored, and refuses if anything it was made from has changed since, or if it
    is about other clients than the project's own two (unless --report names it). Exit code 0 only if every
    provider asked for is ready.
    """
    project = project_here()
    names = tuple(dict.fromkeys((*providers, *more_providers)))
    for name in names:
        project.provider(name)
    stored = stored_here(project, report)
    refuse_stale(project.settings, stored.document)
    if report is None:
        _refuse_other_clients(project.settings, stored)
    asked = _asked(stored.result.verdicts, names)
    seen = {name: evidence(stored.result, name) for name in asked}
    everyone = {row.provider for row in project.scenarios}
    hand_over(
        json_file,
        verdict_document(stored, asked, seen),
        lambda console: print_stored_verdicts(console, stored, asked, seen, everyone),
    )
    return Exit.AGREEMENT if all(v.answer is Readiness.READY for v in asked.values()) else Exit.DIVERGENCE


def _refuse_other_clients(settings: Settings, stored: Stored) -> None:
    """A GO for two other clients must not switch anything."""
    own = (settings.reference, settings.candidate)
    result = stored.result
    if (result.reference, result.candidate) != own:
        msg = (
            f"The stored result is about {result.reference} against {result.candidate}, not about {own[0]} "
            f"against {own[1]}. Run `llm-contracts check` again, or say that you mean it: "
            f"--report {settings.shown(stored.folder)}"
        )
        raise ConfigError(msg)


def _asked(stored: Mapping[str, Verdict], names: Sequence[str]) -> Mapping[str, Verdict]:
    if not stored:
        raise ConfigError("The stored result is of a part, and gives no verdict. Run `llm-contracts check`.")
    for name in names:
        if name not in stored:
            msg = f"The stored result has no verdict for {name}. Run `llm-contracts check --provider {name}`."
            raise ConfigError(msg)
    return {name: stored[name] for name in (names or stored)}
