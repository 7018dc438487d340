"""Are the committed recordings, and the snapshots made from them, fit to be public? Does each have an owner?

The recorder scrubs before it writes. This looks again, at files as they are committed: someone may have
edited one, taken one from elsewhere, or recorded it before a rule of the scrubber existed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from llm_contracts.doctor.finding import Finding, FindingLevel, finding, warning
from llm_contracts.doctor.keys_in_files import known_values, shapes
from llm_contracts.project.config import Project
from llm_contracts.run.check import nothing_recorded, orphans
from llm_contracts.util.files import files_below, read_file
from llm_contracts.wire.cassette import Cassette, CassetteError, load
from llm_contracts.wire.interaction import Headers, Interaction
from llm_contracts.wire.scrub import Scrubber


def recording_files(project: Project) -> tuple[Path, ...]:
    """Every recording of a project, owned by a scenario or not."""
    return tuple(sorted(files_below(project.settings.cassettes, "*.yaml")))


def check_cassettes(
    project: Project, secrets: Mapping[str, str], *, progress: Callable[[str], None] = lambda _name: None
) -> tuple[Mapping[Path, Cassette], tuple[Finding, ...]]:
    """The recordings of a project that can be read; and what is wrong with any, and with snapshots that were
    made from them: the worst first, and each begins with the file's place.

    Args:
        project: whose recordings and scenarios.
        secrets: variable → value, for those that are configured here; without any, keys are known by their
            shape and by the names of the fields they stand in.
        progress: called with the name of each recording.
    """
    unreadable: list[str] = []
    found: list[str] = []
    cassettes: dict[Path, Cassette] = {}
    for file in recording_files(project):
        place = project.settings.shown(file)
        progress(place)
        try:
            found += [
                f"{place}: holds {what}. Delete it, and revoke the key if it was shared."
                for what in known_values(read_file(file), secrets)
            ]
            cassettes[file] = load(file)
        except OSError as error:
            unreadable.append(f"{place}: cannot be read ({error.strerror}).")
            continue
        except CassetteError as error:
            unreadable.append(": ".join(part for part in (place, error.place, error.problem) if part))
            continue
        for number, interaction in enumerate(cassettes[file].interactions):
            faults = _faults(interaction, Scrubber(secrets))
            found += [f"{place}: interactions[{number}].{what}" for what in faults]
    for file in sorted(file for file in files_below(project.settings.snapshots) if file.is_file()):
        place = project.settings.shown(file)
        try:
            data = read_file(file)
        except FileNotFoundError:
            continue
        found += [
            f"{place}: holds {what}. Revoke it if it is a key, and make it again."
            for what in (*known_values(data, secrets), *shapes(data))
        ]
    if project.scenarios and not any(map(project.is_recorded, project.scenarios)):
        unreadable.append(nothing_recorded(project, project.scenarios))
    restore = "Restore it from git, or record again."
    return cassettes, (
        *(finding(FindingLevel.SECRET, each) for each in found),
        *(finding(FindingLevel.UNREADABLE, each, restore) for each in unreadable),
        *(warning(each, "Delete it, or give it back a scenario of its name.") for each in orphans(project)),
    )


def _faults(interaction: Interaction, scrubber: Scrubber) -> Iterator[str]:
    parts, scrubbed = _parts(interaction), _parts(scrubber.interaction(interaction))
    yield from (
        f"{part}: the scrubber would change it. Record it again."
        for part in parts
        if scrubbed[part] != parts[part]
    )
    for part, data in parts.items():
        for what in shapes(data):
            yield f"{part}: holds {what}. Revoke it if it is one, and record again."


def _parts(interaction: Interaction) -> dict[str, bytes]:
    request, response = interaction.request, interaction.response
    return {
        "request.uri": request.uri.encode(),
        "request.headers": _lines(request.headers),
        "request.body": request.body,
        "response.reason": response.reason.encode(),
        "response.headers": _lines(response.headers),
        "response.body": response.body,
    }


def _lines(headers: Headers) -> bytes:
    return "\n".join(f"{name}: {value}" for name, value in headers).encode("utf-8", "surrogatepass")
