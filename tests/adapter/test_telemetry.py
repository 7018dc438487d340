"""What Langfuse is told, by the real SDK: every call that was begun is ended once, whatever becomes of it."""

from __future__ import annotations

import json
import logging
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from llm_adapter import Adapter, ModelNotSupportedError, RequestFailedError
from tests.adapter.conftest import AS_ASKED, MakeAdapter
from tests.adapter.provider import DONE, KEY, USAGE, End, Provider, Reply, answer, chunk, event, refusal

if TYPE_CHECKING:
    from langfuse import Langfuse

PREFIX = "langfuse.observation."


@dataclass(frozen=True, slots=True)
class Told:
    """One finished observation."""

    span: ReadableSpan

    def __getitem__(self, name: str) -> Any:
        value = dict(self.span.attributes or {}).get(PREFIX + name)
        try:
            return json.loads(value) if isinstance(value, str) else value
        except ValueError:
            return value

    @property
    def metadata(self) -> dict[str, Any]:
        """The metadata, each key of which is an attribute of its own."""
        start = PREFIX + "metadata."
        names = [name.removeprefix(start) for name in self.span.attributes or {} if name.startswith(start)]
        return {name: self[f"metadata.{name}"] for name in names}


@dataclass(frozen=True, slots=True)
class Langfused:
    """A Langfuse client whose spans stay in memory."""

    client: Langfuse
    exporter: InMemorySpanExporter

    def generations(self) -> list[Told]:
        """The finished generations since they were last asked for."""
        self.client.flush()
        told = [Told(span) for span in self.exporter.get_finished_spans()]
        self.exporter.clear()
        return [one for one in told if one["type"] == "generation"]


def langfuse(**given: Any) -> Langfuse:
    from langfuse import Langfuse  # half a second, which every worker would pay while it collects

    return Langfuse(**given)


@pytest.fixture(scope="module")
def langfused() -> Iterator[Langfused]:
    exporter = InMemorySpanExporter()
    client = langfuse(
        public_key="pk-memory",
        secret_key="sk-memory",
        base_url="http://127.0.0.1:9",
        tracer_provider=TracerProvider(),
        span_exporter=exporter,
    )
    yield Langfused(client, exporter)
    client.shutdown()


@pytest.fixture
def span(langfused: Langfused) -> Iterator[Any]:
    """The caller's span."""
    with langfused.client.start_as_current_observation(name="lesson") as span:
        yield span
    langfused.exporter.clear()


@pytest.mark.parametrize("backend", ["legacy", "litellm"])
def test_a_good_call_is_told_whole(
    make_adapter: MakeAdapter, provider: Provider, langfused: Langfused, span: Any, backend: str
) -> None:
    details = {
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 5},
    }
    thought = chunk(reasoning_content="hm, ")
    said = answer("Hel", "lo", usage={**USAGE, **details}).pieces
    provider.say(Reply(pieces=(thought, chunk(reasoning_content="so"), *said)))
    adapter = make_adapter(backend, **AS_ASKED)
    list(adapter.invoke_llm(None, "u", span, "gpt-4o", "hi", system="be kind", generation_name="run", seed=7))
    (told,) = langfused.generations()
    assert told.span.name == "run"
    assert told.span.parent is not None
    assert f"{told.span.parent.span_id:016x}" == span.id
    assert told["model.name"] == "gpt-4o"
    assert told["input"] == [{"role": "system", "content": "be kind"}, {"role": "user", "content": "hi"}]
    assert told["output"] == "Hello"
    assert told["usage_details"] == {
        "input": 7,
        "output": 2,
        "total": 40,
        "input_cached_tokens": 4,
        "output_reasoning_tokens": 5,
    }
    assert told.metadata == {
        "temperature": 0.8,
        "seed": 7,
        "stream_options": {"include_usage": True},
        "reasoning": "hm, so",
    }
    assert told["level"] is None
    assert told["completion_start_time"] is not None


@pytest.mark.parametrize("model", ["qwen/qwen-plus", "ark/ep-1"])
def test_the_model_is_the_requested_one(
    adapter: Adapter, langfused: Langfused, span: Any, model: str
) -> None:
    list(adapter.chat_llm(None, "u", span, model, [{"role": "user", "content": "hi"}]))
    (told,) = langfused.generations()
    assert (told.span.name, told["model.name"]) == ("user_follow_ask", model)


