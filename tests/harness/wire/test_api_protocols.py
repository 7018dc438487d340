"""What the bytes of each API mean, held against answers in the shapes that its documentation gives."""

from __future__ import annotations

import base64
import json
import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.clients.chunks import ItemReader
from llm_contracts.clients.observation import Chunk
from llm_contracts.wire.events import events, take_whole
from llm_contracts.wire.facts import WireFacts, read_answer, read_facts
from llm_contracts.wire.interaction import Interaction, Request, Response
from llm_contracts.wire.protocols import BUILT_IN, GENERIC, Protocol, StreamReader
from tests.harness.wire.exchanges import EVENT_STREAM, JSON, event, frame

RESPONSE: dict[str, Any] = {
    "id": "resp_1",
    "object": "response",
    "model": "m",
    "status": "completed",
    "output": [
        {"type": "reasoning", "summary": [{"type": "summary_text", "text": "hm"}]},
        {"type": "message", "content": [{"type": "output_text", "text": "Hi"}]},
        {"type": "function_call", "call_id": "c1", "name": "f", "arguments": "{}"},
    ],
    "usage": {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5},
}
RESPONSES: tuple[dict[str, Any], ...] = (
    {
        "type": "response.created",
        "response": {**RESPONSE, "status": "in_progress", "output": [], "usage": None},
    },
    {"type": "response.reasoning_summary_text.delta", "delta": "hm", "output_index": 0},
    {"type": "response.output_text.delta", "delta": "H", "output_index": 1},
    {"type": "response.output_text.delta", "delta": "i", "output_index": 1},
    {
        "type": "response.output_item.added",
        "output_index": 2,
        "item": {"type": "function_call", "call_id": "c1", "name": "f", "arguments": ""},
    },
    {"type": "response.function_call_arguments.delta", "output_index": 2, "delta": "{}"},
    {"type": "response.completed", "response": RESPONSE},
)
MESSAGE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "m",
    "content": [
        {"type": "thinking", "thinking": "hm", "signature": "s"},
        {"type": "text", "text": "Hi"},
        {"type": "tool_use", "id": "c1", "name": "f", "input": {}},
    ],
    "stop_reason": "tool_use",
    "usage": {"input_tokens": 3, "output_tokens": 2},
}
MESSAGES = (
    {
        "type": "message_start",
        "message": {
            **MESSAGE,
            "content": [],
            "stop_reason": None,
            "usage": {"input_tokens": 3, "output_tokens": 1},
        },
    },
    {"type": "content_block_start", "index": 0, "content_block": {"type": "thinking", "thinking": ""}},
    {"type": "content_block_delta", "index": 0, "delta": {"type": "thinking_delta", "thinking": "hm"}},
    {"type": "ping"},
    {"type": "content_block_start", "index": 1, "content_block": {"type": "text", "text": ""}},
    {"type": "content_block_delta", "index": 1, "delta": {"type": "text_delta", "text": "Hi"}},
    {
        "type": "content_block_start",
        "index": 2,
        "content_block": {"type": "tool_use", "id": "c1", "name": "f", "input": {}},
    },
    {"type": "content_block_delta", "index": 2, "delta": {"type": "input_json_delta", "partial_json": "{}"}},
    {"type": "message_delta", "delta": {"stop_reason": "tool_use"}, "usage": {"output_tokens": 2}},
    {"type": "message_stop"},
)
GEMINI = {
    "candidates": [
        {
            "content": {
                "role": "model",
                "parts": [
                    {"text": "hm", "thought": True},
                    {"text": "Hi"},
                    {"functionCall": {"name": "f", "args": {}, "id": "c1"}},
                ],
            },
            "finishReason": "STOP",
        }
    ],
    "usageMetadata": {"promptTokenCount": 3, "candidatesTokenCount": 2, "totalTokenCount": 5},
    "responseId": "r",
    "modelVersion": "m",
}
NUMBERS = [0.5, -0.25, 3.0]
VECTOR = {"object": "list", "model": "m", "data": [{"object": "embedding", "index": 0, "embedding": NUMBERS}]}
CHAT = {
    "id": "c",
    "model": "m",
    "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}],
    "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5},
}
COMPLETION = {
    "id": "c",
    "object": "text_completion",
    "model": "m",
    "choices": [{"index": 0, "text": "Hi", "finish_reason": "stop"}],
}
LISTING = {"object": "list", "data": [{"id": "m", "object": "model"}]}

