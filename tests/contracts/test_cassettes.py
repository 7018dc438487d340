"""The committed recordings: whole, without secrets, each owned by a scenario."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_contracts.doctor.cassettes import check_cassettes
from llm_contracts.project.config import load_settings
from llm_contracts.project.load import load_project

pytestmark = pytest.mark.long


def test_every_committed_recording_is_fit_to_be_public() -> None:
    """What a commit hook checks too: scrubbing again changes nothing, and nothing looks like a key."""
    project = load_project(load_settings(Path(__file__).parent))
    assert check_cassettes(project, {})[1] == ()
