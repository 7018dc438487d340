"""What others recorded → recordings of this project, and the scenarios that own them.

An imported recording shows how the paths read what a provider sent to somebody else. It never makes a
provider `ready`: nobody has seen what it answers to the project's own calls.
"""

from __future__ import annotations

import hashlib
import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from enum import StrEnum
from fnmatch import fnmatchcase
from pathlib import Path
from urllib.parse import urlsplit

from llm_contracts.corpus import CorpusProblem, CorpusStream, ProblemKind, found_in
from llm_contracts.project.config import ConfigError, Project
from llm_contracts.project.recorded_call import base_of
from llm_contracts.project.recorded_scenarios import IMPORTED, imported_row
from llm_contracts.project.scenario import Provider, Scenario
from llm_contracts.project.secrets import secrets_in
from llm_contracts.util.text import first_names
from llm_contracts.wire.cassette import Cassette, CassetteError, Provenance, Recording, load, save
from llm_contracts.wire.cassette.render import render
from llm_contracts.wire.interaction import Interaction, without
from llm_contracts.wire.proxy.headers import FRAMING
from llm_contracts.wire.scrub import Scrubber

_LONGEST = 60  # characters of a name taken from an id
_DIGEST = 8
_SHOWN_IDS = 5
_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
_MADE_UP = frozenset({Provenance.SIMULATED, Provenance.SCRIPTED})

# Of what somebody else sent, only what says something about the call: the rest may say who that was.
_ASKED = frozenset({"accept", "content-type"})


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


class ImportOutcome(StrEnum):
    """What became of one stream."""

    IMPORTED = "imported"
    UNCHANGED = "unchanged"  # this very recording is there already
    IN_THE_WAY = "in-the-way"  # another recording has the name, and may be replaced only by request


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """One stream: `place` is where it comes from, `file` where its recording, the `cassette`, went, `row` the
    scenario it fits.
    """

    stream: str
    place: str
    file: Path
    row: Scenario
    cassette: Cassette
    outcome: ImportOutcome = ImportOutcome.IMPORTED


@dataclass(frozen=True, kw_only=True, slots=True)
class ImportReport:
    """A whole run. `left_out` is what could not be used; `unowned` are the imports that no scenario owns."""

    imports: tuple[Import, ...]
    left_out: tuple[CorpusProblem, ...]
    unowned: tuple[Import, ...] = ()


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
    streams, left_out = _find_streams(project, sources, options, progress)
    scrubber = Scrubber(secrets_in(options.environ, project.providers))
    # What opened something for somebody else is a secret, too, wherever it appears.
    scrubber.learn(stream.interaction for stream in streams)
    drafts = []
    for stream, name in zip(streams, _names_of(streams, options, scrubber), strict=True):
        draft = _draft(project, stream, name, scrubber, options)
        place = scrubber.text(f"{draft.place} (to be {draft.file})")
        scrubber.refuse(place, render(draft.cassette), draft.cassette.interactions)
        drafts.append(draft)
        progress(f"looked at {draft.row.name}")
    imports = tuple(_keep(draft, options) for draft in drafts)
    owned = {row.name for row in project.scenarios}
    unowned = tuple(one for one in imports if one.row.name not in owned)
    return ImportReport(imports=imports, left_out=left_out, unowned=unowned)


def _find_streams(
    project: Project, sources: Iterable[Path], options: ImportOptions, progress: Callable[[str], None]
) -> tuple[tuple[CorpusStream, ...], tuple[CorpusProblem, ...]]:
    """The streams that were asked for, each with its owner's name, and what cannot be used."""
    wanted = project.provider(options.provider).name if options.provider else None
    streams: list[CorpusStream] = []
    left_out: list[CorpusProblem] = []
    for entry in (entry for source in sources for entry in found_in(source, project.providers)):
        progress(f"read {entry.place}")
        if isinstance(entry, CorpusProblem):
            left_out.append(entry)
        elif not options.streams or any(fnmatchcase(entry.id, pattern) for pattern in options.streams):
            found = _owned(project, entry, wanted)
            if isinstance(found, CorpusStream):
                streams.append(found)
            else:
                left_out.append(found)
    return tuple(streams), tuple(left_out)


def _owned(project: Project, stream: CorpusStream, wanted: str | None) -> CorpusStream | CorpusProblem:
    """The stream of the provider that answers at its address, by the project's own rows; else of the one that
    was named.
    """
    why = ProblemKind.UNKNOWN_PROVIDER
    owner = stream.provider if any(row.name == stream.provider for row in project.providers) else None
    if stream.provenance in _MADE_UP:
        reason = f"is {stream.provenance}: imported it would pass for what a provider sent."
        why = ProblemKind.MADE_UP
    elif wanted is None and owner is None:
        address = urlsplit(stream.interaction.request.uri)
        where = f"{address.hostname}{address.path}, where no provider of this project answers"
        reason = f"comes from {where}. --provider NAME says whose it is."
    elif wanted is not None and owner not in (None, wanted):
        reason = f"is {owner}'s, not {wanted}'s."
    else:
        return replace(stream, provider=wanted or stream.provider)
    return CorpusProblem(place=stream.place, reason=reason, why=why)


