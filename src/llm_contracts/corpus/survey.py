"""What a corpus holds, read once before anything runs: it may be larger than the memory."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from urllib.parse import urlsplit

from llm_contracts.corpus import CorpusProblem, CorpusStream, Entry, read_corpus
from llm_contracts.corpus.judge import CHAT
from llm_contracts.project.scenario import Provider

_SMALL = 64_000_000  # bytes of bodies that are kept, so that small corpora are read once only


@dataclass(frozen=True, kw_only=True, slots=True)
class Survey:
    """A corpus, its bodies left out.

    Attributes:
        names: of each entry in its order, the id of the stream, or the place of what is not a stream.
        digest: of all entries with their bytes: two machines have the same corpus if these are the same.
        providers: whose streams there are, left out or not.
        problems: what cannot be used.
        count: how many entries become items.
        entries: all of them, read anew if they do not fit into memory.
    """

    names: tuple[str, ...]
    digest: str
    providers: frozenset[str]
    problems: tuple[CorpusProblem, ...]
    count: int
    entries: Callable[[], Iterable[Entry]]


def survey(
    source: Path,
    *,
    known: Collection[Provider] = (),
    providers: Collection[str] = (),
    progress: Callable[[str], None] = lambda _name: None,
) -> Survey:
    """Read a corpus once.

    Args:
        source: a file or a folder.
        known: see `found_in`.
        providers: only streams of these; of all, if none is named.
        progress: called with each entry's name.
    """

    def wanted() -> Iterator[Entry]:
        for entry in found_in(source, known):
            if isinstance(entry, CorpusStream):
                answering.add(entry.provider)
            if isinstance(entry, CorpusProblem) or not providers or entry.provider in providers:
                yield entry

    answering: set[str] = set()
    names: list[str] = []
    digest = hashlib.sha256()
    problems: list[CorpusProblem] = []
    kept: list[Entry] = []
    size = count = 0
    for entry in wanted():
        names.append(name_of(entry))
        digest.update(hashlib.sha256(repr(entry).encode("utf-8", "surrogatepass")).digest())
        count += concerns(entry)
        if isinstance(entry, CorpusProblem):
            problems.append(entry)
        else:
            size += len(entry.interaction.response.body)
        kept.append(entry)
        if size > _SMALL:
            kept.clear()
        progress(names[-1])
    return Survey(
        names=tuple(names),
        digest=digest.hexdigest()[:16],
        providers=frozenset(answering),
        problems=tuple(problems),
        count=count,
        entries=lambda: kept if size <= _SMALL else wanted(),
    )


def name_of(entry: Entry) -> str:
    """What an entry is known by: it decides about its shard."""
    return entry.id if isinstance(entry, CorpusStream) else entry.place


def found_in(source: Path, known: Iterable[Provider] = ()) -> Iterator[Entry]:
    """What a file or folder holds, one entry after the other: a corpus may be larger than the memory.

    A stream that comes from where one of the `known` providers answers is called by that one's name.
    """
    rows = tuple(known)
    for entry in read_corpus(source):
        if isinstance(entry, CorpusStream):
            uri = entry.interaction.request.uri
            owner = next((row.name for row in rows if answers(row, uri)), entry.provider)
            entry = replace(entry, provider=owner)  # noqa: PLW2901 - the same, named
        yield entry


def answers(provider: Provider, uri: str) -> bool:
    """Whether an address is the one at which a provider answers; some do with and without `/v1`."""
    base, asked = urlsplit(provider.base_url), urlsplit(uri)
    paths = (base.path.rstrip("/").removesuffix("/v1"), asked.path.removesuffix(CHAT).removesuffix("/v1"))
    return base.hostname == asked.hostname and paths[0] == paths[1]


def concerns(entry: Entry) -> bool:
    """Whether an entry becomes an item."""
    return isinstance(entry, CorpusStream) or entry.why.damaged
