"""Composition: a recording that shows a difference → the smallest one that still does."""

from __future__ import annotations

import functools
import json
import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from copy import deepcopy
from dataclasses import dataclass, replace
from operator import getitem
from typing import Any

from llm_contracts.capture.anonymise import Anonymiser
from llm_contracts.capture.places import PlaceKind, kind_of
from llm_contracts.clients.call import Call, Function
from llm_contracts.parity.compare import ABSENT, compare
from llm_contracts.parity.divergence import Divergence, Kind, Severity
from llm_contracts.project.config import ConfigError
from llm_contracts.reduce.ddmin import ddmin
from llm_contracts.run.pairing import Pairing
from llm_contracts.util.json_values import read_json
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Interaction, Piece
from llm_contracts.wire.protocols import Protocols
from llm_contracts.wire.streamed import Streamed, without_length

_QUESTION = ({"role": "user", "content": "hi"},)
CHATS = frozenset({Function.INVOKE, Function.CHAT})
TIMED = frozenset({Kind.DELIVERY_LAG, Kind.ERROR_POSITION, Kind.DELTAS})
"""What differs by the way in which pieces come, and needs them; the rest is quicker without."""
_NUMBER = re.compile(r"\[\d+\]")
_Form = tuple[str, str, bool, bool]
_EVENT = re.compile(rb"(.*?data: *)\s*(.*?)(\s*)", re.DOTALL)


@dataclass(frozen=True, kw_only=True, slots=True)
class Wanted:
    """Which difference must stay: its kind and its place; empty for the worst that there is."""

    kind: str = ""
    where: str = ""

    def fits(self, difference: Divergence) -> bool:
        """Whether this is one."""
        return self.kind in ("", str(difference.kind)) and self.where in ("", difference.where)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reduced:
    """What is left of a recording.

    Attributes:
        difference: the one that it shows.
        call: what is asked.
        interactions: what the provider says.
        events, events_before: how many events there are, and were.
        attempts: how many recordings were played on the way.
    """

    difference: Divergence
    call: Call
    interactions: tuple[Interaction, ...]
    events: int
    events_before: int
    attempts: int


@dataclass(kw_only=True, slots=True)
class _Search:
    """The search for one difference. `call` and `interactions`: the smallest that have `shown` it."""

    match: Pairing
    shown: Divergence
    call: Call
    interactions: tuple[Interaction, ...]
    faults: Counter[_Form]
    attempts: int = 0

    def shows(self, interactions: tuple[Interaction, ...], call: Call | None = None) -> bool:
        """Whether the difference is there; if so, this is the smallest so far."""
        call = call or self.call
        if not interactions:
            return False
        self.attempts += 1
        there = differences(self.match, interactions, call)
        found = next((each for each in there if _form(each) == _form(self.shown)), None)
        # A stream that is broken in other ways shows something, but not what was looked for.
        if found is None or not _faults(there) <= self.faults:
            return False
        self.call, self.interactions, self.shown = call, interactions, found
        return True


def differences(match: Pairing, interactions: tuple[Interaction, ...], call: Call) -> tuple[Divergence, ...]:
    """What differs when both clients are played to once, the worst first."""
    facts = tuple(read_facts(each.response, match.protocols) for each in interactions)
    found = compare(*match.play_both(interactions, call), facts, scope="reduced", rules=match.rules)
    return tuple(sorted(found.divergences, key=lambda each: each.severity.rank))


def reduce(
    match: Pairing,
    interactions: tuple[Interaction, ...],
    call: Call,
    wanted: Wanted,
    *,
    anonymise: bool = True,
) -> Reduced:
    """Leave out whatever is not needed: exchanges, parameters, events, members, words.

    Raises:
        ConfigError: the recording does not show such a difference.
    """
    # The first time a library is imported and begins, which takes no long stream; and what depends on time
    # differs once and not again.
    streamed = Streamed.of(interactions)
    differences(match, streamed.with_parts(streamed.parts[:1]) if streamed else interactions, call)
    again = {(each.kind, each.where) for each in differences(match, interactions, call)}
    there = [each for each in differences(match, interactions, call) if (each.kind, each.where) in again]
    found = [each for each in there if wanted.fits(each)]
    if not found:
        said = "; ".join(sorted({f"{each.kind} at {each.where}" for each in there})) or "nothing"
        raise ConfigError(f"The recording does not show that difference. What differs: {said}.")
    search = _Search(match=match, shown=found[0], call=call, interactions=interactions, faults=_faults(there))
    if anonymise:
        search.shows(Anonymiser()(interactions))
    ddmin(search.interactions, lambda some: search.shows(tuple(some)))
    _events(search)  # first of all: each attempt takes as long as its stream
    _call(search)
    for index in range(len(search.interactions)):
        _headers(search, index)
    _members(search)
    _events(search)  # some have nothing left
    if not search.shows(search.interactions):
        msg = f"{found[0].kind} at {found[0].where} comes and goes: nothing that is left shows it."
        raise ConfigError(msg)
    return Reduced(
        difference=search.shown,
        call=search.call,
        interactions=tuple(_with_request(each, search.call) for each in search.interactions),
        events=_count(search.interactions, match.protocols),
        events_before=_count(interactions, match.protocols),
        attempts=search.attempts,
    )


