"""Writing a result while its run goes on: items as they finish, the summary at the end.

Items go to a draft. When the run is over, the summary takes the place of the old one: that is the one step by
which the new result replaces the old. Then the draft is renamed; a reader that comes in between finds the
items in the draft, because both files name the run. So a process may be killed anywhere: what can be read is
the old result or the new one, whole.
"""

from __future__ import annotations

import json
import os
import shutil
import threading
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, BinaryIO

from llm_contracts.parity.result import Result
from llm_contracts.project.config import ConfigError
from llm_contracts.results.document import FORMAT, to_json
from llm_contracts.results.items import DRAFT, ITEMS, ItemsFile, Packed, as_line, line_of
from llm_contracts.results.store import RESULT
from llm_contracts.util.files import (
    LockedError,
    locked,
    read_file,
    remove_abandoned_drafts,
    rename,
    replace_file,
)
from llm_contracts.util.versions import installed_packages
from llm_contracts.wire.scrub import Scrubber
from llm_contracts.wire.scrub.scrubber import refuse_secrets


@dataclass(kw_only=True)
class ResultWriter:
    """Takes the items of a run, from any thread, and its summary.

    Attributes:
        folder: where they go; None where nothing is kept.
        secrets: values that must not be written, by name.
        resumed: what an earlier run had finished, if this one continues it.
        code: path → digest, of the project's files as each was first loaded for the run, by any process.
        own: value → where it stood, for the credentials that clients sent of their own. Never written.
    """

    folder: Path | None
    secrets: Mapping[str, str]
    started_at: str
    file: BinaryIO | None = None
    resumed: ItemsFile | None = None
    code: dict[str, str] = field(default_factory=dict)
    own: dict[str, str] = field(default_factory=dict, repr=False)
    lock: threading.Lock = field(default_factory=threading.Lock)

    def add(self, done: Packed) -> None:
        """Append one item.

        Raises:
            OSError: the disk is full, say.
            SecretFound: a secret is in it; then nothing of it is written.
        """
        self.code = {**done.code, **self.code}
        self.own.update((value, place) for place, value in done.own.items())
        if self.file is not None and done.line != b"":
            line = line_of(done.item) if done.line is None else done.line
            refuse_secrets(f"the result of {done.item.id}", line, self.secrets)
            with self.lock:
                if not self.file.closed:
                    self.file.write(line)
                    self.file.flush()  # whoever kills this process loses one line at most

    def reporting(self, done: Callable[[str], None]) -> Callable[[Packed], None]:
        """Adds an item, and then tells its name: it is on the disk before it is counted."""

        def report(each: Packed) -> None:
            self.add(each)
            done(each.item.id)

        return report

    def masked(self, sentences: Iterable[str]) -> tuple[str, ...]:
        """Sentences about the run without the credentials that its clients sent of their own."""
        scrubber = Scrubber(
            {f"{place} {number}": value for number, (value, place) in enumerate(self.own.items())}
        )
        return tuple(map(scrubber.text, sentences))

    def finish(self, result: Result, **extra: Any) -> str:
        """Write the summary, and return its text. May be called again, with more to say.

        Args:
            result: the run.
            extra: further top-level fields of the document.

        Raises:
            SecretFound: a secret is in it; then nothing is written.
        """
        now = datetime.now(UTC).isoformat(timespec="seconds")
        extra |= {"packages": installed_packages()}
        text = to_json(result, checked_at=now, started_at=self.started_at, **extra)
        refuse_secrets("the result", text.encode(), self.secrets)
        if self.folder is not None:
            self.close()
            replace_file(self.folder / RESULT, text)
            if (self.folder / DRAFT).exists():
                rename(self.folder / DRAFT, self.folder / ITEMS)
        return text

    def close(self) -> None:
        """Bring the draft to the disk. What a thread adds afterwards is dropped: it may outlive the run that
        Ctrl-C ended.
        """
        with self.lock:
            if self.file is not None and not self.file.closed:
                self.file.flush()
                os.fsync(self.file.fileno())
                self.file.close()