def test_invoke_tells_the_caller_s_span_the_output_and_chat_does_not(
    adapter: Adapter, langfused: Langfused
) -> None:
    for asked in ("invoke", "chat"):
        with langfused.client.start_as_current_observation(name=asked) as span:
            if asked == "invoke":
                list(adapter.invoke_llm(None, "u", span, "gpt-4o", "hi"))
            else:
                list(adapter.chat_llm(None, "u", span, "gpt-4o", [{"role": "user", "content": "hi"}]))
    langfused.client.flush()
    spans = {span.name: Told(span)["output"] for span in langfused.exporter.get_finished_spans()}
    langfused.exporter.clear()
    assert (spans["invoke"], spans["chat"]) == ("Hello", None)


def test_no_totals_are_told_that_the_provider_did_not_send(
    adapter: Adapter, langfused: Langfused, span: Any
) -> None:
    """LiteLLM would count tokens itself."""
    list(adapter.invoke_llm(None, "u", span, "gpt-4o", "hi"))
    (told,) = langfused.generations()
    assert told["usage_details"] is None


USAGES: dict[str, tuple[tuple[bytes, ...], dict[str, int]]] = {
    "on the finish chunk": (
        (chunk("a"), chunk(finish="stop", usage=USAGE)),
        {"input": 11, "output": 7, "total": 40},
    ),
    "on every chunk, counting up": (
        (
            chunk("a", usage={"prompt_tokens": 1, "completion_tokens": 1, "total_tokens": 2}),
            chunk("b", usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3}),
        ),
        {"input": 1, "output": 2, "total": 3},
    ),
    "all zero": (
        (chunk("a"), chunk(usage={"prompt_tokens": 0, "completion_tokens": 0, "total_tokens": 0})),
        {"input": 0, "output": 0, "total": 0},
    ),
    "DeepSeek's names": (
        (chunk("a"), chunk(finish="stop", usage={**USAGE, "prompt_cache_hit_tokens": 3})),
        {"input": 8, "output": 7, "total": 40, "input_cached_tokens": 3},
    ),
    "inside the choice": (
        (chunk("a"), event({"id": "1", "choices": [{"index": 0, "delta": {}, "usage": USAGE}]})),
        {"input": 11, "output": 7, "total": 40},
    ),
    "followed by a null": (
        (chunk("a", usage=USAGE), event({"id": "1", "choices": [], "usage": None})),
        {"input": 11, "output": 7, "total": 40},
    ),
}


@pytest.mark.parametrize(("pieces", "details"), list(USAGES.values()), ids=list(USAGES))
def test_totals_are_the_provider_s_wherever_it_puts_them(
    adapter: Adapter,
    provider: Provider,
    langfused: Langfused,
    span: Any,
    pieces: tuple[bytes, ...],
    details: dict[str, int],
) -> None:
    provider.say(Reply(pieces=(*pieces, DONE)))
    list(adapter.chat_llm(None, "u", span, "deepseek-chat", [{"role": "user", "content": "hi"}]))
    (told,) = langfused.generations()
    assert told["usage_details"] == details


@pytest.mark.parametrize("when", ["opening", "mid-stream"])
def test_a_failed_call_is_an_error_with_a_message(
    adapter: Adapter, provider: Provider, langfused: Langfused, span: Any, when: str
) -> None:
    broken = Reply(pieces=(chunk("Hel", usage=USAGE), event({"error": {"message": f"bad {KEY}"}})))
    provider.say(refusal(400, f"bad {KEY}") if when == "opening" else broken)
    with pytest.raises(RequestFailedError) as caught:
        list(adapter.invoke_llm(None, "u", span, "gpt-4o", "hi"))
    (told,) = langfused.generations()
    assert told["level"] == "ERROR"
    assert told["status_message"] == str(caught.value)
    assert "bad [key]" in told["status_message"]
    assert (told["output"] or "", bool(told["usage_details"])) == (
        ("Hel", True) if when != "opening" else ("", False)
    )


def test_a_consumer_that_stops_ends_the_generation(
    adapter: Adapter, provider: Provider, langfused: Langfused, span: Any
) -> None:
    provider.say(Reply(pieces=(chunk("Hel"),), end=End.STALL))
    stream = adapter.invoke_llm(None, "u", span, "gpt-4o", "hi")
    next(stream)
    stream.close()
    (told,) = langfused.generations()
    assert (told["level"], told["status_message"], told["output"]) == ("WARNING", "consumer stopped", "Hel")


