"""Composition: pairs of releases → environments → checks → cells."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Protocol

from llm_contracts.matrix.cell import Cell, CellState, cell_of
from llm_contracts.matrix.checking import Check, CheckError
from llm_contracts.matrix.environments import Resolution, UnavailableError
from llm_contracts.matrix.pair import ReleasePair, Unsupported, unsupported
from llm_contracts.matrix.table import Table
from llm_contracts.util.text import first_names

Step = Callable[[str, int], None]
"""Told what is being done for which pair, and how many of its scenarios are done."""


class Builder(Protocol):
    """What resolves and builds: see `Environments`."""

    def resolve(self, pair: ReleasePair, /) -> Resolution: ...

    def moved(self, resolution: Resolution, /) -> Mapping[str, str]: ...

    def build(self, resolution: Resolution, /) -> Path: ...


class _RefusedError(Exception):
    """A pair is not to be tried, for the reason that the message gives."""


@dataclass(frozen=True, kw_only=True, slots=True)
class MatrixRun:
    """Tries pairs.

    Attributes:
        builder: resolves pairs and builds their environments.
        check: runs a check in one.
        python: the interpreter of this environment, which has the pinned pair.
        pinned: that pair.
        unsupported: what is known not to work.
        reports: below it each pair has a folder with its whole result.
        measures: what else to read off a result, in words for people: a row of the table each.
    """

    builder: Builder
    check: Check
    python: Path
    pinned: ReleasePair
    unsupported: tuple[Unsupported, ...] = ()
    reports: Path
    measures: Callable[[Mapping[str, Any]], Mapping[str, str]] = lambda _document: {}

    def table(
        self,
        pairs: Iterable[ReleasePair],
        *,
        step: Step = lambda _what, _count: None,
        done: Callable[[Cell], None] = lambda _cell: None,
    ) -> Table:
        """Check under the pinned pair, then under every other; one that cannot be tried says why.

        Raises:
            CheckError: nothing came of the pinned pair, so that there is nothing to compare with.
        """
        step(f"{self.pinned}", 0)
        pinned = self._cell(self.pinned, self.python, lambda n: step(f"{self.pinned}", n))
        done(pinned)
        cells: list[Cell] = []
        for pair in pairs:
            if pair == self.pinned:
                continue
            cell = _steady(pinned, self.try_pair(pair, step=step))
            done(cell)
            if cell.pair not in {self.pinned, *(each.pair for each in cells)}:
                cells.append(cell)
        return Table(pinned=pinned, cells=tuple(cells))

    def one(self, pair: ReleasePair) -> Cell:
        """One pair alone, the pinned one like any other.

        Raises:
            CheckError: nothing came of the pinned pair.
        """
        return self._cell(pair, self.python, lambda _n: None) if pair == self.pinned else self.try_pair(pair)

    def try_pair(self, pair: ReleasePair, *, step: Step = lambda _what, _count: None) -> Cell:
        """One pair: resolved, built, checked; or the reason why not."""
        try:
            step(f"{pair}: resolving", 0)
            self._refuse(pair)
            resolution = self.builder.resolve(pair)
            pair = resolution.pair  # only now is it known what `latest` is
            self._refuse(pair)
            step(f"{pair}: installing", 0)
            python = self.builder.build(resolution)
            cell = self._cell(pair, python, lambda n: step(f"{pair}", n))
            return replace(cell, moved=self.builder.moved(resolution))
        except _RefusedError as error:
            return Cell(pair=pair, state=CellState.UNSUPPORTED, reason=str(error))
        except (UnavailableError, CheckError) as error:
            return Cell(pair=pair, state=CellState.FAILED, reason=str(error))

    def _refuse(self, pair: ReleasePair) -> None:
        for row in unsupported(pair, self.unsupported):
            if row.provider is None:
                raise _RefusedError(row.reason)
        if pair == self.pinned:
            raise _RefusedError("This is the pinned pair.")

    def _cell(self, pair: ReleasePair, python: Path, progress: Callable[[int], None]) -> Cell:
        folder = self.reports / pair.folder
        document = self.check(python, folder, progress)
        known = unsupported(pair, self.unsupported)
        return cell_of(pair, document, known=known, report=str(folder), measures=self.measures(document))


def _steady(pinned: Cell, cell: Cell) -> Cell:
    """The cell, which says so if what it was made from is not what the pinned one was made from: recordings
    or code that somebody changed meanwhile.
    """
    changed = [name for name, digest in cell.inputs.items() if pinned.inputs.get(name, digest) != digest]
    if not changed:
        return cell
    what = first_names(changed, 1)
    said = f"{what} changed while the matrix ran, so that this is not a fair comparison. Run it again."
    return replace(cell, complaints=(*cell.complaints, said))
