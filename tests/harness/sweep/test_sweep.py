"""A sweep notices what a client does wrong, each fault by the variants that bring it out."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import count
from typing import Any
from urllib.request import urlopen

import pytest

from llm_contracts.clients.call import Call, Function
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.result import Item
from llm_contracts.parity.variant_names import general, split
from llm_contracts.run.engines import Engine
from llm_contracts.run.pairing import Pairing, Side
from llm_contracts.sweep.sweeper import Sweeper, opened_pieces
from llm_contracts.sweep.variants import Family
from llm_contracts.wire.interaction import Interaction, Piece, Response
from tests.harness.run import clients
from tests.harness.run.clients import client
from tests.harness.wire.exchanges import DONE, JSON, event, exchange, streamed, text_event

pytestmark = pytest.mark.long

Path = Callable[[Call], Any]

TEXTS = ("Guten ", "Tag", "! ", "茶🍵 café")
FINISH = event({"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]})
USAGE = event({"choices": [], "usage": {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7}})
EVENTS = (*map(text_event, TEXTS), FINISH, USAGE, DONE)
CALL = Call(base_url="https://api.openai.com/v1", api_key="k", provider="openai", model="gpt-4o")
GOOD = client(clients.properly)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with opened_pieces() as opened:
        yield opened


def swept(
    engine: Engine, candidate: Path, *families: Family, reference: Path = GOOD, every: bool = False
) -> list[Item]:
    match = Pairing(
        reference=Side(name="good", client=reference),
        candidate=Side(name="other", client=candidate),
        engine=engine,
        timeout=10,
    )
    sweeper = Sweeper(match=match, families=families, every=every)
    blank = Item(id="openai/made-up", provider="openai", scenario="made-up")
    return list(sweeper.run(blank, (recording(),), CALL))


def recording() -> Interaction:
    pieces = tuple(Piece(size=len(data), at_ms=0.0) for data in EVENTS)
    return streamed(b"".join(EVENTS), pieces=pieces)


def noticed(items: list[Item]) -> dict[str, set[tuple[Kind, str]]]:
    """What was found, by kind of variant."""
    found: dict[str, set[tuple[Kind, str]]] = {}
    for item in items:
        if item.divergences or item.noise:
            places = {(d.kind, d.where) for d in (*item.divergences, *item.noise)}
            found.setdefault(general(split(item.scenario)[1]), set()).update(places)
    return found


# A client that does all as it should


def test_a_client_that_reads_by_the_standard_shows_no_change(engine: Engine) -> None:
    items = swept(engine, GOOD, Family.RECUT)
    assert noticed(items) == {}
    assert {general(split(item.scenario)[1]) for item in items} == {
        "",
        *("whole", "blank-lines", "fields", "characters", "bytes", "drawn@*"),
        *("crlf", "cr", "crlf-apart", "comments", "pings", "bom", "bare-data", "control-only"),
    }


def test_the_recording_itself_comes_first(engine: Engine) -> None:
    first = swept(engine, GOOD, Family.RECUT)[0]
    assert (first.id, first.scenario) == ("openai/made-up", "made-up")
    assert first.candidate is not None
    assert first.candidate.text == "".join(TEXTS)


def test_what_no_byte_can_show_is_said_of_both_clients(engine: Engine) -> None:
    """After a body that ends in good order nobody can know that there was more; the sweep does."""
    found = noticed(swept(engine, GOOD, Family.ENDS, every=True))
    assert found.pop("silent@*") == {(Kind.UNFAITHFUL, "end")}
    # Half an event is no JSON, so that both fail.
    assert found == {}


def test_two_clients_that_are_one_agree_on_every_fault(engine: Engine) -> None:
    assert noticed(swept(engine, GOOD, Family.FAULTS)) == {}


def test_a_client_that_a_busy_machine_gave_no_time_to_ask_is_looked_at_again(engine: Engine) -> None:
    limited = count(1)

    def slow(call: Call) -> Any:
        if "timeout" in call.params and next(limited) % 4:
            raise TimeoutError
        return GOOD(call)

    assert noticed(swept(engine, slow, Family.FAULTS)) == {}


def test_a_client_whose_time_was_too_short_to_ask_is_given_more(engine: Engine) -> None:
    def slow(call: Call) -> Any:
        if call.params.get("timeout", 60.0) < 0.8:
            raise TimeoutError
        return GOOD(call)

    assert "stall@*" not in noticed(swept(engine, slow, Family.FAULTS))


def test_a_listing_that_is_lost_without_a_word_is_said_of_both_clients(engine: Engine) -> None:
    body = b'{"object": "list", "data": [{"id": "a"}]}'
    listing = exchange(
        Response(status=200, headers=JSON, body=body), target="/v1/models", method="GET", body=b""
    )

    def forgiving(call: Call) -> list[str]:
        try:
            with urlopen(f"{call.base_url}/models") as answer:
                return [row["id"] for row in json.load(answer)["data"]]
        except ValueError:
            return []

    match = Pairing(
        reference=Side(name="one", client=forgiving),
        candidate=Side(name="other", client=forgiving),
        engine=engine,
        timeout=10,
    )
    sweeper = Sweeper(match=match, families=(Family.ENDS,))
    blank = Item(id="openai/models", provider="openai", scenario="models")
    found = noticed(list(sweeper.run(blank, (listing,), replace(CALL, function=Function.LIST_MODELS))))
    assert found["silent@*"] == {(Kind.UNFAITHFUL, "end")}


# Clients with faults


@pytest.mark.parametrize(
    ("reader", "variants", "found"),
    [
        (clients.replacing_halves_of_characters, {"characters", "bytes"}, Kind.TEXT),
        (clients.a_piece_an_event, {"fields", "bytes"}, Kind.TEXT),
        (clients.line_feeds_alone, {"crlf", "cr", "crlf-apart"}, Kind.TEXT),
        (clients.first_lines, {"comments"}, Kind.TEXT),
        (clients.no_mark, {"bom"}, Kind.TEXT),
        (clients.whatever_it_is, {"bare-data"}, Kind.ERROR),
        (clients.each_block, {"bare-data", "control-only", "pings"}, Kind.ERROR),
    ],
)
def test_a_client_that_reads_amiss_changes_with_the_pieces_or_the_spelling(
    engine: Engine, reader: clients.Reader, variants: set[str], found: Kind
) -> None:
    changed = noticed(swept(engine, client(reader), Family.RECUT))
    assert variants <= changed.keys()
    assert all(any(kind in {found, Kind.ERROR} for kind, _ in changed[name]) for name in variants)


def test_a_change_says_which_path_has_changed_and_how(engine: Engine) -> None:
    items = swept(engine, client(clients.line_feeds_alone), Family.RECUT)
    (item,) = (item for item in items if item.scenario == "made-up~crlf")
    (text,) = (d for d in item.divergences if d.kind is Kind.TEXT)
    assert text.reference == "unchanged"
    assert text.candidate == {"recorded": "".join(TEXTS), "varied": TEXTS[0]}
    assert item.noise == ()


def test_a_cut_stream_that_is_told_as_whole_is_an_error_of_one_path(engine: Engine) -> None:
    found = noticed(swept(engine, client(clients.properly, believes_ends=True), Family.ENDS))
    for name in ("cut@*", "reset@*"):
        assert (Kind.ERROR, "error") in found[name], name


def test_a_cut_stream_that_both_tell_as_whole_is_told_by_the_bytes(engine: Engine) -> None:
    deaf = client(clients.properly, believes_ends=True)
    found = noticed(swept(engine, deaf, Family.ENDS, reference=deaf))
    for name in ("cut@*", "reset@*"):
        assert (Kind.UNFAITHFUL, "end") in found[name], name


def test_a_finish_reason_that_nobody_sent_is_noticed(engine: Engine) -> None:
    """As LiteLLM makes up one for a stream that ends without."""
    inventive = client(clients.with_a_made_up_end(clients.properly))
    found = noticed(swept(engine, inventive, Family.ENDS, Family.FAULTS))
    assert (Kind.FINISH_REASON, "finish_reason.invented") in found["silent@*"]
    assert (Kind.FINISH_REASON, "finish_reason.invented") in found["no-finish"]


@pytest.mark.parametrize(
    ("path", "variant", "expected"),
    [
        (client(clients.properly, deaf=True), "error@*", (Kind.ERROR, "error")),
        (client(clients.properly, believes_ends=True), "stall@*", (Kind.ERROR, "error")),
        (client(clients.skipping_what_is_no_json), "broken-json@*", (Kind.ERROR, "error")),
        (client(clients.each_once), "twice@*", (Kind.TEXT, "text[6]")),
    ],
    ids=["error events", "stalls", "broken JSON", "equal events"],
)
def test_a_client_that_makes_light_of_a_fault_is_noticed(
    engine: Engine, path: Path, variant: str, expected: tuple[Kind, str]
) -> None:
    assert expected in noticed(swept(engine, path, Family.FAULTS))[variant]


# What is told once


def test_what_differs_on_the_recording_itself_is_told_there_and_not_of_each_variant(engine: Engine) -> None:
    def renamed(call: Call) -> Iterator[Any]:
        for chunk in GOOD(call):
            yield {**chunk, "id": "another"}

    found = noticed(swept(engine, renamed, Family.FAULTS))
    assert (Kind.RESPONSE_ID, "id") in found.pop("")
    assert not any((Kind.RESPONSE_ID, "id") in places for places in found.values())


def test_a_path_that_does_otherwise_each_time_is_noise(engine: Engine) -> None:
    def fickle(call: Call, calls: list[int] = []) -> Iterator[Any]:  # noqa: B006 - it remembers on purpose
        calls.append(1)
        yield from GOOD(call)
        yield f"{len(calls)}"

    items = swept(engine, fickle, Family.RECUT)
    assert [bool(item.noise) for item in items[1:]] == [True] * (len(items) - 1) != []
