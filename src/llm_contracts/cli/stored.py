"""`llm-contracts verdict` and `report`: what the stored result says."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llm_contracts.cli import frame, option
from llm_contracts.cli.exit_codes import Exit, exit_of
from llm_contracts.cli.paths import InputPath
from llm_contracts.reporting.ci.files import RequestedViews
from llm_contracts.run.options import local_day

if TYPE_CHECKING:
    from llm_contracts.project.config import Project

_VERDICT = """\b
Examples:
  llm-contracts verdict
  llm-contracts verdict openai deepseek
  llm-contracts verdict --provider qwen && ./cut-over qwen
  llm-contracts verdict --report /tmp/bare --json -
"""


@click.command(epilog=_VERDICT)
@click.argument("providers", nargs=-1, metavar="[PROVIDER]...", shell_complete=option.complete_provider)
@click.option(
    "--provider",
    "more_providers",
    multiple=True,
    metavar="NAME",
    shell_complete=option.complete_provider,
    help="Another way to name a provider, as with the other commands.",
)
@option.report
@option.json_file
def verdict(providers: tuple[str, ...], more_providers: tuple[str, ...], report: Path | None) -> Exit:
    """GO or NO-GO for providers, with reasons and what to run next.

    Reads what the last `check` stored, and refuses if anything it was made from has changed since, or if it
    is about other clients than the project's own two (unless --report names it). Exit code 0 only if every
    provider asked for is ready.
    """
    from llm_contracts.parity.result import Readiness
    from llm_contracts.parity.verdict import led_to_folder
    from llm_contracts.reporting.stored_verdicts import print_stored_verdicts, verdict_document
    from llm_contracts.results.standing import standing_verdicts

    project = frame.project_here()
    names = tuple(dict.fromkeys((*providers, *more_providers)))
    for name in names:
        project.provider(name)
    stored = frame.stored_here(project, report)
    asked = standing_verdicts(project, stored, names, today=local_day(), named=report)
    if report is not None:
        result, corpus = replace(stored.result, verdicts=asked), "inputs" not in stored.document
        asked = led_to_folder(result, str(report), corpus=corpus).verdicts
    everyone = {row.provider for row in project.scenarios}
    frame.hand_over(
        verdict_document(stored, asked),
        lambda console: print_stored_verdicts(console, stored, asked, everyone),
    )
    return Exit.AGREEMENT if all(v.answer is Readiness.READY for v in asked.values()) else Exit.DIVERGENCE


_REPORT = """\b
Examples:
  llm-contracts report
  llm-contracts report --html parity.html
  llm-contracts check --candidate litellm --report /tmp/bare && llm-contracts report --report /tmp/bare
  llm-contracts report --merge report/shard-1-of-2 report/shard-2-of-2
  llm-contracts report --junit report/junit.xml --markdown "$GITHUB_STEP_SUMMARY" --annotations
"""


def _address(_context: click.Context, _option: click.Parameter, given: str | None) -> str | None:
    if given is None or re.fullmatch(r"https?://[^\s<>#]+", given):
        return given
    raise click.BadParameter(f"{given!r} is not the address of a page: https://…, without #part.")


views_option = option.as_one(
    "views",
    RequestedViews,
    option.file("--junit", text="Write JUnit XML: a test case for each scenario."),
    option.file("--markdown", text="Write the summary of a job, for $GITHUB_STEP_SUMMARY; at most 1 MiB."),
    option.file("--comment", text="Write the body of one pull-request comment; at most 65,536 characters."),
    option.flag("--annotations", "Print GitHub's commands that mark files, ten a level."),
    click.option(
        "--report-url",
        metavar="URL",
        callback=_address,
        help="Where the HTML report can be read: links lead there.",
    ),
    click.option(
        "--fetch",
        metavar="COMMAND",
        help="What brings this run's files to the reader's machine; shown as it is.",
    ),
)
"""Which views to write: the command's `views`, of type `RequestedViews`."""


