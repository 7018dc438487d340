"""A client in another language is observed like any other: chunks, failures, time limit, what it leaves."""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.clients.builtin import openai
from llm_contracts.clients.call import Call
from llm_contracts.clients.command import CommandClient
from llm_contracts.clients.observation import Failure, Observation
from llm_contracts.clients.observe import observe
from llm_contracts.clients.resolve import ClientError, resolve
from llm_contracts.parity.compare import compare
from llm_contracts.project.config import ConfigError, load_settings
from llm_contracts.project.inputs import changed_since, input_files
from llm_contracts.project.load import load_project
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Interaction, Response
from llm_contracts.wire.proxy.playback_options import PlaybackOptions
from llm_contracts.wire.proxy.server import Edge
from tests.harness.wire.exchanges import JSON, exchange, stream, streamed

CALLING = """
import json, sys, urllib.error, urllib.request

call = json.load(sys.stdin)
body = json.dumps({"model": call["model"], "messages": call["messages"], "stream": True, **call["params"]})
headers = {"authorization": "Bearer " + call["api_key"], "content-type": "application/json"}
request = urllib.request.Request(call["base_url"] + "/chat/completions", body.encode(), headers)
try:
    for line in urllib.request.urlopen(request):
        if line.startswith(b"data: {"):
            print(line[6:].decode().strip(), flush=True)
except urllib.error.HTTPError as refused:
    told = json.load(refused)["error"]
    print("a warning before", file=sys.stderr)
    sys.exit(json.dumps({"name": "RateLimitError", "status": refused.code, **told}))
"""


ANSWER = streamed(stream("Hel", "lo"))


@pytest.fixture(scope="module")
def edge() -> Iterator[Edge]:
    with Edge() as running:
        yield running


def program(folder: Path, source: str) -> CommandClient:
    (folder / "client.py").write_text(source)
    return CommandClient(command=(sys.executable, "client.py"), folder=folder)


def seen(edge: Edge, client: Any, recorded: Interaction = ANSWER, **more: Any) -> Observation:
    with edge.replay([recorded], PlaybackOptions(lockstep=True, patience=10)) as session:
        call = Call(
            base_url=session.origin + "/v1",
            api_key="sk-made-up-0123456789",  # pragma: allowlist secret
            provider="openai",
            model="m",
            messages=({"role": "user", "content": "Grüße"},),
            params={"temperature": 0.5},
        )
        return observe(client, call, name="mine", session=session, **more)


def failed(edge: Edge, tmp_path: Path, source: str, **more: Any) -> Failure:
    failure = seen(edge, program(tmp_path, source), **more).failure
    assert failure is not None
    return failure


def test_its_lines_are_chunks_as_they_come(edge: Edge, tmp_path: Path) -> None:
    observed = seen(edge, program(tmp_path, CALLING))
    assert observed.failure is None, observed.failure.message
    assert (observed.deltas, observed.finish_reasons, observed.protocol) == (
        ("Hel", "lo"),
        ("stop",),
        "openai-chat",
    )
    assert [chunk.position for chunk in observed.chunks if chunk.text] == [1, 2]
    asked = {
        "model": "m",
        "messages": [{"role": "user", "content": "Grüße"}],
        "stream": True,
        "temperature": 0.5,
    }
    assert json.loads(observed.requests[0].body) == asked
    assert observed.effects == {}


def test_it_agrees_with_the_openai_sdk(edge: Edge, tmp_path: Path) -> None:
    facts = (read_facts(ANSWER.response),)
    found = compare(seen(edge, openai), seen(edge, program(tmp_path, CALLING)), facts, scope="x").divergences
    assert {str(one.kind) for one in found} <= {"request_headers"}, found


REFUSED = exchange(
    Response(
        status=429,
        reason="Too Many Requests",
        headers=JSON,
        body=b'{"error": {"message": "slow down", "code": "rate_limited", "param": null}}',
    )
)


def test_its_last_word_on_standard_error_says_how_it_failed(edge: Edge, tmp_path: Path) -> None:
    failure = failed(edge, tmp_path, CALLING, recorded=REFUSED)
    assert (failure.category, failure.named, failure.message) == ("RateLimitError", False, "slow down")
    assert (failure.status, failure.provider_code, failure.classes) == (429, "rate_limited", ())


def test_errors_of_two_languages_are_compared_by_name_status_and_code(edge: Edge, tmp_path: Path) -> None:
    """The openai SDK asks three times; the program once."""
    ours, theirs = (
        seen(edge, openai, REFUSED, skip_pauses=True),
        seen(edge, program(tmp_path, CALLING), REFUSED),
    )
    found = {(str(d.kind), d.where) for d in compare(ours, theirs, (), scope="x").divergences}
    assert ("attempts", "requests") in found
    assert not [one for one in found if one[0] in {"error", "surface"}], found


@pytest.mark.parametrize(
    ("source", "category", "message"),
    [
        ("raise SystemExit(3)", "exit code 3", "it ended with exit code 3"),
        ("import os; os.kill(os.getpid(), 9)", "SIGKILL", "it ended with SIGKILL"),
        ("raise SystemExit('no such key')", "exit code 1", "no such key"),
        ("print('Hello')", "nonsense", "line 1 of its standard output is not JSON"),
        ("print('7')", "nonsense", "item 0 is not a chunk but an object of type int"),
        ('raise SystemExit(\'{"category": "quota"}\')', "quota", '{"category": "quota"}'),
    ],
)
def test_every_other_end_is_a_failure(
    edge: Edge, tmp_path: Path, source: str, category: str, message: str
) -> None:
    failure = failed(edge, tmp_path, source)
    assert (failure.category, failure.message) == (category, message)


