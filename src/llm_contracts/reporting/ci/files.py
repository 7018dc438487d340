"""The views that CI services read, written to the files that were asked for."""

from __future__ import annotations

import os
import shlex
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_contracts.util.files import write_text
from llm_contracts.wire.scrub.scrubber import refuse_secrets

if TYPE_CHECKING:
    from llm_contracts.project.config import Project
    from llm_contracts.reporting.ci.annotations import Find
    from llm_contracts.reporting.ci.run_context import RunContext
    from llm_contracts.results.store import Stored


@dataclass(frozen=True, kw_only=True, slots=True)
class RequestedViews:
    """The file of each view (`-` is standard output), whether to print GitHub's workflow commands, and what
    links lead to and brings the run's files, see `RunContext`.
    """

    junit: Path | None
    markdown: Path | None
    comment: Path | None
    annotations: bool
    report_url: str | None
    fetch: str | None

    @property
    def files(self) -> tuple[Path, ...]:
        """Where the views go, one of them for each view."""
        named = (self.junit, self.markdown, self.comment, Path("-") if self.annotations else None)
        return tuple(file for file in named if file is not None)


def write_ci(
    project: Project,
    stored: Stored,
    wanted: RequestedViews,
    about: RunContext,
    secrets: Mapping[str, str],
) -> None:
    """Write every view of a project's result that was asked for; none of the secrets may get into any.

    Raises:
        SecretFound: a secret is in a view; that view is not written.
    """
    from llm_contracts.reporting.ci.annotations import notes, workflow_commands
    from llm_contracts.reporting.ci.junit import junit
    from llm_contracts.reporting.ci.markdown import comment, summary
    from llm_contracts.util.terminal import echo

    made = ((wanted.junit, junit), (wanted.markdown, summary), (wanted.comment, comment))
    views = [(file, make(stored.result, about)) for file, make in made if file is not None]
    if wanted.annotations:
        root = Path(os.environ.get("GITHUB_WORKSPACE") or project.settings.root)
        waivers = _relative(project.settings.waivers, root)
        found = notes(stored.result, _finder(project, root), waivers=waivers)
        views.append((Path("-"), "".join(f"{line}\n" for line in workflow_commands(found))))
    for file, text in views:
        refuse_secrets(f"what was to go to {file}", text.encode(), secrets)
        write_text(file, text)
        if str(file) != "-":
            echo(f"{project.settings.shown(file)}: {len(text.encode()) / 1e3:.0f} kB", err=True)


def again(project: Project, stored: Stored) -> tuple[str, ...]:
    """The commands that find the same once more, and lead to a decision. A corpus is not run again: only who
    has it knows where it is.
    """
    settings, result = project.settings, stored.result
    own = (result.reference, result.candidate) == (settings.reference, settings.candidate)
    pair = [] if own else ["--reference", result.reference, "--candidate", result.candidate]
    usual = stored.folder.resolve() == settings.report.resolve()
    folder = [] if usual else ["--report", settings.shown(stored.folder)]
    check = [shlex.join(["llm-contracts", "check", *pair, *folder])] if "inputs" in stored.document else []
    return (*check, shlex.join(["llm-contracts", "review", *folder]))


def _finder(project: Project, root: Path) -> Find:
    """Finds a difference in the snapshot of its scenario, which a person has reviewed; else the recording. A
    file outside the repository's root is not named.
    """
    from llm_contracts.reporting.ci.annotations import FilePosition

    settings = project.settings

    def find(name: str, divergence: Any) -> FilePosition | None:
        cassette = settings.cassettes / f"{name}.yaml"
        if not cassette.resolve().is_relative_to(settings.cassettes.resolve()) or not cassette.is_file():
            return None  # a stream of a corpus
        line = divergence and _line(settings.snapshots / f"{name}.txt", divergence)
        file = settings.snapshots / f"{name}.txt" if line else cassette
        shown = _relative(file, root)
        return None if shown is None else FilePosition(file=shown, line=line or None)

    return find


def _line(snapshot: Path, divergence: Any) -> int | None:
    wanted = f"{divergence.severity} {divergence.kind} at {divergence.where}: "
    try:
        lines = snapshot.read_text(encoding="utf-8").split("\n")  # as GitHub counts them
    except (OSError, ValueError):
        return None
    return next((number for number, line in enumerate(lines, 1) if line.startswith(wanted)), None)


def _relative(file: Path, root: Path) -> str | None:
    place, base = file.resolve(), root.resolve()
    return place.relative_to(base).as_posix() if place.is_relative_to(base) else None
