"""The streams of a corpus, each with the provider whose it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from llm_contracts.corpus import CorpusProblem, CorpusStream, Entry, read_corpus
from llm_contracts.corpus.judge import CHAT
from llm_contracts.project.scenario import Provider


def entries(
    source: Path, providers: Iterable[str] = (), *, known: Iterable[Provider] = ()
) -> tuple[CorpusStream | CorpusProblem, ...]:
    """What a file or folder holds; of these providers alone if any are named. Problems are always kept.

    A stream that comes from where one of the `known` providers answers is called by that one's name.
    """
    wanted = set(providers)
    return tuple(
        entry
        for entry in found_in(source, known)
        if isinstance(entry, CorpusProblem) or not wanted or entry.provider in wanted
    )


def found_in(source: Path, known: Iterable[Provider] = ()) -> Iterator[Entry]:
    """The same, one after the other, of all providers: a corpus may be larger than the memory."""
    rows = tuple(known)
    return (_named(entry, rows) for entry in read_corpus(source))


def _named(entry: CorpusStream | CorpusProblem, known: Iterable[Provider]) -> CorpusStream | CorpusProblem:
    if isinstance(entry, CorpusProblem):
        return entry
    owner = next((row for row in known if answers(row, entry.interaction.request.uri)), None)
    return entry if owner is None else replace(entry, provider=owner.name)


def answers(provider: Provider, uri: str) -> bool:
    """Whether an address is the one at which a provider answers; some do with and without `/v1`."""
    base, asked = urlsplit(provider.base_url), urlsplit(uri)
    paths = (base.path.rstrip("/").removesuffix("/v1"), asked.path.removesuffix(CHAT).removesuffix("/v1"))
    return base.hostname == asked.hostname and paths[0] == paths[1]


def concerns(entry: Entry) -> bool:
    """Whether an entry becomes an item."""
    return isinstance(entry, CorpusStream) or entry.why.damaged
