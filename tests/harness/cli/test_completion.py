"""Completion in bash, zsh and fish: commands, options, and the names that the project has."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from click.shell_completion import CompletionItem, ShellComplete

from llm_contracts.cli import group, run
from llm_contracts.cli.completion import PROGRAM, SHELLS, VARIABLE

ROOT = Path(__file__).parents[3]


def completed(*words: str) -> list[CompletionItem]:
    """What is offered for the last word."""
    return ShellComplete(group, {}, PROGRAM, VARIABLE).get_completions(list(words[:-1]), words[-1])


@pytest.mark.parametrize(
    ("words", "offered"),
    [
        pytest.param(("re",), {"record", "reduce", "report", "review"}, id="commands"),
        pytest.param(("review", "ap"), {"apply"}, id="commands of a command"),
        pytest.param(("record", "--dr"), {"--dry-run"}, id="options"),
        pytest.param(("check", "--engine", ""), {"wire", "vcr"}, id="values"),
        pytest.param(("check", "--provider", "deep"), {"deepseek"}, id="providers of the project"),
        pytest.param(("check", "--scenario", "openai/plain"), {"openai/plain-stream"}, id="scenarios"),
        pytest.param(
            ("check", "--candidate", "adapter-li"), {"adapter-litellm", "adapter-litellm-async"}, id="clients"
        ),
        pytest.param(("verdict", "openai", "gem"), {"gemini"}, id="arguments"),
        pytest.param(("check", "--speed", "f"), {"full"}, id="values that could also be numbers"),
        pytest.param(("completion", ""), set(SHELLS), id="the shells themselves"),
    ],
)
def test_it_offers(monkeypatch: pytest.MonkeyPatch, words: tuple[str, ...], offered: set[str]) -> None:
    monkeypatch.chdir(ROOT)
    assert {item.value for item in completed(*words)} == offered


def test_outside_a_project_it_offers_no_names_and_no_error(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.chdir(tmp_path)
    assert completed("check", "--provider", "deep") == []


def test_a_broken_project_breaks_no_command_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.llm_contracts\n")
    monkeypatch.chdir(tmp_path)
    assert completed("check", "--provider", "deep") == []


@pytest.mark.parametrize("shell", SHELLS)
def test_each_shell_is_given_a_script_that_asks_the_program(
    shell: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert run(["completion", shell]) == 0
    assert f"{VARIABLE}={shell}_complete" in capsys.readouterr().out


@pytest.mark.skipif(shutil.which("bash") is None, reason="bash is not installed")
def test_bash_itself_completes(tmp_path: Path) -> None:
    """The script is loaded as its documentation says, and bash's own function is called as Tab calls it."""
    program = tmp_path / PROGRAM
    program.write_text(f'#!/bin/sh\nexec "{sys.executable}" -m llm_contracts "$@"\n')
    program.chmod(0o755)
    script = f"""
        eval "$({PROGRAM} completion bash)"
        COMP_WORDS=({PROGRAM} check --provider deep) COMP_CWORD=3
        $(complete -p {PROGRAM} | sed 's/.*-F \\([^ ]*\\).*/\\1/') {PROGRAM}
        printf '%s\\n' "${{COMPREPLY[@]}}"
    """
    done = subprocess.run(
        ["bash", "--noprofile", "--norc", "-c", script],
        cwd=ROOT,
        env={**os.environ, "PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )
    assert (done.stdout, done.stderr) == ("deepseek\n", "")
