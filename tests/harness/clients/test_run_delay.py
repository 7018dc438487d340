"""Load is told from waiting: a thread that wants a processor and gets none does not wait."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from llm_contracts.clients.run_delay import FILE, run_delay, run_delay_of_programs

needs_linux = pytest.mark.skipif(not Path(FILE).exists(), reason=f"this system has no {FILE}")

_SPIN = "import os; os.sched_setaffinity(0, {%d}); print(flush=True)\nwhile True: pass"


@pytest.fixture
def shared_processor() -> Iterator[None]:
    """This thread has to share its only processor with a program that never sleeps."""
    allowed = os.sched_getaffinity(0)
    one = min(allowed)
    with subprocess.Popen([sys.executable, "-c", _SPIN % one], stdout=subprocess.PIPE) as spinning:
        assert spinning.stdout is not None
        spinning.stdout.readline()
        os.sched_setaffinity(0, {one})
        try:
            yield
        finally:
            os.sched_setaffinity(0, allowed)
            spinning.kill()


@needs_linux
def test_sleep_is_no_delay_on_a_busy_processor_either(shared_processor: None) -> None:
    begun, before = time.monotonic(), run_delay()
    time.sleep(0.2)
    assert time.monotonic() - begun - (run_delay() - before) >= 0.19


@needs_linux
def test_the_time_that_another_program_had_the_processor_is_delay(shared_processor: None) -> None:
    begun, computed, before = time.monotonic(), time.thread_time(), run_delay()
    while time.thread_time() - computed < 0.1:
        sum(range(1000))
    passed, delayed = time.monotonic() - begun, run_delay() - before
    assert delayed >= 0.03
    assert passed >= 0.1 + delayed - 0.01


_COMPUTES = """
import sys, time
sys.stdin.readline()
while time.process_time() < 0.3: pass
print(flush=True)
sys.stdin.readline()
"""


@needs_linux
def test_what_a_program_waits_for_the_processor_is_delay_as_well_while_it_runs(
    shared_processor: None,
) -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _COMPUTES], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as program:
        assert program.stdin is not None
        assert program.stdout is not None
        before, sharing = run_delay(), run_delay_of_programs()
        program.stdin.write(b"\n")
        program.stdin.flush()
        program.stdout.readline()
        own, delayed = run_delay(), run_delay_of_programs()
        program.stdin.close()
    assert own - before < 0.1
    assert delayed - sharing >= 0.1


def test_a_system_that_does_not_say_has_no_delay(tmp_path: Path) -> None:
    assert run_delay(str(tmp_path / "none")) == run_delay_of_programs(str(tmp_path / "none")) == 0.0
