"""Both clients do the same when the network and the provider do not: the recordings, cut, spelt and broken.

A few recordings stand for all; `llm-contracts check --sweep` takes every one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from llm_contracts import Item, Kind
from llm_contracts.clients.builtin import BUILTIN
from llm_contracts.clients.resolve import resolve
from llm_contracts.corpus import CorpusStream, read_corpus
from llm_contracts.parity.divergence import Divergence
from llm_contracts.parity.value_class import UNCHANGED
from llm_contracts.parity.variant_names import general, split
from llm_contracts.project.config import Project, load_settings
from llm_contracts.project.load import load_project
from llm_contracts.project.recorded_call import stream_call
from llm_contracts.run.engines import Engine
from llm_contracts.run.options import Options
from llm_contracts.run.pairing import Pairing, Side
from llm_contracts.run.scenario import blank_item, replay_call
from llm_contracts.sweep.run import Extent, sweep
from llm_contracts.sweep.sweeper import Sweeper, opened_pieces
from llm_contracts.sweep.variants import Family, variants
from tests.contracts.defects.handmade_apis import COMPLETIONS, GENERIC
from tests.contracts.defects.other_apis import MESSAGES, RESPONSES, Api
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
    result = sweep(project, rows, options, Extent(families=families))
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
        item.id: [f"{d.kind} at {d.where}" for d in (*item.divergences, *item.noise)]
        for stream in chosen
        for item in _swept_stream(engine, stream)
        if "~" in item.id and (item.noise or any(map(_counts(item), item.divergences)))
    }
    assert changed == {}


def _counts(item: Item) -> Callable[[Divergence], bool]:
    """The old client's reader loses the event behind a mark, and fails at events without data."""
    known = item.id.endswith(("~pings", "~bom", "~control-only", "~bare-data"))
    return lambda d: not known or d.candidate != UNCHANGED


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
    match = Pairing(reference=sides[0], candidate=sides[1], engine=engine)
    return Sweeper(match=match, families=families)


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
def test_a_bare_client_shows_no_change_but_for_a_byte_order_mark_and_events_without_data(
    engine: Engine, name: str
) -> None:
    """The plain client is the reference, the one on a loop the candidate: each is held against itself."""
    plain = f"{name}-async" if name == "litellm-router" else name  # the next test has the plain Router
    # A reader of our own takes both as the standard does. The SDKs' lose the event behind a mark; Anthropic's
    # passes over events without data; Google's fails at comments, too.
    empty = {"pings", "control-only", "bare-data"}
    found: dict[str, set[str]] = {"httpx": set(), "anthropic": {"bom"}}
    expected = found.get(name, {"bom", *empty, *({"comments"} if name == "google-genai" else ())})
    assert changed(swept(engine, plain, f"{name}-async", Family.RECUT)) == (expected, expected)


def test_litellm_s_plain_router_shows_no_change_but_asks_without_end_after_an_event_without_data(
    engine: Engine,
) -> None:
    """Each error in mid-stream begins the call anew (1.105). What is endless is stopped after two seconds."""
    call, (_, interactions) = replay_call(ROW, PROJECT.provider("deepseek")), blank_item(PROJECT, ROW)
    recuts = tuple(variants(interactions, families={Family.RECUT}))
    router = Side(name="router", client=resolve("litellm-router", PROJECT.clients))
    alone = Pairing(reference=router, candidate=router, engine=engine, timeout=2)
    seen = alone.play(router, recuts[-1].interactions, call)
    assert (recuts[-1].name, seen.failure and seen.failure.category) == ("pings", "hang")
    assert len(seen.requests) > 1
    items = swept(engine, "litellm-router", "litellm-router-async", Family.RECUT)
    # The recording, and all but those without data, which come last.
    before = [item for _, item in zip(recuts[:-2], items, strict=False)]
    assert changed(before) == ({"bom"}, {"bom"})


RESET = (("reset@*", Kind.FIELDS, "error.message"),)  # each transport has its own words
SILENT = tuple((variant, Kind.UNFAITHFUL, "end") for variant in ("silent@*", "silent-within@*"))


@pytest.mark.parametrize(
    ("api", "changing"),
    [(RESPONSES, {"pings", "control-only", "bare-data"}), (MESSAGES, {"bom"})],
    ids=["responses", "messages"],
)
def test_the_sdk_of_another_api_takes_each_family_alike_whether_it_waits_or_not(
    engine: Engine, api: Api, changing: set[str]
) -> None:
    """Errors and refusals come in that API's own words. Each transport has its own about the network."""
    script = "parallel-tool-calls"
    assert changed(swept_by_api(engine, api, script, Family.RECUT)) == (changing, changing)
    items = tuple(swept_by_api(engine, api, script, Family.ENDS, Family.FAULTS))
    assert {general(split(item.scenario)[1]) for item in items} >= {"error@*", "status-500", "stall@*"}
    assert differing(items) == {*RESET, *SILENT, ("stall@*", Kind.FIELDS, "error.message")}


@pytest.mark.parametrize(
    ("api", "script", "changing", "found"),
    [
        (COMPLETIONS, "finish-length", {"bom", "pings", "control-only", "bare-data"}, {*RESET, *SILENT}),
        # Where an answer of lines ends, nobody knows; that nothing at all is no answer, everybody does.
        (GENERIC, "short", set(), {*RESET, SILENT[0]}),
    ],
    ids=["completions", "generic"],
)
def test_each_cut_of_completions_and_of_lines_is_taken_alike(
    engine: Engine, api: Api, script: str, changing: set[str], found: set[tuple[str, Kind, str]]
) -> None:
    assert changed(swept_by_api(engine, api, script, Family.RECUT)) == (changing, changing)
    assert differing(swept_by_api(engine, api, script, Family.ENDS)) == found


def swept_by_api(engine: Engine, api: Api, script: str, *families: Family) -> Iterator[Item]:
    sweeper = _sweeper(engine, api.client, f"{api.client}-async", *families)
    blank = Item(id="a/b", provider=api.dialect, scenario="b")
    return sweeper.run(blank, (api.played(script),), api.call())


def differing(items: Iterable[Item]) -> set[tuple[str, Kind, str]]:
    return {
        (general(split(item.scenario)[1]), d.kind, d.where)
        for item in items
        for d in (*item.divergences, *item.noise)
    }


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
