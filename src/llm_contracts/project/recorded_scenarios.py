"""The scenarios that recordings bring with them, so that no row has to be written for one: captured ones by
themselves, imported ones where a project's `SCENARIOS` says so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from functools import partial
from pathlib import Path

from llm_contracts.project.recorded_call import row_of, stream_call
from llm_contracts.project.scenario import Provider, Scenario
from llm_contracts.project.well_known import WELL_KNOWN, unlisted
from llm_contracts.util.files import files_like
from llm_contracts.wire.content import decoded
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Interaction, Response
from llm_contracts.wire.protocols import BUILT_IN, Protocols

CAPTURED, IMPORTED = "captured-", "imported-"
"""How the names of such scenarios begin, imported ones unless they are given another."""

_TAIL = 4096  # bytes: the last events of a stream


def recorded_files(cassettes: Path, prefix: str) -> tuple[Path, ...]:
    """All recordings below a cassettes folder whose names begin so."""
    return tuple(sorted(files_like(cassettes, f"*/{prefix}*.yaml")))


def imported_scenarios(cassettes: Path) -> tuple[Scenario, ...]:
    """The scenarios of all imported recordings in a cassettes folder, for a project's `SCENARIOS`.

    They are not `live`: nobody waits for them to be recorded again. One that cannot be read has a row all the
    same, so that a check says what is wrong with it.
    """
    return tuple(_row(file, imported_row) for file in recorded_files(cassettes, IMPORTED))


def imported_row(identity: str, provider: str, interaction: Interaction) -> Scenario:
    """The scenario that an imported recording fits. A project's own protocols may not be known yet."""
    facts = read_facts(interaction.response)
    return row_of(
        stream_call(provider, interaction),
        identity,
        expects="failure" if facts.error else "answer",
        finish=facts.finish_reasons[-1] if facts.finish_reasons else None,
    )


def captured_rows(
    cassettes: Path, providers: Iterable[Provider], protocols: Protocols = BUILT_IN, *, read: bool = True
) -> tuple[tuple[Provider, ...], tuple[Scenario, ...]]:
    """The scenarios of captured recordings, and the rows of providers that only these name.

    A recording that cannot be read has a row all the same, so that a check says what is wrong with it; and
    so has one that no client can be asked for, which a verdict names. Without `read` rows have their names
    alone, which is what the completion of a command line takes.
    """
    known = {row.name for row in providers}
    fresh: dict[str, Provider] = {}
    scenarios = []
    make = partial(_captured_row, protocols=protocols)
    for file in recorded_files(cassettes, CAPTURED):
        name = file.parent.name
        row = _row(file, make) if read else _unread(file)
        scenarios.append(row)
        if name not in known and name not in fresh:
            fresh[name] = _provider(name, row.base_url)
    return tuple(fresh.values()), tuple(scenarios)


def _unread(file: Path) -> Scenario:
    captured = file.stem.startswith(CAPTURED)
    return Scenario(id=file.stem, provider=file.parent.name, model="unknown", live=False, captured=captured)


def _row(file: Path, make: Callable[[str, str, Interaction], Scenario]) -> Scenario:
    from llm_contracts.wire.cassette import CassetteError, load

    try:
        *_, last = load(file).interactions
    except (CassetteError, ValueError):  # or it holds none
        return _unread(file)
    return make(file.stem, file.parent.name, last)


def _captured_row(
    identity: str, provider: str, interaction: Interaction, *, protocols: Protocols
) -> Scenario:
    call = stream_call(provider, interaction, protocols, whole=True)
    expects = "failure" if _fails(interaction.response, protocols) else "answer"
    return row_of(call, identity, captured=True, expects=expects, base_url=call.base_url)


def _fails(response: Response, protocols: Protocols) -> bool:
    """Whether an answer is a failure. An error in mid-stream stands at its end: no more of one is read."""
    response = decoded(response)
    if response.header("content-type").startswith("text/event-stream") and len(response.body) > _TAIL:
        tail = response.body[-_TAIL:].partition(b"\n\n")[2]
        response = replace(response, body=tail) if tail.strip() else response
    facts = read_facts(response, protocols)
    return not facts.status or facts.error is not None


def _provider(name: str, base_url: str) -> Provider:
    """A well-known one, or one at the address that was called."""
    known = WELL_KNOWN.get(name)
    if known is not None and base_url.startswith(known.base_url):
        return known
    row = known or unlisted(name, base_url)
    return replace(row, base_url=base_url or row.base_url)
