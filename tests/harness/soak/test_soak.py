"""Some hundred streams leave nothing behind; `python -m benchmarks.soak` sends ten thousand."""

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
        report = soak(300, jobs=8)
    assert report.wrong == ()
    assert report.after.counts == report.before.counts
    assert report.after.sessions == 0
    assert caplog.text == ""
