"""Recording live, from a server that speaks the protocol and was not written here: LiteLLM's own proxy.

It stands in for a real provider: it has a key, streams, refuses, and lists models. It answers with a fixed
text instead of calling anybody, so no network is needed.
"""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from llm_contracts.clients.observe import observe
from llm_contracts.parity.result import Readiness
from llm_contracts.project.config import Project, Settings, environment
from llm_contracts.project.load import load_project
from llm_contracts.project.scenario import Scenario
from llm_contracts.record.run import RecordOutcome, record
from llm_contracts.record.source import RecordOptions, Source
from llm_contracts.run.check import check
from llm_contracts.run.options import Options
from llm_contracts.run.scenario import replay_call
from llm_contracts.wire.cassette import Provenance, load
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.proxy.server import Edge
from tests.contracts.clients import CLIENTS, PROVIDERS
from tests.contracts.scenarios import SCENARIOS
from tests.harness.capture.traffic import Scene

pytestmark = pytest.mark.long

MASTER_KEY = "sk-master-58c1-of-a-foreign-proxy"
TEXT = "春天的茶园 👩‍🚀 café"
START_SECONDS = 90.0

CONFIG = f"""
model_list:
  - model_name: gpt-4o-mini
    litellm_params: {{model: openai/gpt-4o-mini, api_key: none, mock_response: "{TEXT}"}}
general_settings: {{master_key: {MASTER_KEY}}}
"""

RUN = "from litellm.proxy.proxy_cli import run_server; run_server()"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def wait_until_up(server: subprocess.Popen[bytes], url: str, log: Path) -> None:
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until and server.poll() is None:
        try:
            with urllib.request.urlopen(f"{url}/health/liveliness", timeout=2):
                return
        except (urllib.error.URLError, OSError):
            time.sleep(0.3)
    pytest.fail(f"LiteLLM's proxy did not start:\n{log.read_text()[-2000:]}")


@pytest.fixture(scope="module")
def proxy(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The proxy's address, while the tests of this file run. What it wants from outside fails at once."""
    folder = tmp_path_factory.mktemp("proxy")
    (folder / "config.yaml").write_text(CONFIG, encoding="utf-8")
    log, port = folder / "log", free_port()
    nowhere = "http://127.0.0.1:9"
    environ = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        "LITELLM_MODE": "PRODUCTION",
        "HTTP_PROXY": nowhere,
        "HTTPS_PROXY": nowhere,
    }
    command = [
        sys.executable,
        "-c",
        RUN,
        "--config",
        "config.yaml",
        "--host",
        "127.0.0.1",
        "--port",
        str(port),
    ]
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=folder, env=environ, stdout=output, stderr=output, start_new_session=True
        )
        try:
            wait_until_up(server, f"http://127.0.0.1:{port}", log)
            yield f"http://127.0.0.1:{port}/v1"
        finally:
            os.killpg(server.pid, signal.SIGKILL)
            server.wait(timeout=10)


def project_in(folder: Path) -> Project:
    settings = Settings(
        root=folder,
        clients=folder / "clients.py",
        scenarios=folder / "scenarios.py",
        waivers=folder / "waivers.toml",
        cassettes=folder / "cassettes",
        snapshots=folder / "snapshots",
        reference="adapter-legacy",
    )
    return Project(settings=settings, clients=CLIENTS, providers=PROVIDERS, scenarios=SCENARIOS)


def rows(project: Project, *ids: str) -> tuple[Scenario, ...]:
    return tuple(row for row in project.scenarios if row.provider == "openai" and row.id in ids)


@pytest.fixture
def project(tmp_path: Path, proxy: str) -> Project:
    """A project whose `.env` holds a real key and says where the provider is."""
    (tmp_path / ".env").write_text(f"OPENAI_API_KEY={MASTER_KEY}\nOPENAI_BASE_URL={proxy}\n")
    return project_in(tmp_path)


def live(project: Project) -> RecordOptions:
    return RecordOptions(source=Source.LIVE, environ=environment(project.settings, {}), timeout=60)


def test_scenarios_are_recorded_with_the_key_from_the_env_file_which_no_cassette_holds(
    project: Project,
) -> None:
    ids = ("plain-stream", "multi-turn-chat", "wrong-key", "list-models")
    report = record(project, rows(project, *ids), live(project))
    assert {take.scenario: (take.outcome, take.detail) for take in report.takes} == {
        f"openai/{name}": (RecordOutcome.RECORDED, "") for name in ids
    }
    for row in rows(project, *ids):
        recording = load(project.cassette(row)).recording
        assert recording is not None
        assert (recording.provenance, recording.client) == (
            Provenance.SIMULATED,
            "adapter-legacy",
        )  # it is on this machine
        written = project.cassette(row).read_text(encoding="utf-8")
        assert MASTER_KEY not in written
        assert written.count("127.0.0.1") == 1  # recording.address


def test_what_was_recorded_live_replays_to_the_same_text_without_the_server(project: Project) -> None:
    (row,) = rows(project, "plain-stream")
    record(project, (row,), live(project))
    interactions = load(project.cassette(row)).interactions
    assert read_facts(interactions[0].response).text == TEXT
    call = replay_call(row, project.provider("openai"))
    for name, path in CLIENTS.items():
        if name == "gemini-direct":  # speaks to Gemini alone
            continue
        with Edge() as edge, edge.replay(interactions) as session:
            here = replace(call, base_url=f"{session.origin}/v1")
            assert observe(path, here, name=name, session=session).text == TEXT


def test_a_provider_that_answers_otherwise_than_a_scenario_wants_leaves_no_cassette(project: Project) -> None:
    (row,) = rows(project, "finish-length")  # the proxy's fixed text never ends with `length`
    (take,) = record(project, (row,), live(project)).takes
    assert (take.outcome, "'length'" in take.detail) == (RecordOutcome.FAILED, True)
    assert not project.cassette(row).exists()


def test_the_other_providers_are_skipped_by_name(project: Project) -> None:
    report = record(project, [row for row in project.scenarios if row.provider != "openai"], live(project))
    assert {take.outcome for take in report.takes} == {RecordOutcome.SKIPPED}
    assert set(report.skipped_providers) == {row.name for row in PROVIDERS} - {"openai"}
    assert report.skipped_providers["deepseek"].startswith("DEEPSEEK_API_KEY is set neither")


def test_an_application_that_calls_it_is_captured(tmp_path: Path, proxy: str) -> None:
    """A stream, an answer in one piece and a refusal; what came of them leads to a GO."""
    scene = Scene(root=tmp_path, answers=[], upstream=proxy.removesuffix("/v1"), key=MASTER_KEY)
    ask = {"model": "gpt-4o-mini", "messages": [{"role": "user", "content": "hi"}]}
    with scene.running() as application:
        assert application.post("/chat/completions", {**ask, "stream": True})[0] == 200
        status, answer = application.post("/chat/completions", ask)
        application.key = "sk-not-the-right-one"
        refused, _ = application.post("/chat/completions", ask)
    assert (status, json.loads(answer)["choices"][0]["message"]["content"]) == (200, TEXT)
    assert refused in {400, 401}  # it has no database to look the key up in
    assert len(scene.recordings()) == 3
    found = load_project(scene.settings)
    options = Options(today=datetime.now(UTC).date(), reference="openai", candidate="openai-async", jobs=1)
    verdict = check(found, found.scenarios, options).verdicts["acme"]
    assert verdict.answer is Readiness.READY, verdict.reasons
