"""`llm-contracts check`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from llm_contracts.cli.exit_codes import Exit, exit_of
from llm_contracts.cli.options import (
    complete_words,
    flag_option,
    json_option,
    options_as,
    project_here,
    refuse_secrets_in,
    report_option,
    run_options,
    secrets_of,
    selection_options,
    warn_of_short_keys,
)
from llm_contracts.cli.sweep import run_sweep, sweep_option
from llm_contracts.cost.model import Measure
from llm_contracts.project.config import ConfigError, Project
from llm_contracts.run.shards import owned
from llm_contracts.util.files import write_text
from llm_contracts.util.stdout import captured_stdout

if TYPE_CHECKING:
    from pathlib import Path

    from llm_contracts.parity.result import Result
    from llm_contracts.project.scenario import Scenario
    from llm_contracts.run.options import Options
    from llm_contracts.sweep.run import Extent

_EXAMPLES = """\b
Examples:
  llm-contracts check
  llm-contracts check --review
  llm-contracts check --provider deepseek --json -
  llm-contracts check --scenario plain-stream --reference openai --candidate litellm
  llm-contracts check --candidate mycompany.client:stream --engine vcr
  llm-contracts check --sweep ends --provider deepseek
  llm-contracts check --provider openai --cost-at-most cpu_per_chunk=2.0
"""


Limits = Mapping[Measure, float]
"""The highest allowed ratio of each measure; empty if costs are only to be measured."""


def _limit(text: str) -> tuple[Measure, float]:
    """The measure and the number of `MEASURE=RATIO`."""
    name, _, number = text.partition("=")
    if name not in list(Measure):
        known = f"name one of {', '.join(Measure)}, as in {Measure.CPU_PER_CHUNK}=2.0."
        raise click.BadParameter(f"{text!r}: {known}")
    try:
        ratio = float(number)
    except ValueError:
        ratio = 0.0
    if not 0 < ratio < float("inf"):
        raise click.BadParameter(f"{text!r}: after the = goes a ratio, such as 2.0.")
    return Measure(name), ratio


def _limits(*, cost: bool, cost_at_most: tuple[tuple[Measure, float], ...]) -> Limits | None:
    return dict(cost_at_most) if cost or cost_at_most else None


cost_option = options_as(
    "limits",
    _limits,
    flag_option(
        "--cost",
        "Measure afterwards what calls cost over either client: processor time per chunk and per call, "
        "time to the first delta, peak memory. Takes seconds a provider.",
    ),
    click.option(
        "--cost-at-most",
        multiple=True,
        type=_limit,
        shell_complete=complete_words(*(f"{name}=" for name in Measure)),
        metavar="MEASURE=RATIO",
        help="Exit code 1 if a call costs more than so many times what it does over the reference; implies "
        f"--cost. Measures: {', '.join(Measure)}. May be given several times.",
    ),
)
"""`--cost` and `--cost-at-most`: the command's `limits`, of type `Limits | None`."""


