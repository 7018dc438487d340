"""Whom a recording run asks."""

from __future__ import annotations

from enum import StrEnum


class Source(StrEnum):
    """Who answers."""

    LIVE = "live"
    SIMULATOR = "simulator"
