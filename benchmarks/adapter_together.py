"""A hundred streams at once in one process, over LiteLLM against the legacy clients: threads, and gevent.

First as fast as the process can take them: throughput. Then at the pace of a model that writes a piece every
100 ms, where a silence that is longer than that is what a reader would notice: with streams that begin one
after the other, as people come, and with all of them beginning at the same moment.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from benchmarks.measure import Figure, Size, figure
from benchmarks.product import WAYS
from benchmarks.provider import provider

_STREAMS = 100
_PROGRAM = Path(__file__).with_name("together.py")
_BEGINNINGS: Mapping[float, str] = {4.0: "begun within 4 s", 0.0: "begun at once"}
_KINDS: Mapping[str, tuple[str, ...]] = {"threads": (), "gevent": ("-m", "gevent.monkey")}


def run(size: Size) -> Iterable[Figure]:
    """Each kind of worker, each way in a process of its own, in turns."""
    rounds = 5 if size is Size.FULL else 2
    with provider() as address:
        for kind, monkey in _KINDS.items():
            fast = [_pair(monkey, f"{address}/100x0", spread=0) for _ in range(rounds)]
            yield _ratio(f"{kind}: time for {_STREAMS} streams", fast, "seconds", at_most=1 / 1.5)
            for spread, about in _BEGINNINGS.items():
                paced = [_pair(monkey, f"{address}/60x100", spread=spread) for _ in range(rounds)]
                yield from _silences(f"{kind}, {about}", paced)


def _pair(monkey: tuple[str, ...], address: str, *, spread: float) -> dict[str, dict[str, Any]]:
    return {way: _run(monkey, way, address, spread) for way in WAYS}


def _run(monkey: tuple[str, ...], way: str, address: str, spread: float) -> dict[str, Any]:
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, *monkey, str(_PROGRAM), way, address, str(_STREAMS), str(spread)],
        capture_output=True,
        text=True,
        check=True,
        timeout=300,
    )
    measured: dict[str, Any] = json.loads(ran.stdout)
    measured["slowest"] = max(measured["silences_ms"])
    return measured


def _ratio(
    name: str, pairs: list[dict[str, dict[str, Any]]], what: str, *, at_most: float | None = None
) -> Figure:
    ratios = [pair["litellm"][what] / pair["legacy"][what] for pair in pairs]
    return figure(f"{name}, litellm / legacy", ratios, at_most=at_most)


def _silences(kind: str, pairs: list[dict[str, dict[str, Any]]]) -> Iterator[Figure]:
    yield _ratio(f"{kind}: longest silence of the slowest stream", pairs, "slowest", at_most=1.5)
    for way in WAYS:
        yield figure(f"{kind}: the same, {way}", [pair[way]["slowest"] for pair in pairs], unit="ms")
