"""A recording that shows a difference becomes the smallest one that still does, and a file that shows it."""

from __future__ import annotations

import ast
import json
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.cli import run
from llm_contracts.cli.exit_codes import Exit
from llm_contracts.clients.call import Call, Function
from llm_contracts.corpus.judge import CHAT
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.project.config import ConfigError
from llm_contracts.reduce.ddmin import ddmin
from llm_contracts.reduce.reproduce import reproduction
from llm_contracts.reduce.run import Reduced
from llm_contracts.wire.cassette import load, save
from llm_contracts.wire.interaction import End, Interaction, Piece, Request, Response
from tests.harness.importing.test_importing import exchange, write_cassette
from tests.harness.run.projects import cassette, make_project
from tests.harness.wire.exchanges import DONE, JSON, event, stream, streamed, text_event

pytestmark = pytest.mark.long


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return make_project(tmp_path)


def test_what_is_not_needed_is_left_out() -> None:
    asked = []

    def holds(some: Sequence[int]) -> bool:
        asked.append(some)
        return {3, 700} <= set(some)

    assert ddmin(range(1000), holds) == [3, 700]
    assert len(asked) < 200


def shouted(project: Path, *texts: str, **asked: str) -> Path:
    """A recording of a stream of these texts; `asked`: further headers of the request."""
    file = write_cassette(project / "long.yaml", exchange(uri="https://api.acme.example/v1" + CHAT))
    (one,) = load(file).interactions
    request = replace(one.request, headers=(*one.request.headers, *asked.items()))
    response = Response(status=200, headers=one.response.headers, body=stream(*texts))
    return write_cassette(file, Interaction(request=request, response=response))


def reduced(*options: str) -> int:
    """Between a client and one that shouts letters; digits it hands on as they are."""
    return run(["reduce", *options, "--reference", "plain", "--candidate", "shouting"])


@pytest.mark.parametrize("number", [7, 1000])
def test_of_many_events_the_one_is_left_that_differs(
    project: Path, capsys: pytest.CaptureFixture[str], number: int
) -> None:
    """Where it stands in the text changes with every event that is left out."""
    texts = [f"{count} " for count in range(number)]
    texts.insert(number // 2, "secret")
    shouted(project, *texts)
    assert reduced("long.yaml", "--to", "small.yaml", "--json", "-") == 0
    document = json.loads(capsys.readouterr().out)
    assert (document["kind"], document["where"]) == ("text", "text[0]")
    assert (document["events_before"], document["events"]) == (number + 3, 1)
    assert document["attempts"] < 100
    assert "secret" not in (project / "small.yaml").read_text()
    (kept,) = load(project / "small.yaml").interactions
    assert [kept.response.body.decode()] == document["bodies"]


_CHANGING = """
def changing(call):
    for chunk in plain(call):
        for choice in chunk.get("choices", ()):
            if choice.get("finish_reason") not in (None, "length", "stop"):
                choice["finish_reason"] = "stop"
        if {"prompt_tokens", "completion_tokens"} <= {*(chunk.get("usage") or {})}:
            chunk["usage"]["total_tokens"] = 7
        yield chunk


CLIENTS["changing"] = changing
"""


@pytest.mark.parametrize(
    ("kind", "left"),
    [("finish_reason", '"finish_reason": "sensitive"'), ("usage", '"total_tokens": 40')],
)
def test_what_is_left_shows_the_same_fault_and_no_other(project: Path, kind: str, left: str) -> None:
    """A reason that no API has, and totals without their sum, would differ too, for reasons of their own."""
    clients = project / "contracts" / "clients.py"
    clients.write_text(clients.read_text() + _CHANGING)
    last = {"index": 0, "delta": {}, "finish_reason": "sensitive"}
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 40}
    body = text_event("a") + event({"choices": [last]}) + event({"choices": [], "usage": usage}) + DONE
    one = exchange(uri="https://api.acme.example/v1" + CHAT)
    write_cassette(project / "long.yaml", replace(one, response=replace(one.response, body=body)))
    options = ["--reference", "plain", "--candidate", "changing", "--kind", kind, "--to", "small.yaml"]
    assert run(["reduce", "long.yaml", *options]) == 0
    (kept,) = load(project / "small.yaml").interactions
    assert left in kept.response.body.decode()


