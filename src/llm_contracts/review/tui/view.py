"""The sides from which evidence can be looked at."""

from __future__ import annotations

from enum import StrEnum


class View(StrEnum):
    """A side from which a difference can be looked at."""

    LANES = "lanes"
    WIRE = "wire"
    REQUEST = "request"
    TIME = "time line"
