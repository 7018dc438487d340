"""`llm-contracts matrix --bisect KIND`."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import click

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.matrix_setup import Setup, check_arguments, matrix_of, shown_command
from llm_contracts.cli.stored import secrets_of
from llm_contracts.matrix.bisect import Bracket, Target, bisect, target
from llm_contracts.matrix.cell import Cell
from llm_contracts.matrix.document import FORMAT, bisect_document
from llm_contracts.matrix.grid import scenarios_in
from llm_contracts.matrix.pair import ReleasePair, by_age
from llm_contracts.matrix.terminal import print_bisection
from llm_contracts.parity.divergence import Kind
from llm_contracts.project.config import ConfigError, Project
from llm_contracts.results.document import json_text
from llm_contracts.util.files import write_text
from llm_contracts.util.terminal import report_console
from llm_contracts.wire.scrub.scrubber import refuse_secrets


def run_bisection(ready: Setup, pairs: Sequence[ReleasePair], given: Mapping[str, Any]) -> Exit:
    """Find the release, and print it."""
    package, low, high = ends(ready.pinned, pairs)
    kind = Kind(given["bisect"])
    whole = matrix_of(ready, ready.arguments, ready.reports / "bisect")
    cells = [_tried(whole.one, pair) for pair in (low, high)]
    goal = target(kind, *cells)
    if goal is None:
        count = len({d.item for d in cells[0].differences if d.kind is kind})
        same = f"{low} and {high} show {kind} in the same {scenarios_in(count)}"
        click.echo(f"{same}: there is nothing to find.")
        return Exit.AGREEMENT
    arguments = check_arguments(given, goal.scenarios)
    few = matrix_of(ready, arguments, ready.reports / "bisect" / "narrowed")

    def probe(version: str) -> bool | None:
        click.echo(f"{_with(low, package, version)} …", err=True)
        cell = few.one(_with(low, package, version))
        shown = goal.shown_by(cell)
        said = {True: f"shows {kind}", False: f"has no {kind}", None: f"cannot be tried: {cell.reason}"}[
            shown
        ]
        click.echo(f"{cell.pair} {said}", err=True)
        return shown

    listed = ready.listed(package)
    click.echo(
        f"{scenarios_in(len(goal.scenarios))} to look at; listing the releases of {package} …", err=True
    )
    found = bisect(
        (getattr(low, package), getattr(high, package)),
        goal,
        probe,
        lines=listed.lines,
        between=listed.between,
    )
    _hand_over(ready.project, goal, found, package, given)
    return Exit.AGREEMENT


def _hand_over(
    project: Project, goal: Target, found: Bracket, package: str, given: Mapping[str, Any]
) -> None:
    if given["json_file"] is not None:
        document = bisect_document(goal, found, package, command=shown_command(given))
        text = json_text({"format": FORMAT, "bisect": document}, indent=1) + "\n"
        refuse_secrets("the result", text.encode(), secrets_of(project))
        write_text(given["json_file"], text)
    if str(given["json_file"]) != "-":
        print_bisection(report_console(), goal, found, package)


def ends(pinned: ReleasePair, pairs: Sequence[ReleasePair]) -> tuple[str, ReleasePair, ReleasePair]:
    """The package to go along, and the two pairs to go between, oldest first. With a single one asked for,
    the pinned pair is the other.

    Raises:
        ConfigError: it is not two pairs that have either release in common.
    """
    both = list(pairs) if len(pairs) > 1 else [pinned, *pairs]
    differing = [name for name in ("litellm", "openai") if len({getattr(p, name) for p in both}) > 1]
    if len(both) != 2 or len(differing) != 1:  # noqa: PLR2004 - two ends
        msg = (
            "--bisect goes between two releases of one package: --litellm 1.93.2,1.101.0. "
            f"Asked for: {'; '.join(map(str, pairs))}."
        )
        raise ConfigError(msg)
    package = differing[0]
    low, high = sorted(both, key=lambda pair: by_age(getattr(pair, package)))
    return package, low, high


def _tried(one: Callable[[ReleasePair], Cell], pair: ReleasePair) -> Cell:
    click.echo(f"{pair} …", err=True)
    cell = one(pair)
    if not cell.ran:
        raise ConfigError(f"{pair} cannot be tried, so that there is nothing to go between. {cell.reason}")
    return cell


def _with(pair: ReleasePair, package: str, version: str) -> ReleasePair:
    return replace(pair, litellm=version) if package == "litellm" else replace(pair, openai=version)