ANSWERS: dict[str, Any] = {
    "openai-responses": RESPONSE,
    "anthropic-messages": MESSAGE,
    "gemini": GEMINI,
    "openai-completions": COMPLETION,
    "openai-chat": CHAT,
    "embeddings": VECTOR,
    "models": LISTING,
}
PATHS = {
    "openai-responses": "/v1/responses",
    "anthropic-messages": "/v1/messages",
    "gemini": "/v1beta/models/m:streamGenerateContent",
    "openai-completions": "/v1/completions",
    "openai-chat": "/v1/chat/completions",
    "embeddings": "/v1/embeddings",
    "models": "/v1/models",
}


def streamed(*documents: Any) -> WireFacts:
    return read_facts(Response(status=200, headers=EVENT_STREAM, body=b"".join(map(event, documents))))


def whole(document: Any, **headers: str) -> WireFacts:
    body = json.dumps(document).encode()
    return read_facts(Response(status=200, headers=tuple(headers.items()) or JSON, body=body))


@pytest.mark.parametrize("protocol", BUILT_IN, ids=lambda one: one.name)
def test_every_protocol_answers_every_question(protocol: Protocol) -> None:
    answer = ANSWERS[protocol.name]
    assert [one.name for one in BUILT_IN if one.speaks(answer)] == [protocol.name]
    assert whole(answer).protocol == protocol.name
    assert protocol.reader()(answer).chunk
    assert not protocol.error(answer)
    assert protocol.members
    refused = Interaction(
        request=Request(method="POST", uri=f"https://p.example{PATHS[protocol.name]}?beta=true"),
        response=Response(status=400, headers=JSON, body=b'{"error": {"message": "no"}}'),
    )
    facts = read_answer(refused)
    assert (facts.protocol, facts.error) == (protocol.name, {"message": "no"})


@pytest.mark.parametrize(
    ("facts", "finish", "usage"),
    [
        (streamed(*RESPONSES), "completed", {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}),
        (whole(RESPONSE), "completed", {"input_tokens": 3, "output_tokens": 2, "total_tokens": 5}),
        (streamed(*MESSAGES), "tool_use", {"input_tokens": 3, "output_tokens": 2}),
        (whole(MESSAGE), "tool_use", {"input_tokens": 3, "output_tokens": 2}),
        (streamed(GEMINI), "STOP", {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}),
        (whole(GEMINI), "STOP", {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}),
        (whole([GEMINI]), "STOP", {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}),
    ],
)
def test_text_reasoning_finish_and_totals_are_found_streamed_and_whole(
    facts: WireFacts, finish: str, usage: dict[str, int]
) -> None:
    assert (facts.text, facts.reasoning, facts.finish_reasons) == ("Hi", "hm", (finish,))
    assert (facts.usage, facts.models, facts.error) == (usage, ("m",), None)


@pytest.mark.parametrize("documents", [RESPONSES, (RESPONSE,), MESSAGES, (MESSAGE,), (GEMINI,)])
def test_a_tool_call_has_its_id_name_and_arguments(documents: tuple[Any, ...]) -> None:
    read = StreamReader(BUILT_IN)
    calls: list[Any] = []
    for document in documents:
        choice = read(document)["choices"][0]
        calls += choice.get("delta", choice.get("message")).get("tool_calls", ())
    joined = {"arguments": "".join(call["function"].get("arguments", "") for call in calls)}
    assert {call["index"] for call in calls} == {0}
    assert (calls[0]["id"], calls[0]["function"]["name"], joined) == ("c1", "f", {"arguments": "{}"})


def test_only_the_last_event_says_that_nothing_follows() -> None:
    for events_ in (RESPONSES, MESSAGES):
        assert streamed(*events_).done
        assert not streamed(*events_[:-1]).done


def test_a_response_that_failed_or_an_error_event_is_an_error() -> None:
    failed = {**RESPONSE, "status": "failed", "error": {"code": "server_error", "message": "broken"}}
    for document in ({"type": "response.failed", "response": failed}, failed):
        facts = streamed(document)
        assert facts.error is not None
        assert facts.error["message"] == "broken"
    flat = {"type": "error", "message": "slow down", "code": None, "param": None, "sequence_number": 3}
    assert streamed(flat).error == {"message": "slow down", "code": None, "param": None}


