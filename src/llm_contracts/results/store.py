"""Results that are kept: what `check` leaves in a folder, so that everything after it runs nothing again.

`result.json` is the summary that scripts read (`views/document`). `items.jsonl` beside it has a line for each
item with everything a view may show: both observations and the exchanges they were played. The lines are
written as items finish, into a draft that takes its place when the run is over; a draft whose last line was
cut off is read without that line.
"""

from __future__ import annotations

import json
import os
import re
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Self

from llm_contracts.clients.observation_json import observation_from_json, observation_to_json
from llm_contracts.corpus.entries import CorpusProblem, ProblemKind
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.parity.result import Item, Readiness, Result, Verdict
from llm_contracts.results.document import FORMAT, item_document, json_text, light
from llm_contracts.wire.interaction_json import interaction_from_json, interaction_to_json

RESULT = "result.json"
ITEMS = "items.jsonl"
DRAFT = "items.part.jsonl"

Guard = Callable[[str, bytes], None]
"""Given a name and the bytes that are about to be written; raises if they must not be."""

_AGAIN = "Run `llm-contracts check` again."
_ID_FIRST = re.compile(rb'\{"id": ("(?:[^"\\]|\\.)*")')  # finds a line's id without parsing megabytes


class StoredResultError(Exception):
    """A stored result is there but cannot be read."""


class ItemsWriter:
    """Writes items, each as it finishes, from any thread; a context manager.

    Leaving it without an error puts the finished file into its place. After an error the draft stays, and the
    items of an earlier run stay as they were.

    Args:
        folder: where to; made if it is not there.
        started_at: names the run; `result.json` says the same, so that two runs are never mixed up.
        guard: see `Guard`.
        plan: what the run is about, as JSON values: a draft is continued only by a run with the same.
        keep: how many bytes of a draft that is there to keep, and to write on after; see `continued`.
    """

    def __init__(
        self,
        folder: Path,
        *,
        started_at: str,
        guard: Guard = lambda _name, _data: None,
        plan: Mapping[str, Any] | None = None,
        keep: int = 0,
    ) -> None:
        self._plan = plan
        self._keep = keep
        self._folder = folder
        self._started_at = started_at
        self._guard = guard
        self._lock = threading.Lock()
        self._file: BinaryIO | None = None

    def __enter__(self) -> Self:
        self._folder.mkdir(parents=True, exist_ok=True)
        if self._keep:
            self._file = (self._folder / DRAFT).open("r+b")
            self._file.truncate(self._keep)
            self._file.seek(self._keep)
            return self
        self._file = (self._folder / DRAFT).open("wb")
        plan = {} if self._plan is None else {"plan": self._plan}
        self._write(_line({"format": FORMAT, "started_at": self._started_at, **plan}))
        return self

    def add(self, item: Item, line: bytes | None = None) -> None:
        """Append one item. `line`: see `line_of`, where somebody else has made it already; empty where it
        stands in the file.

        Raises:
            OSError: the disk is full, say.
            Exception: whatever the guard raises; nothing of the item is written then.
        """
        if line != b"":
            self._write(line_of(item) if line is None else line, name=item.id)

    def __exit__(
        self, kind: type[BaseException] | None, _error: BaseException | None, _trace: TracebackType | None
    ) -> None:
        assert self._file is not None
        with self._lock:
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()
        if kind is None:
            (self._folder / DRAFT).replace(self._folder / ITEMS)

    def _write(self, line: bytes, name: str = "") -> None:
        self._guard(name, line)
        with self._lock:
            assert self._file is not None
            if not self._file.closed:  # a thread may outlive the run that Ctrl-C ended
                self._file.write(line)
                self._file.flush()  # whoever kills this process loses one line at most


@dataclass(frozen=True, kw_only=True, slots=True)
class Packed:
    """An item that is done, as it is handed over.

    Attributes:
        item: the item.
        line: see `line_of`; None where the item still has everything in it.
        code: the project's files that were loaded to get it, as far as they have not been told before.
    """

    item: Item
    line: bytes | None = None
    code: tuple[str, ...] = ()


def whole(item: Item) -> Packed:
    """With everything in it, for who looks at observations."""
    return Packed(item=item)


def packed(item: Item) -> Packed:
    """Light for the summary, everything else in the line that is to be stored."""
    return Packed(item=light(item), line=line_of(item))


def line_of(item: Item) -> bytes:
    """The line of `items.jsonl` for an item."""
    return _line(item_to_json(item))


def _line(value: Mapping[str, Any]) -> bytes:
    return json_text(value).encode() + b"\n"


def item_to_json(item: Item) -> dict[str, Any]:
    """One line of `items.jsonl`: the item's document, what both clients did, what was on the wire.

    The id stands first: reading relies on it.
    """
    sides = {"reference": item.reference, "candidate": item.candidate}
    return {
        **item_document(item),
        "observed": {
            name: None if observation is None else observation_to_json(observation)
            for name, observation in sides.items()
        },
        "exchanges": [interaction_to_json(exchange) for exchange in item.exchanges],
    }


def item_from_json(value: Mapping[str, Any]) -> Item:
    """The item again; from an item of `result.json`, the same without observations and exchanges.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: the value is none that `item_to_json` gives.
    """
    observed = value.get("observed", {})
    sides = {
        name: observation_from_json(observed[name]) if observed.get(name) is not None else None
        for name in ("reference", "candidate")
    }
    recorded_on = value["recorded_on"]
    found = value["divergences"]
    return Item(
        id=value["id"],
        provider=value["provider"],
        scenario=value["scenario"],
        provenance=value["provenance"],
        recorded_on=None if recorded_on is None else date.fromisoformat(recorded_on),
        **sides,
        exchanges=tuple(interaction_from_json(exchange) for exchange in value.get("exchanges", ())),
        divergences=tuple(_divergence(row) for row in found),
        waived=_waived(found),
        noise=tuple(_divergence(row) for row in value["noise"]),
        normalised=value["normalised"],
        problem=value["problem"],
        outcomes={} if observed else value["outcome"],
    )


