"""The scenarios that captured recordings bring with them: no row has to be written for one."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from llm_contracts.project.recorded_call import stream_call
from llm_contracts.project.scenario import Provider, Scenario
from llm_contracts.project.well_known import WELL_KNOWN
from llm_contracts.util.json_values import as_mapping, read_json
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.protocols import BUILT_IN, Protocols

if TYPE_CHECKING:
    from llm_contracts.wire.cassette import Cassette

PREFIX = "captured-"
"""How the names of captured scenarios begin."""

_CHAT = "/chat/completions"


def captured_files(cassettes: Path) -> tuple[Path, ...]:
    """All captured recordings below a cassettes folder."""
    return tuple(sorted(cassettes.glob(f"*/{PREFIX}*.yaml")))


def captured_rows(
    cassettes: Path, providers: Iterable[Provider], protocols: Protocols = BUILT_IN
) -> tuple[tuple[Provider, ...], tuple[Scenario, ...]]:
    """The scenarios of captured recordings, and the rows of providers that only these name.

    A recording that cannot be read has a row all the same, so that a check says what is wrong with it. One of
    an API that is not compared has none.
    """
    files = captured_files(cassettes)
    if not files:  # most projects have none, and need no reader of cassettes to complete a command
        return (), ()
    from llm_contracts.wire.cassette import CassetteError, load

    known = {row.name: row for row in providers}
    fresh: dict[str, Provider] = {}
    scenarios = []
    for file in files:
        name = file.parent.name
        try:
            cassette = load(file)
        except CassetteError:
            scenarios.append(
                Scenario(id=file.stem, provider=name, model="unknown", live=False, captured=True)
            )
            cassette = None
        if cassette is not None and comparable(cassette.interactions):
            scenarios.append(_row(file.stem, name, cassette.interactions, protocols))
        if name not in known and name not in fresh:
            fresh[name] = _provider(name, cassette)
    owned = {row.provider for row in scenarios}
    return tuple(row for row in fresh.values() if row.name in owned), tuple(scenarios)


def comparable(interactions: tuple[Interaction, ...]) -> bool:
    """Whether a check can make the call again: a streamed chat completion, or a refusal of one."""
    if not interactions:
        return False
    request = interactions[-1].request
    streamed = as_mapping(read_json(request.body)).get("stream") is True
    return request.method.upper() == "POST" and urlsplit(request.uri).path.endswith(_CHAT) and streamed


def _row(
    identity: str, provider: str, interactions: tuple[Interaction, ...], protocols: Protocols
) -> Scenario:
    call = stream_call(provider, interactions[-1])
    # Here everything is known that was asked, and so whether totals were.
    asked = as_mapping(read_json(interactions[-1].request.body)).get("stream_options")
    params = {name: value for name, value in call.params.items() if name != "stream_options"}
    facts = read_facts(interactions[-1].response, protocols)
    return Scenario(
        id=identity,
        provider=provider,
        model=call.model,
        messages=call.messages,
        params=params if asked is None else {**params, "stream_options": asked},
        input=call.input,
        function=call.function,
        live=False,
        captured=True,
        expects="failure" if facts.error or not facts.status else "answer",
    )


def _provider(name: str, cassette: Cassette | None) -> Provider:
    """A well-known one, or one at the address that was called."""
    known = next((row for row in WELL_KNOWN if row.name == name), None)
    uri = cassette.interactions[-1].request.uri if cassette and cassette.interactions else ""
    base_url = uri.partition("?")[0].removesuffix(_CHAT)
    if known is not None and base_url.startswith(known.base_url):
        return known
    row = known or Provider(name=name, base_url=base_url, key_variable=f"{name.upper()}_API_KEY")
    return replace(row, base_url=base_url or row.base_url)
