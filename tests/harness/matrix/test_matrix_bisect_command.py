"""`llm-contracts matrix --bisect`, with an index, environments and checks that are made up."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import click
import pytest

from llm_contracts.cli.matrix import bisect_command
from llm_contracts.matrix.environments import Resolution, UnavailableError
from llm_contracts.matrix.plan import MatrixRequest, ReleasePair
from llm_contracts.matrix.run import MatrixRun
from llm_contracts.parity.divergence import Kind
from llm_contracts.project.config import ConfigError, Project, load_settings
from llm_contracts.project.load import load_project
from tests.harness.matrix.cells import PINNED, document, pair, row
from tests.harness.matrix.test_matrix_bisect import index
from tests.harness.run.projects import make_project

HERE = ("python",)


@dataclass(kw_only=True, slots=True)
class World:
    """Usage differs from 1.90.3 on, in one scenario of two; 1.1.0 does not exist."""

    project: Project
    checks: list[tuple[str, ...]] = field(default_factory=list)

    def resolve(self, pair: ReleasePair, /) -> Resolution:
        if pair.litellm == "1.1.0":
            raise UnavailableError("Because there is no such release.")
        return Resolution(pins=f"litellm=={pair.litellm}\nopenai=={pair.openai}\n")

    def build(self, resolution: Resolution, _folder: Path, /) -> Sequence[str]:
        return [resolution.pair.litellm]

    def newest(self, requirement: str, /) -> str | None:
        return index(requirement)

    def check(self, python: Sequence[str], arguments: Sequence[str], _folder: Path) -> Mapping[str, Any]:
        self.checks.append(tuple(arguments))
        minor, patch = map(int, (PINNED.litellm if python == HERE else python[0]).split(".")[1:])
        kinds = [Kind.USAGE] if (minor, patch) >= (90, 3) else []
        return document(row("acme/plain-stream", *kinds), row("acme/other"))

    def bisect(self, *litellm: str, json_file: Path | None = None) -> int:
        run = MatrixRun(
            builder=self,
            check=self.check,
            arguments=("check",),
            python=HERE,
            pinned=PINNED,
            reports=Path("/reports"),
        )
        pairs = [pair(version) for version in litellm]
        with click.Context(click.Command("matrix")) as context:
            context.meta["json"] = json_file
            return bisect_command(self.project, MatrixRequest(bisect="usage"), run, Kind.USAGE, pairs)


@pytest.fixture
def world(tmp_path: Path) -> World:
    return World(project=load_project(load_settings(make_project(tmp_path))))


def test_the_release_is_found_on_the_scenarios_in_question_alone(
    world: World, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "found.json"
    assert world.bisect("1.86.0", "1.93.0", json_file=file) == 0
    out, err = capsys.readouterr()
    assert "litellm 1.90.3 brought `usage`" in out
    assert "LiteLLM 1.90.3 with openai 2.54.0 shows usage" in err
    assert "LiteLLM 1.90.2 with openai 2.54.0 does not show usage" in err
    found = json.loads(file.read_text())["bisect"]
    assert (found["release"], found["before"], found["scenarios"]) == (
        "1.90.3",
        "1.90.2",
        ["acme/plain-stream"],
    )
    assert found["command"] == "llm-contracts matrix --bisect usage"
    ends, narrow = world.checks[:2], world.checks[2:]
    assert ends == [("check",)] * 2
    assert set(narrow) == {("check", "--scenario", "acme/plain-stream")}
    assert len(narrow) == len(found["tried"])


def test_the_pinned_pair_is_the_other_end(world: World, capsys: pytest.CaptureFixture[str]) -> None:
    assert world.bisect("1.86.0") == 0
    assert "litellm 1.90.3 brought `usage`" in capsys.readouterr().out


def test_where_both_ends_are_alike_there_is_nothing_to_find(
    world: World, capsys: pytest.CaptureFixture[str]
) -> None:
    assert world.bisect("1.95.0", "1.93.0") == 0
    assert "show usage in the same 1 scenario: there is nothing to find" in capsys.readouterr().out


def test_an_end_that_cannot_be_tried_is_an_error_that_says_why(world: World) -> None:
    with pytest.raises(ConfigError, match=r"nothing to go between\. Because there is no such release"):
        world.bisect("1.1.0", "1.93.0")