def test_an_incomplete_response_finishes_with_its_reason() -> None:
    cut = {**RESPONSE, "status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}
    assert whole(cut).finish_reasons == ("max_output_tokens",)
    assert streamed({"type": "response.incomplete", "response": cut}).finish_reasons == ("max_output_tokens",)


def test_a_response_that_is_still_at_work_finishes_with_its_status() -> None:
    assert whole({**RESPONSE, "status": "queued", "output": []}).finish_reasons == ("queued",)
    assert streamed(RESPONSES[0]).finish_reasons == ()


def test_what_the_last_event_repeats_is_no_text_that_came() -> None:
    facts = streamed(RESPONSES[0], RESPONSES[1], RESPONSES[-1])
    assert (facts.text, facts.reasoning, facts.arguments) == ("", "hm", "")
    (last,) = ItemReader()(RESPONSES[-1])
    assert last.rest["response"]["output"][1]["content"][0]["text"] == "Hi"


def test_what_did_not_come_in_pieces_is_read_where_it_is_said_whole() -> None:
    call = RESPONSES[4]["item"]
    whole_call = {"type": "response.output_item.done", "output_index": 2, "item": RESPONSE["output"][2]}
    ways = (
        ({**RESPONSES[4], "item": {**call, "arguments": "{}"}},),
        (
            RESPONSES[4],
            {"type": "response.function_call_arguments.done", "output_index": 2, "arguments": "{}"},
        ),
        (RESPONSES[4],),
        (),
    )
    for begun in ways:
        events_ = (*begun, whole_call, RESPONSES[-1])
        text = ({"type": "response.output_text.done", "output_index": 1, "text": "Hi"},)
        facts = streamed(RESPONSES[0], *text, *events_)
        assert (facts.text, facts.arguments) == ("Hi", "{}")
        calls = [call for chunk in read_all(*events_) for call in chunk.tool_calls]
        assert [call["id"] for call in calls if "id" in call] == ["c1"]
        assert {call["index"] for call in calls} == {0}
    only_the_end = streamed(RESPONSES[0], RESPONSES[-1])
    assert (only_the_end.text, only_the_end.reasoning, only_the_end.arguments) == ("Hi", "hm", "{}")


def test_answers_one_after_the_other_are_each_read_from_the_beginning() -> None:
    chunks = read_all(*RESPONSES, *RESPONSES)
    assert "".join(chunk.text for chunk in chunks) == "HiHi"
    assert [call.get("id") for chunk in chunks for call in chunk.tool_calls] == ["c1", None] * 2


def test_a_response_that_was_cancelled_has_ended() -> None:
    cancelled = {"type": "response.cancelled", "response": {**RESPONSE, "status": "cancelled"}}
    assert streamed(*RESPONSES[:3], cancelled).finish_reasons == ("cancelled",)
    assert streamed(*RESPONSES[:3], cancelled).done


def read_all(*documents: Any) -> list[Chunk]:
    read = ItemReader()
    return [chunk for document in documents for chunk in read(document)]


JSON_VALUES = st.none() | st.booleans() | st.floats() | st.text(max_size=3)
ODD = st.recursive(JSON_VALUES, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(), inner))


@st.composite
def damaged(draw: st.DrawFn) -> list[Any]:
    """The events of an answer, or one in one piece, in which something else stands in one or two places."""
    found = draw(
        st.sampled_from([RESPONSES, MESSAGES, *([answer] for answer in (*ANSWERS.values(), RESPONSE))])
    )
    events_ = json.loads(json.dumps(found))
    for _ in range(draw(st.integers(1, 2))):
        place = events_
        for _ in range(draw(st.integers(1, 6))):
            keys = list(place) if isinstance(place, dict) else range(len(place))
            if not keys:
                break
            key = draw(st.sampled_from(keys))
            if not isinstance(place[key], (dict, list)) or draw(st.booleans()):
                place[key] = draw(ODD)
                break
            place = place[key]
    return [one for one in events_ if isinstance(one, dict)]


@given(documents=damaged())
def test_whatever_stands_in_an_answer_is_read_and_never_a_crash(documents: list[Any]) -> None:
    body = b"".join(map(event, documents))
    assert read_facts(Response(status=200, headers=EVENT_STREAM, body=body)).events == len(documents)
    read = ItemReader()
    for document in documents:
        assert list(read(document))


