"""ERNIE's first API and Dify's events, read from the bytes: the same facts under the names that others have.

Only names are translated. What Dify's agents repeat at their end is no more text: it was there already.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

Event = Mapping[str, Any]


@dataclass(slots=True)
class Translator:
    """Puts the chunks of one stream into OpenAI's shape; any other provider's stay as they are.

    `done` is set where a chunk is the last one by its own word.
    """

    by_agent: str = ""
    done: bool = False

    def __call__(self, chunk: Event) -> Event:
        """One chunk or document."""
        if "result" in chunk and "is_end" in chunk:
            return self._ernie(chunk)
        if isinstance(chunk.get("event"), str) and "choices" not in chunk:
            return self._dify(chunk)
        return chunk

    def _ernie(self, line: Event) -> Event:
        self.done = self.done or bool(line["is_end"])
        usage = line.get("usage")
        return {
            "id": line.get("id"),
            "choices": [{"delta": {"content": line["result"]}, "finish_reason": line.get("finish_reason")}],
            **({"usage": usage} if usage else {}),
        }

    def _dify(self, event: Event) -> Event:
        self.done = self.done or event["event"] == "message_end"
        usage = _mapping(_mapping(event.get("metadata")).get("usage"))
        return {
            "id": event.get("task_id"),
            "choices": [{"delta": self._delta(event)}],
            **({"usage": usage} if usage else {}),
        }

    def _delta(self, event: Event) -> Event:
        kind, answer = event["event"], event.get("answer")
        if kind == "reasoning_chunk":
            return {"reasoning_content": _mapping(event.get("data")).get("reasoning")}
        if kind not in {"message", "agent_message"} or not isinstance(answer, str):
            return {}
        if kind == "agent_message":
            self.by_agent += answer
        elif self.by_agent and answer.startswith(self.by_agent):
            answer, self.by_agent = answer.removeprefix(self.by_agent), ""
        return {"content": answer}


def failed_workflow(data: Event) -> Event | None:
    """The error that a workflow's failed end is."""
    told = _mapping(data.get("data"))
    if data.get("event") != "workflow_finished" or told.get("status") != "failed":
        return None
    return {"code": "workflow_failed", "message": str(told.get("error") or "the workflow failed")}


def _mapping(value: Any) -> Event:
    return value if isinstance(value, Mapping) else {}
