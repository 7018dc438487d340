"""What a call does beside answering is noted: whom it talks to, what it starts, writes and leaves open."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import shutil
import socket
import sqlite3
import subprocess
import sys
import warnings
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import redirect_stdout, suppress
from functools import partial
from io import StringIO
from itertools import count
from pathlib import Path
from tempfile import NamedTemporaryFile, TemporaryFile, mkdtemp
from threading import Event, Thread
from typing import Any

import pytest

from llm_contracts.clients.call import Call, Client
from llm_contracts.clients.effects import Change, Effects
from llm_contracts.clients.observe import observe
from llm_contracts.clients.side_effects import found as side_effects
from llm_contracts.clients.side_effects import watched
from tests.harness.meanwhile import meanwhile

LEFT: list[Any] = []
_MANY = 200  # files: to look at them takes longer than a thread's turn


@pytest.fixture(autouse=True)
def closed() -> Iterator[None]:
    """What these tests leave open is closed."""
    yield
    for each in LEFT:
        each.close()
    LEFT.clear()


def done(act: Callable[[], Any], *, edge: str = "") -> dict[str, Any]:
    effects = Effects(edge=edge)
    with watched(effects):
        act()
    return side_effects(effects)


def talks_to(listening: socket.socket) -> Callable[[], None]:
    def act() -> None:
        with socket.create_connection(listening.getsockname()):
            pass

    return act


def closing_a_pair() -> None:
    for each in socket.socketpair():
        each.close()


def test_whom_else_a_call_talks_to_is_named_and_the_edge_is_not() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        address = f"127.0.0.1:{listening.getsockname()[1]}"
        assert done(talks_to(listening)) == {"network": [address]}
        assert done(talks_to(listening), edge=address) == {}


def test_a_datagram_and_a_name_that_is_looked_up_are_talk() -> None:
    def act() -> None:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sender:
            sender.sendto(b"x", ("127.0.0.1", 9))
        socket.getaddrinfo("127.0.0.1", 53)

    assert done(act) == {"network": ["127.0.0.1:53", "127.0.0.1:9"]}


def test_a_socket_that_is_left_open_is_seen_and_a_closed_one_is_not() -> None:
    assert done(lambda: LEFT.extend(socket.socketpair())) == {"sockets": ["left open"]}
    assert done(closing_a_pair) == {}


def test_files_that_a_call_writes_and_folders_that_it_makes_are_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def act() -> None:
        (tmp_path / "made").mkdir()
        (tmp_path / "gone").write_text("x")
        (tmp_path / "gone").unlink()
        (tmp_path / "made" / "answer.json").write_text("x")

    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "elsewhere"))
    assert done(act) == {"files.written": ["answer.json", "made"]}
    monkeypatch.undo()
    with NamedTemporaryFile("w", delete=False) as file:
        LEFT.append(file)
    assert done(lambda: Path(file.name).write_text("y")) == {"files.written": ["a temporary file"]}
    assert done(lambda: Path(file.name).read_text()) == {}
    assert done(lambda: Path(os.devnull).write_text("y")) == {}
    Path(file.name).unlink()


@pytest.mark.parametrize(
    ("act", "effects"),
    [
        (lambda old: old.unlink(), {"files.changed": ["old"]}),
        (lambda old: old.chmod(0o600), {"files.changed": ["old"]}),
        (lambda old: os.truncate(old, 0), {"files.changed": ["old"]}),
        (lambda old: old.rename(old.with_name("new")), {"files.changed": ["old"], "files.written": ["new"]}),
        (lambda old: old.with_name("link").symlink_to(old), {"files.written": ["link"]}),
        (lambda old: sqlite3.connect(old.with_name("db")).close(), {"files.written": ["db"]}),
        (lambda old: old.with_name("none").unlink(missing_ok=True), {}),
        (lambda _old: TemporaryFile().close(), {}),
        (lambda _old: shutil.rmtree(mkdtemp()), {}),
    ],
)
def test_a_file_that_a_call_finds_and_changes_is_named(
    act: Callable[[Path], Any], effects: dict[str, Any], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path / "elsewhere"))
    (tmp_path / "elsewhere").mkdir()
    old = tmp_path / "old"
    old.write_text("x")
    assert done(lambda: act(old)) == effects


def test_output_that_a_caller_takes_for_itself_is_none() -> None:
    def act() -> None:
        with redirect_stdout(StringIO()):
            sys.stdout.write("x")

    assert done(act) == {}


def test_programs_that_a_call_starts_are_named() -> None:
    assert done(lambda: subprocess.run([sys.executable, "-c", ""], check=True)) == {
        "processes": [Path(sys.executable).name]
    }


def test_a_warning_that_was_given_before_is_given_at_each_call() -> None:
    with warnings.catch_warnings(record=True) as given:
        warnings.simplefilter("default")
        for _ in range(2):
            done(lambda: warnings.warn("careful", stacklevel=1))
    assert len(given) == 2


def test_what_is_written_past_the_usual_streams_is_output(capfd: pytest.CaptureFixture[str]) -> None:
    assert done(lambda: sys.stdout.buffer.write(b"one")) == {"stdout": "one"}
    assert done(lambda: sys.__stdout__ and sys.__stdout__.write("two")) == {"stdout": "two"}
    assert capfd.readouterr().out == ""


def test_a_removed_variable_is_there_again_for_the_next_call(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("A_LEDGER_VARIABLE", "1")
    for _ in range(2):
        assert done(lambda: os.environ.pop("A_LEDGER_VARIABLE", None)) == {"environ.A_LEDGER_VARIABLE": "set"}


class Silent:
    """A session of nobody: no request arrives."""

    events = 0
    connections = 0
    times: tuple[tuple[float, float | None], ...] = ()

    def requests(self) -> tuple[()]:
        return ()

    def events_sent(self) -> int:
        return self.events

    def delivered(self, text: int, reasoning: int = 0, arguments: int = 0, others: int = 0, /) -> None:
        pass

    def abort(self) -> None:
        pass

    def exchange_times(self) -> tuple[tuple[float, float | None], ...]:
        return self.times

    def patience_spent(self) -> float:
        return 0.0

    def connections_open(self) -> int:
        return self.connections


def effects(client: Client, **options: Any) -> dict[str, Any]:
    call = Call(base_url="http://127.0.0.1:1", api_key="k", provider="p", model="m", input=["a"])
    return dict(observe(client, call, name="c", session=options.pop("session", Silent()), **options).effects)


def chunk(text: str) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": {"content": text}}]}


def test_a_pool_that_is_made_for_a_call_and_not_shut_down_leaves_its_threads() -> None:
    pools = [ThreadPoolExecutor(2) for _ in range(3)]
    older, _, closed = pools
    older.submit(int).result()

    def asks(pool: ThreadPoolExecutor) -> None:
        pool.submit(int).result()
        if pool is closed:
            pool.shutdown()

    try:
        assert [done(partial(asks, pool)) for pool in pools] == [{}, {"threads": 1}, {}]
    finally:
        for pool in pools:
            pool.shutdown()


def test_what_a_call_sets_on_the_loop_of_its_caller_is_seen() -> None:
    async def sets(_call: Call) -> AsyncIterator[Any]:
        asyncio.get_running_loop().set_exception_handler(lambda _loop, _context: None)
        yield chunk("a")

    async def sound(_call: Call) -> AsyncIterator[Any]:
        yield chunk("a")

    assert (effects(sets), effects(sound)) == ({"state.asyncio.loop": "set"}, {})


def test_who_yields_one_object_over_and_over_changes_what_was_handed_on() -> None:
    def reusing(_call: Call) -> Iterator[Any]:
        one = chunk("a")
        yield one
        one["choices"][0]["delta"]["content"] = "b"
        yield one

    def sound(_call: Call) -> Iterator[Any]:
        yield from map(chunk, "ab")

    assert effects(reusing) == {"chunks": ["changed after they were handed on"]}
    assert effects(sound) == {}


def test_who_hands_on_views_of_a_buffer_and_uses_it_again_changes_what_was_handed_on() -> None:
    pieces = [f"data: {json.dumps(chunk(text))}\n\n".encode() for text in "ab"]

    def reusing(_call: Call) -> Iterator[Any]:
        buffer = bytearray(len(pieces[0]))
        for piece in pieces:
            buffer[:] = piece
            yield memoryview(buffer)

    def releasing(_call: Call) -> Iterator[Any]:
        for piece in pieces:
            with memoryview(piece) as view:
                yield view

    assert effects(reusing) == effects(releasing) == {"chunks": ["changed after they were handed on"]}


@pytest.mark.parametrize(
    ("each_time", "ended", "seen"),
    [(0, 1.0, {}), (1, 1.0, {"connections": 1}), (0, None, {"connections": 1})],
    ids=["a pool", "one more for each call", "an answer that nobody reads"],
)
def test_a_pool_that_the_next_call_uses_again_is_not_left_open(
    each_time: int, ended: float | None, seen: dict[str, int]
) -> None:
    session = Silent()

    def client(_call: Call) -> Iterator[Any]:
        yield chunk("a")
        session.connections = max(1, session.connections + each_time)
        session.times = ((0.0, ended),)

    assert effects(client, session=session, again=True) == seen


def test_who_hangs_is_not_called_again() -> None:
    session, end, calls = Silent(), Event(), []

    def client(call: Call) -> Iterator[Any]:
        calls.append(call)
        session.connections, session.times = 1, ((0.0, 1.0),)
        yield chunk("a")
        end.wait(60)

    try:
        assert effects(client, session=session, again=True, timeout=0.05) == {"connections": 1}
        assert len(calls) == 1
    finally:
        end.set()


def test_what_a_client_that_hangs_does_meanwhile_can_be_looked_at(tmp_path: Path) -> None:
    effects, begun, end = Effects(), Event(), Event()

    def hang() -> None:
        with watched(effects):
            for number in count():
                (tmp_path / str(number)).touch()
                if number == _MANY:
                    begun.set()
                if end.is_set():
                    return

    thread = Thread(target=hang)
    thread.start()
    begun.wait()
    try:
        assert side_effects(effects)["files.written"] == ["a temporary file"]
    finally:
        end.set()
        thread.join()


def test_files_that_other_threads_close_meanwhile_do_not_end_the_look_at_what_is_open(tmp_path: Path) -> None:
    left, effects = tmp_path / "left", Effects()

    def open_and_close(_: int) -> None:
        for each in [open(os.devnull) for _ in range(20)]:  # noqa: PTH123, SIM115 - quick
            each.close()

    with left.open("w"), meanwhile(open_and_close):
        effects.note("files", str(left))
        assert [side_effects(effects)["files"] for _ in range(_MANY)] == [["left"]] * _MANY


def test_links_that_other_threads_remove_meanwhile_do_not_end_the_look_at_what_is_open(
    tmp_path: Path,
) -> None:
    """Libraries that keep files put them in place so."""
    left, effects = tmp_path / "left", Effects()

    def link_and_remove(number: int) -> None:
        link = tmp_path / str(number)
        link.symlink_to(left)
        link.unlink()

    with left.open("w"), meanwhile(link_and_remove):
        for each in (left, *(tmp_path / str(number) for number in range(3))):
            effects.note("files", str(each))
        assert all("left" in side_effects(effects)["files"] for _ in range(5 * _MANY))


def test_a_socket_that_is_closed_while_it_is_looked_at_is_not_left_open() -> None:
    class ClosedMeanwhile(socket.socket):
        def getpeername(self) -> Any:
            self.close()
            return super().getpeername()

    effects = Effects()
    with watched(effects), ClosedMeanwhile() as made:
        assert made.fileno() >= 0
        assert "sockets" not in side_effects(effects)


def test_what_cannot_be_made_is_not_written_whatever_its_name() -> None:
    def act() -> None:
        with suppress(OSError):
            Path("a" * 300).mkdir()

    assert done(act) == {}


def test_what_a_call_sets_can_be_looked_at_by_another_thread_at_any_time() -> None:
    class LookedAt(dict[str, Change]):
        def setdefault(self, place: str, change: Change) -> Change:
            found = super().setdefault(place, change)
            assert (found.outlives, found.shown) == (True, "set to 1")
            return found

    effects = Effects(changes=LookedAt())
    effects.note_change("place", object, None, 1)
    assert list(effects.changes) == ["place"]


def test_garbage_that_is_collected_during_the_look_gives_others_a_turn() -> None:
    effects, more = Effects(), count()

    class Garbage:
        def __init__(self) -> None:
            self.itself = self

        def __del__(self) -> None:
            number = next(more)
            effects.note(str(number), "name")
            if number < _MANY:
                Garbage()

    for number in range(_MANY):
        effects.note(f"place {number}", "name")
    thresholds = gc.get_threshold()
    gc.set_threshold(1)
    try:
        Garbage()
        assert side_effects(effects) == {}
    finally:
        gc.set_threshold(*thresholds)


def test_what_garbage_collection_closes_is_not_left_open() -> None:
    """When that comes is chance."""
    session = Silent()

    class Unclosed:
        def __init__(self) -> None:
            self.itself = self  # no end of its references ends it
            session.connections += 1

        def __del__(self) -> None:
            session.connections -= 1

    def client(_call: Call) -> Iterator[Any]:
        Unclosed()
        yield chunk("a")

    assert effects(client, session=session, again=True) == {}


def test_what_is_asked_is_not_the_clients_to_change() -> None:
    def changing(call: Call) -> Iterator[Any]:
        call.input.append("b")
        yield chunk("a")

    assert effects(changing) == {"call.input": ["a", "b"]}


@pytest.mark.parametrize(("further", "seen"), [(0, {}), (3, {}), (4, {"events": 4})])
def test_who_reads_on_when_the_caller_leaves_is_noticed(further: int, seen: dict[str, int]) -> None:
    session = Silent()

    def reading(_call: Call) -> Iterator[Any]:
        try:
            yield from map(chunk, "ab")
        finally:
            session.events += further

    assert effects(reading, session=session, leaving=True) == seen
