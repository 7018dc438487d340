"""Cassettes come back as they were written, are readable, and are written whole or not at all."""

from __future__ import annotations

import errno
import resource
import subprocess
import sys
from dataclasses import replace
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import IO, Any, NoReturn

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.wire.cassette import Cassette, CassetteError, load, save
from llm_contracts.wire.cassette.parse import FormatError, parse
from llm_contracts.wire.cassette.render import render
from llm_contracts.wire.interaction import End, Interaction, Piece, Request, Response
from tests.harness.wire.exchanges import EVENT_STREAM, JSON, cassette, exchange, stream, streamed

_TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
_BODIES = st.binary(max_size=60) | st.text(max_size=60).map(lambda text: text.encode("utf-8", "replace"))
_HEADERS = st.lists(st.tuples(_TEXT, _TEXT), max_size=3, unique_by=lambda line: line[0]).map(tuple)


@st.composite
def _interactions(draw: st.DrawFn) -> Interaction:
    body = draw(_BODIES)
    cut = draw(st.integers(0, len(body)))
    moment = st.floats(0, 1e6).map(lambda value: round(value, 1))
    pieces = (Piece(size=cut, at_ms=draw(moment)), Piece(size=len(body) - cut, at_ms=draw(moment)))
    return Interaction(
        request=Request(method=draw(_TEXT), uri=draw(_TEXT), headers=draw(_HEADERS), body=draw(_BODIES)),
        response=Response(
            status=draw(st.integers(0, 999)),
            reason=draw(_TEXT),
            headers=draw(_HEADERS),
            body=body,
            end=draw(st.sampled_from(End)),
            pieces=draw(st.none() | st.just(pieces)),
        ),
    )


@given(interactions=st.lists(_interactions(), max_size=2))
def test_any_bytes_and_any_text_come_back(interactions: list[Interaction]) -> None:
    written = cassette(*interactions)
    assert parse(render(written)) == written


def test_a_saved_cassette_comes_back(tmp_path: Path) -> None:
    path = tmp_path / "openai" / "plain.yaml"
    written = cassette(
        streamed(
            stream("你好", "😀"),
            pieces=(Piece(size=4, at_ms=1.5), Piece(size=len(stream("你好", "😀")) - 4, at_ms=30)),
        ),
        streamed(b"data: {", end=End.CUT),
        exchange(Response(status=0, end=End.REFUSED, pieces=())),
    )
    save(path, written)
    assert load(path) == written
    assert path.stat().st_mode & 0o777 == 0o644


def test_streams_are_written_one_event_a_paragraph_in_readable_characters() -> None:
    text = render(cassette(streamed(stream("你好 😀")))).decode()
    assert '\n        data: {"choices": [{"index": 0, "delta": {"content": "你好 😀"}' in text
    assert "\n\n        data: [DONE]\n" in text


def test_json_bodies_are_written_as_sent() -> None:
    body = b'{\n "b": 1,\n "a": "x"\n}'
    text = render(cassette(exchange(Response(status=200, headers=JSON, body=body), body=body))).decode()
    assert text.count("|-\n") == 2
    assert '{\n         "b": 1,\n         "a": "x"\n        }' in text


@pytest.mark.parametrize(
    "body",
    [
        b"data: a\r\n\r\n",
        b"a \n",
        b"\ta",
        b"\xff\xfe",
        b" a\n",
        b"\n\n",
        "\u2028\x85\ufeff".encode(),
        b"#\n---\n",
        "\x85".encode(),
        "a\u2028b".encode(),
    ],
)
def test_what_block_text_cannot_hold_comes_back_all_the_same(body: bytes) -> None:
    written = cassette(streamed(body))
    assert parse(render(written)) == written


