"""Both clients do the same when the network and the provider do not: the recordings, cut, spelt and broken.

A few recordings stand for all; `llm-contracts check --sweep` takes every one.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from llm_contracts import Item, Kind
from llm_contracts.clients.builtin import BUILTIN
from llm_contracts.clients.resolve import resolve
from llm_contracts.corpus import CorpusStream, read_corpus
from llm_contracts.parity.variant_names import general, split
from llm_contracts.project.config import Project, load_settings
from llm_contracts.project.load import load_project
from llm_contracts.project.recorded_call import stream_call
from llm_contracts.run.engines import Engine
from llm_contracts.run.options import Options
from llm_contracts.run.pairing import Side, played
from llm_contracts.run.scenario import blank_item, replay_call
from llm_contracts.sweep.changed import UNCHANGED
from llm_contracts.sweep.run import Extent, sweep
from llm_contracts.sweep.sweeper import Sweeper, opened_pieces
from llm_contracts.sweep.variants import Family, variants
from tests.harness.clients.own_apis import own_call, recorded_answer
from tests.harness.wire.exchanges import PUBLIC

STREAMS = Path(__file__).parents[3] / "shared" / "real-streams"
PROJECT = load_project(load_settings(Path(__file__).parent))
PROVIDERS = tuple(provider.name for provider in PROJECT.providers)
SPOKEN_TO_OTHERWISE = ("openai", "gemini", "ernie_v1", "dify")
"""One of those that the openai SDK speaks to, and all others."""


def found(names: tuple[str, ...], *families: Family, project: Project = PROJECT) -> dict[str, list[str]]:
    """What nobody has accepted, by the variant's name."""
    rows = project.select(scenarios=names)
    options = Options(today=datetime.now().astimezone().date())
    result = sweep(project, rows, options, Extent(families=families)).result
    assert {item.provider for item in result.items} == {name.partition("/")[0] for name in names}
    return {
        item.id: [f"{d.kind} at {d.where}" for d in (*item.unwaived, *item.noise)]
        for item in result.items
        if item.unwaived or item.noise or item.problem
    }


pytestmark = pytest.mark.long

# Our two clients


def test_no_way_of_cutting_or_spelling_changes_anything() -> None:
    assert found(tuple(f"{provider}/plain-stream" for provider in PROVIDERS), Family.RECUT) == {}


def test_both_paths_end_alike_wherever_an_answer_ends_too_early() -> None:
    names = (*SPOKEN_TO_OTHERWISE, "glm", "silicon")  # no role or finish key at first; totals in every chunk
    assert found(tuple(f"{name}/system-prompt" for name in names), Family.ENDS) == {}


def test_both_paths_take_every_fault_alike() -> None:
    assert found(tuple(f"{name}/system-prompt" for name in SPOKEN_TO_OTHERWISE), Family.FAULTS) == {}


@pytest.mark.real_streams
@pytest.mark.skipif(not STREAMS.is_dir(), reason="needs ../shared/real-streams")
def test_what_real_providers_sent_can_be_cut_and_spelt_otherwise(engine: Engine) -> None:
    """A stream of each of five providers; more of them only take more time."""
    streams = {s.provider: s for s in reversed(tuple(read_corpus(STREAMS))) if isinstance(s, CorpusStream)}
    assert len(streams) >= 5
    chosen = [streams[name] for name in sorted(streams)][:5]
    changed = {
        item.id: [f"{d.kind} at {d.where}" for d in item.divergences]
        for stream in chosen
        for item in _swept_stream(engine, stream)
        if "~" in item.id and not item.id.endswith("~pings") and (item.divergences or item.noise)
    }
    assert changed == {}


def _swept_stream(engine: Engine, stream: CorpusStream) -> Iterator[Item]:
    blank = Item(id=stream.id, provider=stream.provider, scenario=stream.id)
    sweeper = _sweeper(engine, "adapter-legacy", "adapter-litellm", Family.RECUT)
    return sweeper.run(blank, (stream.interaction,), stream_call(stream.provider, stream.interaction))


# The bare clients

(ROW,) = PROJECT.select(scenarios=("deepseek/system-prompt",))


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with opened_pieces() as opened:
        yield opened


def _sweeper(engine: Engine, reference: str, candidate: str, *families: Family) -> Sweeper:
    sides = [Side(name=name, client=resolve(name, PROJECT.clients)) for name in (reference, candidate)]
    return Sweeper(reference=sides[0], candidate=sides[1], engine=engine, families=families)


def swept(engine: Engine, reference: str, candidate: str, family: Family) -> Iterator[Item]:
    blank, interactions = blank_item(PROJECT, ROW)
    call = replay_call(ROW, PROJECT.provider("deepseek"))
    if candidate.startswith(("anthropic", "google-genai")):  # they have no chat
        call, interactions = own_call(candidate, PUBLIC), (recorded_answer(candidate),)
    return _sweeper(engine, reference, candidate, family).run(blank, interactions, call)


