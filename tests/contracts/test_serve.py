"""Our recordings as the replay server hands them out: each exchange by its name, and to whoever asks anew."""

from __future__ import annotations

import http.client
from collections.abc import Iterator
from urllib.parse import quote, urlsplit

import pytest

from llm_contracts import Interaction
from llm_contracts.serve.run import from_project, indexes, serving
from llm_contracts.serve.session import ServeSession, ServingRules
from llm_contracts.wire.content import decoded
from llm_contracts.wire.proxy.playback_options import PlaybackOptions
from llm_contracts.wire.scrub import Scrubber
from tests.contracts.recorded import PROJECT, RECORDED


@pytest.fixture(scope="module")
def session() -> Iterator[ServeSession]:
    catalogue = from_project(PROJECT, PROJECT.scenarios)
    assert not catalogue.unreadable
    served = indexes(PROJECT, catalogue)
    rules = ServingRules(playback=PlaybackOptions(), scrubber=Scrubber({}))
    with serving(served, rules, port=0) as running:
        yield running


class _Client:
    """One connection, kept, that repeats recorded requests."""

    def __init__(self, session: ServeSession) -> None:
        self._connection = http.client.HTTPConnection(urlsplit(session.origin).netloc, timeout=30)

    def close(self) -> None:
        self._connection.close()

    def ask(self, prefix: str, recorded: Interaction) -> tuple[int, bytes]:
        parts = urlsplit(recorded.request.uri)
        target = f"{prefix}{parts.path}" + (f"?{parts.query}" if parts.query else "")
        kept = {name: value for name, value in recorded.request.headers if name.lower() == "content-type"}
        self._connection.request(recorded.request.method, target, recorded.request.body, kept)
        answer = self._connection.getresponse()
        return answer.status, answer.read()


@pytest.fixture
def client(session: ServeSession) -> Iterator[_Client]:
    opened = _Client(session)
    yield opened
    opened.close()


def _recorded(interaction: Interaction) -> tuple[int, bytes]:
    response = decoded(interaction.response)
    return response.status, response.body


@pytest.mark.parametrize("provider", [provider.name for provider in PROJECT.providers])
def test_each_recording_is_handed_out_under_its_name(
    provider: str, session: ServeSession, client: _Client
) -> None:
    recordings = session.indexes[provider].recordings
    rows = [row for row in RECORDED.values() if row.provider == provider]
    assert {recording.name for recording in recordings} == {row.id for row in rows}
    for recording in recordings:
        prefix = f"/run/named/scenario/{quote(recording.name)}/{provider}"
        answers = [client.ask(prefix, interaction) for interaction in recording.interactions]
        assert answers == [_recorded(interaction) for interaction in recording.interactions], recording.name


@pytest.mark.parametrize("provider", [provider.name for provider in PROJECT.providers])
def test_what_a_provider_answers_of_itself_needs_no_name(
    provider: str, session: ServeSession, client: _Client
) -> None:
    usual = [recording for recording in session.indexes[provider].recordings if recording.usual]
    assert usual
    for number, recording in enumerate(usual):
        for interaction in recording.interactions:
            status, _ = client.ask(f"/run/usual{number}/{provider}", interaction)
            assert status == interaction.response.status, recording.name