def _divergence(row: Mapping[str, Any]) -> Divergence:
    return Divergence(
        kind=Kind(row["kind"]),
        where=row["where"],
        reference=row["reference"],
        candidate=row["candidate"],
        fingerprint=row["fingerprint"],
    )


def _waived(rows: Any) -> dict[str, str]:
    return {row["fingerprint"]: row["waived"] for row in rows if row["waived"] is not None}


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One stored result. Items have their observations only where `item` or `whole_items` gives them."""

    folder: Path
    document: Mapping[str, Any]

    @classmethod
    def load(cls, folder: Path) -> Stored | None:
        """Read the summary of the result in a folder; None where there is none yet.

        Raises:
            StoredResultError: the file is there, but is no result of this format.
        """
        file = folder / RESULT
        if not file.is_file():
            return None
        try:
            document = json.loads(file.read_text(encoding="utf-8"))
            if document["format"] == FORMAT and {"items", "verdicts", "checked_at"} <= document.keys():
                return cls(folder=folder, document=document)
        except (ValueError, KeyError, TypeError, AttributeError) as error:
            msg = f"{file}: is not a result ({type(error).__name__}). {_AGAIN}"
            raise StoredResultError(msg) from error
        msg = f"{file}: is not a result of format {FORMAT}. {_AGAIN}"
        raise StoredResultError(msg)

    @property
    def run(self) -> str:
        """Names what was found, whenever that was: see `views.document.run_digest`."""
        return str(self.document.get("run", ""))

    @cached_property
    def result(self) -> Result:
        """The result, its items without observations.

        Raises:
            StoredResultError: part of the document is not what it should be.
        """
        try:
            return _result(self.document)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._broken(RESULT, error) from error

    def items(self) -> tuple[Item, ...]:
        """All items in the order of the result, without observations."""
        return self.result.items

    def item(self, name: str) -> Item:
        """One item with everything in it, waivers as in the result.

        Raises:
            KeyError: there is no such item.
            StoredResultError: its line is missing or cannot be read, or belongs to another run.
        """
        light = self._by_id[name]
        line = self.line(name)
        try:
            whole = json.loads(line)
            # Waivers are applied when a run is over, after its lines are written.
            whole["divergences"] = light["divergences"]
            return item_from_json(whole)
        except (AttributeError, KeyError, TypeError, ValueError) as error:
            raise self._broken(f"{ITEMS}: {name}", error) from error

    def line(self, name: str) -> bytes:
        """The line of one item as it was written.

        Raises:
            StoredResultError: it is missing, or belongs to another run.
        """
        if name not in self._offsets:
            msg = f"{self.folder / ITEMS}: has no line for {name}. {_AGAIN}"
            raise StoredResultError(msg)
        with (self.folder / ITEMS).open("rb") as file:
            file.seek(self._offsets[name])
            return file.readline()

    def whole_items(self) -> Iterator[Item]:
        """Every item with everything in it, one after the other, in the order of the result. Raises as `item`
        does.
        """
        return (self.item(name) for name in self._by_id)

    @cached_property
    def _by_id(self) -> Mapping[str, Mapping[str, Any]]:
        return {row["id"]: row for row in self.document["items"]}

    @cached_property
    def _offsets(self) -> Mapping[str, int]:
        file = self.folder / ITEMS
        if not file.is_file():
            msg = f"{file}: is missing, so nothing can be shown in full. {_AGAIN}"
            raise StoredResultError(msg)
        started_at, offsets = read_offsets(file)
        if started_at != self.document.get("started_at"):
            msg = f"{file}: belongs to another run than {RESULT} beside it. {_AGAIN}"
            raise StoredResultError(msg)
        return offsets

    def _broken(self, place: str, error: Exception) -> StoredResultError:
        return StoredResultError(f"{self.folder / place}: is damaged ({type(error).__name__}). {_AGAIN}")


def read_offsets(file: Path) -> tuple[str | None, dict[str, int]]:
    """The name of the run that wrote a file of items, and where each item's line begins. Of two lines for the
    same item the later holds. A last line without its end was cut off while being written: it does not count.
    """
    offsets: dict[str, int] = {}
    with file.open("rb") as lines:
        started_at = _started_at(lines.readline())
        place = lines.tell()
        for line in lines:
            found = _ID_FIRST.match(line)
            if found is not None and line.endswith(b"\n"):
                offsets[json.loads(found[1])] = place
            place += len(line)
    return started_at, offsets


def _started_at(line: bytes) -> str | None:
    try:
        head = json.loads(line)
    except ValueError:
        return None
    return head.get("started_at") if isinstance(head, dict) and head.get("format") == FORMAT else None


def _result(document: Mapping[str, Any]) -> Result:
    return Result(
        reference=document["reference"],
        candidate=document["candidate"],
        engine=document["engine"],
        versions=document["versions"],
        items=tuple(item_from_json(row) for row in document["items"]),
        missing=tuple(document["missing"]),
        verdicts={
            name: Verdict(
                answer=Readiness(row["verdict"]),
                reasons=tuple(row["reasons"]),
                next=tuple(row.get("next", ())),
            )
            for name, row in document["verdicts"].items()
        },
        complaints=tuple(document["complaints"]),
        warnings=tuple(document["warnings"]),
        left_out=tuple(
            CorpusProblem(place=row["place"], why=ProblemKind(row["why"]), reason=row["reason"])
            for row in document.get("left_out", ())
        ),
    )
