"""The same comparison over streams that others recorded."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from llm_contracts.corpus import CorpusProblem, CorpusStream, Entry, concerns
from llm_contracts.parity.result import Item, Result
from llm_contracts.parity.verdict import decide_streams
from llm_contracts.project.config import Project
from llm_contracts.project.recorded_call import stream_call
from llm_contracts.run.check import Progress, context_for, gathered, project_waivers, without_verdicts
from llm_contracts.run.not_offered import as_not_offered, asks_otherwise, refusal
from llm_contracts.run.options import Options
from llm_contracts.run.pairing import Pairing
from llm_contracts.run.workers.threads import Work, WorkerPool, alone
from llm_contracts.wire.interaction import Interaction


def check_corpus(
    project: Project,
    corpus: Iterable[Entry],
    options: Options,
    *,
    waivers_file: Path | None = None,
    workers: WorkerPool | None = None,
    progress: Progress = lambda _done: None,
) -> Result:
    """Run every stream through both clients and judge what differs.

    Args:
        project: whose paths may be used. It need not have scenarios.
        corpus: see `entries`; taken as workers get free. What is damaged becomes an item with a
            `problem`; what does not concern us is left out by name.
        options: how to run.
        waivers_file: decisions about this corpus; those that accept nothing are complaints. Without it the
            project's own waivers apply, which need not fit every corpus.
        workers: who does it; by default this process, and then items have everything in them.
        progress: told of each item.

    Raises:
        ClientError: a client's name is unknown.
        WaiverError: a waivers file cannot be read.
    """
    project_waivers(project, options, waivers_file)  # what is wrong with them is said before anything runs
    workers = workers or alone(context_for(project, options, entry_work), project, options.workers)
    left_out: list[CorpusProblem] = []

    def tasks() -> Iterator[Entry]:
        for entry in corpus:
            if isinstance(entry, CorpusProblem):
                left_out.append(entry)
            if concerns(entry):
                yield entry

    items = gathered(workers(tasks()), progress)
    return concluded_corpus(project, items, left_out, options, waivers_file=waivers_file)


def entry_work(_project: Project, match: Pairing) -> Work:
    """Runs streams; a task is an entry of a corpus."""
    return partial(run_entry, match)


def concluded_corpus(
    project: Project,
    items: tuple[Item, ...],
    left_out: Iterable[CorpusProblem],
    options: Options,
    *,
    waivers_file: Path | None = None,
) -> Result:
    """What these items mean: waivers applied, and a verdict for each provider.

    Raises:
        WaiverError: a waivers file cannot be read.
    """
    waivers = project_waivers(project, options, waivers_file)
    result = without_verdicts(project, items, options, waivers, left_out)
    if options.shard:
        return result
    useless = waivers.unused(result.items, result.versions) if waivers_file else ()
    streams = [item for item in result.items if item.problem is None]
    known = {row.name for row in project.providers}
    names = dict.fromkeys(item.provider for item in streams)
    return replace(
        result,
        verdicts={name: decide_streams(name, streams, known=name in known) for name in names},
        complaints=(*result.complaints, *useless),
    )


def run_entry(match: Pairing, entry: CorpusStream | CorpusProblem) -> Item:
    """Run one stream."""
    if isinstance(entry, CorpusProblem):
        return Item(id=entry.place, provider="", scenario="", problem=f"{entry.place}: {entry.reason}")
    blank = Item(id=entry.id, provider=entry.provider, scenario=entry.id, provenance=entry.provenance)
    interaction = plain_address(entry.interaction)
    call = stream_call(entry.provider, interaction, match.protocols)
    item = match.run(blank, (interaction,), call)
    said = refusal(item) or asks_otherwise(item, call)
    return item if said is None else as_not_offered(blank, entry.place, f"{said}.")


def plain_address(interaction: Interaction) -> Interaction:
    """The same exchange at an address without a query: a client given a base URL cannot be made to send one,
    and some hosts put their API version there.
    """
    uri = urlsplit(interaction.request.uri)._replace(query="", fragment="").geturl()
    return replace(interaction, request=replace(interaction.request, uri=uri))