def test_header_lines_of_one_name_come_together_in_their_order(tmp_path: Path) -> None:
    headers = (("a", "1"), ("b", "2"), ("a", "3"))
    save(tmp_path / "c.yaml", Cassette(interactions=(exchange(Response(status=200, headers=headers)),)))
    read = load(tmp_path / "c.yaml").interactions[0].response
    assert read.headers == (("a", "1"), ("a", "3"), ("b", "2"))


def test_a_moment_elsewhere_is_written_in_utc_without_fractions(tmp_path: Path) -> None:
    written = cassette()
    assert written.recording is not None
    moment = datetime(2026, 1, 31, 20, 0, 0, 987, tzinfo=timezone(timedelta(hours=8)))
    save(tmp_path / "c.yaml", replace(written, recording=replace(written.recording, recorded_at=moment)))
    assert load(tmp_path / "c.yaml") == written
    assert "recorded_at: '2026-01-31T12:00:00Z'" in (tmp_path / "c.yaml").read_text()


PLAIN = """
version: 1
interactions:
- request: {method: POST, uri: "https://x/y", headers: {accept: ['*/*']}, body: null}
  response:
    status: {code: 200, message: null}
    headers: {a: plain, b: [one, two]}
    body: {string: "hi"}
"""


def test_files_of_plain_vcrpy_are_read(tmp_path: Path) -> None:
    path = tmp_path / "plain.yaml"
    path.write_text(PLAIN)
    read = load(path)
    assert read.recording is None
    response = read.interactions[0].response
    assert (response.headers, response.body, response.reason) == (
        (("a", "plain"), ("b", "one"), ("b", "two")),
        b"hi",
        "",
    )
    assert (response.end, response.pieces) == (End.COMPLETE, None)


@pytest.mark.parametrize(
    ("old", "new", "body"),
    [
        ('{string: "hi"}', "{string: !!binary aGk=}", b"hi"),
        ('{string: "hi"}', "{string: null}", b""),
        ('{string: "hi"}', "null", b""),
    ],
)
def test_bodies_of_plain_vcrpy_may_be_text_bytes_or_nothing(old: str, new: str, body: bytes) -> None:
    assert parse(PLAIN.replace(old, new).encode()).interactions[0].response.body == body


def test_the_flat_responses_of_older_vcrpy_are_read() -> None:
    text = "version: 1\ninteractions:\n- request: {method: GET, uri: u, headers: null}\n"
    text += "  response: {status_code: 200, headers: {}, content: hi, http_version: HTTP/1.1}\n"
    assert parse(text.encode()).interactions[0].response == Response(status=200, body=b"hi")


def test_a_moment_that_yaml_reads_by_itself_is_taken_as_utc() -> None:
    text = render(cassette()).decode().replace("'2026-01-31T12:00:00Z'", "2026-01-31T12:00:00")
    assert parse(text.encode()) == cassette()


_GOOD = render(cassette(streamed(b"data: a\n\n", end=End.CUT, pieces=(Piece(size=9, at_ms=1),)))).decode()


