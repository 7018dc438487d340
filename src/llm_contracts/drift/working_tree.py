"""Composition: what the recordings of a working tree change against those of a revision."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from functools import partial
from pathlib import Path

from llm_contracts.drift.report import ComparedRecording, DriftReport, RecordingState, compare_cassettes
from llm_contracts.project.config import ConfigError, Project
from llm_contracts.util.git import git, git_bytes
from llm_contracts.wire.cassette import CassetteError, load
from llm_contracts.wire.cassette.parse import FormatError, parse
from llm_contracts.wire.protocols import Protocols


@dataclass(frozen=True, kw_only=True, slots=True)
class Revision:
    """A commit of the repository whose top folder is `top`."""

    top: Path
    commit: str

    def changed(self, folder: Path) -> tuple[Path, ...]:
        """The files below a folder that are new, gone or different in the working tree, without ignored ones.

        Raises:
            ConfigError: git failed.
        """
        names: set[str] = set()
        for arguments in (
            ("diff", "--name-only", "--no-renames", "-z", self.commit, "--", str(folder)),
            ("ls-files", "--others", "--exclude-standard", "-z", "--", str(folder)),
        ):
            output = git(self.top, *arguments)
            if output is None:
                raise ConfigError(f"git {arguments[0]} failed in {self.top}. Try it by hand.")
            names.update(output.split("\0"))
        return tuple(self.top / name for name in sorted(names) if name)

    def read(self, file: Path) -> bytes | None:
        """What a file held; None where it did not exist."""
        return git_bytes(
            self.top, "cat-file", "blob", f"{self.commit}:{file.relative_to(self.top).as_posix()}"
        )


def revision(folder: Path, name: str) -> Revision:
    """The commit to compare a working tree with: where it branched off from `name`, so that what others have
    done there since does not count. For `HEAD` and its ancestors that is `name` itself.

    Raises:
        ConfigError: there is no repository, or it does not know the name.
    """
    top = git(folder, "rev-parse", "--show-toplevel")
    if top is None:
        raise ConfigError(f"{folder} is in no git repository, so there is nothing to compare with.")
    place = Path(top.strip())
    commit = git(place, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{name}^{{commit}}")
    if commit is None:
        raise ConfigError(f"git knows no revision {name!r} here. A shallow clone may lack it: git fetch it.")
    base = git(place, "merge-base", commit.strip(), "HEAD")
    return Revision(top=place, commit=(base or commit).strip())


def compare_with_revision(
    project: Project,
    name: str,
    *,
    today: date,
    providers: tuple[str, ...] = (),
    progress: Callable[[str], None] = lambda _scenario: None,
) -> DriftReport:
    """Compare every recording that is not as it was in a revision: where the working tree parted from `name`,
    which is anything that git takes for a commit. `today` is the day from which ages are counted.

    Raises:
        ConfigError: there is no repository, or it does not know the name.
    """
    settings = project.settings
    folder = settings.cassettes.resolve()
    against = revision(settings.root, name)
    compared: list[ComparedRecording] = []
    for file in against.changed(folder):
        scenario = file.relative_to(folder).with_suffix("").as_posix()
        if file.suffix != ".yaml" or (providers and scenario.partition("/")[0] not in providers):
            continue
        compared.append(_compared(scenario, file, against, project.protocols_of(scenario.partition("/")[0])))
        progress(scenario)
    what = f"Recordings against {name} ({against.commit[:10]})"
    return DriftReport(
        what=what, compared=tuple(compared), today=today, stale_after_days=settings.stale_after_days
    )


def _compared(scenario: str, file: Path, against: Revision, protocols: Protocols) -> ComparedRecording:
    """One file. A damaged one in the working tree will not mend by itself; one in the past is past."""
    unreadable = partial(compare_cassettes, scenario, None, None, state=RecordingState.UNREADABLE)
    data = against.read(file)
    try:
        now = load(file) if file.exists() else None
    except CassetteError as error:
        why = f"{error.place}: {error.problem}" if error.place else error.problem
        return unreadable(detail=why, lasting=True)
    try:
        recorded = None if data is None else parse(data)
    except FormatError as error:
        return unreadable(detail=f"what it was in {against.commit[:10]} cannot be read: {error}")
    return compare_cassettes(scenario, recorded, now, protocols)
