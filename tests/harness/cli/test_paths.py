"""A path that cannot be read or written is refused in a sentence, by every option that takes one."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import click
import pytest

from llm_contracts.cli import group
from llm_contracts.cli.paths import InputPath, OutputPath, refusal
from tests.written_commands import every_command

PATHS = [
    pytest.param(param, id=f"{name.removeprefix('llm-contracts ')} {param.opts[-1]}")
    for name, command in every_command(group, "llm-contracts")
    for param in command.params
    if isinstance(param.type, click.Path)
]


@pytest.fixture(autouse=True)
def bare(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "file").write_text("{}")
    (tmp_path / "circle").symlink_to("circle")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def refused(param: click.Parameter, value: str) -> str:
    with pytest.raises(click.BadParameter) as caught:
        param.type.convert(value, param, click.Context(group))
    return caught.value.format_message()


@pytest.mark.parametrize("value", ["file/below", "circle", "a" * 300, "nul\0l", ""])
@pytest.mark.parametrize("param", PATHS)
def test_what_can_be_no_path_is_refused_before_anything_runs(param: click.Parameter, value: str) -> None:
    message = refused(param, value)
    assert "Errno" not in message
    assert "\n" not in message
    assert len(message) < 400


def test_the_message_says_why() -> None:
    file, folder = OutputPath(dir_okay=False), OutputPath(file_okay=False)
    said = {
        value: refused(click.Option(["--to"], type=kind), value).partition(": ")[2]
        for kind, value in ((file, "file/below"), (folder, "circle"), (file, ""))
    }
    assert said == {
        "file/below": "'file/below': a file stands where a folder is needed.",
        "circle": "'circle': its links lead round in a circle.",
        "": "the name is empty.",
    }


def test_what_must_be_there_is() -> None:
    assert "does not exist" in refused(click.Option(["--from"], type=InputPath()), "nowhere")
    assert InputPath().convert("file", None, None) == Path("file")
    assert OutputPath(dir_okay=False).convert("new/folder/file", None, None) == Path("new/folder/file")
    assert OutputPath(dir_okay=False, allow_dash=True).convert("-", None, None) == Path("-")


def test_pipes_are_read_and_written() -> None:
    """As a shell hands them over for `<(…)` and `>(…)`: names that lead nowhere if they are followed."""
    ends = os.pipe()
    try:
        for kind, end in ((InputPath(allow_dash=True), ends[0]), (OutputPath(dir_okay=False), ends[1])):
            assert kind.convert(f"/dev/fd/{end}", None, None) == Path(f"/dev/fd/{end}")
    finally:
        for end in ends:
            os.close(end)


def test_an_error_of_the_system_has_no_number() -> None:
    assert refusal(FileNotFoundError(errno.ENOENT, "x", "a/b")) == "a/b: there is no such file or folder."
    assert refusal(OSError(errno.ENOSPC, "x")) == "the disk is full."
    assert refusal(OSError(errno.EIO, "Input/output error")) == "Input/output error."
