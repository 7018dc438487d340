"""Fixtures for recording: a provider that can be called, and a project of one's own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from llm_contracts.simulator.server import Simulator
from tests.harness.record.workshop import REAL_KEY, Workshop


@pytest.fixture(scope="session")
def upstream() -> Iterator[Simulator]:
    with Simulator("openai", key=REAL_KEY, pause=0) as simulator:
        yield simulator


@pytest.fixture
def local(workshop: Workshop) -> Workshop:
    """The provider lives on this machine."""
    return replace(workshop, local=True)


@pytest.fixture
def workshop(tmp_path: Path, upstream: Simulator) -> Workshop:
    return Workshop(root=tmp_path, upstream=upstream)
