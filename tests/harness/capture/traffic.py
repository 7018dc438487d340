"""An application's traffic, with a provider that answers as it is told."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from llm_contracts.capture.keeper import CaptureOptions
from llm_contracts.capture.run import Capture, capturing
from llm_contracts.project.config import Project, Settings, load_settings
from llm_contracts.project.scenario import Provider
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.proxy.server import Edge

KEY = "sk-canary-0123456789abcdef"
USER = {"role": "user", "content": "hello"}


@dataclass(kw_only=True)
class Application:
    """What calls the provider through the capture."""

    capture: Capture
    base_url: str
    key: str = KEY

    def ask(self, *messages: Any, **more: Any) -> tuple[int, bytes]:
        """Make a call; the status and the body of the answer."""
        body = {"model": "m-2026-01-02", "messages": list(messages or (USER,)), "stream": True, **more}
        return self.post("/chat/completions", body)

    def post(self, path: str, body: Any) -> tuple[int, bytes]:
        request = urllib.request.Request(
            self.base_url + path,
            json.dumps(body).encode(),
            {"content-type": "application/json", "authorization": f"Bearer {self.key}", "x-user": "carol"},
        )
        try:
            with urllib.request.urlopen(request, timeout=30) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as refusal:
            with refusal:
                return refusal.code, refusal.read()


@dataclass(kw_only=True)
class Scene:
    """Where it takes place. `answers`: what the provider says, in order, the last for ever;
    `upstream`: who answers instead; `path`: of its base URL; `key` and `environ`: the application's."""

    root: Path
    answers: list[Interaction]
    options: dict[str, Any] = field(default_factory=dict)
    upstream: str = ""
    path: str = "/v1"
    key: str = KEY
    environ: dict[str, str] = field(default_factory=dict)

    @property
    def settings(self) -> Settings:
        return load_settings(self.root)

    @contextmanager
    def running(self) -> Iterator[Application]:
        with Edge() as edge, edge.replay(self.answers) as upstream:
            base_url = (self.upstream or upstream.origin) + self.path
            row = Provider(name="acme", base_url=base_url, key_variable="K", base_url_variable="ACME_URL")
            project = Project(settings=self.settings, providers=(row,))
            options = CaptureOptions(folder=self.root / "cassettes", environ=self.environ, **self.options)
            with capturing(project, options) as capture:
                yield Application(capture=capture, base_url=capture.variables["ACME_URL"], key=self.key)

    def recordings(self) -> list[Path]:
        return sorted((self.root / "cassettes" / "acme").glob("*.yaml"))
