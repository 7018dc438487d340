"""What commands share that keep a result, or read one that was kept."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, TypeVar

import click

from llm_contracts.project.config import ConfigError, Project, environment
from llm_contracts.project.secrets import secrets_in
from llm_contracts.results.store import RESULT, Stored

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
