"""What the shape of an answer is made of, and what it does not depend on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.drift.compare import ChangeKind, Drift, compare_recordings, compare_shapes
from llm_contracts.drift.fields import is_choice
from llm_contracts.drift.shape import UsagePlace, shape_of
from llm_contracts.parity.divergence import Severity
from llm_contracts.wire.interaction import End, Piece, Response
from tests.harness.drift.rewriting import CASSETTES, Part, put_together, response, taken_apart, with_leaves
from tests.harness.wire.exchanges import DONE, EVENT_STREAM, JSON, event, streamed

pytestmark = pytest.mark.long

STREAMS = [
    f"{provider}/plain-stream"
    for provider in (
        "openai",
        "deepseek",
        "silicon",
        "gemini",
        "ernie_v1",
        "dify",
    )
]
STREAMS += ["openai/tool-calls", "qwen/tool-calls", "deepseek/reasoning", "gemini/reasoning"]


def chunk(finish: str | None = None, usage: Any = None, **delta: Any) -> bytes:
    return event({"choices": [{"delta": delta, "finish_reason": finish}], "usage": usage})


QWEN = response("qwen/tool-calls")
QWEN_PARTS = taken_apart(QWEN)[-6:]
TOTALS = {"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}
LAST = event({"choices": [], "usage": TOTALS})


def drifts(recorded: bytes, now: bytes) -> dict[str, tuple[ChangeKind, Severity]]:
    found = compare_recordings([streamed(recorded)], [streamed(now)])
    return {drift.where: (drift.change, drift.severity) for drift in found}


def of(recorded: Response, now: Response) -> tuple[Drift, ...]:
    return compare_shapes(shape_of(recorded), shape_of(now))


@st.composite
def other_words(draw: st.DrawFn, parts: list[Part]) -> list[Part]:
    """The same events with other words, ids, clocks and counts, some of them more often or less."""
    word = draw(st.text(min_size=1, max_size=8).filter(str.strip))
    number = draw(st.integers(min_value=0, max_value=10**12))

    def change(name: str, value: Any) -> Any:
        if isinstance(value, bool) or is_choice(name) or not value:
            return value
        return word if isinstance(value, str) else type(value)(number)

    changed: list[Part] = []
    for part in parts:
        document = part.document
        if isinstance(document, dict):
            document = with_leaves(document, change)
        changed += [replace(part, document=document)] * (draw(st.integers(1, 3)) if _is_text(part) else 1)
    return changed


def _is_text(part: Part) -> bool:
    """Whether it adds text and says nothing else."""
    single = put_together(Response(status=200, body=b"data: x\n\n"), [part])
    return shape_of(single).order in {("content",), ("reasoning",), ("tool arguments",), ("message",)}


@pytest.mark.parametrize("name", STREAMS)
def test_words_ids_clocks_counts_and_the_number_of_events_are_no_part_of_it(name: str) -> None:
    answer = response(name)
    parts = taken_apart(answer)
    before = shape_of(put_together(answer, parts))

    @given(other_words(parts))
    def check(changed: list[Part]) -> None:
        assert compare_shapes(before, shape_of(put_together(answer, changed))) == ()

    check()


def test_pieces_and_times_are_no_part_of_it() -> None:
    answer = response("openai/plain-stream")
    pieces = (Piece(size=1, at_ms=5.0), Piece(size=len(answer.body) - 1, at_ms=9000.0))
    assert of(answer, replace(answer, pieces=pieces)) == ()


def test_every_recording_has_the_shape_it_has() -> None:
    """And none of them, whatever it holds, is too odd to be read."""
    files = sorted((CASSETTES / "openai").glob("*.yaml"))
    assert files
    for file in files:
        answer = response(f"openai/{file.stem}")
        assert of(answer, answer) == ()


def test_the_order_folds_what_the_model_repeats() -> None:
    body = b"".join(
        (
            chunk(role="assistant", content=""),
            *(chunk(reasoning_content="a"), chunk(content="b"), chunk(content="c")) * 3,
            chunk(reasoning_content="d"),
            *(
                chunk(tool_calls=[{"id": "1", "function": {"name": "f", "arguments": ""}}]),
                chunk(tool_calls=[{"function": {"arguments": "{"}}]),
                chunk(tool_calls=[{"function": {"arguments": "}"}}]),
            )
            * 2,
            chunk("tool_calls"),
            LAST,
            DONE,
        )
    )
    shape = shape_of(streamed(body).response)
    assert shape.order == (
        "role",
        "reasoning",
        "content",
        "tool call",
        "tool arguments",
        "finish",
        "[DONE]",
    )
    assert shape.usage == UsagePlace(last="in an event of its own after the finish", throughout=False)


def test_text_after_the_finish_is_another_order() -> None:
    late = (chunk(content="a"), chunk("stop"), chunk(content="b"), DONE)
    assert shape_of(streamed(b"".join(late)).response).order == ("content", "finish", "content", "[DONE]")


def test_rounds_of_events_with_names_are_folded() -> None:
    names = ["start", *("node_started", "node_finished") * 3, "end", "ping", "end"]
    body = b"".join(event({"event": name}) for name in names)
    assert shape_of(streamed(body).response).order == (
        "start",
        "node_started",
        "node_finished",
        "end",
        "ping",
        "end",
    )


BEFORE = (chunk(role="assistant", content=""), chunk(content="hello"), chunk("stop"))


@pytest.mark.parametrize(
    ("now", "expected"),
    [
        ((*BEFORE[:2], chunk("stop", TOTALS), DONE), {"usage": (ChangeKind.USAGE_MOVED, Severity.BREAKING)}),
        (
            (BEFORE[0], chunk(content="hello", usage=TOTALS), BEFORE[2], LAST, DONE),
            {
                "usage": (ChangeKind.USAGE_MOVED, Severity.VISIBLE),
            },
        ),
        (
            (*BEFORE, DONE),
            {
                "usage: usage": (ChangeKind.FIELD_GONE, Severity.BREAKING),
            },
        ),
        ((*BEFORE, LAST), {"order of events": (ChangeKind.ORDER, Severity.BREAKING)}),
        (
            (*BEFORE[:2], event({"error": {"message": "no", "code": "x"}}), *BEFORE[2:], LAST, DONE),
            {"order of events": (ChangeKind.ORDER, Severity.BREAKING)},
        ),
        (
            (BEFORE[0], chunk("stop", content="hello"), LAST, DONE),
            {"kinds of events": (ChangeKind.TOGETHER, Severity.COSMETIC)},
        ),
        (
            (*BEFORE[:2], chunk("length"), LAST, DONE),
            {"finish: choices[].finish_reason": (ChangeKind.VALUE, Severity.VISIBLE)},
        ),
        (
            (*BEFORE[:2], chunk("max_output"), LAST, DONE),
            {"finish: choices[].finish_reason": (ChangeKind.VALUE, Severity.BREAKING)},
        ),
    ],
    ids=[
        "usage with the finish",
        "usage with the text, too",
        "no usage",
        "no [DONE]",
        "an error within",
        "text and finish together",
        "another known finish",
        "an unknown finish",
    ],
)
def test_changes_in_a_stream_say_what_they_can_mean(
    now: tuple[bytes, ...], expected: dict[str, tuple[ChangeKind, Severity]]
) -> None:
    found = drifts(b"".join((*BEFORE, LAST, DONE)), b"".join(now))
    assert {where: found.get(where) for where in expected} == expected, found


def answers() -> Iterator[Any]:
    ok = Response(status=200, headers=EVENT_STREAM, body=b"".join((*BEFORE, DONE)))
    yield ok, replace(ok, status=404, headers=JSON, body=b'{"error":{"message":"no"}}'), "status", "breaking"
    yield ok, replace(ok, body=b'{"choices":[]}'), "body", "breaking"
    yield ok, replace(ok, end=End.CUT), "end", "breaking"
    yield ok, replace(ok, headers=(("Content-Type", "text/event-stream"),)), "header charset", "visible"
    yield ok, replace(ok, body=ok.body.replace(b"data: ", b"data:")), "lines", "visible"
    yield ok, replace(ok, body=ok.body.replace(b"\n", b"\r\n")), "lines", "visible"
    yield ok, replace(ok, headers=(*EVENT_STREAM, ("X-RateLimit-Limit", "9"))), *LIMIT
    yield ok, replace(ok, headers=(*EVENT_STREAM, ("Retry-After", "9"))), "header retry-after", "visible"


LIMIT = ("header x-ratelimit-limit", "cosmetic")


@pytest.mark.parametrize(("recorded", "now", "where", "severity"), list(answers()))
def test_changes_around_the_events_are_told_too(
    recorded: Response, now: Response, where: str, severity: str
) -> None:
    assert [(d.where, str(d.severity)) for d in of(recorded, now)] == [(where, severity)]


def refusal(code: object = "invalid_api_key", message: str = "Wrong key abc123: see 5 pages.") -> Response:
    body = event({"error": {"message": message, "code": code}}).removeprefix(b"data: ")
    return Response(status=401, headers=JSON, body=body)


def test_a_refusal_is_compared_by_its_code_and_fields_and_its_words_without_numbers_and_ids() -> None:
    assert of(refusal(), refusal(message="Wrong key xyz9: see 77 pages.")) == ()
    (worded,) = of(refusal(), refusal(message="Bad key abc123."))
    assert (worded.change, worded.severity) == (ChangeKind.WORDING, Severity.COSMETIC)
    (coded,) = of(refusal(), refusal(code="unauthorized"))
    assert (coded.where, coded.severity) == ("error: error.code", Severity.BREAKING)
    (typed,) = of(refusal(), refusal(code=401))
    assert (typed.change, typed.severity) == (ChangeKind.FIELD_TYPE, Severity.BREAKING)


def test_what_is_listed_is_stock_and_no_shape() -> None:
    def listing(*models: str) -> Response:
        rows = [{"id": name, "object": "model", "status": name} for name in models]
        body = event({"object": "list", "data": rows}).removeprefix(b"data: ")
        return Response(status=200, headers=JSON, body=body)

    assert of(listing("a"), listing("b", "c")) == ()


def test_the_same_change_in_several_kinds_of_events_is_told_once() -> None:
    now = b"".join((*BEFORE, LAST, DONE)).replace(b'{"choices"', b'{"request_time": 1, "choices"')
    assert drifts(b"".join((*BEFORE, LAST, DONE)), now) == {
        "all events: request_time": (ChangeKind.FIELD_NEW, Severity.COSMETIC)
    }


def test_another_number_of_exchanges_is_told_and_the_others_are_compared_by_their_numbers() -> None:
    one, two = streamed(b"".join((*BEFORE, DONE))), streamed(b"".join(BEFORE))
    found = compare_recordings([one, one], [two])
    assert [(d.change, d.where) for d in found] == [
        (ChangeKind.ORDER, "interactions[0]: order of events"),
        (ChangeKind.EXCHANGES, "exchanges"),
    ]


@pytest.mark.parametrize("body", [b"", b"<html>", b"\xff\xfe", b"[" * 100_000, b"data: " + b"[" * 100_000])
def test_no_body_is_too_odd(body: bytes) -> None:
    answer = Response(status=502, body=body)
    assert of(answer, answer) == ()


def test_depth_is_for_the_sender_to_say() -> None:
    deep = b'{"a":' * 900 + b"1" + b"}" * 900
    (found,) = of(Response(status=200, body=deep), Response(status=200, body=deep.replace(b"1", b'"x"')))
    assert found.change is ChangeKind.FIELD_TYPE
    assert len(found.where) < 300


def test_what_a_provider_sends_cannot_move_the_cursor_of_who_reads_it() -> None:
    odd = event({"choices": [], "\x1b[2J": 1})
    (found,) = compare_recordings([streamed(event({"choices": []}))], [streamed(odd)])
    assert "\x1b" not in found.where
    assert "u001b" in found.where


@pytest.mark.parametrize("name", ["", ".", "a.b", "a[]", "[]", "%2E", "choices[].delta", "ü\u2028"])
def test_names_that_look_like_paths_are_names(name: str) -> None:
    (found,) = compare_recordings([streamed(event({"n": {}}))], [streamed(event({"n": {name: 1}}))])
    assert (found.change, found.where.startswith("blank: n.")) == (ChangeKind.FIELD_NEW, True)


@given(st.lists(st.tuples(st.integers(min_value=0), st.integers(0, 255)), max_size=12))
def test_no_damage_is_too_odd_to_be_compared(damage: list[tuple[int, int]]) -> None:
    answer = put_together(QWEN, QWEN_PARTS)
    body = bytearray(answer.body)
    for place, byte in damage:
        body[place % len(body)] = byte
    of(answer, replace(answer, body=bytes(body)))
    of(replace(answer, body=bytes(body)), answer)
