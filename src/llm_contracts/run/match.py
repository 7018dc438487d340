"""The two clients of a check by the names that were asked for, and the engines that play to them."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager, nullcontext
from dataclasses import replace

from llm_contracts.clients.gateway import Gateway
from llm_contracts.clients.libraries.litellm import offline_litellm
from llm_contracts.clients.resolve import resolve
from llm_contracts.clients.tls import empty_ca_store
from llm_contracts.parity.compare import Rules
from llm_contracts.parity.normalise import Normalisation
from llm_contracts.project.config import Project, Settings, checked_name
from llm_contracts.project.scenario import Provider, Scenario
from llm_contracts.run.engines import Engine, EngineName, opened
from llm_contracts.run.options import Options
from llm_contracts.run.pairing import Pairing, Side, check_distinct
from llm_contracts.wire.proxy.playback_options import Fragmentation


def client_names(project: Project, options: Options) -> tuple[str, str]:
    """What is compared: reference and candidate."""
    settings = project.settings
    return (options.reference or settings.reference, options.candidate or settings.candidate)


def are_own(project: Project, options: Options) -> bool:
    """Whether the project's own two clients are compared."""
    return client_names(project, options) == (project.settings.reference, project.settings.candidate)


@contextmanager
def opened_match(
    project: Project, options: Options, playing: AbstractContextManager[Engine] | None = None
) -> Iterator[Pairing]:
    """The two clients by the names that were asked for, and an engine that runs. `playing`: another one than
    the options name; then no recording is recut.
    """
    recutting: AbstractContextManager[Engine | None] = nullcontext()
    if playing is None and options.engine is EngineName.WIRE:
        recutting = opened(EngineName.WIRE, pieces=Fragmentation.RECORDED, lockstep=False)
    playing = playing or opened(options.engine, pieces=options.pieces, speed=options.speed)
    with ExitStack() as stack:
        stack.enter_context(offline_litellm())
        stack.enter_context(empty_ca_store(os.environ))
        match = match_of(project, options, stack.enter_context(playing))
        reference, candidate = (_started(side, stack) for side in match.sides)
        pieces = stack.enter_context(recutting)
        yield replace(match, recutting=pieces, reference=reference, candidate=candidate)


def _started(side: Side, stack: ExitStack) -> Side:
    """A gateway is started once for all that is played to it."""
    if not isinstance(side.client, Gateway):
        return side
    return replace(side, client=stack.enter_context(side.client.started()))


def match_of(project: Project, options: Options, engine: Engine) -> Pairing:
    """The two clients by the names that were asked for, to be played to by this engine.

    Raises:
        ClientError: a client's name is unknown.
        ConfigError: the candidate is the reference, or a normalisation's name is unknown.
    """
    reference, candidate = sides(project, options)
    return Pairing(
        reference=reference,
        candidate=candidate,
        engine=engine,
        timeout=options.timeout,
        protocols=project.protocols,
        rules=rules_of(project.settings),
    )


def rules_of(settings: Settings) -> Rules:
    """What the project's settings say about comparing.

    Raises:
        ConfigError: with the nearest names, for a normalisation that does not exist.
    """
    known = [str(name) for name in Normalisation]
    for name in settings.strict:
        checked_name("normalisation for [tool.llm_contracts] strict", name, known)
    return Rules(strict=frozenset(settings.strict), categories=settings.categories)


def sides(project: Project, options: Options) -> tuple[Side, Side]:
    """Reference and candidate.

    Raises:
        ClientError: a client's name is unknown.
        ConfigError: the candidate is the reference, or a provider's own.
    """
    reference, candidate = (_side(project, name) for name in client_names(project, options))
    check_distinct(reference, candidate)
    if reference.name == project.settings.reference:
        for name in dict.fromkeys(row.reference for row in project.providers if row.reference):
            check_distinct(_side(project, name), candidate)
    return reference, candidate


def _side(project: Project, name: str) -> Side:
    return Side(name=name, client=resolve(name, project.clients))


def own_match(
    match: Pairing, project: Project, provider: Provider, scenario: Scenario | None = None
) -> Pairing:
    """The match for a provider: its protocol and, where it has one, its own reference in the place of the
    project's.
    """
    match = replace(match, protocols=project.protocols_of(provider.name, scenario))
    own = provider.reference
    if own is None or match.reference.name != project.settings.reference:
        return match
    reference = _side(project, own)
    check_distinct(reference, match.candidate)
    return replace(match, reference=reference)
