"""`llm-contracts check`, with `--sweep` and `--cost`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from functools import partial
from typing import TYPE_CHECKING, Any

import click

from llm_contracts.cli import frame, option
from llm_contracts.cli.exit_codes import Exit, exit_of
from llm_contracts.cost.model import Measure
from llm_contracts.project.config import ConfigError, Project
from llm_contracts.run.engines import EngineName
from llm_contracts.run.shards import owned
from llm_contracts.sweep.variants import Family
from llm_contracts.util.files import write_text
from llm_contracts.util.stdout import captured_stdout

if TYPE_CHECKING:
    from pathlib import Path

    from llm_contracts.project.scenario import Scenario
    from llm_contracts.run.options import Options
    from llm_contracts.sweep.run import Extent

_SWEEP_RESULT = "sweep.json"
_ALL_FAMILIES = "all"
_MANY = 100  # recordings from which a sweep takes minutes


def _extent(*, sweep: str | None, every: bool) -> Extent | None:
    if sweep is None:
        if every:
            raise click.UsageError("--every goes with --sweep.")
        return None
    from llm_contracts.sweep.run import Extent

    return Extent(families=tuple(Family) if sweep == _ALL_FAMILIES else (Family(sweep),), every=every)


sweep_option = option.as_one(
    "extent",
    _extent,
    click.option(
        "--sweep",
        type=click.Choice([_ALL_FAMILIES, *map(str, Family)]),
        is_flag=False,
        flag_value=_ALL_FAMILIES,
        help="Vary each recording: in other pieces and other spellings (recut), ended too early (ends), "
        "with stalls, broken events and refusals (faults), or all of that. Takes minutes.",
    ),
    option.flag(
        "--every",
        "With --sweep: at every event and every byte, however long the recording. Takes hours for all.",
    ),
)
"""`--sweep` and `--every`: the command's `extent`, of type `Extent | None`."""


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


cost_option = option.as_one(
    "limits",
    _limits,
    option.flag(
        "--cost",
        "Measure afterwards what calls cost over either client: processor time per chunk and per call, "
        "time to the first delta, peak memory. Takes seconds a provider.",
    ),
    click.option(
        "--cost-at-most",
        multiple=True,
        type=_limit,
        shell_complete=option.complete_words(*(f"{name}=" for name in Measure)),
        metavar="MEASURE=RATIO",
        help="Exit code 1 if a call costs more than so many times what it does over the reference; implies "
        f"--cost. Measures: {', '.join(Measure)}. May be given several times.",
    ),
)
"""`--cost` and `--cost-at-most`: the command's `limits`, of type `Limits | None`."""


