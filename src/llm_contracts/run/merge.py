"""Runs in parts: what a run is about, and the parts put together to the result of the whole.

Verdicts are not given from a part. Together the parts give what one run would have given: the items are put
into the order of the whole, and waivers and verdicts are worked out from all of them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from pathlib import Path
from typing import Any

from llm_contracts.parity.result import Item, Result
from llm_contracts.project.config import ConfigError, Project
from llm_contracts.project.inputs import input_files
from llm_contracts.results.items import Packed
from llm_contracts.results.store import RESULT, Stored
from llm_contracts.results.writer import differences
from llm_contracts.run.check import concluded
from llm_contracts.run.engines import EngineName
from llm_contracts.run.match import client_names
from llm_contracts.run.options import Options
from llm_contracts.run.shards import Shard, parse_shard
from llm_contracts.run.streams import concluded_corpus
from llm_contracts.util.versions import packages_of, versions
from llm_contracts.wire.proxy.playback_options import pieces_from

CHECK, CORPUS = "check", "corpus"
_SHOWN = 5  # names in a message
_NOT_COMPARED = ("shard", "inputs")


def check_plan(project: Project, options: Options, inputs: Mapping[str, str]) -> dict[str, Any]:
    """What a check is about, as JSON values: two runs with the same plan give the same."""
    return {"what": CHECK, **_plan(project, options), "inputs": dict(inputs)}


def corpus_plan(project: Project, options: Options, digest: str, waivers: Path | None) -> dict[str, Any]:
    """The same of a run over a corpus. `digest`: of the corpus; `waivers`: the file of its own."""
    files = input_files(project.settings)
    return {
        "what": CORPUS,
        **_plan(project, options),
        "corpus": digest,
        "waivers": None if waivers is None else str(waivers),
        # The project's own code: what else a process has loaded says nothing about the run.
        "inputs": {n: files[n] for n in files if n.endswith(".py") and not Path(n).is_absolute()},
    }


def _plan(project: Project, options: Options) -> dict[str, Any]:
    reference, candidate = client_names(project, options)
    return {
        "reference": reference,
        "candidate": candidate,
        "engine": str(options.engine),
        "pieces": None if options.pieces is None else str(options.pieces),
        "speed": None if options.speed is None else str(options.speed),
        "timeout": options.timeout,
        "shard": None if options.shard is None else str(options.shard),
        "versions": _releases(project, reference, candidate),
    }


def _releases(project: Project, *clients: str) -> dict[str, str]:
    used = versions(project.settings.distributions, clients)
    return {**packages_of(used), **used}


def part(plan: Mapping[str, Any], names: Sequence[str]) -> dict[str, Any]:
    """What the result of a part says of itself. `names`: all that the whole consists of, in its order."""
    return {"part": {"plan": dict(plan), "names": list(names)}}


@dataclass(frozen=True, kw_only=True, slots=True)
class Merged:
    """The parts of one run, put together.

    Attributes:
        what: `CHECK` or `CORPUS`.
        result: what the whole gives.
        lines: its items as they were stored, one after the other.
        inputs: what all parts were made from.
    """

    what: str
    result: Result
    lines: Iterator[Packed]
    inputs: Mapping[str, str]


def merged(project: Project, folders: Sequence[Path], today: date) -> Merged:
    """Put the parts together that are stored in these folders.

    Raises:
        ConfigError: they are not parts, not of the same run, or not all of them; it names which.
        StoredResultError: one cannot be read.
    """
    stored = _loaded(folders)
    _refuse_other_runs(project, stored)
    _refuse_gaps(stored)
    first = stored[0].document["part"]
    owner = {item.id: (item, each) for each in stored for item in each.result.items}
    place = {name: number for number, name in reversed(list(enumerate(first["names"])))}
    ids = sorted(owner, key=lambda name: place.get(name, len(place)))
    items = tuple(owner[name][0] for name in ids)
    lines = (Packed(item=owner[name][0], line=owner[name][1].line(name)) for name in ids)
    inputs = {name: digest for each in stored for name, digest in each.document.get("inputs", {}).items()}
    whole = _concluded(project, items, stored, place, today)
    warnings = dict.fromkeys((*whole.warnings, *(text for each in stored for text in each.result.warnings)))
    result = replace(whole, warnings=tuple(warnings))
    return Merged(what=first["plan"]["what"], result=result, lines=lines, inputs=inputs)


def _concluded(
    project: Project,
    items: tuple[Item, ...],
    stored: Sequence[Stored],
    place: Mapping[str, int],
    today: date,
) -> Result:
    described = stored[0].document["part"]
    plan = described["plan"]
    options = Options(
        today=today,
        reference=plan["reference"],
        candidate=plan["candidate"],
        engine=EngineName(plan["engine"]),
        pieces=None if plan["pieces"] is None else pieces_from(plan["pieces"]),
    )
    left_out = [problem for each in stored for problem in each.result.left_out]
    left_out.sort(key=lambda problem: place.get(problem.place, len(place)))
    if plan["what"] == CHECK:
        rows = {row.name: row for row in project.scenarios}
        gone = [name for name in described["names"] if name not in rows]
        if gone:
            raise ConfigError(f"The project has no scenario {gone[0]} any more. Run the parts again.")
        scenarios = [rows[name] for name in described["names"]]
        return concluded(project, scenarios, items, options, tuple(left_out))
    waivers = None if plan["waivers"] is None else Path(plan["waivers"])
    return concluded_corpus(project, items, left_out, options, waivers_file=waivers)


def _loaded(folders: Sequence[Path]) -> list[Stored]:
    found = []
    for folder in folders:
        stored = Stored.load(folder)
        if stored is None:
            raise ConfigError(f"{folder / RESULT}: there is no result.")
        if not isinstance(stored.document.get("part"), dict):
            raise ConfigError(f"{folder / RESULT}: is not a part of a run: it was made without --shard.")
        found.append(stored)
    return sorted(found, key=lambda each: _shard(each).number)


def _refuse_other_runs(project: Project, stored: Sequence[Stored]) -> None:
    """Parts of different runs do not make a whole."""
    first = _comparable(stored[0])
    for other in stored[1:]:
        changed = differences(first, _comparable(other)) + _other_inputs(stored[0], other)
        if changed:
            raise ConfigError(
                f"{other.folder} and {stored[0].folder} are not of the same run: they differ in "
                f"{', '.join(changed[:_SHOWN])}. Run all parts on the same files under the same versions."
            )
    changed = differences(first["versions"], _releases(project, first["reference"], first["candidate"]))
    if changed:
        raise ConfigError(
            f"The parts ran under other versions than are installed here: {', '.join(changed)}. Merge them "
            "where they ran."
        )


def _comparable(stored: Stored) -> dict[str, Any]:
    plan = stored.document["part"]["plan"]
    return {
        **{name: value for name, value in plan.items() if name not in _NOT_COMPARED},
        "number of parts": _shard(stored).of,
        "names": stored.document["part"]["names"],
    }


def _other_inputs(*parts: Stored) -> tuple[str, ...]:
    """The files that differ. Code that only one of them names does not: each part loads what its recordings
    need.
    """
    here, there = (part.document.get("inputs") or part.document["part"]["plan"]["inputs"] for part in parts)
    code = {name for name in here.keys() ^ there.keys() if name.endswith(".py")}
    return tuple(n for n in sorted((here.keys() | there.keys()) - code) if here.get(n) != there.get(n))


def _refuse_gaps(stored: Sequence[Stored]) -> None:
    """Every part is needed, and once."""
    folders: dict[int, Path] = {}
    for each in stored:
        number = _shard(each).number
        if number in folders:
            raise ConfigError(f"{folders[number]} and {each.folder} are both part {_shard(each)}. Name one.")
        folders[number] = each.folder
    of = _shard(stored[0]).of
    missing = [f"{number}/{of}" for number in range(1, of + 1) if number not in folders]
    if missing:
        raise ConfigError(f"{len(missing)} of {of} parts are missing: {', '.join(missing)}.")


def _shard(stored: Stored) -> Shard:
    return parse_shard(str(stored.document["part"]["plan"]["shard"]))
