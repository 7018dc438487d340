"""Variants of recordings, judged by the bytes alone: what must not change does not, what must go is gone."""

from __future__ import annotations

import json
from collections.abc import Iterable
from itertools import accumulate
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.parity.variant_names import general, split, varied
from llm_contracts.simulator.dialect import Dialect
from llm_contracts.simulator.dialects import DIALECTS
from llm_contracts.simulator.openai import OPENAI
from llm_contracts.sweep.variants import Family, Variant, recut_at, variants
from llm_contracts.wire.cassette import load
from llm_contracts.wire.events import events
from llm_contracts.wire.facts import WireFacts, read_facts
from llm_contracts.wire.interaction import End, Interaction, Response
from llm_contracts.wire.protocols import BUILT_IN
from tests.contracts import dialects
from tests.contracts.protocols.dify import DIFY
from tests.contracts.protocols.ernie_v1 import ERNIE_V1
from tests.harness.wire.exchanges import EVENT_STREAM, JSON, event, exchange, frame, stream, streamed
from tests.harness.wire.test_api_protocols import GEMINI, MESSAGES, RESPONSES

CASSETTES = Path(__file__).parents[3] / "cassettes"
PROVIDERS = sorted(folder.name for folder in CASSETTES.iterdir())
BORDERS = "茶🍵 café\n\n"
STREAM = (streamed(stream("Guten ", "Tag", " – ", BORDERS)),)

PROTOCOLS = (ERNIE_V1, DIFY, *BUILT_IN)
each_provider = pytest.mark.parametrize("provider", PROVIDERS)


def dialect_of(provider: str) -> Dialect:
    return {**DIALECTS, "ernie_v1": dialects.ERNIE_V1, "dify": dialects.DIFY}[provider]


def facts_in(response: Response) -> WireFacts:
    return read_facts(response, PROTOCOLS)


def recorded(provider: str, scenario: str = "plain-stream") -> tuple[Interaction, ...]:
    return load(CASSETTES / provider / f"{scenario}.yaml").interactions


def family(interactions: tuple[Interaction, ...], which: Family, provider: str = "openai") -> list[Variant]:
    return list(variants(interactions, dialect_of(provider), (which,), protocols=PROTOCOLS))


def named(interactions: tuple[Interaction, ...], name: str, provider: str = "openai") -> Variant:
    (found,) = (
        variant
        for variant in variants(interactions, dialect_of(provider), protocols=PROTOCOLS)
        if variant.name == name
    )
    return found


def last(interactions: Iterable[Interaction]) -> Response:
    return tuple(interactions)[-1].response


def said(response: Response) -> tuple[object, ...]:
    """Everything that an application could be told of these bytes."""
    facts = facts_in(response)
    return (
        facts.whole_text,
        facts.reasoning,
        facts.finish_reasons,
        facts.usages,
        facts.error,
        facts.done,
        facts.malformed,
        facts.ids,
        facts.models,
    )


# Names


def test_a_variant_is_named_after_its_recording_and_is_told_from_it() -> None:
    assert varied("deepseek/plain-stream", "cut@3") == "deepseek/plain-stream~cut@3"
    assert split("plain-stream~cut@3") == ("plain-stream", "cut@3")
    assert split("plain-stream") == ("plain-stream", "")
    assert (general("cut@3"), general("crlf")) == ("cut@*", "crlf")


@each_provider
def test_no_two_variants_of_a_recording_have_one_name(provider: str) -> None:
    names = [variant.name for variant in variants(recorded(provider), dialect_of(provider), every=True)]
    assert len(names) == len(set(names))
    assert len(names) > 300


# Recuts


@each_provider
def test_nothing_that_is_cut_or_spelt_otherwise_says_anything_else(provider: str) -> None:
    interactions = recorded(provider)
    recuts = family(interactions, Family.RECUT, provider)
    assert len(recuts) > 5
    for variant in recuts:
        assert said(last(variant.interactions)) == said(last(interactions)), variant.name
        sizes = [piece.size for piece in last(variant.interactions).pieces or ()]
        assert sum(sizes) == len(last(variant.interactions).body), variant.name