def test_an_exception_thrown_into_the_stream_stays_what_it_is(
    adapter: Adapter, langfused: Langfused, span: Any
) -> None:
    stream = adapter.invoke_llm(None, "u", span, "gpt-4o", "hi")
    next(stream)
    with pytest.raises(KeyboardInterrupt):
        stream.throw(KeyboardInterrupt())
    assert [told["level"] for told in langfused.generations()] == ["WARNING"]


def test_a_stream_that_is_never_advanced_tells_nothing(
    adapter: Adapter, langfused: Langfused, span: Any
) -> None:
    adapter.invoke_llm(None, "u", span, "gpt-4o", "hi")
    assert langfused.generations() == []


def test_a_stream_that_is_closed_before_it_is_advanced_tells_so(
    adapter: Adapter, langfused: Langfused, span: Any
) -> None:
    adapter.invoke_llm(None, "u", span, "gpt-4o", "hi").close()
    (told,) = langfused.generations()
    assert (told["level"], told["status_message"]) == ("WARNING", "consumer stopped")


def test_headers_are_kept_out_and_keys_are_masked(adapter: Adapter, langfused: Langfused, span: Any) -> None:
    params: dict[str, Any] = {
        "extra_headers": {"Authorization": "Bearer other"},
        "user": f"u-{KEY}",
        "stop": [KEY],
    }
    list(adapter.invoke_llm(None, "u", span, "gpt-4o", "hi", **params))
    (told,) = langfused.generations()
    assert (told.metadata["user"], told.metadata["stop"]) == ("u-[key]", ["[key]"])
    assert "extra_headers" not in told.metadata


@pytest.mark.parametrize("broken", ["start_observation", "update", "end"])
def test_failing_telemetry_never_fails_a_call(
    adapter: Adapter, caplog: pytest.LogCaptureFixture, broken: str
) -> None:
    def fail(**_: object) -> None:
        raise RuntimeError("no tracing today")

    observation = SimpleNamespace(update=lambda **_: None, end=lambda: None)
    span = SimpleNamespace(start_observation=lambda **_: observation, update=lambda **_: None)
    setattr(span if broken == "start_observation" else observation, broken, fail)
    app = SimpleNamespace(logger=logging.getLogger("app"))
    pieces = adapter.invoke_llm(app, "u", span, "gpt-4o", "hi")
    assert "".join(piece.result for piece in pieces) == "Hello"
    assert "telemetry failed (RuntimeError); the call goes on" in caplog.text


def test_a_span_that_cannot_be_told_still_leaves_an_ended_generation(adapter: Adapter) -> None:
    ended: list[bool] = []
    observation = SimpleNamespace(update=lambda **_: None, end=lambda: ended.append(True))
    list(
        adapter.invoke_llm(
            None, "u", SimpleNamespace(start_observation=lambda **_: observation), "gpt-4o", "hi"
        )
    )
    assert ended == [True]


def test_another_tracer_can_be_composed_in(make_adapter: MakeAdapter) -> None:
    seen: list[str] = []

    class Recorder:
        def see(self, chunk: Any) -> None:
            seen.append(chunk.text)

        def finish(self) -> None:
            seen.append("finished")

        def stop(self) -> None:
            raise AssertionError

        def fail(self, message: str) -> None:
            raise AssertionError(message)

    adapter = replace(make_adapter(), tracer=lambda *_, **__: Recorder())
    list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))
    assert [text for text in seen if text] == ["Hel", "lo", "finished"]


@dataclass(slots=True)
class Handle:
    """A generation as Langfuse 2 has it, or a wrapper that keeps its calls: all values go to `end`."""

    begun: dict[str, Any]
    ended: list[dict[str, Any]] = field(default_factory=list)

    def end(self, **values: Any) -> None:
        self.ended.append(values)


@dataclass(slots=True)
class StrictHandle(Handle):
    """A wrapper that takes what applications gave to Langfuse 2, by name."""

    def end(  # type: ignore[override]
        self,
        *,
        output: Any = None,
        usage: Any = None,
        metadata: Any = None,
        completion_start_time: Any = None,
    ) -> None:
        self.ended.append({"output": output, "usage": usage})


