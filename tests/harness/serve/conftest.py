"""A replay server over three small recordings, and what it has written down."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from llm_contracts.serve.index import IndexedRecording, RecordingIndex
from llm_contracts.serve.run import serving
from llm_contracts.serve.session import Entry, ServeSession, ServingRules
from llm_contracts.wire.interaction import Interaction, Response
from llm_contracts.wire.proxy.playback_options import PlaybackOptions
from llm_contracts.wire.scrub import Scrubber
from tests.harness.wire.exchanges import JSON, exchange, stream, streamed

QUESTION = b'{"messages":[{"role":"user","content":"hello"}],"model":"m","temperature":0.5}'
KEY = "sk-canary-0123456789abcdef"


def refusal(status: int, text: str) -> Interaction:
    """A question that was refused."""
    body = json.dumps({"error": {"message": text}}).encode()
    return exchange(Response(status=status, reason="Refused", headers=JSON, body=body), body=QUESTION)


def answer(*texts: str, body: bytes = QUESTION) -> Interaction:
    """A question that was answered with a stream."""
    made = streamed(stream(*texts))
    return exchange(made.response, body=body)


def index(*recordings: IndexedRecording) -> RecordingIndex:
    """OpenAI's index."""
    return RecordingIndex("openai", "/v1", recordings)


def recording(name: str, *interactions: Interaction, usual: bool = True) -> IndexedRecording:
    """One recording."""
    return IndexedRecording(
        name=name, file=f"cassettes/openai/{name}.yaml", interactions=interactions, usual=usual
    )


PLAIN = recording("plain", answer("hel", "lo"))
RETRIED = recording("retried", refusal(429, "1"), answer("at last"), usual=False)
OTHER = recording("other", answer("other", body=b'{"messages":[],"model":"m2"}'))


@dataclass(kw_only=True)
class Server:
    """A running server, asked from outside."""

    session: ServeSession
    entries: list[Entry] = field(default_factory=list)

    def ask(
        self, path: str, body: bytes | None = QUESTION, *, method: str | None = None, **headers: str
    ) -> tuple[int, bytes]:
        """Status and body of one answer."""
        request = urllib.request.Request(self.session.origin + path, body, headers, method=method)
        try:
            with urllib.request.urlopen(request, timeout=60) as response:
                return response.status, response.read()
        except urllib.error.HTTPError as error:
            with error:
                return error.code, error.read()

    def json(self, path: str, body: bytes | None = None, *, method: str | None = None) -> Any:
        """The JSON of one answer."""
        return json.loads(self.ask(path, body, method=method)[1])


Serving = Callable[..., AbstractContextManager[Server]]


@pytest.fixture
def running() -> Serving:
    """Starts a server for these indexes."""

    @contextmanager
    def run(*indexes: RecordingIndex, any_body: bool = False, speed: float | None = None) -> Iterator[Server]:
        entries: list[Entry] = []
        scrubber = Scrubber({"OPENAI_API_KEY": KEY})
        rules = ServingRules(
            playback=PlaybackOptions(speed=speed), scrubber=scrubber, any_body=any_body, log=entries.append
        )
        with serving(indexes, rules, port=0) as session:
            yield Server(session=session, entries=entries)

    return run


@pytest.fixture
def server(running: Serving) -> Iterator[Server]:
    with running(index(PLAIN, RETRIED, OTHER)) as started:
        yield started
