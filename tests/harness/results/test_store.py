"""Results that are kept: everything comes back, and nothing that is cut or mixed up is believed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

from llm_contracts.parity.result import Item, Result
from llm_contracts.parity.verdict import decide
from llm_contracts.project.scenario import Scenario
from llm_contracts.results.document import item_document, light, run_digest, to_document
from llm_contracts.results.items import DRAFT, ITEMS, ItemsFile, StoredResultError, packed, whole
from llm_contracts.results.store import RESULT, Stored
from llm_contracts.results.writer import writing
from llm_contracts.wire.interaction import Interaction, Request, Response
from llm_contracts.wire.scrub import SecretFound
from tests.harness.reporting.samples import BODY, INVENTED, item, mixed, result

EXCHANGE = Interaction(
    request=Request(method="POST", uri="https://api.example.com/v1"),
    response=Response(status=200, body=b"data: [DONE]\n\n"),
)


def keep(folder: Path, found: Result, items: Sequence[Item] | None = None) -> None:
    with writing(folder, {}) as writer:
        for each in found.items if items is None else items:
            writer.add(whole(replace(each, waived={})))  # waivers are applied when a run is over
        writer.finish(found, inputs={})


def load(folder: Path) -> Stored:
    stored = Stored.load(folder)
    assert stored is not None
    return stored


def test_every_item_comes_back_whole_with_its_waivers_and_in_the_order_of_the_result(tmp_path: Path) -> None:
    found = mixed()
    exchanged = tuple(replace(each, exchanges=(EXCHANGE,)) for each in found.items)
    found = replace(found, items=exchanged)
    keep(tmp_path, found, list(reversed(exchanged)))
    stored = load(tmp_path)
    assert tuple(stored.item(each.id) for each in stored.result.items) == exchanged
    assert stored.item("openai/chat").waived == {BODY.fingerprint: "the legacy call never asked"}


def test_the_summary_is_the_result_without_what_is_big(tmp_path: Path) -> None:
    found = mixed()
    keep(tmp_path, found)
    bare = tuple(light(each) for each in found.items)
    assert load(tmp_path).result == replace(found, items=bare)
    assert load(tmp_path).result.items == bare


@pytest.mark.parametrize("number", [1, 2])
def test_what_the_reasons_of_an_older_result_count_is_read_from_their_sentences(
    tmp_path: Path, number: int
) -> None:
    names = [f"openai/s{each}" for each in range(number)]
    differing = [item(name, divergences=(INVENTED,), noise=(INVENTED,)) for name in names]
    lost = [item(name, reference=None, candidate=None, problem="is missing.") for name in names]
    rows = [Scenario(id=name.partition("/")[2], provider="openai", model="m") for name in names]
    decided = [
        decide("openai", items, rows, today=date(2026, 11, 29), unreplayed=left)
        for items, left in (([], []), (differing, []), (lost, []), ([*map(item, names)], names))
    ]
    found = result(verdicts={f"p{each}": verdict for each, verdict in enumerate(decided)})
    document = to_document(found)
    for row in document["verdicts"].values():
        del row["because"]
    read = Stored(folder=tmp_path, document=json.loads(json.dumps({**document, "checked_at": ""}))).result
    for verdict, older in zip(decided, read.verdicts.values(), strict=True):
        assert [(reason.sentence, reason.what, reason.number) for reason in older.because] == [
            (reason.sentence, reason.what, reason.number) for reason in verdict.because
        ]


def test_a_light_item_gives_the_same_document_and_counts_as_run(tmp_path: Path) -> None:
    for each in mixed().items:
        bare = light(each)
        assert item_document(bare) == item_document(each)
        assert (bare.reference, bare.candidate, bare.exchanges) == (None, None, ())
        assert (bare.ran, bare.held_against) == (each.ran, each.held_against)


def test_a_last_line_that_was_cut_off_does_not_count(tmp_path: Path) -> None:
    keep(tmp_path, mixed())
    lines = (tmp_path / ITEMS).read_bytes()
    (tmp_path / ITEMS).write_bytes(lines[:-20])
    stored = load(tmp_path)
    with pytest.raises(StoredResultError, match=r"has no line for deepseek/no-usage"):
        stored.item("deepseek/no-usage")
    assert stored.item("openai/plain-stream").reference is not None


def test_of_two_lines_for_one_item_the_later_holds(tmp_path: Path) -> None:
    late = item(provenance="live")
    keep(tmp_path, result(late), [item(), late])
    assert load(tmp_path).item(late.id) == late


def test_the_items_of_another_run_are_refused(tmp_path: Path) -> None:
    keep(tmp_path, mixed())
    lines = (tmp_path / ITEMS).read_bytes()
    keep(tmp_path, mixed())
    (tmp_path / ITEMS).write_bytes(lines)
    with pytest.raises(StoredResultError, match="belongs to another run"):
        load(tmp_path).item("openai/chat")


@pytest.mark.parametrize("damage", ["null", '{"id": "openai/chat", "observed": 1}', '{"id": "openai/chat", '])
def test_a_damaged_line_is_named(tmp_path: Path, damage: str) -> None:
    found = result(item("openai/chat"))
    keep(tmp_path, found)
    head = (tmp_path / ITEMS).read_text().splitlines()[0]
    (tmp_path / ITEMS).write_text(f"{head}\n{damage}\n")
    with pytest.raises(StoredResultError, match=r"items\.jsonl.*openai/chat.*check"):
        load(tmp_path).item("openai/chat")


def test_no_items_at_all_is_said_when_one_is_asked_for(tmp_path: Path) -> None:
    keep(tmp_path, mixed())
    (tmp_path / ITEMS).unlink()
    stored = load(tmp_path)
    assert stored.result.items
    with pytest.raises(StoredResultError, match="is missing"):
        stored.item("openai/chat")


def test_a_run_that_fails_leaves_the_earlier_items_and_its_own_draft(tmp_path: Path) -> None:
    keep(tmp_path, mixed())
    before = (tmp_path / ITEMS).read_bytes()
    with suppress(KeyboardInterrupt), writing(tmp_path, {}) as writer:
        writer.add(packed(item("openai/first")))
        raise KeyboardInterrupt
    writer.add(packed(item("openai/late")))  # a thread that had not heard of it
    assert (tmp_path / ITEMS).read_bytes() == before
    assert list(ItemsFile.read(tmp_path / DRAFT).offsets) == ["openai/first"]


def test_an_item_or_a_summary_with_a_secret_is_not_written(tmp_path: Path) -> None:
    secret = "the-value-of-a-variable"
    with writing(tmp_path, {"ACME_API_KEY": secret}) as writer:
        writer.add(packed(item("openai/a")))
        with pytest.raises(SecretFound, match="openai/b"):
            writer.add(packed(item("openai/b", problem=secret)))
        with pytest.raises(SecretFound, match="the result"):
            writer.finish(result(item("openai/b", problem=secret)))
        writer.finish(result(item("openai/a")))
    assert not any(secret.encode() in file.read_bytes() for file in tmp_path.iterdir())
    assert load(tmp_path).item("openai/a").id == "openai/a"


def test_half_a_surrogate_pair_can_be_kept(tmp_path: Path) -> None:
    found = result(item(divergences=(replace(INVENTED, reference="\ud83d", candidate="\ude00"),)))
    keep(tmp_path, found)
    assert load(tmp_path).item("openai/plain-stream").divergences == found.items[0].divergences
    assert json.loads((tmp_path / RESULT).read_bytes())["items"][0]["divergences"][0]["reference"] == "\ud83d"


def test_a_folder_without_a_result_has_none(tmp_path: Path) -> None:
    assert Stored.load(tmp_path) is None


def test_a_run_is_named_by_what_it_found() -> None:
    found = mixed()
    accepted = replace(found, items=tuple(replace(each, waived={}) for each in found.items))
    fewer = replace(found, items=found.items[1:])
    assert run_digest(found) == run_digest(accepted)
    assert run_digest(found) != run_digest(fewer)
    assert run_digest(found) != run_digest(replace(found, versions={"litellm": "2"}))
