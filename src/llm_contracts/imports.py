"""Composition: what others recorded → recordings of this project, and the scenarios that own them.

An imported recording shows how the paths read what a provider sent to somebody else. It never makes a
provider `ready`: nobody has seen what it answers to this product's own calls.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llm_contracts.config import ConfigError
from llm_contracts.corpus_run import answers, stream_call
from llm_contracts.record_endpoint import secrets_in
from llm_contracts.scenario import Provider, Scenario
from llm_contracts.wire.cassette import Cassette, CassetteError, Provenance, Recording, load, save
from llm_contracts.wire.cassette_render import render
from llm_contracts.wire.corpus import CorpusProblem, CorpusStream, Why, read_corpus
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Headers, Interaction
from llm_contracts.wire.scrub import Scrubber, SecretFound, shapes_in

if TYPE_CHECKING:
    from llm_contracts.config import Project

PREFIX = "imported-"
"""How the names of imported scenarios begin, unless they are given another."""

_CHAT = "/chat/completions"
_LONGEST = 60  # characters of a name taken from an id
_DIGEST = 8
_SHOWN_IDS = 5
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
# Of what somebody else sent, only what says something about the call: the rest may say who that was.
_ASKED = frozenset({"accept", "content-type"})
_MADE_UP = frozenset({Provenance.SIMULATED, Provenance.SCRIPTED})
_FRAMING = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})


class Outcome(StrEnum):
    """What became of one stream."""

    IMPORTED = "imported"
    UNCHANGED = "unchanged"  # this very recording is there already
    IN_THE_WAY = "in-the-way"  # another recording has the name, and may be replaced only by request


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
class Import:
    """One stream: `place` is where it comes from, `file` where it went, `row` the scenario it fits."""

    stream: str
    place: str
    file: Path
    row: Scenario
    outcome: Outcome


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """A whole run. `left_out` is what could not be used; `homeless` are the imports that no scenario owns."""

    imports: tuple[Import, ...]
    left_out: tuple[CorpusProblem, ...]
    homeless: tuple[Import, ...] = ()


def import_streams(
    project: Project,
    sources: Sequence[Path],
    options: ImportOptions,
    *,
    progress: Callable[[str], None] = lambda _what: None,
) -> ImportReport:
    """Bring streams into the project's recordings, scrubbed. Nothing is written until all are looked at.

    Raises:
        ConfigError: what was asked for does not fit what there is.
        SecretFound: a secret would have got into a file. Nothing was written.
        OSError: a file could not be written.
    """
    streams, left_out = _found(project, sources, options, progress)
    scrubber = Scrubber(secrets_in(options.environ, project.providers))
    # What opened something for somebody else is a secret, too, wherever it appears.
    scrubber.learn(owned.stream.interaction for owned in streams)
    _require_one(streams, options, scrubber)
    drafts = _drafts(project, streams, options, scrubber, progress)
    imports = tuple(_keep(draft, options) for draft in drafts)
    owned = {row.name for row in project.scenarios}
    homeless = tuple(one for one in imports if one.row.name not in owned)
    return ImportReport(imports=imports, left_out=left_out, homeless=homeless)


def imported_scenarios(cassettes: Path) -> tuple[Scenario, ...]:
    """The scenarios of all imported recordings in a cassettes folder, for a project's `SCENARIOS`.

    They are not `live`: nobody waits for them to be recorded again. One that cannot be read has a row all the
    same, so that a check says what is wrong with it.
    """
    files = sorted(cassettes.glob(f"*/{PREFIX}*.yaml"))
    return tuple(_row_of(file) for file in files)


def _row_of(file: Path) -> Scenario:
    try:
        interaction = load(file).interactions[0]
    except (CassetteError, IndexError):
        return Scenario(id=file.stem, provider=file.parent.name, model="unknown", live=False)
    return _row(file.stem, file.parent.name, interaction)


def _row(identity: str, provider: str, interaction: Interaction) -> Scenario:
    call = stream_call(provider, interaction)
    facts = read_facts(interaction.response)
    return Scenario(
        id=identity,
        provider=provider,
        model=call.model,
        messages=call.messages,
        params=call.params,
        function=call.function,
        live=False,
        expects="failure" if facts.error else "answer",
        finish=facts.finish_reasons[-1] if facts.finish_reasons else None,
    )


# What is there


@dataclass(frozen=True, kw_only=True, slots=True)
class _Owned:
    """A stream and the provider whose it is."""

    stream: CorpusStream
    provider: Provider


def _found(
    project: Project, sources: Iterable[Path], options: ImportOptions, progress: Callable[[str], None]
) -> tuple[tuple[_Owned, ...], tuple[CorpusProblem, ...]]:
    owned: list[_Owned] = []
    left_out: list[CorpusProblem] = []
    for entry in (entry for source in sources for entry in read_corpus(source)):
        progress(f"read {entry.place}")
        if isinstance(entry, CorpusProblem):
            left_out.append(entry)
        elif not options.streams or any(fnmatchcase(entry.id, wanted) for wanted in options.streams):
            found = _owner(project, entry, options)
            (owned if isinstance(found, _Owned) else left_out).append(found)  # type: ignore[arg-type]
    return tuple(owned), tuple(left_out)


def _owner(project: Project, stream: CorpusStream, options: ImportOptions) -> _Owned | CorpusProblem:
    """The provider that answers at this address, by the project's own rows; else the one that was named."""
    if stream.provenance in _MADE_UP:
        reason = f"is {stream.provenance}: imported it would pass for what a provider sent."
        return CorpusProblem(place=stream.place, reason=reason, why=Why.MADE_UP)
    known = [row for row in project.providers if answers(row, stream.interaction.request.uri)]
    named = [row for row in project.providers if row.name == stream.provider]
    owner = next(iter((*known, *named)), None)
    wanted = project.provider(options.provider) if options.provider else None
    if wanted is None and owner is None:
        reason = f"comes from {_shown(stream)}, where no provider of this project answers. "
        return _unowned(stream, reason + "--provider NAME says whose it is.")
    if wanted is not None and owner is not None and owner != wanted:
        return _unowned(stream, f"is {owner.name}'s, not {wanted.name}'s.")
    provider = wanted or owner
    assert provider is not None
    return _Owned(stream=stream, provider=provider)


