"""`llm-contracts init`."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path

import click

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.options import client_option, project_here
from llm_contracts.cli.paths import InputPath
from llm_contracts.project.config import environment

_EXAMPLES = """\b
Examples:
  llm-contracts init                                            openai against litellm
  llm-contracts init --reference openai --candidate shop.llm:call
  llm-contracts init --from tests/cassettes                     with a suite's recordings
"""


@click.command("init", epilog=_EXAMPLES)
@client_option("reference", "The client in use today; by default openai.")
@client_option("candidate", "The client that is to replace it; by default litellm.")
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

    project = project_here()
    options = ImportOptions(environ=environment(project.settings, os.environ))
    report = import_streams(project, [source], options)
    print_import(report_console(), replace(report, unowned=()), project.settings, dry_run=False)
    return bool(report.imports)
