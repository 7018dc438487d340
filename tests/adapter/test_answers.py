"""What is no answer never ends as an empty one: it is an error with the provider's words, or the text."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import Any

import pytest

from llm_adapter import Adapter, Category, LLMStreamResponse, RequestFailedError
from llm_adapter.backends.stream_reader import EventReader
from llm_adapter.failures import describe, in_band
from tests.adapter.conftest import MakeAdapter
from tests.adapter.provider import DONE, USAGE, End, Provider, Reply, answer, chunk, event

Ask = Callable[..., list[str]]
C = Category
JSON = {"content-type": "application/json"}
HTML = {"content-type": "text/html;charset=UTF-8"}
ROLE = chunk("", role="assistant")
STOP = chunk(finish="stop")
PAGE = b"<!doctype html><html><body>Request blocked by gateway policy 17.</body></html>\n"
COMPLETION = {
    "id": "cmpl-7",
    "object": "chat.completion",
    "created": 1,
    "model": "served-1",
    "choices": [{"index": 0, "message": {"role": "assistant", "content": "All."}, "finish_reason": "stop"}],
}


def plain(*pieces: bytes, **headers: str) -> Reply:
    """Bytes as they are."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return Reply(pieces=pieces, headers=named or {"content-type": "text/event-stream"})


def unframed(*events: bytes) -> bytes:
    """The data of events, a line each."""
    return b"".join(e.removeprefix(b"data: ").removesuffix(b"\n") for e in events)


def failed(adapter: Adapter, model: str = "gpt-4o") -> tuple[list[str], RequestFailedError]:
    """The pieces before the failure, and the failure."""
    pieces: list[str] = []
    with pytest.raises(RequestFailedError) as caught:
        pieces.extend(piece.result for piece in adapter.invoke_llm(None, "u", None, model, "hi"))
    return pieces, caught.value


REFUSED = (ROLE, chunk(refusal="I can"), chunk(refusal="not."), STOP, DONE)
NAMED = b'event: error\ndata: {"code":400,"details":"Requested sample logprobs of 21"}\n\n'
FIELD = b'error: {"code":500,"message":"context shift is off","type":"server_error"}\n\n'
VLLM = event({"error": {"message": "not multimodal", "type": "BadRequestError", "code": 400}})
ROUTER = event({"id": "1", "error": {"code": 429, "message": "Worker limit reached"}, "choices": []})
LISTED = event({"error": [{"message": "bad thing", "code": 503}]})
UNFRAMED = b'{"error":{"message":"model failed to load","type":"server_error","code":500}}'
BROKE = b'{"base_resp": {"status_code": 1008, "status_msg": "insufficient balance"}}'

