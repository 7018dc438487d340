"""Results that are kept: everything comes back, and nothing that is cut or mixed up is believed."""

from __future__ import annotations

import json
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from llm_contracts.parity.result import Item, Result
from llm_contracts.results.document import item_document, light, run_digest, to_json
from llm_contracts.results.store import (
    DRAFT,
    ITEMS,
    RESULT,
    ItemsWriter,
    Stored,
    StoredResultError,
    read_offsets,
)
from llm_contracts.wire.interaction import Interaction, Request, Response
from tests.harness.reporting.samples import BODY, INVENTED, item, mixed, result

STARTED = "2026-11-22T12:00:00+00:00"
EXCHANGE = Interaction(
    request=Request(method="POST", uri="https://api.example.com/v1"),
    response=Response(status=200, body=b"data: [DONE]\n\n"),
)


def keep(folder: Path, found: Result, items: Sequence[Item] | None = None, started_at: str = STARTED) -> None:
    with ItemsWriter(folder, started_at=STARTED) as writer:
        for each in found.items if items is None else items:
            writer.add(replace(each, waived={}))  # waivers are applied when a run is over
    document = to_json(found, checked_at="2026-11-22T12:01:00+00:00", started_at=started_at, inputs={})
    (folder / RESULT).write_text(document)


def load(folder: Path) -> Stored:
    stored = Stored.load(folder)
    assert stored is not None
    return stored


def test_every_item_comes_back_whole_with_its_waivers_and_in_the_order_of_the_result(tmp_path: Path) -> None:
    found = mixed()
    exchanged = tuple(replace(each, exchanges=(EXCHANGE,)) for each in found.items)
    found = replace(found, items=exchanged)
    keep(tmp_path, found, list(reversed(exchanged)))
    assert tuple(load(tmp_path).whole_items()) == exchanged
    assert load(tmp_path).item("openai/chat").waived == {BODY.fingerprint: "the legacy call never asked"}


def test_the_summary_is_the_result_without_what_is_big(tmp_path: Path) -> None:
    found = mixed()
    keep(tmp_path, found)
    bare = tuple(light(each) for each in found.items)
    assert load(tmp_path).result == replace(found, items=bare)
    assert load(tmp_path).items() == bare


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
    keep(tmp_path, mixed(), started_at="2026-11-22T13:00:00+00:00")
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
    with suppress(KeyboardInterrupt), ItemsWriter(tmp_path, started_at="later") as writer:
        writer.add(item("openai/first"))
        raise KeyboardInterrupt
    writer.add(item("openai/late"))  # a thread that had not heard of it
    assert (tmp_path / ITEMS).read_bytes() == before
    started_at, offsets = read_offsets(tmp_path / DRAFT)
    assert started_at == "later"
    assert list(offsets) == ["openai/first"]


def test_what_the_guard_refuses_is_not_written(tmp_path: Path) -> None:
    def guard(name: str, data: bytes) -> None:
        if b"secret" in data:
            raise ValueError(name)

    with ItemsWriter(tmp_path, started_at=STARTED, guard=guard) as writer:
        writer.add(item("openai/a"))
        with pytest.raises(ValueError, match="openai/b"):
            writer.add(item("openai/b", problem="secret"))
    assert b"secret" not in (tmp_path / ITEMS).read_bytes()


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
