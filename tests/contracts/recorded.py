"""Our project, and its scenarios that have a recording."""

from __future__ import annotations

from functools import cache
from pathlib import Path

from llm_contracts import Interaction
from llm_contracts.project.config import load_settings
from llm_contracts.project.load import load_project
from llm_contracts.wire.cassette import load

PROJECT = load_project(load_settings(Path(__file__).parent))
RECORDED = {row.name: row for row in PROJECT.scenarios if PROJECT.cassette(row).is_file()}


@cache
def recorded(name: str) -> tuple[Interaction, ...]:
    """The exchanges of one recording."""
    return load(PROJECT.cassette(RECORDED[name])).interactions