def test_what_a_provider_runs_by_itself_is_no_call_of_the_application() -> None:
    server = (
        {
            "type": "content_block_start",
            "index": 0,
            "content_block": {"type": "server_tool_use", "id": "s1", "name": "web_search", "input": {}},
        },
        {
            "type": "content_block_delta",
            "index": 0,
            "delta": {"type": "input_json_delta", "partial_json": "{}"},
        },
    )
    read = StreamReader(BUILT_IN)
    assert all("tool_calls" not in read(document)["choices"][0]["delta"] for document in server)


def test_the_same_numbers_are_the_same_as_numbers_and_as_base64() -> None:
    packed = base64.b64encode(struct.pack("<3f", *NUMBERS)).decode()
    read = StreamReader(BUILT_IN)
    as_text = {**VECTOR, "data": [{"object": "embedding", "index": 0, "embedding": packed}]}
    assert read(VECTOR) == read(as_text)
    other = {**VECTOR, "data": [{"object": "embedding", "index": 0, "embedding": [0.5, -0.25, 3.0001]}]}
    assert read(VECTOR) != read(other)
    assert read(VECTOR)["data"][0]["embedding"].startswith("3 numbers (0.5, -0.25, 3, …; ")


@pytest.mark.parametrize(
    "document",
    [
        {"embeddings": {"float": [NUMBERS]}, "meta": {"billed_units": {"input_tokens": 2}}},
        {"embedding": NUMBERS, "inputTextTokenCount": 2},
        {"embeddings": [{"values": NUMBERS}], "usageMetadata": {"promptTokenCount": 2}},
        {"data": [{"data": [{"embedding": NUMBERS}]}], "usage": {"input_tokens": 2}},
        {"predictions": [{"textEmbedding": NUMBERS}], "usage": {"input_tokens": 2}},
    ],
)
def test_totals_of_embeddings_are_found_wherever_a_vendor_puts_them(document: dict[str, Any]) -> None:
    assert (whole(document).protocol, whole(document).usage) == ("embeddings", {"input_tokens": 2})


@pytest.mark.parametrize(("counted", "left"), [(0, None), (None, None), (4, 4)])
def test_no_completion_tokens_of_embeddings_are_none_however_they_are_written(
    counted: int | None, left: int | None
) -> None:
    facts = whole({**VECTOR, "usage": {"prompt_tokens": 2, "completion_tokens": counted}})
    assert facts.usage == {"prompt_tokens": 2, **({"completion_tokens": left} if left else {})}


def test_binary_frames_are_events_and_what_they_pack_is_unpacked() -> None:
    inner = base64.b64encode(b'{"outputText": "Hi"}').decode()
    body = frame("messageStart", b'{"role": "assistant"}') + frame(
        "chunk", json.dumps({"bytes": inner}).encode()
    )
    found = events(body + b"\x00\x00")
    assert [(one.name, one.data) for one in found] == [
        ("messageStart", '{"role": "assistant"}'),
        ("chunk", '{"outputText": "Hi"}'),
    ]
    assert found[-1].end == len(body)
    facts = read_facts(Response(status=200, body=body))
    assert (facts.events, facts.protocol, facts.text, facts.error) == (2, GENERIC, "", None)
    assert read_facts(Response(status=200, body=frame("chunk", b"{}"))).protocol == GENERIC
    thrown = frame("throttlingException", b'{"message": "slow"}', b":exception-type")
    assert read_facts(Response(status=200, body=body + thrown)).error == {
        "code": "throttlingException",
        "message": "slow",
    }
    broken = frame("InternalFailure", b"", b":error-code")
    assert read_facts(Response(status=200, body=body + broken)).error == {
        "code": "InternalFailure",
        "message": "",
    }


def test_a_header_that_is_not_text_and_bytes_that_are_not_packed_are_no_crash() -> None:
    assert [one.data for one in events(frame("chunk", b'{"bytes": "\xc3\xa9"}'))] == ['{"bytes": "é"}']
    assert len(events(frame("chunk", b"{}").replace(b"chunk", b"\xff\xfehu?"))) == 1


@pytest.mark.parametrize("cut", [0, 7, 13, 40])
def test_a_cut_frame_is_never_a_crash(cut: int) -> None:
    body = frame("messageStart", b'{"role": "assistant"}')
    assert read_facts(Response(status=200, body=body[:cut])).events == 0


