"""The clients that docs/clients.md writes for frameworks read our recordings as the openai SDK does.

`make frameworks` runs this beside the locked frameworks, `python -m tools.beside_releases` beside the newest.
"""

from __future__ import annotations

import json
import re
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.clients.builtin import openai
from llm_contracts.clients.call import Call, Client
from llm_contracts.clients.observation import Observation
from llm_contracts.clients.observe import observe
from llm_contracts.wire.cassette import load
from llm_contracts.wire.proxy.playback_options import PlaybackOptions
from llm_contracts.wire.proxy.server import Edge

ROOT = Path(__file__).parents[3]
PAGE = ROOT / "docs" / "clients.md"
NAMES = {
    "langchain_openai": "langchain_openai",
    "langchain_litellm": "langchain_litellm",
    "pydantic_ai": "pydantic_ai",
    "openai_agents": "agents",
    "httpx_sse": "httpx_sse",
}
"""Client → the module that it needs."""

HANDED_ON = ("httpx_sse", "mid-stream-error")
"""No SDK is there to raise the error that comes in an event."""


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


def seen(client: Client, name: str, scenario: str) -> Observation:
    recorded = load(ROOT / "cassettes" / "openai" / f"{scenario}.yaml").interactions
    asked = json.loads(recorded[0].request.body)
    with Edge() as edge, edge.replay(recorded, PlaybackOptions(lockstep=True, patience=10)) as session:
        call = Call(
            base_url=session.origin + "/v1",
            api_key="sk-made-up-0123456789",  # pragma: allowlist secret
            provider="openai",
            model=asked.pop("model"),
            messages=tuple(asked.pop("messages")),
            params={name: value for name, value in asked.items() if name != "stream"},
        )
        return observe(client, call, name=name, session=session)


def calls_of(seen: Observation) -> tuple[str, str]:
    """The names of all calls, and all of their arguments."""
    pieces = [call for chunk in seen.chunks for call in chunk.tool_calls]
    names, arguments = ([str(call.get(key) or "") for call in pieces] for key in ("name", "arguments"))
    return "".join(names), "".join(arguments)


def counted(seen: Observation) -> tuple[object, ...]:
    totals = seen.reported_usage[-1]
    return totals.prompt_tokens, totals.completion_tokens, totals.total_tokens


@pytest.mark.filterwarnings("default")  # of the frameworks' own making
@pytest.mark.parametrize("name", NAMES)
def test_a_framework_is_a_client_in_a_few_lines(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    client = written(name)
    if find_spec(NAMES[name]) is None:
        pytest.skip(f"needs {NAMES[name]}")
    monkeypatch.setenv("LITELLM_LOCAL_MODEL_COST_MAP", "True")
    for scenario in ("plain-stream", "tool-calls", "mid-stream-error", "wrong-key"):
        theirs, ours = (seen(one, of, scenario) for one, of in ((client, name), (openai, "openai")))
        assert (theirs.deltas, calls_of(theirs)) == (ours.deltas, calls_of(ours)), scenario
        assert len(theirs.requests) == len(ours.requests) == 1
        if (name, scenario) == ("openai_agents", "tool-calls"):  # it calls tools itself, and here has none
            assert theirs.failure is not None
            assert theirs.failure.category == "ModelBehaviorError"
            continue
        assert (theirs.failure is None) is (ours.failure is None or (name, scenario) == HANDED_ON)
        if ours.failure is None:
            assert counted(theirs) == counted(ours)
            # The Agents SDK turns chunks into events of the Responses API, whose `completed` it leaves out.
            finish = () if name == "openai_agents" else ours.finish_reasons
            assert [reason.rstrip("s") for reason in theirs.finish_reasons] == [r.rstrip("s") for r in finish]
    assert theirs.failure is not None
    assert theirs.failure.status == 401
