"""For every test: no network beyond loopback, one hypothesis profile, pytest's own runner for the plugin."""

from __future__ import annotations

import gc
import os
import signal
import socket
import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import hypothesis
import pytest

from llm_contracts.clients.tls import empty_ca_store

pytest_plugins = ["pytester"]

# Commands write as wide as these say; readline in xdist's controller sets them for the workers.
for _name in ("COLUMNS", "LINES"):
    os.environ.pop(_name, None)

_TRACED = threading.RLock()


def one_at_a_time(install: Callable[..., Any]) -> Callable[..., Any]:
    """What begins to trace a thread, for no two threads at once."""

    def installing(*given: Any) -> Any:
        with _TRACED:
            return install(*given)

    return installing


# Under coverage, Python 3.11 refuses to trace a thread while it begins to trace another, and the thread never
# runs: "Cannot install a trace function". It lets others have a turn there where there is an audit hook, as
# ours is. May go with Python 3.11.
if sys.version_info < (3, 12) and (_begin := threading.gettrace()) is not None:
    sys.settrace = one_at_a_time(sys.settrace)
    threading.settrace(one_at_a_time(_begin))

# How long an example takes is a matter of the machine. What changes from run to run has no place in CI.
hypothesis.settings.register_profile(
    "tests",
    max_examples=50,
    deadline=None,
    derandomize="CI" in os.environ,
    suppress_health_check=[
        hypothesis.HealthCheck.too_slow,
        hypothesis.HealthCheck.function_scoped_fixture,  # a folder may serve all examples of a test
    ],
)
hypothesis.settings.load_profile("tests")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers() -> int:
    """Two for each processor: half of the time tests wait, as the clients do that they are about."""
    return min(8, 2 * (os.cpu_count() or 1))


def pytest_configure(config: pytest.Config) -> None:
    """Each worker collects all files, beginning with another. In a fresh clone pytest rewrites each of them:
    so each worker rewrites a part, and finds what the others have rewritten.
    """
    worker = getattr(config, "workerinput", None)
    if worker is not None and config.args_source is pytest.Config.ArgsSource.TESTPATHS:
        files = sorted(map(str, Path(__file__).parent.rglob("test_*.py")))
        first = len(files) * int(worker["workerid"].removeprefix("gw")) // worker["workercount"]
        config.args = files[first:] + files[:first]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that take long begin first, so that no processor is left with one at the end."""
    items.sort(key=lambda item: (item.get_closest_marker("long") is None, item.path))


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection() -> Iterator[None]:
    """Nothing that tests are collected into is garbage: to look for it takes a sixth of the time."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.enable()


@pytest.fixture(scope="module", autouse=True)
def _garbage() -> None:
    """What is there when a file begins stays, for the most part. To look through it at each collection of
    garbage takes most of a second, and tests, libraries and our own code ask for many.
    """
    gc.collect()
    gc.freeze()


_LOCAL = {"127.0.0.1", "::1", "localhost", "0.0.0.0", "::"}


@pytest.fixture(scope="session", autouse=True)
def _no_network() -> Iterator[None]:
    """Every connection that would leave this machine fails, saying where it was going."""
    connect, connect_ex, resolve = socket.socket.connect, socket.socket.connect_ex, socket.getaddrinfo
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "connect", lambda self, to: connect(self, _local(to)))
        patch.setattr(socket.socket, "connect_ex", lambda self, to: connect_ex(self, _local(to)))
        patch.setattr(
            socket, "getaddrinfo", lambda host, *rest, **more: resolve(_local_name(host), *rest, **more)
        )
        yield


@pytest.fixture(scope="module", autouse=True)
def _no_authorities(request: pytest.FixtureRequest) -> Iterator[None]:
    """Each client would load all certificate authorities, 31 ms each; here hardly one of them speaks TLS.
    Those who install packages, elsewhere, do.
    """
    if request.path.relative_to(Path(__file__).parent).parts[0] in {"adapter", "contracts", "harness"}:
        with empty_ca_store(os.environ):
            yield
    else:
        yield


@pytest.fixture(scope="session", autouse=True)
def _interrupts_are_heard() -> Iterator[None]:
    """A shell's background job ignores Ctrl-C, and so would the commands that tests start and interrupt."""
    before = signal.getsignal(signal.SIGINT)
    if before is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def _local(address: Any) -> Any:
    if isinstance(address, tuple):
        _local_name(address[0])
    return address


def _local_name(host: Any) -> Any:
    name = host.decode() if isinstance(host, bytes) else host
    if name is not None and name not in _LOCAL:
        raise PermissionError(f"a test tried to reach {name}: the suite runs without a network")
    return host
