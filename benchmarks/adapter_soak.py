"""The adapter in 200 threads against a provider that answers, cuts, resets, refuses, packs and falls silent.

What a process holds afterwards, with all adapters closed, is compared with what it held after the first half.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing
from multiprocessing.connection import Connection

from benchmarks.measure import Figure, Size, held, left
from benchmarks.provider import provider
from llm_adapter import LLMError, adapter_from
from llm_contracts.util.child import child

_THREADS = 200
_ENDS = ("complete", "cut", "reset", "refusal", "packed", "silent")


def run(size: Size) -> Iterator[Figure]:
    """Each backend in a process of its own."""
    calls = 14_000 if size is Size.FULL else 2_000
    with provider() as address:
        for backend in ("litellm", "legacy"):
            with child(_use, address, backend, calls // 2) as pipe:
                before, after, ends = pipe.recv()
            said = ", ".join(f"{end} {count:,}" for end, count in sorted(ends.items()))
            sys.stderr.write(f"{backend}: {said}\n")
            yield from left(f"{backend}, {calls:,} calls", before, after)


def _use(pipe: Connection, address: str, backend: str, calls: int) -> None:
    ends: Counter[str] = Counter()
    counts = []
    for _ in range(3):  # the first fills what is filled once
        ends += _round(address, backend, calls)
        counts.append(held())
    pipe.send((counts[1], counts[2], ends))


def _round(address: str, backend: str, calls: int) -> Counter[str]:
    with ExitStack() as stack, ThreadPoolExecutor(_THREADS) as pool:
        adapters = [
            stack.enter_context(
                closing(
                    adapter_from(
                        {
                            "LLM_BACKEND": backend,
                            "OPENAI_API_KEY": "none",
                            "OPENAI_BASE_URL": f"{address}/{end}",
                        }
                    )
                )
            )
            for end in _ENDS
        ]

        def one(number: int) -> str:
            asked = adapters[number % len(adapters)].invoke_llm(
                None, "user", None, "gpt-4o", "hello", max_retries=0, timeout=2
            )
            try:
                return "answered" if list(asked) else "empty"
            except LLMError as error:
                return str(error.category)

        return Counter(pool.map(one, range(calls)))
