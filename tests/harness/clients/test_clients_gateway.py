"""A gateway between client and provider: started once, told its upstream, compared in front and behind."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.clients.builtin import openai
from llm_contracts.clients.call import Call
from llm_contracts.clients.gateway import Gateway, GatewayError, RunningGateway
from llm_contracts.parity.compare import compare
from llm_contracts.project.config import Project, load_settings
from llm_contracts.project.load import load_project
from llm_contracts.project.recorded_call import stream_call
from llm_contracts.run.match import opened_match
from llm_contracts.run.options import Options
from llm_contracts.run.pairing import Pairing
from llm_contracts.sweep.run import Extent, sweep
from llm_contracts.sweep.variants import Family
from llm_contracts.wire.cassette import load
from llm_contracts.wire.facts import read_facts

ROOT = Path(__file__).parents[3]

SERVER = """
import os, socket, sys, urllib.request
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

class Gateway(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()

    def do_POST(self):
        body = self.rfile.read(int(self.headers["content-length"]))
        if self.headers["authorization"] != "Bearer " + os.environ["GATEWAY_KEY"]:
            return self.send_error(401)
        upstream = self.headers.get("x-upstream") or sys.argv[2]
        headers = {"content-type": "application/json", "authorization": self.headers["x-upstream-key"]}
        if "chunked" in sys.argv:
            body = iter([body[:40], body[40:]])  # of a length that nobody names
        if "opening" in sys.argv:  # a connection that is not used after all
            socket.create_connection(("127.0.0.1", int(upstream.rpartition(":")[2]))).close()
        request = urllib.request.Request(upstream + self.path, body, headers)
        with urllib.request.urlopen(request) as answer:
            self.send_response(200)
            self.send_header("content-type", answer.headers["content-type"])
            self.end_headers()
            lines = answer if "buffer" not in sys.argv else list(answer)
            for line in lines:
                if "lossy" not in sys.argv or b'"finish_reason":"content_filter"' not in line:
                    self.wfile.write(line)
                    self.wfile.flush()

    def log_message(self, *_):
        pass

open("started", "w").write("")
ThreadingHTTPServer(("127.0.0.1", int(sys.argv[1])), Gateway).serve_forever()
"""


def in_front(gateway: RunningGateway, call: Call) -> Iterator[Any]:
    """Told by each request, in headers."""
    headers = {"x-upstream": call.base_url, "x-upstream-key": f"Bearer {call.api_key}"}
    return _asked(gateway, call, headers)


def configured(gateway: RunningGateway, call: Call) -> Iterator[Any]:
    return _asked(gateway, call, {"x-upstream-key": f"Bearer {call.api_key}"})


def _asked(gateway: RunningGateway, call: Call, headers: dict[str, str]) -> Iterator[Any]:
    params = {**call.params, "extra_headers": headers}
    yield from openai(replace(call, base_url=gateway.origin, api_key=gateway.key, params=params))


def gateway(*words: str, front: Any = in_front) -> Gateway:
    return Gateway(
        command=(sys.executable, "server.py", "{port}", *words),
        health="/",
        in_front=front,
        files={"server.py": SERVER},
        environ={"GATEWAY_KEY": "{key}"},
    )


def found(client: Gateway, *scenarios: str) -> dict[str, list[str]]:
    """Scenario → what differs, in one look, between the SDK and the same SDK in front of the gateway."""
    project = Project(settings=load_settings(ROOT), clients={"gateway": client})
    options = Options(today=date(2026, 1, 1), reference="openai", candidate="gateway")
    with opened_match(project, options) as match:
        return {name: _differences(match, name) for name in scenarios}


def _differences(match: Pairing, scenario: str) -> list[str]:
    recording = load(ROOT / "cassettes" / "openai" / f"{scenario}.yaml")
    (interaction,) = recording.interactions
    head, *events, finish, usage, done, _ = interaction.response.body.split(b"\n\n")
    short = b"\n\n".join((head, *events[:2], finish, usage, done, b""))
    played = replace(interaction, response=replace(interaction.response, body=short, pieces=None))
    call = stream_call("openai", played)
    reference, candidate = (match.play(side, (played,), call) for side in (match.reference, match.candidate))
    compared = compare(reference, candidate, (read_facts(played.response),), scope=scenario)
    return [f"{one.kind} {one.where}" for one in compared.divergences]


SHORT = "content-filter"
ROWS = (SHORT, "tool-calls")


@pytest.mark.parametrize(
    "client",
    [
        gateway(),
        gateway("{upstream}", "opening", front=configured),
        gateway("{upstream}", "chunked", front=configured),
    ],
    ids=["told", "configured", "in chunks"],
)
def test_a_gateway_that_hands_everything_on_differs_in_nothing(client: Gateway) -> None:
    assert found(client, *ROWS) == {row: [] for row in ROWS}
    left = [thread for thread in threading.enumerate() if thread.name == "gateway upstream"]
    for thread in left:
        thread.join(5)
    assert not any(thread.is_alive() for thread in left)


def test_a_sweep_starts_a_gateway_once() -> None:
    asked: list[str] = []

    def noted(running: RunningGateway, call: Call) -> Iterator[Any]:
        asked.append(running.key)
        return in_front(running, call)

    project = load_project(load_settings(ROOT / "tests" / "contracts"))
    project = replace(project, clients={**project.clients, "gateway": gateway(front=noted)})
    rows = project.select(scenarios=(f"openai/{SHORT}",))
    options = Options(today=date(2026, 1, 1), reference="openai", candidate="gateway")
    result = sweep(project, rows, options, Extent(families=(Family.RECUT,)))
    assert len(asked) > len(result.items) > 5
    assert len(set(asked)) == 1


def test_what_a_gateway_loses_is_seen_in_front_of_it() -> None:
    assert "finish_reason finish_reason.lost" in found(gateway("lossy"), SHORT)[SHORT]


def test_how_long_a_gateway_holds_text_back_is_seen_in_front_of_it() -> None:
    assert "delivery_lag delta[0]" in found(gateway("buffer"), SHORT)[SHORT]


def test_a_gateway_that_ends_at_once_is_refused_with_its_last_words() -> None:
    broken = replace(gateway(), files={"server.py": "raise SystemExit('no such model')"})
    with pytest.raises(GatewayError, match="it ended with 1\nno such model"), broken.started():
        pass


def test_it_runs_as_long_as_it_is_used() -> None:
    with gateway().started() as client:
        port = int(client.running.origin.rpartition(":")[2])
        socket.create_connection(("127.0.0.1", port)).close()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", port))
