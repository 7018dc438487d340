"""`llm-contracts import`."""

from __future__ import annotations

import os
from pathlib import Path

import click

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.options import (
    complete_provider,
    flag_option,
    hand_over,
    json_option,
    project_here,
    secrets_of,
    several_option,
)
from llm_contracts.cli.paths import InputPath
from llm_contracts.project.config import environment

_EXAMPLES = """\b
Examples:
  llm-contracts import ../other-project/tests/cassettes --dry-run     what is there, what cannot be used, why
  llm-contracts import browser.har --provider openai                  whose it is, where a gateway answered
  llm-contracts import trace.har --stream 'trace#12' --scenario odd-finish
"""


@click.command("import", epilog=_EXAMPLES, short_help="Make recordings of what others recorded.")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, type=InputPath())
@click.option(
    "--provider",
    metavar="NAME",
    shell_complete=complete_provider,
    help="Whose recordings these are, where their address does not tell. Others' are left out.",
)
@several_option("--stream", "streams", "ID", "Only streams with this id, which may hold * and ?;")
@click.option("--scenario", metavar="NAME", help="The scenario that one stream is for; else names are made.")
@flag_option("--force", "Replace other recordings of the same name.")
@flag_option("--dry-run", "Write nothing; say what would be imported.")
@json_option
def import_(
    sources: tuple[Path, ...],
    *,
    provider: str | None,
    streams: tuple[str, ...],
    scenario: str | None,
    force: bool,
    dry_run: bool,
    json_file: Path | None,
) -> Exit:
    """Make recordings of this project out of streams that others recorded.

    SOURCE is a file or a folder: cassettes of VCR and its relatives, HAR files, or raw bodies with
    index.jsonl. Secrets are removed; provenance is `imported`, which never makes a provider ready. What
    cannot be used is listed with its reason.
    """
    from llm_contracts.importing.run import ImportOptions, ImportOutcome, import_streams
    from llm_contracts.importing.terminal import import_document, print_import
    from llm_contracts.util.terminal import progress_bar

    project = project_here()
    options = ImportOptions(
        environ=environment(project.settings, os.environ),
        provider=provider,
        scenario=scenario,
        streams=streams,
        force=force,
        dry_run=dry_run,
    )
    with progress_bar("import", None) as done:
        report = import_streams(project, sources, options, progress=done)
    hand_over(
        json_file,
        import_document(report, project.settings, dry_run=dry_run),
        lambda console: print_import(console, report, project.settings, dry_run=dry_run),
        secrets_of(project),
    )
    # Damage outweighs the rest, as elsewhere. To have got nothing at all is a misunderstanding.
    if any(problem.why.damaged for problem in report.left_out):
        return Exit.UNREADABLE
    in_the_way = any(one.outcome is ImportOutcome.IN_THE_WAY for one in report.imports)
    return Exit.USAGE if in_the_way or not report.imports else Exit.AGREEMENT
