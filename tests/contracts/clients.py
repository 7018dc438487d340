"""Our two ways to a model, as the harness sees them; the only file that knows both packages.

Telemetry is heard through the real Langfuse SDK. One client serves all calls, because each client starts
threads that live as long as the process; calls are told apart by their trace.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import aclosing, closing, contextmanager
from dataclasses import dataclass, field
from functools import cache, partial
from threading import Lock
from typing import TYPE_CHECKING, Any
from uuid import uuid4

from llm_adapter.adapter import Adapter, adapter_from
from llm_adapter.providers import PROVIDERS as ROWS
from llm_contracts import Call, Client, Function, Provider, cached_client
from tests.contracts import dialects
from tests.contracts.gemini_direct import gemini_direct
from tests.contracts.protocols.dify import DIFY
from tests.contracts.protocols.ernie_v1 import ERNIE_V1

if TYPE_CHECKING:
    from langfuse import Langfuse
    from opentelemetry.sdk.trace import ReadableSpan

_REFERENCES = {"gemini": "gemini-direct"}
"""Who says what is right where there is no client of old."""

AS_ASKED = {"LLM_THINKING": "caller", "LLM_DEFAULT_OUTPUT_LIMIT": "none"}
"""Both ways send what the caller asks for and nothing else. What the new one adds to that by default, and the
old one never did, is no difference between clients: `tests/adapter/test_policies.py` holds it."""

PROTOCOLS = (ERNIE_V1, DIFY)
_PROTOCOLS = {"ernie_v1": ERNIE_V1.name, "dify": DIFY.name}
_DIALECTS = {"ernie_v1": dialects.ERNIE_V1, "dify": dialects.DIFY}

PROVIDERS = tuple(
    Provider(
        name=row.key,
        base_url=row.base_url or "https://api.dify.ai/v1",  # Dify's own cloud, where an app may be
        key_variable=row.key_variables[0],
        base_url_variable=row.base_url_variable,
        second_key_variable=row.second_key_variable or None,
        reference=_REFERENCES.get(row.key),
        protocol=_PROTOCOLS.get(row.key),
        dialect=_DIALECTS.get(row.key),
    )
    for row in ROWS
)


def adapter_path(
    backend: str, call: Call, *, make: Callable[[Mapping[str, str]], Adapter] = adapter_from
) -> Iterator[Any]:
    """Make the call as an application does: through the adapter, under a span of its own.

    `make` builds the adapter from the variables: one with a known defect shows whether it would be noticed.
    """
    environ, model = _environ(backend, call)
    with cached_client(call, ("adapter", backend), lambda: closing(make(environ))) as adapter:
        if call.function is Function.LIST_MODELS:
            yield from adapter.get_current_models(None)
            return
        with _heard(call) as span, closing(_asked(adapter, span, model, call)) as responses:
            yield from responses


async def adapter_path_on_a_loop(backend: str, call: Call) -> AsyncIterator[Any]:
    """`adapter_path`, by the functions for event loops. Which models there are is asked for without one."""
    environ, model = _environ(backend, call)
    with cached_client(call, ("adapter", backend), lambda: closing(adapter_from(environ))) as adapter:
        if call.function is Function.LIST_MODELS:
            for name in adapter.get_current_models(None):
                yield name
            return
        try:
            with _heard(call) as span:
                async with aclosing(_asked(adapter, span, model, call, prefix="a")) as responses:
                    async for response in responses:
                        yield response
        finally:
            await adapter.aclose()


def _environ(backend: str, call: Call) -> tuple[dict[str, str], str]:
    """The variables for a call, and the model's name as the application would give it."""
    row, model = _route(call)
    keys = _keys(row, call.api_key)
    return {"LLM_BACKEND": backend, **AS_ASKED, **keys, row.base_url_variable: call.base_url}, model


CLIENTS: dict[str, Client] = {
    "adapter-legacy": partial(adapter_path, "legacy"),
    "adapter-litellm": partial(adapter_path, "litellm"),
    "adapter-legacy-async": partial(adapter_path_on_a_loop, "legacy"),
    "adapter-litellm-async": partial(adapter_path_on_a_loop, "litellm"),
    "gemini-direct": gemini_direct,
}


def _keys(row: Any, key: str) -> dict[str, str]:
    """The variables that a key belongs into; a made-up one is both of its halves."""
    if not row.second_key_variable:
        return {row.key_variables[0]: key}
    first, _, second = key.partition(":")
    return {row.key_variables[0]: first, row.second_key_variable: second or first}


def _route(call: Call) -> tuple[Any, str]:
    """The adapter's row for a call, and the model's name as the application would give it.

    A stream that was recorded elsewhere may name a model that none of our providers answers to. It is asked
    for at Silicon, whose prefix takes any name and which adds nothing for such models.
    """
    rows = {row.key: row for row in ROWS}
    asked = rows.get(call.provider)
    if asked is not None:
        prefixed = asked.prefix + call.model
        return asked, call.model if asked.owns(call.model) or not asked.owns(prefixed) else prefixed
    owner = next((row for row in ROWS if row.owns(call.model)), None)
    if owner is not None:
        return owner, call.model
    return rows["silicon"], rows["silicon"].prefix + call.model


