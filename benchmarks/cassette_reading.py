"""Reading cassettes: ours against vcrpy's loader and against YAML alone.

Strict reading must not be what a run waits for. Two inputs: every committed cassette, and one of 50 MB (5 MB
when quick) with many exchanges, made of the same recordings.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

import yaml
from vcr.persisters.filesystem import FilesystemPersister
from vcr.serializers import yamlserializer

from benchmarks.measure import Figure, Size, race
from llm_contracts.wire.cassette import Cassette, load
from llm_contracts.wire.cassette.render import render

COMMITTED = Path(__file__).resolve().parents[1] / "cassettes"
_MEGABYTE = 1_000_000
_BEFORE, _AFTER = b"interactions:\n", b"version: 1\n"
_EVERY = 12  # of the committed cassettes, one in so many is repeated in the large one: writing takes longest
_AT_MOST = 1.25  # times as long as YAML alone: what being strict may cost


def run(size: Size) -> Iterable[Figure]:
    """Time each way of reading, on both inputs."""
    committed = tuple(sorted(COMMITTED.rglob("*.yaml")))
    rounds = 7 if size is Size.FULL else 3
    yield from _compared("committed cassettes", committed, rounds)
    with TemporaryDirectory() as folder:
        large = Path(folder, "large.yaml")
        large.write_bytes(generated(committed, (50 if size is Size.FULL else 5) * _MEGABYTE))
        yield from _compared("one large cassette", (large,), rounds)


def generated(sources: Sequence[Path], size: int) -> bytes:
    """A cassette of at least so many bytes: the exchanges of some of these files, over and over."""
    exchanges = [interaction for file in sources[::_EVERY] for interaction in load(file).interactions]
    text = render(Cassette(interactions=tuple(exchanges)))
    items = text.removeprefix(_BEFORE).removesuffix(_AFTER)
    return _BEFORE + items * (1 + size // len(items)) + _AFTER


def _compared(about: str, files: tuple[Path, ...], rounds: int) -> Iterator[Figure]:
    readers: dict[str, Callable[[Path], object]] = {
        "ours": load,
        "vcrpy": partial(FilesystemPersister.load_cassette, serializer=yamlserializer),
        "YAML alone": _raw,
    }
    # Reading keeps one processor busy and waits for nothing, so its processor time is what it costs.
    timed = race(
        {name: partial(_each, reader, files) for name, reader in readers.items()},
        rounds=rounds,
        clock=time.process_time,
    )
    megabytes = sum(file.stat().st_size for file in files) / _MEGABYTE
    yield timed.ratio("ours", "YAML alone", about=about, at_most=_AT_MOST)
    yield timed.ratio("ours", "vcrpy", about=about)
    yield timed.rate("ours", megabytes, "MB/s", about=about)


def _each(reader: Callable[[Path], object], files: tuple[Path, ...]) -> None:
    for file in files:
        reader(file)


def _raw(path: Path) -> object:
    return yaml.load(path.read_bytes(), Loader=yaml.CSafeLoader)
