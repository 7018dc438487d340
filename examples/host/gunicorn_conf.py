"""How gunicorn runs the application: imports once, everything else in each worker."""

from __future__ import annotations

from typing import Any

import llm_adapter

preload_app = True
workers = 2


def on_starting(_server: Any) -> None:
    """In the parent, before any fork: imports alone, so that the workers share their memory."""
    llm_adapter.preload()


def post_fork(_server: Any, _worker: Any) -> None:
    """In each worker: connections, and whatever starts threads, such as a Langfuse client."""
    llm_adapter.warm_up()
