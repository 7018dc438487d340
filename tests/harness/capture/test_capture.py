"""An application's calls become recordings: few, telling, whole, and never at the cost of a call."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import json
import multiprocessing
import os
import pickle
import signal
import socket
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.request
import zlib
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from llm_contracts.capture.anonymise import Anonymiser
from llm_contracts.capture.coverage import coverage_of
from llm_contracts.capture.keeper import FULL
from llm_contracts.capture.run import targets_of
from llm_contracts.capture.session import LEFT_OUT, NO_ROOM, TOO_LARGE, UNREACHED, WEBSOCKET
from llm_contracts.capture.terminal import print_capture
from llm_contracts.cli import run
from llm_contracts.cli.capture import further
from llm_contracts.cli.frame import project_here
from llm_contracts.parity.result import Readiness
from llm_contracts.project.config import Project, load_settings
from llm_contracts.project.load import load_project
from llm_contracts.project.scenario import Provider
from llm_contracts.run.check import check
from llm_contracts.run.options import Options
from llm_contracts.wire.cassette import CassetteError, Provenance, load
from llm_contracts.wire.interaction import Interaction, Response
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.scrub import SecretFound
from tests.harness.capture.traffic import KEY, USER, Application, Scene
from tests.harness.wire.exchanges import DONE, JSON, event, exchange, stream, streamed
from tests.harness.wire.upstream import Peer, Upstream

ANSWER = streamed(stream("hel", "lo"))
TOOL = {"index": 0, "id": "call-1", "type": "function", "function": {"name": "tea", "arguments": "{}"}}
CALLED = streamed(
    event({"choices": [{"index": 0, "delta": {"tool_calls": [TOOL]}, "finish_reason": None}]})
    + event({"choices": [{"index": 0, "delta": {}, "finish_reason": "tool_calls"}]})
    + DONE
)


def refusal(status: int = 429) -> Interaction:
    body = json.dumps({"error": {"message": "slow down", "type": "rate_limit_error"}}).encode()
    return exchange(Response(status=status, reason="No", headers=JSON, body=body))


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    return Scene(root=tmp_path, answers=[ANSWER])


def seen(scene: Scene) -> Any:
    coverage = coverage_of(scene.root / "cassettes", "acme")
    assert coverage is not None
    return coverage


def test_of_many_calls_of_one_shape_few_are_kept(scene: Scene) -> None:
    scene.options = {"keep": 2}
    with scene.running() as application:
        for number in range(6):
            assert application.ask({"role": "user", "content": f"question {number}"}) == (
                200,
                ANSWER.response.body,
            )
    assert len(scene.recordings()) == 2
    (shape,) = seen(scene).shapes.values()
    assert (seen(scene).calls, shape.seen, len(shape.recordings)) == (6, 6, 2)
    assert shape.shape == "openai-chat m messages stream=true user:text stop"


def test_what_was_recorded_before_counts(scene: Scene) -> None:
    scene.options = {"keep": 1}
    for _ in range(2):
        with scene.running() as application:
            application.ask()
    assert len(scene.recordings()) == 1
    assert seen(scene).calls == 2
    assert seen(scene).unrecorded == ()


@pytest.mark.parametrize(
    "other",
    [
        {"temperature": 0},
        {"model": "other"},
        {"n": 2},
        {"response_format": {"type": "json_object"}},
        {"messages": [{"role": "system", "content": "be brief"}, USER]},
    ],
)
def test_another_shape_is_another_recording(scene: Scene, other: dict[str, Any]) -> None:
    scene.options = {"keep": 1}
    with scene.running() as application:
        application.ask()
        application.post("/chat/completions", {"model": "m", "messages": [USER], "stream": True, **other})
        application.ask({"role": "user", "content": "the same shape in other words"})
    assert len(scene.recordings()) == 2


def test_a_recording_says_where_it_comes_from_and_brings_its_scenario(scene: Scene) -> None:
    """Nobody wrote a row; the provider's own row is the one of the address that was asked."""
    with scene.running() as application:
        application.ask(temperature=0.5)
    (file,) = scene.recordings()
    recording = load(file).recording
    assert recording is not None
    assert recording.provenance is Provenance.LIVE  # the row itself names this machine
    assert recording.address.startswith("http://127.0.0.1:")
    project = load_project(load_settings(scene.root))
    (row,) = project.scenarios
    assert (row.name, row.model, row.messages) == (f"acme/{file.stem}", "m-2026-01-02", (USER,))
    assert row.params == {"temperature": 0.5}  # what was asked, and nothing that was not
    assert project.provider("acme").base_url == recording.address