def _form(found: Divergence) -> _Form:
    """Its kind and place, numbers aside, and which side has nothing: what stands at the thousandth character
    stands at the first when all before it is left out.
    """
    nothing = (ABSENT, None)
    where = _NUMBER.sub("", found.where)
    return str(found.kind), where, found.reference in nothing, found.candidate in nothing


def _faults(found: Iterable[Divergence]) -> Counter[_Form]:
    """How many there are of each form of those that another fault would add to: what breaks, and what a
    client logs.
    """
    return Counter(
        _form(each) for each in found if each.severity is Severity.BREAKING or each.kind is Kind.SIDE_EFFECT
    )


def _count(interactions: tuple[Interaction, ...], protocols: Protocols) -> int:
    return sum(read_facts(each.response, protocols).events for each in interactions)


def _call(search: _Search) -> None:
    """The plainest question, with as few parameters as it takes."""
    if search.call.function in CHATS:
        plain = replace(search.call, messages=_QUESTION, function=Function.INVOKE)
        search.shows(search.interactions, plain)
    params = search.call.params

    def holds(names: Sequence[str]) -> bool:
        some = {name: params[name] for name in names}
        return search.shows(search.interactions, replace(search.call, params=some))

    ddmin(list(params), holds)


def _headers(search: _Search, index: int) -> None:
    """As few of an answer's headers as it takes, besides the type that everybody expects."""
    headers = search.interactions[index].response.headers
    types = [line for line in headers if line[0].lower() == "content-type"]

    def holds(some: Sequence[tuple[str, str]]) -> bool:
        changed = list(search.interactions)
        response = replace(changed[index].response, headers=(*types, *some))
        changed[index] = replace(changed[index], response=response)
        return search.shows(tuple(changed))

    ddmin([line for line in headers if line not in types], holds)


def _events(search: _Search) -> None:
    streamed = Streamed.of(search.interactions)
    if streamed is not None:
        ddmin(streamed.parts, lambda parts: search.shows(streamed.with_parts(parts)))


def _members(search: _Search) -> None:
    """Members and words of each event that is left, or of a whole answer."""
    streamed = Streamed.of(search.interactions)
    if streamed is None:
        *before, last = search.interactions
        _document(search, last.response.body, lambda body: (*before, _answering(last, body)))
        return
    for place in range(len(streamed.parts)):
        _event(search, place)


def _event(search: _Search, place: int) -> None:
    streamed = Streamed.of(search.interactions)
    assert streamed is not None
    found = _EVENT.fullmatch(streamed.parts[place])
    if found is not None:
        head, data, end = found.groups()
        before, after = streamed.parts[:place], streamed.parts[place + 1 :]
        _document(search, data, lambda body: streamed.with_parts((*before, head + body + end, *after)))


def _document(search: _Search, data: bytes, rebuilt: Callable[[bytes], tuple[Interaction, ...]]) -> None:
    """Leave out what can be left out of one JSON document, from the top down, then shorten its texts."""
    value = read_json(data)
    if not isinstance(value, dict | list):
        return
    done: set[tuple[Any, ...]] = set()
    while place := next((each for each in _places(value) if each not in done), None):
        done.add(place)
        for smaller in _smaller(value, place):
            if search.shows(rebuilt(json.dumps(smaller, ensure_ascii=False).encode())):
                value = smaller
                done.discard(place)  # something else may stand there now
                break


def _places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for name, part in inner:
        yield (*before, name)
        yield from _places(part, (*before, name))


def _smaller(value: Any, place: tuple[Any, ...]) -> Iterator[Any]:
    """The document without what stands at a place, or with a shorter text there."""
    *above, last = place
    without, shorter = deepcopy(value), deepcopy(value)
    del functools.reduce(getitem, above, without)[last]
    yield without
    holder = functools.reduce(getitem, above, shorter)
    text = holder[last]
    if isinstance(text, str) and len(text) > 1 and not _is_api_word(place, text):
        holder[last] = "x"
        yield shorter


def _is_api_word(place: tuple[Any, ...], text: str) -> bool:
    """Whether it is one of the API's own, such as a finish reason: another one would be another fault."""
    path = tuple(name for name in place if isinstance(name, str))
    return kind_of(path, text, tools=True) is PlaceKind.KEEP


def _answering(interaction: Interaction, body: bytes) -> Interaction:
    response = without_length(replace(interaction.response, body=body))
    return replace(interaction, response=replace(response, pieces=(Piece(size=len(body), at_ms=0.0),)))


def _with_request(interaction: Interaction, call: Call) -> Interaction:
    """The exchange with the request that is left; of other APIs than chats, the one that was recorded."""
    if call.function not in CHATS:
        return interaction
    body: Mapping[str, Any] = {
        "model": call.model,
        "messages": list(call.messages),
        "stream": True,
        **{name: value for name, value in call.params.items() if name != "extra_body"},
        **call.params.get("extra_body", {}),
    }
    return replace(
        interaction, request=replace(interaction.request, body=json.dumps(body, ensure_ascii=False).encode())
    )
