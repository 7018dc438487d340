"""Composition: what others recorded → recordings of this project, and the scenarios that own them.

An imported recording shows how the paths read what a provider sent to somebody else. It never makes a
provider `ready`: nobody has seen what it answers to the project's own calls.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from pathlib import Path

from llm_contracts.corpus import CorpusProblem, CorpusStream
from llm_contracts.corpus.judge import CHAT
from llm_contracts.importing.find import PREFIX, ImportOptions, Owned, find_streams, names_of, require_one
from llm_contracts.project.config import ConfigError, Project
from llm_contracts.project.recorded_call import row_of, stream_call
from llm_contracts.project.scenario import Provider, Scenario
from llm_contracts.project.secrets import secrets_in
from llm_contracts.wire.cassette import Cassette, CassetteError, Provenance, Recording, load, save
from llm_contracts.wire.cassette.render import render
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.proxy.headers import without
from llm_contracts.wire.scrub import Scrubber

# Of what somebody else sent, only what says something about the call: the rest may say who that was.
_ASKED = frozenset({"accept", "content-type"})
_FRAMING = frozenset({"connection", "content-length", "keep-alive", "transfer-encoding"})


class ImportOutcome(StrEnum):
    """What became of one stream."""

    IMPORTED = "imported"
    UNCHANGED = "unchanged"  # this very recording is there already
    IN_THE_WAY = "in-the-way"  # another recording has the name, and may be replaced only by request


@dataclass(frozen=True, kw_only=True, slots=True)
class Import:
    """One stream: `place` is where it comes from, `file` where it went, `row` the scenario it fits."""

    stream: str
    place: str
    file: Path
    row: Scenario
    outcome: ImportOutcome


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
    streams, left_out = find_streams(project, sources, options, progress)
    scrubber = Scrubber(secrets_in(options.environ, project.providers))
    # What opened something for somebody else is a secret, too, wherever it appears.
    scrubber.learn(owned.stream.interaction for owned in streams)
    require_one(streams, options, scrubber)
    drafts = _drafts(project, streams, options, scrubber, progress)
    imports = tuple(_keep(draft, options) for draft in drafts)
    owned = {row.name for row in project.scenarios}
    unowned = tuple(one for one in imports if one.row.name not in owned)
    return ImportReport(imports=imports, left_out=left_out, unowned=unowned)


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
    return row_of(
        call,
        identity,
        expects="failure" if facts.error else "answer",
        finish=facts.finish_reasons[-1] if facts.finish_reasons else None,
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
    streams: Sequence[Owned],
    options: ImportOptions,
    scrubber: Scrubber,
    progress: Callable[[str], None],
) -> tuple[_Draft, ...]:
    drafts: list[_Draft] = []
    for owned, name in zip(streams, names_of(streams, options), strict=True):
        draft = _draft(project, owned, name, scrubber, options)
        place = scrubber.text(f"{draft.stream.place} (to be {draft.file})")
        scrubber.refuse(place, render(draft.cassette), draft.cassette.interactions)
        drafts.append(draft)
        progress(f"looked at {draft.row.name}")
    return tuple(drafts)


def _draft(project: Project, owned: Owned, name: str, scrubber: Scrubber, options: ImportOptions) -> _Draft:
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
            uri=provider.base_url.rstrip("/") + CHAT,
            headers=tuple(line for line in request.headers if line[0].lower() in _ASKED),
        ),
        response=replace(response, headers=without(response.headers, _FRAMING)),
    )


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


def _keep(draft: _Draft, options: ImportOptions) -> Import:
    outcome = ImportOutcome.IMPORTED
    if draft.file.exists() and _is_there(draft):
        outcome = ImportOutcome.UNCHANGED
    elif draft.file.exists() and not options.force:
        outcome = ImportOutcome.IN_THE_WAY
    elif not options.dry_run:
        save(draft.file, draft.cassette)
    return Import(
        stream=draft.stream.id, place=draft.stream.place, file=draft.file, row=draft.row, outcome=outcome
    )


def _is_there(draft: _Draft) -> bool:
    """Whether the file holds these exchanges as an import; dates say nothing."""
    try:
        old = load(draft.file)
    except CassetteError:
        return False
    if old.recording is None or old.recording.provenance is not Provenance.IMPORTED:
        return False
    return render(replace(old, recording=None)) == render(replace(draft.cassette, recording=None))
