"""Composition: recordings and two clients → what their calls cost."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from typing import NoReturn
from urllib.parse import urlsplit

from llm_contracts.clients.call import ClientCache, Function
from llm_contracts.clients.libraries.litellm import offline_litellm
from llm_contracts.cost.measure import Driver, MeasuringPlan, Meter, PlannedCall, measured
from llm_contracts.cost.model import Cost, Measure, ProviderCost
from llm_contracts.cost.server import Serve, serving
from llm_contracts.cost.stream import Playable, text_of
from llm_contracts.project.config import Project
from llm_contracts.project.scenario import Scenario
from llm_contracts.run.match import match_of, own_match
from llm_contracts.run.options import Options
from llm_contracts.run.pairing import Pairing
from llm_contracts.run.scenario import replay_call
from llm_contracts.wire.cassette import CassetteError, load
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.protocols import Protocols

_NOTHING_TO_PLAY = "no recording of it is an answer in text that came to its end without trouble"
_TOO_SHORT = "the longest recording has too few chunks that differ to be played at any length"


@dataclass(frozen=True, kw_only=True, slots=True)
class CostPlan:
    """How to measure.

    Attributes:
        rounds: how often.
        short, long: chunks of text in the answers.
        at_most: limits of the ratios; see `Cost`.
        meter: makes what measures a call, given a `timeout` for one in seconds.
        server: plays recordings outside of this process.
    """

    rounds: int = 5
    short: int = 8
    long: int = 300
    at_most: Mapping[Measure, float] = field(default_factory=dict)
    meter: Callable[..., Meter] = Driver
    server: Callable[[], AbstractContextManager[Serve]] = serving


def measure(
    project: Project,
    scenarios: Sequence[Scenario],
    options: Options,
    plan: CostPlan,
    *,
    progress: Callable[[str], None] = lambda _provider: None,
) -> Cost:
    """What calls cost over either client of a check, for each provider of these scenarios.

    For each provider one recording is played, the longest that is fit for it, from a process of its own: as a
    short answer and as a long one. One client is measured at a time.

    Raises:
        ClientError: a client's name is unknown.
        ServerError: the process that plays recordings has ended.
    """
    match = match_of(project, options, _no_engine)
    # Over the last minute; Windows has none.
    load_average = round(os.getloadavg()[0], 1) if hasattr(os, "getloadavg") else None
    rows = []
    with offline_litellm(), plan.server() as serve:
        for provider in dict.fromkeys(row.provider for row in scenarios):
            own = [row for row in scenarios if row.provider == provider]
            sides = own_match(match, project, project.provider(provider))
            rows.append(_of_provider(project, own, sides, plan, serve))
            progress(provider)
    return Cost(
        reference=match.reference.name,
        candidate=match.candidate.name,
        providers=tuple(rows),
        rounds=plan.rounds,
        short=plan.short,
        long=plan.long,
        processors=os.cpu_count() or 1,
        load=load_average,
        at_most=plan.at_most,
    )


def _no_engine(_interactions: tuple[Interaction, ...], _protocols: Protocols = ()) -> NoReturn:
    """Costs are measured without an engine: recordings are played by a process of their own."""
    raise AssertionError


def _of_provider(
    project: Project, scenarios: Sequence[Scenario], match: Pairing, plan: CostPlan, serve: Serve
) -> ProviderCost:
    row = ProviderCost(provider=scenarios[0].provider, reference=match.reference.name)
    chosen = _longest(project, scenarios)
    if chosen is None:
        return replace(row, missing=dict.fromkeys(Measure, _NOTHING_TO_PLAY))
    scenario, playable = chosen
    call = replay_call(scenario, project.provider(scenario.provider))
    with ClientCache() as clients:

        def planned(chunks: int) -> PlannedCall:
            interactions = playable.with_chunks(chunks) if playable.stretches else playable.recorded
            here = serve(interactions) + urlsplit(call.base_url).path
            return PlannedCall(
                call=replace(call, base_url=here, client_cache=clients),
                chunks=chunks,
                text=text_of(interactions, match.protocols),
            )

        calls = MeasuringPlan(
            clients={"reference": match.reference.client, "candidate": match.candidate.client},
            short=planned(plan.short),
            long=planned(plan.long) if playable.stretches else None,
            why=_TOO_SHORT,
        )
        meter = plan.meter(timeout=match.timeout)
        return measured(replace(row, recording=scenario.name), calls, meter, rounds=plan.rounds)


def _longest(project: Project, scenarios: Sequence[Scenario]) -> tuple[Scenario, Playable] | None:
    """The longest recording that can be played at any length; failing that the longest of the others. What
    cannot be read is passed over: the comparison says so.

    A large file is a long recording, so only a few have to be read.
    """
    rows = [
        (row, project.cassette(row))
        for row in scenarios
        if (row.streamed_chat or not row.captured) and row.function is not Function.LIST_MODELS
    ]
    recorded = [(row, file) for row, file in rows if file.is_file()]
    fallback: tuple[Scenario, Playable] | None = None
    for row, file in sorted(recorded, key=lambda each: -each[1].stat().st_size):
        try:
            playable = Playable.of(load(file).interactions, project.protocols_of(row.provider))
        except CassetteError:
            continue
        if playable is not None and playable.stretches:
            return row, playable
        if playable is not None and fallback is None:
            fallback = row, playable
    return fallback
