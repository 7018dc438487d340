"""Mutation testing of the judge: `python -m tools.mutation [--mutants 500] [--seed 1] [MODULE ...]`.

cosmic-ray (`pip install cosmic-ray`; it is in no lock) changes one place of `parity` or `wire/facts` at a
time, in a copy of the repository, and runs the quick tests of these folders. Of a place one change is drawn;
of the places, a sample. Prints what survives; `docs/mutation.md` says why it does.
"""

from __future__ import annotations

import ast
import difflib
import importlib.util
import os
import random
import resource
import shutil
import signal
import sys
import tempfile
from collections import Counter
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
import pytest

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

_ROOT = Path(__file__).resolve().parents[1]
_JUDGE = (Path("src/llm_contracts/parity"), Path("src/llm_contracts/wire/facts"))
_TESTS = (
    "tests/harness/parity",
    "tests/harness/wire/test_facts.py",
    "tests/harness/wire/test_facts_gemini.py",
    "tests/harness/wire/test_request_diff.py",
)
_COPIED = ("src/llm_contracts", "tests/conftest.py", "tests/harness", "pyproject.toml")
_OURS = ("llm_contracts", "tests", "conftest", "_pytest")  # imported by each run anew
_CPU_TIME, _TIMEOUT = 60, 600  # seconds for the tests, which take some: a mutant may loop or wait


@click.command()
@click.argument("modules", nargs=-1)
@click.option("--mutants", default=500, show_default=True, help="How many, spread over all modules.")
@click.option("--seed", default=1, show_default=True, help="Another one draws another sample.")
def main(modules: tuple[str, ...], mutants: int, seed: int) -> None:
    """Change the judge in many ways, and see which its tests notice; of all modules or of those named."""
    if importlib.util.find_spec("cosmic_ray") is None:
        raise click.UsageError("This needs cosmic-ray: pip install cosmic-ray.")
    with tempfile.TemporaryDirectory() as folder:
        _copy(Path(folder))
        os.chdir(folder)
        sys.path[:0] = [f"{folder}/src", folder]
        sys.dont_write_bytecode = True  # the next mutant may be as long as this one, and of the same second
        os.environ |= {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1", "CI": "1"}  # the same examples for each mutant
        tests = {file: Path(file).read_text(encoding="utf-8") for file in _test_files()}
        for _ in range(2):  # without the libraries, and with them
            if not _pass(tests):
                raise click.ClickException(f"The tests fail unchanged:\n{Path('output').read_text()}")
            for name in Path("imported").read_text(encoding="utf-8").split():
                with suppress(Exception):  # what is not a module's name
                    importlib.import_module(name)
        counts: Counter[str] = Counter()
        for mutation, before, after in _sample(modules, mutants, random.Random(seed)):  # noqa: S311 - no secret
            file = mutation.module_path
            with _changed(file, after):
                survives = _pass(sorted(tests, key=lambda test: -tests[test].count(file.stem)))
            counts["survived" if survives else "killed"] += 1
            if survives:
                lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
                changed = [line for line in lines if line[:2] not in ("++", "--", "@@")]
                place = f"{file}:{mutation.start_pos[0]} {mutation.operator_name}"
                click.echo("\n".join([f"{counts.total()}. {place}", *changed, ""]))
        click.echo(f"{counts['killed']} of {counts.total()} killed, {counts['survived']} survive.")


def _test_files() -> Iterator[str]:
    for test in map(Path, _TESTS):
        yield from map(str, sorted(test.glob("test_*.py")) if test.is_dir() else [test])


@contextmanager
def _changed(file: Path, code: str) -> Iterator[None]:
    """While open, the file holds this; afterwards it is as it was, also for what has been compiled of it."""
    before, when = file.read_bytes(), file.stat()
    file.write_text(code, encoding="utf-8")
    try:
        yield
    finally:
        file.write_bytes(before)
        os.utime(file, ns=(when.st_atime_ns, when.st_mtime_ns))


def _pass(tests: Iterable[str]) -> bool:
    """Whether these tests pass; the first that fails ends them. They run in a copy of this process, which has
    imported their libraries, but nothing of the judge.
    """
    if child := os.fork():
        return os.waitpid(child, 0)[1] == 0
    resource.setrlimit(resource.RLIMIT_CPU, (_CPU_TIME, _CPU_TIME))
    signal.alarm(_TIMEOUT)
    code = 1
    try:
        with Path("output").open("w") as output, redirect_stdout(output), redirect_stderr(output):
            code = pytest.main(["-x", "-q", "-p", "no:cacheprovider", *tests])
        Path("imported").write_text("\n".join(name for name in sys.modules if not name.startswith(_OURS)))
    finally:
        os._exit(code)


def _copy(folder: Path) -> None:
    """What the tests need; what has been compiled of it goes along, so that no mutant pays for it again."""
    for name in _COPIED:
        source, target = _ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)


def _sample(modules: tuple[str, ...], count: int, draw: random.Random) -> Iterator[tuple[Any, str, str]]:
    """Of each place one change that is one, and of the places so many, with the code before and after."""
    from cosmic_ray.commands import init
    from cosmic_ray.modules import find_modules
    from cosmic_ray.work_db import WorkDB

    paths = sorted(find_modules(tuple(map(Path, modules)) or _JUDGE))
    database = WorkDB("session.sqlite", WorkDB.Mode.create)
    init(paths, database, {})
    places: dict[object, list[Any]] = {}
    for item in database.work_items:
        (mutation,) = item.mutations
        places.setdefault((mutation.module_path, mutation.start_pos, mutation.end_pos), []).append(mutation)
    database.close()
    chosen = sorted(places.items(), key=lambda place: str(place[0]))
    draw.shuffle(chosen)
    left = count
    for _, mutations in chosen:
        mutation = draw.choice(sorted(mutations, key=lambda each: (each.operator_name, each.occurrence)))
        if left and (codes := _codes(mutation)):
            left -= 1
            yield mutation, *codes


def _codes(mutation: Any) -> tuple[str, str] | None:
    """The module's code before and after, if that is a change: not in an annotation, which nothing reads, nor
    in what `dataclass` is told.
    """
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    code = mutation.module_path.read_text(encoding="utf-8")
    operator = get_operator(mutation.operator_name)(**mutation.operator_args)
    mutated = mutate_code(code, operator, mutation.occurrence)
    with suppress(SyntaxError):  # where `*` is not an operator
        if mutated is not None and _meaning(mutated) != _meaning(code):
            return code, mutated
    return None


def _meaning(code: str) -> str:
    tree = ast.parse(code)
    for node in ast.walk(tree):
        if isinstance(node, (ast.AnnAssign, ast.arg)):
            node.annotation = ast.Constant(None)
        elif isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            node.returns = None
        elif isinstance(node, ast.ClassDef):
            for decorator in node.decorator_list:
                if isinstance(decorator, ast.Call):
                    decorator.keywords = []
    return ast.unparse(tree)


if __name__ == "__main__":
    main()
