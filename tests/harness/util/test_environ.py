"""The environment belongs to the whole process, and other threads change it."""

from __future__ import annotations

import os
from pathlib import Path

from llm_contracts.project.config import environment, load_settings
from llm_contracts.util.environ import variables
from llm_contracts.util.terminal import terminal_console
from tests.harness.meanwhile import meanwhile
from tests.harness.run.projects import make_project


def set_and_remove(number: int) -> None:
    os.environ[f"A_VARIABLE_OF_THIS_TEST_{number}"] = "value"
    del os.environ[f"A_VARIABLE_OF_THIS_TEST_{number}"]


def test_variables_that_others_remove_meanwhile_end_nothing(tmp_path: Path) -> None:
    """A client that hangs goes on while a check prints what it found."""
    settings = load_settings(make_project(tmp_path))
    with meanwhile(set_and_remove):
        for _ in range(300):
            terminal_console()
            environment(settings, os.environ)
    assert variables(os.environ) == dict(os.environ)