@click.command(epilog=_REPORT, short_help="Write the stored result as an HTML page, or for CI.")
@option.report
@option.file(
    "--html",
    text="Where to write the page, in place of index.html beside the stored result; - is standard output.",
)
@views_option
@option.flag(
    "--merge",
    "Put the parts of a run together that --shard has left in these folders: the result is that of "
    "the whole, with its verdicts and its exit code.",
)
@click.argument("parts", nargs=-1, metavar="[PART]...", type=InputPath())
def report(
    *, report: Path | None, html: Path | None, views: RequestedViews, merge: bool, parts: tuple[Path, ...]
) -> Exit:
    """Write the stored result as one HTML file that needs nothing else, or as what CI services read.

    Verdicts, groups of differences, a matrix, and for each recording both lanes with the wire between them.
    What is decided on the page is exported as decisions.json, for `llm-contracts review apply`. Runs nothing
    again: it reads what the last `check` left in report/. With --junit, --markdown, --comment or
    --annotations the page is written only if --html asks for it, too.
    """
    from llm_contracts.project.inputs import outdated
    from llm_contracts.reporting.ci.files import write_ci
    from llm_contracts.reporting.run_context import run_context
    from llm_contracts.util.terminal import echo, progress_bar

    if parts and not merge:
        raise click.UsageError("Folders go with --merge; for another result: --report DIR.")
    if merge and not parts:
        raise click.UsageError("--merge needs the folders of the parts, such as report/shard-*.")
    if [str(file) for file in (html, *views.files)].count("-") > 1:
        raise click.UsageError("Only one view can go to standard output; --annotations is one, too.")
    if (views.report_url or views.fetch) and not (views.markdown or views.comment):
        raise click.UsageError("--report-url and --fetch are for --markdown and --comment.")
    project, code = frame.project_here(needed=report is None and not merge), Exit.AGREEMENT
    secrets = frame.secrets_of(project)
    if merge:
        report, code = _merge(project, parts, report, secrets)
    stored = frame.stored_here(project, report)
    changed = outdated(project.settings, stored.document)
    if changed:
        echo(f"The stored result is out of date; the page says so. Changed: {changed[0]}.", err=True)
    about = run_context(
        project, stored, outdated=changed, today=local_day(), report_url=views.report_url, fetch=views.fetch
    )
    if html is not None or not views.files:
        # CI's views need no template engine.
        from llm_contracts.reporting.html.page import in_full, write_page

        file = html or stored.folder / "index.html"
        with progress_bar("report", len(in_full(stored.result))) as done:
            write_page(project, file, stored, about, secrets, progress=done)
        if str(file) != "-":
            size = file.stat().st_size / 1e6
            echo(f"{project.settings.shown(file)}: {size:.1f} MB", err=bool(views.files))
    if views.files:
        write_ci(project, stored, views, about, secrets)
    return code


def _merge(
    project: Project, parts: Sequence[Path], report: Path | None, secrets: Mapping[str, str]
) -> tuple[Path, Exit]:
    """Merge, store and print; where the whole is stored now, and the exit code of its run.

    Raises:
        ConfigError: the folders are not all the parts of one run.
        StoredResultError: a part cannot be read.
    """
    from llm_contracts.parity.verdict import led_to_folder, without_go
    from llm_contracts.project.inputs import changed_since
    from llm_contracts.reporting.terminal import print_result
    from llm_contracts.results.writer import writing
    from llm_contracts.run.merge import CORPUS, merged
    from llm_contracts.util.terminal import progress_bar, report_console

    whole = merged(project, parts, local_day())
    result = without_go(whole.result, changed_since(project.settings, whole.inputs) if whole.inputs else ())
    folder = report or project.settings.report
    if whole.what == CORPUS:
        folder = report or project.settings.report / "corpus"
        result = led_to_folder(result, project.settings.shown(folder), corpus=True)
    with writing(folder, secrets) as writer:
        with progress_bar("merge", len(result.items)) as done:
            store = writer.reporting(done)
            for packed in whole.lines:
                store(packed)
        writer.finish(result, **({"inputs": dict(whole.inputs)} if whole.inputs else {}))
    print_result(report_console(), result, {row.provider for row in project.scenarios})
    return folder, exit_of(result)
