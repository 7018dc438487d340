"""Token totals, judged against what the provider sent.

A path reports the last usage that its chunks carried; a path whose chunks carry none reports what its last
telemetry generation says, for that is all an application has. Then:

* Both report: differing totals are `usage`, one for each total; differing parts are `usage_details`.
* Only the candidate reports: `usage_invented`, unless these are the provider's own totals. Then the reference
  lost them: `usage_missing` at `reference.usage`.
* Only the reference reports: `usage_missing`, unless the provider sent other totals or none. Then the
  reference made them up: `usage_invented` at `reference.usage`.
* Both report the same, and the provider sent other totals or none: `unfaithful`. Of paths that failed in
  mid-stream any totals are true that had been sent until then.
* Neither reports, and the provider sent some: `unfaithful`, but only where somebody would have looked: the
  request asked for usage, or there is telemetry.

Where no answer is known, the reference stands for the bytes.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from llm_contracts.clients.chunks import to_usage
from llm_contracts.clients.observation import Observation, Usage
from llm_contracts.parity.compare.finding import ABSENT, Findings, ObservationPair, UnnamedDivergence
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.normalise import Normalisation, NormalisationCount

TOTALS = ("prompt_tokens", "completion_tokens", "total_tokens")


def compare_usage(pair: ObservationPair) -> Findings:
    """Usage of two clients and of the bytes."""
    ours, theirs = reported(pair.reference), reported(pair.candidate)
    if ours is not None and theirs is not None:
        yield from _both(pair, ours, theirs)
    elif ours is None and theirs is None:
        yield from _neither(pair)
    elif pair.cut:
        yield NormalisationCount(name=Normalisation.AFTER_ERROR)
    else:
        yield _one(pair, ours, theirs)


def reported(observation: Observation) -> Usage | None:
    """What a path says it used: the last usage of its chunks, else that of its last generation."""
    if observation.reported_usage:
        return observation.reported_usage[-1]
    return usage_of(observation.generations[-1]) if observation.generations else None


def usage_of(generation: Mapping[str, Any]) -> Usage | None:
    """The usage of one telemetry generation."""
    given = generation.get("usage")
    return to_usage(given) if isinstance(given, Mapping) else None


def _both(pair: ObservationPair, ours: Usage, theirs: Usage) -> Findings:
    one, other = totals(ours), totals(theirs)
    for name in TOTALS:
        if one[name] != other[name]:
            where = f"usage.{name}"
            yield UnnamedDivergence(kind=Kind.USAGE, where=where, reference=one[name], candidate=other[name])
    yield from _details(ours.details, theirs.details)
    sent = _sent(pair)
    if pair.final is not None and one == other and not _was_sent(pair, one):
        shown = {"shown": one, "bytes": ABSENT if sent is None else totals(sent)}
        yield UnnamedDivergence(kind=Kind.UNFAITHFUL, where="usage", reference=shown, candidate=shown)


def _details(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> Findings:
    for name in sorted(ours.keys() | theirs.keys()):
        one, other = ours.get(name, ABSENT), theirs.get(name, ABSENT)
        if one != other:
            where = f"usage.{name}"
            yield UnnamedDivergence(kind=Kind.USAGE_DETAILS, where=where, reference=one, candidate=other)


def _neither(pair: ObservationPair) -> Findings:
    sent = _sent(pair)
    failed = pair.reference.failure is not None or pair.candidate.failure is not None
    if sent is None or failed or not _somebody_looks(pair):
        return
    shown = {"shown": ABSENT, "bytes": totals(sent)}
    yield UnnamedDivergence(kind=Kind.UNFAITHFUL, where="usage", reference=shown, candidate=shown)


def _one(pair: ObservationPair, ours: Usage | None, theirs: Usage | None) -> UnnamedDivergence:
    """The only report is true if the provider sent the same totals; then the other client lost them."""
    told = ours or theirs
    sent = _sent(pair) if pair.final is not None else ours
    is_true = sent is not None and told is not None and totals(sent) == totals(told)
    wrong_side_is_candidate = is_true == (ours is not None)
    return UnnamedDivergence(
        kind=Kind.USAGE_MISSING if is_true else Kind.USAGE_INVENTED,
        where="usage" if wrong_side_is_candidate else "reference.usage",
        reference=ABSENT if ours is None else totals(ours),
        candidate=ABSENT if theirs is None else totals(theirs),
    )


def _sent(pair: ObservationPair) -> Usage | None:
    return None if pair.final is None else to_usage(pair.final.usage)


def _was_sent(pair: ObservationPair, shown: Mapping[str, int | None]) -> bool:
    given = (pair.final.usages or (pair.final.usage,)) if pair.final is not None else ()
    sent = [totals(usage) for usage in map(to_usage, given) if usage is not None]
    failed = pair.reference.failure is not None and pair.candidate.failure is not None
    return shown in (sent if failed else sent[-1:])


def _somebody_looks(pair: ObservationPair) -> bool:
    sides = (pair.reference, pair.candidate)
    return any(side.generations or _asked_for_usage(side) for side in sides)


def _asked_for_usage(observation: Observation) -> bool:
    for request in observation.requests:
        try:
            body = json.loads(request.body)
        except ValueError:
            continue
        options = body.get("stream_options") if isinstance(body, dict) else None
        if isinstance(options, dict) and options.get("include_usage"):
            return True
    return False


def totals(usage: Usage) -> dict[str, int | None]:
    """The three totals as a JSON value."""
    return {name: getattr(usage, name) for name in TOTALS}
