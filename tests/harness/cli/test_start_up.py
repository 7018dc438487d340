"""What a command line imports before anybody has asked for work: help and completion must come at once."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import click
import pytest

from llm_contracts.cli import SHORT_HELPS, group
from llm_contracts.cli.completion import VARIABLE
from llm_contracts.cli.exit_codes import FAILURES

ROOT = Path(__file__).parents[3]
HEAVY = {
    "aiohttp", "distributed", "haralyzer", "jinja2", "langfuse", "litellm", "openai", "packaging",
    "pytest", "requests", "rich", "syrupy", "vcr", "yaml",
}  # fmt: skip


def imported(code: str, environ: Mapping[str, str] | None = None) -> set[str]:
    """The top-level packages that a fresh interpreter has imported at the end of `code`."""
    script = f"import atexit, sys\natexit.register(lambda: print('\\n@', *sys.modules))\n{code}"
    done = subprocess.run(
        [sys.executable, "-c", script],
        cwd=ROOT,
        env=environ,
        capture_output=True,
        text=True,
        check=True,
        timeout=60,
    )
    return {name.partition(".")[0] for name in done.stdout.rpartition("\n@ ")[2].split()}


def test_the_list_of_commands_says_what_each_command_says_of_itself() -> None:
    context = click.Context(group)
    commands = {name: group.get_command(context, name) for name in SHORT_HELPS}
    assert {name: found and found.get_short_help_str(200) for name, found in commands.items()} == SHORT_HELPS
    assert {name: found and found.name for name, found in commands.items()} == {n: n for n in SHORT_HELPS}


def test_every_failure_that_has_an_exit_code_is_still_called_so() -> None:
    source = "".join(file.read_text(encoding="utf-8") for file in (ROOT / "src/llm_contracts").rglob("*.py"))
    assert [name for name in FAILURES if f"class {name}(" not in source] == ["OSError"]


def test_help_imports_no_heavy_library() -> None:
    loaded = imported("from llm_contracts.cli import main; sys.argv[1:] = ['--help']; main()")
    assert "click" in loaded
    assert loaded & HEAVY == set()


@pytest.mark.parametrize(
    "words", ["ver", *(f"{name} --" for name in SHORT_HELPS), "check --provider deep", "review show ab"]
)
def test_completion_imports_no_heavy_library(words: str) -> None:
    """`matrix` and waivers compare releases, and `packaging` knows how; what is shown is in a recording."""
    line = f"llm-contracts {words}"
    environ = {VARIABLE: "bash_complete", "COMP_WORDS": line, "COMP_CWORD": str(line.count(" "))}
    loaded = imported("from llm_contracts.cli import main; main()", environ)
    assert "click" in loaded
    needed = {"packaging", "yaml"} if words.startswith("review show") else {"packaging"}
    assert loaded & (HEAVY - needed) == set()


@pytest.mark.parametrize("module", ["llm_contracts", "llm_contracts.pytest_plugin"])
def test_what_every_pytest_run_loads_imports_no_heavy_library(module: str) -> None:
    assert imported(f"import {module}") & (HEAVY - {"pytest"}) == set()
