"""`llm-contracts corpus`."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import click

from llm_contracts import corpus_run
from llm_contracts.cli.crews import crew_for
from llm_contracts.cli.exits import Exit, exit_of
from llm_contracts.cli.options import json_option, match_options, project_here, run_options
from llm_contracts.cli.output import progress_bar, report_console, write_text
from llm_contracts.cli.stored import keeping, report_option, secrets_of
from llm_contracts.config import ConfigError, checked_name
from llm_contracts.store import packed
from llm_contracts.views.left_out import left_out_lines
from llm_contracts.views.terminal import print_result
from llm_contracts.wire.corpus import CorpusProblem, CorpusStream

_EXAMPLES = """\b
Examples:
  llm-contracts corpus ../real-streams
  llm-contracts corpus ../real-streams --reference openai --candidate litellm --json -
  llm-contracts corpus ../other-project/tests/cassettes --provider openai
  llm-contracts corpus browser.har --candidate litellm
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
@match_options
@report_option
@json_option
def corpus(source: Path, **given: Any) -> Exit:
    """Compare over streams recorded elsewhere.

    SOURCE is a file or a folder: index.jsonl (id, provider, file, status, content_type, url, request) with
    bodies beside it, cassettes of VCR and its relatives, or HAR files, anywhere below. What is no streamed
    chat completion is listed with its reason.
    """
    project = project_here()
    found = corpus_run.entries(source, known=project.providers)
    known = {entry.provider for entry in found if isinstance(entry, CorpusStream)}
    for name in given["providers"]:
        checked_name("provider in this corpus:", name, known)
    found = tuple(entry for entry in found if _wanted(entry, given["providers"]))
    if not any(isinstance(entry, CorpusStream) or entry.why.damaged for entry in found):
        raise ConfigError("\n".join([f"{source}: holds no streams.", *left_out_lines(_problems(found))]))
    options = run_options(given)
    place = corpus_run.corpus_place(project, options, packed)
    crew = crew_for(place, project, options, len(found))
    with progress_bar("corpus", len(found)) as done, keeping(given["report"], secrets_of(project)) as kept:
        result = corpus_run.check_corpus(
            project,
            found,
            options,
            waivers_file=given["waivers"],
            crew=crew,
            progress=kept.progress(done),
        )
    text = kept.finish(result)
    if given["json_file"] is not None:
        write_text(given["json_file"], text)
    if str(given["json_file"]) != "-":
        print_result(report_console(), result)
    return exit_of(result)


def _wanted(entry: CorpusStream | CorpusProblem, providers: Sequence[str]) -> bool:
    return isinstance(entry, CorpusProblem) or not providers or entry.provider in providers


def _problems(found: Iterable[CorpusStream | CorpusProblem]) -> list[CorpusProblem]:
    return [entry for entry in found if isinstance(entry, CorpusProblem)]