@pytest.mark.parametrize(
    ("old", "new", "place", "problem"),
    [
        ("version: 1", "version: 2", "version", "is 2, but only version 1 is known"),
        ("version: 1", "version: true", "version", "is True, but only version 1 is known"),
        ("version: 1", "x: 1", "version", "is missing"),
        ("interactions:", "other:", "interactions", "is missing"),
        ("method: POST", "verb: POST", "interactions[0].request.method", "is missing"),
        ("method: POST", "method: 5", "interactions[0].request.method", "must be text, not int"),
        ("method: POST", "method:", "interactions[0].request.method", "must be text, not nothing"),
        ("code: 200", "code: ok", "interactions[0].response.status.code", "must be a whole number, not 'ok'"),
        (
            "code: 200",
            "code: true",
            "interactions[0].response.status.code",
            "must be a whole number, not True",
        ),
        ("code: 200", "code: -1", "interactions[0].response.status.code", "must be a whole number, not -1"),
        (
            "chunks: [[9, 1]]",
            "chunks: [[8, 1]]",
            "interactions[0].response.wire.chunks",
            "add up to 8 bytes, but the body has 9",
        ),
        ("chunks: [[9, 1]]", "chunks: [[9]]", "interactions[0].response.wire.chunks[0]", "must be a pair"),
        ("chunks: [[9, 1]]", "chunks: 9", "interactions[0].response.wire.chunks", "must be a list, not int"),
        (
            "chunks: [[9, 1]]",
            "chunks: [[9, soon]]",
            "interactions[0].response.wire.chunks[0][1]",
            "must be a number of milliseconds",
        ),
        (
            "chunks: [[9, 1]]",
            "chunks: [[9, .nan]]",
            "interactions[0].response.wire.chunks[0][1]",
            "must be a number of milliseconds",
        ),
        (
            "end: cut",
            "end: torn",
            "interactions[0].response.wire.end",
            "is 'torn', which is none of complete, cut",
        ),
        ("end: cut", "fin: cut", "interactions[0].response.wire", "has the unknown key 'fin'"),
        (
            "provenance: scripted",
            "provenance: dreamt",
            "recording.provenance",
            "is 'dreamt', which is none of live",
        ),
        ("client: adapter-legacy", "clint: adapter-legacy", "recording", "has the unknown key 'clint'"),
        ("client: adapter-legacy", "", "recording.client", "is missing"),
        ("2026-01-31T12:00:00Z", "yesterday", "recording.recorded_at", "must be a date and time such as"),
        ("openai: 2.54.0", "openai: 2.54", "recording.versions.openai", "must be text, not float"),
        (
            "    headers:",
            "    headers: 5\n    other:",
            "interactions[0].request.headers",
            "must be a mapping, not int",
        ),
    ],
)
def test_a_fault_is_named_with_its_place(
    tmp_path: Path, old: str, new: str, place: str, problem: str
) -> None:
    assert old in _GOOD
    _require_error(tmp_path, _GOOD.replace(old, new, 1).encode(), place, problem)


@pytest.mark.parametrize(
    ("content", "place", "problem"),
    [
        (b"", "", "is empty"),
        (b" \n\n", "", "is empty"),
        (b"version: 1\n\xff", "byte 11", "is not UTF-8"),
        (_GOOD.encode()[:-23], "line 33", "is not valid YAML"),
        (b"a: \x01", "", "is not valid YAML"),
        (b"[]", "", "must be a mapping, not list"),
        (b"version: 1\ninteractions: 2026-13-45", "line 2", "'2026-13-45' is no timestamp"),
        (b"version: 1\ninteractions: !!python/object/apply:os.getcwd []", "line 2", "is not valid YAML"),
    ],
)
def test_a_damaged_file_is_never_an_empty_cassette(
    tmp_path: Path, content: bytes, place: str, problem: str
) -> None:
    _require_error(tmp_path, content, place, problem)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ("provenance: scripted", "provenance: live"),
        ("2026-01-31", "2026-02-28"),
        ("scenario: plain-stream", "scenario: json-mode"),
        ("data: a", "data: b"),
        ("end: cut", "end: complete"),
    ],
)
def test_an_edited_file_is_refused(tmp_path: Path, old: str, new: str) -> None:
    assert old in _GOOD
    _require_error(
        tmp_path, _GOOD.replace(old, new, 1).encode(), "recording.digest", "was edited after it was"
    )


def _require_error(folder: Path, content: bytes, place: str, problem: str) -> None:
    path = folder / "bad.yaml"
    path.write_bytes(content)
    with pytest.raises(CassetteError) as caught:
        load(path)
    error = caught.value
    assert (error.path, error.place) == (path, place)
    assert problem in error.problem
    assert error.problem.endswith(("record it again.", "or record again."))
    assert str(error).startswith(f"{path}: ")


