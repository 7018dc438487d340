"""Processes that work for this one, and end with it. The only module that knows pebble."""

from __future__ import annotations

import multiprocessing

from pebble import ProcessExpired, ProcessPool

__all__ = ["SPAWN", "ProcessExpired", "ProcessPool"]

SPAWN = multiprocessing.get_context("spawn")
"""How they are started: a fork would copy locks that other threads hold."""