def bare(engine: Engine, reference: str, candidate: str, family: Family) -> dict[str, set[tuple[Kind, str]]]:
    """What differs between two of the bare clients, by kind of variant or, where it matters, by variant."""
    return {
        split(item.scenario)[1]: {(d.kind, d.where) for d in item.divergences}
        for item in swept(engine, reference, candidate, family)
        if item.divergences
    }


def changed(items: Iterable[Item]) -> tuple[set[str], set[str]]:
    """The variants that change what the reference does, and those that change what the candidate does."""
    found = [(split(item.scenario)[1], d) for item in items for d in item.divergences]
    return (
        {name for name, d in found if d.reference != UNCHANGED},
        {name for name, d in found if d.candidate != UNCHANGED},
    )


@pytest.mark.parametrize("name", [name for name in BUILTIN if f"{name}-async" in BUILTIN])
def test_a_bare_client_shows_no_change_but_for_events_without_data(engine: Engine, name: str) -> None:
    """The plain client is the reference, the one on a loop the candidate: each is held against itself."""
    plain = f"{name}-async" if name == "litellm-router" else name  # the next test has the plain Router
    # A reader of our own and Anthropic's SDK take an event without data for none (WHATWG); Google's fails at
    # comments, too.
    found: dict[str, set[str]] = {"httpx": set(), "anthropic": set(), "google-genai": {"comments", "pings"}}
    expected = found.get(name, {"pings"})
    assert changed(swept(engine, plain, f"{name}-async", Family.RECUT)) == (expected, expected)


def test_litellm_s_plain_router_shows_no_change_but_asks_without_end_after_an_event_without_data(
    engine: Engine,
) -> None:
    """Each error in mid-stream begins the call anew (1.105). What is endless is stopped after two seconds."""
    call, (_, interactions) = replay_call(ROW, PROJECT.provider("deepseek")), blank_item(PROJECT, ROW)
    recuts = tuple(variants(interactions, families={Family.RECUT}))
    router = Side(name="router", client=resolve("litellm-router", PROJECT.clients))
    seen = played(engine, router, recuts[-1].interactions, call, timeout=2)
    assert (recuts[-1].name, seen.failure and seen.failure.category) == ("pings", "hang")
    assert len(seen.requests) > 1
    items = swept(engine, "litellm-router", "litellm-router-async", Family.RECUT)
    before = [item for _, item in zip(recuts, items, strict=False)]  # the recording, and all but the last
    assert changed(before) == (set(), set())


def test_the_sdk_ends_alike_whether_it_waits_or_not(engine: Engine) -> None:
    differs = bare(engine, "openai", "openai-async", Family.ENDS)
    silent = {"silent@*": (Kind.UNFAITHFUL, "end"), "silent-within@*": (Kind.UNFAITHFUL, "end")}
    worded = {"reset@*": (Kind.FIELDS, "error.message")}  # each transport has its own words for a reset
    assert {(general(name), place) for name, places in differs.items() for place in places} == {
        *silent.items(),
        *worded.items(),
    }


def test_litellm_tells_a_cut_stream_as_whole_only_where_nobody_waits_and_all_text_has_come(
    engine: Engine,
) -> None:
    """Up to 1.93 it did so wherever an asynchronous stream was cut; now only after the finish reason."""
    differs = bare(engine, "litellm", "litellm-async", Family.ENDS)
    cut = {name for name, places in differs.items() if (Kind.ERROR, "error") in places}
    _, interactions = blank_item(PROJECT, ROW)
    last = interactions[-1].response.body.count(b"data: ") - 1  # [DONE] is all that is missing
    assert cut == {f"cut@{last}", f"reset@{last}", f"cut-within@{last + 1}"}


def test_litellm_makes_up_an_end_for_what_has_none(engine: Engine) -> None:
    differs = bare(engine, "openai", "litellm", Family.ENDS)
    silent = {name: places for name, places in differs.items() if name.startswith("silent")}
    assert silent
    for name, places in silent.items():
        assert (Kind.FINISH_REASON, "finish_reason.invented") in places, name


# Waivers


def test_what_was_accepted_of_a_recording_is_not_accepted_of_its_variants(tmp_path: Path) -> None:
    """Without the entries that name variants, the differences that they accept come back."""
    plain = PROJECT.settings.waivers.read_text("utf-8").partition("# Variants of recordings")[0]
    (tmp_path / "waivers.toml").write_text(plain, "utf-8")
    project = replace(PROJECT, settings=replace(PROJECT.settings, waivers=tmp_path / "waivers.toml"))
    assert "dify/system-prompt~cut@0" in found(("dify/system-prompt",), Family.ENDS, project=project)
