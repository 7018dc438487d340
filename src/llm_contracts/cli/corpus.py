"""`llm-contracts corpus`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import click

from llm_contracts.cli import frame, option
from llm_contracts.cli.exit_codes import Exit, exit_of
from llm_contracts.cli.paths import InputPath
from llm_contracts.project.config import ConfigError, checked_name
from llm_contracts.run.options import Options
from llm_contracts.run.shards import owned
from llm_contracts.util.stdout import captured_stdout

_EXAMPLES = """\b
Examples:
  llm-contracts corpus ../real-streams
  llm-contracts corpus ../real-streams --reference openai --candidate litellm --json -
  llm-contracts corpus ../other-project/tests/cassettes --provider openai
  llm-contracts corpus browser.har --candidate litellm
  llm-contracts corpus ../twenty-thousand --continue
  llm-contracts corpus ../twenty-thousand --shard 1/4
  llm-contracts corpus ../twenty-thousand --cluster tcp://scheduler:8786
"""


@click.command(epilog=_EXAMPLES)
@click.argument("source", metavar="SOURCE", type=InputPath())
@option.provider("Only streams of this provider")
@click.option(
    "--waivers",
    type=InputPath(dir_okay=False),
    metavar="FILE",
    help="Accepted differences for this corpus, in place of the project's.",
)
@click.option(
    "--continue",
    "go_on",
    is_flag=True,
    help="Go on with a run that was stopped: what it had finished is not run again.",
)
@option.run
@click.option(
    "--cluster",
    metavar="ADDRESS|local",
    help="Run on a Dask cluster, by its scheduler's address (tcp://host:8786), or on one that is started on "
    "this machine. Needs the extra llm-contracts[cluster].",
)
@option.report
@option.json_file
def corpus(
    source: Path,
    *,
    providers: tuple[str, ...],
    waivers: Path | None,
    go_on: bool,
    options: Options,
    cluster: str | None,
    report: Path | None,
) -> Exit:
    """Compare over streams recorded elsewhere.

    SOURCE is a file or a folder: index.jsonl (id, provider, file, status, content_type, url, request) with
    bodies beside it, cassettes of VCR and its relatives, or HAR files, anywhere below. What is not a
    call of a model is listed with its reason.

    The result is kept in report/corpus, each stream as it finishes: what was stopped can be continued.
    """
    from llm_contracts.corpus import name_of, survey
    from llm_contracts.parity.verdict import led_to_folder
    from llm_contracts.reporting.answer import left_out_lines
    from llm_contracts.reporting.terminal import print_result
    from llm_contracts.results.items import DRAFT, packed
    from llm_contracts.results.writer import writing
    from llm_contracts.run.check import context_for
    from llm_contracts.run.merge import corpus_plan, part
    from llm_contracts.run.streams import check_corpus, entry_work
    from llm_contracts.run.workers.threads import continuing, worker_pool
    from llm_contracts.util.terminal import echo, progress_bar

    project = frame.project_here(needed=False)
    with progress_bar("reading", None) as read:
        found = survey(source, known=project.providers, providers=providers, progress=read)
    for name in providers:
        checked_name("provider in this corpus:", name, found.providers)
    if not found.count:
        raise ConfigError("\n".join([f"{source}: holds no streams.", *left_out_lines(found.problems)]))
    own_folder = project.settings.report / "corpus"
    folder = report or (own_folder if options.shard is None else own_folder / options.shard.folder)
    plan = corpus_plan(project, options, found.digest, waivers)
    own = [name for name in found.names if owned(options.shard, name)]
    context = context_for(project, options, entry_work, packed)
    crashes: list[str] = []
    pool = worker_pool(context, project, len(own), died=crashes.append, cluster=cluster)
    entries = (entry for entry in found.entries() if owned(options.shard, name_of(entry)))
    with writing(folder, frame.secrets_of(project), plan=plan, resume=go_on) as writer:
        workers = pool if writer.resumed is None else continuing(pool, writer.resumed)
        with captured_stdout() as printed, progress_bar("corpus", len(own), "starting the clients") as done:
            try:
                result = check_corpus(
                    project,
                    entries,
                    options,
                    waivers_file=waivers,
                    workers=workers,
                    progress=writer.reporting(done),
                )
            except KeyboardInterrupt:
                shown = project.settings.shown(folder / DRAFT)
                finished = f"Stopped. What was finished is in {shown}"
                echo(f"{finished}: the same command with --continue goes on.", err=True)
                raise
        warnings = (*result.warnings, *crashes, *printed.sentences("A client"))
        result = replace(result, warnings=writer.masked(warnings))
        result = led_to_folder(result, project.settings.shown(folder), corpus=True)
        text = writer.finish(result, **({} if options.shard is None else part(plan, found.names)))
    frame.hand_over(text, lambda console: print_result(console, result))
    # Of a shard the others may have been compared.
    return Exit.USAGE if not result.items and options.shard is None else exit_of(result)