def test_what_was_captured_is_compared_and_is_live_evidence(scene: Scene) -> None:
    with scene.running() as application:
        application.ask()
    options = Options(today=datetime.now(UTC).date(), reference="openai", candidate="openai-async", jobs=1)
    project = load_project(load_settings(scene.root))
    result = check(project, project.scenarios, options)
    verdict = result.verdicts["acme"]
    assert verdict.answer is Readiness.READY, verdict.reasons
    assert "Captured from 1 call of your own: 1 of 1 shapes are recorded." in verdict.reasons


def test_a_shape_without_a_recording_is_no_go(scene: Scene) -> None:
    scene.options = {"keep": 1, "recordings": 1}
    with scene.running() as application:
        application.ask()
        application.ask(temperature=0)
    assert seen(scene).not_looked_at == {FULL: 1}
    project = load_project(load_settings(scene.root))
    options = Options(today=datetime.now(UTC).date(), reference="openai", candidate="openai-async", jobs=1)
    verdict = check(project, project.scenarios, options).verdicts["acme"]
    assert verdict.answer is Readiness.REHEARSED
    assert verdict.reasons[0] == (
        "1 shape of your calls has no recording: "
        "openai-chat m messages stream=true temperature user:text stop."
    )
    assert verdict.reasons[-1] == f"1 call not kept: {FULL}."
    assert verdict.next == ("llm-contracts capture -- COMMAND", "llm-contracts check --provider acme")


def test_attempts_stay_together(scene: Scene) -> None:
    scene.answers = [refusal(), ANSWER]
    with scene.running() as application:
        assert application.ask()[0] == 429
        assert application.ask()[0] == 200
    (file,) = scene.recordings()
    assert [one.response.status for one in load(file).interactions] == [429, 200]
    (shape,) = seen(scene).shapes.values()
    assert seen(scene).calls == 1
    assert shape.shape.endswith("stop 429 rate_limit_error")


def test_a_refusal_that_is_not_tried_again_is_a_call(scene: Scene) -> None:
    scene.answers = [refusal(400)]
    with scene.running() as application:
        application.ask()
    project = load_project(load_settings(scene.root))
    (row,) = project.scenarios
    assert row.expects == "failure"


def test_the_turns_of_a_tool_loop_stay_together(scene: Scene) -> None:
    """The first turn's shape has its recording already; it is kept for the second's sake."""
    scene.answers = [CALLED, CALLED, ANSWER]
    scene.options = {"keep": 1}
    question = {"role": "user", "content": "which tea?"}
    result = {"role": "tool", "tool_call_id": "call-1", "content": "green"}
    with scene.running() as application:
        application.ask()
        application.ask(question)
        application.ask(question, {"role": "assistant", "tool_calls": [TOOL]}, result)
    names = {file.stem.rpartition("-")[0] for file in scene.recordings()}
    assert (len(scene.recordings()), len(names)) == (3, 2)
    (second,) = (file for file in scene.recordings() if file.stem.endswith("-2"))
    first = second.with_name(second.name.replace("-2.yaml", "-1.yaml"))
    assert json.loads(load(first).interactions[0].request.body)["messages"] == [question]


def test_nothing_of_keys_and_of_who_asked_reaches_a_file(scene: Scene) -> None:
    with scene.running() as application:
        application.ask({"role": "user", "content": f"my key is {KEY}"})
    data = b"".join(file.read_bytes() for file in scene.root.rglob("*") if file.is_file())
    assert KEY.encode() not in data
    assert b"carol" not in data


def test_what_was_seen_is_told_without_names_and_secrets(scene: Scene) -> None:
    """A shape is made of what stands in place of the API's own words, which may be anything."""
    secret = "-".join(f"opal{number}" for number in range(4))
    scene.environ = {"K": secret}
    with scene.running() as application:
        application.ask(
            {"role": "Dr. Carol", "content": "hi"},
            **{"model": secret, "carol@acme.example": 1, "tool_choice": "call 491511234567"},
        )
    (file,) = (scene.root / "cassettes" / "acme").glob("*.json")
    assert secret not in file.read_text()
    (shape,) = seen(scene).shapes.values()
    masked = "*" * len(secret)
    assert shape.shape == f"openai-chat {masked} … … messages stream=true … stop"