NO_ANSWERS = {
    "page": (Reply(pieces=(PAGE,), headers=HTML), C.PROTOCOL, "Request blocked by gateway policy 17."),
    "page-as-stream": (plain(PAGE), C.PROTOCOL, "Request blocked by gateway policy 17."),
    "json-without-answer": (Reply(pieces=(b'{"hello": 1}',), headers=JSON), C.PROTOCOL, '{"hello": 1}'),
    "json-string": (Reply(pieces=(b'"come back later"',), headers=JSON), C.PROTOCOL, "come back later"),
    "no-content": (Reply(status=204, headers={}), C.PROTOCOL, "an empty body (HTTP 204, no content type)"),
    "empty": (Reply(headers={}), C.PROTOCOL, "an empty body (HTTP 200, no content type)"),
    "empty-stream": (plain(), C.PROTOCOL, "an empty body (HTTP 200, text/event-stream)"),
    "only-comments": (plain(b": a\n\n: b\n\n"), C.PROTOCOL, "an empty body (HTTP 200, text/event-stream)"),
    "only-done": (plain(DONE), C.PROTOCOL, None),
    "only-role": (plain(ROLE, DONE), C.PROTOCOL, None),
    "unframed-error": (plain(UNFRAMED), C.SERVER, "model failed to load"),
    "base-resp": (Reply(pieces=(BROKE,), headers=JSON), C.QUOTA, "insufficient balance"),
    "code-only": (plain(event({"code": 429}), DONE), C.RATE_LIMIT, None),
    "vllm-envelope": (plain(VLLM, DONE), C.BAD_REQUEST, "not multimodal"),
    "midstream-429": (plain(ROLE, ROUTER, DONE), C.RATE_LIMIT, "Worker limit reached"),
    "error-event": (plain(ROLE, NAMED, DONE), C.BAD_REQUEST, "Requested sample logprobs of 21"),
    "error-event-text": (plain(ROLE, b"event: error\ndata: out of memory\n\n"), C.SERVER, "out of memory"),
    "error-event-cut": (plain(ROLE, b"event: error\ndata: out of memory"), C.SERVER, "out of memory"),
    "error-event-named-last": (
        plain(ROLE, b'data: {"message": "out of memory"}\nevent: error\n\n'),
        C.SERVER,
        "out of memory",
    ),
    "string-as-event": (plain(event('"come back later"'), DONE), C.PROTOCOL, "come back later"),
    "refusal": (plain(*REFUSED), C.CONTENT_POLICY, "I cannot."),
    "code-and-status": (plain(event({"status": 429, "message": "slow down"})), C.RATE_LIMIT, "slow down"),
    "problem": (plain(event({"status": 503, "title": "Model loading"})), C.OVERLOADED, "Model loading"),
    "list-of-errors": (
        plain(event({"errors": [{"message": "bad model", "code": 404}]})),
        C.NOT_FOUND,
        "bad model",
    ),
    "typed-error": (plain(event({"type": "error", "message": "kaputt"})), C.SERVER, "kaputt"),
    "no-success": (plain(event({"success": False, "msg": "token expired"})), C.SERVER, "token expired"),
    "another-word-for-error": (
        plain(ROLE, NAMED.replace(b"error", b"Exception", 1)),
        C.BAD_REQUEST,
        "logprobs",
    ),
    "only-a-type": (plain(event({"error": {"type": "rate_limit_error"}}), DONE), C.RATE_LIMIT, None),
    "error-is-true": (
        plain(event({"error": True, "message": "not yours", "code": 403})),
        C.PERMISSION,
        "not",
    ),
    "error-is-a-number": (plain(event({"error": 429}), DONE), C.RATE_LIMIT, None),
    "http-status": (plain(event({"error": {"message": "slow", "http_status": 429}})), C.RATE_LIMIT, "slow"),
    "strange-event": (plain(event({"message": "Unauthorized"}), DONE), C.PROTOCOL, "Unauthorized"),
    "page-after-the-role": (plain(ROLE, PAGE), C.PROTOCOL, "Request blocked by gateway policy 17."),
    "unframed-after-the-role": (plain(ROLE, UNFRAMED), C.SERVER, "model failed to load"),
    "empty-and-filtered": (plain(ROLE, chunk(finish="content_filter"), DONE), C.CONTENT_POLICY, None),
    "empty-and-unsafe": (plain(ROLE, chunk(finish="SAFETY"), DONE), C.CONTENT_POLICY, None),
    "empty-and-out-of-resources": (
        plain(ROLE, chunk(finish="insufficient_system_resource"), DONE),
        C.OVERLOADED,
        None,
    ),
    "empty-and-error": (plain(ROLE, chunk(finish="error"), DONE), C.SERVER, None),
    "empty-and-aborted": (plain(ROLE, chunk(finish="abort"), DONE), C.SERVER, None),
}


@pytest.mark.parametrize(("reply", "category", "words"), NO_ANSWERS.values(), ids=list(NO_ANSWERS))
def test_no_answer_is_an_error_with_the_provider_s_words(
    adapter: Adapter, provider: Provider, reply: Reply, category: Category, words: str | None
) -> None:
    provider.say(reply)
    pieces, error = failed(adapter)
    assert (pieces, error.category) == ([], category)
    assert words is None or words in str(error.provider_message)
    assert error.attempts == len(provider.asked) == 1