@click.command(epilog=_EXAMPLES)
@selection_options
@run_options
@report_option
@json_option
@sweep_option
@cost_option
@flag_option("--review", "Where something differs, go straight into `review`.")
def check(
    *,
    providers: tuple[str, ...],
    scenarios: tuple[str, ...],
    options: Options,
    report: Path | None,
    json_file: Path | None,
    extent: Extent | None,
    limits: Limits | None,
    review: bool,
) -> Exit:
    """Replay every recording through both clients and compare.

    Prints the table, what has to be decided, and a verdict per provider; leaves the whole result in
    report/. A part of the scenarios (--scenario) gives no verdict and is stored only where --report says;
    one of several machines' parts (--shard) is stored in a folder of its own, for `report --merge`.
    A sweep of all recordings is kept in report/sweep.json; it gives no verdict.
    """
    from llm_contracts.project.inputs import changed_since, input_files
    from llm_contracts.reporting.terminal import print_result
    from llm_contracts.results.changes import changes_since
    from llm_contracts.results.items import packed
    from llm_contracts.results.writer import writing
    from llm_contracts.run import check as run
    from llm_contracts.run.merge import check_plan, part
    from llm_contracts.run.workers.threads import worker_pool
    from llm_contracts.util.terminal import progress_bar, report_console

    if extent is not None and review:
        raise click.UsageError("--review does not go with --sweep: `review` shows the last check.")
    _refuse_stray_options(options, report, extent, limits)
    project = project_here()
    rows = project.select(providers, scenarios)
    if not rows:
        which = "that" if providers or scenarios else "any provider, and no call was captured"
        raise ConfigError(
            f"There is nothing to check: {project.settings.scenarios} has no scenario for {which}."
        )
    secrets = secrets_of(project)
    warn_of_short_keys(secrets)
    for row in rows:
        refuse_secrets_in(project.cassette(row), secrets)
    if extent is not None:
        return run_sweep(
            project, rows, options, extent, json_file, secrets, whole=not (providers or scenarios)
        )
    folder = report or _folder(project, options, partial_run=bool(scenarios))
    if review and (folder is None or options.shard is not None or str(json_file) == "-"):
        raise click.UsageError(
            "--review needs a whole result to look at: without --shard and --json -, and with "
            "--report where --scenario is given."
        )
    crashes, count = list[str](), sum(owned(options.shard, row.name) for row in rows)
    context = run.scenario_context(project, options, packed)
    pool = worker_pool(context, project, options, count, died=crashes.append)
    quiet = str(json_file) == "-"
    with writing(folder, secrets) as writer:
        began = input_files(project.settings)
        with captured_stdout() as printed, progress_bar("check", count, "starting the clients") as done:
            result = run.check(project, rows, options, workers=pool, progress=writer.reporting(done))
        missing = run.without_recording(project, rows, (*providers, *scenarios)) if result.items else ()
        warnings = (*result.warnings, *crashes, *printed.sentences("A client"), *missing)
        inputs = {  # as they were when the run began
            **input_files(project.settings, (result.reference, result.candidate)),
            **writer.code,
            **began,
        }
        result = _finished(result, writer.masked(warnings), report, changed_since(project.settings, inputs))
        names = [row.name for row in rows]
        extra = {} if options.shard is None else part(check_plan(project, options, began), names)
        changes = changes_since(folder, result)
        extra |= {} if changes is None else {"changes": asdict(changes)}
        finish = partial(writer.finish, result, inputs=inputs, **extra)
        text, code = finish(), Exit.UNREADABLE if missing else exit_of(result)
        if not quiet:
            print_result(report_console(), result, {row.provider for row in project.scenarios}, changes)
        if limits is not None:
            cost, costs_code = _with_cost(project, rows, options, limits, quiet=quiet)
            text, code = finish(cost=cost), code or costs_code
    if json_file is not None:
        write_text(json_file, text)
    return _review(folder) if review and code is Exit.DIVERGENCE else code


def _finished(
    result: Result, warnings: tuple[str, ...], report: Path | None, changed: Sequence[str]
) -> Result:
    """The result with all warnings, and commands that lead to it where somebody chose the folder. Who edits a
    file meanwhile gets no GO for what did not run.
    """
    from llm_contracts.parity.verdict import led_to_folder, without_go

    result = without_go(replace(result, warnings=warnings), changed)
    return result if report is None else led_to_folder(result, str(report))


def _review(folder: Path | None) -> Exit:
    from llm_contracts.cli.review import start_review  # 20 ms, which a check alone need not wait for

    return start_review(folder)


def _refuse_stray_options(
    options: Options, report: Path | None, extent: Extent | None, limits: Limits | None
) -> None:
    if extent is not None and report is not None:
        raise click.UsageError("--report does not go with --sweep, which has ways of its own.")
    for option, given in (("sweep", extent), ("shard", options.shard)):
        if limits is not None and given is not None:
            raise click.UsageError(f"--cost does not go with --{option}. Measure in a run of its own.")


def _folder(project: Project, options: Options, *, partial_run: bool) -> Path | None:
    """Where the result is stored; None for a part, which must not replace the whole."""
    if options.shard is not None:
        return project.settings.report / options.shard.folder
    return None if partial_run else project.settings.report


def _with_cost(
    project: Project, scenarios: Sequence[Scenario], options: Options, limits: Limits, *, quiet: bool
) -> tuple[Mapping[str, Any], Exit]:
    """Measure, and print unless `quiet`: their document, and the exit code that they alone would earn."""
    from llm_contracts.cost.model import cost_document
    from llm_contracts.cost.run import measure_with_limits
    from llm_contracts.cost.views import print_cost
    from llm_contracts.util.terminal import progress_bar, report_console

    count = len({row.provider for row in scenarios})
    with captured_stdout(), progress_bar("cost", count, still=True) as done:
        cost = measure_with_limits(project, scenarios, options, limits, progress=done)
    if not quiet:
        print_cost(report_console(), cost)
    return cost_document(cost), Exit.DIVERGENCE if cost.exceeded else Exit.AGREEMENT
