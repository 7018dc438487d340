"""What of the traffic that was seen has a recording: a file for each run, beside a provider's recordings."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass, field
from datetime import datetime
from pathlib import Path
from typing import Any

from llm_contracts.project.config import ConfigError
from llm_contracts.project.recorded_scenarios import CAPTURED
from llm_contracts.util.files import files_like, read_file, replace_file
from llm_contracts.util.json_values import as_list, as_mapping, read_json

FORMAT = 1


@dataclass(kw_only=True, slots=True)
class SeenShape:
    """One shape of calls: what it looks like in a line, how often it was seen, and its recordings' names."""

    shape: str
    seen: int = 0
    recordings: list[str] = field(default_factory=list)


@dataclass(kw_only=True, slots=True)
class CaptureCoverage:
    """What was seen of one provider, in one run or in all of them.

    Attributes:
        calls: how many calls were passed on; a call that was tried again is one.
        not_looked_at: how many of them are known by their number alone, because of `--sample` or because they
            could not be kept, by the reason.
        shapes: the shape's key → what is known of it.
    """

    calls: int = 0
    not_looked_at: Counter[str] = field(default_factory=Counter)
    shapes: dict[str, SeenShape] = field(default_factory=dict)

    def add(self, key: str, shape: str) -> None:
        """One call of this shape was seen."""
        self.shapes.setdefault(key, SeenShape(shape=shape)).seen += 1

    @property
    def document(self) -> dict[str, Any]:
        """It as plain JSON values; `from_document` reads them."""
        return {
            "calls": self.calls,
            "not_looked_at": dict(self.not_looked_at),
            "shapes": {key: asdict(each) for key, each in sorted(self.shapes.items())},
        }

    @classmethod
    def from_document(cls, *documents: Mapping[str, Any]) -> CaptureCoverage:
        """What several runs have seen together."""
        whole = cls()
        for document in documents:
            whole.calls += document.get("calls", 0)
            whole.not_looked_at.update(as_mapping(document.get("not_looked_at")))
            for key, one in as_mapping(document.get("shapes")).items():
                known = whole.shapes.setdefault(key, SeenShape(shape=str(as_mapping(one).get("shape", key))))
                known.seen += as_mapping(one).get("seen", 0)
                known.recordings += map(str, as_list(as_mapping(one).get("recordings")))
        return whole

    @property
    def unrecorded(self) -> tuple[str, ...]:
        """The shapes that no recording has, those seen most often first."""
        missing = [each for each in self.shapes.values() if not each.recordings]
        return tuple(each.shape for each in sorted(missing, key=lambda each: -each.seen))


def write_coverage(
    file: Path, coverage: CaptureCoverage, clean: Callable[[str], str], *, first: datetime, last: datetime
) -> None:
    """Write what a run has seen of a provider; `clean` takes secrets out.

    Raises:
        OSError: the file could not be written.
    """
    document = {
        "format": FORMAT,
        "first": first.isoformat(timespec="seconds"),
        "last": last.isoformat(timespec="seconds"),
        **coverage.document,
    }
    replace_file(file, clean(json.dumps(document, ensure_ascii=False, indent=1)) + "\n")


def coverage_of(cassettes: Path, provider: str) -> CaptureCoverage | None:
    """What all runs together have seen of a provider; None where none has. A recording that was deleted since
    does not count.

    Raises:
        ConfigError: a file cannot be read.
    """
    folder = cassettes / provider
    files = sorted(files_like(folder, f"{CAPTURED}*.json"))
    if not files:
        return None
    documents = []
    for file in files:
        try:
            document = read_json(read_file(file))
        except OSError as error:
            raise ConfigError(f"{file}: cannot be read ({error.strerror}).") from error
        if not isinstance(document, dict) or document.get("format") != FORMAT:
            raise ConfigError(f"{file}: is not what `capture` writes. Restore it, or delete it.")
        documents.append(document)
    whole = CaptureCoverage.from_document(*documents)
    for each in whole.shapes.values():
        each.recordings = [name for name in each.recordings if (folder / f"{name}.yaml").is_file()]
    return whole
