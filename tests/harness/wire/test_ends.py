"""Every way in which an exchange can end is recorded as what it was, and replays as such to both clients.

Each ending is played three times to each bare client: by the provider itself, by the provider through the
recording edge, and from the cassette. What the client makes of it must be the same each time.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from llm_contracts.clients.builtin import BUILTIN
from llm_contracts.clients.call import Call
from llm_contracts.clients.observation import Observation
from llm_contracts.clients.observe import observe
from llm_contracts.clients.session import SessionLike
from llm_contracts.wire.cassette import load, save
from llm_contracts.wire.interaction import End, Interaction, Request
from llm_contracts.wire.proxy.playback_options import PlaybackOptions
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.scrub import Scrubber
from tests.harness.wire.exchanges import JSON, PUBLIC, cassette, stream, text_event
from tests.harness.wire.upstream import Peer, Script, Upstream

pytestmark = pytest.mark.long

_CLIENTS = ("openai", "litellm")
_ASYNC_CLIENTS = ("openai-async", "litellm-async")
_PATIENCE = 20.0
_SHORT_PATIENCE = 0.5
_CHINESE = text_event("你好")


def _stream_of(peer: Peer, *chunks: bytes) -> None:
    peer.head()
    for chunk in chunks:
        peer.chunk(chunk)


def _complete(peer: Peer) -> None:
    _stream_of(peer, stream("a", "你好"))
    peer.last_chunk()


def _cut_between_events(peer: Peer) -> None:
    _stream_of(peer, text_event("a"))


def _cut_in_an_event(peer: Peer) -> None:
    _stream_of(peer, text_event("a"), text_event("bcd")[:-12])


def _cut_in_a_character(peer: Peer) -> None:
    _stream_of(peer, text_event("a"), _CHINESE[: _CHINESE.index("你".encode()) + 1])


def _cut_short_of_its_length(peer: Peer) -> None:
    peer.head(headers=(("content-type", "text/event-stream"), ("content-length", "999")), chunked=False)
    peer.send(text_event("a"))


def _reset_between_events(peer: Peer) -> None:
    _stream_of(peer, text_event("a"))
    peer.reset()


def _reset_without_chunks(peer: Peer) -> None:
    peer.head(chunked=False)
    peer.send(text_event("a"))
    peer.reset()


def _silent_in_the_stream(peer: Peer) -> None:
    _stream_of(peer, text_event("a"))
    peer.wait_for_the_end()


def _silent_after_the_head(peer: Peer) -> None:
    peer.head()
    peer.wait_for_the_end()


def _hung_up_at_once(_peer: Peer) -> None:
    pass


def _refusal(peer: Peer) -> None:
    body = b'{"error":{"message":"no","type":"invalid_request_error","param":null,"code":"x"}}'
    peer.head(status="400 Bad Request", headers=(*JSON, ("content-length", str(len(body)))), chunked=False)
    peer.send(body)


_ENDINGS: dict[str, tuple[Script, End]] = {
    "complete": (_complete, End.COMPLETE),
    "an error document": (_refusal, End.COMPLETE),
    "cut between events": (_cut_between_events, End.CUT),
    "cut in an event": (_cut_in_an_event, End.CUT),
    "cut in a character": (_cut_in_a_character, End.CUT),
    "cut short of its length": (_cut_short_of_its_length, End.CUT),
    "reset between events": (_reset_between_events, End.RESET),
    "reset without chunks": (_reset_without_chunks, End.RESET),
    "hung up at once": (_hung_up_at_once, End.CUT),
    "reset at once": (Peer.reset, End.RESET),
}


# Those after which no client tries again: between attempts the asynchronous ones pause on a real clock.
_IN_THE_STREAM = [name for name in _ENDINGS if name.startswith(("cut", "reset")) and "at once" not in name]
_SILENCES = (_silent_in_the_stream, _silent_after_the_head, Peer.wait_for_the_end)


class _Nobody(SessionLike):
    """Stands for a session where a client speaks to the provider itself."""

    def requests(self) -> tuple[Request, ...]:
        return ()

    def events_sent(self) -> int | None:
        return None

    def delivered(self, text: int, reasoning: int = 0, arguments: int = 0, others: int = 0, /) -> None:
        """Nobody waits for it."""

    def abort(self) -> None:
        """There is nothing to drop."""


@dataclass(frozen=True, slots=True)
class _Seen:
    """What a client made of an exchange."""

    text: str
    failure: tuple[str, int | None] | None


def _ask(client: str, origin: str, session: SessionLike, patience: float) -> _Seen:
    call = Call(
        base_url=f"{origin}/v1",
        api_key="sk-made-up-0123456789",
        provider="openai",
        model="gpt-4o-mini",
        messages=({"role": "user", "content": "hello"},),
        params={"timeout": patience},
    )
    return _seen(observe(BUILTIN[client], call, name=client, session=session, timeout=30, skip_pauses=True))


def _seen(observation: Observation) -> _Seen:
    failure = observation.failure
    return _Seen(
        text="".join(chunk.text for chunk in observation.chunks),
        failure=None if failure is None else (failure.category, failure.status),
    )


@contextmanager
def _provider(script: Script | None) -> Iterator[str]:
    """A provider's origin; without a script nobody listens there."""
    if script is not None:
        with Upstream(script) as upstream:
            yield upstream.origin
        return
    with socket.create_server(("127.0.0.1", 0)) as free:
        origin = f"http://127.0.0.1:{free.getsockname()[1]}"
    yield origin