@given(offsets=st.sets(st.integers(-5, 400)))
def test_cuts_may_be_anywhere(offsets: set[int]) -> None:
    response = last(recut_at(STREAM, lambda _body: offsets))
    ends = set(accumulate(piece.size for piece in response.pieces or ()))
    size = len(response.body)
    assert response.body == last(STREAM).body
    assert ends == {offset for offset in offsets if 0 < offset < size} | {size}


def test_a_short_body_is_cut_at_every_byte_and_a_long_one_only_when_asked() -> None:
    assert [p.size for p in last(named(STREAM, "bytes").interactions).pieces or ()] == [1] * len(
        last(STREAM).body
    )
    long = (streamed(stream(*["word"] * 200)),)
    assert "bytes" not in {variant.name for variant in family(long, Family.RECUT)}
    assert "bytes" in {variant.name for variant in variants(long, OPENAI, (Family.RECUT,), every=True)}


def test_every_character_of_more_than_a_byte_is_cut_apart() -> None:
    response = last(named(STREAM, "characters").interactions)
    cuts = set(accumulate(piece.size for piece in response.pieces or ()))
    inside = {at for at, byte in enumerate(response.body) if 0x80 <= byte < 0xC0}
    assert inside
    assert inside <= cuts


def test_line_ends_become_others_and_crlf_is_also_cut_in_between() -> None:
    assert b"\n" not in last(named(STREAM, "cr").interactions).body
    crlf = last(named(STREAM, "crlf").interactions).body
    assert crlf.count(b"\r\n") == crlf.count(b"\n") == crlf.count(b"\r")
    apart = last(named(STREAM, "crlf-apart").interactions)
    cuts = set(accumulate(piece.size for piece in apart.pieces or ()))
    assert {at + 1 for at, byte in enumerate(apart.body) if byte == ord("\r")} <= cuts


def test_a_refusal_can_only_be_cut_into_other_pieces() -> None:
    refusal = (exchange(Response(status=401, headers=JSON, body=b'{"error": {"message": "no"}}')),)
    found = list(variants(refusal, OPENAI))
    assert {variant.family for variant in found} == {Family.RECUT}
    assert {last(variant.interactions).body for variant in found} == {last(refusal).body}


WHOLE = {
    "choices": [{"index": 0, "message": {"content": BORDERS}, "finish_reason": "stop"}],
    "usage": {"a": 1e-05},
}
LISTING = {"object": "list", "data": [{"id": "m", "owned_by": "café"}]}
VECTORS = {
    "object": "list",
    "data": [{"embedding": [0.25, 1e-05], "index": 0}],
    "usage": {"total_tokens": 3},
    "model": "é",
}


def answered(document: Any) -> tuple[Interaction, ...]:
    body = json.dumps(document, ensure_ascii=False).encode()
    return (exchange(Response(status=200, headers=JSON, body=body)),)


@pytest.mark.parametrize("document", [WHOLE, LISTING, VECTORS])
def test_a_whole_answer_says_the_same_however_it_is_cut_and_spelt(document: Any) -> None:
    interactions = answered(document)
    recuts = family(interactions, Family.RECUT)
    assert {v.name for v in recuts} >= {"whole", "bytes", "indented", "escaped"}
    for variant in recuts:
        assert said(last(variant.interactions)) == said(last(interactions)), variant.name
        assert json.loads(last(variant.interactions).body) == document, variant.name
    assert len({last(variant.interactions).body for variant in recuts}) == 3


