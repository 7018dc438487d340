"""One edge for all tests here, as one serves a whole run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from llm_contracts.wire.proxy.server import Edge


@pytest.fixture(scope="session")
def edge() -> Iterator[Edge]:
    with Edge() as opened:
        yield opened
