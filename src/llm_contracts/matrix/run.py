"""Composition: pairs of releases → environments → checks → cells."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from llm_contracts.cost.model import Measure, cost_from
from llm_contracts.cost.views import between, ratio
from llm_contracts.matrix.environments import (
    Check,
    Environments,
    Resolution,
    UnavailableError,
    checker,
    command,
    find_uv,
    local_requirements,
    own_variables,
)
from llm_contracts.matrix.plan import MatrixPlan, MatrixRequest, ReleasePair, Unsupported, pinned_pair
from llm_contracts.matrix.table import Cell, CellState, Table, cell_of
from llm_contracts.project.config import Project
from llm_contracts.util.text import first_names
from llm_contracts.util.versions import installed_packages

_UV_SECONDS = 900.0  # to resolve or to install one pair


class Builder(Protocol):
    """What resolves and builds, and knows the index: see `Environments`."""

    def resolve(self, pair: ReleasePair, /) -> Resolution: ...
    def build(self, resolution: Resolution, folder: Path, /) -> Sequence[str]: ...
    def newest(self, requirement: str, /) -> str | None: ...


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixRun:
    """Tries pairs.

    Attributes:
        builder: resolves pairs and builds their environments.
        check: runs a check in one.
        arguments: the check's own command and options.
        pinned: the pair of this environment.
        unsupported: what is known not to work.
        reports: below it each pair has a folder with its whole result.
        python: the words that start Python in this environment.
    """

    builder: Builder
    check: Check
    arguments: Sequence[str]
    pinned: ReleasePair
    unsupported: tuple[Unsupported, ...] = ()
    reports: Path
    python: Sequence[str] = (sys.executable,)

    def table(
        self,
        pairs: Iterable[ReleasePair],
        *,
        done: Callable[[Cell], None] = lambda _cell: None,
    ) -> Table:
        """Check under the pinned pair, then under every other; one that cannot be tried says why.

        Raises:
            UnavailableError: the pinned pair gave no result, so that there is nothing to compare with.
        """
        pinned = self.one(self.pinned)
        done(pinned)
        cells: list[Cell] = []
        for pair in pairs:
            if pair == self.pinned:
                continue
            cell = self.one(pair)
            changed = [n for n, digest in cell.inputs.items() if pinned.inputs.get(n, digest) != digest]
            if changed:
                said = f"{first_names(changed, 1)} changed while the matrix ran, so that this is not a fair "
                said += "comparison. Run it again."
                cell = replace(cell, complaints=(*cell.complaints, said))
            done(cell)
            if cell.pair not in {self.pinned, *(each.pair for each in cells)}:
                cells.append(cell)
        return Table(pinned=pinned, cells=tuple(cells))

    def one(self, pair: ReleasePair) -> Cell:
        """One pair: resolved, built, checked; or the reason why not. The pinned pair runs here.

        Raises:
            UnavailableError: the pinned pair gave no result.
        """
        if pair == self.pinned:
            return self._cell(pair, self.python)
        try:
            refused = self._refused(pair)
            if refused is None:
                resolution = self.builder.resolve(pair)
                pair = resolution.pair  # only now is it known what `latest` is
                refused = self._refused(pair)
            if refused is not None:
                return Cell(pair=pair, state=CellState.UNSUPPORTED, reason=refused)
            cell = self._cell(pair, self.builder.build(resolution, self.reports / pair.folder))
            return replace(cell, moved=resolution.moved)
        except UnavailableError as error:
            return Cell(pair=pair, state=CellState.FAILED, reason=str(error))

    def _refused(self, pair: ReleasePair) -> str | None:
        """Why a pair is not to be tried."""
        known = (row.reason for row in self.unsupported if row.provider is None and row.covers(pair))
        return next(known, "This is the pinned pair." if pair == self.pinned else None)

    def _cell(self, pair: ReleasePair, python: Sequence[str]) -> Cell:
        folder = self.reports / pair.folder
        document = self.check(python, self.arguments, folder)
        known = (row for row in self.unsupported if row.covers(pair))
        return cell_of(pair, document, known=known, report=str(folder), measures=cost_measures(document))


def matrix_run(
    project: Project, request: MatrixRequest, plan: MatrixPlan, environ: Mapping[str, str]
) -> MatrixRun:
    """What tries pairs, put together from the request, `matrix.toml` and this environment.

    Raises:
        ConfigError: there is no uv.
    """
    root, variables = project.settings.root, own_variables(environ)
    file = root / "pyproject.toml"
    has_requirements = file.is_file() and "[project]" in file.read_text(encoding="utf-8")
    return MatrixRun(
        builder=Environments(
            run=command(root, variables, timeout=_UV_SECONDS),
            uv=find_uv(environ),
            python=Path(sys.executable),
            requirements=(*local_requirements(), *plan.requirements, *request.requirements),
            sources=(file,) if has_requirements else (),
            overrides=(*plan.overrides, *request.overrides),
            installed=installed_packages(),
            cache=request.cache,
        ),
        check=checker(command(root, variables)),
        arguments=request.check_arguments(),
        pinned=pinned_pair(),
        unsupported=plan.unsupported,
        reports=(request.report or project.settings.report / "matrix").absolute(),
    )


def cost_measures(document: Mapping[str, Any]) -> Mapping[str, str]:
    """How many times the reference's cost the candidate's is, in words for the table: the median of the
    providers and, where there are several, the lowest and the highest. Empty where costs were not measured.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: the document is not a check's.
    """
    if document.get("cost") is None:
        return {}
    cost = cost_from(document["cost"])
    found = {}
    for measure in Measure:
        text, spread = "–", cost.typical(measure)  # noqa: RUF001 - the sign for nothing
        if spread is not None:
            text = ratio(spread.median) + (f" ({between(spread)})" if len(cost.comparable) > 1 else "")
        found[f"{measure.label}, times the reference"] = text
    return found
