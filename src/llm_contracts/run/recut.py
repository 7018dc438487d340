"""The same answer in the shapes that clients get wrong most often, cheap enough for every check.

All of them say the same by the WHATWG's rules for event streams: pieces that end inside a character, lines
that end in CRLF, a byte order mark before the first event, a block of control fields (not an event), and a
bare `data:` line, which is an event with nothing in it. They are played all at once, and one by one only
where that shows something. `check --sweep` has many more.

https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping

from llm_contracts.clients.observation import Observation
from llm_contracts.parity.compare.finding import Finding
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.parity.looks import Looks, without_chance
from llm_contracts.project.scenario import Scenario
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.streamed import Streamed, inside_characters, with_crlf

Shape = Callable[[list[bytes]], list[bytes]]
"""Events, each as bytes, to the same events otherwise spelt."""

Play = Callable[[tuple[Interaction, ...]], Observation]

SHAPES: Mapping[str, Shape] = {
    "inside-characters": lambda events: events,  # every shape is cut there
    "bare-data": lambda events: [*events[:1], b"data:\n\n", *events[1:]],
    "control-only": lambda events: [*events[:1], b"retry: 3000\n\n", *events[1:]],
    "bom": lambda events: [b"\xef\xbb\xbf" + events[0], *events[1:]],
    "crlf": lambda events: [with_crlf(event) for event in events],  # last: of all lines there are
}


def chosen(scenarios: Iterable[Scenario]) -> frozenset[str]:
    """The scenarios to play so: of each provider one for each function and set of parameters."""
    first: dict[object, str] = {}
    for row in scenarios:
        if row.expects == "answer":
            first.setdefault((row.provider, row.function, frozenset(row.params)), row.name)
    return frozenset(first.values())


def recut_differences(
    reference: Play, candidate: Play, interactions: tuple[Interaction, ...], looks: Looks, *, scope: str
) -> Iterator[Divergence]:
    """What the candidate does otherwise with the same answer in another shape, and the reference does not.

    Args:
        reference: plays exchanges to the reference, without waiting for it.
        candidate: the same to the candidate.
        interactions: the recording.
        looks: what both did with the recording as it is.
        scope: the item's id.

    Returns:
        Each with the shape's name behind its place, and what the candidate did with the recording and with
        the shape.
    """
    stream = Streamed.of(interactions)
    if stream is None:
        return
    reference_before, candidate_before = looks.references[0], looks.candidates[0]

    def changes(recorded: Observation, varied: Observation) -> Mapping[tuple[Kind, str], Divergence]:
        return {(d.kind, d.where): d for d in without_chance(looks.compare(recorded, varied).divergences)}

    shapes = SHAPES if stream.server_sent else {"inside-characters": SHAPES["inside-characters"]}
    together = _shaped(stream, *shapes.values())
    changed = changes(candidate_before, candidate(together)).keys()
    # An id that a client makes up is another each time.
    chance = changes(candidate_before, candidate(interactions)).keys() if changed else changed
    if changed <= chance:
        return
    alone = {name: _shaped(stream, shape) for name, shape in shapes.items()}
    for name, exchanges in {**alone, "all-at-once": together}.items():
        varied = candidate(exchanges)
        theirs = changes(candidate_before, varied)
        own = reference(exchanges) if theirs else reference_before
        ours = {} if own is reference_before else changes(reference_before, own)
        # Where they fail on the recording itself, failing says nothing about the shape.
        failed_before = reference_before.failure and candidate_before.failure
        both_fail = bool(varied.failure and own.failure and not failed_before)
        new = [
            Finding(kind=kind, where=f"{where} ({name})", reference=each.reference, candidate=each.candidate)
            for (kind, where), each in theirs.items()
            if (kind, where) not in chance
            and not _is_alike(each, ours.get((kind, where)), both_fail=both_fail)
        ]
        yield from (finding.seal(scope) for finding in new)
        if new:
            return  # the shape is named; the rest might say the same again


def _is_alike(theirs: Divergence, ours: Divergence | None, *, both_fail: bool) -> bool:
    """Whether the shape does the same to both. Who fails has many ways to say so."""
    return both_fail or (ours is not None and ours.candidate == theirs.candidate)


def _shaped(stream: Streamed, *shapes: Shape) -> tuple[Interaction, ...]:
    events = list(stream.parts)
    for shape in shapes:
        events = shape(events)
    return stream.with_parts(events, cuts=inside_characters(b"".join(events)))
