"""What both clients did with our recordings: run once for all tests."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING

import pytest

from llm_contracts.run import check as run
from llm_contracts.run.engines import EngineName, opened
from llm_contracts.run.options import Options
from tests.contracts.recorded import PROJECT, RECORDED

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from llm_contracts import Item
    from llm_contracts.run.engines import Engine


@pytest.fixture(scope="session")
def items(request: pytest.FixtureRequest) -> Mapping[str, Item]:
    """The recordings of the tests that were selected, run side by side over the wire engine."""
    selected = [getattr(test, "callspec", None) for test in request.session.items]
    names = {spec.params.get("name") for spec in selected if spec is not None}
    rows = [row for name, row in RECORDED.items() if name in names]
    today = datetime.now().astimezone().date()
    result = run.check(PROJECT, rows, Options(today=today))
    return {item.id: item for item in result.items}


@pytest.fixture(scope="session")
def inside() -> Iterator[Engine]:
    """The engine inside this process, which plays bodies whole."""
    with opened(EngineName.VCR) as engine:
        yield engine
