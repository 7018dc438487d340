"""The part of `llm-contracts report` that CI services read: options, and the files they name."""

from __future__ import annotations

import os
import re
import shlex
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from llm_contracts.util.files import write_text
from llm_contracts.wire.scrub.scrubber import refuse_secrets

if TYPE_CHECKING:
    from llm_contracts.project.config import Project
    from llm_contracts.reporting.ci.about import RunContext
    from llm_contracts.reporting.ci.annotations import Find
    from llm_contracts.results.store import Stored

Function = TypeVar("Function", bound=Callable[..., Any])


def ci_options(command: Function) -> Function:
    """`--junit`, `--markdown`, `--comment`, `--annotations`, and what they say beside the result."""
    for decorator in reversed(_OPTIONS):
        command = decorator(command)
    return command


def _file(name: str, text: str) -> Callable[[Any], Any]:
    kind = click.Path(dir_okay=False, allow_dash=True, path_type=Path)
    return click.option(name, type=kind, metavar="FILE", help=text)


def _address(_context: click.Context, _option: click.Parameter, given: str | None) -> str | None:
    if given is None or re.fullmatch(r"https?://[^\s<>#]+", given):
        return given
    raise click.BadParameter(f"{given!r} is no address of a page: it begins with https:// and has no #part.")


_OPTIONS: tuple[Callable[[Any], Any], ...] = (
    _file("--junit", "Write JUnit XML: a test case for each scenario."),
    _file("--markdown", "Write the summary of a job, for $GITHUB_STEP_SUMMARY; at most 1 MiB."),
    _file("--comment", "Write the body of one pull-request comment; at most 65,536 characters."),
    click.option("--annotations", is_flag=True, help="Print GitHub's commands that mark files, ten a level."),
    click.option(
        "--report-url",
        metavar="URL",
        callback=_address,
        help="Where the HTML report can be read: links lead there.",
    ),
    click.option(
        "--fetch",
        metavar="COMMAND",
        help="What brings this run's files to the reader's machine; shown as it is.",
    ),
)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """What was asked for."""

    junit: Path | None
    markdown: Path | None
    comment: Path | None
    annotations: bool
    report_url: str | None
    fetch: str | None

    @property
    def anything(self) -> bool:
        """Whether there is anything to write."""
        return self.annotations or any(self._files)

    def refuse_nonsense(self) -> None:
        """Stop where something could not be what was meant.

        Raises:
            UsageError: two views would be mixed up on standard output, or an option has nothing to say it in.
        """
        if [*map(str, self._files), "-" if self.annotations else ""].count("-") > 1:
            raise click.UsageError("Only one view can go to standard output; --annotations is one, too.")
        if (self.report_url or self.fetch) and not (self.markdown or self.comment):
            raise click.UsageError("--report-url and --fetch are for --markdown and --comment.")

    @property
    def _files(self) -> tuple[Path | None, ...]:
        return (self.junit, self.markdown, self.comment)


def write_ci(
    project: Project, stored: Stored, wanted: Wanted, changed: tuple[str, ...], secrets: Mapping[str, str]
) -> None:
    """Write every view that was asked for.

    Args:
        project: whose result it is.
        stored: the result.
        wanted: what to write, and where.
        changed: what has changed since the result was made.
        secrets: what must not get into any of it.

    Raises:
        SecretFound: a secret is in a view; that view is not written.
    """
    for file, text in _views(project, stored, wanted, _about(project, stored, wanted, changed)):
        refuse_secrets(f"what was to go to {file}", text.encode(), secrets)
        write_text(file, text)
        if str(file) != "-":
            click.echo(f"{project.settings.shown(file)}: {len(text.encode()) / 1e3:.0f} kB", err=True)


def _about(project: Project, stored: Stored, wanted: Wanted, changed: tuple[str, ...]) -> RunContext:
    from llm_contracts.reporting.ci.about import RunContext

    return RunContext(
        run=stored.run,
        checked_at=stored.document["checked_at"],
        outdated=changed,
        report_url=wanted.report_url,
        fetch=wanted.fetch,
        folder=project.settings.shown(stored.folder),
        again=again(project, stored),
        everyone={row.provider for row in project.scenarios},
    )


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


def _views(project: Project, stored: Stored, wanted: Wanted, about: RunContext) -> Iterator[tuple[Path, str]]:
    result = stored.result
    if wanted.junit is not None:
        from llm_contracts.reporting.ci.junit import junit

        yield wanted.junit, junit(result, about)
    if wanted.markdown is not None:
        from llm_contracts.reporting.ci.markdown import summary

        yield wanted.markdown, summary(result, about)
    if wanted.comment is not None:
        from llm_contracts.reporting.ci.comment import comment

        yield wanted.comment, comment(result, about)
    if wanted.annotations:
        from llm_contracts.reporting.ci.annotations import notes, workflow_commands

        root = Path(os.environ.get("GITHUB_WORKSPACE") or project.settings.root)
        found = notes(result, finder(project, root), waivers=_relative(project.settings.waivers, root))
        yield Path("-"), "".join(f"{line}\n" for line in workflow_commands(found))


def finder(project: Project, root: Path) -> Find:
    """Finds a difference in the snapshot of its scenario, which a person has reviewed; else the recording.

    Args:
        project: whose files they are.
        root: of the repository; a file outside is not named.
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
