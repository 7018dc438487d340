"""`llm-contracts record`."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from llm_contracts.cli.exits import Exit
from llm_contracts.cli.options import (
    complete_path,
    json_option,
    project_here,
    selection_options,
    timeout_option,
)
from llm_contracts.cli.output import progress_bar, report_console, write_text
from llm_contracts.config import ConfigError, Project, environment
from llm_contracts.record import Outcome, RecordOptions, RecordReport, Source, Step, plan
from llm_contracts.record import record as run_record
from llm_contracts.record_endpoint import live_endpoint

if TYPE_CHECKING:
    from llm_contracts.scenario import Scenario

_EXAMPLES = """\b
Examples:
  llm-contracts record --dry-run                   what would be called, and how many tokens it takes
  llm-contracts record                             every provider whose key is set, here or in .env
  llm-contracts record --provider qwen --missing   go on where the last run stopped
  llm-contracts record --stale 60                  renew what is older than 60 days
  llm-contracts record --source simulator          a rehearsal without keys
"""


@click.command("record", epilog=_EXAMPLES)
@click.option(
    "--source",
    type=click.Choice([str(source) for source in Source]),
    default=str(Source.LIVE),
    show_default=True,
    help="Who answers: the real providers, or scripted ones in their dialects.",
)
@selection_options
@click.option("--missing", is_flag=True, help="Only what has no recording, or none that is live.")
@click.option(
    "--stale", type=click.IntRange(min=0), metavar="DAYS", help="Only what is missing or older than this."
)
@click.option("--dry-run", is_flag=True, help="Call nobody; say what would be called.")
@click.option("--overwrite-live", is_flag=True, help="Let the simulator replace live or imported recordings.")
@click.option(
    "--reference",
    metavar="PATH",
    shell_complete=complete_path,
    help="The path that makes the calls; by default the project's reference.",
)
@timeout_option(120.0)
@json_option
def record(**given: Any) -> Exit:
    """Call the providers and keep what they send, byte by byte.

    Keys come from the environment or from .env and never reach a file. Providers without a key are skipped by
    name. Ctrl-C keeps what is done; --missing goes on from there.
    """
    project = project_here()
    scenarios = project.select(given["providers"], given["scenarios"])
    options = _options(project, given)
    _require_somebody(project, scenarios, options)
    steps = plan(project, scenarios, options)
    if given["dry_run"]:
        _show_plan(steps, given)
        return Exit.AGREEMENT
    with progress_bar("record", len(steps)) as done:
        report = run_record(project, scenarios, options, progress=lambda update: done(update.take.scenario))
    _show_report(report, given)
    return _exit_of(report, steps)


def _options(project: Project, given: dict[str, Any]) -> RecordOptions:
    return RecordOptions(
        source=Source(given["source"]),
        environ=environment(project.settings, os.environ),
        client=given["reference"],
        missing=given["missing"],
        stale_days=given["stale"],
        overwrite_live=given["overwrite_live"],
        timeout=given["timeout"],
    )


def _require_somebody(project: Project, scenarios: Sequence[Scenario], options: RecordOptions) -> None:
    """A live run without a single key is a misunderstanding, not a run in which all was skipped."""
    if options.source is not Source.LIVE:
        return
    providers = [project.provider(name) for name in dict.fromkeys(row.provider for row in scenarios)]
    if not any(live_endpoint(provider, options.environ) for provider in providers):
        variables = ", ".join(provider.key_variable for provider in providers)
        msg = (
            f"No key is set, so nobody can be called. Set one of {variables} in the environment or in .env, "
            "or rehearse with --source simulator."
        )
        raise ConfigError(msg)


def _exit_of(report: RecordReport, steps: Sequence[Step]) -> Exit:
    if report.interrupted:
        return Exit.INTERRUPTED
    if any(step.broken for step in steps):
        return Exit.UNREADABLE
    return Exit.DIVERGENCE if report.with_outcome(Outcome.FAILED) else Exit.AGREEMENT


def _show_plan(steps: Sequence[Step], given: dict[str, Any]) -> None:
    rows = [
        {"scenario": s.scenario.name, "call": not s.skip, "tokens": s.tokens, "skip": s.skip} for s in steps
    ]
    calls = [row for row in rows if row["call"]]
    total = sum(step.tokens for step in steps if not step.skip)
    if given["json_file"] is not None:
        text = json.dumps({"format": 1, "steps": rows, "tokens": total}, ensure_ascii=False, indent=2)
        write_text(given["json_file"], text + "\n")
    if str(given["json_file"]) == "-":
        return
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in ("scenario", "tokens, roughly", ""):
        table.add_column(title, justify="right" if "tokens" in title else "left")
    for step in steps:
        table.add_row(step.scenario.name, "" if step.skip else f"{step.tokens:,}", step.skip or "")
    console = report_console()
    console.print(table)
    console.print(f"\n{len(calls)} calls, roughly {total:,} tokens. Nobody was called.")


def _show_report(report: RecordReport, given: dict[str, Any]) -> None:
    if given["json_file"] is not None:
        takes = [
            {"scenario": t.scenario, "outcome": str(t.outcome), "detail": t.detail} for t in report.takes
        ]
        whole = {
            "format": 1,
            "takes": takes,
            "interrupted": report.interrupted,
            "remaining": report.remaining,
        }
        write_text(given["json_file"], json.dumps(whole, ensure_ascii=False, indent=2) + "\n")
    if str(given["json_file"]) == "-":
        return
    console = report_console()
    skipped = report.skipped_providers
    for name, reason in skipped.items():
        console.print(f"skipped  {name}: {reason}", style="yellow")
    for take in report.takes:
        if take.outcome is Outcome.SKIPPED and take.scenario.partition("/")[0] not in skipped:
            console.print(f"skipped  {take.scenario}: {take.detail}", style="dim")
    for take in report.with_outcome(Outcome.FAILED):
        console.print(f"failed   {take.scenario}: {take.detail}", style="red")
    counts = Counter(take.outcome for take in report.takes)
    console.print(", ".join(f"{counts[outcome]} {outcome}" for outcome in Outcome if counts[outcome]) + ".")
    if report.advice:
        console.print(report.advice, style="bold")
