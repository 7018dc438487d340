"""Exceptions that come out of a call and are not about it: a signal handler's, such as Celery's soft limit.

They may be raised between any two steps of the client library. It takes them for a failure of the network,
tries again, wraps them. The application is to get them as they are.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from types import TracebackType

from llm_adapter.redaction import links

# Who has a part in a call: the clients, what they stand on, and what replaces sockets beneath them.
_LIBRARIES = frozenset(
    {"anyio", "brotli", "brotlicffi", "certifi", "eventlet", "gevent", "h11", "h2", "httpcore", "httpcore2"}
    | {"httpx", "httpx2", "idna", "jiter", "litellm", "llm_adapter", "openai", "pydantic", "pydantic_core"}
    | {"requests", "sniffio", "socksio", "tiktoken", "tokenizers", "urllib3", "zstandard"}
)
_KNOWN = _LIBRARIES | sys.stdlib_module_names


class Interruption(BaseException):
    """Carries such an exception past the handlers of client libraries, of which some would try again."""

    def __init__(self, error: BaseException) -> None:
        super().__init__()
        self.error = error


@contextmanager
def interruptible() -> Iterator[None]:
    """Let such an exception leave the block as an `Interruption`."""
    try:
        yield
    except Exception as trouble:
        interrupted = interruption(trouble)
        if interrupted is None:
            raise
        raise Interruption(interrupted) from None


@contextmanager
def as_raised() -> Iterator[None]:
    """Let what an `Interruption` carries leave the block in its place."""
    error: BaseException | None = None
    try:
        yield
    except Interruption as passed:
        error = passed.error
    if error is not None:
        raise error


def interruption(trouble: BaseException) -> BaseException | None:
    """The exception behind this one, or itself, that was raised by code that has no part in the call.

    By where it was raised, and by what it is: an application may raise a `TimeoutError`, too. What was under
    way before the call began is left out: its traceback does not begin within the call.
    """
    return next((link for link in links(trouble) if _is_foreign(link)), None)


def _is_foreign(link: BaseException) -> bool:
    trace = link.__traceback__
    if isinstance(link, OSError) and link.errno is not None:  # the system's, whoever has wrapped its sockets
        return False
    if trace is None or type(link).__module__.partition(".")[0] in _LIBRARIES or not _is_known(trace):
        return False
    while trace.tb_next is not None:
        trace = trace.tb_next
    return not _is_known(trace)


def _is_known(trace: TracebackType) -> bool:
    return str(trace.tb_frame.f_globals.get("__name__", "")).partition(".")[0] in _KNOWN