def test_a_call_of_another_api_stays_what_it_is(project: Path) -> None:
    """An answer in one piece to a captured call: its request is no chat."""
    asked = {"model": "m", "input": "hi"}
    answer = {"object": "list", "data": [{"index": 0, "embedding": [1, 2], "extra": "secret"}]}
    request = Request(
        method="POST",
        uri="https://api.acme.example/v1/embeddings",
        headers=JSON,
        body=json.dumps(asked).encode(),
    )
    response = Response(status=200, headers=JSON, body=json.dumps(answer).encode())
    name = "acme/captured-embeddings-1"
    recording = replace(
        cassette("acme/plain-stream"), interactions=(Interaction(request=request, response=response),)
    )
    save(project / "cassettes" / f"{name}.yaml", recording)
    clients = project / "contracts" / "clients.py"
    clients.write_text(
        clients.read_text()
        + """
def post(call):
    body = json.dumps({"model": call.model, "input": call.input}).encode()
    headers = {"Content-Type": "application/json"}
    request = urllib.request.Request(f"{call.base_url}/embeddings", body, headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        return json.load(response)


def without_extra(call):
    answer = post(call)
    for one in answer["data"]:
        one.pop("extra", None)
    return answer


CLIENTS |= {"post": post, "without": without_extra}
"""
    )
    options = ["--reference", "post", "--candidate", "without", "--to", "small.yaml", "--no-anonymise"]
    assert run(["reduce", name, *options]) == 0
    (kept,) = load(project / "small.yaml").interactions
    assert json.loads(kept.request.body) == asked
    assert json.loads(kept.response.body) == {"data": [{"extra": "x"}]}


def test_a_key_in_a_recording_is_not_handed_on(project: Path) -> None:
    key = "made-up-" + "0123456789abcdef"
    shouted(project, "word ", key, Authorization=f"Bearer {key}")
    assert reduced("long.yaml", "--to", "small.yaml", "--no-anonymise") == 0
    assert key not in (project / "small.yaml").read_text()


