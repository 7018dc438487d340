"""What the caller and the usage hook get to know of a call besides its pieces."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from types import SimpleNamespace
from typing import Any, NoReturn

import pytest

from llm_adapter import (
    Adapter,
    CallRecord,
    Clients,
    LLMError,
    ModelNotSupportedError,
    Outcome,
    RequestFailedError,
    ToolCall,
    Usage,
    adapter_from,
)
from llm_adapter import (
    Provider as Row,
)
from tests.adapter.conftest import environ_for
from tests.adapter.provider import DONE, KEY, USAGE, End, Provider, Reply, answer, chunk, event, refusal

HISTORY = [{"role": "user", "content": "hi"}]
DETAILS = {
    **USAGE,
    "prompt_tokens_details": {"cached_tokens": 4},
    "completion_tokens_details": {"reasoning_tokens": 5},
}

HALF = '{"id": "1", "choices": [{"index": 0, "delta": {"content": "%s%s"}}]}'

Make = Callable[..., Adapter]


@pytest.fixture
def records() -> list[CallRecord]:
    return []


@pytest.fixture(params=["legacy", "litellm"])
def adapter(
    request: pytest.FixtureRequest, provider: Provider, records: list[CallRecord]
) -> Iterator[Adapter]:
    environ = environ_for(provider, LLM_BACKEND=request.param)
    with closing(adapter_from(environ, on_usage=records.append)) as made:
        yield made


def test_a_record_tells_what_the_pieces_cannot(
    adapter: Adapter, provider: Provider, records: list[CallRecord]
) -> None:
    thought = chunk(reasoning_content="hm")
    said = answer("Hel", "lo", usage=DETAILS, finish="length").pieces
    headers = {"content-type": "text/event-stream", "x-request-id": "req-7"}
    provider.say(Reply(pieces=(thought, *said), headers=headers))
    own: dict[str, Any] = {"usage_context": object(), "billable": 1}
    stream = adapter.invoke_llm(None, "user-7", None, " ernie/e ", "hi", temperature="0.5", **own)
    assert (stream.record.outcome, stream.record.latency_s) == (Outcome.RUNNING, 0.0)
    list(stream)
    (record,) = records
    assert stream.record == record
    assert record.usage == Usage(input=11, cached=4, output=7, reasoning=5, total=40)
    assert (record.text, record.reasoning, record.refusal, record.tool_calls) == ("Hello", "hm", "", ())
    assert (record.finish_reason, record.is_truncated) == ("length", True)
    assert (record.requested_model, record.model, record.provider) == ("ernie/e", "served-1", "ernie_v2")
    assert (record.response_id, record.request_id, record.attempts) == ("chatcmpl-1", "req-7", 1)
    assert (record.function, record.user_id, record.generation_name) == ("invoke_llm", "user-7", "invoke_llm")
    assert (record.own, record.params["temperature"]) == (own, 0.5)
    assert (record.outcome, record.error) == (Outcome.FINISHED, None)
    assert record.first_token_s is not None
    assert 0 < record.first_token_s <= record.latency_s


WIRE = {
    "prompt_tokens": 11,
    "completion_tokens": 7,
    "total_tokens": 40,
    "prompt_tokens_details": {"cached_tokens": 4, "audio_tokens": 2, "cache_write_tokens": None},
    "completion_tokens_details": {"reasoning_tokens": 5, "rejected_prediction_tokens": 1},
    "cost": 0.25,
    "cost_currency": "USD",
}


def test_all_that_was_counted_is_in_the_details(adapter: Adapter, provider: Provider) -> None:
    """Also what another, poorer usage object leaves out or has zeros for."""
    later = chunk(usage={"completion_tokens": 8, "prompt_tokens_details": {"audio_tokens": 0}})
    provider.say(Reply(pieces=(chunk("a", usage=WIRE), chunk(finish="stop"), later, DONE)))
    stream = adapter.invoke_llm(None, "u", None, "gpt-4o", "hi")
    list(stream)
    usage = stream.record.usage
    assert usage == Usage(input=11, cached=4, output=8, reasoning=5, total=40)
    assert usage.details == {
        "prompt_tokens": 11,
        "completion_tokens": 8,
        "total_tokens": 40,
        "prompt_tokens_details.cached_tokens": 4,
        "prompt_tokens_details.audio_tokens": 2,
        "completion_tokens_details.reasoning_tokens": 5,
        "completion_tokens_details.rejected_prediction_tokens": 1,
        "cost": 0.25,
    }


def test_a_stream_returns_its_record(adapter: Adapter, provider: Provider) -> None:
    provider.say(answer("Hel", "lo", usage=USAGE))

    def relayed() -> Generator[Any, None, None]:
        yield (yield from adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))

    *_, record = relayed()
    assert (record.text, record.usage.total) == ("Hello", 40)


def test_half_a_surrogate_costs_no_meter_its_row(
    adapter: Adapter, provider: Provider, records: list[CallRecord]
) -> None:
    provider.say(Reply(pieces=(event(HALF % ("x", r"\udcaf")), chunk(finish="stop"), DONE)))
    list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))
    assert records[0].text == "x\N{REPLACEMENT CHARACTER}"
    provider.say(Reply(pieces=(event(r'{"error": {"message": "no \ud83d", "code": 429}}'),)))
    with pytest.raises(RequestFailedError, match="no \N{REPLACEMENT CHARACTER}"):
        list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))


def test_a_parameter_that_is_not_json_is_named_and_nobody_was_asked(
    adapter: Adapter, provider: Provider
) -> None:
    with pytest.raises(RequestFailedError, match="not JSON: metadata") as caught:
        list(adapter.chat_llm(None, "u", None, "gpt-4o", HISTORY, metadata={"a": object()}))
    assert (caught.value.attempts, provider.asked) == (None, [])


def test_tool_calls_are_put_together(adapter: Adapter, provider: Provider) -> None:
    def part(index: int, arguments: str, **more: Any) -> bytes:
        name = more.pop("name", None)
        function = {"arguments": arguments, **({"name": name} if name else {})}
        return chunk(tool_calls=[{"index": index, "function": function, **more}])

    pieces = (
        part(0, "", id="a", type="function", name="add"),
        part(1, "{", id="b", type="function", name="sub"),
        part(0, '{"x"'),
        part(0, ": 1}"),
        part(1, "}"),
        chunk(finish="tool_calls"),
    )
    provider.say(Reply(pieces=(*pieces, DONE)))
    tool = {"type": "function", "function": {"name": "add", "parameters": {}}}
    stream = adapter.chat_llm(None, "u", None, "gpt-4o", HISTORY, tools=[tool])
    assert list(stream) == []
    assert stream.record.finish_reason == "tool_calls"
    assert stream.record.tool_calls == (
        ToolCall(id="a", name="add", arguments='{"x": 1}'),
        ToolCall(id="b", name="sub", arguments="{}"),
    )


def test_calls_that_a_gateway_gives_the_same_index_are_told_apart_by_their_ids(
    adapter: Adapter, provider: Provider
) -> None:
    calls = [{"index": 0, "id": name, "function": {"name": name, "arguments": "{}"}} for name in ("a", "b")]
    provider.say(Reply(pieces=(*(chunk(tool_calls=[call]) for call in calls), DONE)))
    stream = adapter.chat_llm(None, "u", None, "gpt-4o", HISTORY)
    list(stream)
    assert [call.name for call in stream.record.tool_calls] == ["a", "b"]


def test_a_refusal_is_told_in_the_model_s_words(
    adapter: Adapter, provider: Provider, records: list[CallRecord]
) -> None:
    provider.say(Reply(pieces=(chunk(refusal="I "), chunk(refusal="won't"), chunk(finish="stop"), DONE)))
    with pytest.raises(RequestFailedError):
        list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))
    assert [record.refusal for record in records] == ["I won't"]


def leave_early(adapter: Adapter, provider: Provider) -> None:
    provider.say(Reply(pieces=(chunk("Hel", usage=USAGE),), end=End.STALL))
    next(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))  # and forget it


def be_refused(adapter: Adapter, provider: Provider) -> None:
    provider.say(refusal(503))
    list(adapter.chat_llm(None, "u", None, "gpt-4o", HISTORY))


def break_off(adapter: Adapter, provider: Provider) -> None:
    provider.say(Reply(pieces=(chunk("Hel"),), end=End.CUT))
    list(adapter.chat_llm(None, "u", None, "gpt-4o", HISTORY))


def ask_nobody(adapter: Adapter, provider: Provider) -> None:
    list(adapter.invoke_llm(None, "u", None, "claude-9", "hi"))


def ask_wrongly(adapter: Adapter, provider: Provider) -> None:
    list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi", temperature="warm"))


ENDS: list[tuple[Callable[[Adapter, Provider], None], dict[str, Any]]] = [
    (leave_early, {"outcome": Outcome.STOPPED, "text": "Hel", "attempts": 1, "category": None}),
    (be_refused, {"outcome": Outcome.FAILED, "text": "", "attempts": 3, "category": "overloaded"}),
    (break_off, {"outcome": Outcome.FAILED, "text": "Hel", "attempts": 1, "category": "connection"}),
    (ask_nobody, {"outcome": Outcome.FAILED, "text": "", "attempts": None, "category": "configuration"}),
    (ask_wrongly, {"outcome": Outcome.FAILED, "text": "", "attempts": None, "category": "bad_request"}),
]


@pytest.mark.parametrize(("end", "expected"), ENDS, ids=[end.__name__ for end, _ in ENDS])
def test_the_hook_is_called_once_whatever_becomes_of_a_call(
    adapter: Adapter,
    provider: Provider,
    records: list[CallRecord],
    end: Callable[[Adapter, Provider], None],
    expected: dict[str, Any],
) -> None:
    with suppress(LLMError):
        end(adapter, provider)
    (record,) = records
    assert {
        "outcome": record.outcome,
        "text": record.text,
        "attempts": record.attempts,
        "category": record.error and record.error.category,
    } == expected


def test_a_stream_that_is_forgotten_before_it_is_advanced_is_no_call(
    adapter: Adapter, records: list[CallRecord]
) -> None:
    adapter.invoke_llm(None, "u", None, "gpt-4o", "hi")
    assert records == []


@pytest.mark.parametrize("way", ["cancel", "close"])
def test_a_call_that_is_ended_before_it_is_begun_is_reported_once_and_asks_nobody(
    adapter: Adapter, provider: Provider, records: list[CallRecord], way: str
) -> None:
    told: list[str] = []
    stream = replace(adapter, tracer=lambda *_, **__: Telling(told)).invoke_llm(None, "u", None, "gpt-4o", "")
    getattr(stream, way)()
    with suppress(RequestFailedError):
        assert list(stream) == []
    stream.close()
    stream.cancel()
    assert [(record.outcome, record.error) for record in records] == [(Outcome.STOPPED, None)]
    assert (told, provider.asked) == (["stop"], [])


@dataclass(slots=True)
class Telling:
    """A recorder that notes by which of its methods a call is ended."""

    told: list[str]

    def see(self, chunk: Any) -> None:
        """Of no interest."""

    def finish(self) -> None:
        self.told.append("finish")

    def stop(self) -> None:
        self.told.append("stop")

    def fail(self, _message: str) -> None:
        self.told.append("fail")


def test_a_history_that_fails_while_it_is_read_reaches_the_caller_and_both_reports(
    adapter: Adapter, records: list[CallRecord]
) -> None:
    def history() -> Iterator[dict[str, str]]:
        yield HISTORY[0]
        raise RuntimeError("no database")

    told: list[str] = []
    stream = replace(adapter, tracer=lambda *_, **__: Telling(told)).chat_llm(
        None, "u", None, "gpt-4o", history()
    )
    with pytest.raises(RuntimeError, match="no database"):
        next(stream)
    assert ([record.outcome for record in records], told) == ([Outcome.STOPPED], ["stop"])


def test_a_hook_that_fails_is_a_warning(adapter: Adapter, caplog: pytest.LogCaptureFixture) -> None:
    def failing(_: CallRecord) -> NoReturn:
        raise OSError(f"no database for {KEY}")

    pieces = list(replace(adapter, on_usage=failing).invoke_llm(None, "u", None, "gpt-4o", "hi"))
    assert "".join(piece.result for piece in pieces) == "Hello"
    assert "the usage hook failed (OSError); the call goes on" in caplog.text
    assert KEY not in caplog.text


def test_a_tracer_that_fails_at_any_moment_is_a_warning(
    adapter: Adapter, caplog: pytest.LogCaptureFixture
) -> None:
    class Failing:
        def see(self, *_: Any) -> NoReturn:
            raise RuntimeError

        finish = stop = fail = see

    def failing(*_: Any, **__: Any) -> NoReturn:
        raise RuntimeError

    for tracer in (failing, lambda *_, **__: Failing()):
        pieces = list(replace(adapter, tracer=tracer).invoke_llm(None, "u", None, "gpt-4o", "hi"))
        assert "".join(piece.result for piece in pieces) == "Hello"
    with pytest.raises(ModelNotSupportedError):
        list(replace(adapter, tracer=lambda *_, **__: Failing()).invoke_llm(None, "u", None, "claude", "hi"))
    assert "telemetry failed (RuntimeError); the call goes on" in caplog.text


# A connection that breaks before the first text


@pytest.mark.parametrize(
    "before",
    [(), (chunk("", role="assistant"),), (chunk("", role="assistant"), chunk(reasoning_content="lost"))],
    ids=["nothing", "a role", "thoughts"],
)
def test_before_the_first_text_a_broken_stream_is_asked_for_once_more(
    provider: Provider, records: list[CallRecord], before: tuple[bytes, ...]
) -> None:
    """What came of the first answer is lost with it."""
    second = Reply(pieces=(chunk(reasoning_content="hm"), *answer("Hello").pieces))
    provider.say(Reply(pieces=before, end=End.CUT), second)
    with closing(adapter_from(environ_for(provider), on_usage=records.append)) as adapter:
        list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))
    (record,) = records
    assert (record.text, record.reasoning, record.attempts) == ("Hello", "hm", 2)


def test_thoughts_before_an_error_that_ends_the_call_are_in_its_record(
    provider: Provider, records: list[CallRecord]
) -> None:
    """Only a broken connection is asked again; any other error makes this answer the last."""
    error = b'event: error\ndata: {"error": {"message": "Tool call validation failed"}}\n\n'
    provider.say(Reply(pieces=(chunk(reasoning_content="hm"), error)))
    with (
        closing(adapter_from(environ_for(provider), on_usage=records.append)) as adapter,
        pytest.raises(RequestFailedError),
    ):
        list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))
    (record,) = records
    assert (record.text, record.reasoning, record.attempts) == ("", "hm", 1)


@pytest.mark.parametrize(
    "seen", [chunk("Hel"), chunk(tool_calls=[{"index": 0, "id": "a", "function": {"name": "f"}}])]
)
def test_after_the_first_text_or_tool_call_it_is_not(provider: Provider, seen: bytes) -> None:
    provider.say(Reply(pieces=(seen,), end=End.CUT), answer("Hello"))
    with closing(adapter_from(environ_for(provider))) as adapter, pytest.raises(RequestFailedError):
        list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))
    assert len(provider.asked) == 1


def test_it_is_not_asked_for_a_third_time(provider: Provider, records: list[CallRecord]) -> None:
    provider.say(Reply(pieces=(chunk("", role="assistant"),), end=End.CUT))
    with (
        closing(adapter_from(environ_for(provider), on_usage=records.append)) as adapter,
        pytest.raises(RequestFailedError) as caught,
    ):
        list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))
    assert (len(provider.asked), caught.value.attempts, records[0].attempts) == (2, 2, 2)


# An adapter of the host's own


class HostError(Exception):
    def __init__(self, message: str, code: int) -> None:
        super().__init__()
        self.message, self.code = message, code


TEXTS = {"server.llm.modelNotSupported": "Model {model} is not supported"}
CODES = {"server.llm.modelNotSupported": 8003}


def raise_error_with_args(name: str, **arguments: Any) -> NoReturn:
    raise HostError(TEXTS.get(name, name).format(**arguments), CODES.get(name, 9999))


def test_the_host_s_function_raises_its_own_errors(provider: Provider) -> None:
    with closing(adapter_from(environ_for(provider), raise_error=raise_error_with_args)) as adapter:
        with pytest.raises(HostError) as caught:
            list(adapter.invoke_llm(SimpleNamespace(), "u", None, "claude", "hi"))
        assert (caught.value.code, caught.value.message) == (8003, "Model claude is not supported")
        assert isinstance(caught.value.__cause__, ModelNotSupportedError)
        provider.say(refusal(400, "too much"))
        with pytest.raises(HostError) as caught:
            list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))
        assert caught.value.message.startswith("Model gpt-4o could not answer: openai failed")
        assert "too much" in caught.value.message


def test_a_host_that_fails_for_want_of_a_translation_is_passed_over(provider: Provider) -> None:
    def untranslated(name: str, **_: Any) -> NoReturn:
        raise KeyError(name)

    adapter = adapter_from(environ_for(provider), raise_error=untranslated)
    with pytest.raises(ModelNotSupportedError) as caught:
        list(adapter.invoke_llm(None, "u", None, "claude", "hi"))
    assert caught.value.user_message == "Model claude is not supported."


def test_settings_are_read_again_for_each_call_from_wherever_the_host_keeps_them(provider: Provider) -> None:
    kept = {"OPENAI_API_KEY": "", "OPENAI_BASE_URL": provider.url}
    with closing(adapter_from(kept.get)) as adapter:
        with pytest.raises(LLMError, match="OPENAI_API_KEY"):
            list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))
        kept["OPENAI_API_KEY"] = KEY
        list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))
    assert provider.asked[-1].headers["authorization"] == f"Bearer {KEY}"


def test_further_providers_and_own_arguments_are_handed_in(
    provider: Provider, records: list[CallRecord]
) -> None:
    row = Row(key="router", base_url=provider.url, key_variables=("ROUTER_KEY",), prefix="router/")
    clients = Clients()
    adapter = adapter_from(
        {"ROUTER_KEY": KEY, "LLM_BACKEND": "litellm"},
        providers=[row],
        own_arguments=["tenant"],
        on_usage=records.append,
        clients=clients,
    )
    with closing(adapter):
        list(adapter.invoke_llm(None, "u", None, "router/meta/llama", "hi", tenant=7))
    assert adapter.clients is clients
    assert (provider.body["model"], provider.asked[-1].headers["authorization"]) == (
        "meta/llama",
        f"Bearer {KEY}",
    )
    assert (records[0].provider, records[0].own) == ("router", {"tenant": 7})


@pytest.mark.parametrize("backend", ["legacy", "litellm"])
def test_one_bad_variable_stops_its_own_provider_alone(provider: Provider, backend: str) -> None:
    environ = environ_for(provider, LLM_BACKEND=backend, QWEN_API_URL="dashscope.aliyuncs.com")
    app = SimpleNamespace(logger=logging.getLogger("app"))
    with closing(adapter_from(environ)) as adapter:
        with pytest.raises(LLMError, match="QWEN_API_URL must begin with https://") as caught:
            list(adapter.invoke_llm(app, "u", None, "qwen/qwen-plus", "hi"))
        assert caught.value.arguments == {"model": "qwen/qwen-plus", "config_var": "QWEN_API_URL"}
        assert [piece.result for piece in adapter.invoke_llm(app, "u", None, "gpt-4o", "hi")] == ["Hel", "lo"]
