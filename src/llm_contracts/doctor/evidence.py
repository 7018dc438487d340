"""Recordings, accepted differences and the stored result: is what a verdict stands on still good?"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, date, datetime
from pathlib import Path

from llm_contracts.doctor.finding import Finding, FindingLevel, fault, finding, note, ok, warning
from llm_contracts.parity.waivers import WaiverError, load_waivers
from llm_contracts.project.config import Project, Settings
from llm_contracts.project.evidence import doubt
from llm_contracts.project.inputs import outdated
from llm_contracts.results.items import StoredResultError
from llm_contracts.results.store import Stored
from llm_contracts.util.files import abandoned_drafts
from llm_contracts.util.text import first_names
from llm_contracts.wire.cassette import Cassette, Provenance

_SHOWN = 5


def provenances(cassettes: Iterable[Cassette]) -> Counter[str]:
    """How many recordings come from where; plain VCR files count as imported."""
    return Counter(
        str(cassette.recording.provenance if cassette.recording else Provenance.IMPORTED)
        for cassette in cassettes
    )


def examine_recordings(project: Project, cassettes: Mapping[Path, Cassette]) -> Iterator[Finding]:
    """What is missing, what is old, what was left behind. `cassettes`: those that could be read."""
    counts = provenances(cassettes.values())
    counted = ", ".join(f"{count} {name}" for name, count in sorted(counts.items()))
    yield ok(f"{len(cassettes)} can be read: {counted}" if cassettes else "there are none yet")
    missing = [row.name for row in project.scenarios if not project.cassette(row).is_file()]
    if missing:
        of = f"{len(missing)} of {len(project.scenarios)}"
        yield warning(
            f"{of} scenarios have none: {first_names(missing, _SHOWN)}",
            "llm-contracts record --missing (with --source simulator for a rehearsal).",
        )
    yield from _of_no_use(project, cassettes)
    days, today = project.settings.stale_after_days, datetime.now(UTC).date()
    recorded = {file: each.recording for file, each in cassettes.items() if each.recording}
    old = [  # only live ones grow old: a provider may have changed since
        project.settings.shown(file)
        for file, recording in recorded.items()
        if recording.provenance is Provenance.LIVE and recording.age(today) >= days
    ]
    if old:
        said = f"{len(old)} live ones are {days} days old or older: {first_names(old, _SHOWN)}"
        yield warning(said, f"llm-contracts record --stale {days}")
    drafts = abandoned_drafts(project.settings.cassettes)
    if drafts:
        yield note(f"{len(drafts)} drafts of a killed recorder; the next `record` removes them")


def _of_no_use(project: Project, cassettes: Mapping[Path, Cassette]) -> Iterator[Finding]:
    """Recordings that `check` will not use (pages, refused keys, another scenario's file), and rehearsals
    where a provider could be asked: no fault, but no evidence either.
    """
    rehearsed = 0
    for row in project.scenarios:
        cassette = cassettes.get(project.cassette(row))
        reason = doubt(row, cassette, project.protocols_of(row.provider)) if cassette else None
        if reason:
            place = project.settings.shown(project.cassette(row))
            yield warning(f"{place}: {reason}", f"llm-contracts record --scenario {row.name}")
        recording = cassette.recording if cassette and row.live else None
        rehearsed += recording is not None and recording.provenance is Provenance.SIMULATED
    if rehearsed:
        yield note(
            f"{rehearsed} are rehearsals where the provider itself can be recorded: "
            "no verdict is better than `rehearsed` until then (llm-contracts record)"
        )


def examine_waivers(settings: Settings, today: date) -> Iterator[Finding]:
    """Is the file readable, does every entry hold, and does one lapse soon?"""
    place = settings.shown(settings.waivers)
    try:
        waivers = load_waivers(settings.waivers, today, warning_days=settings.waiver_warning_days)
    except WaiverError as error:
        yield fault(str(error), "Correct the file.")
        return
    if not settings.waivers.exists():
        yield note(f"{place} does not exist: nothing is accepted")
        return
    yield ok(f"{len(waivers.entries)} in force")
    for sentence in (*waivers.complaints, *waivers.warnings):
        yield warning(sentence, f"Renew or delete the entry in {place}.")


def examine_result(settings: Settings) -> Finding:
    """Is there one, and does it still hold?"""
    try:
        stored = Stored.load(settings.report)
        changed = outdated(settings, stored.document) if stored else ()
    except (StoredResultError, KeyError, ValueError) as error:
        said = str(error) if isinstance(error, StoredResultError) else "the stored result cannot be read"
        return finding(FindingLevel.UNREADABLE, said, "llm-contracts check")
    if stored is None:
        return note("there is none yet (llm-contracts check)")
    if changed:
        said = f"it is out of date: since then, changed: {first_names(changed, _SHOWN)}"
        return warning(said, "llm-contracts check")
    return ok(f"of {stored.document['checked_at']}, and nothing has changed since")
