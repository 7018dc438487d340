"""Results that are kept: what `check` leaves in a folder, so that everything after it runs nothing again.

`result.json` is the summary that scripts read (`results/document`); `items.jsonl` beside it has everything
else (`results/items`). Both are written by `results/writer`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from llm_contracts.capture.coverage import CaptureCoverage
from llm_contracts.corpus.entries import CorpusProblem
from llm_contracts.parity.result import Item, Readiness, Reason, Result, Verdict
from llm_contracts.results.document import FORMAT, document_digest
from llm_contracts.results.items import AGAIN, DRAFT, ITEMS, ItemsFile, StoredResultError, item_from_json
from llm_contracts.util.dataclass_json import from_json
from llm_contracts.util.files import read_file

RESULT = "result.json"

# A reason of an older result: how many, what they have in common, their names or kinds.
_COUNTED = re.compile(r"([\d,]+) ([^:(]+)(?:: | \().+\.", re.DOTALL)
_SINGULAR = re.compile(r"((?:live )?\w+) (is|has|differs|cannot)\b|(\w+ difference)$")
_PLURALS = {"is": " are", "has": " have", "differs": " differ", "cannot": " cannot", None: ""}


@dataclass(frozen=True, kw_only=True)
class Stored:
    """One stored result. Items have their observations only where `item` gives them."""

    folder: Path
    document: Mapping[str, Any]

    @classmethod
    def load(cls, folder: Path) -> Stored | None:
        """Read the summary of the result in a folder; None where there is none yet.

        Raises:
            StoredResultError: the file is there, but is not a result of this format, or was edited.
        """
        file = folder / RESULT
        try:
            document = json.loads(read_file(file))
            if document["format"] == FORMAT and {"items", "verdicts", "checked_at"} <= document.keys():
                if document.get("digest") == document_digest(document):
                    return cls(folder=folder, document=document)
                raise StoredResultError(f"{file}: was edited after it was written. {AGAIN}")
        except (FileNotFoundError, NotADirectoryError):
            return None
        except (AttributeError, KeyError, OSError, RecursionError, TypeError, ValueError) as error:
            msg = f"{file}: is not a result ({type(error).__name__}). {AGAIN}"
            raise StoredResultError(msg) from error
        raise StoredResultError(f"{file}: is not a result of format {FORMAT}. {AGAIN}")

    @property
    def run(self) -> str:
        """Names what was found, whenever that was: see `document.run_digest`."""
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
            damaged = f"is damaged ({type(error).__name__})"
            raise StoredResultError(f"{self.folder / RESULT}: {damaged}. {AGAIN}") from error

    def item(self, name: str) -> Item:
        """One item with everything in it, waivers as in the result.

        Raises:
            KeyError: there is no such item.
            StoredResultError: its line is missing or cannot be read, or belongs to another run.
        """
        # Waivers are applied when a run is over, after its lines are written.
        return self._lines.item(name, divergences=self._by_id[name]["divergences"])

    def line(self, name: str) -> bytes:
        """The line of one item as it was written.

        Raises:
            StoredResultError: it is missing, or belongs to another run.
        """
        return self._lines.line(name)

    @cached_property
    def _by_id(self) -> Mapping[str, Mapping[str, Any]]:
        return {row["id"]: row for row in self.document["items"]}

    @cached_property
    def _lines(self) -> ItemsFile:
        """The items that belong to the summary. A run that was killed between its last two steps has written
        the summary, and not yet renamed the draft of its items.
        """
        files = [self.folder / name for name in (ITEMS, DRAFT) if (self.folder / name).is_file()]
        for file in files:
            lines = ItemsFile.read(file)
            if lines.started_at is not None and lines.started_at == self.document.get("started_at"):
                return lines
        if files:
            raise StoredResultError(f"{files[0]}: belongs to another run than {RESULT} beside it. {AGAIN}")
        raise StoredResultError(
            f"{self.folder / ITEMS}: is missing, so nothing can be shown in full. {AGAIN}"
        )


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
                because=_because(row),
                next=tuple(row.get("next", ())),
                coverage=CaptureCoverage.from_document(row["coverage"]) if row.get("coverage") else None,
            )
            for name, row in document["verdicts"].items()
        },
        complaints=tuple(document["complaints"]),
        warnings=tuple(document["warnings"]),
        left_out=from_json(tuple[CorpusProblem, ...], document.get("left_out", ())),
    )


def _because(row: Mapping[str, Any]) -> tuple[Reason, ...]:
    """The reasons of a verdict; older results have their sentences alone."""
    if "because" in row:
        return from_json(tuple[Reason, ...], row["because"])
    return tuple(_older_reason(Readiness(row["verdict"]), sentence) for sentence in row["reasons"])


def _older_reason(answer: Readiness, sentence: str) -> Reason:
    """A reason that is there as its sentence alone, with what is counted read from it."""
    counted = _COUNTED.fullmatch(sentence)
    if counted is None:
        return Reason(answer=answer, sentence=sentence)
    what, number = counted[2].strip(), int(counted[1].replace(",", ""))
    if number == 1:
        what = _SINGULAR.sub(lambda each: f"{each[1] or each[3]}s{_PLURALS[each[2]]}", what, count=1)
    return Reason(answer=answer, sentence=sentence, what=what, number=number)
