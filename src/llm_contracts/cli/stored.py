"""What commands share that keep a result, or read one that was kept."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import click

from llm_contracts.cli.output import refuse_secrets
from llm_contracts.config import ConfigError, Project
from llm_contracts.store import RESULT, ItemsWriter, Stored

if TYPE_CHECKING:
    from llm_contracts.parity.result import Item

Function = TypeVar("Function", bound=Callable[..., Any])


def report_option(command: Function) -> Function:
    """`--report DIR`."""
    return click.option(
        "--report",
        type=click.Path(file_okay=False, path_type=Path),
        metavar="DIR",
        help="The folder of the stored result, in place of report/.",
    )(command)


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


@contextmanager
def stored_items(
    folder: Path | None, started_at: str, secrets: Mapping[str, str]
) -> Iterator[Callable[[Item], None]]:
    """Tell it of each item as it finishes: it is written at once, unless a secret is in it. Without a folder
    nothing is kept.
    """
    if folder is None:
        yield lambda _item: None
        return

    def guard(name: str, data: bytes) -> None:
        refuse_secrets(f"the result of {name}", data, secrets)

    with ItemsWriter(folder, started_at=started_at, guard=guard) as writer:
        yield writer.add
