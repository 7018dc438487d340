"""Run as a program: a call before a fork, and then calls in parent and child at the same time.

So it is under a server that forks its workers. Takes as JSON settings of adapters, each with its question,
and how often to call after the fork. Prints for each what either process was told and, by the real Langfuse
SDK, which observations it recorded.
"""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Callable
from typing import Any
from uuid import uuid4

from langfuse import Langfuse
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from llm_adapter import Adapter, adapter_from


class Process:
    """What one process does, before and after it forks."""

    def __init__(self, adapter: Adapter, question: dict[str, Any]) -> None:
        self.adapter = adapter
        self.question = question
        self.exporter = InMemorySpanExporter()
        self.langfuse = Langfuse(
            public_key=f"pk-{uuid4()}",  # the SDK keeps one client for each key
            secret_key="sk-memory",
            base_url="http://127.0.0.1:9",
            tracer_provider=TracerProvider(),
            span_exporter=self.exporter,
        )

    def call(self) -> dict[str, Any]:
        """The text of one call, and what was recorded of it."""
        with self.langfuse.start_as_current_observation(name="run") as span:
            pieces = self.adapter.chat_llm(None, "user-1", span, **self.question)
            text = "".join(piece.result for piece in pieces)
        self.langfuse.flush()
        spans = [span.name for span in self.exporter.get_finished_spans()]
        self.exporter.clear()
        return {"text": text, "recorded": sorted(spans)}


def in_child(work: Callable[[], Any]) -> Callable[[], Any]:
    """Begin the work in a child process; what is given back waits for its outcome."""
    reading, writing = os.pipe()
    child = os.fork()
    if not child:
        status = 1
        try:
            with os.fdopen(writing, "w") as pipe:
                json.dump(work(), pipe)
            status = 0
        finally:
            os._exit(status)
    os.close(writing)

    def outcome() -> Any:
        with os.fdopen(reading) as pipe:
            told = pipe.read()
        os.waitpid(child, 0)
        return json.loads(told) if told else None

    return outcome


def forked(environ: dict[str, str], question: dict[str, Any], count: int) -> dict[str, Any]:
    """What is told before the fork, and after it in both processes at once."""
    process = Process(adapter_from(environ), question)
    before = process.call()
    child = in_child(lambda: [process.call() for _ in range(count)])
    after = [process.call() for _ in range(count)]
    seen = {"before": before, "child": child(), "parent": after, "later": process.call()}
    process.adapter.close()
    return seen


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    seen = [forked(**job, count=told["count"]) for job in told["jobs"]]
    sys.stdout.write(json.dumps(seen))
    sys.stdout.flush()
    os._exit(0)  # Langfuse's threads would be waited for
