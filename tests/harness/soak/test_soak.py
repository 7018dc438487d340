"""Some hundred streams leave nothing behind; `python -m benchmarks --full soak` sends ten thousand."""

from __future__ import annotations

import logging

import pytest

from benchmarks.soak import soak

pytestmark = pytest.mark.long


def test_three_hundred_streams_leave_no_descriptor_thread_task_or_session(
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Complete, cut, reset, packed, refused, silent and left by the client; and not a word in the logs."""
    with caplog.at_level(logging.WARNING):
        figures = list(soak(300, jobs=8))
    counts = {each.name.partition(": ")[2]: each.median for each in figures if each.unit != "MiB"}
    held = ("descriptors", "threads", "tasks", "sessions")
    assert counts == {"not as they should be": 0, **{f"{name} left": 0 for name in held}}
    assert caplog.text == ""