def test_the_elements_of_an_array_are_events_that_end_where_they_end() -> None:
    body = b'[{"a": "\xc3\xa9"}\n,\r\n {"b": [1]}\n]'
    found = events(body)
    assert [(one.data, one.end) for one in found] == [('{"a": "é"}', 12), ('{"b": [1]}', len(body))]
    assert [one.data for one in events(b'[{"a": 1}, {"b":')] == ['{"a": 1}']
    assert events(b"[[1, 2], [3]]") == events(b"[]") == events(b'{"a": 1}') == ()


RECORDS = b'\x1e{"a": "\xc3\xa9"}\n\x1e\x1e{\n"b": 2\n}\n\x1e{"c"'


def test_records_behind_separators_are_events_of_any_number_of_lines() -> None:
    found = events(RECORDS)
    assert [(one.data, one.end) for one in found] == [
        ('{"a": "é"}', 13),
        ('{\n"b": 2\n}', 26),
        ('{"c"', len(RECORDS)),
    ]
    facts = read_facts(Response(status=200, body=RECORDS))
    assert (facts.events, facts.malformed, facts.unread, facts.protocol) == (3, 1, 0, GENERIC)


@pytest.mark.parametrize("size", [1, 2, 5, 9, 100])
@pytest.mark.parametrize(
    ("body", "taken"),
    [
        (RECORDS, [{"a": "é"}, {"b": 2}]),
        (b'[{"a": "\xc3\xa9"}\n,\r\n {"b": {"c": 1}}\n]', [{"a": "é"}, {"b": {"c": 1}}]),
        (b'{"a": 1}\n\n{"b": 2}\n', [{"a": 1}, {"b": 2}]),
        (b"[[1, 2], [3]]", []),
        (b'{"a": 1,\n"b": 2}', []),
    ],
)
def test_events_are_taken_as_soon_as_they_are_whole(
    body: bytes, taken: list[dict[str, Any]], size: int
) -> None:
    data, found, needed = bytearray(), [], {one.data: one.end for one in events(body)}
    for at in range(0, len(body), size):
        data += body[at : at + size]
        for one in take_whole(data, body[at : at + size]):
            found.append(json.loads(one.data))
            ends = len(body) if body[:1] == b"[" and one.data == list(needed)[-1] else needed[one.data]
            assert at + size <= ends + size + 1  # its end, or the byte after it, was in this piece
    assert found == taken


@pytest.mark.parametrize("size", [3, 1000])
def test_an_array_of_bytes_is_read_once_and_its_brackets_are_no_item(size: int) -> None:
    body = b'[{"a": 1},\n{"b": 2}\n]\n'
    reader = ItemReader()
    found = [chunk for at in range(0, len(body), size) for chunk in reader(body[at : at + size])]
    assert [chunk.rest for chunk in found] == [{"a": 1}, {"b": 2}]
    assert list(reader.finish()) == []


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_a_document_in_another_coding_is_read_leaf_by_leaf(coding: str) -> None:
    body = json.dumps({**CHAT, "more": "ü"}, ensure_ascii=False).encode(coding)
    facts = read_facts(Response(status=200, headers=JSON, body=body))
    assert (facts.protocol, facts.text, facts.finish_reasons) == ("openai-chat", "Hi", ("stop",))
    reader = ItemReader()
    assert list(reader(body)) == []
    (chunk,) = reader.finish()
    assert (chunk.text, chunk.rest["more"]) == ("Hi", "ü")


def test_lines_of_json_are_events_and_the_last_may_be_cut() -> None:
    body = b'{"a": 1}\n\n{"b": 2}\n{"c"'
    assert [(one.data, one.end) for one in events(body)] == [
        ('{"a": 1}', 9),
        ('{"b": 2}', 19),
        ('{"c"', len(body)),
    ]
    assert read_facts(Response(status=200, body=body)).malformed == 1


@pytest.mark.parametrize("value", ["[[1, 2], [3, 4]]", '["a"]', "5"])
def test_json_that_is_no_object_is_generic(value: str) -> None:
    facts = read_facts(Response(status=200, headers=JSON, body=value.encode()))
    assert (facts.protocol, facts.malformed, facts.unread) == (GENERIC, 0, 0)


