"""A client in any language: a program that gets a call as JSON and prints what it hands on, line by line.

Standard input holds one JSON object with the fields of `Call` and ends. Each line of standard output is one
chunk as JSON; the program flushes it at once. Exit code 0 ends the answer. Any other is a failure, of which
the last line of standard error tells more where it is a JSON object: `name`, `message`, `status`, `code` and
so on.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from subprocess import PIPE, Popen
from tempfile import TemporaryFile
from typing import IO, Any

from llm_contracts.clients.call import Call
from llm_contracts.clients.effects import belonging_to
from llm_contracts.clients.failures import ForeignError
from llm_contracts.clients.jsonable import jsonable
from llm_contracts.util.json_values import as_mapping, read_json

_LONGEST_LINE = 64 * 2**20  # bytes
_LAST_WORDS = 4_000  # bytes of standard error that are read: a stack of calls, or an error with its answer
_GIVEN = ("base_url", "api_key", "provider", "model", "messages", "input", "params", "function")
_NO_CODE = ("node_modules", "__pycache__")


@dataclass(frozen=True, kw_only=True, slots=True)
class CommandClient:
    """Starts the program anew for each call.

    Attributes:
        command: its words; no shell reads them.
        folder: where it runs.
    """

    command: tuple[str, ...]
    folder: Path

    @property
    def missing(self) -> str | None:
        """The program, if it cannot be found."""
        word = self.command[0]
        found = shutil.which(str(self.folder / word) if os.sep in word else word)
        return None if found else word

    def files(self) -> Iterator[Path]:
        """What the program is made of: the files that the command names, and those of their kind beside and
        below them.
        """
        for named in (self.folder / word for word in self.command):
            if named.is_file():
                yield named
                yield named.with_name("package-lock.json")
                for folder, below, names in os.walk(named.parent) if named.suffix else ():
                    below[:] = [name for name in below if name not in _NO_CODE and not name.startswith(".")]
                    yield from (Path(folder, name) for name in names if name.endswith(named.suffix))

    def __call__(self, call: Call, /) -> Iterator[Any]:
        """The values on the lines that the program prints.

        Raises:
            OSError: it cannot be started.
            ForeignError: it failed, or printed what is not JSON.
        """
        with ExitStack() as stack:
            with belonging_to(None):  # what the harness does is none of the call's effects
                errors = stack.enter_context(TemporaryFile())
                process = stack.enter_context(self._started(errors))
            call.on_abort(lambda: _end(process))
            assert process.stdout is not None
            try:
                _ask(process, call)
                yield from _items(process.stdout)
                code = process.wait()
            finally:
                _end(process)
            errors.seek(max(0, errors.seek(0, os.SEEK_END) - _LAST_WORDS))
            words = errors.read().decode("utf-8", "replace")
        if code:
            raise _failure(code, words)
        sys.stderr.write(words)  # seen like what a client in this process prints

    def _started(self, errors: IO[bytes]) -> Popen[bytes]:
        return Popen(  # noqa: S603 - the project's own words
            self.command, cwd=self.folder, stdin=PIPE, stdout=PIPE, stderr=errors, start_new_session=True
        )


def _ask(process: Popen[bytes], call: Call) -> None:
    document = {name: jsonable(getattr(call, name)) for name in _GIVEN}
    assert process.stdin is not None
    # Where it has ended, or closed its input, its exit code says more.
    with suppress(BrokenPipeError), process.stdin as given:
        given.write(json.dumps(document).encode())


def _items(lines: IO[bytes]) -> Iterator[Any]:
    number = 0
    while line := lines.readline(_LONGEST_LINE):
        number += 1
        if not line.strip():
            continue
        if (value := read_json(line)) is None:
            raise ForeignError(
                f"line {number} of its standard output is not JSON", fields={"category": "nonsense"}
            )
        yield value


def _end(process: Popen[bytes]) -> None:
    """End the program, and what it has started, unless it has ended by itself."""
    if process.poll() is None:
        with suppress(ProcessLookupError, PermissionError):  # the latter on macOS, of what has just ended
            os.killpg(process.pid, signal.SIGKILL)


def _failure(code: int, words: str) -> ForeignError:
    lines = words.strip().splitlines()
    fields = as_mapping(read_json(lines[-1])) if lines else {}
    ended = f"{signal.Signals(-code).name}" if code < 0 else f"exit code {code}"
    message = fields.get("message") or "\n".join(lines) or f"it ended with {ended}"
    return ForeignError(str(message), fields={"name": ended, **fields})