def _asked(adapter: Adapter, span: Any, model: str, call: Call, *, prefix: str = "") -> Any:
    """The generator of the product's own function. Nothing has been sent when this returns."""
    params = dict(call.params)
    wants_json = params.get("response_format") == {"type": "json_object"}
    if wants_json:
        del params["response_format"]
    if call.function is Function.CHAT:
        chat = getattr(adapter, f"{prefix}chat_llm")
        return chat(None, "user-1", span, model, list(call.messages), json=wants_json, **params)
    texts = {message["role"]: message["content"] for message in call.messages}
    invoke = getattr(adapter, f"{prefix}invoke_llm")
    return invoke(
        None, "user-1", span, model, texts["user"], system=texts.get("system"), json=wants_json, **params
    )


# Telemetry


@contextmanager
def _heard(call: Call) -> Iterator[Any]:
    """A span to call under; what was generated below it is handed over when the call is done."""
    with _LANGFUSE:
        client, ear = _langfuse()
    span = client.start_observation(name="contract")
    try:
        yield span
    finally:
        span.end()
        for generation in ear.taken(span.trace_id):
            call.telemetry({**generation, **_as_counted(generation.get("usage"), call.provider)})


_LANGFUSE = Lock()  # `cache` alone would let two threads make two, of which the SDK ignores the second


@cache
def _langfuse() -> tuple[Langfuse, _Ear]:
    """The client and what listens to it. Nothing is sent anywhere: its exporter keeps spans to itself."""
    from langfuse import Langfuse
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SpanExporter

    ear = _Ear()
    provider = TracerProvider()
    provider.add_span_processor(_processor(ear))
    client = Langfuse(
        # The SDK keeps one client for each key; who loads this file a second time must get another.
        public_key=f"pk-contracts-{uuid4()}",
        secret_key="sk-contracts",
        base_url="http://127.0.0.1:9",
        tracer_provider=provider,
        span_exporter=SpanExporter(),
    )
    return client, ear


@dataclass(slots=True)
class _Ear:
    """Hears of every span, by trace: when it starts and, if it does, when it ends."""

    _spans: dict[str, dict[int, ReadableSpan]] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def hear(self, span: ReadableSpan) -> None:
        context = span.get_span_context()
        assert context is not None
        with self._lock:
            self._spans.setdefault(f"{context.trace_id:032x}", {})[context.span_id] = span

    def taken(self, trace_id: str) -> list[dict[str, Any]]:
        """The generations of a trace, which is forgotten: the SDK says what a span is after starting it."""
        with self._lock:
            spans = self._spans.pop(trace_id, {}).values()
        return [_generation(s) for s in spans if (s.attributes or {}).get(_TYPE) == "generation"]


def _processor(ear: _Ear) -> Any:
    from opentelemetry.sdk.trace import SpanProcessor

    class Listener(SpanProcessor):
        """Told of spans at once, in the thread that ends them; an exporter hears of them later."""

        def on_start(self, span: ReadableSpan, parent_context: object = None) -> None:
            ear.hear(span)

        def on_end(self, span: ReadableSpan) -> None:
            ear.hear(span)

    return Listener()


_TOLD = {
    "model": "langfuse.observation.model.name",
    "input": "langfuse.observation.input",
    "output": "langfuse.observation.output",
    "usage": "langfuse.observation.usage_details",
    "level": "langfuse.observation.level",
    "status_message": "langfuse.observation.status_message",
}
_TYPE = "langfuse.observation.type"
_METADATA = "langfuse.observation.metadata."


def _generation(span: ReadableSpan) -> dict[str, Any]:
    """A generation as the harness compares it. Times and ids are no part of it."""
    told = dict(span.attributes or {})
    found = {name: _value(told[attribute]) for name, attribute in _TOLD.items() if attribute in told}
    metadata = {
        name.removeprefix(_METADATA): _value(value, ("{", "[", '"'))
        for name, value in told.items()
        if name.startswith(_METADATA)
    }
    return {"name": span.name, **found, "metadata": metadata, "ended": span.end_time is not None}


def _as_counted(usage: Mapping[str, float] | None, provider: str) -> dict[str, Any]:
    """Totals as providers count them. Langfuse is told each token under one key; they count cached tokens as
    input, too, and all but Google thoughts as output.
    """
    if usage is None:
        return {}
    parts = {
        "input": "input_cached_tokens",
        "output": "" if provider == "gemini" else "output_reasoning_tokens",
    }
    return {"usage": {name: count + usage.get(parts.get(name, ""), 0) for name, count in usage.items()}}


def _value(value: Any, marks: tuple[str, ...] = ("{", "[")) -> Any:
    """The SDK keeps structures as JSON text, and in metadata texts as well."""
    if not isinstance(value, str) or not value.startswith(marks):
        return value
    try:
        return json.loads(value)
    except ValueError:
        return value
