"""An import is not interrupted by the garbage collector, and whoever switched it off finds it off."""

from __future__ import annotations

import gc
from collections.abc import Callable

import pytest

from llm_adapter.garbage import uncollected


@pytest.mark.parametrize("before", [gc.enable, gc.disable])
def test_the_collector_is_off_meanwhile_and_afterwards_as_it_was(before: Callable[[], None]) -> None:
    before()
    was = gc.isenabled()
    try:
        with pytest.raises(ImportError), uncollected():
            failing_import()
        assert gc.isenabled() is was
    finally:
        gc.enable()


def failing_import() -> None:
    assert not gc.isenabled()
    raise ImportError
