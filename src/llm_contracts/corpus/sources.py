"""The streams of a corpus, each with the provider whose it is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

from llm_contracts.corpus import CorpusStream, Entry, read_corpus
from llm_contracts.corpus.judge import CHAT
from llm_contracts.project.scenario import Provider


def found_in(source: Path, known: Iterable[Provider] = ()) -> Iterator[Entry]:
    """What a file or folder holds, one entry after the other: a corpus may be larger than the memory.

    A stream that comes from where one of the `known` providers answers is called by that one's name.
    """
    rows = tuple(known)
    for entry in read_corpus(source):
        if isinstance(entry, CorpusStream):
            uri = entry.interaction.request.uri
            owner = next((row.name for row in rows if answers(row, uri)), entry.provider)
            yield replace(entry, provider=owner)
        else:
            yield entry


def answers(provider: Provider, uri: str) -> bool:
    """Whether an address is the one at which a provider answers; some do with and without `/v1`."""
    base, asked = urlsplit(provider.base_url), urlsplit(uri)
    paths = (base.path.rstrip("/").removesuffix("/v1"), asked.path.removesuffix(CHAT).removesuffix("/v1"))
    return base.hostname == asked.hostname and paths[0] == paths[1]


def concerns(entry: Entry) -> bool:
    """Whether an entry becomes an item."""
    return isinstance(entry, CorpusStream) or entry.why.damaged
