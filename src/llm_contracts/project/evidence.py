"""Whether exchanges are evidence of what a scenario is about, judged by the bytes alone.

`record` keeps only what is. `check` and `doctor` ask the same of what is there, so that neither a page from
some proxy nor a file copied from another scenario is ever taken for an answer.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus

from llm_contracts.clients.call import Function
from llm_contracts.project.scenario import Scenario
from llm_contracts.util.json_values import as_mapping, read_json
from llm_contracts.wire.cassette import Cassette, Provenance, Recording
from llm_contracts.wire.facts import WireFacts, read_facts
from llm_contracts.wire.interaction import End, Interaction
from llm_contracts.wire.protocols import BUILT_IN, Protocols

_SUCCESS = range(200, 300)
_FAILED = 400
_REFUSALS = range(400, 500)
_TOO_MANY = 429
REFUSED_KEY = frozenset({HTTPStatus.UNAUTHORIZED, HTTPStatus.FORBIDDEN})
"""What a provider answers to a key that it does not take."""


def objection(
    scenario: Scenario, interactions: Sequence[Interaction], protocols: Protocols = BUILT_IN
) -> str | None:
    """Why these exchanges are not evidence of what the scenario is about; None where they are.

    Args:
        scenario: what was asked, and how the provider's side must end.
        interactions: all exchanges of the call, in order.
        protocols: how the provider's bytes are read.
    """
    if not interactions:
        return "there is no exchange in it"
    lines = [line for one in interactions for line in (*one.request.headers, *one.response.headers)]
    codings = (value for name, value in lines if name.lower() == "content-encoding" and value)
    if coding := next(codings, ""):  # what could be unpacked has none
        return f"a body is packed as {coding!r}, which cannot be searched for secrets"
    if scenario.live and (reason := _not_on_demand(interactions)):
        return reason
    if scenario.captured:  # whatever came to the application is what it is about
        return None
    facts = read_facts(interactions[-1].response, protocols)
    if scenario.expects == "failure":
        return _no_failure(scenario, facts)
    return _no_answer(scenario, interactions[-1], facts, protocols)


def doubt(scenario: Scenario, cassette: Cassette, protocols: Protocols = BUILT_IN) -> str | None:
    """Why a recording is not evidence; None if it is. What others recorded never counts as live, and may
    be anything where an answer is wanted.
    """
    recording = cassette.recording
    ours = recording is not None and recording.provenance in {Provenance.LIVE, Provenance.SIMULATED}
    if recording is not None and (reason := misplaced(scenario, recording)):
        return reason
    judged = ours or scenario.expects == "failure"
    return objection(scenario, cassette.interactions, protocols) if judged else None


def misplaced(scenario: Scenario, recording: Recording) -> str | None:
    """Why a recording cannot count for a scenario, whatever is in it; None where it can."""
    made_for = f"{recording.provider}/{recording.scenario}"
    if made_for != scenario.name:
        return f"it was recorded for {made_for}, not for {scenario.name}"
    if recording.provenance is Provenance.LIVE and not recording.digest:
        return "it says live, but has no digest that would show later edits"
    return None


def refused_key(scenario: Scenario, interactions: Sequence[Interaction]) -> bool:
    """Whether the provider refused the key, where the scenario sends one that should be taken."""
    refused = bool(interactions) and interactions[-1].response.status in REFUSED_KEY
    return refused and scenario.live and scenario.key == "valid"


def described(facts: WireFacts) -> str:
    """The status and the message of a failure, to be put into a sentence."""
    message = facts.error.get("message", "") if facts.error else ""
    return f"{facts.status} {message}".strip().removesuffix(".")


def _not_on_demand(interactions: Sequence[Interaction]) -> str | None:
    """What may come of a call by chance, or from somebody in between, but is not what a provider answers."""
    *earlier, last = (interaction.response for interaction in interactions)
    if any(one.status >= _FAILED or one.end is not End.COMPLETE for one in earlier):
        return "the provider failed at first and had to be asked again: that is another scenario"
    if last.end is not End.COMPLETE:
        return f"the exchange ended early ({last.end})"
    media_type = last.header("content-type").partition(";")[0].strip().lower()
    start = last.body[:512].lstrip(b"\xef\xbb\xbf \t\r\n").lower()
    if media_type == "text/html" or start.startswith((b"<!doctype html", b"<html")):
        return f"a page came ({last.status} {media_type}), not the provider's answer"
    return None


def _no_failure(scenario: Scenario, facts: WireFacts) -> str | None:
    if facts.error is None:
        return f"the provider answered ({facts.status}), where a refusal or an error was wanted"
    if not scenario.live:
        return None
    # A provider that is busy or broken refuses everything: that is not evidence of how it refuses this. One
    # that refuses the key has not looked at anything else.
    if facts.status not in _REFUSALS or facts.status == _TOO_MANY:
        return f"the provider failed by itself: {described(facts)}"
    if facts.status in REFUSED_KEY and scenario.key == "valid":
        return f"the provider refused the key: {described(facts)}"
    return None


def _no_answer(
    scenario: Scenario, exchange: Interaction, facts: WireFacts, protocols: Protocols
) -> str | None:
    if facts.error is not None:
        return f"the provider refused: {described(facts)}"
    if facts.status not in _SUCCESS or facts.status == HTTPStatus.NO_CONTENT:
        return f"the provider answered with {facts.status}, which holds no answer"
    if scenario.function is Function.LIST_MODELS:
        return None if read_json(exchange.response.body) is not None else "no list of models came"
    asked = as_mapping(read_json(exchange.request.body))
    protocol = next((one for one in protocols if one.name == facts.protocol), None)
    generic = protocol is None and scenario.function is Function.REQUEST
    says_end = not generic and (protocol is None or protocol.says_end)
    known = not generic and (protocol is None or protocol.has_text)
    parts = (facts.finish_reasons, facts.whole_text, facts.reasoning, facts.usage)
    doubts = (
        (
            bool(scenario.finish) and scenario.finish not in facts.finish_reasons,
            f"the answer finished with {facts.finish_reasons or 'no reason'}, not with {scenario.finish!r}",
        ),
        (not facts.streamed and asked.get("stream") is True, "a stream was asked for, and none came"),
        (
            says_end and facts.streamed and not facts.done and not facts.finish_reasons,
            "the stream ended without a finish reason and without [DONE]",
        ),
        (
            known and not any(parts),
            "nothing that came is part of an answer: no text, reasoning, totals or finish reason",
        ),
    )
    return next((sentence for holds, sentence in doubts if holds), None)
