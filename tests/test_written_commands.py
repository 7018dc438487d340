"""What people are told to type can be typed: in pages, in help, and in the advice that commands give."""

from __future__ import annotations

import shutil
from pathlib import Path

import click
import pytest

from llm_contracts.cli import group
from tests.written_commands import ROOT, every_command, in_lines, in_page, problem

PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
COMMANDS = dict(every_command(group, "llm-contracts"))

needs_make = pytest.mark.skipif(shutil.which("make") is None, reason="make is not installed")


@needs_make
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_command_on_a_page_exists_with_its_options(page: Path) -> None:
    written = dict.fromkeys(in_page(page.read_text(encoding="utf-8")))
    assert {line: found for line in written if (found := problem(line, group))} == {}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_explains_itself_by_examples_that_work(name: str) -> None:
    examples = [*in_lines((COMMANDS[name].epilog or "").splitlines())]
    assert any(line.startswith(name) for line in examples)
    assert {line: found for line in examples if (found := problem(line, group))} == {}


@pytest.mark.parametrize("name", COMMANDS)
def test_every_option_says_what_it_does(name: str) -> None:
    options = [param for param in COMMANDS[name].params if isinstance(param, click.Option)]
    assert [option.name for option in options if not option.help] == []


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_laid_out_for_a_terminal(name: str) -> None:
    """A marker that click did not understand would be printed, and examples would run into each other."""
    command = COMMANDS[name]
    text = command.get_help(click.Context(command, info_name=name, max_content_width=110))
    assert "\\b" not in text
    assert "\b" not in text


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("llm-contracts chekc", "No such command 'chekc'"),
        ("llm-contracts check --provder openai", "No such option '--provder'"),
        ("llm-contracts check --engine wird", "'wird' is not one of"),
        ("llm-contracts verdict qwen && llm-contracts rerecord", "No such command 'rerecord'"),
        ("llm-contracts review accept 3fa2b01c", "Missing option '--reason'"),
        ("llm-contracts cassettes today", "unexpected"),
        pytest.param("make recrod", "no target recrod", marks=needs_make),
        pytest.param("make replay PROVDER=qwen", "no variable PROVDER", marks=needs_make),
        pytest.param("make record ARGS=--mising", "No such option '--mising'", marks=needs_make),
    ],
)
def test_a_line_that_cannot_be_typed_is_found_out(line: str, reason: str) -> None:
    assert reason in (problem(line, group) or "")


def test_lines_are_found_wherever_pages_put_them() -> None:
    page = """
Type `llm-contracts one`, or

    llm-contracts two --option     why
    make three     # why

```console
$ llm-contracts four && llm-contracts five
next: llm-contracts six
```

```python
llm-contracts seven
```
"""
    assert in_page(page) == [
        "llm-contracts four && llm-contracts five",
        "llm-contracts six",
        "llm-contracts two --option",
        "make three",
        "llm-contracts one",
    ]


def test_the_list_of_commands_has_a_whole_sentence_for_each() -> None:
    """Also where a log is 80 columns wide: half a sentence helps nobody to choose."""
    text = group.get_help(click.Context(group, info_name="llm-contracts", terminal_width=80))
    assert "..." not in text.partition("Commands:")[2].partition("Examples:")[0]