def _unowned(stream: CorpusStream, reason: str) -> CorpusProblem:
    return CorpusProblem(place=stream.place, reason=reason, why=Why.UNKNOWN_PROVIDER)


def _shown(stream: CorpusStream) -> str:
    parts = urlsplit(stream.interaction.request.uri)
    return f"{parts.hostname}{parts.path}"


def _require_one(streams: Sequence[_Owned], options: ImportOptions, scrubber: Scrubber) -> None:
    if options.scenario is None:
        return
    if not _NAME.fullmatch(options.scenario):
        name = scrubber.text(options.scenario)
        raise ConfigError(f"{name!r} cannot be a scenario's name: letters, digits and . _ - only.")
    if len(streams) > 1:
        ids = scrubber.text(", ".join(owned.stream.id for owned in streams[:_SHOWN_IDS]))
        more = f" and {len(streams) - _SHOWN_IDS} more" if len(streams) > _SHOWN_IDS else ""
        raise ConfigError(
            f"--scenario names one recording, but there are {len(streams)} streams: {ids}{more}. "
            "Choose one with --stream."
        )


# What is to be written


@dataclass(frozen=True, kw_only=True, slots=True)
class _Draft:
    """A recording that could be written."""

    stream: CorpusStream
    file: Path
    row: Scenario
    cassette: Cassette


def _drafts(
    project: Project,
    streams: Sequence[_Owned],
    options: ImportOptions,
    scrubber: Scrubber,
    progress: Callable[[str], None],
) -> tuple[_Draft, ...]:
    drafts: list[_Draft] = []
    for owned, name in zip(streams, _names(streams, options), strict=True):
        draft = _draft(project, owned, name, scrubber, options)
        _refuse_secrets(draft, scrubber)
        drafts.append(draft)
        progress(f"looked at {draft.row.name}")
    return tuple(drafts)


