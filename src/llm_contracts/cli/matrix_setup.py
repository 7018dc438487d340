"""What a matrix needs before it can start, put together from options, `matrix.toml` and this environment."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from llm_contracts.matrix.checking import Check, Checker
from llm_contracts.matrix.commands import command, own_variables
from llm_contracts.matrix.cost import cost_measures
from llm_contracts.matrix.environments import Environments
from llm_contracts.matrix.here import find_uv, installed, requirement_sources, this_harness
from llm_contracts.matrix.pair import ReleasePair
from llm_contracts.matrix.plan import MatrixPlan, load_plan
from llm_contracts.matrix.releases import Releases, newest_by
from llm_contracts.matrix.run import Builder, MatrixRun
from llm_contracts.project.config import Project
from llm_contracts.util.versions import versions


@dataclass(frozen=True, kw_only=True, slots=True)
class Setup:
    """Everything that stays the same for all pairs.

    Attributes:
        project: the project that is checked.
        plan: the project's `matrix.toml`.
        pinned: the pair that is installed here.
        builder: resolves and builds.
        listed: lists the releases of a package.
        reports: where the whole results go.
        arguments: the check's own command and options.
        checking: gives what runs a check with other arguments than these.
    """

    project: Project
    plan: MatrixPlan
    pinned: ReleasePair
    builder: Builder
    listed: Callable[[str], Releases]
    reports: Path
    arguments: tuple[str, ...]
    checking: Callable[[Sequence[str]], Check]


def setup(project: Project, given: Mapping[str, Any]) -> Setup:
    """Read the plan, find uv, and look at what is installed.

    Raises:
        ConfigError: `matrix.toml` cannot be used, or there is no uv.
    """
    root = project.settings.root
    plan = load_plan(project.settings.matrix)
    uv, used, harness = find_uv(os.environ), versions(), this_harness()
    run = command(root, own_variables(os.environ))
    return Setup(
        project=project,
        plan=plan,
        pinned=ReleasePair(litellm=used["litellm"], openai=used["openai"]),
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
        listed=lambda package: Releases(package=package, newest=newest_by(run, uv, Path(sys.executable))),
        reports=given["report"] or project.settings.report / "matrix",
        arguments=check_arguments(given),
        checking=lambda words: Checker(root=root, arguments=words, environ=own_variables(os.environ)),
    )


def matrix_of(ready: Setup, arguments: Sequence[str], reports: Path | None = None) -> MatrixRun:
    """What tries pairs with these arguments of a check."""
    return MatrixRun(
        builder=ready.builder,
        check=ready.checking(arguments),
        python=Path(sys.executable),
        pinned=ready.pinned,
        unsupported=ready.plan.unsupported,
        reports=(reports or ready.reports).absolute(),
        measures=cost_measures,
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
    if given.get("cost"):
        words.append("--cost")
    return tuple(words)


def shown_command(given: Mapping[str, Any]) -> str:
    """What was asked for, as one would type it: which files it was written to is left out."""
    named = (
        "litellm",
        "openai",
        "providers",
        "scenarios",
        "reference",
        "candidate",
        "corpus",
        "overrides",
        "bisect",
    )
    words = ["llm-contracts", "matrix"]
    for name in named:
        values = given[name] if isinstance(given[name], tuple) else (given[name],)
        words += [word for value in values if value for word in (f"--{name.removesuffix('s')}", str(value))]
    return shlex.join([*words, "--cost"] if given.get("cost") else words)


def cache_folder(environ: Mapping[str, str]) -> Path:
    """The user's cache folder for environments, by the XDG Base Directory Specification."""
    base = environ.get("XDG_CACHE_HOME", "")
    # The specification says that a relative path is to be ignored.
    folder = Path(base) if base.startswith("/") else Path.home() / ".cache"
    return folder / "llm-contracts" / "matrix"
