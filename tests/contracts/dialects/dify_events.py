"""What the other kinds of Dify apps put into a stream, as bytes between a chatbot's events.

All of it has the ids of one conversation, for Dify's events refer to each other by these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from llm_contracts.simulator import shapes, texts
from llm_contracts.simulator.dialect import compact, uuid_like
from llm_contracts.simulator.script import Ending, Insert, ScriptedAnswer

COMMON: Mapping[str, str] = {
    "task_id": uuid_like("dify/task"),
    "message_id": uuid_like("dify/message"),
    "conversation_id": uuid_like("dify/conversation"),
}
_REPLACED = "这个回答不合适，已被替换。"
_PING = b"event: ping\n\n"


def _event(kind: str, **more: Any) -> bytes:
    return f"data: {compact({'event': kind, **COMMON, **more, 'created_at': shapes.EPOCH})}\n\n".encode()


def _workflow(kind: str, **data: Any) -> bytes:
    run = uuid_like("dify/run")
    return _event(kind, workflow_run_id=run, data={"id": run, "created_at": shapes.EPOCH, **data})


def _at(after: float, events: Iterable[bytes]) -> tuple[Insert, ...]:
    return tuple(Insert(after=after, raw=event) for event in events)


_SAID = [_event("agent_message", answer=piece) for piece in texts.CONCLUSION]
_THOUGHT = _event(
    "agent_thought", id="a1", position=1, thought="数一数", observation="", tool="", tool_input=""
)
_REASONING = [
    _event("reasoning_chunk", data={"reasoning": piece, "node_id": "llm", "is_final": False})
    for piece in texts.THOUGHTS
]
_FILE = _event("message_file", id="f1", type="image", belongs_to="assistant", url="https://example.com/1.png")
_SOUND = (_event("tts_message", audio="SUQz"), _event("tts_message_end", audio=""))
_BEGUN = (
    _workflow("workflow_started", workflow_id="wf", inputs={}, reason="initial"),
    _workflow("node_started", node_id="llm", node_type="llm", title="LLM", index=1),
)
_NODE_ENDED = _workflow("node_finished", node_id="llm", node_type="llm", status="succeeded", error=None)
_SUCCEEDED = _workflow("workflow_finished", status="succeeded", error=None, total_tokens=50, total_steps=2)
_FAILED = _workflow("workflow_finished", status="failed", error="node llm: the model failed", total_steps=1)


def _answer(text: texts.Pieces, *inserts: Insert, ending: Ending = Ending.WHOLE) -> ScriptedAnswer:
    return ScriptedAnswer(text=text, json_text=text, inserts=inserts, ending=ending)


_ANSWERS: Mapping[str, ScriptedAnswer] = {
    "dify-ping": _answer(texts.FOLLOW_UP, *_at(0.0, [_PING]), *_at(0.5, [_PING, _PING])),
    "dify-agent": _answer((), *_at(0.0, [_THOUGHT, *_SAID, _FILE])),
    "dify-new-agent": _answer(("".join(texts.CONCLUSION),), *_at(0.0, _SAID)),
    "dify-workflow": _answer(
        texts.CONCLUSION, *_at(0.0, _BEGUN), *_at(0.8, [_NODE_ENDED]), *_at(1.0, [_SUCCEEDED])
    ),
    "dify-workflow-failed": _answer(
        texts.CONCLUSION, *_at(0.0, _BEGUN), *_at(1.0, [_FAILED]), ending=Ending.ERROR
    ),
    "dify-replaced": _answer(
        texts.DANGEROUS, *_at(0.5, [_event("message_replace", answer=_REPLACED, reason="moderation")])
    ),
    "dify-replaced-at-once": _answer(
        (), *_at(0.0, [_event("message_replace", answer=_REPLACED, reason="moderation")])
    ),
    "dify-reasoning": _answer(texts.CONCLUSION, *_at(0.0, _REASONING)),
    "dify-sound": _answer(texts.FOLLOW_UP, *_at(0.5, _SOUND)),
}
SCRIPTS = {name: (answer,) for name, answer in _ANSWERS.items()}
"""By the name of the situation."""
