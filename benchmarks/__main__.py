"""Run benchmarks by name; see the package's docstring."""

from __future__ import annotations

import json
import os
import pkgutil
import platform
import sys
from collections.abc import Iterator, Mapping
from dataclasses import asdict
from importlib import import_module
from pathlib import Path
from types import ModuleType
from typing import Any

import click
from rich.console import Console
from rich.table import Table

import benchmarks
from benchmarks.measure import Figure, Size
from llm_contracts.project.config import nearest

_BUSY = 0.75  # of a processor each: beyond this, others' work shows in the figures


def found() -> Mapping[str, ModuleType]:
    """Every benchmark by its name: the modules of the package that have a `run`."""
    names = [module.name for module in pkgutil.iter_modules(benchmarks.__path__) if module.name != "__main__"]
    modules = {name: import_module(f"benchmarks.{name}") for name in names}
    return {name: module for name, module in modules.items() if hasattr(module, "run")}


def title(module: ModuleType) -> str:
    """The first sentence of its docstring."""
    return (module.__doc__ or "").partition("\n\n")[0].replace("\n", " ").strip()


def table(name: str, figures: list[Figure]) -> Table:
    """The figures of one benchmark, for people."""
    drawn = Table("figure", title=name, title_justify="left", title_style="bold", box=None, pad_edge=False)
    for column in ("median", "low", "high", "promised"):
        drawn.add_column(column, justify="right")
    for row in figures:
        promised = "" if row.at_most is None else f"≤ {_shown(row.at_most, row.unit)}"
        mark = "" if row.kept else " BROKEN"
        values = (_shown(value, row.unit) for value in (row.median, row.low, row.high))
        drawn.add_row(row.name, *values, promised + mark, style="" if row.kept else "red")
    return drawn


def document(size: Size, results: Mapping[str, list[Figure]]) -> dict[str, Any]:
    """The run as JSON."""
    return {
        "format": 1,
        "size": str(size),
        "machine": {
            "processors": os.cpu_count(),
            "load": round(os.getloadavg()[0], 2),
            "python": platform.python_version(),
            "system": platform.system(),
        },
        "benchmarks": {
            name: [{**asdict(row), "kept": row.kept} for row in rows] for name, rows in results.items()
        },
    }


@click.command(help=(benchmarks.__doc__ or "").partition("\n")[0])
@click.argument("names", nargs=-1, metavar="[NAME]...")
@click.option("--full", is_flag=True, help="More rounds and larger input.")
@click.option("--list", "only_list", is_flag=True, help="Say what there is, and measure nothing.")
@click.option("--json", "json_file", type=click.Path(dir_okay=False, path_type=Path), metavar="FILE")
def main(names: tuple[str, ...], *, full: bool, only_list: bool, json_file: Path | None) -> None:
    """Run the named benchmarks, or all; fail where a promise is broken."""
    known = found()
    wanted = {name: known[_known(name, known)] for name in names} or known
    if only_list:
        for name, module in wanted.items():
            click.echo(f"{name:20} {title(module)}")
        return
    if json_file is not None and not json_file.parent.is_dir():
        raise click.UsageError(f"There is no folder {json_file.parent} for --json to write to.")
    size = Size.FULL if full else Size.QUICK
    console = Console()
    results = dict(_measured(wanted, size, console))
    if json_file is not None:
        json_file.write_text(json.dumps(document(size, results), indent=2) + "\n", encoding="utf-8")
    sys.exit(not all(row.kept for rows in results.values() for row in rows))


def _measured(
    wanted: Mapping[str, ModuleType], size: Size, console: Console
) -> Iterator[tuple[str, list[Figure]]]:
    console.print(_caveat(), style="dim")
    for name, module in wanted.items():
        with console.status(f"{name}: {title(module)}"):
            figures = list(module.run(size))
        console.print(table(name, figures))
        console.print()
        yield name, figures


def _caveat() -> str:
    load, processors = os.getloadavg()[0], os.cpu_count() or 1
    busy = " That is busy: expect a wide spread, and measure again." if load > _BUSY * processors else ""
    return f"{processors} processors, load {load:.1f} before the run.{busy} Compare ratios, not seconds."


def _known(name: str, known: Mapping[str, ModuleType]) -> str:
    if name in known:
        return name
    raise click.UsageError(f"There is no benchmark {name!r}. {nearest(name, known)}")


def _shown(value: float, unit: str) -> str:
    digits = 0 if value >= 100 else 1 if value >= 10 else 2 if value >= 0.1 else 3  # noqa: PLR2004
    return f"{value:,.{digits}f} {unit}"


if __name__ == "__main__":
    main(prog_name="python -m benchmarks")
