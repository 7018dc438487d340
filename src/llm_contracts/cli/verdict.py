"""`llm-contracts verdict`."""

from __future__ import annotations

from dataclasses import replace
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
from llm_contracts.run.options import local_day

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
    from llm_contracts.parity.result import Readiness
    from llm_contracts.parity.verdict import led_to_folder
    from llm_contracts.reporting.stored_verdicts import print_stored_verdicts, verdict_document
    from llm_contracts.results.standing import standing_verdicts

    project = project_here()
    names = tuple(dict.fromkeys((*providers, *more_providers)))
    for name in names:
        project.provider(name)
    stored = stored_here(project, report)
    asked = standing_verdicts(project, stored, names, today=local_day(), named=report)
    if report is not None:
        result, corpus = replace(stored.result, verdicts=asked), "inputs" not in stored.document
        asked = led_to_folder(result, str(report), corpus=corpus).verdicts
    everyone = {row.provider for row in project.scenarios}
    hand_over(
        json_file,
        verdict_document(stored, asked),
        lambda console: print_stored_verdicts(console, stored, asked, everyone),
    )
    return Exit.AGREEMENT if all(v.answer is Readiness.READY for v in asked.values()) else Exit.DIVERGENCE