@pytest.mark.parametrize("document", [WHOLE, LISTING, VECTORS])
def test_a_whole_answer_ends_early_and_others_come_in_its_place(document: Any) -> None:
    interactions = answered(document)
    ends = {v.name: last(v.interactions) for v in family(interactions, Family.ENDS)}
    assert ends.keys() - {"cut-in-character@1"} == {
        *("cut@0", "reset@0", "silent@0", "cut-within@1", "silent-within@1"),
    }
    assert (ends["silent@0"].body, ends["silent@0"].end) == (b"", End.COMPLETE)
    assert ends["silent-within@1"].body == last(interactions).body[: len(last(interactions).body) // 2]
    faults = {v.name: last(v.interactions) for v in family(interactions, Family.FAULTS)}
    assert faults.keys() - {"no-finish"} == {
        *("stall-before-head", "stall@0", "status-500", "busy-then-answer", "error@0", "page", "bom"),
    }
    assert ("no-finish" in faults) is (document is WHOLE)
    assert facts_in(faults["error@0"]).error is not None
    assert faults["error@0"].status == 200
    assert facts_in(faults["page"]).unread == len(faults["page"].body)


def test_a_whole_answer_without_its_finish_reason_lacks_nothing_else() -> None:
    interactions = answered(WHOLE)
    whole, facts = facts_in(last(interactions)), facts_of(named(interactions, "no-finish"))
    assert (facts.finish_reasons, facts.whole_text, facts.usage) == ((), whole.whole_text, whole.usage)


# Other APIs and other framings


def _at(target: str, body: bytes) -> tuple[Interaction, ...]:
    return (exchange(Response(status=200, headers=EVENT_STREAM, body=body), target=target),)


def _named(documents: Iterable[dict[str, Any]]) -> bytes:
    return b"".join(b"event: %s\n%s" % (one["type"].encode(), event(one)) for one in documents)


_LINES = b"".join(json.dumps({"message": {"content": text}, "done": False}).encode() + b"\n" for text in "ab")
_MODEL = "/v1beta/models/m:streamGenerateContent"
SERVER_SENT = {
    "responses": _at("/v1/responses", _named(RESPONSES)),
    "messages": _at("/v1/messages", _named(MESSAGES)),
    "gemini": _at(f"{_MODEL}?alt=sse", event(GEMINI) * 2),
}
OTHERWISE_FRAMED = {
    "array": _at(_MODEL, json.dumps([GEMINI, GEMINI]).encode()),
    "lines": _at("/api/chat", _LINES),
    "frames": _at("/model/m/converse-stream", frame("messageStart", b"{}") + frame("messageStop", b"{}")),
}
_APIS = {**SERVER_SENT, **OTHERWISE_FRAMED}
each_api = pytest.mark.parametrize("name", _APIS)


@each_api
def test_each_api_says_the_same_however_it_is_cut_or_spelt(name: str) -> None:
    interactions = _APIS[name]
    recuts = family(interactions, Family.RECUT)
    assert len(recuts) > 3
    assert {
        variant.name for variant in recuts if said(last(variant.interactions)) != said(last(interactions))
    } == set()
    assert ("bom" in {variant.name for variant in recuts}) == (name in SERVER_SENT)


@each_api
def test_each_api_that_ends_too_early_has_fewer_events_or_half_of_one(name: str) -> None:
    whole = last(_APIS[name]).body
    ends = family(_APIS[name], Family.ENDS)
    assert {general(variant.name) for variant in ends} >= {"cut@*", "reset@*", "silent@*", "cut-within@*"}
    for variant in ends:
        kept = last(variant.interactions).body
        assert whole.startswith(kept), variant.name
        assert len(kept) < len(whole), variant.name


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("responses", {"server_error"}),
        ("messages", {"overloaded_error", "api_error"}),
        ("gemini", {"INTERNAL"}),
    ],
)
def test_each_api_is_told_of_an_error_in_its_own_words(name: str, words: set[str]) -> None:
    """Whatever dialect its provider has for chats: here OpenAI's."""
    faults = family(SERVER_SENT[name], Family.FAULTS)
    errors = [facts_of(variant).error for variant in faults if variant.name.startswith(("error@", "status-"))]
    assert len(errors) > 2
    for error in errors:
        assert any(word in json.dumps(error) for word in words)


@pytest.mark.parametrize("name", OTHERWISE_FRAMED)
def test_what_is_not_server_sent_gets_no_server_sent_events(name: str) -> None:
    added = [
        variant
        for variant in family(_APIS[name], Family.FAULTS)
        if b"data:" in last(variant.interactions).body
    ]
    assert added == []


def test_the_arguments_of_a_call_are_a_place_of_their_own() -> None:
    names = {variant.name for variant in family(SERVER_SENT["responses"], Family.ENDS)}
    assert "cut@6" in names  # after `response.function_call_arguments.delta`


# Early ends


