"""Fixtures for people who would rather write tests than run a command.

    def test_the_stream_is_the_same(contract):
        item = contract.run("openai/plain-stream")
        contract.assert_parity(item)

    def test_what_it_looks_like(contract, contract_snapshot):
        item = contract.run("openai/plain-stream")
        assert contract.render(item) == contract_snapshot(name=item.id)

Loaded by every pytest run of the environment it is installed in: until a fixture is asked for, it does
nothing and imports nothing beyond pytest.
"""

from __future__ import annotations

import socket
from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from llm_contracts.testing import Contract


_LOOPBACK = (r"127\.0\.0\.1$", r"::1$", r"localhost$")
_NO_SOCKETS = (
    "The fixture `contract` calls its clients over 127.0.0.1, and --disable-socket closes that, too. Run "
    "with --allow-hosts=127.0.0.1, which keeps all other hosts out, or with --llm-contracts-engine vcr."
)


def pytest_addoption(parser: pytest.Parser) -> None:
    """One option; everything else is the project's configuration."""
    parser.getgroup("llm-contracts").addoption(
        "--llm-contracts-engine",
        choices=("wire", "vcr"),
        default="wire",
        help="How the `contract` fixture plays recordings: over a real socket, or in process through vcrpy.",
    )


def pytest_load_initial_conftests(early_config: pytest.Config) -> None:
    """pytest-recording, which the extra `vcr` brings, stops every run of an environment with pytest-vcr. It
    is left out there, unless its own options are used.
    """
    manager, given = early_config.pluginmanager, early_config.known_args_namespace
    asked = getattr(given, "block_network", False) or getattr(given, "record_mode", None)
    if manager.has_plugin("vcr") and manager.has_plugin("recording") and not asked:
        manager.unregister(name="recording")


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Where pytest-recording blocks the network of a test with `contract`, loopback stays open: there the
    clients are called.
    """
    if "contract" not in getattr(item, "fixturenames", ()):
        return
    mark, given = item.get_closest_marker("block_network"), item.config.option
    if mark or getattr(given, "block_network", False):
        hosts = (mark and mark.kwargs.get("allowed_hosts")) or getattr(given, "allowed_hosts", None) or ()
        named = hosts.split(",") if isinstance(hosts, str) else hosts
        item.add_marker(pytest.mark.block_network(allowed_hosts=[*named, *_LOOPBACK]), append=False)


@pytest.fixture(scope="session")
def contract(pytestconfig: pytest.Config) -> Iterator[Contract]:
    """Runs recordings of the project that pytest was started in; its edge is shared by the whole session."""
    from llm_contracts.testing import opened_contract

    engine = pytestconfig.getoption("--llm-contracts-engine")
    if engine == "wire":
        try:
            socket.socket().close()
        except RuntimeError:
            pytest.fail(_NO_SOCKETS, pytrace=False)
    with opened_contract(pytestconfig.rootpath, engine=engine) as opened:
        yield opened


@pytest.fixture
def contract_snapshot(contract: Contract, request: pytest.FixtureRequest) -> Any:
    """Syrupy's `snapshot`, kept below the project's snapshots folder; give it the item's id as `name`."""
    from llm_contracts.reporting.snapshots import lanes_extension

    extension = lanes_extension(contract.project.settings.snapshots)
    return request.getfixturevalue("snapshot").use_extension(extension)
