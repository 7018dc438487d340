"""Dify's events: each says in `event` what it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llm_contracts import Protocol, Reading

Document = Mapping[str, Any]


def _speaks(document: Document) -> bool:
    return isinstance(document.get("event"), str) and "choices" not in document


@dataclass(slots=True)
class _Reader:
    """Reads the events of one answer. What agents repeat at their end is not text: it was there already."""

    by_agent: str = ""

    def __call__(self, event: Document) -> Reading:
        usage = _mapping(_mapping(event.get("metadata")).get("usage"))
        chunk = {
            "id": event.get("task_id"),
            "choices": [{"delta": self._delta(event)}],
            **({"usage": usage} if usage else {}),
        }
        return Reading(chunk=chunk, last=event["event"] == "message_end")

    def _delta(self, event: Document) -> Document:
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


def _failed_workflow(document: Document) -> Document | None:
    """The error that the end of a failed workflow is."""
    data = _mapping(document.get("data"))
    if document.get("event") != "workflow_finished" or data.get("status") != "failed":
        return None
    return {"code": "workflow_failed", "message": str(data.get("error") or "the workflow failed")}


def _mapping(value: Any) -> Document:
    return value if isinstance(value, Mapping) else {}


DIFY = Protocol(
    name="dify",
    speaks=_speaks,
    reader=_Reader,
    error=_failed_workflow,
    members=frozenset({"event", "answer", "metadata", "task_id", "conversation_id", "message_id"}),
)