def _names_of(streams: Sequence[CorpusStream], options: ImportOptions, scrubber: Scrubber) -> list[str]:
    """The scenario that was named, or names that are the same for the same streams, in whatever order they
    come.

    Raises:
        ConfigError: one scenario takes one stream, and its name is a file's.
    """
    if options.scenario is None:
        plain = [_slug(stream.id) for stream in streams]
        taken = Counter((stream.provider, name) for stream, name in zip(streams, plain, strict=True))
        return [
            f"{name}-{_digest(stream)}" if taken[stream.provider, name] > 1 else name
            for stream, name in zip(streams, plain, strict=True)
        ]
    if not _NAME.fullmatch(options.scenario):
        name = scrubber.text(options.scenario)
        raise ConfigError(f"{name!r} cannot be a scenario's name: letters, digits and . _ - only.")
    if len(streams) > 1:
        ids = scrubber.text(first_names((stream.id for stream in streams), _SHOWN_IDS))
        raise ConfigError(
            f"--scenario names one recording, but there are {len(streams)} streams: {ids}. "
            "Choose one with --stream."
        )
    return [options.scenario for _ in streams]


def _slug(identity: str) -> str:
    words = "-".join(re.findall(r"[a-z0-9]+", identity.lower()))
    if len(words) > _LONGEST or not words:
        words = f"{words[:_LONGEST]}-{hashlib.sha256(identity.encode()).hexdigest()[:_DIGEST]}".lstrip("-")
    return IMPORTED + words


def _digest(stream: CorpusStream) -> str:
    parts = (stream.id.encode(), stream.interaction.request.body, stream.interaction.response.body)
    return hashlib.sha256(b"\0".join(parts)).hexdigest()[:_DIGEST]


def _draft(
    project: Project, stream: CorpusStream, name: str, scrubber: Scrubber, options: ImportOptions
) -> Import:
    """What could be written."""
    provider = project.provider(stream.provider)
    interaction = scrubber.interaction(_as_ours(stream.interaction, provider))
    row = imported_row(name, provider.name, interaction)
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
    return Import(
        stream=stream.id,
        place=stream.place,
        file=project.cassette(row),
        row=own or row,
        cassette=Cassette(interactions=(interaction,), recording=recording),
    )


def _as_ours(interaction: Interaction, provider: Provider) -> Interaction:
    """The exchange at the provider's own address, which the paths call, fit to be replayed from a file."""
    request, response = interaction.request, interaction.response
    base, path = provider.base_url.rstrip("/"), urlsplit(request.uri).path
    suffix = path.removeprefix(base_of(path))
    if suffix in {"", "/models"}:  # an API's addresses without a base, and lists, may begin otherwise
        uri = urlsplit(base)._replace(path=path).geturl()
    else:
        uri = (base.removesuffix("/v1") if suffix.startswith("/v1/") else base) + suffix
    return Interaction(
        request=replace(
            request,
            uri=uri,
            headers=tuple(line for line in request.headers if line[0].lower() in _ASKED),
        ),
        response=replace(response, headers=without(response.headers, FRAMING)),
    )


def _require_fit(own: Scenario, found: Scenario) -> None:
    """A recording of something else would be replayed as what the scenario is about.

    Raises:
        ConfigError: it is something else.
    """
    if own.expects != found.expects:
        what = f"{'an answer' if own.expects == 'answer' else 'a failure'}, which this stream is not"
    elif own.finish and own.finish != found.finish:
        what = f"the finish reason {own.finish!r}, but this stream has {found.finish!r}"
    else:
        return
    raise ConfigError(f"{own.name} is about {what}. Give it another --scenario.")


def _keep(draft: Import, options: ImportOptions) -> Import:
    if draft.file.exists():
        try:
            old = load(draft.file)
        except CassetteError:
            old = Cassette(interactions=())
        imported = old.recording is not None and old.recording.provenance is Provenance.IMPORTED
        # Whether these very exchanges are there; dates say nothing.
        if imported and _exchanges(old) == _exchanges(draft.cassette):
            return replace(draft, outcome=ImportOutcome.UNCHANGED)
        if not options.force:
            return replace(draft, outcome=ImportOutcome.IN_THE_WAY)
    if not options.dry_run:
        save(draft.file, draft.cassette)
    return draft


def _exchanges(cassette: Cassette) -> bytes:
    return render(replace(cassette, recording=None))
