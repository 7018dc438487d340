"""Each migration in examples/ ends as its README says, on recordings made anew."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tests.examples.migrations import differences, migrated


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_node_s_fetch_hands_on_what_the_sdk_does(tmp_path: Path) -> None:
    result = migrated("node-fetch", tmp_path)
    assert differences(result) == {}
    assert next(item.candidate.text for item in result.items if item.candidate).startswith("你好")