@pytest.mark.parametrize(
    ("route", "stays"), [("/users/carol@acme.example", False), ("/deployments/Own-2024", True)]
)
def test_an_address_of_a_call_alone_is_anonymised_as_the_rest(scene: Scene, route: str, stays: bool) -> None:
    """Not so the base URL, which is the project's, nor what names a model."""
    scene.options, scene.path = {"change": Anonymiser()}, "/Gateway-4711"
    with scene.running() as application:
        application.post(f"{route}/chat/completions", {"model": "m", "messages": [USER], "stream": True})
    (file,) = scene.recordings()
    recording = load(file).recording
    assert recording is not None
    _, base, path = recording.address.partition("/Gateway-4711")
    assert (base, path == route) == ("/Gateway-4711", stays)
    assert b"carol" not in file.read_bytes()


def health(application: Application) -> Any:
    with urllib.request.urlopen(f"{application.capture.origin}/health", timeout=10) as response:
        return json.load(response)


def test_a_writer_that_fails_hurts_no_call(scene: Scene) -> None:
    """As a full disk does, or a folder that may not be written."""
    (scene.root / "cassettes").write_text("a file stands where the folder must be")
    with scene.running() as application:
        assert application.ask() == (200, ANSWER.response.body)
        assert application.ask() == (200, ANSWER.response.body)
        released_when(lambda: health(application)["calls"] == 2, threading.Event())
        assert set(health(application)["not_kept"]) == {
            "the recording could not be written (Not a directory)"
        }
    writer = application.capture.writer
    assert writer.written == []
    ((why, number),) = writer.seen["acme"].not_looked_at.items()
    assert (why, number) == ("the recording could not be written (Not a directory)", 2)
    assert list(writer.trouble) == ["NotADirectoryError: Not a directory"]


def test_a_disk_is_never_filled_so_that_what_was_seen_finds_its_place(scene: Scene) -> None:
    """Or a full disk would say of the shapes before it that they are all."""
    scene.options = {"reserve": 2**62}
    with scene.running() as application:
        assert application.ask() == (200, ANSWER.response.body)
    assert seen(scene).not_looked_at == {"the recording could not be written (No space left on device)": 1}
    assert (scene.recordings(), len(seen(scene).unrecorded)) == ([], 1)


def test_what_there_is_no_memory_for_passes(scene: Scene) -> None:
    scene.options = {"memory": 150}
    with scene.running() as application:
        assert application.ask() == (200, ANSWER.response.body)
    assert seen(scene).not_looked_at == {NO_ROOM: 1}
    assert scene.recordings() == []


def test_a_large_call_is_written_by_a_process_of_its_own(scene: Scene) -> None:
    """With all that is done to it there; and what goes wrong there is counted like anything else. One that is
    killed costs one recording at most.
    """
    why = "the recording could not be written (File exists)"
    scene.options = {"change": Anonymiser(), "keep": 5}
    with scene.running() as application:
        application.ask({"role": "user", "content": "planted " * 9000 + KEY})
        released_when(lambda: len(application.capture.writer.written) == 1, threading.Event())
        (process,) = multiprocessing.active_children()
        process.kill()
        process.join()
        (file,) = scene.recordings()
        file.unlink()
        file.parent.rename(scene.root / "elsewhere")
        file.parent.write_text("in the way")
        for number in (9001, 9002):
            application.ask({"role": "user", "content": "planted " * number})
        released_when(lambda: why in health(application)["not_kept"], threading.Event())
    writer = application.capture.writer
    assert writer.written == [f"acme/{file.stem}"]
    missed = writer.seen["acme"].not_looked_at
    assert (missed[why] in {1, 2}, missed.total()) == (True, 2)
    assert multiprocessing.active_children() == []


def test_a_large_recording_holds_what_a_small_one_does(scene: Scene) -> None:
    scene.options = {"change": Anonymiser()}
    with scene.running() as application:
        application.ask({"role": "user", "content": f"planted {KEY} " * 3000})
    (file,) = scene.recordings()
    text = file.read_text()
    assert "planted" not in text
    assert KEY not in text
    recording = load(file).recording
    assert recording is not None
    assert recording.digest
    assert len(load(file).interactions[0].request.body) > 64 * 1024