@pytest.mark.parametrize("kind", [Handle, StrictHandle])
def test_a_span_that_offers_generation_is_told_in_that_way(
    adapter: Adapter, provider: Provider, kind: type[Handle]
) -> None:
    """Also where it is a wrapper around a later SDK, which has `start_observation` as well."""
    made: list[Handle] = []
    updated: list[dict[str, Any]] = []

    def generation(**values: Any) -> Handle:
        made.append(kind(values))
        return made[-1]

    span = SimpleNamespace(
        generation=generation, start_observation=None, update=lambda **values: updated.append(values)
    )
    cached = {"prompt_tokens_details": {"cached_tokens": 4}}
    provider.say(answer("Hel", "lo", usage={**USAGE, **cached}))
    list(adapter.invoke_llm(None, "u", span, "gpt-4o", "hi", generation_name="run"))
    (handle,) = made
    assert (handle.begun["name"], handle.begun["model"]) == ("run", "gpt-4o")
    assert handle.begun["input"] == [{"role": "user", "content": "hi"}]
    (ended,) = handle.ended
    assert ended["output"] == "Hello"
    assert ended["usage"] == {"unit": "TOKENS", "input": 11, "output": 7, "total": 40}
    if kind is Handle:
        assert ended["usage_details"] == {"input": 7, "output": 7, "total": 40, "input_cached_tokens": 4}
        assert ended["metadata"]["temperature"] == 0.8
    assert updated == [{"output": "Hello"}]


def test_a_span_of_langfuse_3_0_is_told_by_its_own_method(adapter: Adapter, provider: Provider) -> None:
    told: list[Any] = []
    generation = SimpleNamespace(
        update=lambda **values: told.append(values), end=lambda: told.append("ended")
    )
    span = SimpleNamespace(start_generation=lambda **_: generation, update=lambda **_: None)
    provider.say(answer("Hello", usage=USAGE))
    list(adapter.chat_llm(None, "u", span, "gpt-4o", [{"role": "user", "content": "hi"}]))
    assert (told[0]["output"], told[0]["usage_details"], told[1:]) == (
        "Hello",
        {"input": 11, "output": 7, "total": 40},
        ["ended"],
    )


def test_a_stand_in_that_answers_to_every_name_is_no_matter(
    adapter: Adapter, caplog: pytest.LogCaptureFixture
) -> None:
    """As applications have for when Langfuse is not configured."""

    class Anything:
        def __getattr__(self, name: str) -> Any:
            return lambda *_, **__: self

    pieces = adapter.invoke_llm(None, "u", Anything(), "gpt-4o", "hi")
    assert "".join(piece.result for piece in pieces) == "Hello"
    assert "telemetry failed" not in caplog.text


def test_a_model_that_nobody_has_leaves_a_failed_generation(
    adapter: Adapter, langfused: Langfused, span: Any
) -> None:
    with pytest.raises(ModelNotSupportedError):
        list(adapter.invoke_llm(None, "u", span, "claude", "hi"))
    (told,) = langfused.generations()
    assert (told["level"], told["model.name"]) == ("ERROR", "claude")
    assert "no provider answers" in told["status_message"]


class _Receiver(BaseHTTPRequestHandler):
    received: list[tuple[str, bytes]]

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        self.received.append((self.path, body))
        self.send_response(200)
        self.send_header("content-length", "0")
        self.end_headers()


def test_a_generation_arrives_over_otlp(make_adapter: MakeAdapter, provider: Provider) -> None:
    """The SDK's own exporter, a real request, and the protobuf taken apart at the other end."""
    provider.say(answer("Hel", "lo", usage=USAGE))
    received: list[tuple[str, bytes]] = []
    handler = type("Receiver", (_Receiver,), {"received": received})
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        client = langfuse(
            public_key="pk-otlp",
            secret_key="sk-otlp",
            base_url=f"http://127.0.0.1:{server.server_port}",
            tracer_provider=TracerProvider(),
            otel_compression="none",
        )
        with client.start_as_current_observation(name="lesson") as span:
            list(make_adapter().invoke_llm(None, "u", span, "gpt-4o", "hi"))
        client.shutdown()
        server.shutdown()
        thread.join()
    paths, bodies = zip(*received, strict=True)
    assert set(paths) == {"/api/public/otel/v1/traces"}
    spans = {
        span.name: {item.key: item.value.string_value for item in span.attributes}
        for body in bodies
        for resource in ExportTraceServiceRequest.FromString(body).resource_spans
        for scope in resource.scope_spans
        for span in scope.spans
    }
    assert spans.keys() == {"lesson", "invoke_llm"}
    told = spans["invoke_llm"]
    assert told[PREFIX + "type"] == "generation"
    assert told[PREFIX + "output"] == "Hello"
    assert json.loads(told[PREFIX + "usage_details"]) == {"input": 11, "output": 7, "total": 40}
    assert spans["lesson"][PREFIX + "output"] == "Hello"
