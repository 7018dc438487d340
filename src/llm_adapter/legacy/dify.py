"""Dify's apps as they were called before: over `requests`, and deaf to all but one kind of event.

What it did wrong, it still does, for this is what people see today: refusals and errors end as an empty
answer, totals are lost, an agent is silent until it repeats itself, and moderated text stays.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from llm_adapter.backends import Opened
from llm_adapter.backends.dify import CHAT_PATH, body, shown
from llm_adapter.chunks import Chunk
from llm_adapter.legacy.ernie_v1 import data_lines
from llm_adapter.legacy.session import post
from llm_adapter.requests import Outgoing


def open_stream(outgoing: Outgoing) -> Opened:
    """Ask, once, and with no limit of time."""
    response = post(
        outgoing.base_url.rstrip("/") + CHAT_PATH,
        headers={"Authorization": f"Bearer {outgoing.api_key}", "Content-Type": "application/json"},
        json=body(outgoing),
        stream=True,
    )
    return Opened(chunks=_chunks(response), close=response.close, attempts=1, may_be_empty=True)


def _chunks(response: Any) -> Iterator[Chunk]:
    for event in data_lines(response):
        if event.get("event") == "message":
            answer = event.get("answer", "")
            yield Chunk(id=event.get("task_id", ""), text=answer, shown=shown(event, answer))
