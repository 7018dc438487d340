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

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from llm_contracts.testing import Contract


def pytest_addoption(parser: pytest.Parser) -> None:
    """One option; everything else is the project's configuration."""
    parser.getgroup("llm-contracts").addoption(
        "--llm-contracts-engine",
        choices=("wire", "vcr"),
        default="wire",
        help="How the `contract` fixture plays recordings: over a real socket, or in process through vcrpy.",
    )


@pytest.fixture(scope="session")
def contract(pytestconfig: pytest.Config) -> Iterator[Contract]:
    """Runs recordings of the project that pytest was started in; its edge is shared by the whole session."""
    from llm_contracts.testing import opened_contract

    with opened_contract(
        pytestconfig.rootpath, engine=pytestconfig.getoption("--llm-contracts-engine")
    ) as opened:
        yield opened


@pytest.fixture
def contract_snapshot(contract: Contract, request: pytest.FixtureRequest) -> Any:
    """Syrupy's `snapshot`, kept below the project's snapshots folder; give it the item's id as `name`."""
    from llm_contracts.reporting.snapshots import lanes_extension

    extension = lanes_extension(contract.project.settings.snapshots)
    return request.getfixturevalue("snapshot").use_extension(extension)
