"""Many defects in one client do not hide each other, nor what is overlooked beside them."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llm_contracts import Call, Item
from llm_contracts.cli import run
from llm_contracts.run.engines import Engine, EngineName, opened
from llm_contracts.run.pairing import Pairing, Side
from llm_contracts.wire.cassette import Cassette, save
from llm_contracts.wire.interaction import Interaction, Response
from tests.contracts.defects.proof import unlike
from tests.harness.run import combined
from tests.harness.run.combined import OVERLOOKED, SEEN, Edit
from tests.harness.run.projects import CLIENTS, cassette, make_project
from tests.harness.wire.exchanges import DONE, event

PARAMS = {
    "temperature": 1,
    "top_p": 0.5,
    "tools": [
        {
            "type": "function",
            "function": {
                "name": "f",
                "parameters": {
                    "type": "object",
                    "properties": {"a": {"type": "integer"}, "b": {"type": "string"}},
                },
            },
        }
    ],
}
DELTAS: tuple[dict[str, Any], ...] = (
    {"role": "assistant", "content": ""},
    {"reasoning_content": "hm"},
    {"content": "hel"},
    {"content": "lo"},
    {
        "tool_calls": [
            {"index": 0, "id": "c1", "type": "function", "function": {"name": "f", "arguments": ""}}
        ]
    },
    {"tool_calls": [{"index": 0, "function": {"arguments": '{"a": '}}]},
    {"tool_calls": [{"index": 0, "function": {"arguments": "1}"}}]},
    {},
)
USAGE = {
    "prompt_tokens": 5,
    "completion_tokens": 7,
    "total_tokens": 12,
    "prompt_tokens_details": {"cached_tokens": 3},
}


def _chunk(**more: Any) -> bytes:
    labels = {"id": "chatcmpl-1", "object": "chat.completion.chunk", "created": 1767225600, "model": "acme-1"}
    return event({**labels, "service_tier": "default", "usage": None, **more})


def _choice(delta: dict[str, Any]) -> dict[str, Any]:
    probable = {"content": [{"token": "hel", "logprob": -0.1}]} if delta.get("content") == "hel" else None
    return {
        "index": 0,
        "delta": delta,
        "logprobs": probable,
        "finish_reason": None if delta else "tool_calls",
    }


BODY = b"".join(
    [
        *(_chunk(choices=[_choice(delta)]) for delta in DELTAS),
        _chunk(choices=[], usage=USAGE, citations=["https://acme.example/a"]),
        DONE,
    ]
)


COMBINED = """
from tests.harness.run.combined import OVERLOOKED, SEEN, client

CLIENTS |= {
    "sound": client(),
    "overlooked": client(*OVERLOOKED),
    "everything": client(*OVERLOOKED, *SEEN),
}
"""
SCENARIO = """
from llm_contracts.project.scenario import Scenario

HELLO = ({{"role": "user", "content": "hello"}},)
SCENARIOS = (
    Scenario(id="plain-stream", provider="acme", model="acme-1", messages=HELLO, params={params}),
    Scenario(id="plain-stream", provider="zenith", model="zenith-1", messages=HELLO),
)
"""


def recording() -> Cassette:
    return replace(cassette("acme/plain-stream", provenance="live"), interactions=(recorded(),))


def recorded() -> Interaction:
    (one,) = cassette("acme/plain-stream", provenance="live").interactions
    asked = {"model": "acme-1", "messages": [{"role": "user", "content": "hello"}], "stream": True, **PARAMS}
    answer = Response(status=200, reason="OK", headers=one.response.headers, body=BODY)
    return replace(one, request=replace(one.request, body=json.dumps(asked).encode()), response=answer)


@pytest.fixture(scope="module")
def engine() -> Iterator[Engine]:
    with opened(EngineName.WIRE) as found:
        yield found


def compared(engine: Engine, *edits: Edit) -> Item:
    sides = (Side(name="sound", client=combined.client()), Side(name="other", client=combined.client(*edits)))
    match = Pairing(reference=sides[0], candidate=sides[1], engine=engine, timeout=20)
    call = Call(
        base_url="https://api.acme.example/v1",
        api_key="k",
        provider="acme",
        model="acme-1",
        messages=({"role": "user", "content": "hello"},),
        params=PARAMS,
    )
    return match.run(Item(id="acme/a", provider="acme", scenario="a"), (recorded(),), call)


def unseen(item: Item, *edits: Edit) -> list[str]:
    wanted = tuple(edit.shown for edit in edits if isinstance(edit.shown, tuple))
    assert len(wanted) == len(edits)
    return [each for each in unlike(item, wanted) if each.startswith("not reported")]


@pytest.fixture(autouse=True)
def _variable(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COMBINED_CLIENT", "")


def test_what_is_overlooked_is_counted_by_its_name(engine: Engine) -> None:
    item = compared(engine, *OVERLOOKED)
    assert [(d.kind, d.where) for d in item.divergences if d.severity != "cosmetic"] == []
    assert set(item.normalised) >= {edit.shown for edit in OVERLOOKED}


@pytest.mark.parametrize("edit", SEEN, ids=lambda edit: edit.name)
def test_a_defect_is_seen_among_all_that_is_overlooked(engine: Engine, edit: Edit) -> None:
    assert unseen(compared(engine, *OVERLOOKED, edit), edit) == []


def test_each_of_many_defects_is_seen_beside_the_others_and_what_is_overlooked(engine: Engine) -> None:
    item = compared(engine, *OVERLOOKED, *SEEN)
    assert unseen(item, *SEEN) == []
    assert set(item.normalised) >= {edit.shown for edit in OVERLOOKED}


@pytest.mark.parametrize(
    ("candidate", "answer"), [("overlooked", "GO     ready"), ("everything", "NO-GO  blocked")]
)
def test_a_verdict_shows_how_often_what_was_overlooked(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    candidate: str,
    answer: str,
) -> None:
    monkeypatch.chdir(tmp_path)
    make_project(tmp_path, "zenith/plain-stream")
    (tmp_path / "contracts" / "clients.py").write_text(f"{CLIENTS}{COMBINED}")
    (tmp_path / "contracts" / "scenarios.py").write_text(SCENARIO.format(params=PARAMS))
    save(tmp_path / "cassettes/acme/plain-stream.yaml", recording())
    run(["check", "--reference", "sound", "--candidate", candidate, "--provider", "acme"])
    said = capsys.readouterr().out
    assert f"{answer}: acme" in said
    line = said[said.index("Normalised, not counted as differences:") :].replace("\n", " ")
    for edit in OVERLOOKED:
        assert re.search(rf"\b{edit.shown} ×[1-9]", line), edit.name