def _names(streams: Sequence[_Owned], options: ImportOptions) -> list[str]:
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


def _draft(project: Project, owned: _Owned, name: str, scrubber: Scrubber, options: ImportOptions) -> _Draft:
    stream, provider = owned.stream, owned.provider
    interaction = scrubber.interaction(_as_ours(stream.interaction, provider))
    row = _row(name, provider.name, interaction)
    own = next((known for known in project.scenarios if known.name == row.name), None)
    if own is not None:
        _require_fit(own, row)
    recording = Recording(
        provenance=Provenance.IMPORTED,
        recorded_at=(stream.recorded_at or options.now()).replace(microsecond=0),
        provider=provider.name,
        scenario=name,
        client=scrubber.text(stream.recorder or "unknown"),
    )
    cassette = Cassette(interactions=(interaction,), recording=recording)
    return _Draft(stream=stream, file=project.cassette(row), row=own or row, cassette=cassette)


def _as_ours(interaction: Interaction, provider: Provider) -> Interaction:
    """The exchange at the provider's own address, which the paths call, fit to be replayed from a file."""
    request, response = interaction.request, interaction.response
    return Interaction(
        request=replace(
            request,
            uri=provider.base_url.rstrip("/") + _CHAT,
            headers=tuple(line for line in request.headers if line[0].lower() in _ASKED),
        ),
        response=replace(response, headers=_without(response.headers, _FRAMING)),
    )


def _without(headers: Headers, names: frozenset[str]) -> Headers:
    return tuple(line for line in headers if line[0].lower() not in names)


def _require_fit(own: Scenario, found: Scenario) -> None:
    """A recording of something else would be replayed as what the scenario is about.

    Raises:
        ConfigError: it is something else.
    """
    if own.expects != found.expects:
        what = "an answer" if own.expects == "answer" else "a failure"
        raise ConfigError(
            f"{own.name} is about {what}, which this stream is not. Give it another --scenario."
        )
    if own.finish and own.finish != found.finish:
        raise ConfigError(
            f"{own.name} is about the finish reason {own.finish!r}, but this stream has {found.finish!r}. "
            "Give it another --scenario."
        )


def _refuse_secrets(draft: _Draft, scrubber: Scrubber) -> None:
    interactions = draft.cassette.interactions
    bodies = (body for one in interactions for body in (one.request.body, one.response.body))
    for data in (render(draft.cassette), *bodies):
        found = [*scrubber.find(data), *shapes_in(data)]
        if found:
            place = scrubber.text(f"{draft.stream.place} (to be {draft.file})")
            raise SecretFound(place, sorted(set(found)))


def _keep(draft: _Draft, options: ImportOptions) -> Import:
    outcome = _outcome(draft, options)
    if outcome is Outcome.IMPORTED and not options.dry_run:
        save(draft.file, draft.cassette)
    return Import(
        stream=draft.stream.id, place=draft.stream.place, file=draft.file, row=draft.row, outcome=outcome
    )


def _outcome(draft: _Draft, options: ImportOptions) -> Outcome:
    if not draft.file.exists():
        return Outcome.IMPORTED
    if _is_there(draft):
        return Outcome.UNCHANGED
    return Outcome.IMPORTED if options.force else Outcome.IN_THE_WAY


def _is_there(draft: _Draft) -> bool:
    """Whether the file holds these exchanges as an import; dates say nothing."""
    try:
        old = load(draft.file)
    except CassetteError:
        return False
    if old.recording is None or old.recording.provenance is not Provenance.IMPORTED:
        return False
    return _exchanges(old) == _exchanges(draft.cassette)


def _exchanges(cassette: Cassette) -> bytes:
    return render(replace(cassette, recording=None))
