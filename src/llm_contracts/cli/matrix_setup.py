"""What a matrix needs before it can start, put together from options, `matrix.toml` and this environment."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_contracts.config import Project
from llm_contracts.matrix.checking import Checker
from llm_contracts.matrix.commands import Command, command, own_variables
from llm_contracts.matrix.environments import Environments
from llm_contracts.matrix.here import find_uv, installed, requirement_sources, this_harness
from llm_contracts.matrix.pair import Pair
from llm_contracts.matrix.plan import Plan, load_plan
from llm_contracts.matrix.run import Matrix
from llm_contracts.versions import versions


@dataclass(frozen=True, kw_only=True, slots=True)
class Setup:
    """Everything that stays the same for all pairs.

    Attributes:
        plan: the project's `matrix.toml`.
        pinned: the pair that is installed here.
        uv: the program.
        run: runs programs in the project's folder.
        builder: resolves and builds.
        reports: where the whole results go.
        arguments: the check's own command and options.
        timeout: seconds for one call.
    """

    project: Project
    plan: Plan
    pinned: Pair
    uv: Path
    run: Command
    builder: Environments
    reports: Path
    arguments: tuple[str, ...]


def setup(project: Project, given: Mapping[str, Any]) -> Setup:
    """Read the plan, find uv, and look at what is installed.

    Raises:
        ConfigError: `matrix.toml` cannot be used, or there is no uv.
    """
    root = project.settings.root
    plan = load_plan(project.settings.matrix)
    uv, used, harness = find_uv(), versions(), this_harness()
    run = command(root, own_variables(os.environ))
    return Setup(
        project=project,
        plan=plan,
        pinned=Pair(litellm=used["litellm"], openai=used["openai"]),
        uv=uv,
        run=run,
        builder=Environments(
            run=run,
            uv=uv,
            python=Path(sys.executable),
            cache=given["cache"] or cache_folder(os.environ),
            harness=harness,
            requirements=(*plan.requirements, *given["requirements"]),
            sources=requirement_sources(root, harness),
            overrides=(*plan.overrides, *given["overrides"]),
            installed=installed(),
        ),
        reports=given["report"] or project.settings.report / "matrix",
        arguments=check_arguments(given),
    )


def matrix_of(ready: Setup, arguments: Sequence[str], reports: Path | None = None) -> Matrix:
    """What tries pairs with these arguments of a check."""
    return Matrix(
        builder=ready.builder,
        check=Checker(
            root=ready.project.settings.root, arguments=arguments, environ=own_variables(os.environ)
        ),
        python=Path(sys.executable),
        pinned=ready.pinned,
        unsupported=ready.plan.unsupported,
        reports=(reports or ready.reports).absolute(),
    )


def check_arguments(given: Mapping[str, Any], scenarios: Sequence[str] | None = None) -> tuple[str, ...]:
    """The command and options of the check that runs under each pair.

    Args:
        given: the matrix' own options.
        scenarios: those to run, in place of what was asked for.
    """
    corpus = given["corpus"]
    words = ["corpus", str(corpus.absolute())] if corpus is not None else ["check"]
    if corpus is None and scenarios is not None:
        words += [word for name in scenarios for word in ("--scenario", name)]
    else:
        words += [word for name in given["providers"] for word in ("--provider", name)]
        words += [word for name in given["scenarios"] for word in ("--scenario", name)]
    for option in ("reference", "candidate", "jobs", "timeout"):
        if given[option] is not None:
            words += [f"--{option}", str(given[option])]
    return tuple(words)


def cache_folder(environ: Mapping[str, str]) -> Path:
    """The user's cache folder for environments, by the XDG Base Directory Specification."""
    base = environ.get("XDG_CACHE_HOME", "")
    # The specification says that a relative path is to be ignored.
    folder = Path(base) if base.startswith("/") else Path.home() / ".cache"
    return folder / "llm-contracts" / "matrix"
