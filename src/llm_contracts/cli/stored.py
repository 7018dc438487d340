"""What commands share that keep a result, or read one that was kept."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from llm_contracts.project.config import ConfigError, Project, environment
from llm_contracts.project.secrets import secrets_in
from llm_contracts.results.document import to_json
from llm_contracts.results.store import RESULT, ItemsWriter, Packed, Stored
from llm_contracts.run.resume import UnfinishedRun
from llm_contracts.util.files import write_text
from llm_contracts.wire.scrub.scrubber import refuse_secrets

if TYPE_CHECKING:
    from llm_contracts.parity.result import Result

Function = TypeVar("Function", bound=Callable[..., Any])


def report_option(command: Function) -> Function:
    """`--report DIR`."""
    return click.option(
        "--report",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="The folder of the stored result, in place of report/.",
    )(command)


def secrets_of(project: Project) -> dict[str, str]:
    """Every value that must not get into a file, by the variable that holds it."""
    return secrets_in(environment(project.settings, os.environ), project.providers)


def stored_here(project: Project, folder: Path | None = None) -> Stored:
    """The result in a folder, by default the project's.

    Raises:
        ConfigError: there is none yet.
        StoredResultError: it cannot be read.
    """
    place = folder or project.settings.report
    stored = Stored.load(place)
    if stored is None:
        msg = f"{place / RESULT}: there is no result yet. Run `llm-contracts check` first."
        raise ConfigError(msg)
    return stored


@dataclass(frozen=True, kw_only=True, slots=True)
class Keeper:
    """Keeps a run in a folder while it goes on: each item as it finishes, the summary at the end. `code`: the
    project's files that were loaded for it, in whichever process.
    """

    folder: Path | None
    started_at: str
    secrets: Mapping[str, str]
    add: Callable[[Packed], None]
    code: set[str] = field(default_factory=set)

    def progress(self, done: Callable[[str], None]) -> Callable[[Packed], None]:
        """What to tell of each item that is done: it is kept before it is counted."""

        def tell(packed: Packed) -> None:
            self.add(packed)
            self.code.update(packed.code)
            done(packed.item.id)

        return tell

    def finish(self, result: Result, **extra: Any) -> str:
        """Write the summary, and give its text.

        Args:
            result: the run.
            extra: further top-level fields of the document.

        Raises:
            SecretFound: a secret is in it; then nothing is written.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        text = to_json(result, checked_at=now, started_at=self.started_at, **extra)
        refuse_secrets("the result", text.encode(), self.secrets)
        if self.folder is not None:
            write_text(self.folder / RESULT, text)
        return text


@contextmanager
def keeping(
    folder: Path | None,
    secrets: Mapping[str, str],
    *,
    plan: Mapping[str, Any] | None = None,
    draft: UnfinishedRun | None = None,
) -> Iterator[Keeper]:
    """Keeps what is about to run; without a folder nothing but the summary's text. Items with a secret in
    them are refused as they come.

    Args:
        folder: where.
        secrets: what must not get there.
        plan: what the run is about, so that it can be continued.
        draft: what to continue.
    """
    started_at = datetime.now(UTC).isoformat() if draft is None else draft.started_at

    def guard(name: str, data: bytes) -> None:
        refuse_secrets(f"the result of {name}", data, secrets)

    def keeper(add: Callable[[Packed], None]) -> Keeper:
        return Keeper(folder=folder, started_at=started_at, secrets=secrets, add=add)

    if folder is None:
        yield keeper(lambda _done: None)
        return
    keep = 0 if draft is None else draft.end
    with ItemsWriter(folder, started_at=started_at, guard=guard, plan=plan, keep=keep) as writer:
        yield keeper(lambda done: writer.add(done.item, done.line))
