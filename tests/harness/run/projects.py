"""A small project on disk for tests of running, of the command line and of the plugin.

Its paths are a dozen lines of standard library, so that these tests need neither of the real clients.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any

from llm_contracts.wire.cassette import Cassette, Provenance, Recording
from llm_contracts.wire.cassette.render import render
from llm_contracts.wire.interaction import Interaction, Piece, Request, Response

TOML = """
[tool.llm_contracts]
clients = "contracts/clients.py"
scenarios = "contracts/scenarios.py"
waivers = "contracts/waivers.toml"
reference = "plain"
candidate = "same"
"""

CLIENTS = """
import json
import threading
import urllib.request

from llm_contracts.project.scenario import Provider

PROVIDERS = (
    Provider(name="acme", base_url="https://api.acme.example/v1", key_variable="ACME_API_KEY"),
    Provider(name="zenith", base_url="https://api.zenith.example", key_variable="ZENITH_API_KEY"),
)


def plain(call):
    body = json.dumps({"model": call.model, "messages": list(call.messages), "stream": True}).encode()
    headers = {"Authorization": f"Bearer {call.api_key}", "Content-Type": "application/json"}
    request = urllib.request.Request(f"{call.base_url}/chat/completions", body, headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        for line in response:
            line = line.removeprefix("\ufeff".encode())
            if line.startswith(b"data: {"):
                chunk = json.loads(line[6:])
                if "error" in chunk:
                    raise RuntimeError(chunk["error"]["message"])
                yield chunk


def shouting(call):
    for chunk in plain(call):
        for choice in chunk["choices"]:
            if choice["delta"].get("content"):
                choice["delta"]["content"] = choice["delta"]["content"].upper()
        yield chunk


def fickle(call, calls=[]):
    calls.append(call)
    yield from plain(call)
    yield f"{len(calls)}"


def second(call, calls=[]):
    calls.append(call)
    yield from plain(call) if len(calls) % 2 else shouting(call)


def hanging(call):
    threading.Event().wait(30)  # the clock that skips a path's pauses is `time.sleep`'s
    yield "late"


def same(call):
    yield from plain(call)


CLIENTS = {"plain": plain, "same": same, "shouting": shouting, "fickle": fickle, "hanging": hanging}
CLIENTS["second"] = second
"""

SCENARIOS = """
from llm_contracts.project.scenario import Scenario

HELLO = ({"role": "user", "content": "hello"},)
SCENARIOS = (
    Scenario(id="plain-stream", provider="acme", model="acme-1", messages=HELLO),
    Scenario(id="other", provider="acme", model="acme-1", messages=HELLO, live=False),
    Scenario(id="plain-stream", provider="zenith", model="zenith-1", messages=HELLO),
)
"""

HOSTS = {"acme": "https://api.acme.example/v1", "zenith": "https://api.zenith.example"}
NAMES = ("acme/plain-stream", "acme/other", "zenith/plain-stream")


def event(delta: Mapping[str, Any], finish: str | None = None) -> bytes:
    chunk = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": 1,
        "model": "acme-1",
        "choices": [{"index": 0, "delta": dict(delta), "finish_reason": finish}],
    }
    return f"data: {json.dumps(chunk)}\n\n".encode()


def stream(texts: Sequence[str]) -> Response:
    parts = [*(event({"content": text}) for text in texts), event({}, "stop"), b"data: [DONE]\n\n"]
    pieces = tuple(Piece(size=len(part), at_ms=float(number)) for number, part in enumerate(parts))
    headers = (("Content-Type", "text/event-stream"),)
    return Response(status=200, reason="OK", headers=headers, body=b"".join(parts), pieces=pieces)


def cassette(name: str, texts: Sequence[str] = ("hel", "lo"), *, provenance: str = "simulated") -> Cassette:
    provider, _, scenario = name.partition("/")
    body = {"model": f"{provider}-1", "messages": [{"role": "user", "content": "hello"}], "stream": True}
    request = Request(
        method="POST",
        uri=f"{HOSTS[provider]}/chat/completions",
        headers=(("Content-Type", "application/json"),),
        body=json.dumps(body).encode(),
    )
    recording = Recording(
        provenance=Provenance(provenance),
        recorded_at=datetime.now(UTC).replace(microsecond=0),
        provider=provider,
        scenario=scenario,
        client="plain",
        versions={},
    )
    return Cassette(interactions=(Interaction(request=request, response=stream(texts)),), recording=recording)


def make_project(root: Path, *names: str, toml: str = TOML, provenance: str = "simulated") -> Path:
    """Write the project with a recording for each of these scenarios; for all of them if none is named."""
    contracts = root / "contracts"
    contracts.mkdir(parents=True)
    (root / "pyproject.toml").write_text(toml)
    (contracts / "clients.py").write_text(CLIENTS)
    (contracts / "scenarios.py").write_text(SCENARIOS)
    for name in names or NAMES:
        file = root / "cassettes" / f"{name}.yaml"
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(_file(name, provenance, datetime.now(UTC).date()))
    return root


@cache  # to write YAML takes longer than all the rest
def _file(name: str, provenance: str, _day: date) -> bytes:
    """The file of a recording of that day."""
    return render(cassette(name, provenance=provenance))
