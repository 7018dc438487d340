"""Where a file names a package as something to install, to import or to watch.

A package may be called by an ordinary word (`requests`), so the word alone tells nothing. It counts as an
argument of a command that installs, with a version, where a key or a variable says that packages follow, in
the files that tools keep for that, and in imports. Prose does not count.
"""

from __future__ import annotations

import ast
import json
import re
from collections.abc import Iterator, Sequence

PYTHON = (".py", ".pyi", ".pyw", ".pyx")
REQUIREMENTS = re.compile(
    r"(?:^|/)(?:pyproject\.toml|setup\.(?:cfg|py)|tox\.ini|Pipfile(?:\.lock)?|(?:uv|poetry|pdm|pixi)\.lock"
    r"|pixi\.toml|pylock[^/]*\.toml|[^/]*(?:req(?:s|uirements?)?|constraints|deps|dependencies)(?![a-z])[^/]*\.(?:in|txt|lock|pip)"
    r"|(?:[^/]*packages|apt|pip)\.txt|Aptfile|Brewfile"
    r"|(?:req[^/]*|constraints|deps)/.+\.(?:in|txt|lock|pip)|(?:conda-)?environment[^/]*\.ya?ml"
    r"|conda-lock[^/]*\.ya?ml|meta\.ya?ml|\.pre-commit-config\.ya?ml)$"
)
_WATCHED = re.compile(r"(?:^|/)(?:dependabot\.ya?ml|\.?renovate(?:rc)?(?:\.json5?)?)$")
# What tools other than Python's make machines from: each mention in such a file is one. What makes packages
# (PKGBUILD, `.spec`, `debian/control`) describes them in prose, too, and is read like any other file.
_RECIPES = re.compile(r"(?:^|/)(?:BUILD|[^/]+\.(?:bazel|bzl|nix|pp|sls))$")
_PROSE = (".md", ".rst", ".txt", ".adoc")
_CODE = (
    *(".c", ".cpp", ".cs", ".css", ".go", ".h", ".java", ".js", ".jsx", ".kt", ".php", ".rb", ".rs", ".sql"),
    *(".scala", ".swift", ".ts", ".tsx", ".vue"),
)

_GAP = r"[\s\"',\[\]]+"  # between the words of a command, also where it is a list of them
_INSTALL = (
    r"(?:\b(?:pip[\d.]*|pipx|pipenv|uvx?|poetry|pdm|pixi|rye|hatch|conda|mamba|micromamba"
    r"|apt|apt-get|apk|dnf|yum|zypper)"
    rf"[\"')}}]*(?:{_GAP}(?:-[^\s\"',]*(?:[ =](?!install)[^\s\"',;&|`-][^\s\"',;&|`]*)?|pip|tool|run|dev))*"
    rf"{_GAP}(?:install|add|sync|inject|wheel|download|create|--with|--from)|\beasy_install)(?:{_GAP}|=)"
    r"(?:(?!\s#|&&|;|\||`|\.\s|(?<![\"']),\s+\w).)*?"
)
_BEGINS = re.compile(f"(?i:{_INSTALL})")
_ASSIGNED = re.compile(
    r"^\s*(?:-\s+|%\{[?!]+\w+:\s*)?(?:(?:export|local|readonly|declare|ARG|ENV|set|variable)\s+)*"
    r"[\"']?(?P<key>[\w.$-]+)(?:\([\w, ]+\)|[\"'])?\s*"
    r"(?:(?P<block>\{)|(?:::?=|\?=|\+=|[:=])(?!=)(?P<value>.*))"
)
_INLINE = re.compile(r"([\w.$-]+)[\"']?\s*[:=]\s*(\[[^\]]*\]|\([^)]*\)|\"[^\"]*\"|'[^']*')")
_PACKAGES = re.compile(
    r"apk|apt|conda|(?:check|make|opt)?depend(?:s|ency|encies)?|forbidden|librar(?:y|ies)|(?:dep|lib|package|pkg|requirement|wheel)s?"
    r"|party|pip|pypi|recommends|requires?|suggests"
)
_PLAIN = frozenset({"default", "name", "names", "value", "values"})  # what is around them tells
_LOOPS = frozenset({"loop", "with_items"})
_LOADERS = re.compile(  # what loads a module, or replaces a part of one, by its name
    r"(?i)install|import|patch|setattr|getlogger|resolve|lazy|find_spec|distribution|version|modules\."
)


def lines_of(name: str, text: str) -> list[str]:
    """The lines as they are meant: those of a notebook's cells are texts in JSON, one a line."""
    lines = re.split(r"\r\n?|\n", text)  # as editors count; a form feed ends none
    return [_decoded(line) for line in lines] if name.endswith(".ipynb") else lines


def _decoded(line: str) -> str:
    try:
        value = json.loads(line.strip().removesuffix(","))
    except ValueError:
        return line
    return value.rstrip("\n") if isinstance(value, str) else line


