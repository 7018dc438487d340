"""Run by `python -m gevent.monkey`: many greenlets call at once, as in a gunicorn worker of that kind.

What looks like a thread here is a greenlet there. Takes as JSON settings of adapters, each with its question,
and how many callers each has; prints what each was told as JSON. Complaints of libraries go to stderr.
"""

from __future__ import annotations

import json
import logging
import socket
import sys
from threading import Thread
from typing import Any

from llm_adapter import adapter_from


def calls(environ: dict[str, str], question: dict[str, Any], count: int) -> list[str]:
    """The answers to so many callers, who are all on the line at once."""
    adapter = adapter_from(environ)
    answers: list[str] = []

    def ask() -> None:
        answers.append("".join(piece.result for piece in adapter.chat_llm(None, "user-1", None, **question)))

    greenlets = [Thread(target=ask) for _ in range(count)]
    for greenlet in greenlets:
        greenlet.start()
    for greenlet in greenlets:
        greenlet.join()
    adapter.close()
    return answers


if __name__ == "__main__":
    logging.basicConfig()
    told = json.loads(sys.argv[1])
    answers = [calls(**job, count=told["count"]) for job in told["jobs"]]
    sys.stdout.write(json.dumps({"sockets": socket.socket.__module__, "answers": answers}))