@contextmanager
def writing(
    folder: Path | None,
    secrets: Mapping[str, str],
    *,
    plan: Mapping[str, Any] | None = None,
    resume: bool = False,
) -> Iterator[ResultWriter]:
    """A writer for the run that follows. Until `finish`, the old result stays as it is.

    Args:
        folder: where to; made if it is not there. None: nothing is kept but the summary's text.
        secrets: values that must not be written, by name.
        plan: what the run is about, as JSON values: it can be continued by a run with the same.
        resume: continue the run that was stopped there.

    Raises:
        ConfigError: another run is writing there; there is nothing to continue, or it was about something
            else.
    """
    started_at = datetime.now(UTC).isoformat()
    if folder is None:
        yield ResultWriter(folder=None, secrets=secrets, started_at=started_at)
        return
    try:
        with locked(folder):
            _tidy(folder)
            head = as_line({"format": FORMAT, "started_at": started_at, **({"plan": plan} if plan else {})})
            resumed = _resumed(folder, plan or {}, head) if resume else None
            if resumed is None:
                (folder / DRAFT).write_bytes(head)
            with (folder / DRAFT).open("r+b") as file:
                file.seek(len(head) if resumed is None else resumed.end)
                file.truncate()
                writer = ResultWriter(
                    folder=folder,
                    secrets=secrets,
                    started_at=started_at if resumed is None else str(resumed.started_at),
                    file=file,
                    resumed=resumed,
                )
                try:
                    yield writer
                finally:
                    writer.close()
    except LockedError as error:
        raise ConfigError(
            f"{folder}: another run is writing its result there. Wait for it, or keep this one's result "
            "somewhere else: --report DIR."
        ) from error


def _tidy(folder: Path) -> None:
    """Finish the last step of a run that was killed before it, and remove what others have left."""
    remove_abandoned_drafts(folder, deep=False)
    draft, items = folder / DRAFT, folder / ITEMS
    if draft.is_file():
        try:
            run = json.loads(read_file(folder / RESULT)).get("started_at")
        except (OSError, ValueError, AttributeError, RecursionError):
            return
        ours = run is not None and ItemsFile.read(draft).started_at == run
        if ours and not (items.is_file() and ItemsFile.read(items).started_at == run):
            rename(draft, items)


def _resumed(folder: Path, plan: Mapping[str, Any], head: bytes) -> ItemsFile:
    """The draft of a run with this plan; of a finished run, a draft in which nothing is missing."""
    draft = folder / DRAFT
    file = draft if draft.is_file() else folder / ITEMS
    if not file.is_file():
        raise ConfigError(f"{folder}: holds no run that was stopped. Leave --continue out to begin one.")
    found = ItemsFile.read(file)
    if not isinstance(found.plan, dict):
        raise ConfigError(f"{file}: does not say what it is about. Leave --continue out to begin anew.")
    changed = differences(found.plan, plan)
    if changed:
        raise ConfigError(
            f"{file}: cannot be continued: since then, changed: {', '.join(changed)}. "
            "Leave --continue out to begin anew."
        )
    if file != draft:
        with file.open("rb") as items, draft.open("wb") as copy:
            items.readline()
            copy.write(head)
            shutil.copyfileobj(items, copy)
        return ItemsFile.read(draft)
    return found


def differences(before: Mapping[str, Any], now: Mapping[str, Any]) -> tuple[str, ...]:
    """In which points two plans differ, in words."""
    points = [name for name in (*before, *(now.keys() - before.keys())) if before.get(name) != now.get(name)]
    return tuple(_difference(name, before.get(name), now.get(name)) for name in points)


def _difference(name: str, before: Any, now: Any) -> str:
    if isinstance(before, dict) and isinstance(now, dict):
        return ", ".join(differences(before, now))
    short = all(len(str(value)) <= 40 for value in (before, now))  # noqa: PLR2004 - what a line takes
    return f"{name} ({before} then, {now} now)" if short else name
