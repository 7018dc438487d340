"""What there is to import: which streams, whose they are, and what their recordings will be called."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit

from llm_contracts.corpus import CorpusProblem, CorpusStream, ProblemKind, read_corpus
from llm_contracts.corpus.survey import answers
from llm_contracts.project.config import ConfigError, Project
from llm_contracts.project.scenario import Provider
from llm_contracts.util.text import first_names
from llm_contracts.wire.cassette.model import Provenance
from llm_contracts.wire.scrub import Scrubber

PREFIX = "imported-"
"""How the names of imported scenarios begin, unless they are given another."""

_LONGEST = 60  # characters of a name taken from an id
_DIGEST = 8
_SHOWN_IDS = 5
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MADE_UP = frozenset({Provenance.SIMULATED, Provenance.SCRIPTED})


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportOptions:
    """How to import.

    Attributes:
        environ: variables, whose secrets must not get into a file.
        provider: whose recordings these are, where their address does not tell; those of other providers of
            the project are left out.
        scenario: the one scenario that the one stream is for.
        streams: patterns of ids, of which only these are taken; none take all.
        force: replace other recordings of the same name.
        dry_run: write nothing.
        now: the clock, for sources that do not say when they were recorded.
    """

    environ: Mapping[str, str] = field(repr=False)
    provider: str | None = None
    scenario: str | None = None
    streams: tuple[str, ...] = ()
    force: bool = False
    dry_run: bool = False
    now: Callable[[], datetime] = lambda: datetime.now(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class Owned:
    """A stream and the provider whose it is."""

    stream: CorpusStream
    provider: Provider


def find_streams(
    project: Project, sources: Iterable[Path], options: ImportOptions, progress: Callable[[str], None]
) -> tuple[tuple[Owned, ...], tuple[CorpusProblem, ...]]:
    """The streams that were asked for, each with its owner, and what cannot be used."""
    owned: list[Owned] = []
    left_out: list[CorpusProblem] = []
    for entry in (entry for source in sources for entry in read_corpus(source)):
        progress(f"read {entry.place}")
        if isinstance(entry, CorpusProblem):
            left_out.append(entry)
        elif not options.streams or any(fnmatchcase(entry.id, wanted) for wanted in options.streams):
            found = _owner(project, entry, options)
            if isinstance(found, Owned):
                owned.append(found)
            else:
                left_out.append(found)
    return tuple(owned), tuple(left_out)


def _owner(project: Project, stream: CorpusStream, options: ImportOptions) -> Owned | CorpusProblem:
    """The provider that answers at this address, by the project's own rows; else the one that was named."""
    if stream.provenance in _MADE_UP:
        reason = f"is {stream.provenance}: imported it would pass for what a provider sent."
        return CorpusProblem(place=stream.place, reason=reason, why=ProblemKind.MADE_UP)
    known = [row for row in project.providers if answers(row, stream.interaction.request.uri)]
    named = [row for row in project.providers if row.name == stream.provider]
    owner = next(iter((*known, *named)), None)
    wanted = project.provider(options.provider) if options.provider else None
    if wanted is None and owner is None:
        address = urlsplit(stream.interaction.request.uri)
        where = f"{address.hostname}{address.path}, where no provider of this project answers"
        return _unowned(stream, f"comes from {where}. --provider NAME says whose it is.")
    if wanted is not None and owner is not None and owner != wanted:
        return _unowned(stream, f"is {owner.name}'s, not {wanted.name}'s.")
    provider = wanted or owner
    assert provider is not None
    return Owned(stream=stream, provider=provider)


def _unowned(stream: CorpusStream, reason: str) -> CorpusProblem:
    return CorpusProblem(place=stream.place, reason=reason, why=ProblemKind.UNKNOWN_PROVIDER)


def require_one(streams: Sequence[Owned], options: ImportOptions, scrubber: Scrubber) -> None:
    """One scenario takes one stream, and its name is a file's.

    Raises:
        ConfigError: otherwise.
    """
    if options.scenario is None:
        return
    if not _NAME.fullmatch(options.scenario):
        name = scrubber.text(options.scenario)
        raise ConfigError(f"{name!r} cannot be a scenario's name: letters, digits and . _ - only.")
    if len(streams) > 1:
        ids = scrubber.text(first_names((owned.stream.id for owned in streams), _SHOWN_IDS))
        raise ConfigError(
            f"--scenario names one recording, but there are {len(streams)} streams: {ids}. "
            "Choose one with --stream."
        )


def names_of(streams: Sequence[Owned], options: ImportOptions) -> list[str]:
    """The same for the same streams, in whatever order they come."""
    if options.scenario is not None:
        return [options.scenario for _ in streams]
    plain = [_slug(owned.stream.id) for owned in streams]
    taken = [(owned.provider.name, name) for owned, name in zip(streams, plain, strict=True)]
    return [
        f"{name}-{_digest(owned.stream)}" if taken.count(place) > 1 else name
        for owned, name, place in zip(streams, plain, taken, strict=True)
    ]


def _slug(identity: str) -> str:
    words = "-".join(re.findall(r"[a-z0-9]+", identity.lower()))
    if len(words) > _LONGEST or not words:
        words = f"{words[:_LONGEST]}-{hashlib.sha256(identity.encode()).hexdigest()[:_DIGEST]}".lstrip("-")
    return PREFIX + words


def _digest(stream: CorpusStream) -> str:
    parts = (stream.id.encode(), stream.interaction.request.body, stream.interaction.response.body)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:_DIGEST]