@each_provider
def test_every_early_end_keeps_a_part_and_loses_another(provider: str) -> None:
    interactions = recorded(provider)
    whole = last(interactions).body
    ends = list(variants(interactions, dialect_of(provider), (Family.ENDS,), every=True))
    assert len(ends) > 10
    for variant in ends:
        kept = last(variant.interactions)
        assert whole.startswith(kept.body), variant.name
        assert len(kept.body) < len(whole), variant.name
        assert (kept.end is End.COMPLETE) == variant.name.startswith("silent"), variant.name


def test_with_every_each_event_is_the_last_one_once() -> None:
    count = len(events(last(STREAM).body))
    names = {variant.name for variant in variants(STREAM, OPENAI, (Family.ENDS,), every=True)}
    for end in ("cut", "reset", "silent"):
        assert {f"{end}@{place}" for place in range(count)} <= names
        assert f"{end}@{count}" not in names


def test_without_it_each_place_that_tells_something_new_is_there() -> None:
    names = {variant.name for variant in family(STREAM, Family.ENDS)}
    # Nothing, the first text, the last text, the finish reason; [DONE] is the sixth event.
    assert {name for name in names if name.startswith("cut@")} == {"cut@0", "cut@1", "cut@4", "cut@5"}


def test_a_character_is_cut_in_its_middle() -> None:
    found = [
        v for v in variants(recorded("qwen"), DIALECTS["qwen"], every=True) if v.name.startswith("cut-in-")
    ]
    assert found
    for variant in found:
        with pytest.raises(UnicodeDecodeError):
            last(variant.interactions).body.decode()


def test_a_recording_that_is_cut_already_is_not_cut_again() -> None:
    cut = (streamed(stream("a"), end=End.CUT),)
    assert family(cut, Family.ENDS) == []


# Faults


@each_provider
def test_an_error_event_is_one_in_the_provider_s_own_dialect(provider: str) -> None:
    found = [v for v in family(recorded(provider), Family.FAULTS, provider) if v.name.startswith("error@")]
    assert len(found) > 2
    assert all(facts_in(last(variant.interactions)).error for variant in found)


@each_provider
def test_a_broken_event_is_no_json_and_a_doubled_one_is_there_twice(provider: str) -> None:
    interactions = recorded(provider)
    whole = facts_in(last(interactions))
    faults = family(interactions, Family.FAULTS, provider)
    broken = [facts_of(variant) for variant in faults if variant.name.startswith("broken-json@")]
    doubled = [facts_of(variant) for variant in faults if variant.name.startswith("twice@")]
    assert {facts.malformed for facts in broken} == {whole.malformed + 1}
    assert {facts.events for facts in doubled} == {whole.events + 1}


@pytest.mark.parametrize("provider", [name for name in PROVIDERS if name != "dify"])
def test_a_missing_finish_reason_is_missing_and_nothing_else(provider: str) -> None:
    interactions = recorded(provider)
    whole, facts = facts_in(last(interactions)), facts_of(named(interactions, "no-finish", provider))
    assert (facts.finish_reasons, facts.whole_text, facts.usage) == ((), whole.whole_text, whole.usage)


@each_provider
def test_a_busy_provider_answers_the_second_time(provider: str) -> None:
    interactions = recorded(provider)
    busy, answer = named(interactions, "busy-then-answer", provider).interactions[-2:]
    assert (busy.response.status, facts_in(busy.response).retry_after) == (429, 2.0)
    assert busy.request == answer.request
    assert answer == interactions[-1]


@each_provider
def test_a_failed_server_says_so_in_its_own_words(provider: str) -> None:
    response = last(named(recorded(provider), "status-500", provider).interactions)
    error = facts_in(response).error
    assert response.status == 500
    assert error is not None
    assert error["message"]


def test_who_is_not_known_speaks_as_openai_does() -> None:
    (found,) = (variant for variant in variants(STREAM) if variant.name == "error@1")
    error = facts_of(found).error
    assert error is not None
    assert error["type"] == "server_error"


def test_only_a_provider_that_stalls_asks_for_patience() -> None:
    found = family(STREAM, Family.FAULTS)
    assert {v.name for v in found if v.patience} == {"stall-before-head", "stall@0", "stall@1"}
    assert last(named(STREAM, "stall-before-head").interactions).status == 0


def facts_of(variant: Variant) -> WireFacts:
    return facts_in(last(variant.interactions))
