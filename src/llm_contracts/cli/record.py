"""`llm-contracts record`."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING

import click

from llm_contracts.cli import frame, option
from llm_contracts.cli.exit_codes import Exit
from llm_contracts.project.config import ConfigError, Project, environment
from llm_contracts.record.source import RecordOptions, Source
from llm_contracts.util.stdout import captured_stdout

if TYPE_CHECKING:
    from rich.console import Console

    from llm_contracts.project.scenario import Scenario
    from llm_contracts.record.plan import PlannedRecording
    from llm_contracts.record.run import RecordReport

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
@option.as_one(
    "options",
    partial(RecordOptions, environ={}),
    option.choice(
        "--source",
        Source,
        Source.LIVE,
        "Who answers: the real providers, or scripted ones in their dialects.",
        callback=lambda _context, _option, name: Source(name),
    ),
    option.selection,
    option.flag("--missing", "Only what has no recording, or none that is live."),
    click.option(
        "--stale",
        "stale_days",
        type=option.WholeNumber(min=0),
        metavar="DAYS",
        help="Only what is missing, or this old or older.",
    ),
    option.flag("--dry-run", "Call nobody; say what would be called."),
    option.flag("--overwrite-live", "Let the simulator replace live or imported recordings."),
    option.flag(
        "--verify",
        "Write nothing; compare the shape of what comes with what is recorded. Words, ids, clocks and token "
        "counts take no part.",
    ),
    option.client(
        "reference", "The client that makes the calls; by default the project's reference.", "client"
    ),
    option.timeout(120.0),
)
@option.markdown_file
@option.json_file
def record(
    *, options: RecordOptions, providers: tuple[str, ...], scenarios: tuple[str, ...], dry_run: bool
) -> Exit:
    """Call the providers and keep what they send, byte by byte.

    Keys come from the environment or from .env and never reach a file. Providers without a key are skipped by
    name. Ctrl-C keeps what is done; --missing goes on from there. What takes the place of an older recording
    is compared with it by shape. With --verify the exit code is 1 where a client may notice a change, and 2
    where nothing could be learned: a refused key, say. A provider that is busy or broken is not a change.
    """
    from llm_contracts.drift.markdown import render_drift
    from llm_contracts.drift.report import DriftReport, RecordingState
    from llm_contracts.project.endpoint import overrides
    from llm_contracts.record.plan import plan
    from llm_contracts.record.run import record as run_record
    from llm_contracts.record.terminal import (
        plan_document,
        print_end,
        print_plan,
        print_takes,
        record_document,
    )
    from llm_contracts.util.terminal import echo, print_markdown, progress_bar

    for name, given in (("missing", options.missing), ("overwrite-live", options.overwrite_live)):
        if options.verify and given:
            raise ConfigError(f"--verify compares with what there is and writes nothing: leave out --{name}.")
    project = frame.project_here()
    # What was captured cannot be ordered: it is named only to whoever asks for it.
    rows = tuple(row for row in project.select(providers, scenarios) if scenarios or not row.captured)
    options = replace(options, environ=environment(project.settings, os.environ))
    options = _with_keys(project, rows, options, dry_run=dry_run)
    steps = plan(project, rows, options)
    if options.source is Source.LIVE:
        asked = {row.provider for row in rows}
        known = [each for each in project.providers if each.name in asked]
        for provider, sentence in overrides(known, options.environ).items():
            echo(f"{provider}: {sentence}.", err=True)
    secrets = frame.secrets_of(project)
    frame.warn_of_short_keys(secrets)
    if dry_run:
        frame.hand_over(plan_document(steps), lambda console: print_plan(console, steps))
        return Exit.AGREEMENT
    title = "verify" if options.verify else "record"
    with captured_stdout() as printed, progress_bar(title, len(steps)) as done:
        report = run_record(project, rows, options, progress=lambda take: done(take.scenario))
    for sentence in printed.sentences("The client"):
        echo(sentence, err=True)
    drift = DriftReport(
        what="Providers against their recordings" if options.verify else "New recordings against the old",
        compared=report.compared,
        today=options.now().date(),
        stale_after_days=project.settings.stale_after_days,
        nothing="nothing was compared." if options.verify else "nothing has changed.",
    )
    document = {**record_document(report), "drift": drift.document}
    page = render_drift(drift)

    def show(console: Console) -> None:
        print_takes(console, report)
        if options.verify or any(one.state is not RecordingState.NEW for one in drift.compared):
            print_markdown(console, page)
        print_end(console, report, verify=options.verify)

    frame.hand_over(document, show, secrets, page=page)
    return _exit_of(report, steps, options)


def _with_keys(
    project: Project, scenarios: Sequence[Scenario], options: RecordOptions, *, dry_run: bool
) -> RecordOptions:
    """A run that cannot call anybody is a misunderstanding, not one in which all was skipped; a dry run then
    plans as if every key were there.
    """
    from llm_contracts.project.endpoint import live_endpoint
    from llm_contracts.util.terminal import echo

    if not scenarios:
        raise ConfigError(
            "There is nothing to record but what was captured, which is captured anew: "
            "llm-contracts capture -- COMMAND"
        )
    providers = [project.provider(name) for name in dict.fromkeys(row.provider for row in scenarios)]
    if options.source is not Source.LIVE or any(live_endpoint(row, options.environ) for row in providers):
        return options
    names = [[name for name in (row.key_variable, row.second_key_variable) if name] for row in providers]
    one_of = f"{'one of ' if names[1:] else ''}{', '.join(map(' with '.join, names))}"
    keys = f"{one_of} in the environment or in .env"
    if not dry_run:
        raise ConfigError(
            f"No key is set, so nobody can be called. Set {keys}, or rehearse with --source simulator."
        )
    echo(f"No key is set; what follows would be called with all of them. Set {keys}.", err=True)
    made_up = {name: "none" for both in names for name in both}
    return replace(options, environ={**options.environ, **made_up})


def _exit_of(report: RecordReport, steps: Sequence[PlannedRecording], options: RecordOptions) -> Exit:
    """A busy provider is not drift. But what could not be looked at must not pass for unchanged; of those
    that are `stale` there may be none.
    """
    from llm_contracts.drift.report import RecordingState
    from llm_contracts.record.run import RecordOutcome

    if report.interrupted:
        return Exit.INTERRUPTED
    if any(step.broken for step in steps):
        return Exit.UNREADABLE
    failed = bool(report.with_outcome(RecordOutcome.FAILED))
    if not options.verify:
        return Exit.DIVERGENCE if failed else Exit.AGREEMENT
    if any(one.counts for one in report.compared):
        return Exit.DIVERGENCE
    if not report.compared and not failed and options.stale_days is None:
        return Exit.UNREADABLE
    learned = any(one.state is not RecordingState.UNVERIFIED for one in report.compared)
    failed = failed or any(one.lasting for one in report.compared)
    return Exit.AGREEMENT if not failed and (learned or not report.compared) else Exit.USAGE
