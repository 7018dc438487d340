"""`llm-contracts init` and `import`: how a project begins, and what others recorded."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from llm_contracts.cli import frame, option
from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.paths import InputPath
from llm_contracts.project.config import environment

_INIT = """\b
Examples:
  llm-contracts init                                            openai against litellm
  llm-contracts init --reference openai --candidate shop.llm:call
  llm-contracts init --from tests/cassettes                     with a suite's recordings
"""


@click.command("init", epilog=_INIT)
@option.client("reference", "The client in use today; by default openai.")
@option.client("candidate", "The client that is to replace it; by default litellm.")
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="NAME|NAME=URL",
    help="A provider that is called: a well-known one, or NAME=URL; may be given several times. By default "
    "those of the recordings, or the one that the reference is made for.",
)
@click.option(
    "--from",
    "source",
    type=InputPath(),
    metavar="CASSETTES",
    help="Recordings of an existing suite (VCR cassettes, HAR files) to bring into the project.",
)
def init(
    *, reference: str | None, candidate: str | None, providers: tuple[str, ...], source: Path | None
) -> Exit:
    """Write the files that a new project needs.

    These are a table in pyproject.toml, the clients and the scenarios. Nothing is asked, and no file that
    exists is changed, but for the table that pyproject.toml gets.
    """
    from llm_contracts.importing.start import Start, start
    from llm_contracts.util.terminal import report_console

    root = Path.cwd()
    begin = Start(
        root=root,
        reference=reference or "openai",
        candidate=candidate or "litellm",
        providers=providers,
        source=source,
    )
    done = start(begin)
    console = report_console()
    for word, files in (("wrote", done.written), ("left", done.left)):
        for file in files:
            console.print(f"{word}  {file.relative_to(root)}")
    capture = "with the calls of an application: llm-contracts capture -- COMMAND"
    there = source is None or _bring_in(source)
    console.print(f"\nNext: {done.next}, or {capture}" if there else f"\nNext, {capture}")
    return Exit.AGREEMENT


def _bring_in(source: Path) -> bool:
    """Import what is in a folder; whether anything was."""
    from llm_contracts.importing.run import ImportOptions, import_streams
    from llm_contracts.importing.terminal import print_import
    from llm_contracts.util.terminal import report_console

    project = frame.project_here()
    options = ImportOptions(environ=environment(project.settings, os.environ))
    report = import_streams(project, [source], options)
    print_import(report_console(), replace(report, unowned=()), project.settings, dry_run=False)
    return bool(report.imports)


_IMPORT = """\b
Examples:
  llm-contracts import ../other-project/tests/cassettes --dry-run     what is there, what cannot be used, why
  llm-contracts import browser.har --provider openai                  whose it is, where a gateway answered
  llm-contracts import trace.har --stream 'trace#12' --scenario odd-finish
"""


@click.command("import", epilog=_IMPORT, short_help="Make recordings of what others recorded.")
@click.argument("sources", metavar="SOURCE...", nargs=-1, required=True, type=InputPath())
@click.option(
    "--provider",
    metavar="NAME",
    shell_complete=option.complete_provider,
    help="Whose recordings these are, where their address does not tell. Others' are left out.",
)
@option.several("--stream", "streams", "ID", "Only streams with this id, which may hold * and ?;")
@click.option("--scenario", metavar="NAME", help="The scenario that one stream is for; else names are made.")
@option.flag("--force", "Replace other recordings of the same name.")
@option.flag("--dry-run", "Write nothing; say what would be imported.")
@option.json_file
def import_(
    sources: tuple[Path, ...],
    *,
    provider: str | None,
    streams: tuple[str, ...],
    scenario: str | None,
    force: bool,
    dry_run: bool,
) -> Exit:
    """Make recordings of this project out of streams that others recorded.

    SOURCE is a file or a folder: cassettes of VCR and its relatives, HAR files, or raw bodies with
    index.jsonl. Secrets are removed; provenance is `imported`, which never makes a provider ready. What
    cannot be used is listed with its reason.
    """
    from llm_contracts.importing.run import ImportOptions, ImportOutcome, import_streams
    from llm_contracts.importing.terminal import import_document, print_import
    from llm_contracts.util.terminal import progress_bar

    project = frame.project_here()
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
    frame.hand_over(
        import_document(report, project.settings, dry_run=dry_run),
        lambda console: print_import(console, report, project.settings, dry_run=dry_run),
        frame.secrets_of(project),
    )
    # Damage outweighs the rest, as elsewhere. To have got nothing at all is a misunderstanding.
    if any(problem.why.damaged for problem in report.left_out):
        return Exit.UNREADABLE
    in_the_way = any(one.outcome is ImportOutcome.IN_THE_WAY for one in report.imports)
    return Exit.USAGE if in_the_way or not report.imports else Exit.AGREEMENT