BROKEN_OFF = {"code": 502, "message": "Provider disconnected"}
FAILED_CHOICE = {"index": 0, "delta": {"content": ""}, "finish_reason": "error", "error": BROKEN_OFF}
SENSITIVE = {"status_code": 1027, "status_msg": "output sensitive"}
LAST = {
    "error-field": (FIELD, C.SERVER, "context shift is off"),
    "error-list": (LISTED, C.OVERLOADED, "bad thing"),
    "unframed": (UNFRAMED, C.SERVER, "model failed to load"),
    "page-in-the-place-of-the-end": (PAGE, C.PROTOCOL, PAGE.decode().strip()),
    "failed-choice": (event({"id": "1", "choices": [FAILED_CHOICE]}), C.SERVER, "Provider disconnected"),
    "base-resp-beside-a-choice": (
        event(
            {
                "id": "1",
                "choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}],
                "base_resp": SENSITIVE,
            }
        ),
        C.CONTENT_POLICY,
        "output sensitive",
    ),
}


@pytest.mark.parametrize(("last", "category", "words"), LAST.values(), ids=list(LAST))
def test_an_error_after_some_text(
    adapter: Adapter, provider: Provider, last: bytes, category: Category, words: str | None
) -> None:
    provider.say(plain(ROLE, chunk("Part"), last, *(() if last in {PAGE, UNFRAMED} else (DONE,))))
    pieces, error = failed(adapter)
    assert (pieces, error.category, error.provider_message) == (["Part"], category, words)


JSON_LINES = {"content-type": "application/x-ndjson"}


@pytest.mark.parametrize(
    ("last", "category", "words"),
    [
        (b'{"error": {"message": "boom", "code": 503}}', C.OVERLOADED, "boom"),
        (b'{"choi', C.PROTOCOL, '{"choi'),
    ],
    ids=["error", "cut"],
)
def test_json_lines_that_end_badly_are_given_up_to_there(
    adapter: Adapter, provider: Provider, last: bytes, category: Category, words: str
) -> None:
    provider.say(Reply(pieces=(unframed(chunk("Part")), last), headers=JSON_LINES))
    pieces, error = failed(adapter)
    assert (pieces, error.category, error.provider_message) == (["Part"], category, words)


def test_text_outside_of_events_does_not_spoil_an_answer_that_is_whole(ask: Ask, provider: Provider) -> None:
    provider.say(plain(ROLE, chunk("All"), STOP, b"upstream closed\n\n"))
    assert ask() == ["All"]


TOKEN = Reply(
    pieces=(b'{"access_token": "t", "expires_in": 9000}',), headers=JSON
)  # pragma: allowlist secret


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "dify", "ERNIE-4.0-8K"])
@pytest.mark.parametrize("words", ["{}", '"come back later"', "<html>closed</html>"])
def test_other_protocols_tell_the_words_as_well(
    make_adapter: MakeAdapter, provider: Provider, model: str, words: str
) -> None:
    token = (TOKEN,) if model.startswith("ERNIE") else ()
    provider.say(*token, Reply(pieces=(words.encode(),), headers=JSON))
    pieces, error = failed(make_adapter(), model)
    assert (pieces, error.category, error.provider_message) == ([], C.PROTOCOL, words)


@pytest.mark.parametrize("model", ["gemini-2.5-flash", "dify", "ERNIE-4.0-8K"])
@pytest.mark.parametrize(
    ("body", "category", "words"),
    [
        (event({"code": 429}), C.RATE_LIMIT, None),
        (NAMED, C.BAD_REQUEST, "Requested sample logprobs of 21"),
        (b"event: error\ndata: out of memory\n\n", C.SERVER, "out of memory"),
        (event(json.loads(BROKE)), C.QUOTA, "insufficient balance"),
        (event({"error": {"message": "slow", "code": 429}}), C.RATE_LIMIT, "slow"),
        (b'{"error": {"message": "slow", "code": 429}}', C.RATE_LIMIT, "slow"),
        (b'[{"error": {"message": "no model", "code": 404}}]', C.NOT_FOUND, "no model"),
        (b'{"errors": [{"message": "no model", "code": 404}]}', C.NOT_FOUND, "no model"),
        (event({"error": "overloaded"}), C.OVERLOADED, "overloaded"),
    ],
    ids=["code", "named", "text", "base-resp", "envelope", "document", "list", "errors", "word"],
)
def test_a_gateway_s_errors_are_read_before_other_protocols_too(
    make_adapter: MakeAdapter,
    provider: Provider,
    model: str,
    body: bytes,
    category: Category,
    words: str | None,
) -> None:
    provider.say(*((TOKEN,) if model.startswith("ERNIE") else ()), plain(body))
    pieces, error = failed(make_adapter(), model)
    assert (pieces, error.category, error.provider_message) == ([], category, words)


