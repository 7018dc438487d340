"""Mutation testing of the judge: `python -m tools.mutation [--mutants 500] [--seed 1] [MODULE ...]`.

cosmic-ray (`pip install cosmic-ray`; it is in no lock) changes one place of `parity` or `wire/facts` at a
time, in a copy of the repository, and runs the quick tests of these folders. Of a place one change is drawn;
of the places, a sample. Prints what survives; `docs/mutation.md` says why it does.
"""

from __future__ import annotations

import ast
import importlib.util
import os
import random
import shlex
import shutil
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from collections.abc import Iterator

_ROOT = Path(__file__).resolve().parents[1]
_JUDGE = (Path("src/llm_contracts/parity"), Path("src/llm_contracts/wire/facts"))
_TESTS = (
    "tests/harness/parity",
    "tests/harness/wire/test_facts.py",
    "tests/harness/wire/test_facts_gemini.py",
    "tests/harness/wire/test_request_diff.py",
)
_COPIED = ("src/llm_contracts", "tests/conftest.py", "tests/harness", "pyproject.toml")
_TIMEOUT = 120.0  # seconds for the tests, which take two: a mutant may loop


@click.command()
@click.argument("modules", nargs=-1)
@click.option("--mutants", default=500, show_default=True, help="How many, spread over all modules.")
@click.option("--seed", default=1, show_default=True, help="Another one draws another sample.")
def main(modules: tuple[str, ...], mutants: int, seed: int) -> None:
    """Change the judge in many ways, and see which its tests notice; of all modules or of those named."""
    if importlib.util.find_spec("cosmic_ray") is None:
        raise click.UsageError("This needs cosmic-ray: pip install cosmic-ray.")
    from cosmic_ray.mutating import mutate_and_test
    from cosmic_ray.testing import run_tests

    with tempfile.TemporaryDirectory() as folder:
        _copy(Path(folder))
        os.chdir(folder)
        os.environ |= {
            "PYTHONPATH": f"{folder}/src",
            "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
            "CI": "1",  # the same examples for each mutant
        }
        command = shlex.join([sys.executable, "-m", "pytest", "-x", "-q", "-p", "no:cacheprovider", *_TESTS])
        outcome, output = run_tests(command, _TIMEOUT)
        if outcome != "survived":
            raise click.ClickException(f"The tests fail without any change:\n{output}")
        counts: Counter[str] = Counter()
        for mutation in _sample(modules, mutants, random.Random(seed)):  # noqa: S311 - a sample, not a secret
            result = mutate_and_test([mutation], command, _TIMEOUT)
            counts["killed" if result.is_killed else "survived"] += 1
            if not result.is_killed:
                lines = (result.diff or "").splitlines()
                changed = [line for line in lines if line[:1] in "+-" and line[:2] not in ("++", "--")]
                place = f"{mutation.module_path}:{mutation.start_pos[0]} {mutation.operator_name}"
                click.echo("\n".join([f"{counts.total()}. {place}", *changed, ""]))
        click.echo(f"{counts['killed']} of {counts.total()} killed, {counts['survived']} survive.")


def _copy(folder: Path) -> None:
    """What the tests need; what has been compiled of it goes along, so that no mutant pays for it again."""
    for name in _COPIED:
        source, target = _ROOT / name, folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        if source.is_dir():
            shutil.copytree(source, target)
        else:
            shutil.copy2(source, target)


def _sample(modules: tuple[str, ...], count: int, draw: random.Random) -> Iterator[Any]:
    """Of each place one change that is one, and of the places so many."""
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
        if left and _changes(mutation):
            left -= 1
            yield mutation


def _changes(mutation: Any) -> bool:
    """Not in an annotation, which nothing reads, nor in what `dataclass` is told."""
    from cosmic_ray.mutating import mutate_code
    from cosmic_ray.plugins import get_operator

    code = mutation.module_path.read_text(encoding="utf-8")
    operator = get_operator(mutation.operator_name)(**mutation.operator_args)
    mutated = mutate_code(code, operator, mutation.occurrence)
    with suppress(SyntaxError):  # where `*` is no operator
        return mutated is not None and _meaning(mutated) != _meaning(code)
    return False


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