@pytest.mark.parametrize(
    "error", [SecretFound("a place", ["A_KEY"]), CassetteError(Path("a.yaml"), "version", "is 2, not 1.")]
)
def test_an_error_of_another_process_is_what_it_was(error: Exception) -> None:
    again = pickle.loads(pickle.dumps(error))
    assert (type(again), str(again), vars(again)) == (type(error), str(error), vars(error))


def test_a_request_that_nobody_could_read_passes(scene: Scene) -> None:
    with scene.running() as application:
        body = {"role": "user", "content": "x" * 17 * 2**20}
        assert application.ask(body) == (200, ANSWER.response.body)
    assert seen(scene).not_looked_at == {TOO_LARGE: 1}
    assert application.capture.writer.room.take(256 * 2**20)


def test_memory_is_free_again_when_all_is_written(scene: Scene) -> None:
    scene.options = {"memory": 1000}
    scene.answers = [ANSWER, refusal(400), ANSWER]
    with scene.running() as application:
        for number in range(3):
            application.ask({"role": "user", "content": str(number)})
    assert application.capture.writer.room.take(1000)


def test_a_provider_that_nobody_reaches_has_said_nothing(scene: Scene) -> None:
    """Or a broken network would be evidence of how the provider answers."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        scene.upstream = f"http://127.0.0.1:{listener.getsockname()[1]}"
    with scene.running() as application, pytest.raises((OSError, http.client.HTTPException)):
        application.ask()
    ((why, number),) = seen(scene).not_looked_at.items()
    host = scene.upstream.removeprefix("http://")
    assert (why.startswith(f"{UNREACHED}: {host} cannot be reached ("), number) == (True, 1), why
    assert (seen(scene).shapes, scene.recordings()) == ({}, [])


def test_websockets_pass_and_are_counted(scene: Scene) -> None:
    """openai's Realtime API calls the same base URL."""

    async def provider(incoming: web.BaseRequest) -> web.StreamResponse:
        if incoming.headers["Authorization"] != f"Bearer {KEY}":
            return web.Response(status=401)
        socket = web.WebSocketResponse(protocols=["realtime"])
        await socket.prepare(incoming)
        await socket.send_str(incoming.path_qs)
        await socket.send_bytes(await socket.receive_bytes())
        await socket.close(code=4001, message=b"enough")
        return socket

    async def conversation() -> None:
        server = await asyncio.get_running_loop().create_server(web.Server(provider), "127.0.0.1", 0)
        scene.upstream = f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
        with scene.running() as application:
            url = f"{application.base_url}/realtime?model=m"
            async with aiohttp.ClientSession() as client:
                with pytest.raises(aiohttp.WSServerHandshakeError, match="401"):
                    await client.ws_connect(url, headers={"Authorization": "Bearer wrong"})
                key = {"Authorization": f"Bearer {KEY}"}
                async with client.ws_connect(url, headers=key, protocols=["realtime"]) as socket:
                    assert (socket.protocol, await socket.receive_str()) == (
                        "realtime",
                        "/v1/realtime?model=m",
                    )
                    await socket.send_bytes(b"\x00\xff")
                    assert await socket.receive_bytes() == b"\x00\xff"
                    assert (await socket.receive()).extra == "enough"
                    assert socket.close_code == 4001
            (session,) = (each for each in application.capture.sessions if "/acme" in each.origin)
            await asyncio.to_thread(session.wait_idle, 10)
        server.close()
        await server.wait_closed()

    asyncio.run(conversation())
    assert seen(scene).not_looked_at == {WEBSOCKET: 2}


def test_a_part_of_the_calls_is_looked_at(scene: Scene) -> None:
    scene.options = {"sample": 1e-12}
    with scene.running() as application:
        assert application.ask() == (200, ANSWER.response.body)
    assert seen(scene).not_looked_at == {LEFT_OUT: 1}


def test_the_proxy_says_how_it_is(scene: Scene) -> None:
    with scene.running() as application:
        application.ask()
        document = health(application)
        assert (document["status"], document["open"]) == ("ok", 0)
        assert document["base_urls"]["ACME_URL"] == application.base_url
        application.capture.draining = True
        with pytest.raises(urllib.error.HTTPError, match="503"):
            urllib.request.urlopen(f"{application.capture.origin}/health", timeout=10)