def test_bytes_of_no_text_are_not_shown_as_words(make_adapter: MakeAdapter, provider: Provider) -> None:
    provider.say(plain(b"\x1f\x8b\x08\x00\xff\xfe", content_encoding="x-unknown"))
    words = "6 bytes that are not text (content encoding: x-unknown)"
    assert failed(make_adapter())[1].provider_message == words


def test_a_redirect_to_a_login_page_is_an_error(adapter: Adapter, provider: Provider) -> None:
    login = Reply(status=302, headers={"location": "/login"})
    provider.say(login, Reply(pieces=(b"<p>Please log in</p>",), headers=HTML))
    assert failed(adapter)[1].category is C.PROTOCOL


LINES = unframed(ROLE, chunk("Hel"), chunk("lo"), STOP)
ANSWERS = {
    "completion": (Reply(pieces=(json.dumps(COMPLETION).encode(),), headers=JSON), ["All."]),
    "indented": (Reply(pieces=(json.dumps(COMPLETION, indent=1).encode(),), headers=JSON), ["All."]),
    "completion-as-event": (plain(event(COMPLETION), DONE), ["All."]),
    "json-lines": (plain(LINES, content_type="application/x-ndjson"), ["Hel", "lo"]),
    "json-lines-with-an-end": (
        plain(
            unframed(chunk("Hel")),
            unframed(chunk("lo")),
            b"[DONE]\n",
            content_type="application/x-ndjson",
        ),
        ["Hel", "lo"],
    ),
    "sse-under-json": (Reply(pieces=(chunk("a"), chunk("b"), STOP, DONE), headers=JSON), ["a", "b"]),
    "control-only-after-text": (plain(chunk("a"), b": ping\n\n", chunk("b"), STOP, DONE), ["a", "b"]),
    "all-is-well-first": (plain(event({"code": 200, "msg": "ok"}), chunk("a"), STOP, DONE), ["a"]),
    "all-is-well-in-words": (plain(event({"code": "0", "message": "Success"}), chunk("a"), DONE), ["a"]),
    "empty-but-ended": (plain(ROLE, STOP, DONE), []),
    "empty-at-the-limit": (plain(ROLE, chunk(finish="length"), DONE), []),
    "before-chats": (
        plain(event({"choices": [{"index": 0, "text": "All.", "finish_reason": "stop"}]})),
        ["All."],
    ),
    "a-number-for-a-reason": (
        plain(event({"choices": [{"delta": {"content": "a"}, "finish_reason": 1}]})),
        ["a"],
    ),
    "tool-calls": (plain(chunk(tool_calls=[{"index": 0, "function": {"name": "f"}}]), DONE), []),
}


@pytest.mark.parametrize(("reply", "texts"), ANSWERS.values(), ids=list(ANSWERS))
def test_an_answer_in_another_form_is_an_answer(
    ask: Ask, provider: Provider, reply: Reply, texts: list[str]
) -> None:
    provider.say(reply)
    assert ask() == texts


def test_events_under_a_json_type_are_handed_on_as_they_come(adapter: Adapter, provider: Provider) -> None:
    provider.say(Reply(pieces=(ROLE, chunk("now")), headers=JSON, end=End.STALL))
    stream = adapter.invoke_llm(None, "u", None, "gpt-4o", "hi", timeout=5)
    assert next(stream).result == "now"
    stream.close()


