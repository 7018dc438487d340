"""Is everything fit for use? Environment, keys, recordings, decisions, the stored result, secrets in files.

Nobody is called, nothing is changed, and no value of a variable is shown.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from llm_contracts.doctor.cassettes import check_cassettes, recording_files
from llm_contracts.doctor.environment import examine_environment, metadata_of_the_harness
from llm_contracts.doctor.evidence import examine_recordings, examine_result, examine_waivers, provenances
from llm_contracts.doctor.finding import AREAS, Diagnosis, Finding, FindingLevel, finding, ok, warning
from llm_contracts.doctor.keys_in_files import Progress, keys_in_files
from llm_contracts.doctor.variables import (
    FILE,
    examine_keys,
    examine_names,
    known_variables,
    stored_variables,
    where_set,
)
from llm_contracts.project.config import Project
from llm_contracts.project.endpoint import overrides
from llm_contracts.project.secrets import NOT_HIDDEN, not_hidden, secrets_in
from llm_contracts.run.options import local_day
from llm_contracts.util.files import files_below
from llm_contracts.util.git import repository_files
from llm_contracts.util.versions import installed_version
from llm_contracts.wire.cassette import Cassette

_REVOKE = "Take it out, and revoke it if it is real: whoever has the repository has it."


def diagnose(
    project: Project,
    environ: Mapping[str, str],
    *,
    areas: Collection[str] = AREAS,
    progress: Progress = lambda _name: None,
) -> Diagnosis:
    """Examine a project.

    Args:
        project: which one.
        environ: the variables of the process; those of `.env` are read here.
        areas: which of `AREAS`.
        progress: called with the name of each recording that was read and each file that was searched.
    """
    settings = project.settings
    stored, about_file = stored_variables(settings.root / FILE)
    values = {**stored, **environ}
    secrets = secrets_in(values, project.providers)
    where = where_set(project.providers, environ, stored)
    cassettes: Mapping[Path, Cassette] = {}
    problems: tuple[Finding, ...] = ()
    if "recordings" in areas:
        cassettes, problems = check_cassettes(project, secrets, progress=progress)
    examined: dict[str, Callable[[], Iterable[Finding]]] = {
        "environment": lambda: examine_environment(
            settings.root, installed=installed_version, supported=metadata_of_the_harness()
        ),
        "keys": lambda: (
            *examine_keys(where, values),
            *(
                warning(f"{name} {NOT_HIDDEN}", "Give even a gateway's key six characters or more.")
                for name in not_hidden(secrets)
            ),
            *examine_names(known_variables(settings.root, project.providers), environ, stored),
            *(
                warning(f"{name}: {sentence}")
                for name, sentence in overrides(project.providers, values).items()
            ),
            *(replace(each, area=FILE) for each in about_file),
        ),
        "recordings": lambda: (*examine_recordings(project, cassettes), *problems),
        "waivers": lambda: examine_waivers(settings, local_day()),
        "result": lambda: [examine_result(settings)],
        "secrets": lambda: _secrets(project, secrets, problems, progress),
    }
    findings = ((name, each) for name in AREAS if name in areas for each in examined[name]())
    return Diagnosis(
        findings=tuple(replace(each, area=each.area or name) for name, each in findings),
        keys=where,
        recordings=dict(provenances(cassettes.values())),
    )


def work(project: Project, areas: Collection[str] = AREAS) -> int:
    """How many recordings and files an examination goes through."""
    read = len(recording_files(project)) if "recordings" in areas else 0
    return read + (len(_searched(project)) if "secrets" in areas else 0)


def _secrets(
    project: Project, secrets: Mapping[str, str], problems: Iterable[Finding], progress: Progress
) -> Iterator[Finding]:
    settings = project.settings
    files, recordings = _searched(project), (settings.cassettes, settings.snapshots)
    keys = keys_in_files(files, root=settings.root, recordings=recordings, secrets=secrets, progress=progress)
    # What was found in a recording is described with the recordings, more exactly.
    leaking = {each.what.partition(": ")[0] for each in problems if each.level is FindingLevel.SECRET}
    found = [key for key in keys if key.file not in leaking]
    for key in found:
        yield finding(FindingLevel.SECRET, f"{key.place}: holds {key.what}", _REVOKE)
    if not found and not leaking:
        values = f"{len(secrets)} configured values and " if secrets else ""
        yield ok(f"none in {len(files)} files, which were searched for {values}what looks like a key")


def _searched(project: Project) -> tuple[Path, ...]:
    """What git tracks, and stored results: those are not tracked, but handed around."""
    settings = project.settings
    tracked = {settings.root / name for name in repository_files(settings.root)}
    return tuple(sorted(tracked | {file for file in files_below(settings.report) if file.is_file()}))
