"""Each kind of divergence is found where it is, alone, and nowhere else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace

import pytest

from llm_contracts.clients.observation import Chunk, Observation
from llm_contracts.parity.compare import ABSENT, compare
from llm_contracts.parity.divergence import Kind, Severity, severity_of
from llm_contracts.wire.facts import WireFacts
from tests.harness.parity.samples import (
    BODY,
    chunks,
    facts,
    failure,
    generation,
    observation,
    request,
    usage,
)

THREE = usage()
NO_USAGE = observation(chunks=chunks("Hel", "lo"))
TOOLS = ({"index": 0, "id": "c1", "name": "add", "arguments": '{"a":'}, {"index": 0, "arguments": "1}"})
OTHER_TOOLS = (TOOLS[0], {"index": 0, "arguments": "2}"})


@dataclass(frozen=True, kw_only=True)
class Case:
    """Two observations that differ in one kind only, and where."""

    kind: Kind
    where: str
    candidate: Observation
    reference: Observation = field(default_factory=observation)
    sent: WireFacts = field(default_factory=facts)
    values: tuple[object, object] | None = None


def failed(*texts: str, **changes: object) -> Observation:
    return observation(chunks=chunks(*texts, finish=None), failure=failure(**changes))


def untimed(given: tuple[Chunk, ...]) -> tuple[Chunk, ...]:
    return tuple(replace(chunk, position=None) for chunk in given)


def with_chunk(chunk: Chunk) -> Observation:
    plain = observation()
    return replace(plain, chunks=(chunk, *plain.chunks))


CASES = [
    Case(
        kind=Kind.TEXT,
        where="text[4]",
        candidate=observation(chunks=chunks("Hel", "l!", told=THREE)),
        values=("Hello", "Hell!"),
    ),
    Case(
        kind=Kind.TEXT,
        where="content[0]",
        candidate=with_chunk(Chunk(id="r1", model="m", extra={"content": [{"type": "thinking"}]})),
        values=(ABSENT, [{"type": "thinking"}]),
    ),
    Case(
        kind=Kind.DELTAS,
        where="delta[0]",
        candidate=observation(chunks=untimed(chunks("H", "ello", told=THREE))),
        values=("Hel", "H"),
    ),
    Case(
        kind=Kind.REASONING,
        where="reasoning[0]",
        candidate=with_chunk(Chunk(id="r1", model="m", reasoning="hm")),
        values=("", "hm"),
    ),
    Case(
        kind=Kind.TOOL_CALLS,
        where="tool_calls[0].arguments",
        reference=with_chunk(Chunk(id="r1", model="m", tool_calls=TOOLS)),
        candidate=with_chunk(Chunk(id="r1", model="m", tool_calls=OTHER_TOOLS)),
        values=('{"a":1}', '{"a":2}'),
    ),
    Case(
        kind=Kind.TOOL_CALLS,
        where="tool_calls[0]",
        reference=with_chunk(Chunk(id="r1", model="m", tool_calls=TOOLS)),
        candidate=observation(),
    ),
    Case(
        kind=Kind.FINISH_REASON,
        where="finish_reason.changed",
        candidate=observation(chunks=chunks("Hel", "lo", finish="length", told=THREE)),
        values=(["stop"], ["length"]),
    ),
    Case(
        kind=Kind.FINISH_REASON,
        where="finish_reason.lost",
        candidate=observation(chunks=chunks("Hel", "lo", finish=None, told=THREE)),
    ),
    Case(
        kind=Kind.FINISH_REASON,
        where="finish_reason.invented",
        reference=observation(chunks=chunks("Hel", "lo", finish=None, told=THREE)),
        candidate=observation(),
        sent=facts(finish_reasons=()),
    ),
    Case(
        kind=Kind.FINISH_REASON,
        where="finish_reason.reference",
        reference=observation(chunks=chunks("Hel", "lo", finish=None, told=THREE)),
        candidate=observation(),
    ),
    Case(
        kind=Kind.USAGE,
        where="usage.total_tokens",
        candidate=observation(chunks=chunks("Hel", "lo", told=usage(total=14))),
        values=(3, 14),
    ),
    Case(
        kind=Kind.USAGE_INVENTED,
        where="usage",
        reference=NO_USAGE,
        candidate=observation(),
        sent=facts(usage=None),
    ),
    Case(
        kind=Kind.USAGE_INVENTED,
        where="usage",
        reference=NO_USAGE,
        candidate=observation(chunks=chunks("Hel", "lo", told=usage(prompt=9))),
    ),
    Case(
        kind=Kind.USAGE_INVENTED,
        where="reference.usage",
        candidate=NO_USAGE,
        sent=facts(usage=None),
    ),
    Case(kind=Kind.USAGE_MISSING, where="usage", candidate=NO_USAGE),
    Case(kind=Kind.USAGE_MISSING, where="reference.usage", reference=NO_USAGE, candidate=observation()),
    Case(
        kind=Kind.USAGE_DETAILS,
        where="usage.cached_tokens",
        candidate=observation(chunks=chunks("Hel", "lo", told=usage(cached_tokens=1))),
        values=(ABSENT, 1),
    ),
    Case(kind=Kind.ERROR, where="error", candidate=failed("Hel")),
    Case(kind=Kind.ERROR, where="error", reference=failed("Hel"), candidate=observation()),
    Case(
        kind=Kind.ERROR,
        where="error.status",
        reference=failed(),
        candidate=failed(status=500),
        sent=facts(error={"message": "slow down"}),
        values=(429, 500),
    ),
    Case(
        kind=Kind.ERROR_POSITION,
        where="error.position",
        reference=failed("Hel", "lo"),
        candidate=failed("Hel"),
        sent=facts(error={"message": "slow down"}),
        values=(2, 1),
    ),
    Case(
        kind=Kind.RESPONSE_ID,
        where="id",
        candidate=observation(chunks=tuple(replace(c, id="r2") for c in observation().chunks)),
    ),
    Case(
        kind=Kind.MODEL_NAME,
        where="model",
        candidate=observation(chunks=tuple(replace(c, model=None) for c in observation().chunks)),
        values=("m", ABSENT),
    ),
    Case(
        kind=Kind.CHUNK_COUNT,
        where="chunks.empty",
        candidate=with_chunk(Chunk(role="assistant", id="r1", model="m")),
        values=(0, 1),
    ),
    Case(
        kind=Kind.DELIVERY_LAG,
        where="delta[1]",
        candidate=observation(
            chunks=tuple(replace(c, position=4) if c.text == "lo" else c for c in observation().chunks)
        ),
        values=({"event": 2}, {"event": 4, "late": 1}),
    ),
    Case(
        kind=Kind.REQUEST_TARGET,
        where="target.path",
        candidate=observation(requests=(request(uri="https://api.example.com/v1/responses"),)),
    ),
    Case(
        kind=Kind.REQUEST_BODY,
        where="body.user",
        reference=observation(requests=(request({**BODY, "user": None}),)),
        candidate=observation(),
        values=(None, ABSENT),
    ),
    Case(
        kind=Kind.REQUEST_HEADERS,
        where="headers.authorization",
        candidate=observation(
            requests=(request(authorization="Bearer sk-two", content_type="application/json"),)
        ),
        values=("Bearer (a key)", "Bearer (another key)"),
    ),
    Case(
        kind=Kind.ATTEMPTS,
        where="requests",
        candidate=observation(requests=(request(), request())),
        values=(1, 2),
    ),
    Case(
        kind=Kind.TELEMETRY,
        where="generation.name",
        reference=observation(generations=(generation(),)),
        candidate=observation(generations=(generation(name="other"),)),
        values=("invoke_llm", "other"),
    ),
    Case(
        kind=Kind.UNFAITHFUL,
        where="error",
        candidate=observation(),
        sent=facts(error={"message": "overloaded"}),
        values=({"shown": "a normal end", "bytes": "overloaded"},) * 2,
    ),
    Case(
        kind=Kind.FIELDS,
        where="citations[0]",
        reference=with_chunk(Chunk(id="r1", model="m", rest={"citations": ["u"]})),
        candidate=with_chunk(Chunk(id="r1", model="m")),
        values=("u", ABSENT),
    ),
    Case(
        kind=Kind.ORDER,
        where="order.usage",
        candidate=observation(chunks=(observation().chunks[-1], *observation().chunks[:-1])),
        values=("text, finish_reason, usage", "usage, text, finish_reason"),
    ),
    Case(
        kind=Kind.SURFACE,
        where="chunk.usage",
        reference=observation(surface={"chunk": ("choices", "usage")}),
        candidate=observation(surface={"chunk": ("choices",)}),
        values=("present", ABSENT),
    ),
    Case(
        kind=Kind.SIDE_EFFECT,
        where="stdout",
        candidate=observation(effects={"stdout": "hello"}),
        values=(ABSENT, "hello"),
    ),
]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.kind}-{case.where}")
def test_a_kind_is_found_alone_with_its_place_and_values(case: Case) -> None:
    (found,) = compare(case.reference, case.candidate, (case.sent,), scope="s").divergences
    assert (found.kind, found.where) == (case.kind, case.where)
    assert case.values is None or (found.reference, found.candidate) == case.values


def test_every_kind_has_a_case() -> None:
    assert {case.kind for case in CASES} == set(Kind)


def test_the_ordinary_answer_has_no_divergence_and_nothing_hidden() -> None:
    """So each case above differs by its own change alone, and no kind is found where there is none."""
    found = compare(observation(), observation(), (facts(),), scope="s")
    assert found.divergences == ()
    assert found.normalised == {}


def test_only_chunk_count_is_cosmetic() -> None:
    assert [kind for kind in Kind if kind.severity is Severity.COSMETIC] == [Kind.CHUNK_COUNT]


@pytest.mark.parametrize(
    ("kind", "where", "severity"),
    [
        (Kind.SIDE_EFFECT, "call.messages", Severity.BREAKING),
        (Kind.SIDE_EFFECT, "stdout", Severity.VISIBLE),
        (Kind.CHUNK_COUNT, "call.messages", Severity.COSMETIC),
    ],
)
def test_only_a_change_of_what_the_caller_gave_breaks_beside_the_answer(
    kind: Kind, where: str, severity: Severity
) -> None:
    assert severity_of(kind, where) is severity