HEARTBEATS = {
    "bare-data": (ROLE, chunk("One"), b"data:\n\n", chunk(" two"), STOP, DONE),
    "bare-data-crlf": (ROLE, chunk("One"), b"data: \r\n\r\n", chunk(" two"), STOP, DONE),
    "retry-first": (b"retry: 1000\n\n", ROLE, chunk("One"), chunk(" two"), STOP, DONE),
    "id-first": (b"id: 7\n\n", ROLE, chunk("One"), chunk(" two"), STOP, DONE),
    "event-alone": (b"event: ping\n\n", ROLE, chunk("One"), chunk(" two"), STOP, DONE),
    "ping": (b'event: ping\ndata: {"type": "ping"}\n\n', chunk("One"), chunk(" two"), STOP, DONE),
    "ping-in-a-word": (
        b"event: ping\ndata: .\n\n",
        b"data: [PING]\n\n",
        chunk("One"),
        chunk(" two"),
        STOP,
        DONE,
    ),
    "keep-alive": (chunk("One"), b"data: keep-alive\n\n", chunk(" two"), STOP, DONE),
    "bom": (b"\xef\xbb\xbf" + chunk("One"), chunk(" two"), STOP, DONE),
    "bom-within": (chunk("One"), b"\xef\xbb\xbf" + chunk(" two"), STOP, DONE),
    "bom-in-parts": (b"\xef", b"\xbb", b"\xbf" + chunk("One"), chunk(" two"), STOP, DONE),
}


@pytest.mark.parametrize("pieces", HEARTBEATS.values(), ids=list(HEARTBEATS))
def test_what_says_nothing_is_passed_over(
    make_adapter: MakeAdapter, provider: Provider, pieces: tuple[bytes, ...]
) -> None:
    """The SDK that the legacy path reads with loses the text after a BOM and fails on the others."""
    provider.say(plain(*pieces))
    texts = [piece.result for piece in make_adapter().invoke_llm(None, "u", None, "gpt-4o", "hi")]
    assert texts == ["One", " two"]
    assert len(provider.asked) == 1


@pytest.mark.parametrize("pieces", HEARTBEATS.values(), ids=list(HEARTBEATS))
def test_our_own_reader_passes_over_the_same(pieces: tuple[bytes, ...]) -> None:
    reader = EventReader(read=lambda item: (item,), own=frozenset(), response=SimpleNamespace(request=None))
    found: list[Any] = [item for piece in pieces for item in reader.feed(piece)]
    found += reader.end()
    texts = [part["delta"].get("content") for item in found for part in item.get("choices", ())]
    assert [text for text in texts if text] == ["One", " two"]


def of_choice(index: int, text: str) -> bytes:
    choice = {"index": index, "delta": {"content": text}, "finish_reason": None}
    return event({"id": "1", "choices": [choice]})


def test_of_several_answers_the_first_is_given(adapter: Adapter, provider: Provider) -> None:
    texts = (of_choice(0, "AAA"), of_choice(1, "BBB"), of_choice(0, " aaa"), of_choice(1, " bbb"))
    provider.say(plain(*texts, STOP, DONE))
    pieces = adapter.invoke_llm(None, "u", None, "gpt-4o", "hi", n=2)
    assert [piece.result for piece in pieces] == ["AAA", " aaa"]


def test_the_only_answer_may_have_any_index(ask: Ask, provider: Provider) -> None:
    provider.say(plain(of_choice(1, "Hel"), of_choice(1, "lo"), STOP, DONE))
    assert ask() == ["Hel", "lo"]


@dataclass(slots=True)
class Observed:
    """A span that notes what its generation is told."""

    told: dict[str, Any] = field(default_factory=dict)

    def start_observation(self, **_: Any) -> Observed:
        return self

    def update(self, **values: Any) -> None:
        self.told.update(values)

    def end(self) -> None:
        """It is told all before."""


