"""What `capture` adds to each piece of 200 streams at once.

As in `edge_delay`, with the proxy that captures an application's calls, which copies each answer and writes
recordings in a thread of its own, in the place of the recording edge.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterable
from multiprocessing.connection import Connection
from pathlib import Path

from benchmarks.edge_delay import Load, delays, provide, raced
from benchmarks.measure import Figure, Size, figure
from llm_contracts.util.child import child

_ROUNDS = {Size.QUICK: 3, Size.FULL: 9}
_PIECES = {Size.QUICK: 40, Size.FULL: 150}


def run(size: Size) -> Iterable[Figure]:
    """The benchmark."""
    load = Load(streams=200, pieces=_PIECES[size], pause=0.1)
    with child(provide, load) as provider:
        upstream = provider.recv()
        with child(_capture, upstream) as capture:
            rounds = raced(upstream, capture.recv(), load, _ROUNDS[size])
            capture.send("how many?")
            calls = capture.recv()
    yield from delays(rounds, "capture", at_most={50: None, 99: None})
    missing = abs(calls - load.streams * (len(rounds) + 1))
    yield figure("calls that were not counted", [missing], unit="calls", at_most=0)


def _capture(pipe: Connection, upstream: str) -> None:
    """The proxy's process: says where it is; when asked, how many calls it saw."""
    from llm_contracts.capture.keeper import CaptureOptions
    from llm_contracts.capture.run import capturing
    from llm_contracts.project.config import Project, load_settings
    from llm_contracts.project.scenario import Provider

    row = Provider(name="acme", base_url=upstream, key_variable="K", base_url_variable="ACME_URL")
    with tempfile.TemporaryDirectory() as folder:
        project = Project(settings=load_settings(Path(folder)), providers=(row,))
        options = CaptureOptions(folder=Path(folder) / "cassettes", environ={})
        with capturing(project, options) as capture:
            pipe.send(capture.variables["ACME_URL"])
            pipe.recv()
            writer = capture.writer
        pipe.send(writer.seen["acme"].calls)