def _is_about_packages(key: str) -> bool:
    words = [word.lower() for word in re.findall(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+", key)]
    return any(map(_PACKAGES.fullmatch, words)) and "on" not in words  # `depends_on` is about services


class PackageFinder:
    """Finds packages by their names, which may be spelt in any of the ways of PEP 503."""

    def __init__(self, packages: Sequence[str]) -> None:
        # `python3-requests` is how distributions of Linux have it; what they make packages from may have a
        # variable for the number, or for all before the name.
        names = "|".join(re.sub(r"[-_.]+", "[-_.]+", name) for name in packages)
        self._packages = packages
        before = r"(?:py(?:thon)?(?:[\d.]*|[%$]\{\w+\})|[%$]\{\w*py\w*\})-"
        self._spelt = rf"(?:{before})?(?:{names})"
        self._name = rf"{self._spelt}(?![\w/-])"  # whatever stands before it
        self._word = rf"(?<![\w.-]){self._name}"
        self._named = re.compile(f"(?i:{self._spelt})")
        self._installs = re.compile(f"(?i:{_INSTALL}{self._word})")

    def lines(self, file: str, lines: Sequence[str], tree: ast.Module) -> frozenset[int]:
        """The numbers, from 1 on, of the lines of a file that name one; `tree` is the Python in it."""
        if not self._packages:
            return frozenset()
        found = set(self._in_code(tree))  # where a name may be put together from several texts
        if any(map(self._named.search, lines)):
            tell, installed = self._telling(file), _installed(lines)
            found |= {number for number, line in enumerate(lines, 1) if tell.search(line)}
            found |= set(self._in_commands(lines, installed, listed=file.endswith((".yml", ".yaml"))))
            if not file.endswith((*PYTHON, ".ipynb", *_PROSE, *_CODE)):
                found |= set(self._in_lists(lines, installed))
        return frozenset(found)

    def _telling(self, file: str) -> re.Pattern[str]:
        """What tells by itself, in one line."""
        word, name = self._word, self._name
        parts = [
            rf"{word}(?:\[[\w, -]+\])?\s?(?:[=~!<>]=\s?\d+\.|[<>]\d+\.|~=|===)",
            rf"^\W*import (?:[\w.]+(?: as \w+)?,\s*)*{word}(?=\s*(?:$|[,;.#\"'`\\]|as\b))",
            rf"\bfrom {word}[\w.]* import\b",
            rf"{word}.*(?<!-)>\s*\S*(?:req|constraints)\S*\.(?:txt|in)",
            # Bazel's labels, Nix in a shell, Chef and Puppet, mypy
            rf"requirement\([\"']{word}|@\w+//{word}|@\w+_{self._spelt}//|\w*packages\.{name}",
            rf"package\s*\{{?\s*[\"']{word}|\[mypy-{name}",
        ]
        if file.endswith((*PYTHON, ".ipynb")):  # also within texts, and what a script needs (PEP 723)
            called = r"(?:import_module|__import__|patch(?:\.\w+)?|modules)[(\[]\s*"
            parts += [rf"(?<=import ){word}|(?<=from ){word}|(?:^#.*|{called})[\"']{word}"]
        if _RECIPES.search(file):
            parts.append(rf"^[^#]*{self._spelt}(?!\w)")
        if REQUIREMENTS.search(file):
            parts.append(
                rf"(?:^\s*(?:-\s*)?(?:name:\s*)?|[\[,\"']\s*|^\s*[\w-]+\s*=\s*[\"']?|egg=|/|::){name}"
            )
        if _WATCHED.search(file):
            parts.append(rf"[\"'\s]\^?{word}[*$^]*[\"']?,?\s*$|dependency-name:\s*[\"']?{word}")
        return re.compile("(?i:" + "|".join(parts) + ")")

    def _in_commands(self, lines: Sequence[str], installed: frozenset[str], *, listed: bool) -> Iterator[int]:
        """Arguments of commands that install, also where one goes on over several lines, and what is handed
        to one by a loop, by `xargs` or as a text.
        """
        word, command, text, listing = re.compile(f"(?i:{self._word})"), "", "", False
        for number, line in enumerate(lines, 1):
            item = re.fullmatch(r"\s*-\s*(\S+)\s*", line) if listed else None
            said = item[1] if item else line.strip().removeprefix("args: ")
            command = f" {said}" if listing and item is None else f"{command} {said}"
            listing = item is not None
            if word.search(line):
                loop = re.search(r"\bfor (\w+) in\b", line)
                handed = text or re.search(r"(?i)xargs.*\binstall\b", line) or (loop and loop[1] in installed)
                ends = (match.end() for match in self._installs.finditer(command))
                if handed or any(end > len(command) - len(said) for end in ends):
                    yield number
            opener = re.search(r"(?i)(?:\bpip|req|constraints).*<<-?\s*[\"']?(\w+)", line)
            text = opener[1] if opener else "" if line.strip() == text else text
            goes_on = (
                listing
                or re.search(r"^(?:entrypoint|command):.*\bpip\d?\W*$", said)
                or (command.count('"') % 2 and _BEGINS.search(f"{command} "))
            )
            command = command if goes_on else command[:-1] if said.endswith(("\\", "`", "^")) else ""

    def _in_lists(self, lines: Sequence[str], installed: frozenset[str]) -> Iterator[int]:
        """What stands below a key, or in a variable, whose name says that it is about packages."""
        word = re.compile(f"(?i:{self._word}|(?<=/){self._name})")
        alone = re.compile(
            rf"(?i)\s*(?:-\s+)?(?:[\w.$-]+\s*[:=]\s*)?[\"']?{self._word}[\"']?,?\s*(?:[=<>!~].*)?"
        )
        loops = any("{{ item" in line for line in lines)
        above: list[tuple[int, str, str]] = []  # how far it is indented, the key, the open bracket or quote

        def tells(key: str) -> bool:
            return _is_about_packages(key) or key in installed

        for number, line in enumerate(lines, 1):
            begin = line.lstrip()
            depth = len(line) - len(begin) + begin.startswith("- ")
            while begin and above and above[-1][0] >= depth and (not above[-1][2] or begin[0] in ")]}"):
                above.pop()
            assigned = _ASSIGNED.match(line)
            key, value = (assigned["key"], (assigned["value"] or "").strip()) if assigned else ("", line)
            if not begin.startswith(("#", "//")) and word.search(line):
                around = [each for _, each, _ in above]
                near = next((each for each in reversed([*around, key]) if each and each not in _PLAIN), "")
                is_item = any(map(tells, around)) or (loops and not _LOOPS.isdisjoint(around[-1:]))
                if (
                    (tells(near) and (near != key or word.search(value)))
                    or (word.fullmatch(key) and tells("".join(around[-1:])))
                    or (is_item and alone.fullmatch(line))
                    or any(tells(each[1]) and word.search(each[2]) for each in _INLINE.finditer(line))
                ):
                    yield number
            if above and above[-1][2] in {'"', "'"} and above[-1][2] in line:
                above.pop()
            elif assigned:
                quote = value[:1] if value[:1] in {'"', "'"} and value.count(value[:1]) == 1 else ""
                bracket = value[-1:] if value[-1:] in {"(", "[", "{"} else ""
                above.append((depth, key, assigned["block"] or bracket or quote))

    def _in_code(self, tree: ast.Module) -> Iterator[int]:
        """Texts in Python: what installing or loading calls get, and lists that are about packages."""
        word = re.compile(f"(?i:{self._word})")
        named = re.compile(rf"(?i){self._word}(?:$|[.:\[\s=~!<>;@])")
        for node in ast.walk(tree):
            texts = list(_texts(node)) if isinstance(node, (ast.Call, ast.For)) else []
            if isinstance(node, ast.Call) and self._installs.search(" ".join(text for text, _ in texts)):
                yield from (number for text, number in texts if word.search(text))
            about = isinstance(node, ast.Call) and _loads(node)
            about = about or (isinstance(node, ast.For) and any(map(_loads, ast.walk(node))))
            for key, value in _named_values(node):
                texts += _texts(value) if _is_about_packages(key) else ()
                about = about or _is_about_packages(key)
            yield from (number for text, number in texts if about and named.match(text))


def _loads(node: ast.AST) -> bool:
    """Whether a call loads a module by its name, or is about packages otherwise."""
    if not isinstance(node, ast.Call):
        return False
    called = ast.unparse(node.func)
    return _LOADERS.search(called.rpartition("(")[2]) is not None or _is_about_packages(called)


def _named_values(node: ast.AST) -> Iterator[tuple[str, ast.expr]]:
    match node:
        case ast.keyword(arg=str(key), value=value) | ast.Assign(targets=[ast.Name(id=key)], value=value):
            yield key, value
        case ast.Dict(keys=keys, values=values):
            pairs = zip(keys, values, strict=True)
            yield from ((str(key.value), value) for key, value in pairs if isinstance(key, ast.Constant))


def _texts(node: ast.AST) -> Iterator[tuple[str, int]]:
    """The texts below a node, and in which lines they stand."""
    nodes = (each for each in ast.walk(node) if isinstance(each, ast.Constant))
    return ((each.value, each.lineno) for each in nodes if isinstance(each.value, str))


def _installed(lines: Sequence[str]) -> frozenset[str]:
    """The variables that are handed to commands that install."""
    commands = [line[match.start() :] for line in lines for match in _BEGINS.finditer(line)]
    return frozenset(
        name for each in commands for name in re.findall(r"(?:\$[{(]?|\{\{\s*)(?:env\.)?(\w+)", each)
    )