DETAILED = {
    **USAGE,
    "prompt_tokens_details": {"cached_tokens": 5},
    "completion_tokens_details": {"reasoning_tokens": 3},
}
ALL = {"input": 11, "output": 7, "total": 40}
TOTALS = {
    "details-clobbered": (
        [chunk("a", finish="stop", usage=DETAILED), chunk(usage=USAGE)],
        {**ALL, "input_cached_tokens": 5, "output_reasoning_tokens": 3},
    ),
    "split": (
        [
            chunk("a", usage={"prompt_tokens": 11}),
            chunk(finish="stop", usage={"completion_tokens": 7, "total_tokens": 40}),
        ],
        ALL,
    ),
    "fractions": (
        [chunk("a"), chunk(usage={"prompt_tokens": 11.0, "completion_tokens": 7.5, "total_tokens": 18.5})],
        {"input": 11, "output": 7.5, "total": 18.5},
    ),
    "then-zeros": (
        [
            chunk("a", finish="stop", usage=DETAILED),
            chunk(
                usage={"prompt_tokens": 0, "total_tokens": 0, "prompt_tokens_details": {"cached_tokens": 0}}
            ),
        ],
        {**ALL, "input_cached_tokens": 5, "output_reasoning_tokens": 3},
    ),
    "in-text": ([chunk("a"), chunk(usage={name: str(count) for name, count in USAGE.items()})], ALL),
    "other-names-of-details": (
        [
            chunk("a"),
            chunk(
                usage={
                    **USAGE,
                    "input_tokens_details": {"cached_tokens": 5},
                    "output_tokens_details": {"reasoning_tokens": 3},
                }
            ),
        ],
        {**ALL, "input_cached_tokens": 5, "output_reasoning_tokens": 3},
    ),
    "groq": (
        [
            chunk("a"),
            event({"id": "1", "choices": [{"index": 0, "delta": {}}], "x_groq": {"usage": DETAILED}}),
        ],
        {**ALL, "input_cached_tokens": 5, "output_reasoning_tokens": 3},
    ),
    "anthropic-counts-the-cache-apart": (
        [
            chunk(
                "a",
                usage={
                    "input_tokens": 4,
                    "cache_read_input_tokens": 5,
                    "cache_creation_input_tokens": 2,
                },
            ),
            chunk(finish="stop", usage={"output_tokens": 7, "total_tokens": 40}),
        ],
        {**ALL, "input_cached_tokens": 5},
    ),
    "a-gateway-that-counts-it-in": (
        [chunk("a"), chunk(usage={**USAGE, "cache_read_input_tokens": 5})],
        {**ALL, "input_cached_tokens": 5},
    ),
    "moonshot": ([chunk("a"), chunk(usage={**USAGE, "cached_tokens": 5})], {**ALL, "input_cached_tokens": 5}),
    "counting-up": (
        [chunk("a", usage={**USAGE, "completion_tokens": 1}), chunk("b", usage=USAGE)],
        ALL,
    ),
}


@pytest.mark.parametrize(("pieces", "totals"), TOTALS.values(), ids=list(TOTALS))
def test_totals_are_put_together(
    adapter: Adapter, provider: Provider, pieces: list[bytes], totals: dict[str, float]
) -> None:
    provider.say(plain(*pieces, DONE))
    span = Observed()
    list(adapter.invoke_llm(None, "u", span, "gpt-4o", "hi"))
    cached, thoughts = (totals.get(name, 0) for name in ("input_cached_tokens", "output_reasoning_tokens"))
    assert span.told["usage_details"] == {
        **totals,
        "input": totals["input"] - cached,
        "output": totals["output"] - thoughts,
    }
    assert isinstance(span.told["usage_details"]["total"], type(totals["total"]))


def test_half_a_surrogate_does_not_cost_the_telemetry(adapter: Adapter, provider: Provider) -> None:
    half = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"ok \\udcaf \\ud83d"}}]}\n\n'
    rest = b'data: {"id":"1","choices":[{"index":0,"delta":{"content":"\\ude00 end"}}]}\n\n'
    provider.say(plain(half, rest, STOP, DONE))
    span = Observed()
    pieces: Iterator[LLMStreamResponse] = adapter.invoke_llm(None, "u", span, "gpt-4o", "hi")
    assert [piece.result for piece in pieces] == ["ok \udcaf \ud83d", "\ude00 end"]
    assert span.told["output"] == "ok \N{REPLACEMENT CHARACTER} \N{GRINNING FACE} end"


