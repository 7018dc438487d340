"""Running a project: every recording through two clients, whatever the recordings and the paths are like."""

from __future__ import annotations

import gc
import os
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.clients.call import Call, Client
from llm_contracts.clients.resolve import ClientError
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.result import Item, Readiness, Result
from llm_contracts.project.config import ConfigError, Project, load_settings
from llm_contracts.project.load import load_project
from llm_contracts.run.check import check
from llm_contracts.run.engines import EngineName
from llm_contracts.run.options import Options
from llm_contracts.run.pairing import Side, check_distinct
from llm_contracts.run.workers.threads import run_jobs, side_by_side
from llm_contracts.sweep.run import Extent, sweep
from llm_contracts.sweep.variants import Family
from llm_contracts.testing import opened_contract
from llm_contracts.wire.cassette import load, save
from llm_contracts.wire.interaction import End
from tests.harness.run.projects import cassette, make_project

TODAY = date(2026, 11, 22)


def run(root: Path, **options: Any) -> Result:
    project = load_project(load_settings(root))
    chosen = options.pop("scenarios", project.scenarios)
    return check(project, chosen, Options(today=TODAY, timeout=60, **options))


def loaded(root: Path) -> Project:
    return load_project(load_settings(root))


@pytest.mark.parametrize("engine", list(EngineName))
def test_equal_paths_agree_on_every_recording(tmp_path: Path, engine: EngineName) -> None:
    result = run(make_project(tmp_path), engine=engine)
    assert [item.id for item in result.items] == ["acme/plain-stream", "acme/other", "zenith/plain-stream"]
    assert [(item.divergences, item.noise, item.problem) for item in result.items] == [((), (), None)] * 3
    assert all(item.candidate is not None and item.candidate.text == "hello" for item in result.items)
    assert result.verdicts["acme"].answer is Readiness.REHEARSED


def test_a_client_that_imports_litellm_when_it_is_called_fetches_no_prices(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Not even where its module means to see to that: `setdefault` does nothing while we have set it."""
    monkeypatch.delenv("LITELLM_LOCAL_MODEL_COST_MAP", raising=False)
    root = make_project(tmp_path, "acme/other")
    with (root / "contracts" / "clients.py").open("a") as file:
        file.write(
            """
import os
os.environ.setdefault("LITELLM_LOCAL_MODEL_COST_MAP", "True")

def late(call):
    if os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] == "True":
        yield from plain(call)