def test_a_key_in_a_row_keeps_files_from_being_written(
    project: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    key = "made-up-" + "0123456789abcdef"
    monkeypatch.setenv("ACME_API_KEY", key)
    rows = project / "contracts" / "scenarios.py"
    rows.write_text(rows.read_text().replace("acme-1", key))
    assert reduced("acme/plain-stream", "--to", "small.yaml") == Exit.SECRET
    assert not (project / "small.yaml").exists()
    said = capsys.readouterr().err
    assert "ACME_API_KEY" in said
    assert key not in said


def test_what_does_not_differ_is_said(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    write_cassette(project / "a.yaml", exchange(uri="https://api.acme.example/v1" + CHAT))
    assert (
        run(["reduce", "a.yaml", "--reference", "plain", "--candidate", "shouting", "--kind", "usage"]) == 2
    )
    assert "does not show that difference. What differs: text at text" in capsys.readouterr().err


def reduced_call(interaction: Interaction, kind: Kind, **asked: Any) -> Reduced:
    difference = Divergence(kind=kind, where="place", reference="a", candidate="b", fingerprint="f")
    call = Call(
        base_url="u",
        api_key="k",
        provider="p",
        model="m",
        messages=({"role": "user", "content": "hi"},),
        **asked,
    )
    return Reduced(
        difference=difference, call=call, interactions=(interaction,), events=1, events_before=1, attempts=1
    )


def printed(folder: Path, *texts: str) -> list[str]:
    """What files of these texts print, in one process, which imports LiteLLM once."""
    files = [folder / f"bug-{number}.py" for number, _ in enumerate(texts)]
    for file, text in zip(files, texts, strict=True):
        file.write_text(text)
    done = subprocess.run(
        [sys.executable, "-c", _ONE_BY_ONE, *files],
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
        env={"PYTHONWARNINGS": "ignore", "PATH": ""},
    )
    assert done.returncode == 0, done.stderr
    return done.stdout.split("\f")[1:]


_ONE_BY_ONE = """
import runpy, sys
for file in sys.argv[1:]:
    print(end="\\f", flush=True)
    runpy.run_path(file, run_name="__main__")
"""


def reproduced(interaction: Interaction, kind: Kind, **params: object) -> str:
    reduced = reduced_call(interaction, kind, params=params)
    text = reproduction(reduced, reference="openai", candidate="litellm", file="bug.py")
    assert ast.parse(text)
    assert len(text.splitlines()) <= 36
    return text


def test_a_reproduction_runs_by_itself_and_shows_both(tmp_path: Path) -> None:
    """Of a stream, and of an answer in one piece with what was asked."""
    message = {"role": "assistant", "content": "whole"}
    answer = {
        "choices": [{"index": 0, "message": message, "finish_reason": "stop"}],
        "object": "chat.completion",
    }
    response = Response(status=200, headers=JSON, body=json.dumps(answer).encode())
    one = Interaction(request=Request(method="POST", uri="https://a.example"), response=response)
    streams, answers = printed(
        tmp_path,
        reproduced(streamed(text_event("wörld") + stream()), Kind.TEXT),
        reproduced(one, Kind.REQUEST_BODY, stream=False, seed=7),
    )
    assert [said.count("wörld") for said in both(streams)] == [1, 1]
    for said in both(answers):
        assert re.search(r'"seed": ?7', said)
        assert "'content': 'whole'" in said


def both(said: str) -> tuple[str, str]:
    """What was printed of either library."""
    before, _, after = said.partition("--- litellm")
    assert before.startswith("--- openai")
    return before, after


def test_a_reproduction_serves_further_attempts_pieces_and_a_body_that_breaks_off(tmp_path: Path) -> None:
    headers = (*JSON, ("retry-after-ms", "1"))
    busy = Response(status=429, headers=headers, body=b'{"error": {"message": "busy"}}')
    one = streamed(text_event("tea") + text_event("cup"))
    size = len(text_event("tea"))
    pieces = (Piece(size=size, at_ms=0.0), Piece(size=len(one.response.body) - size, at_ms=0.0))
    broken = replace(one, response=replace(one.response, end=End.CUT, pieces=pieces))
    reduced = reduced_call(broken, Kind.ERROR_POSITION)
    asked = replace(reduced, interactions=(replace(one, response=busy), broken))
    (said,) = printed(tmp_path, reproduction(asked, reference="openai", candidate="openai", file="bug.py"))
    tea, cup, error = said.splitlines()[1:]
    assert "'tea'" in tea
    assert "'cup'" in cup
    assert float(cup.split()[0]) > float(tea.split()[0])
    assert "peer closed connection" in error
    silent = replace(broken, response=replace(broken.response, end=End.TIMEOUT))
    with pytest.raises(ConfigError, match="falls silent is more than"):
        reproduction(
            replace(reduced, interactions=(silent,)), reference="openai", candidate="openai", file="bug.py"
        )


def test_headers_that_are_not_needed_are_left_out(project: Path) -> None:
    shouted(project, "word")
    file = project / "long.yaml"
    (one,) = load(file).interactions
    headers = (*one.response.headers, ("x-request-id", "req-1"))
    write_cassette(file, replace(one, response=replace(one.response, headers=headers)))
    assert reduced("long.yaml", "--to", "small.yaml") == 0
    (kept,) = load(project / "small.yaml").interactions
    assert [name.lower() for name, _ in kept.response.headers] == ["content-type"]


@pytest.mark.parametrize(
    ("function", "reference", "candidate", "said"),
    [
        (Function.RESPONSES, "openai", "litellm", "litellm.responses(api_base=url"),
        (Function.EMBEDDINGS, "openai", "litellm", ".embeddings.create(**ASK)"),
        (Function.COMPLETIONS, "openai", "litellm", "custom_llm_provider='text-completion-openai'"),
        (
            Function.MESSAGES,
            "anthropic",
            "litellm-async",
            "asyncio.run(whole(litellm.anthropic.messages.acreate(",
        ),
    ],
)
def test_calls_of_other_apis_are_reproduced_too(
    function: Function, reference: str, candidate: str, said: str
) -> None:
    given = (
        "messages"
        if function is Function.MESSAGES
        else "prompt"
        if function is Function.COMPLETIONS
        else "input"
    )
    reduced = reduced_call(streamed(stream()), Kind.TEXT, function=function, input="tea", params={"n": 2})
    text = reproduction(reduced, reference=reference, candidate=candidate, file="bug.py")
    assert ast.parse(text)
    assert said in text
    assert f"'{given}': " in text
    assert text.count("'n': 2") == 1
    assert f"pip install {reference} litellm &&" in text
    with pytest.raises(ConfigError, match=f"of {function} can be written for .*, not for httpx"):
        reproduction(reduced, reference=reference, candidate="httpx", file="bug.py")