def _recorded(
    edge: Edge, client: str, origin: str, *, patience: float, timeout: float = 60
) -> tuple[_Seen, tuple[Interaction, ...]]:
    with edge.record(upstream=origin, public=PUBLIC, scrubber=Scrubber({}), timeout=timeout) as session:
        return _ask(client, session.origin, session, patience), session.interactions()


def _from_cassette(
    edge: Edge, client: str, interactions: tuple[Interaction, ...], path: Path, patience: float
) -> _Seen:
    save(path, cassette(*interactions))
    with edge.replay(load(path).interactions, PlaybackOptions(silence=10 * _SHORT_PATIENCE)) as session:
        return _ask(client, session.origin, session, patience)


@pytest.mark.parametrize(
    ("client", "ending"),
    [
        *((client, ending) for client in _CLIENTS for ending in _ENDINGS),
        *((client, ending) for client in _ASYNC_CLIENTS for ending in _IN_THE_STREAM),
    ],
)
def test_an_ending_is_the_same_from_the_provider_and_from_its_recording(
    edge: Edge, tmp_path: Path, client: str, ending: str
) -> None:
    script, end = _ENDINGS[ending]
    with _provider(script) as origin:
        directly = _ask(client, origin, _Nobody(), _PATIENCE)
        through, interactions = _recorded(edge, client, origin, patience=_PATIENCE)
    assert {one.response.end for one in interactions} == {end}
    assert through == directly
    assert _from_cassette(edge, client, interactions, tmp_path / "it.yaml", _PATIENCE) == directly


@pytest.mark.parametrize("client", _CLIENTS)
def test_nobody_listening_is_the_same_as_from_its_recording(edge: Edge, tmp_path: Path, client: str) -> None:
    with _provider(None) as origin:
        directly = _ask(client, origin, _Nobody(), _PATIENCE)
        through, interactions = _recorded(edge, client, origin, patience=_PATIENCE)
    assert {(one.response.end, one.response.status) for one in interactions} == {(End.REFUSED, 0)}
    assert through == directly
    assert _from_cassette(edge, client, interactions, tmp_path / "it.yaml", _PATIENCE) == directly


@pytest.mark.parametrize(
    ("client", "silence"),
    [
        *((client, silence) for client in _CLIENTS for silence in _SILENCES),
        *((client, _silent_in_the_stream) for client in _ASYNC_CLIENTS),
    ],
)
@pytest.mark.parametrize("leaves_first", ["edge", "client"])
def test_silence_is_the_same_whoever_ended_it_while_recording(
    edge: Edge, tmp_path: Path, client: str, silence: Script, leaves_first: str
) -> None:
    """A client that loses patience does so with the recording, too."""
    timeout, patience, end = {
        "edge": (_SHORT_PATIENCE, _PATIENCE, End.TIMEOUT),
        "client": (_PATIENCE, _SHORT_PATIENCE, End.CLIENT_LEFT),
    }[leaves_first]
    # Both mostly wait; each has a provider of its own, which serves one after another.
    with _provider(silence) as origin, _provider(silence) as another, ThreadPoolExecutor() as pool:
        asked = pool.submit(_ask, client, another, _Nobody(), _SHORT_PATIENCE)
        through, interactions = _recorded(edge, client, origin, patience=patience, timeout=timeout)
        directly = asked.result()
    assert {one.response.end for one in interactions} == {end}
    assert through == directly or leaves_first == "edge"
    assert _from_cassette(edge, client, interactions, tmp_path / "it.yaml", _SHORT_PATIENCE) == directly