def test_the_variables_of_the_usual_sdks_lead_to_the_edge_and_what_they_said_is_called() -> None:
    azure = "https://acme.openai.azure.com"
    environ = {"OPENAI_BASE_URL": "https://gateway.example/openai/v1", "AZURE_OPENAI_ENDPOINT": azure}
    row = Provider(
        name="gemini",
        base_url="https://generativelanguage.googleapis.com/v1beta",
        key_variable="K",
        base_url_variable="GEMINI_API_URL",
    )
    targets = targets_of(Project(settings=load_settings(Path("/")), providers=(row,)), environ)
    addresses = {name: url for each in targets for name, url in each.addresses("http://e").items()}
    assert addresses == {
        "OPENAI_BASE_URL": "http://e/openai/openai/v1",
        "OPENAI_API_BASE": "http://e/openai/openai/v1",
        "ANTHROPIC_BASE_URL": "http://e/anthropic",
        "GOOGLE_GEMINI_BASE_URL": "http://e/gemini",
        "GEMINI_API_URL": "http://e/gemini/v1beta",
        "AZURE_OPENAI_ENDPOINT": "http://e/azure",
    }
    upstreams = {each.provider: each.endpoint.upstream for each in targets}
    assert upstreams["openai"] == "https://gateway.example"
    assert upstreams["azure"] == azure


def test_a_variable_that_leads_to_a_provider_of_the_project_is_that_providers() -> None:
    local = Provider(name="local", base_url="http://127.0.0.1:8080/v1", key_variable="K")
    project = Project(settings=load_settings(Path("/")), providers=(local,))
    targets = targets_of(project, {"OPENAI_BASE_URL": "http://127.0.0.1:8080/v1/"})
    (target,) = (each for each in targets if "OPENAI_BASE_URL" in each.variables)
    assert (target.provider, target.endpoint.provenance) == ("local", Provenance.LIVE)
    assert target.addresses("http://e")["OPENAI_API_BASE"] == "http://e/local/v1"
    assert "openai" not in {each.provider for each in targets}


_PROGRAM = """
import json, os, sys, urllib.request
body = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}], "stream": True}
request = urllib.request.Request(
    os.environ["OPENAI_BASE_URL"] + "/chat/completions",
    json.dumps(body).encode(),
    {"content-type": "application/json"},
)
sys.stdout.write(urllib.request.urlopen(request, timeout=30).read().decode())
sys.exit(7)
"""


