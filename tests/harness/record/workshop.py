"""A small project to record for: one provider of each dialect, and a client that needs no library."""

from __future__ import annotations

import http.client
import json
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from llm_contracts.clients.call import Call, Client, Function
from llm_contracts.project.config import Project, Settings
from llm_contracts.project.scenario import Provider, Scenario
from llm_contracts.record.run import RecordedScenario, RecordReport, record
from llm_contracts.record.source import RecordOptions, Source
from llm_contracts.simulator.server import Simulator
from llm_contracts.wire.cassette import Cassette, load

REAL_KEY = "sk-real-4f9d-7c21-secret-key"
ASKED = ({"role": "user", "content": "json?"},)

PROVIDERS = (
    Provider(
        name="openai",
        base_url="https://api.openai.com/v1",
        key_variable="OPENAI_API_KEY",
        base_url_variable="OPENAI_BASE_URL",
    ),
    Provider(name="deepseek", base_url="https://api.deepseek.com", key_variable="DEEPSEEK_API_KEY"),
    Provider(name="elsewhere", base_url="https://elsewhere.example/v1", key_variable="ELSEWHERE_API_KEY"),
)


def plain_client(call: Call) -> Iterator[str]:
    """Sends one request and hands the text on; no retries, no library, no opinion about errors."""
    url = urlsplit(call.base_url)
    connection = http.client.HTTPConnection(url.netloc, timeout=20)
    listing = call.function is Function.LIST_MODELS
    target = url.path + ("/models" if listing else "/chat/completions")
    body = json.dumps({"model": call.model, "messages": call.messages, "stream": True, **call.params})
    headers = {"Authorization": f"Bearer {call.api_key}", "Content-Type": "application/json"}
    try:
        connection.request("GET" if listing else "POST", target, None if listing else body, headers)
        for line in connection.getresponse().read().decode().splitlines():
            yield from texts(line)
    finally:
        connection.close()


def texts(line: str) -> Iterator[str]:
    if line.startswith('data: {"id"'):
        for choice in json.loads(line.removeprefix("data: "))["choices"]:
            yield choice["delta"].get("content") or ""


def row(scenario: str = "plain-stream", provider: str = "openai", **more: Any) -> Scenario:
    model = {"openai": "gpt-4o-mini", "deepseek": "deepseek-chat"}.get(provider, "glm-4-flash")
    return Scenario(**{"id": scenario, "provider": provider, "model": model, "messages": ASKED, **more})


@dataclass(frozen=True, kw_only=True)
class Workshop:
    """A project in a folder of its own, and a provider to call: a simulator that takes `REAL_KEY`, in the
    place of OpenAI. `local`: the provider's own row names the simulator, so what it says is live evidence.
    """

    root: Path
    upstream: Simulator
    path: Client = plain_client
    at: datetime = datetime(2026, 11, 1, tzinfo=UTC)
    local: bool = False

    def project(self, scenarios: Sequence[Scenario]) -> Project:
        folder = self.root
        settings = Settings(
            root=folder,
            clients=folder / "clients.py",
            scenarios=folder / "scenarios.py",
            waivers=folder / "waivers.toml",
            cassettes=folder / "cassettes",
            snapshots=folder / "snapshots",
            reference="plain-client",
        )
        clients = {"plain-client": self.path}
        openai, *others = PROVIDERS
        first = replace(openai, base_url=self.upstream.base_url) if self.local else openai
        providers = (first, *others)
        return Project(settings=settings, clients=clients, providers=providers, scenarios=tuple(scenarios))

    def options(self, source: Source, **more: Any) -> RecordOptions:
        environ = {"OPENAI_API_KEY": REAL_KEY, "OPENAI_BASE_URL": self.upstream.base_url}
        return RecordOptions(**{"source": source, "environ": environ, "now": lambda: self.at, **more})

    def record(
        self,
        *scenarios: Scenario,
        live: bool = False,
        progress: Callable[[RecordedScenario], None] = lambda _take: None,
        **more: Any,
    ) -> RecordReport:
        options = self.options(Source.LIVE if live else Source.SIMULATOR, **more)
        return record(self.project(scenarios), scenarios, options, progress=progress)

    def live(self, scenario: Scenario, script: str | None = None, **more: Any) -> RecordReport:
        """Record from the provider, which has been told what to play."""
        self.upstream.play(script or scenario.id)
        return self.record(scenario, live=True, **more)

    def file(self, scenario: Scenario) -> Path:
        return self.project([scenario]).cassette(scenario)

    def cassette(self, scenario: Scenario) -> Cassette:
        return load(self.file(scenario))

    def later(self, days: int) -> Workshop:
        return replace(self, at=self.at + timedelta(days=days))

    def with_path(self, path: Client) -> Workshop:
        return replace(self, path=path)
