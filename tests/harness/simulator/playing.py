"""Ways to have a dialect play without a socket, and to read what it said."""

from __future__ import annotations

import json
from typing import Any

import pytest

from llm_contracts.simulator.ask import ParsedRequest
from llm_contracts.simulator.dialects import DIALECTS
from llm_contracts.simulator.engine import KEY, Reply, Responder
from llm_contracts.simulator.scripts import SCRIPTS

CHAT = "/chat/completions"

MODELS = {
    "openai": "gpt-4o-mini",
    "deepseek": "deepseek-chat",
    "qwen": "qwen-plus",
    "ernie": "ernie-4.5-turbo-128k",
    "glm": "glm-4-flash",
    "ark": "doubao-1-5-lite-32k-250115",
    "silicon": "Qwen/Qwen2.5-7B-Instruct",
}
"""A model of each that does not think."""

each_dialect = pytest.mark.parametrize(("dialect", "model"), MODELS.items(), ids=list(MODELS))


def ask(model: str, *, path: str = CHAT, key: str | None = KEY, **body: Any) -> ParsedRequest:
    messages = [{"role": "user", "content": "json"}]
    return ParsedRequest(
        path=path, key=key, body={"model": model, "messages": messages, "stream": True, **body}
    )


def play(dialect: str, script: str, asked: ParsedRequest, number: int = 0) -> Reply:
    turns, seed = SCRIPTS[script], f"{dialect}/{script}/{number}"
    turn = turns[min(number, len(turns) - 1)]
    return Responder(dialect=DIALECTS[dialect], seed=seed).respond(asked, turn)


def chunks(body: bytes) -> list[dict[str, Any]]:
    events = [event.removeprefix("data:").strip() for event in body.decode().split("\n\n")]
    return [json.loads(event) for event in events if event.startswith("{")]


def simulated(
    dialect: str, script: str, model: str, *, usage: bool = True, **more: Any
) -> list[dict[str, Any]]:
    options: dict[str, Any] = {"stream_options": {"include_usage": True}} if usage else {}
    return chunks(b"".join(play(dialect, script, ask(model, **options, **more)).pieces))


def choices(stream: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """All choices in order. An error in mid-stream has none."""
    return [choice for chunk in stream for choice in chunk.get("choices", ())]


def finishes(stream: list[dict[str, Any]]) -> list[str]:
    return [choice["finish_reason"] for choice in choices(stream) if choice.get("finish_reason")]


def text(stream: list[dict[str, Any]]) -> str:
    return "".join(choice["delta"].get("content") or "" for choice in choices(stream))