def test_every_truncation_of_a_cassette_is_refused() -> None:
    """Even one between two exchanges, or in the middle of a body, where the rest would be valid YAML."""
    two = render(cassette(streamed(b"data: a\n\n"), streamed(b"data: b\n\n")))
    assert two.endswith(b"version: 1\n")
    for size in range(len(two) - 1):
        with pytest.raises(FormatError):
            parse(two[:size])


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(CassetteError, match=r"none\.yaml: cannot be read \(No such file or directory\)"):
        load(tmp_path / "none.yaml")


def _full(_file: IO[bytes], _data: bytes) -> NoReturn:
    raise OSError(errno.ENOSPC, "No space left on device")


def _interrupted(file: IO[bytes], data: bytes) -> NoReturn:
    file.write(data[:10])
    raise KeyboardInterrupt


@pytest.mark.parametrize(("write", "error"), [(_full, OSError), (_interrupted, KeyboardInterrupt)])
def test_a_failure_while_writing_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, write: Any, error: type[BaseException]
) -> None:
    path = tmp_path / "c.yaml"
    save(path, cassette())
    old = path.read_bytes()
    with pytest.raises(error):
        save(path, cassette(streamed(stream("new"))), write=write)
    assert path.read_bytes() == old
    assert list(tmp_path.iterdir()) == [path]


_FULL_DISK = """
import signal, sys
from pathlib import Path
from llm_contracts.wire.cassette import load, save
signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
path = Path(sys.argv[1])
try:
    save(path, load(Path(sys.argv[2])))
except OSError as error:
    print(error.strerror)
"""


def test_a_disk_that_takes_no_more_leaves_the_old_file(tmp_path: Path) -> None:
    """The kernel itself refuses to write: a file size limit stands for the full disk."""
    path, new = tmp_path / "c" / "c.yaml", tmp_path / "new.yaml"
    save(path, cassette())
    old = path.read_bytes()
    save(new, cassette(streamed(stream("x" * 10_000))))
    done = subprocess.run(
        [sys.executable, "-c", _FULL_DISK, str(path), str(new)],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
        preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (4096, 4096)),
    )
    assert done.stdout.strip() == "File too large"
    assert path.read_bytes() == old
    assert list(path.parent.iterdir()) == [path]


@pytest.mark.parametrize("mode", [0o600, 0o666])  # fewer and more than a new file has
def test_a_file_keeps_its_permissions_when_it_is_replaced(tmp_path: Path, mode: int) -> None:
    path = tmp_path / "c.yaml"
    save(path, cassette())
    path.chmod(mode)
    save(path, cassette())
    assert path.stat().st_mode & 0o777 == mode


@pytest.mark.parametrize(
    ("broken", "problem"),
    [
        (Response(status=200, headers=(*EVENT_STREAM, ("x", "\udc80"))), "cannot be written"),
        (Response(status=200, body=b"ab", pieces=(Piece(size=1, at_ms=0),)), "add up to 1 bytes"),
        (Response(status=200, pieces=(Piece(size=0, at_ms=float("inf")),)), "must be a number of milli"),
    ],
)
def test_what_would_not_read_back_is_not_written(tmp_path: Path, broken: Response, problem: str) -> None:
    with pytest.raises(CassetteError, match=problem):
        save(tmp_path / "c.yaml", cassette(exchange(broken)))
    assert list(tmp_path.iterdir()) == []


def test_a_value_that_reads_back_differently_is_not_written(tmp_path: Path) -> None:
    """A time in the caller's zone without saying so would come back as another one."""
    written = cassette()
    assert written.recording is not None
    odd = replace(written.recording, versions={"openai": "2"}, recorded_at=datetime(2026, 1, 1))  # noqa: DTZ001
    with pytest.raises(CassetteError, match="would not read back as recorded"):
        save(tmp_path / "c.yaml", replace(written, recording=odd))
    assert list(tmp_path.iterdir()) == []
