"""`llm-contracts import`."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import click

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.options import complete_provider, json_option, project_here
from llm_contracts.importing.run import ImportOptions, ImportOutcome, ImportReport, import_streams
from llm_contracts.importing.terminal import import_document, print_import
from llm_contracts.project.config import environment
from llm_contracts.project.secrets import secrets_in
from llm_contracts.util.files import write_text
from llm_contracts.util.terminal import progress_bar, report_console
from llm_contracts.wire.scrub.scrubber import refuse_secrets

_EXAMPLES = """\b
Examples:
  llm-contracts import ../other-project/tests/cassettes --dry-run     what is there, what cannot be used, why
  llm-contracts import browser.har --provider openai                  whose it is, where a gateway answered
  llm-contracts import trace.har --stream 'trace#12' --scenario odd-finish
"""


@click.command("import", epilog=_EXAMPLES, short_help="Make recordings of what others recorded.")
@click.argument(
    "sources", metavar="SOURCE...", nargs=-1, required=True, type=click.Path(exists=True, path_type=Path)
)
@click.option(
    "--provider",
    metavar="NAME",
    shell_complete=complete_provider,
    help="Whose recordings these are, where their address does not tell. Others' are left out.",
)
@click.option(
    "--stream",
    "streams",
    multiple=True,
    metavar="ID",
    help="Only streams with this id, which may hold * and ?; may be given several times.",
)
@click.option("--scenario", metavar="NAME", help="The scenario that one stream is for; else names are made.")
@click.option("--force", is_flag=True, help="Replace other recordings of the same name.")
@click.option("--dry-run", is_flag=True, help="Write nothing; say what would be imported.")
@json_option
def import_(sources: tuple[Path, ...], **given: Any) -> Exit:
    """Make recordings of this project out of streams that others recorded.

    SOURCE is a file or a folder: cassettes of VCR and its relatives, HAR files, or raw bodies with
    index.jsonl. Secrets are removed; provenance is `imported`, which never makes a provider ready. What
    cannot be used is listed with its reason.
    """
    project = project_here()
    environ = environment(project.settings, os.environ)
    options = ImportOptions(
        environ=environ,
        provider=given["provider"],
        scenario=given["scenario"],
        streams=given["streams"],
        force=given["force"],
        dry_run=given["dry_run"],
    )
    with progress_bar("import", None) as done:
        report = import_streams(project, sources, options, progress=done)
    text = import_document(report, project.settings, dry_run=options.dry_run)
    refuse_secrets("the report", text.encode(), secrets_in(environ, project.providers))
    if given["json_file"] is not None:
        write_text(given["json_file"], text)
    if str(given["json_file"]) != "-":
        print_import(report_console(), report, project.settings, dry_run=options.dry_run)
    return _exit_of(report)


def _exit_of(report: ImportReport) -> Exit:
    """Damage outweighs the rest, as elsewhere. To have got nothing at all is a misunderstanding."""
    if any(problem.why.damaged for problem in report.left_out):
        return Exit.UNREADABLE
    in_the_way = any(one.outcome is ImportOutcome.IN_THE_WAY for one in report.imports)
    return Exit.USAGE if in_the_way or not report.imports else Exit.AGREEMENT