@click.command(epilog=_EXAMPLES)
@option.selection
@option.run
@option.report
@option.json_file
@sweep_option
@cost_option
@option.flag("--review", "Where something differs, go straight into `review`.")
def check(
    *,
    providers: tuple[str, ...],
    scenarios: tuple[str, ...],
    options: Options,
    report: Path | None,
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
    from llm_contracts.parity.verdict import led_to_folder, without_go
    from llm_contracts.project.inputs import changed_since, input_files
    from llm_contracts.reporting.terminal import print_result
    from llm_contracts.results.changes import changes_since
    from llm_contracts.results.items import packed
    from llm_contracts.results.writer import writing
    from llm_contracts.run import check as run
    from llm_contracts.run.merge import check_plan, part
    from llm_contracts.run.workers.threads import worker_pool
    from llm_contracts.util.terminal import progress_bar, report_console

    _refuse_stray_options(options, report, extent, limits, review=review, of_part=bool(scenarios))
    project = frame.project_here()
    rows = project.select(providers, scenarios)
    if not rows:
        which = "that" if providers or scenarios else "any provider, and no call was captured"
        raise ConfigError(
            f"There is nothing to check: {project.settings.scenarios} has no scenario for {which}."
        )
    secrets = frame.secrets_of(project)
    frame.warn_of_short_keys(secrets)
    for row in rows:
        frame.refuse_secrets_in(project.cassette(row), secrets)
    if extent is not None:
        return run_sweep(project, rows, options, extent, secrets, whole=not (providers or scenarios))
    folder = report or _folder(project, options, partial_run=bool(scenarios))
    crashes, count = list[str](), sum(owned(options.shard, row.name) for row in rows)
    context = run.context_for(project, options, run.scenario_work, packed)
    pool = worker_pool(context, project, count, died=crashes.append)
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
        # Who edits a file meanwhile gets no GO for what did not run.
        result = replace(result, warnings=writer.masked(warnings))
        result = without_go(result, changed_since(project.settings, inputs))
        if report is not None:  # the commands that it advises lead there
            result = led_to_folder(result, str(report))
        changes = changes_since(folder, result)
        names = [row.name for row in rows]
        extra = {} if options.shard is None else part(check_plan(project, options, began), names)
        extra |= {} if changes is None else {"changes": asdict(changes)}
        finish = partial(writer.finish, result, inputs=inputs, **extra)
        text, code = finish(), Exit.UNREADABLE if missing else exit_of(result)
        if not frame.json_takes_over():
            print_result(report_console(), result, {row.provider for row in project.scenarios}, changes)
        if limits is not None:
            cost, costs_code = _with_cost(project, rows, options, limits)
            text, code = finish(cost=cost), code or costs_code
    frame.write_json(text)
    if not review or code is not Exit.DIVERGENCE:
        return code
    from llm_contracts.cli.review import start_review  # 20 ms, which a check alone need not wait for

    return start_review(folder)


def _refuse_stray_options(
    options: Options,
    report: Path | None,
    extent: Extent | None,
    limits: Limits | None,
    *,
    review: bool,
    of_part: bool,
) -> None:
    if extent is not None and review:
        raise click.UsageError("--review does not go with --sweep: `review` shows the last check.")
    if review and (options.shard is not None or frame.json_takes_over() or (of_part and report is None)):
        raise click.UsageError(
            "--review needs a whole result to look at: without --shard and --json -, and with "
            "--report where --scenario is given."
        )
    if extent is not None and report is not None:
        raise click.UsageError("--report does not go with --sweep, which has ways of its own.")
    for name, given in (("sweep", extent), ("shard", options.shard)):
        if limits is not None and given is not None:
            raise click.UsageError(f"--cost does not go with --{name}. Measure in a run of its own.")


def _folder(project: Project, options: Options, *, partial_run: bool) -> Path | None:
    """Where the result is stored; None for a part, which must not replace the whole."""
    if options.shard is not None:
        return project.settings.report / options.shard.folder
    return None if partial_run else project.settings.report


def _with_cost(
    project: Project, scenarios: Sequence[Scenario], options: Options, limits: Limits
) -> tuple[Mapping[str, Any], Exit]:
    """Measure and print: the costs' document, and the exit code that they alone would earn."""
    from llm_contracts.cost.model import cost_document
    from llm_contracts.cost.run import CostPlan, measure
    from llm_contracts.cost.views import print_cost
    from llm_contracts.util.terminal import progress_bar, report_console

    count = len({row.provider for row in scenarios})
    with captured_stdout(), progress_bar("cost", count, still=True) as done:
        cost = measure(project, scenarios, options, CostPlan(at_most=limits), progress=done)
    if not frame.json_takes_over():
        print_cost(report_console(), cost)
    return cost_document(cost), Exit.DIVERGENCE if cost.exceeded else Exit.AGREEMENT


def run_sweep(
    project: Project,
    scenarios: Sequence[Scenario],
    options: Options,
    extent: Extent,
    secrets: Mapping[str, str],
    *,
    whole: bool,
) -> Exit:
    """Sweep these scenarios, and print what differs. A sweep of the `whole` project is stored, apart from the
    result of a check.

    Raises:
        UsageError: an option of a plain check, which means nothing here.
        SecretFound: a secret is in the result; nothing is written.
    """
    from llm_contracts.project.inputs import input_files
    from llm_contracts.results.document import to_document
    from llm_contracts.sweep.run import sweep
    from llm_contracts.sweep.terminal import print_sweep
    from llm_contracts.util.terminal import echo, progress_bar

    if options.engine is not EngineName.WIRE:
        raise click.UsageError("--sweep needs the wire engine: the other one knows neither pieces nor ends.")
    for name in ("pieces", "speed", "shard"):
        if getattr(options, name) is not None:
            raise click.UsageError(f"--{name} does not go with --sweep, which has ways of its own.")
    recorded = sum(project.cassette(scenario).is_file() for scenario in scenarios)
    if recorded > _MANY or extent.every:
        echo(
            f"{recorded} recordings, each in many variants: this takes minutes"
            f"{' to hours' if extent.every else ''}. --provider and --scenario narrow it.",
            err=True,
        )
    with captured_stdout() as printed, progress_bar("sweep", recorded, "starting the clients") as done:
        result = sweep(project, scenarios, options, extent, progress=lambda name, _count: done(name))
    result = replace(result, warnings=(*result.warnings, *printed.sentences("A client")))
    families = [*extent.families]
    document = to_document(
        result,
        sweep=_ALL_FAMILIES if len(families) > 1 else str(families[0]),
        every=extent.every,
        checked_at=frame.now(),
        inputs=input_files(project.settings),
    )
    frame.hand_over(document, lambda console: print_sweep(console, result), secrets)
    if whole:
        write_text(project.settings.report / _SWEEP_RESULT, frame.json_lines(document))
    return exit_of(result)