def test_the_key_is_masked_in_what_it_says(edge: Edge, tmp_path: Path) -> None:
    failure = failed(
        edge, tmp_path, "import sys, json; sys.exit('bad key ' + json.load(sys.stdin)['api_key'])"
    )
    assert failure.message == "bad key [api key]"


def test_what_it_writes_to_standard_error_is_a_side_effect(edge: Edge, tmp_path: Path) -> None:
    observed = seen(edge, program(tmp_path, CALLING + "print('deprecated', file=sys.stderr)"))
    assert observed.failure is None
    assert observed.effects == {"stderr": "deprecated\n"}


def test_it_is_killed_at_the_time_limit_with_what_it_started(edge: Edge, tmp_path: Path) -> None:
    source = """
import os, pathlib, subprocess, sys, threading
child = subprocess.Popen([sys.executable, "-c", "import threading; threading.Event().wait(60)"])
pathlib.Path("pids").write_text(f"{os.getpid()} {child.pid}")
print('"He"', flush=True)
threading.Event().wait(60)
"""
    observed = seen(edge, program(tmp_path, source), timeout=5.0)
    assert observed.failure is not None
    assert (observed.failure.category, observed.text) == ("hang", "He")
    assert "ended when its connections were dropped" in observed.failure.message
    for pid in map(int, (tmp_path / "pids").read_text().split()):
        _gone(pid)


def test_a_caller_who_leaves_early_ends_it(edge: Edge, tmp_path: Path) -> None:
    observed = seen(
        edge,
        program(tmp_path, "import os\nopen('pid','w').write(str(os.getpid()))\n" + CALLING),
        leaving=True,
    )
    assert (observed.failure, observed.text, observed.effects) == (None, "Hel", {})
    _gone(int((tmp_path / "pid").read_text()))


def _gone(pid: int) -> None:
    """An orphan is taken in by the first process, which may be slow to notice its end."""
    limit = time.monotonic() + 20
    while (
        Path(f"/proc/{pid}/stat").exists()
        and Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2][1] != "Z"
    ):
        assert time.monotonic() < limit, f"{pid} still runs"
        time.sleep(0.02)
    if not Path("/proc").is_dir():
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def test_a_program_that_reads_nothing_of_a_long_call_is_no_trouble(edge: Edge, tmp_path: Path) -> None:
    client = program(tmp_path, "print('\"Hi\"')")
    with edge.replay([], PlaybackOptions(lockstep=True)) as session:
        call = Call(base_url="", api_key="", provider="x", model="m", input="x" * 2**20)
        observed = observe(client, call, name="mine", session=session)
    assert (observed.failure, observed.text) == (None, "Hi")


def test_it_is_one_row_of_the_project(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text('[tool.llm_contracts.client.mine]\ncommand = ["sh", "run.sh"]\n')
    project = load_project(load_settings(tmp_path))
    assert resolve("mine", project.clients) == CommandClient(command=("sh", "run.sh"), folder=tmp_path)
    assert resolve("mine", project.clients) is project.clients["mine"]


def test_a_program_that_is_not_there_is_named(tmp_path: Path) -> None:
    (tmp_path / "there").write_text("")
    (tmp_path / "there").chmod(0o755)
    for word, missing in (("no-such-program", True), ("./not-there", True), ("./there", False)):
        client = CommandClient(command=(word,), folder=tmp_path)
        if missing:
            with pytest.raises(ClientError, match=f"the client 'mine' needs the program '{word}'"):
                resolve("mine", {"mine": client})
        else:
            assert resolve("mine", {"mine": client}) is client


@pytest.mark.parametrize(
    ("row", "wrong"),
    [
        ("client.mine.command = 'node'", r"client\.mine command: must be a list"),
        ("client.mine.command = []", r"client\.mine command: there is no program in it"),
        ("client.mine.words = ['node']", r"client\.mine: must be a table: command"),
        ("client = 'node'", r"client\.NAME: must be a table: command"),
    ],
)
def test_a_row_that_cannot_be_used_is_told(tmp_path: Path, row: str, wrong: str) -> None:
    (tmp_path / "pyproject.toml").write_text(f"[tool.llm_contracts]\n{row}\n")
    with pytest.raises(ConfigError, match=wrong):
        load_settings(tmp_path)


def test_a_stored_result_depends_on_the_programs_files(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text(
        "[tool.llm_contracts]\nclient.mine.command = ['node', 'js/client.mjs']\n"
    )
    for name in (
        "js/client.mjs",
        "js/lib/read.mjs",
        "js/node_modules/x/y.mjs",
        "js/package-lock.json",
        "other.mjs",
    ):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("1")
    settings = load_settings(tmp_path)
    stored = input_files(settings)
    own = {name for name in stored if name.startswith("js/")}
    assert own == {"js/client.mjs", "js/lib/read.mjs", "js/package-lock.json"}
    (tmp_path / "js/lib/read.mjs").write_text("2")
    (tmp_path / "js/lib/new.mjs").write_text("1")
    assert changed_since(settings, stored) == ("js/lib/new.mjs", "js/lib/read.mjs")
