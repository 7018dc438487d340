"""Run as a program: LiteLLM `imported`, or called `plain` as its front page says, or called by `ours`.

The call is made under a running event loop, and what is given to pools of threads runs in the thread that
gives it: so it is for a gunicorn worker whose threads are gevent's greenlets. Takes the way and a provider's
URL; prints what it saw as JSON to stderr, because others print to stdout.
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any

from llm_adapter.settings import environment
from tests.adapter.fresh_process import watch_sockets

_REFUSED = "cannot be called from a running event loop"


def greenlets() -> list[str]:
    """From now on pools run their work in the caller's thread; what fails there is noted."""
    failed: list[str] = []

    def submit(
        _pool: ThreadPoolExecutor, work: Callable[..., Any], /, *given: Any, **named: Any
    ) -> Future[Any]:
        future: Future[Any] = Future()
        try:
            future.set_result(work(*given, **named))
        except Exception as error:  # noqa: BLE001 (a pool keeps whatever its work raises)
            failed.append(str(error))
            future.set_exception(error)
        return future

    ThreadPoolExecutor.submit = submit  # type: ignore[method-assign, assignment]
    return failed


def imported(url: str) -> str:
    """LiteLLM is imported, and no more."""
    del url
    # Where the network refuses at once, its import now and then trips over its own thread that tries again:
    # over a half-made module, or a deadlock of import locks. By then it has reached for the network.
    with suppress(Exception):
        import litellm  # noqa: F401 (the import is the point)
    return ""


def plain(url: str) -> str:
    """LiteLLM with its own settings, but for the price list."""
    with environment(LITELLM_LOCAL_MODEL_COST_MAP="True"):
        import litellm

    chunks = litellm.completion(
        model="openai/gpt-4o-mini",
        api_base=url,
        api_key="sk-fresh-012345",
        messages=[{"role": "user", "content": "hi"}],
        stream=True,
    )
    return "".join(chunk.choices[0].delta.content or "" for chunk in chunks)


def ours(url: str) -> str:
    """The new client."""
    from llm_adapter import adapter_from

    adapter = adapter_from({"OPENAI_API_KEY": "sk-fresh-012345", "OPENAI_BASE_URL": url})
    text = "".join(piece.result for piece in adapter.invoke_llm(None, "u", None, "gpt-4o-mini", "hi"))
    adapter.close()
    return text


async def called(way: Callable[[str], str], url: str) -> str:
    """Called as a blocking function, which is what event loops suffer from."""
    return way(url)


def main() -> None:
    reached = watch_sockets()
    failed = greenlets()
    ways = {"imported": imported, "plain": plain, "ours": ours}
    text = asyncio.run(called(ways[sys.argv[1]], sys.argv[2]))
    refused = sum(_REFUSED in message for message in failed)
    sys.stderr.write("\n" + json.dumps({"text": text, "reached": reached, "loops refused": refused}))
    sys.stderr.flush()
    os._exit(0)  # else a thread of LiteLLM's that still writes to stderr may abort Python as it ends


if __name__ == "__main__":
    main()
