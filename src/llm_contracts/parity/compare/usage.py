"""Token totals, judged against what the provider sent.

A client reports the last usage that its chunks carried; one whose chunks carry none reports what its last
telemetry generation says, for that is all an application has. What the provider sent is what all its usage
objects say together. Then:

* Both report: differing totals are `usage`, one for each total; differing parts are `usage_details`. So with
  those that came before the last one, where both hand on as many.
* Both report the same total under another name: `usage_missing`, for whoever reads the name that the
  reference gives.
* Only the candidate reports: `usage_invented`, unless these are the provider's own totals. Then the reference
  lost them: `usage_missing` at `reference.usage`.
* Only the reference reports: `usage_missing`, unless the provider sent other totals or none. Then the
  reference made them up: `usage_invented` at `reference.usage`.
* Both report the same, and the provider sent other totals or none, or parts that a later object without
  them has taken the place of: `unfaithful`.
* Neither reports, and the provider sent some: `unfaithful`, but only where somebody would have looked: the
  request asked for usage, or there is telemetry.

Of clients that failed in mid-stream any totals are true that had been sent until then.

Where no answer is known, the reference stands for the bytes.
"""

from __future__ import annotations

from collections.abc import Mapping
from itertools import accumulate
from typing import Any

from llm_contracts.clients.chunks import to_usage
from llm_contracts.clients.observation import Observation, Usage
from llm_contracts.parity.compare.finding import (
    ABSENT,
    Finding,
    Findings,
    ObservationPair,
    differing,
    unfaithful,
)
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.normalise import Normalisation
from llm_contracts.util.json_values import as_list, as_mapping, read_json
from llm_contracts.wire.facts import usage_and

TOTALS = ("prompt_tokens", "completion_tokens", "total_tokens")


def compare_usage(pair: ObservationPair) -> Findings:
    """Usage of two clients and of the bytes."""
    ours, theirs = reported(pair.reference), reported(pair.candidate)
    if ours is not None and theirs is not None:
        yield from _both(pair, ours, theirs)
    elif ours is None and theirs is None:
        yield from _neither(pair)
    elif pair.excuses((ours,) if ours else (), (theirs,) if theirs else ()):
        yield Finding(kind=Normalisation.AFTER_ERROR)
    else:
        yield _one(pair, ours, theirs)


def reported(observation: Observation) -> Usage | None:
    """What a client says it used: the last usage of its chunks, else that of its last generation."""
    if observation.reported_usage:
        return observation.reported_usage[-1]
    return usage_of(observation.generations[-1]) if observation.generations else None


def usage_of(generation: Mapping[str, Any]) -> Usage | None:
    """The usage of one telemetry generation."""
    given = generation.get("usage")
    return to_usage(given) if isinstance(given, Mapping) else None


def _both(pair: ObservationPair, ours: Usage, theirs: Usage) -> Findings:
    yield from _values(ours, theirs, "usage")
    yield from _earlier(pair)
    if pair.reference.reported_usage and pair.candidate.reported_usage:
        yield from _names(ours, theirs)
    one, sent = totals(ours), _sent(pair)
    if pair.final is not None and one == totals(theirs) and not _was_sent(pair, one, failed=pair.both_failed):
        yield unfaithful("usage", one, ABSENT if sent is None else totals(sent))
    elif sent is not None and not (pair.reference.failure or pair.candidate.failure or len(pair.answers) > 1):
        replaced = (_replaced(side) for side in pair.sides)
        for name in sorted(set.intersection(*replaced) & sent.details.keys()):
            yield unfaithful(f"usage.{name}", ABSENT, sent.details[name])


def _values(ours: Usage, theirs: Usage, place: str) -> Findings:
    sides = [(Kind.USAGE, totals(ours), totals(theirs)), (Kind.USAGE_DETAILS, ours.details, theirs.details)]
    for kind, one, other in sides:
        for name in sorted(one.keys() | other.keys()):
            yield from differing(kind, f"{place}.{name}", one.get(name, ABSENT), other.get(name, ABSENT))