def test_any_program_is_captured(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    with Edge() as edge, edge.replay([ANSWER]) as upstream:
        monkeypatch.setenv("OPENAI_BASE_URL", f"{upstream.origin}/v1")
        assert run(["capture", "--", sys.executable, "-c", _PROGRAM]) == 7
    out, err = capfd.readouterr()
    assert out.encode() == ANSWER.response.body
    assert "openai: 1 call of 1 shape, 1 new recording; 1 of the shapes recorded." in err
    (file,) = tmp_path.glob("cassettes/openai/*.yaml")
    recording = load(file).recording
    assert recording is not None
    assert b'"hel' not in file.read_bytes()  # words are replaced unless somebody says otherwise
    # What answers on this machine in a provider's place is a rehearsal.
    assert recording.provenance is Provenance.SIMULATED


def test_what_was_captured_is_not_recorded_anew_and_record_says_so(
    scene: Scene, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    with scene.running() as application:
        application.ask()
    monkeypatch.chdir(scene.root)
    (scene.root / "pyproject.toml").write_text("[tool.llm_contracts]\n")
    assert run(["record", "--provider", "acme"]) == 2
    assert "captured anew: llm-contracts capture -- COMMAND" in capfd.readouterr().err


def test_what_to_do_next_depends_on_where_the_recordings_are(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    project = project_here(needed=False)
    own = project.settings.cassettes
    assert further(project, own) == "llm-contracts init && llm-contracts check"
    (tmp_path / "pyproject.toml").write_text("[tool.llm_contracts]\n")
    assert further(project, own) == "llm-contracts check"
    assert further(project, Path("a b")) == "cp -r 'a b/.' cassettes && llm-contracts check"


def test_a_program_that_calls_nobody_is_told_what_it_was_given(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    assert run(["capture", "--", sys.executable, "-c", "pass"]) == 0
    err = capfd.readouterr().err
    assert "No call passed. The program was given base URLs in OPENAI_BASE_URL" in err


def test_a_proxy_that_nobody_called_says_so(scene: Scene, capsys: pytest.CaptureFixture[str]) -> None:
    with scene.running() as application:
        print_capture(application.capture, scene.root, ran=False, further="")
    assert (
        "No call passed. Was an application started with one of the addresses above?"
        in capsys.readouterr().err
    )


def test_a_session_holds_nothing_of_what_has_passed(scene: Scene) -> None:
    scene.answers = [ANSWER, refusal(400), ANSWER]
    with scene.running() as application:
        for number in range(3):
            application.ask({"role": "user", "content": str(number)})
        (session,) = (each for each in application.capture.sessions if "/acme" in each.origin)
        assert session.wait_idle(10)
        assert session.wait_idle(0)
        held = (session._requests, session._times, session._raw, session._flaws, session._failures)
    assert held == ([], [], [], [], [])


def test_what_is_under_way_at_the_end_comes_to_its_end(scene: Scene) -> None:
    """As SIGTERM asks: the proxy is told to end while a stream is open, and the stream is whole."""
    asked, release = threading.Event(), threading.Event()

    def slowly(peer: Peer) -> None:
        peer.head()
        asked.set()
        release.wait(30)
        peer.chunk(ANSWER.response.body)
        peer.last_chunk()

    with Upstream(slowly) as upstream, ThreadPoolExecutor(2) as pool:
        scene.upstream = upstream.origin
        with scene.running() as application:
            answer = pool.submit(application.ask)
            assert asked.wait(30)
            pool.submit(released_when, lambda: application.capture.draining, release)
        assert answer.result(30) == (200, ANSWER.response.body)
    assert len(scene.recordings()) == 1


def released_when(holds: Callable[[], bool], event: threading.Event) -> None:
    until = time.monotonic() + 30
    while not holds() and time.monotonic() < until:
        time.sleep(0.005)
    event.set()


def test_a_proxy_that_stays_is_ended_by_a_signal(scene: Scene) -> None:
    with Edge() as edge, edge.replay(scene.answers) as upstream:
        command = [sys.executable, "-m", "llm_contracts", "capture", "--listen", "--port", "0", "--json", "-"]
        with subprocess.Popen(
            command,
            cwd=scene.root,
            env={**os.environ, "OPENAI_BASE_URL": f"{upstream.origin}/v1", "COLUMNS": "200"},
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        ) as process:
            assert process.stderr is not None
            name, _, base_url = process.stderr.readline().strip().partition("=")
            assert name == "OPENAI_BASE_URL"
            body = json.dumps({"model": "m", "messages": [USER], "stream": True}).encode()
            request = urllib.request.Request(f"{base_url}/chat/completions", body)
            with urllib.request.urlopen(request, timeout=30) as response:
                assert response.read() == ANSWER.response.body
            process.send_signal(signal.SIGTERM)
            out, _ = process.communicate(timeout=30)
    assert process.returncode == 0
    assert json.loads(out)["providers"]["openai"]["calls"] == 1
    assert len(list(scene.root.glob("cassettes/openai/*.yaml"))) == 1


@pytest.mark.parametrize("coding", ["gzip", "deflate", "zstd"])
def test_a_packed_request_is_recorded_plain(scene: Scene, coding: str) -> None:
    """Or nobody could ask it again. What cannot be unpacked here is masked whole: a key may be in it."""
    body = json.dumps({"model": "m", "messages": [USER], "stream": True}).encode()
    packed = {"gzip": gzip.compress(body), "deflate": zlib.compress(body), "zstd": b"\x28\xb5\x2f\xfd"}[
        coding
    ]
    with scene.running() as application:
        request = urllib.request.Request(
            f"{application.base_url}/chat/completions", packed, {"content-encoding": coding}
        )
        with urllib.request.urlopen(request, timeout=30) as response:
            assert response.read() == ANSWER.response.body
    (file,) = scene.recordings()
    (recorded,) = load(file).interactions
    assert recorded.request.body == (b"****" if coding == "zstd" else body)
    assert "content-encoding" not in dict(recorded.request.headers)


def test_a_shape_is_on_the_disk_before_anything_ends(scene: Scene) -> None:
    """Who is killed may lose a second's numbers, but no shape that keeps an answer from being a GO."""
    with scene.running() as application:
        application.ask()
        folder = scene.root / "cassettes" / "acme"
        released_when(lambda: any(folder.glob("captured-*.json")), threading.Event())
        assert any(folder.glob("captured-*.json"))
        application.ask()
        released_when(lambda: seen(scene).calls == 2, threading.Event())
        assert seen(scene).calls == 2
