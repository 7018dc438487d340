"""The commands that pages and help texts tell people to type: found, and parsed without being run."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
from collections.abc import Iterator, Sequence
from enum import Enum
from pathlib import Path

import click

ROOT = Path(__file__).parents[1]
_FENCE = re.compile(r"^```(?P<kind>\S*)\n(?P<text>.*?)^```$", re.DOTALL | re.MULTILINE)
_INLINE = re.compile(r"(?<!`)`((?:llm-contracts|make) [^`]+)`(?!`)")
_TYPED = re.compile(r"^\s*(?:\$ |next: |(?:- )?run: )?((?:llm-contracts|make|\.venv/bin/llm-contracts) .*)$")
_NOT_TYPED = frozenset({"python", "toml", "json", "javascript", "diff"})
_OPERATORS = frozenset({"&&", "||", "|", ";", ")"})


def in_page(page: str) -> list[str]:
    """Every command in a page of Markdown, as it stands there."""
    blocks = [block["text"] for block in _FENCE.finditer(page) if block["kind"] not in _NOT_TYPED]
    prose = _FENCE.sub("", page)
    indented = [line for line in prose.splitlines() if line.startswith("    ")]
    return [*in_lines([*"\n".join(blocks).splitlines(), *indented]), *_INLINE.findall(prose)]


def in_lines(lines: Sequence[str]) -> Iterator[str]:
    """The commands among lines of a terminal or a script. What stands behind two spaces explains them."""
    for line in lines:
        for typed in _TYPED.findall(line):
            yield re.split(r"\s{2,}|\s#", typed)[0]


def calls(line: str) -> Iterator[list[str]]:
    """The words of each program that a line starts, without what the shell keeps for itself."""
    call: list[str] = []
    for word in [*shlex.split(line, comments=True), ";"]:
        if word.removesuffix(";") != word or word in _OPERATORS:
            call.append(word.removesuffix(";"))
            yield [each for each in call if each and each not in _OPERATORS]
            call = []
        else:
            call.append(word)


def problem(line: str, group: click.Group) -> str | None:
    """Why a line cannot be typed; None if it can."""
    for program, *words in filter(None, calls(line)):
        found = None
        if program.endswith("llm-contracts"):
            found = _of_program(group, words)
        elif program == "make":
            found = _of_make(words, group)
        if found:
            return found
    return None


def _of_make(words: Sequence[str], group: click.Group) -> str | None:
    """`make` itself says what it would run; that is what is parsed."""
    makefile = (ROOT / "Makefile").read_text(encoding="utf-8")
    for word in words:
        name, given, _ = word.partition("=")
        if given and not re.search(rf"\b{re.escape(name)}\b", makefile):
            return f"the Makefile reads no variable {name}"
        if not given and not re.search(rf"^{re.escape(word)}:", makefile, re.MULTILINE):
            return f"the Makefile has no target {word}"
    told = subprocess.run(
        ["make", "--dry-run", "--no-print-directory", *words],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"]},  # variables of a `make test` around this would count here, too
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    if told.returncode:
        return told.stderr
    recipe = told.stdout.replace("\\\n", " ").splitlines()
    lines = [line for line in recipe if line.partition(" ")[0].endswith("llm-contracts")]
    return next((found for line in lines if (found := problem(line, group))), None)


def _of_program(group: click.Group, words: Sequence[str]) -> str | None:
    if " ".join(["llm-contracts", *words]) in dict(every_command(group, "llm-contracts")):
        return None  # a bare name is a command's name, whatever arguments it takes
    try:
        _parse(group, None, words)
    except click.ClickException as error:
        return error.format_message()
    return None


def _parse(command: click.Command, parent: click.Context | None, words: Sequence[str]) -> None:
    """Parse as click does, but take any path for one that is there.

    Raises:
        click.ClickException: for what click would refuse.
    """
    context = click.Context(command, parent=parent, info_name=command.name)
    given, rest, _ = command.make_parser(context).parse_args(list(words))
    if given.get("help") or given.get("version"):
        return
    for param in command.get_params(context):
        _check(param, given.get(str(param.name)), context)
    if isinstance(command, click.Group) and rest:
        _, found, rest = command.resolve_command(context, rest)
        assert found is not None
        _parse(found, context, rest)
    elif rest:
        raise click.UsageError(f"unexpected: {' '.join(rest)}")


def _check(param: click.Parameter, value: object, context: click.Context) -> None:
    absent = value in (None, ()) or isinstance(value, Enum)  # newer releases of click mark it by a member
    if absent and param.required:
        raise click.MissingParameter(param=param, ctx=context)
    if not absent and not isinstance(param.type, click.Path):
        param.type_cast_value(context, value)


def every_command(command: click.Command, name: str) -> Iterator[tuple[str, click.Command]]:
    """A command and all below it, with the words that lead to each."""
    yield name, command
    if isinstance(command, click.Group):
        context = click.Context(command)
        for each in command.list_commands(context):
            below = command.get_command(context, each)
            assert below is not None
            yield from every_command(below, f"{name} {each}")
