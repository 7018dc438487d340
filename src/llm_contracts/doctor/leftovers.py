"""What still refers to the clients that are being replaced: the last step of a migration, as a list to empty.

Names are looked for as words in every file that git tracks (or, outside git, in every file below the root).
That finds more than imports: requirements, variables in workflows and examples, sentences in documents. A
place that is to stay, such as a changelog, is named in the configuration and counted, never passed over.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path, PurePosixPath

from llm_contracts.doctor.package_names import PYTHON, REQUIREMENTS, PackageFinder, lines_of
from llm_contracts.project.config import ConfigError, Retiring, Settings
from llm_contracts.util.git import repository_files

_TABLE = "[tool.llm_contracts.retire]"
_IMPORTERS = {"import_module", "__import__", "find_spec"}
_IMPORT = re.compile(r"\s*(?:from|import)\s|.*\b(?:import_module|__import__)\(")
_WORKFLOW = re.compile(r"(?i)(?:^|/)(?:Makefile|[^/]*Dockerfile[^/]*|[^/]*compose[^/]*\.ya?ml|[^/]+\.sh)$")
_LONGEST = 1_000_000  # bytes; what is larger is data, not something that people wrote


@dataclass(frozen=True, kw_only=True, slots=True)
class Leftover:
    """One line that still names what is to go. `area`: imports, code, tests, requirements, workflows,
    documents or settings; `line` counts from 1; 0 means the file itself.
    """

    area: str
    file: str
    line: int
    text: str

    @property
    def place(self) -> str:
        """`file:line`, as editors understand it."""
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, kw_only=True, slots=True)
class Leftovers:
    """Everything that was found. `kept`: pattern → how many lines it keeps on purpose."""

    found: tuple[Leftover, ...]
    kept: Mapping[str, int]

    def areas(self) -> Mapping[str, tuple[Leftover, ...]]:
        """Area → its lines, in the order in which they are best worked off."""
        by_area = {area: tuple(one for one in self.found if one.area == area) for area in _ORDER}
        return {area: lines for area, lines in by_area.items() if lines}


_ORDER = ("imports", "code", "requirements", "workflows", "settings", "tests", "documents")


def find_leftovers(settings: Settings) -> Leftovers:
    """Look through the project.

    Raises:
        ConfigError: the project does not say what is to go.
    """
    retiring = settings.retire
    if not retiring.names:
        raise ConfigError(
            f"{settings.root / 'pyproject.toml'}: [tool.llm_contracts.retire] names nothing that is to go. "
            'Say for instance: modules = ["mycompany.old_client"], requirements = ["requests"].'
        )
    found: list[Leftover] = []
    packages = PackageFinder(retiring.requirements)
    kept = dict.fromkeys(retiring.keep, 0)
    for name in repository_files(settings.root, untracked=True):
        lines = tuple(_in_file(settings.root, name, retiring, packages))
        pattern = next((each for each in retiring.keep if fnmatchcase(name, each)), None)
        if pattern is None:
            found += lines
        else:
            kept[pattern] += len(lines)
    return Leftovers(found=tuple(found), kept=kept)


def _in_file(root: Path, name: str, retiring: Retiring, packages: PackageFinder) -> Iterator[Leftover]:
    module = "/" + PurePosixPath(name).with_suffix("").as_posix() + "/"
    if name.endswith(PYTHON) and any(f"/{each.replace('.', '/')}/" in module for each in retiring.modules):
        yield Leftover(area="code", file=name, line=0, text="the code itself")
        return
    try:
        data = (root / name).read_bytes()
    except FileNotFoundError:  # it is removed meanwhile
        return
    if (len(data) > _LONGEST and not REQUIREMENTS.search(name)) or b"\0" in data:
        return
    words, text = _words(retiring), data.decode("utf-8", "replace")
    lines = lines_of(name, text)
    tree = _tree("\n".join(lines) if name.endswith((*PYTHON, ".ipynb")) else "")
    named = packages.lines(name, lines, tree) | _imported(name, tree, retiring)
    for number, line in _outside_the_table(lines):
        if number in named or words.search(line):
            yield Leftover(area=_area(name, line), file=name, line=number, text=line.strip())


def _tree(text: str) -> ast.Module:
    """The Python in a file; nothing where it cannot be read."""
    try:
        return ast.parse(text)
    except (SyntaxError, ValueError, RecursionError):
        return ast.Module(body=[], type_ignores=[])


def _imported(name: str, tree: ast.Module, retiring: Retiring) -> frozenset[int]:
    """The lines of a Python file that import what is to go, in whatever way it is named there."""
    folder = PurePosixPath(name).parent.parts
    bound = {given: module for node in ast.walk(tree) for module, given in _imports(node, folder) if given}
    return frozenset(
        node.lineno
        for node in ast.walk(tree)
        if isinstance(node, (ast.stmt, ast.expr))
        for module in _modules(node, folder, bound)
        if (module.partition(".")[0] in retiring.requirements and not isinstance(node, ast.Attribute))
        or any(f".{each}." in f".{module}." for each in retiring.modules)
    )


def _imports(node: ast.AST, folder: tuple[str, ...]) -> Iterator[tuple[str, str]]:
    """The modules that a statement imports, each with the name that now stands for it, or none. Relative ones
    are resolved from the file's folder.
    """
    if isinstance(node, ast.Import):
        yield from ((alias.name, alias.asname or "") for alias in node.names)
    elif isinstance(node, ast.ImportFrom):
        base = folder[: len(folder) - node.level + 1] if node.level else ()
        start = ".".join((*base, *([node.module] if node.module else [])))
        yield start, ""
        for alias in node.names:
            yield f"{start}.{alias.name}".lstrip("."), alias.asname or alias.name


def _spelt(node: ast.expr, names: Mapping[str, str]) -> str:
    """`llm.old.client` as the modules that its first name stands for; empty where it is not such a name."""
    match node:
        case ast.Name(id=name):
            return names.get(name, name)
        case ast.Attribute(value=whole, attr=part):
            start = _spelt(whole, names)
            return start and f"{start}.{part}"
    return ""


def _modules(node: ast.AST, folder: tuple[str, ...], bound: Mapping[str, str]) -> Iterator[str]:
    """The modules that a statement or call imports, or that a name leads to."""
    yield from (module for module, _ in _imports(node, folder))
    match node:
        case ast.Attribute():
            spelt = _spelt(node, bound)
            yield from [spelt] if "." in spelt else []
        case ast.Call(func=called) if _spelt(called, bound).rpartition(".")[2] in _IMPORTERS:
            texts = [
                arg.value
                for arg in (*node.args, *(word.value for word in node.keywords))
                if isinstance(arg, ast.Constant) and isinstance(arg.value, str)
            ]
            if texts and texts[0].startswith("."):
                package = texts[1].split(".") if len(texts) > 1 else list(folder)
                ups = len(texts[0]) - len(texts[0].lstrip(".")) - 1
                yield ".".join((*package[: len(package) - ups], texts[0].lstrip(".")))
            elif texts:
                yield texts[0]


def _outside_the_table(lines: Sequence[str]) -> Iterator[tuple[int, str]]:
    """Numbered lines, without the table that says what to look for."""
    in_table = False
    for number, line in enumerate(lines, start=1):
        if line.startswith("["):
            in_table = line.strip() == _TABLE
        if not in_table:
            yield number, line


def _words(retiring: Retiring) -> re.Pattern[str]:
    """What gives a reference away wherever it stands."""
    spelt = [*retiring.modules, *(module.replace(".", "/") for module in retiring.modules)]
    patterns = [re.escape(each) for each in (*spelt, *retiring.words)]
    patterns += [re.escape(each).replace(r"\*", r"\w*") for each in retiring.variables]
    return re.compile(rf"(?<![\w-])(?:{'|'.join(patterns) or '(?!)'})(?![\w-])")


def _area(name: str, line: str) -> str:
    if name.endswith(".py"):
        if "tests" in PurePosixPath(name).parts:
            return "tests"
        return "imports" if _IMPORT.match(line) else "code"
    if REQUIREMENTS.search(name):
        return "requirements"
    if name.startswith((".github/", ".gitlab")) or _WORKFLOW.search(name):
        return "workflows"
    return "documents" if name.endswith((".md", ".rst", ".txt")) else "settings"
