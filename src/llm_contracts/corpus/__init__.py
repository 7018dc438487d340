"""Streams that others recorded: raw bodies with an index, cassettes of VCR and its relatives, HAR files.

Nothing is left out in silence: whatever cannot be used comes out as a `CorpusProblem` that names its place. A
corpus is surveyed before anything runs: it may be larger than the memory.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from llm_contracts.corpus.document import read_document
from llm_contracts.corpus.entries import (
    CorpusProblem,
    CorpusStream,
    Entry,
    ProblemKind,
    UnreadableError,
)
from llm_contracts.corpus.har import is_har, read_har
from llm_contracts.corpus.index import INDEX, read_index
from llm_contracts.corpus.judge import CHAT, judged, read_each, require_call
from llm_contracts.corpus.vcr import is_cassette, read_cassette
from llm_contracts.project.scenario import Provider
from llm_contracts.util.files import files_below
from llm_contracts.wire.cassette import CassetteError, load
from llm_contracts.wire.cassette.model import Provenance
from llm_contracts.wire.interaction import Interaction

__all__ = ["CorpusProblem", "CorpusStream", "Entry", "ProblemKind", "read_corpus", "survey"]

_SMALL = 64_000_000  # bytes of bodies that are kept, so that small corpora are read once only
_SUFFIXES = frozenset({".yaml", ".yml", ".json", ".har", ".toml"})


@dataclass(kw_only=True, slots=True)
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

    names: list[str] = field(default_factory=list)
    digest: str = ""
    providers: set[str] = field(default_factory=set)
    problems: list[CorpusProblem] = field(default_factory=list)
    count: int = 0
    entries: Callable[[], Iterable[Entry]] = tuple


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
                found.providers.add(entry.provider)
            if isinstance(entry, CorpusProblem) or not providers or entry.provider in providers:
                yield entry

    found, digest, size = Survey(), hashlib.sha256(), 0
    kept: list[Entry] = []
    for entry in wanted():
        found.names.append(name_of(entry))
        digest.update(hashlib.sha256(repr(entry).encode("utf-8", "surrogatepass")).digest())
        found.count += concerns(entry)
        if isinstance(entry, CorpusProblem):
            found.problems.append(entry)
        else:
            size += len(entry.interaction.response.body)
        kept.append(entry)
        if size > _SMALL:
            kept.clear()
        progress(found.names[-1])
    found.digest = digest.hexdigest()[:16]
    found.entries = (lambda: kept) if size <= _SMALL else wanted
    return found


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


def read_corpus(source: Path) -> Iterator[Entry]:
    """All streams of a file or a folder, in the order of its index, or of its files' names.

    A folder is searched to its depths, hidden folders excepted. Names and sentences are single lines that can
    be printed: a corpus is other people's.
    """
    from llm_contracts.util.terminal import one_line  # a stored result needs this package, and not rich

    seen: set[str] = set()
    for entry in _entries(source):
        problem = isinstance(entry, CorpusProblem)
        names = ("place", "reason") if problem else ("id", "provider", "place", "recorder")
        found: Entry = replace(cast("Any", entry), **{name: one_line(getattr(entry, name)) for name in names})
        if isinstance(found, CorpusStream) and found.id in seen:
            reason = f"has the id {found.id}, which occurs twice. Give each stream an id of its own."
            yield CorpusProblem(place=found.place, reason=reason, why=ProblemKind.DUPLICATE)
            continue
        if isinstance(found, CorpusStream):
            seen.add(found.id)
        yield found


def recording_files(source: Path) -> Iterator[Path]:
    """The file itself; of a folder its index alone, or else all in its depths that may be recordings."""
    if source.is_file():
        yield source
    elif (source / INDEX).is_file():
        yield source / INDEX
    else:
        yield from (path for path in _visible(source) if _suffix(path) in _SUFFIXES)


def _entries(source: Path) -> Iterator[Entry]:
    files = list(recording_files(source))
    if not files:
        reason = f"holds neither {INDEX} nor cassettes nor HAR files. Check the name."
        yield CorpusProblem(place=str(source), reason=reason)
    for path in files:
        folder = source if source.is_dir() else source.parent
        yield from read_index(path) if path.name == INDEX else _file(path, folder)
    if source.is_file() or (source / INDEX) in files:
        return
    others = Counter(path.suffix or path.name for path in _visible(source) if _suffix(path) not in _SUFFIXES)
    for name, count in sorted(others.items()):
        what = f"{count} file{'s' if count > 1 else ''} named *{name}"
        reason = f"holds {what}, which no recorder known here writes: not looked at."
        yield CorpusProblem(place=str(source), reason=reason, why=ProblemKind.NOT_A_RECORDING)


def _visible(folder: Path) -> list[Path]:
    """The files in the depths of a folder, hidden ones and those of hidden folders excepted."""
    return sorted(
        path
        for path in files_below(folder)
        if path.is_file() and not any(part.startswith(".") for part in path.relative_to(folder).parts)
    )


def _suffix(path: Path) -> str:
    """The last suffix, or the one before `.gz`."""
    return (path.with_suffix("") if path.suffix == ".gz" else path).suffix.lower()


def _file(path: Path, folder: Path) -> Iterator[Entry]:
    name = path.relative_to(folder).as_posix().removesuffix(".gz")
    name = name.removesuffix(Path(name).suffix)
    for found in _exchanges(path):
        place = f"{path}: {found.place}" if found.place else str(path)
        if isinstance(found, CorpusStream):
            yield replace(found, place=place, id=f"{name}#{found.id}" if found.id else name)
        else:
            yield replace(found, place=place)


def _exchanges(path: Path) -> Iterator[Entry]:
    """What the file holds, by places in it."""
    try:
        document = read_document(path, _suffix(path))
        if is_har(document):
            yield from read_har(document, path.parent)
        elif _is_ours(document):
            yield from _own(path)
        elif is_cassette(document):
            yield from read_cassette(document)
        else:
            reason = "is neither a cassette nor a HAR file."
            yield CorpusProblem(reason=reason, why=ProblemKind.NOT_A_RECORDING)
    except UnreadableError as error:
        yield error.problem
    except OSError as error:
        yield CorpusProblem(reason=f"cannot be read: {error.strerror}.")


def _is_ours(document: Any) -> bool:
    """Whether it says what only this project's recordings say; those are read strictly."""
    if not isinstance(document, dict) or not isinstance(document.get("interactions"), list):
        return False
    responses = [row.get("response") for row in document["interactions"] if isinstance(row, dict)]
    return "recording" in document or any(isinstance(got, dict) and "wire" in got for got in responses)


def _own(path: Path) -> Iterator[Entry]:
    try:
        cassette = load(path)
    except CassetteError as error:
        raise UnreadableError(error.place, error.problem) from error
    recording = cassette.recording

    def read(interaction: Interaction, place: str, number: str) -> Entry:
        require_call(interaction.request, place)
        stream = CorpusStream(
            id=number,
            place=place,
            interaction=interaction,
            recorder=recording.client if recording else "",
            recorded_at=recording.recorded_at if recording else None,
            provenance=recording.provenance if recording else Provenance.IMPORTED,
        )
        return judged(stream)

    return read_each([(f"interactions[{n}]", one) for n, one in enumerate(cassette.interactions)], read)
