"""Run as a program: the LiteLLM path in a process of its own, where nothing has been imported before.

Takes a provider's URL; prints what it saw as JSON to stderr, so that stdout shows only what others print.
"""

from __future__ import annotations

import json
import logging
import os
import socket
import sys
from importlib.abc import MetaPathFinder
from typing import Any

LEGACY = "llm_adapter.legacy"


class Deleted(MetaPathFinder):
    """The legacy folder, as if it had been deleted."""

    def find_spec(self, name: str, *_: object) -> None:
        if name.partition(f"{LEGACY}")[1] and name.startswith(LEGACY):
            raise ModuleNotFoundError(f"No module named {name!r}", name=name)


def watch_sockets() -> list[str]:
    """Every name that is looked up and every address that is connected to, beyond loopback."""
    reached: list[str] = []
    connect, resolve = socket.socket.connect, socket.getaddrinfo

    def watched_connect(self: socket.socket, address: Any) -> None:
        if address[0] != "127.0.0.1":
            reached.append(str(address))
            raise PermissionError
        connect(self, address)

    def watched_resolve(host: Any, *rest: Any, **more: Any) -> Any:
        if host != "127.0.0.1":
            reached.append(str(host))
            raise PermissionError
        return resolve(host, *rest, **more)

    socket.socket.connect = watched_connect  # type: ignore[method-assign, assignment]
    socket.getaddrinfo = watched_resolve
    return reached


def calls(url: str) -> dict[str, Any]:
    """A good call, a refused one, and one on the road that was deleted."""
    from llm_adapter import LLMError, LLMNotConfiguredError, adapter_from

    environ = {"SILICON_API_KEY": "sk-fresh-012345", "SILICON_BASE_URL": url}
    adapter = adapter_from(environ)
    model = "silicon/meta-llama/llama-3-8b"  # a name for which LiteLLM downloads a tokenizer
    before = dict(os.environ)
    seen: dict[str, Any] = {
        "text": "".join(piece.result for piece in adapter.invoke_llm(None, "u", None, model, "hi"))
    }
    seen["environment"] = sorted(set(os.environ.items()) ^ set(before.items()))
    try:
        list(adapter.invoke_llm(None, "u", None, model, "hi"))
    except LLMError as error:
        seen["error"] = str(error)
    adapter.close()
    try:
        list(adapter_from({**environ, "LLM_BACKEND": "legacy"}).invoke_llm(None, "u", None, model, "hi"))
    except LLMNotConfiguredError as error:
        seen["legacy"] = str(error.__cause__).partition(",")[0]
    return seen


def main() -> None:
    sys.meta_path.insert(0, Deleted())
    logging.getLogger("httpx").setLevel(logging.INFO)
    reached = watch_sockets()
    seen = calls(sys.argv[1])
    import litellm

    told = {
        **seen,
        "reached": reached,
        "http log level": logging.getLogger("httpx").level,
        "loaded from": os.path.dirname(litellm.__file__),  # noqa: PTH120 (the path as it was found)
        "callbacks": [str(callback) for callback in litellm.callbacks + litellm.success_callback],
    }
    sys.stderr.write("\n" + json.dumps(told))


if __name__ == "__main__":
    main()
