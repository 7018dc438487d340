"""What the edge cannot do, in words for the person who asked for it."""

from __future__ import annotations


class EdgeError(Exception):
    """The edge cannot be opened, or not with these settings."""


class UnkeepableError(Exception):
    """An exchange took place and cannot be kept whole and readable; nothing of it is handed out."""