def test_of_an_unknown_api_each_event_is_progress_and_of_a_known_one_only_what_it_says() -> None:
    lines = b'{"type": "start"}\n{"type": "text", "text": "Hi"}\n'
    unknown, known = read_facts(Response(status=200, body=lines)), streamed({"type": "ping"}, *MESSAGES[:1])
    assert [marks[0] for marks in (*unknown.progress, *known.progress)] == [1, 2, 0, 0]


def test_a_ping_says_nothing_and_is_of_no_api() -> None:
    older = {"type": "completion", "completion": " Hi", "stop_reason": None}
    facts = streamed(older, {"type": "ping"}, older)
    assert (facts.protocol, [marks[0] for marks in facts.progress]) == (GENERIC, [1, 1, 2])


def test_numbers_with_totals_are_embeddings_whoever_else_counts_like_that() -> None:
    facts = whole({"embedding": {"values": [0.5, 1.0]}, "usageMetadata": {"promptTokenCount": 11}})
    assert (facts.protocol, facts.usage) == ("embeddings", {"input_tokens": 11})


def test_a_model_alone_or_an_array_of_them_is_a_listing() -> None:
    assert whole({"id": "m", "object": "model"}).protocol == "models"
    assert whole([{"id": "m", "object": "model"}]).protocol == "models"


@pytest.mark.parametrize(
    "refused",
    [
        {"__type": "ValidationException", "Message": "broken"},
        {"success": False, "errors": [{"code": 7009, "message": "broken"}]},
        {"error_code": "INVALID_PARAMETER_VALUE", "message": "broken"},
        {"status": 404, "title": "Not Found", "detail": "broken"},
    ],
)
def test_a_refusal_has_its_message_wherever_it_stands(refused: dict[str, Any]) -> None:
    facts = read_facts(Response(status=400, headers=JSON, body=json.dumps(refused).encode()))
    assert facts.error is not None
    assert facts.error["message"] == "broken"


def test_an_error_may_stand_in_the_choice_that_ended_with_it() -> None:
    choice = {"index": 0, "error": {"code": 502, "message": "broken"}, "finish_reason": "error"}
    facts = whole({**CHAT, "choices": [{**choice, "message": {"content": ""}}]})
    assert (facts.error, facts.finish_reasons) == ({"code": 502, "message": "broken"}, ("error",))


def test_a_message_that_repeats_the_pieces_of_its_answer_is_not_read_again() -> None:
    piece = {"id": "c", "choices": [{"index": 0, "delta": {"content": "Hi"}}]}
    again = {"id": "c", "choices": [{"index": 0, "message": {"content": "Hi"}, "finish_reason": "stop"}]}
    facts = streamed(piece, again)
    assert (facts.text, facts.finish_reasons) == ("Hi", ("stop",))
    assert streamed(piece, {**again, "id": "another"}).text == "HiHi"
    read = ItemReader()
    assert [chunk.text for item in (piece, again) for chunk in read(item)] == ["Hi", ""]


@pytest.mark.parametrize(
    ("path", "body", "protocol"),
    [
        ("/v1/models", {"data": []}, "models"),
        ("/v1/models", {"data": [{"id": "m", "pricing": {}}]}, "models"),
        ("/v1/files", {"data": []}, GENERIC),
        ("/v1/chat/completions", {"text": "Hi"}, GENERIC),
    ],
)
def test_what_a_listing_does_not_say_its_address_does(path: str, body: Any, protocol: str) -> None:
    answer = Response(status=200, headers=JSON, body=json.dumps(body).encode())
    request = Request(method="GET", uri=f"https://api.example.com{path}")
    assert read_answer(Interaction(request=request, response=answer)).protocol == protocol


def test_an_error_that_is_only_marked_as_one_has_its_message() -> None:
    assert whole({"error": True, "message": "broken"}).error == {"error": True, "message": "broken"}
    assert whole({"error": False, "message": "fine"}).error is None


def test_an_event_of_another_api_in_an_object_of_openai_s_sdk_is_of_no_known_api() -> None:
    empty = {"id": None, "choices": None, "created": None, "model": None, "object": None, "usage": None}
    reader = StreamReader(BUILT_IN)
    reader({**empty, "value": "Sure"})
    assert not reader.claimed
    reader({**empty, "choices": [], "usage": {"total_tokens": 3}})
    assert list(reader.claimed) == ["openai-chat"]
