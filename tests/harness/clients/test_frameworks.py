"""The clients that docs/clients.md writes for frameworks read a recording as the openai SDK does.

Their libraries are in no lock: `python -m tools.beside_releases` runs this beside them.
"""

from __future__ import annotations

import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.clients.builtin import openai
from llm_contracts.clients.call import Call, Client
from llm_contracts.clients.observation import Observation
from llm_contracts.clients.observe import observe
from llm_contracts.wire.proxy.server import Edge
from tests.harness.wire.exchanges import DONE, event, streamed

PAGE = Path(__file__).parents[3] / "docs" / "clients.md"
NAMES = {
    "langchain_openai": "langchain_openai",
    "langchain_litellm": "langchain_litellm",
    "pydantic_ai": "pydantic_ai",
    "openai_agents": "agents",
    "httpx_sse": "httpx_sse",
}
"""Client → the module that it needs."""


def written(name: str) -> Client:
    source = next(
        block
        for block in re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
        if f"def {name}(" in block
    )
    assert len(source.splitlines()) <= 16
    namespace: dict[str, Any] = {}
    exec(compile(source, PAGE, "exec"), namespace)
    client: Client = namespace[name]
    return client


def chunk(delta: dict[str, Any], finish: str | None = None, **more: Any) -> bytes:
    choice = {"index": 0, "delta": delta, "finish_reason": finish}
    common = {"id": "r1", "object": "chat.completion.chunk", "created": 1767225600, "model": "m"}
    return event({**common, "choices": [choice], **more})


USAGE = {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": 5}
ANSWER = streamed(
    chunk({"role": "assistant", "content": "Hel"})
    + chunk({"content": "lo"})
    + chunk({}, "stop")
    + chunk({}, choices=[], usage=USAGE)
    + DONE
)


def seen(client: Client, name: str) -> Observation:
    with Edge() as edge, edge.replay([ANSWER], lockstep=True, patience=10) as session:
        call = Call(
            base_url=session.origin + "/v1",
            api_key="sk-made-up-0123456789",  # pragma: allowlist secret
            provider="openai",
            model="m",
            messages=({"role": "user", "content": "Hi"},),
            params={"stream_options": {"include_usage": True}},
        )
        return observe(client, call, name=name, session=session)


@pytest.mark.filterwarnings("default")  # of the frameworks' own making
@pytest.mark.parametrize("name", NAMES)
def test_a_framework_is_a_client_in_a_few_lines(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = written(name)
    if find_spec(NAMES[name]) is None:
        pytest.skip(f"needs {NAMES[name]}")
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    theirs, ours = seen(client, name), seen(openai, "openai")
    assert theirs.failure is None, theirs.failure.message
    assert (theirs.text, theirs.deltas) == (ours.text, ours.deltas) == ("Hello", ("Hel", "lo"))
    assert theirs.reported_usage[-1].total_tokens == ours.reported_usage[-1].total_tokens == 5
    # The Agents SDK turns chunks into events of the Responses API, whose `completed` it leaves out.
    assert theirs.finish_reasons == (() if name == "openai_agents" else ("stop",))
    assert len(theirs.requests) == 1
