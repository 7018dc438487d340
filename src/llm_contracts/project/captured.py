"""The scenarios that captured recordings bring with them: no row has to be written for one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from llm_contracts.project.recorded_call import row_of, stream_call
from llm_contracts.project.scenario import Provider, Scenario
from llm_contracts.project.well_known import WELL_KNOWN
from llm_contracts.wire.content import decoded
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Response
from llm_contracts.wire.protocols import BUILT_IN, Protocols

PREFIX = "captured-"
"""How the names of captured scenarios begin."""

_TAIL = 4096  # bytes: the last events of a stream


def captured_files(cassettes: Path) -> tuple[Path, ...]:
    """All captured recordings below a cassettes folder."""
    return tuple(sorted(cassettes.glob(f"*/{PREFIX}*.yaml")))


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
    for file in captured_files(cassettes):
        name = file.parent.name
        row = _row(file, protocols) if read else _unread(file)
        scenarios.append(row)
        if name not in known and name not in fresh:
            fresh[name] = _provider(name, row.base_url)
    return tuple(fresh.values()), tuple(scenarios)


def _unread(file: Path) -> Scenario:
    return Scenario(id=file.stem, provider=file.parent.name, model="unknown", live=False, captured=True)


def _row(file: Path, protocols: Protocols) -> Scenario:
    from llm_contracts.wire.cassette import CassetteError, load

    try:
        last = next(reversed(load(file).interactions), None)
    except CassetteError:
        last = None
    if last is None:
        return _unread(file)
    call = stream_call(file.parent.name, last, protocols, whole=True)
    expects = "failure" if _fails(last.response, protocols) else "answer"
    return row_of(call, file.stem, captured=True, expects=expects, base_url=call.base_url)


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
    known = next((row for row in WELL_KNOWN if row.name == name), None)
    if known is not None and base_url.startswith(known.base_url):
        return known
    row = known or Provider(name=name, base_url=base_url, key_variable=f"{name.upper()}_API_KEY")
    return replace(row, base_url=base_url or row.base_url)
