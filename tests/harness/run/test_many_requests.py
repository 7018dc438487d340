"""One call may make many requests: ten at once, or an agent's loop. Each is recorded and compared."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from openai import AsyncOpenAI, OpenAI

from llm_contracts.clients.call import Call, Client
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.result import Item
from llm_contracts.project.config import Project, load_settings
from llm_contracts.project.scenario import Provider, Scenario
from llm_contracts.record.run import record
from llm_contracts.record.source import RecordOptions, Source
from llm_contracts.run.check import check
from llm_contracts.run.options import Options
from llm_contracts.wire.cassette import load

Messages = list[dict[str, Any]]


def _questions() -> list[Messages]:
    return [[{"role": "user", "content": f"Question {number}"}] for number in range(10)]


def at_once(call: Call, questions: Callable[[], list[Messages]] = _questions) -> Iterator[Any]:
    with OpenAI(base_url=call.base_url, api_key=call.api_key) as client:

        def ask(messages: Messages) -> list[Any]:
            given: Any = {"model": call.model, "messages": messages, "stream": True, **call.params}
            return list(client.chat.completions.create(**given))

        with ThreadPoolExecutor(10) as pool:
            for chunks in pool.map(ask, questions()):
                yield from chunks


async def at_once_async(call: Call) -> AsyncIterator[Any]:
    async with AsyncOpenAI(base_url=call.base_url, api_key=call.api_key) as client:

        async def ask(messages: Messages) -> list[Any]:
            given: Any = {"model": call.model, "messages": messages, "stream": True, **call.params}
            async with await client.chat.completions.create(**given) as stream:
                return [chunk async for chunk in stream]

        for chunks in await asyncio.gather(*map(ask, _questions())):
            for chunk in chunks:
                yield chunk


def one_otherwise(call: Call) -> Iterator[Any]:
    asked = _questions()
    asked[7][0]["content"] = "Question seven"
    yield from at_once(call, lambda: asked)


def loop(call: Call, results: Callable[[int], str] = "result {}".format) -> Iterator[Any]:
    """Three turns, each with a call of a tool and its result; every chunk is handed on."""
    messages: Messages = [dict(message) for message in call.messages]
    with OpenAI(base_url=call.base_url, api_key=call.api_key) as client:
        for turn in range(3):
            given: Any = {"model": call.model, "messages": messages, "stream": True, **call.params}
            with client.chat.completions.create(**given) as stream:
                arguments, name = "", ""
                for chunk in stream:
                    yield chunk
                    for piece in chunk.choices[0].delta.tool_calls or () if chunk.choices else ():
                        name, arguments = piece.id or name, arguments + (piece.function.arguments or "")
            function = {"name": "get_weather", "arguments": arguments}
            called = {"id": name, "type": "function", "function": function}
            messages += [
                {"role": "assistant", "content": None, "tool_calls": [called]},
                {"role": "tool", "tool_call_id": name, "content": results(turn)},
            ]


def same_loop(call: Call) -> Iterator[Any]:
    yield from loop(call)


def forgetful_loop(call: Call) -> Iterator[Any]:
    yield from loop(call, lambda turn: f"result {turn}" if turn != 1 else "")


TOOL = {"type": "function", "function": {"name": "get_weather", "parameters": {"type": "object"}}}
SCENARIO = Scenario(
    id="many",
    provider="openai",
    model="gpt-5-nano",
    messages=({"role": "user", "content": "Rome?"},),
    params={"stream_options": {"include_usage": True}},
    script="plain-stream",
)
LOOP = replace(SCENARIO, script="tool-calls", params={"tools": [TOOL]})
PROVIDER = Provider(name="openai", base_url="https://api.openai.com/v1", key_variable="OPENAI_API_KEY")
CLIENTS: Mapping[str, Client] = {
    one.__name__: one for one in (at_once, at_once_async, one_otherwise, loop, same_loop, forgetful_loop)
}


@pytest.fixture(scope="module", params=["at_once", "loop"])
def recorded(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Project:
    folder: Path = tmp_path_factory.mktemp(request.param)
    scenario = SCENARIO if request.param == "at_once" else LOOP
    settings = replace(load_settings(folder), reference=request.param)
    project = Project(settings=settings, clients=CLIENTS, providers=(PROVIDER,), scenarios=(scenario,))
    report = record(project, (scenario,), RecordOptions(source=Source.SIMULATOR, environ={}))
    assert [str(take.outcome) for take in report.takes] == ["recorded"], report.takes
    return project


def compared(project: Project, candidate: str) -> Item:
    options = Options(today=datetime.now(UTC).date(), jobs=1, candidate=candidate)
    (item,) = check(project, project.scenarios, options).items
    assert item.problem is None
    return item


def differing(item: Item) -> list[tuple[str, str]]:
    return [(str(one.kind), one.where) for one in (*item.divergences, *item.noise)]


EXPECTED = {"at_once": (10, "at_once_async"), "loop": (3, "same_loop")}


def test_every_request_is_recorded_and_compared(recorded: Project) -> None:
    requests, candidate = EXPECTED[recorded.settings.reference]
    exchanges = load(recorded.cassette(recorded.scenarios[0])).interactions
    assert len({exchange.request.body for exchange in exchanges}) == requests
    item = compared(recorded, candidate)
    assert item.candidate is not None
    assert (len(item.candidate.requests), differing(item)) == (requests, [])


def test_one_request_of_many_that_asks_otherwise_is_found(recorded: Project) -> None:
    candidate, shown = {
        "at_once": ("one_otherwise", "Question seven"),
        "loop": ("forgetful_loop", ""),
    }[recorded.settings.reference]
    # What was not asked before is answered with what another request was: more may differ then, by chance.
    (found,) = (one for one in compared(recorded, candidate).divergences if one.kind is Kind.REQUEST_BODY)
    assert found.candidate == shown
    assert json.dumps(found.where).count("messages") == 1
