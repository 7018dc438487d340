"""The views that CI services read, written to the files that were asked for."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from llm_contracts.util.files import write_text
from llm_contracts.wire.scrub.scrubber import refuse_secrets

if TYPE_CHECKING:
    from llm_contracts.project.config import Project
    from llm_contracts.reporting.run_context import RunContext
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
    from llm_contracts.reporting.ci.annotations import finder, notes, relative, workflow_commands
    from llm_contracts.reporting.ci.junit import junit
    from llm_contracts.reporting.ci.markdown import comment, summary
    from llm_contracts.util.terminal import echo

    made = ((wanted.junit, junit), (wanted.markdown, summary), (wanted.comment, comment))
    views = [(file, make(stored.result, about)) for file, make in made if file is not None]
    if wanted.annotations:
        root = Path(os.environ.get("GITHUB_WORKSPACE") or project.settings.root)
        waivers = relative(project.settings.waivers, root)
        found = notes(stored.result, finder(project, root), waivers=waivers)
        views.append((Path("-"), "".join(f"{line}\n" for line in workflow_commands(found))))
    for file, text in views:
        refuse_secrets(f"what was to go to {file}", text.encode(), secrets)
        write_text(file, text)
        if str(file) != "-":
            echo(f"{project.settings.shown(file)}: {len(text.encode()) / 1e3:.0f} kB", err=True)
