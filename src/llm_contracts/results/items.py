"""Items in a file: `items.jsonl`, and the draft that it is while a run goes on.

The first line names the run and says what it is about; each further line is an item with everything a view
may show: both observations and the exchanges that were played.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path
from typing import Any

from llm_contracts.clients.observation_json import observation_from_json, observation_to_json
from llm_contracts.parity.compare.finding import ABSENT
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.parity.result import Item
from llm_contracts.results.document import FORMAT, item_document, json_text, light
from llm_contracts.util.dataclass_json import from_json, to_json
from llm_contracts.util.json_values import as_mapping, read_json
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.scrub import Scrubber
from llm_contracts.wire.scrub.credentials import credentials_of

ITEMS = "items.jsonl"
DRAFT = "items.part.jsonl"
AGAIN = "Run `llm-contracts check` again."

_ID_FIRST = re.compile(rb'\{"id": ("(?:[^"\\]|\\.)*")')  # finds a line's id without parsing megabytes


class StoredResultError(Exception):
    """A stored result is there but cannot be read."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Packed:
    """An item that is done, as it is handed over.

    Attributes:
        item: the item.
        line: see `line_of`; None where the item still has everything in it, empty where the line is in the
            file already.
        code: path → digest, of the project's files that were loaded to get it, unless an earlier item named
            them.
        own: the credentials that its clients sent of their own. Never written.
    """

    item: Item
    line: bytes | None = None
    code: Mapping[str, str] = field(default_factory=dict)
    own: Mapping[str, str] = field(default_factory=dict, repr=False)


def whole(item: Item) -> Packed:
    """With everything in it, for callers that look at observations."""
    return Packed(item=item, own=own_credentials(item))


def packed(item: Item) -> Packed:
    """Light for the summary, everything else in the line that is to be stored; both without credentials that
    a client has of its own, such as a token from a vault.
    """
    own = own_credentials(item)
    item = masked(item, own)
    return Packed(item=light(item), line=line_of(item), own=own)


def line_of(item: Item) -> bytes:
    """The line of `items.jsonl` for an item, without the credentials that a client has of its own."""
    return as_line(item_to_json(masked(item, own_credentials(item))))


def own_credentials(item: Item) -> dict[str, str]:
    """Where it stood → value, for each credential that a client sent and no configuration knows."""
    sides = [side for side in (item.reference, item.candidate) if side is not None]
    return credentials_of(request for side in sides for request in side.requests)


def masked(item: Item, own: Mapping[str, str]) -> Item:
    """The item with these values masked wherever they stand, as they are in recordings."""
    if not own:
        return item
    return item_from_json(json.loads(Scrubber(own).data(as_line(item_to_json(item)))))


def as_line(value: Mapping[str, Any]) -> bytes:
    """A JSON value as a line."""
    return json_text(value).encode() + b"\n"


def item_to_json(item: Item) -> dict[str, Any]:
    """The item's document, what both clients did, what was on the wire.

    The id stands first: reading relies on it.
    """
    sides = {"reference": item.reference, "candidate": item.candidate}
    return {
        **item_document(item),
        "observed": {
            name: None if observation is None else observation_to_json(observation)
            for name, observation in sides.items()
        },
        "exchanges": to_json(item.exchanges),
    }


def item_from_json(value: Mapping[str, Any]) -> Item:
    """The item again; from an item of `result.json`, the same without observations and exchanges.

    Raises:
        AttributeError, KeyError, TypeError, ValueError: the value does not come from `item_to_json`.
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
        address=value.get("address", ""),
        **sides,
        exchanges=from_json(tuple[Interaction, ...], value.get("exchanges", ())),
        divergences=tuple(_divergence(row) for row in found),
        waived={row["fingerprint"]: row["waived"] for row in found if row["waived"] is not None},
        noise=tuple(_divergence(row) for row in value["noise"]),
        normalised=value["normalised"],
        problem=value["problem"],
        outcomes={} if observed else value["outcome"],
    )


def _divergence(row: Mapping[str, Any]) -> Divergence:
    sides = {name: _value(row[name]) for name in ("reference", "candidate")}
    return Divergence(kind=Kind(row["kind"]), where=row["where"], fingerprint=row["fingerprint"], **sides)


def _value(written: Any) -> Any:
    """The value again; a sweep's holds two, either of which may be absent."""
    if isinstance(written, dict):
        return {name: _value(part) for name, part in written.items()}
    return ABSENT if written == str(ABSENT) else written


@dataclass(frozen=True, kw_only=True, slots=True)
class ItemsFile:
    """A file of items.

    Attributes:
        file: where it is.
        started_at: names the run that wrote it; None where the first line cannot be read.
        plan: what the run was about; None where the file does not say.
        offsets: item → where its line begins. Of two lines for the same item the later holds; a last line
            without its end was cut off while being written, and does not count.
        end: where the last whole line ends.
    """

    file: Path
    started_at: str | None
    plan: Mapping[str, Any] | None
    offsets: Mapping[str, int]
    end: int

    @classmethod
    def read(cls, file: Path) -> ItemsFile:
        """Look through a file.

        Raises:
            OSError: it cannot be read.
        """
        offsets: dict[str, int] = {}
        with file.open("rb") as lines:
            first = lines.readline()
            end = len(first) if first.endswith(b"\n") else 0
            for line in lines:
                if line.endswith(b"\n"):
                    found = _ID_FIRST.match(line)
                    if found is not None:
                        offsets[json.loads(found[1])] = end
                    end += len(line)
        head = as_mapping(read_json(first))
        head = head if head.get("format") == FORMAT else {}
        return cls(
            file=file, started_at=head.get("started_at"), plan=head.get("plan"), offsets=offsets, end=end
        )

    def line(self, name: str) -> bytes:
        """The line of one item as it was written.

        Raises:
            StoredResultError: there is none.
        """
        if name not in self.offsets:
            raise StoredResultError(f"{self.file}: has no line for {name}. {AGAIN}")
        with self.file.open("rb") as file:
            file.seek(self.offsets[name])
            return file.readline()

    def item(self, name: str, **changed: Any) -> Item:
        """One item with everything in it. `changed`: fields of its document to replace.

        Raises:
            StoredResultError: its line is missing or damaged.
        """
        line = self.line(name)
        try:
            return item_from_json({**json.loads(line), **changed})
        except (AttributeError, KeyError, RecursionError, TypeError, ValueError) as error:
            damaged = f"is damaged ({type(error).__name__})"
            raise StoredResultError(f"{self.file}: {name}: {damaged}. {AGAIN}") from error
