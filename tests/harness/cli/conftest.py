"""What most tests of commands begin with."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.harness.run.projects import make_project


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A small project with simulated recordings and no key, in which commands run."""
    monkeypatch.chdir(tmp_path)
    for name in ("ACME_API_KEY", "ZENITH_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    return make_project(tmp_path)
