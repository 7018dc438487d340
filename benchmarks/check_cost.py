"""What a check costs beyond the clients that it runs: against plain loops of the two bare clients.

The same recordings over the same edge in the same pieces, as many at a time, all in one process, counted as
processor time. The plain side runs openai twice and litellm once, reads every chunk, and looks at nothing.
The check plays to each of the two at least twice (the second run shows what does not even agree with itself),
runs in lockstep, observes, compares, stores each item and prints the result. Importing and starting are not
in it.

A check keeps its clients from reading the world's certificate authorities, which plain loops do not. What it
costs against loops that are kept from it, too, is shown beside.
"""

from __future__ import annotations

import io
import os
import time
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import islice
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.parse import urlsplit

from rich.console import Console

from benchmarks.measure import Figure, Size, figure, race
from llm_contracts.clients.builtin import litellm, openai
from llm_contracts.clients.tls import empty_ca_store
from llm_contracts.corpus import CorpusStream, read_corpus
from llm_contracts.project.config import Project, load_settings
from llm_contracts.project.recorded_call import stream_call
from llm_contracts.reporting.terminal import print_result
from llm_contracts.results.items import packed
from llm_contracts.results.writer import writing
from llm_contracts.run.check import context_for
from llm_contracts.run.options import IN_FLIGHT, Options
from llm_contracts.run.streams import check_corpus, entry_work, plain_address
from llm_contracts.run.workers.threads import alone
from llm_contracts.wire.proxy.playback_options import Fragmentation, PlaybackOptions
from llm_contracts.wire.proxy.server import Edge

_CASSETTES = Path("cassettes")
_STREAMS = {Size.QUICK: 12, Size.FULL: 48}
_ROUNDS = {Size.QUICK: 3, Size.FULL: 9}
_BARE = (openai, openai, litellm)


def run(size: Size) -> Iterable[Figure]:
    """Measure a check of a few recordings, and whether twice as many cost twice as much."""
    streams = recorded(_STREAMS[size])
    twice = (*streams, *(replace(stream, id=f"{stream.id}-again") for stream in streams))
    with TemporaryDirectory() as folder, Edge() as edge:
        contenders: dict[str, Callable[[], object]] = {
            "check": lambda: checked(streams, Path(folder)),
            "three plain loops": lambda: plain(edge, streams),
            "three with an empty CA store": lambda: with_empty_store(edge, streams),
            "check of twice as many": lambda: checked(twice, Path(folder)),
        }
        timed = race(contenders, rounds=_ROUNDS[size], clock=time.process_time)
    yield timed.ratio("check", "three plain loops", about="processor time", at_most=1.2)
    yield timed.ratio("check", "three with an empty CA store", about="processor time")
    yield timed.ratio("check of twice as many", "check", at_most=2.2)
    each = [seconds / len(streams) * 1000 for seconds in timed.seconds["check"]]
    yield figure("check, a recording", each, unit="ms")


def recorded(count: int) -> tuple[CorpusStream, ...]:
    """So many of the committed recordings that the bare clients understand, from all over the folder."""
    found = [entry for entry in read_corpus(_CASSETTES) if isinstance(entry, CorpusStream)]
    good = [entry for entry in found if entry.interaction.response.status == 200]  # noqa: PLR2004
    return tuple(islice(good[:: max(1, len(good) // count)], count))


def checked(streams: Sequence[CorpusStream], folder: Path) -> int:
    """Check them as the command does, without starting it; how many differ."""
    project = Project(settings=load_settings(Path("/")))
    options = Options(
        today=datetime.now(UTC).date(), reference="openai", candidate="litellm", jobs=1, timeout=30
    )
    workers = alone(context_for(project, options, entry_work, packed), project, IN_FLIGHT)
    with writing(folder, {}) as writer:
        result = check_corpus(project, streams, options, workers=workers, progress=writer.add)
    print_result(Console(file=io.StringIO(), width=120), result)
    return sum(bool(item.divergences) for item in result.items)


def plain(edge: Edge, streams: Sequence[CorpusStream]) -> int:
    """Read them with the bare clients, as many at a time as a check does; how many chunks came."""
    with ThreadPoolExecutor(IN_FLIGHT) as pool:
        return sum(pool.map(partial(_chunks, edge), streams))


def with_empty_store(edge: Edge, streams: Sequence[CorpusStream]) -> int:
    """The same with clients that are as quickly built as those of a check."""
    with empty_ca_store(os.environ):
        return plain(edge, streams)


def _chunks(edge: Edge, stream: CorpusStream) -> int:
    """What one recording gives, its bytes sent in the same pieces as in a check."""
    interaction = plain_address(stream.interaction)
    call = stream_call(stream.provider, interaction)
    chunks = 0
    for path in _BARE:
        with edge.replay((interaction,), PlaybackOptions(pieces=Fragmentation.EVENTS)) as session:
            here = replace(call, base_url=session.origin + urlsplit(call.base_url).path)
            with suppress(Exception):  # what a client does not understand ends its loop
                for _chunk in path(here):
                    chunks += 1
    return chunks
