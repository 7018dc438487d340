"""Dify's apps: what one is asked, and what the events of its answer mean.

A model, its temperature and its ways are fixed in the app, so nothing of the kind is sent. Events are those
of Dify's documentation for its four kinds of apps; what is not named here (files, sounds, thoughts in prose,
the workings of a workflow) is not part of an answer.

Two things cannot be said in a stream of text. An agent of the new kind repeats its whole answer at the end:
the repetition is left out. And moderation may replace all that was said: text that has been handed on cannot
be taken back, so nothing more of it is given, and the call ends as a failure (content policy) with the
replacement as its message, once the totals have come. Where nothing has been said yet, it is the answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from llm_adapter.backends.retrying_client import Request, json_object
from llm_adapter.backends.stream_reader import EventReader
from llm_adapter.chunks import Chunk, details, totals
from llm_adapter.failures import InBandError
from llm_adapter.requests import Outgoing
from llm_adapter.responses import LLMStreamResponse

CHAT_PATH = "/chat-messages"

Event = Mapping[str, Any]


def body(outgoing: Outgoing) -> dict[str, Any]:
    """The request's body; a caller's `extra_body` may name a conversation, inputs or files."""
    return {
        "query": outgoing.messages[-1].get("content") if outgoing.messages else "",
        "user": outgoing.user,
        "response_mode": "streaming",
        "auto_generate_name": False,
        "inputs": {},
        "files": [],
        **(outgoing.params.get("extra_body") or {}),
    }


def error_document(document: Any) -> Any:
    """An error as `failures` reads one."""
    code = document.get("code") if isinstance(document, Mapping) else None
    if code is None:
        return document
    return {"code": code, "type": f"dify:{code}", "message": document.get("message") or ""}


def request(outgoing: Outgoing, _model: str, sent: Mapping[str, Any], headers: Mapping[str, str]) -> Request:
    """The request for one call."""
    key = {"authorization": f"Bearer {outgoing.api_key}"}
    query = outgoing.params.get("extra_query")
    return Request(
        url=outgoing.base_url.rstrip("/") + CHAT_PATH + (f"?{urlencode(query)}" if query else ""),
        headers={"content-type": "application/json", **key, **headers},
        body=json.dumps(sent, ensure_ascii=False),
        timeout=outgoing.params.get("timeout"),
    )


# Answers


def reader(response: Any) -> EventReader:
    """Reads the answer's pieces.

    Raises, when it reads:
        InBandError: the app failed, waits for a person, or its answer was moderated away.
        ValueError: what came is not a JSON object.
    """
    events = _Reader(request=response.request)
    return EventReader(
        read=lambda data: events.read(json_object(data)),
        own=frozenset({"code", "event"}),
        finish=events.finish,
        response=response,
    )


@dataclass(kw_only=True, slots=True)
class _Reader:
    """What has been said so far, and what must be reported at the end."""

    request: Any
    said: list[str] = field(default_factory=list)
    by_agent: list[str] = field(default_factory=list)
    replaced: bool = False
    trouble: Mapping[str, Any] | None = None

    def read(self, event: Event) -> Iterator[Chunk]:
        """The pieces of text, of reasoning, or the totals that an event holds."""
        kind = event.get("event")
        if kind == "error" or (kind is None and event.get("code")):
            raise InBandError(error_document(event), self.request)
        act = _MEANINGS.get(str(kind))
        if act is not None:
            yield from act(self, event)

    def finish(self) -> None:
        """Tell what went wrong without an error event."""
        if self.trouble is not None:
            raise InBandError(self.trouble, self.request)

    def message(self, event: Event) -> Iterator[Chunk]:
        """A piece of the answer, or all of it once more."""
        answer, agent = _answer(event), "".join(self.by_agent)
        if agent and answer.startswith(agent):
            answer = answer.removeprefix(agent)
            self.by_agent.clear()
            if not answer:
                return
        yield from self._say(event, answer)

    def agent_message(self, event: Event) -> Iterator[Chunk]:
        """A piece of an agent's answer."""
        self.by_agent.append(_answer(event))
        yield from self._say(event, _answer(event))

    def message_replace(self, event: Event) -> Iterator[Chunk]:
        """All that was said is to be forgotten."""
        instead = _answer(event)
        if not any(self.said):
            yield from self._say(event, instead)
        else:
            self.trouble = _trouble("message_replace", instead)
        self.replaced = True

    def message_end(self, event: Event) -> Iterator[Chunk]:
        """The end, with the totals."""
        counted = (event.get("metadata") or {}).get("usage") or {}
        usage = totals(counted) or None
        yield Chunk(id=_id(event), finish_reason="message_end", usage=usage, details=details(counted))

    def reasoning_chunk(self, event: Event) -> Iterator[Chunk]:
        """A piece of the model's reasoning."""
        piece = (event.get("data") or {}).get("reasoning")
        if isinstance(piece, str) and piece:
            yield Chunk(id=_id(event), reasoning=piece)

    def workflow_finished(self, event: Event) -> Iterator[Chunk]:
        """A workflow that failed says so before its error event, and perhaps without one."""
        data = event.get("data") or {}
        if data.get("status") == "failed":
            self.trouble = _trouble("workflow_failed", data.get("error") or "the workflow failed")
        yield from ()

    def workflow_paused(self, _event: Event) -> Iterator[Chunk]:
        """The app wants a person to fill in a form, for which there is no place here."""
        self.trouble = _trouble("workflow_paused", "the app waits for a person's input")
        yield from ()

    def _say(self, event: Event, answer: str) -> Iterator[Chunk]:
        if self.replaced:
            return
        self.said.append(answer)
        yield Chunk(id=_id(event), text=answer, shown=shown(event, answer))


_MEANINGS: Mapping[str, Callable[[_Reader, Event], Iterator[Chunk]]] = {
    "message": _Reader.message,
    "agent_message": _Reader.agent_message,
    "message_replace": _Reader.message_replace,
    "message_end": _Reader.message_end,
    "reasoning_chunk": _Reader.reasoning_chunk,
    "workflow_finished": _Reader.workflow_finished,
    "workflow_paused": _Reader.workflow_paused,
}


def shown(event: Event, answer: str) -> LLMStreamResponse:
    """What callers have always been given for a piece: every one of them is the end."""
    return LLMStreamResponse(
        id=_id(event), is_end=True, is_truncated=False, result=answer, finish_reason=None, usage=None
    )


def _trouble(code: str, message: str) -> dict[str, Any]:
    return {"code": code, "type": f"dify:{code}", "message": message}


def _answer(event: Event) -> str:
    answer = event.get("answer")
    return answer if isinstance(answer, str) else ""


def _id(event: Event) -> str:
    return str(event.get("task_id") or "")