CLIENTS["late"] = late
"""
        )
    with opened_contract(root) as contract:
        assert contract.run("acme/other", candidate="late").divergences == ()
    assert [item.divergences for item in run(root, candidate="late").items if item.ran] == [()]
    project = loaded(root)
    swept = sweep(project, project.scenarios, Options(candidate="late"), Extent(families=(Family.RECUT,)))
    assert all(d.reference == d.candidate for item in swept.items for d in item.divergences)
    assert "LITELLM_LOCAL_MODEL_COST_MAP" not in os.environ


def test_garbage_is_collected_but_while_the_first_task_imports_the_clients() -> None:
    assert dict(side_by_side(lambda _: gc.isenabled(), "abc", 1)) == {0: False, 1: True, 2: True}


def test_a_project_switches_a_normalisation_off(tmp_path: Path) -> None:
    root = make_project(tmp_path, "acme/other")
    with (root / "contracts" / "clients.py").open("a") as file:
        file.write(
            "\n\ndef late(call):\n    for chunk in plain(call):\n"
            "        yield {**chunk, 'created': 1760000000}\n"
            "\n\nCLIENTS['same'] = late\n"
        )
    assert run(root).items[0].divergences == ()
    table = root / "pyproject.toml"
    plain = table.read_text()
    table.write_text(f'{plain}strict = ["created"]\n')
    assert {(one.kind, one.where.rpartition(".")[2]) for one in run(root).items[0].divergences} == {
        (Kind.FIELDS, "created")
    }
    table.write_text(f'{plain}strict = ["creatd"]\n')
    with pytest.raises(ConfigError, match=r"strict 'creatd'. Did you mean created"):
        run(root)


@pytest.mark.parametrize(
    ("own", "category"), [("[]", True), ("['ValueError']", True), ("['KeyError']", False)]
)
def test_a_project_says_whose_category_counts(tmp_path: Path, own: str, *, category: bool) -> None:
    root = make_project(tmp_path, "acme/other")
    with (root / "contracts" / "clients.py").open("a") as file:
        file.write(
            "\n\nclass Refused(ValueError):\n    category = 'one'\n\n"
            "def one(call):\n    yield from plain(call)\n    raise Refused\n\n"
            "def two(call):\n    yield from plain(call)\n    error = Refused()\n"
            "    error.category = 'two'\n    raise error\n\n"
            "CLIENTS.update(plain=one, same=two)\n"
        )
    with (root / "pyproject.toml").open("a") as file:
        file.write(f"categories = {own}\n")
    found = run(root).items[0]
    places = {one.where for one in found.divergences}
    assert ("error.category" in places) is category


def test_a_candidate_that_is_the_reference_is_refused(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    with (root / "contracts" / "clients.py").open("a") as file:
        file.write("\nCLIENTS['alias'] = plain\n")
    for candidate in ("plain", "alias"):
        with pytest.raises(ConfigError, match=f"{candidate!r} is the reference itself: nothing would be"):
            run(root, candidate=candidate)
    with opened_contract(root) as contract, pytest.raises(ConfigError, match="is the reference itself"):
        contract.run("acme/other", candidate="alias")


def test_a_function_that_is_imported_twice_is_one_client(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    first, second = loaded(root).clients["plain"], loaded(root).clients["plain"]
    assert first is not second
    with pytest.raises(ConfigError, match="'second' is the reference itself"):
        check_distinct(Side(name="first", client=first), Side(name="second", client=second))
    for again in (partial(first), first.__call__, partial(partial(first))):
        with pytest.raises(ConfigError, match="'again' is the reference itself"):
            check_distinct(Side(name="first", client=first), Side(name="again", client=again))
    check_distinct(Side(name="first", client=first), Side(name="same", client=loaded(root).clients["same"]))


class Asking:
    """Asks in a way of its own."""

    def __init__(self, way: str = "one") -> None:
        self.way = way

    def __call__(self, call: Call) -> list[str]:
        return [self.way, call.model]

    def ask(self, call: Call) -> list[str]:
        return self(call)


def asking(way: str) -> Callable[..., list[str]]:
    def ask(call: Call, again: int = 2) -> list[str]:
        return [way, call.model] * again

    return ask


@pytest.mark.parametrize(
    "make", [Asking, asking, lambda way: Asking(way).ask, lambda way: partial(asking(way), again=3)]
)
def test_clients_that_are_made_alike_are_one(make: Callable[[str], Client]) -> None:
    one, again, other = (Side(name=name, client=make(name[:3])) for name in ("one", "one more", "another"))
    with pytest.raises(ConfigError, match="'one more' is the reference itself"):
        check_distinct(one, again)
    check_distinct(one, other)


def test_a_difference_is_found_and_blocks_its_provider(tmp_path: Path) -> None:
    result = run(make_project(tmp_path), candidate="shouting")
    kinds = {divergence.kind for item in result.items for divergence in item.divergences}
    assert Kind.TEXT in kinds
    assert result.verdicts["zenith"].answer is Readiness.BLOCKED


def test_a_provider_s_own_reference_comes_in_the_place_of_the_project_s_and_of_no_other(
    tmp_path: Path,
) -> None:
    project = loaded(make_project(tmp_path))
    acme, zenith = project.providers
    project = replace(project, providers=(replace(acme, reference="shouting"), zenith))

    def compared(**options: Any) -> set[tuple[str, str]]:
        items = check(project, project.scenarios, Options(today=TODAY, timeout=60, **options)).items
        return {(item.provider, item.reference.client) for item in items if item.reference is not None}

    assert compared() == {("acme", "shouting"), ("zenith", "plain")}
    assert compared(reference="same", candidate="plain") == {("acme", "same"), ("zenith", "same")}
    with pytest.raises(ConfigError, match="'shouting' is the reference itself"):
        compared(candidate="shouting")


def test_a_reference_that_contradicts_itself_is_noise(tmp_path: Path) -> None:
    item = run(make_project(tmp_path, "acme/other"), reference="fickle", candidate="plain").items[0]
    assert Kind.TEXT in {divergence.kind for divergence in item.noise}


@pytest.mark.parametrize("pieces", [2, 200], ids=["short", "long"])
def test_a_client_that_errs_at_every_second_call_is_found(tmp_path: Path, pieces: int) -> None:
    root = make_project(tmp_path, "acme/other")
    save(root / "cassettes/acme/other.yaml", cassette("acme/other", ("hello",) * pieces))
    found = run(root, reference="plain", candidate="second").items[0]
    assert Kind.TEXT in {divergence.kind for divergence in found.divergences}
    assert found.noise == ()
    other_way_round = run(root, reference="second", candidate="plain").items[0]
    assert Kind.TEXT in {divergence.kind for divergence in other_way_round.noise}


def test_a_hanging_path_is_an_observation_of_that_failure(tmp_path: Path) -> None:
    root = make_project(tmp_path, "acme/other")
    project = loaded(root)
    item = check(project, project.scenarios, Options(today=TODAY, timeout=2, candidate="hanging")).items[0]
    assert item.candidate is not None
    assert item.candidate.failure is not None
    assert item.candidate.failure.category == "hang"
    assert Kind.ERROR in {divergence.kind for divergence in item.divergences}


def test_an_unreadable_recording_is_named_and_the_others_still_run(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    (root / "cassettes" / "acme" / "other.yaml").write_text("")
    result = run(root)
    problems = {item.id: item.problem for item in result.items}
    assert problems["acme/plain-stream"] is None
    assert (problems["acme/other"] or "").startswith("cassettes/acme/other.yaml: ")
    assert result.verdicts["acme"].answer is Readiness.BLOCKED


def test_a_cut_exchange_is_a_named_problem_for_the_engine_that_cannot_play_it(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    file = root / "cassettes" / "acme" / "other.yaml"
    whole = load(file)
    exchange = whole.interactions[0]
    cut = replace(exchange, response=replace(exchange.response, end=End.CUT))
    save(file, replace(whole, interactions=(cut,)))
    problems = {item.id: item.problem for item in run(root, engine=EngineName.VCR).items}
    assert "wire engine" in (problems["acme/other"] or "")
    assert problems["acme/plain-stream"] is None
    assert {item.problem for item in run(root).items} == {None}


def test_a_scenario_without_recording_is_missing_evidence(tmp_path: Path) -> None:
    result = run(make_project(tmp_path, "acme/plain-stream"))
    assert result.missing == ("acme/other", "zenith/plain-stream")
    assert result.verdicts["zenith"].answer is Readiness.NO_EVIDENCE


def test_a_recording_of_no_scenario_is_a_warning(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    (root / "cassettes" / "acme" / "forgotten.yaml").write_text("whatever")
    assert [line for line in run(root).warnings if "forgotten.yaml" in line]


def test_a_part_of_the_scenarios_gives_no_verdict(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    rows = loaded(root).select(scenarios=["acme/other"])
    result = run(root, scenarios=rows)
    assert result.verdicts == {}
    assert [item.id for item in result.items] == ["acme/other"]


def waiver(scenario: str = "*", until: str = "2027-01-01", kind: str = "text") -> str:
    return (
        f'[[waiver]]\nkind = "{kind}"\nprovider = "acme"\nscenario = "{scenario}"\n'
        f'reason = "it may shout"\nby = "someone"\nuntil = "{until}"\n'
    )


def shouting_toml() -> str:
    from tests.harness.run.projects import TOML

    return TOML.replace('"same"', '"shouting"')


def test_a_waiver_accepts_a_difference_with_its_reason(tmp_path: Path) -> None:
    root = make_project(tmp_path, toml=shouting_toml())
    (root / "contracts" / "waivers.toml").write_text(waiver())
    item = run(root).items[0]
    assert "it may shout" in item.waived.values()
    assert Kind.TEXT not in {divergence.kind for divergence in item.unwaived}


def test_waivers_that_accept_nothing_or_have_lapsed_are_complaints(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    (root / "contracts" / "waivers.toml").write_text(waiver() + waiver("other", "2026-11-01"))
    complaints = "\n".join(run(root).complaints)
    assert "accepts nothing" in complaints
    assert "lapsed on 2026-11-01" in complaints


def test_waivers_are_not_applied_to_paths_they_were_not_decided_for(tmp_path: Path) -> None:
    root = make_project(tmp_path)
    (root / "contracts" / "waivers.toml").write_text(waiver())
    result = run(root, candidate="shouting")
    assert not result.items[0].waived
    assert not result.complaints
    assert any("plain against same" in line for line in result.warnings)


def test_an_unknown_path_is_an_error_before_anything_runs(tmp_path: Path) -> None:
    with pytest.raises(ClientError, match="shouting"):
        run(make_project(tmp_path), candidate="shoutin")


def test_items_keep_their_order_however_long_each_takes() -> None:
    last = threading.Event()

    def job(number: int) -> Item:
        if number == 1:
            assert last.wait(60)
        return Item(id=str(number), provider="p", scenario="s")

    finished: list[str] = []

    def note(item: Item) -> None:
        finished.append(item.id)
        if item.id == "2":
            last.set()

    items = run_jobs(
        [partial(job, number) for number in range(3)],
        workers=2,
        progress=note,
    )
    assert [item.id for item in items] == ["0", "1", "2"]
    assert finished == ["0", "2", "1"]  # the first runs alone


def test_an_interrupted_run_starts_nothing_more() -> None:
    started: list[int] = []

    def job(number: int) -> Item:
        started.append(number)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run_jobs([partial(job, number) for number in range(50)], workers=1)
    assert len(started) < 50


TRUSTING = """

import os

def trusting(call):
    for chunk in plain(call):
        for choice in chunk["choices"]:
            if choice["delta"].get("content"):
                choice["delta"]["content"] = os.path.basename(os.environ["SSL_CERT_FILE"])
        yield chunk

CLIENTS["trusting"] = trusting
"""


@pytest.mark.parametrize("engine", list(EngineName))
def test_a_path_that_is_checked_trusts_nobody(tmp_path: Path, engine: EngineName) -> None:
    root = make_project(tmp_path, "acme/other")
    with (root / "contracts" / "clients.py").open("a") as paths:
        paths.write(TRUSTING)
    before = os.environ.get("SSL_CERT_FILE")
    item = run(root, engine=engine, candidate="trusting").items[0]
    assert item.candidate is not None
    assert {chunk.text for chunk in item.candidate.chunks} - {""} == {"empty_ca_store.pem"}
    assert os.environ.get("SSL_CERT_FILE") == before
