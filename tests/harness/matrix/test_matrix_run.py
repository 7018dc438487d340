"""The loop over pairs: each is tried or says why not, and the others go on."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.matrix.environments import Check, Resolution, UnavailableError
from llm_contracts.matrix.plan import ReleasePair, Unsupported, by_age, load_plan
from llm_contracts.matrix.run import MatrixRun
from llm_contracts.matrix.table import Cell, CellState
from llm_contracts.parity.divergence import Kind
from llm_contracts.project.config import ConfigError
from tests.harness.matrix.cells import PINNED, document, pair, row

HERE = ("/here/python",)


@dataclass(kw_only=True, slots=True)
class Builder:
    """Resolves everything but what is broken; an environment is named after its LiteLLM."""

    latest: str = "1.109.1"
    broken: tuple[str, ...] = ()
    built: list[tuple[str, Path]] = field(default_factory=list)

    def resolve(self, pair: ReleasePair, /) -> Resolution:
        litellm = self.latest if pair.litellm == "latest" else pair.litellm
        if litellm in self.broken:
            raise UnavailableError("Because nobody has it.")
        return Resolution(pins=f"litellm=={litellm}\nopenai=={pair.openai}\n", moved={"click": "9"})

    def build(self, resolution: Resolution, folder: Path, /) -> Sequence[str]:
        self.built.append((resolution.pair.litellm, folder))
        return [resolution.pair.litellm]

    def newest(self, requirement: str, /) -> str | None:
        raise AssertionError(requirement)


def checked(python: Sequence[str], arguments: Sequence[str], _folder: Path) -> Mapping[str, Any]:
    assert arguments == ("check", "--jobs", "1")
    if python == ["1.90.0"]:
        raise UnavailableError("llm-contracts: no such luck")
    kinds = [] if python == HERE else [Kind.USAGE]
    digest = "other" if python == ["1.91.0"] else "same"
    return document(row("acme/plain", *kinds), inputs={"src/a.py": digest})


def matrix(builder: Builder, *known: Unsupported, check: Check = checked) -> MatrixRun:
    return MatrixRun(
        builder=builder,
        check=check,
        arguments=("check", "--jobs", "1"),
        python=HERE,
        pinned=PINNED,
        unsupported=known,
        reports=Path("/reports"),
    )


def test_the_pinned_pair_runs_here_and_the_others_elsewhere() -> None:
    builder, told = Builder(), list[Cell]()
    table = matrix(builder).table([pair("1.84.8"), PINNED], done=told.append)
    folder = Path("/reports/litellm-1.84.8-openai-2.54.0")
    assert builder.built == [("1.84.8", folder)]
    (cell,) = table.cells
    assert (cell.pair, cell.state, cell.moved) == (pair("1.84.8"), CellState.RAN, {"click": "9"})
    assert cell.report == str(folder)
    assert table.fails
    assert told == [table.pinned, cell]


def test_what_cannot_be_had_or_run_says_why_and_the_others_run() -> None:
    table = matrix(Builder(broken=("1.1.0",))).table([pair("1.1.0"), pair("1.90.0"), pair("1.95.0")])
    assert [(cell.state, cell.reason) for cell in table.cells] == [
        (CellState.FAILED, "Because nobody has it."),
        (CellState.FAILED, "llm-contracts: no such luck"),
        (CellState.RAN, ""),
    ]


def test_what_is_known_not_to_work_is_not_even_installed() -> None:
    builder = Builder()
    row = Unsupported(litellm="==1.82.7", reason="It stole.")
    (cell,) = matrix(builder, row).table([pair("1.82.7")]).cells
    assert (cell.state, cell.reason, builder.built) == (CellState.UNSUPPORTED, "It stole.", [])


def test_what_latest_turns_out_to_be_is_judged_like_any_release() -> None:
    builder = Builder(latest="1.82.7")
    row = Unsupported(litellm="==1.82.7", reason="It stole.")
    (cell,) = matrix(builder, row).table([pair("latest")]).cells
    assert (cell.pair, cell.state, builder.built) == (pair("1.82.7"), CellState.UNSUPPORTED, [])


def test_a_latest_that_is_pinned_or_named_as_well_is_there_once() -> None:
    assert matrix(Builder(latest="1.105.0")).table([pair("latest")]).cells == ()
    both = matrix(Builder()).table([pair("1.109.1"), pair("latest")])
    assert [cell.pair for cell in both.cells] == [pair("1.109.1")]


def test_a_provider_that_is_not_supported_runs_and_is_excused() -> None:
    row = Unsupported(litellm="<1.83", provider="acme", reason="It never did.")
    table = matrix(Builder(), row).table([pair("1.80.11")])
    assert table.cells[0].ran
    assert not table.fails


def test_files_that_changed_meanwhile_are_told() -> None:
    (cell,) = matrix(Builder()).table([pair("1.91.0")]).cells
    assert cell.complaints == (
        "src/a.py changed while the matrix ran, so that this is not a fair comparison. Run it again.",
    )


def test_without_the_pinned_pair_there_is_nothing_to_say() -> None:
    def failing(*_: object) -> Mapping[str, Any]:
        raise UnavailableError("llm-contracts: no client is called 'x'")

    with pytest.raises(UnavailableError, match="no client is called"):
        matrix(Builder(), check=failing).table([pair("1.84.8")])


@pytest.mark.parametrize(
    ("versions", "covered"),
    [(("1.80.11", "3.0.0"), True), (("1.108.0", "3.0.0"), False), (("1.80.11", "2.54.0"), False)],
)
def test_ranges_cover_pairs(versions: tuple[str, str], covered: bool) -> None:
    row = Unsupported(litellm="<1.108", openai=">=3", reason="No.")
    assert row.covers(pair(*versions)) is covered
    assert not row.covers(pair("latest", "3.0.0"))


def test_releases_sort_by_age() -> None:
    assert sorted(["1.100.0", "odd", "1.99.0"], key=by_age) == ["1.99.0", "1.100.0", "odd"]


# matrix.toml


def test_the_plan_of_this_project_can_be_read() -> None:
    plan = load_plan(Path(__file__).parents[2] / "contracts" / "matrix.toml")
    assert len(plan.pairs) >= 5
    assert plan.overrides == ("certifi",)
    stolen = [pair(f"1.82.{n}") for n in (7, 8)]
    assert all(any(row.covers(each) and not row.provider for row in plan.unsupported) for each in stolen)


def test_no_plan_is_an_empty_one(tmp_path: Path) -> None:
    assert load_plan(tmp_path / "matrix.toml").pairs == ()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("pairs = [", "cannot be read as TOML"),
        ("pair = []", "pair: there is no such key. Did you mean pairs"),
        ("pairs = 1", "pairs: must be a list"),
        ('pairs = [["1.0"]]', "must hold pairs such as"),
        ("overrides = [1]", "overrides: must hold non-empty texts, not 1"),
        ("[[unsupported]]\nlitellm = '<1'", "each needs a reason"),
        ("[[unsupported]]\nreason = 'x'\nlitelm = '<1'", "litelm: there is no such key. Did you mean"),
        ("[[unsupported]]\nreason = 'x'\nlitellm = 'old'", "'old' is not a range"),
    ],
)
def test_a_fault_in_the_plan_is_named(tmp_path: Path, text: str, message: str) -> None:
    file = tmp_path / "matrix.toml"
    file.write_text(text)
    with pytest.raises(ConfigError, match=r"matrix\.toml") as caught:
        load_plan(file)
    assert message in str(caught.value)
