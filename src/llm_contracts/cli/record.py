"""`llm-contracts record`."""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import click
from rich.table import Table

from llm_contracts.cli.drift import markdown_option, to_standard_output, write_drift
from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.options import (
    complete_client,
    json_option,
    project_here,
    selection_options,
    timeout_option,
)
from llm_contracts.drift.document import drift_document
from llm_contracts.drift.report import DriftReport, RecordingState
from llm_contracts.drift.terminal import print_drift
from llm_contracts.project.config import ConfigError, Project, environment
from llm_contracts.record.endpoint import live_endpoint, overrides
from llm_contracts.record.run import (
    PlannedRecording,
    RecordOptions,
    RecordOutcome,
    RecordReport,
    Source,
    plan,
)
from llm_contracts.record.run import record as run_record
from llm_contracts.util.files import write_text
from llm_contracts.util.terminal import progress_bar, report_console

if TYPE_CHECKING:
    from llm_contracts.project.scenario import Scenario

_EXAMPLES = """\b
Examples:
  llm-contracts record --dry-run                   what would be called, and how many tokens it takes
  llm-contracts record                             every provider whose key is set, here or in .env
  llm-contracts record --provider qwen --missing   go on where the last run stopped
  llm-contracts record --stale 60                  renew what is 60 days old or older
  llm-contracts record --source simulator          a rehearsal without keys
  llm-contracts record --verify                    has a provider changed since? nothing is written
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
    "--stale", type=click.IntRange(min=0), metavar="DAYS", help="Only what is missing, or this old or older."
)
@click.option("--dry-run", is_flag=True, help="Call nobody; say what would be called.")
@click.option("--overwrite-live", is_flag=True, help="Let the simulator replace live or imported recordings.")
@click.option(
    "--verify",
    is_flag=True,
    help="Write nothing; compare the shape of what comes with what is recorded. Words, ids, clocks and token "
    "counts take no part.",
)
@click.option(
    "--reference",
    metavar="PATH",
    shell_complete=complete_client,
    help="The path that makes the calls; by default the project's reference.",
)
@timeout_option(120.0)
@markdown_option
@json_option
def record(**given: Any) -> Exit:
    """Call the providers and keep what they send, byte by byte.

    Keys come from the environment or from .env and never reach a file. Providers without a key are skipped by
    name. Ctrl-C keeps what is done; --missing goes on from there. What takes the place of an older recording
    is compared with it by shape. With --verify the exit code is 1 where a client may notice a change, and 2
    where nothing could be learned: a refused key, say. A provider that is busy or broken is no change.
    """
    _require_sense(given)
    project = project_here()
    scenarios = project.select(given["providers"], given["scenarios"])
    options = _options(project, given)
    _require_somebody(project, scenarios, options)
    _name_overrides(project, scenarios, options)
    steps = plan(project, scenarios, options)
    if given["dry_run"]:
        _show_plan(steps, given)
        return Exit.AGREEMENT
    with progress_bar("verify" if options.verify else "record", len(steps)) as done:
        report = run_record(project, scenarios, options, progress=lambda update: done(update.take.scenario))
    _show_report(report, project, options, given)
    return _exit_of_verifying(report, steps) if options.verify else _exit_of(report, steps)


def _require_sense(given: dict[str, Any]) -> None:
    for name in ("missing", "overwrite_live"):
        if given["verify"] and given[name]:
            option = name.replace("_", "-")
            raise ConfigError(
                f"--verify compares with what there is and writes nothing: leave out --{option}."
            )


def _options(project: Project, given: dict[str, Any]) -> RecordOptions:
    return RecordOptions(
        source=Source(given["source"]),
        environ=environment(project.settings, os.environ),
        client=given["reference"],
        missing=given["missing"],
        stale_days=given["stale"],
        overwrite_live=given["overwrite_live"],
        timeout=given["timeout"],
        verify=given["verify"],
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


def _name_overrides(project: Project, scenarios: Sequence[Scenario], options: RecordOptions) -> None:
    if options.source is Source.LIVE:
        asked = {row.provider for row in scenarios}
        rows = [row for row in project.providers if row.name in asked]
        for name, sentence in overrides(rows, options.environ).items():
            click.echo(f"{name}: {sentence}.", err=True)


def _exit_of(report: RecordReport, steps: Sequence[PlannedRecording]) -> Exit:
    if report.interrupted:
        return Exit.INTERRUPTED
    if any(step.broken for step in steps):
        return Exit.UNREADABLE
    return Exit.DIVERGENCE if report.with_outcome(RecordOutcome.FAILED) else Exit.AGREEMENT


def _exit_of_verifying(report: RecordReport, steps: Sequence[PlannedRecording]) -> Exit:
    """A busy provider is no drift. But what nobody could look at must not pass for what has not changed."""
    if report.interrupted:
        return Exit.INTERRUPTED
    if any(step.broken for step in steps):
        return Exit.UNREADABLE
    if any(one.counts for one in report.compared):
        return Exit.DIVERGENCE
    learned = any(one.state is not RecordingState.UNVERIFIED for one in report.compared)
    failed = bool(report.with_outcome(RecordOutcome.FAILED)) or any(one.lasting for one in report.compared)
    return Exit.AGREEMENT if not failed and (learned or not report.compared) else Exit.USAGE


def _show_plan(steps: Sequence[PlannedRecording], given: dict[str, Any]) -> None:
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


def _show_report(
    report: RecordReport, project: Project, options: RecordOptions, given: dict[str, Any]
) -> None:
    drift = DriftReport(
        what="Providers against their recordings" if options.verify else "New recordings against the old",
        compared=report.compared,
        today=options.now().date(),
        stale_after_days=project.settings.stale_after_days,
    )
    write_drift(drift, project, given, {**_document(report), "drift": drift_document(drift)})
    if to_standard_output(given):
        return
    _show_takes(report)
    if options.verify or any(one.state is not RecordingState.NEW for one in drift.compared):
        print_drift(report_console(), drift)
    _show_end(report, options)


def _document(report: RecordReport) -> dict[str, Any]:
    takes = [{"scenario": t.scenario, "outcome": str(t.outcome), "detail": t.detail} for t in report.takes]
    return {"format": 1, "takes": takes, "interrupted": report.interrupted, "remaining": report.remaining}


def _show_takes(report: RecordReport) -> None:
    console = report_console()
    skipped = report.skipped_providers
    for name, reason in skipped.items():
        console.print(f"skipped  {name}: {reason}", style="yellow")
    for take in report.takes:
        if take.outcome is RecordOutcome.SKIPPED and take.scenario.partition("/")[0] not in skipped:
            console.print(f"skipped  {take.scenario}: {take.detail}", style="dim")
    for take in report.with_outcome(RecordOutcome.FAILED):
        console.print(f"failed   {take.scenario}: {take.detail}", style="red", markup=False)


def _show_end(report: RecordReport, options: RecordOptions) -> None:
    console = report_console()
    counts = Counter(take.outcome for take in report.takes)
    if not options.verify:
        console.print(
            ", ".join(f"{counts[outcome]} {outcome}" for outcome in RecordOutcome if counts[outcome]) + "."
        )
    if report.interrupted and options.verify:
        console.print(f"{len(report.remaining)} left, from {report.remaining[0]} on.", style="bold")
    elif report.advice:
        console.print(report.advice, style="bold")
