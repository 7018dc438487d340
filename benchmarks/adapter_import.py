"""Importing the adapter: in a fresh process, without any client library."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterable

from benchmarks.measure import Figure, Size, figure

_PROGRAM = (
    "import time; start = time.perf_counter(); "
    "from llm_adapter import invoke_llm, chat_llm, get_current_models; "
    "print(time.perf_counter() - start)"
)
_LITELLM = "import time; start = time.perf_counter(); import litellm; print(time.perf_counter() - start)"


def run(size: Size) -> Iterable[Figure]:
    """Start Python again and again."""
    rounds = 15 if size is Size.FULL else 5
    ours = [_seconds(_PROGRAM) * 1000 for _ in range(rounds + 1)][1:]  # the first one compiles
    yield figure("from llm_adapter import …", ours, unit="ms", at_most=100.0)
    yield figure("import litellm, for comparison", [_seconds(_LITELLM) * 1000], unit="ms")


def _seconds(program: str) -> float:
    environ = {"LITELLM_LOCAL_MODEL_COST_MAP": "True"}
    ran = subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program], capture_output=True, text=True, check=True, env=environ
    )
    return float(ran.stdout)