def _earlier(pair: ObservationPair) -> Findings:
    """What came before the last usage; where one hands on more of them, `order` says so. The first difference
    is enough.
    """
    sides = [side.reported_usage for side in pair.sides]
    if len(sides[0]) == len(sides[1]):
        each = zip(*(side[:-1] for side in sides), strict=True)
        found = (list(_values(one, other, f"usage[{index}]")) for index, (one, other) in enumerate(each))
        yield from next(filter(None, found), [])


def _names(ours: Usage, theirs: Usage) -> Findings:
    one, other = (
        dict(zip((name for name in TOTALS if totals(side)[name] is not None), side.names, strict=False))
        for side in (ours, theirs)
    )
    for name, called in one.items():
        if other.get(name, called) != called:
            found = totals(ours)[name], {other[name]: totals(theirs)[name]}
            yield from differing(Kind.USAGE_MISSING, f"usage.{called}", *found)


def _replaced(side: Observation) -> set[str]:
    """The parts that a client's earlier usage had and its last lacks: whoever reads the last loses them."""
    *earlier, last = [set(usage.details) for usage in side.reported_usage] or [set()]
    return set().union(*earlier) - last


def _neither(pair: ObservationPair) -> Findings:
    sent = _sent(pair)
    failed = any(side.failure is not None for side in pair.sides)
    looked_for = any(side.generations or _asked_for_usage(side) for side in pair.sides)
    if sent is not None and not failed and looked_for and not all(map(_in_a_choice, pair.sides)):
        yield unfaithful("usage", ABSENT, totals(sent))


def _in_a_choice(side: Observation) -> bool:
    """Whether it hands on totals where Moonshot puts them; `fields` compares these."""
    choices = (choice for chunk in side.chunks for choice in as_list(chunk.rest.get("choices")))
    return any(as_mapping(choice).get("usage") for choice in choices)


def _one(pair: ObservationPair, ours: Usage | None, theirs: Usage | None) -> Finding:
    """The only report is true if the provider sent the same totals; then the other client lost them."""
    side, reported = (pair.reference, ours) if ours is not None else (pair.candidate, theirs)
    is_true = ours is not None
    if pair.final is not None and reported is not None:
        is_true = _was_sent(pair, totals(reported), failed=side.failure is not None)
    wrong_side_is_candidate = is_true == (ours is not None)
    return Finding(
        kind=Kind.USAGE_MISSING if is_true else Kind.USAGE_INVENTED,
        where="usage" if wrong_side_is_candidate else "reference.usage",
        reference=ABSENT if ours is None else totals(ours),
        candidate=ABSENT if theirs is None else totals(theirs),
    )


def _sent(pair: ObservationPair) -> Usage | None:
    return None if pair.final is None else to_usage(pair.final.usage)


def _was_sent(pair: ObservationPair, shown: Mapping[str, int | None], *, failed: bool) -> bool:
    """Whether the provider sent these totals, at the end or, to a client that `failed`, until then."""
    final = pair.final
    reported = [*final.usages, *accumulate(final.usages, usage_and)] if final and failed else []
    return shown in [*(totals(usage) for usage in map(to_usage, reported) if usage), *_every_total(pair)]


def _every_total(pair: ObservationPair) -> list[Mapping[str, int | None]]:
    """The totals of each answer, of which the client may have handed on any as its last."""
    sent = (usage for each in pair.answers for usage in (each.usage, each.vendor_usage))
    return [totals(usage) for usage in map(to_usage, sent) if usage is not None]


def _asked_for_usage(observation: Observation) -> bool:
    bodies = (as_mapping(read_json(request.body)) for request in observation.requests)
    return any(as_mapping(body.get("stream_options")).get("include_usage") for body in bodies)


def totals(usage: Usage) -> dict[str, int | None]:
    """The three totals as a JSON value."""
    return {name: getattr(usage, name) for name in TOTALS}
