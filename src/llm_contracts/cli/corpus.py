"""`llm-contracts corpus`."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import click

from llm_contracts.cli.exit_codes import Exit, exit_of
from llm_contracts.cli.options import json_option, match_options, project_here, run_options, shard_option
from llm_contracts.cli.stored import report_option, secrets_of
from llm_contracts.cli.workers import cluster_option, crew_for
from llm_contracts.corpus.survey import Survey, name_of, survey
from llm_contracts.project.config import ConfigError, Project, checked_name
from llm_contracts.reporting.left_out import left_out_lines
from llm_contracts.reporting.terminal import print_result
from llm_contracts.results.items import DRAFT, packed
from llm_contracts.results.writer import writing
from llm_contracts.run import streams as corpus_run
from llm_contracts.run.check import Options
from llm_contracts.run.merge import corpus_plan, part
from llm_contracts.run.resume import continuing
from llm_contracts.run.shards import owned
from llm_contracts.util.files import write_text
from llm_contracts.util.terminal import progress_bar, report_console

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
@click.argument("source", metavar="SOURCE", type=click.Path(exists=True, path_type=Path))
@click.option(
    "--provider",
    "providers",
    multiple=True,
    metavar="NAME",
    help="Only streams of this provider; may be given several times.",
)
@click.option(
    "--waivers",
    type=click.Path(exists=True, dir_okay=False, path_type=Path),
    metavar="FILE",
    help="Accepted differences for this corpus, in place of the project's.",
)
@click.option(
    "--continue",
    "go_on",
    is_flag=True,
    help="Go on with a run that was stopped: what it had finished is not run again.",
)
@match_options
@shard_option
@cluster_option
@report_option
@json_option
def corpus(source: Path, **given: Any) -> Exit:
    """Compare over streams recorded elsewhere.

    SOURCE is a file or a folder: index.jsonl (id, provider, file, status, content_type, url, request) with
    bodies beside it, cassettes of VCR and its relatives, or HAR files, anywhere below. What is no streamed
    chat completion is listed with its reason.

    The result is kept in report/corpus, each stream as it finishes: what was stopped can be continued.
    """
    project, options = project_here(needed=False), run_options(given)
    with progress_bar("reading", None) as read:
        found = survey(source, known=project.providers, providers=given["providers"], progress=read)
    for name in given["providers"]:
        checked_name("provider in this corpus:", name, found.providers)
    if not found.count:
        raise ConfigError("\n".join([f"{source}: holds no streams.", *left_out_lines(found.problems)]))
    return _compared(project, found, options, given)


def _compared(project: Project, found: Survey, options: Options, given: Mapping[str, Any]) -> Exit:
    folder = given["report"] or _folder(project, options)
    plan = corpus_plan(project, options, found.digest, given["waivers"])
    mine = [name for name in found.names if owned(options.shard, name)]
    place = corpus_run.corpus_place(project, options, packed)
    deaths: list[str] = []
    crew = crew_for(place, project, options, len(mine), died=deaths.append, cluster=given["cluster"])
    with writing(folder, secrets_of(project), plan=plan, resume=given["go_on"]) as writer:
        with progress_bar("corpus", len(mine)) as done, _way_on(folder, project):
            result = corpus_run.check_corpus(
                project,
                (entry for entry in found.entries() if owned(options.shard, name_of(entry))),
                options,
                waivers_file=given["waivers"],
                crew=crew if writer.resumed is None else continuing(crew, writer.resumed),
                progress=writer.reporting(done),
            )
        result = replace(result, warnings=(*result.warnings, *deaths))
        text = writer.finish(result, **({} if options.shard is None else part(plan, found.names)))
    if given["json_file"] is not None:
        write_text(given["json_file"], text)
    if str(given["json_file"]) != "-":
        print_result(report_console(), result)
    return exit_of(result)


def _folder(project: Project, options: Options) -> Path:
    whole = project.settings.report / "corpus"
    return whole if options.shard is None else whole / options.shard.folder


@contextmanager
def _way_on(folder: Path, project: Project) -> Iterator[None]:
    """Who stops a long run is told how to go on with it."""
    try:
        yield
    except KeyboardInterrupt:
        shown = project.settings.shown(folder / DRAFT)
        click.echo(
            f"Stopped. What was finished is in {shown}: the same command with --continue goes on.", err=True
        )
        raise