@pytest.mark.parametrize(
    "reply",
    [
        plain(event("{oops"), DONE),
        plain(b"\xff\xfe\xfd", content_type="text/event-stream", content_encoding="gzip"),
        plain(b"\x1f\x8b\x08\xff", content_type="text/event-stream", content_encoding="x-gzip"),
    ],
    ids=["broken-json", "mislabelled-coding", "unknown-coding"],
)
def test_what_will_fail_again_is_not_asked_for_twice(
    make_adapter: MakeAdapter, provider: Provider, reply: Reply
) -> None:
    provider.say(reply, answer("a"))
    assert failed(make_adapter())[1].category is C.PROTOCOL
    assert len(provider.asked) == 1


@pytest.mark.parametrize(
    ("error", "category"),
    [
        ({"code": 429, "message": "m"}, C.RATE_LIMIT),
        ({"code": "503", "message": "m"}, C.OVERLOADED),
        ({"code": 400, "message": "m"}, C.BAD_REQUEST),
        ({"code": 500, "type": "server_error", "message": "m"}, C.SERVER),
        ({"code": 429, "type": "server_error", "message": "m"}, C.RATE_LIMIT),
        ({"type": "rate_limit_error", "message": "m"}, C.RATE_LIMIT),
        ({"type": "overloaded_error", "message": "Overloaded"}, C.OVERLOADED),
        ({"type": "BadRequestError", "message": "m"}, C.BAD_REQUEST),
        ({"code": "too_many_requests", "message": "m"}, C.RATE_LIMIT),
        ({"type": "Service Unavailable", "message": "m"}, C.OVERLOADED),
        ({"type": "invalid_request_error", "message": "maximum context length is 8"}, C.CONTEXT_LENGTH),
        ({"type": "api_error", "message": "m"}, C.SERVER),
        # Amazon Bedrock's exceptions, as its documentation lists them, in the spelling of gateways as well.
        ({"type": "ThrottlingException", "message": "m"}, C.RATE_LIMIT),
        ({"code": "throttling_exception", "message": "m"}, C.RATE_LIMIT),
        ({"type": "ServiceUnavailableException", "message": "m"}, C.OVERLOADED),
        ({"type": "AccessDeniedException", "message": "m"}, C.PERMISSION),
        ({"type": "ValidationException", "message": "m"}, C.BAD_REQUEST),
        ({"type": "ResourceNotFoundException", "message": "m"}, C.NOT_FOUND),
        ({"type": "ModelTimeoutException", "message": "m"}, C.TIMEOUT),
        ({"type": "ServiceQuotaExceededException", "message": "m"}, C.QUOTA),
        ({"type": "InternalServerException", "message": "m"}, C.SERVER),
        # The openai SDK's names, and words of gateways.
        ({"type": "UnprocessableEntityError", "message": "m"}, C.BAD_REQUEST),
        ({"type": "APITimeoutError", "message": "m"}, C.TIMEOUT),
        ({"code": "server_overloaded", "message": "m"}, C.OVERLOADED),
        ({"code": "rate-limit-exceeded", "message": "m"}, C.RATE_LIMIT),
        ({"code": 429.0, "message": "m"}, C.RATE_LIMIT),
        ({"code": 1234567, "message": "m"}, C.SERVER),
        ("rate_limit_exceeded", C.RATE_LIMIT),
        ("invalid_api_key", C.AUTHENTICATION),
        ("overloaded", C.OVERLOADED),
        ("Too Many Requests", C.RATE_LIMIT),
        ("something went wrong", C.SERVER),
    ],
)
def test_the_category_of_an_error_in_band(error: Any, category: Category) -> None:
    found = in_band({"error": error})
    assert found is not None
    assert describe(found).category is category
