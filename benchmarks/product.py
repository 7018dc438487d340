"""The product's own two ways, side by side: what makes a benchmark's calls."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass, field
from typing import Any

from llm_adapter import Adapter, LLMStreamResponse, adapter_from

WAYS = ("legacy", "litellm")


@dataclass(slots=True)
class Span:
    """Stands in for a Langfuse span: keeps what it gets, so that reporting is measured, not exporting."""

    calls: list[Mapping[str, Any]] = field(default_factory=list)

    def start_observation(self, **values: Any) -> Span:
        """A generation below it."""
        self.calls.append(values)
        return Span()

    def update(self, **values: Any) -> None:
        """Note it."""
        self.calls.append(values)

    def end(self) -> None:
        """Nothing more will come."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Caller:
    """One way to one recorded stream."""

    adapter: Adapter

    def stream(self) -> Iterator[LLMStreamResponse]:
        """A call as an application makes it, with telemetry."""
        return self.adapter.invoke_llm(None, "user-1", Span(), "gpt-4o", "Tell me about tea.")

    def read(self) -> int:
        """The whole answer; how many pieces it had."""
        return sum(1 for _ in self.stream())


@contextmanager
def callers(address: str, ways: Iterable[str] = WAYS) -> Iterator[Mapping[str, Caller]]:
    """A caller for each way, warmed up. `address`: a provider's, with the stream's form in its path."""
    with ExitStack() as stack:
        made = {}
        for way in ways:
            environ = {
                "OPENAI_API_KEY": "sk-benchmark-nobody",
                "OPENAI_BASE_URL": f"{address}/v1",
                "LLM_BACKEND": way,
            }
            adapter = stack.enter_context(closing(adapter_from(environ)))
            adapter.warm_up()
            made[way] = Caller(adapter=adapter)
        yield made
