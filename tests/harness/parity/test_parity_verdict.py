"""The answer per provider, and the sentences that give its reasons."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest

from llm_contracts.corpus import CorpusProblem
from llm_contracts.parity.compare.finding import Finding
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.parity.result import Item, Readiness, Verdict
from llm_contracts.parity.verdict import decide, decide_streams
from llm_contracts.project.scenario import Scenario
from tests.harness.parity.samples import observation

TODAY = date(2026, 6, 1)
LIVE = "what can be recorded live is, and less than 90 days old."
PLAIN = Scenario(id="plain", provider="glm", model="glm/m")
BROKEN = Scenario(id="broken", provider="glm", model="glm/m", live=False)
ELSEWHERE = Scenario(id="plain", provider="ark", model="ark/m")


def divergence(kind: Kind = Kind.TEXT) -> Divergence:
    return Finding(kind=kind, where="x", reference=1, candidate=2).seal("glm/plain")


def item(scenario: str = "plain", **changes: Any) -> Item:
    ordinary: dict[str, Any] = {
        "provenance": "live",
        "recorded_on": TODAY,
        "reference": observation(),
        "candidate": observation(),
    }
    return Item(id=f"glm/{scenario}", provider="glm", scenario=scenario, **{**ordinary, **changes})


def verdict(*items: Item, scenarios: tuple[Scenario, ...] = (PLAIN, ELSEWHERE)) -> Verdict:
    return decide("glm", items, scenarios, today=TODAY)


def told(given: Verdict) -> tuple[Readiness, tuple[str, ...], tuple[str, ...]]:
    assert given.coverage is None
    return given.answer, given.reasons, given.next


SEVERAL = tuple(Scenario(id=f"s{n}", provider="glm", model="glm/m") for n in range(2))
CASES: list[tuple[Item, Readiness, str]] = [
    (item(), Readiness.READY, f"1 scenario agrees; {LIVE}"),
    (
        item(divergences=(divergence(Kind.CHUNK_COUNT),)),
        Readiness.READY,
        f"1 scenario agrees; {LIVE}",
    ),
    (
        item(divergences=(divergence(),), waived={divergence().fingerprint: "known"}),
        Readiness.READY,
        f"0 scenarios agree, 1 differs as accepted; {LIVE}",
    ),
    (
        item(divergences=(divergence(),)),
        Readiness.BLOCKED,
        "1 breaking difference (text 1) in glm/plain.",
    ),
    (
        item(divergences=(divergence(Kind.DELTAS), divergence(Kind.UNFAITHFUL))),
        Readiness.BLOCKED,
        "2 visible differences (deltas 1, unfaithful 1) in glm/plain.",
    ),
    (
        item(problem="glm/plain.yaml: is empty", reference=None, candidate=None),
        Readiness.BLOCKED,
        "1 recording cannot be used: glm/plain.",
    ),
    (
        item(noise=(divergence(Kind.DELTAS),)),
        Readiness.BLOCKED,
        "1 scenario differs when the reference runs twice: glm/plain.",
    ),
    (
        item(noise=(divergence(Kind.UNFAITHFUL), divergence(Kind.CHUNK_COUNT))),
        Readiness.READY,
        f"1 scenario agrees; {LIVE}",
    ),
    (
        item(provenance="simulated"),
        Readiness.REHEARSED,
        "1 scenario is not recorded live: glm/plain.",
    ),
    (item(recorded_on=None), Readiness.REHEARSED, "1 live recording has no date: glm/plain."),
    (
        item(recorded_on=TODAY - timedelta(days=90)),
        Readiness.REHEARSED,
        "1 live recording is 90 days old or older: glm/plain.",
    ),
    (
        item(recorded_on=TODAY - timedelta(days=89)),
        Readiness.READY,
        f"1 scenario agrees; {LIVE}",
    ),
    (
        item(reference=None, candidate=None),
        Readiness.NO_EVIDENCE,
        "1 scenario has no cassette: glm/plain.",
    ),
]


@pytest.mark.parametrize(("only", "answer", "reason"), CASES, ids=[case[2] for case in CASES])
def test_one_item_gives_an_answer_and_its_reason(only: Item, answer: Readiness, reason: str) -> None:
    given = verdict(only)
    assert (given.answer, given.reasons) == (answer, (reason,))


_MISSING, _CHECK = "llm-contracts record --provider glm --missing", "llm-contracts check --provider glm"


@pytest.mark.parametrize(
    ("only", "commands"),
    [
        (item(), ()),
        (item(divergences=(divergence(),)), ("llm-contracts review",)),
        (item(problem="cut", reference=None, candidate=None), ("llm-contracts cassettes",)),
        (item(problem="nothing was recorded for that"), ("llm-contracts report",)),
        (item(noise=(divergence(),)), ("llm-contracts report",)),
        (item(reference=None, candidate=None), (_MISSING, _CHECK)),
        (item(provenance="simulated"), (_MISSING, _CHECK)),
        (item(recorded_on=None), ("llm-contracts record --provider glm", _CHECK)),
        (
            item(recorded_on=TODAY - timedelta(days=90)),
            ("llm-contracts record --provider glm --stale 90", _CHECK),
        ),
    ],
)
def test_each_reason_comes_with_what_to_run_next(only: Item, commands: tuple[str, ...]) -> None:
    assert verdict(only).next == commands


def test_a_run_that_could_not_show_everything_is_a_rehearsal() -> None:
    given = decide("glm", [item()], (PLAIN,), today=TODAY, caveats=("Bodies were played whole.",))
    assert told(given) == (Readiness.REHEARSED, ("Bodies were played whole.",), (_CHECK,))


def test_a_name_that_a_shell_would_read_is_quoted() -> None:
    assert decide_streams("a; rm -rf b", []).next[0].endswith("--provider 'a; rm -rf b' --missing")


@pytest.mark.parametrize(
    ("expects", "recorded_on", "ready"),
    [
        ("answer", TODAY, True),
        ("failure", TODAY, False),
        ("answer", TODAY - timedelta(days=90), False),
        ("answer", TODAY + timedelta(days=2), False),
        ("answer", None, False),
    ],
)
def test_a_go_rests_on_an_answer_that_was_recorded_live_and_lately(
    expects: Any, recorded_on: date | None, ready: bool
) -> None:
    """Rows of which nothing can be had live do not make a live recording count that is too old."""
    row = Scenario(id="broken", provider="glm", model="glm/m", live=False, expects=expects)
    given = verdict(item("broken", recorded_on=recorded_on), scenarios=(row,))
    if ready:
        assert given.answer is Readiness.READY
    else:
        reasons = ("No answer is recorded live and less than 90 days old.",)
        assert told(given) == (Readiness.REHEARSED, reasons, (_MISSING, _CHECK))


def test_what_cannot_be_recorded_live_may_be_simulated() -> None:
    given = verdict(item(), item("broken", provenance="simulated"), scenarios=(PLAIN, BROKEN))
    assert given.answer is Readiness.READY


def test_the_worst_answer_is_given_with_all_reasons_its_own_first() -> None:
    rows = (PLAIN, *(Scenario(id=f"s{n}", provider="glm", model="m") for n in range(7)))
    given = verdict(item(provenance="simulated", divergences=(divergence(),)), scenarios=rows)
    assert given.answer is Readiness.BLOCKED
    assert given.reasons == (
        "1 breaking difference (text 1) in glm/plain.",
        "7 scenarios have no cassette: glm/s0, glm/s1, glm/s2, glm/s3, glm/s4 and 2 more.",
        "1 scenario is not recorded live: glm/plain.",
    )


def test_what_blocks_comes_first_though_it_was_found_last() -> None:
    given = decide("glm", [item()], (PLAIN, BROKEN), today=TODAY, faults=2)
    assert given.answer is Readiness.BLOCKED
    assert given.reasons == ("The waivers file has 2 faults.", "1 scenario has no cassette: glm/broken.")
    assert given.next[0] == "llm-contracts doctor --area waivers"


def test_missing_evidence_comes_before_rehearsal() -> None:
    given = verdict(item(provenance="simulated"), scenarios=(PLAIN, BROKEN))
    assert given.answer is Readiness.NO_EVIDENCE
    assert given.reasons[0] == "1 scenario has no cassette: glm/broken."


def test_a_provider_without_scenarios_has_no_evidence() -> None:
    reasons = ("There are no scenarios for this provider.",)
    assert told(verdict(scenarios=())) == (Readiness.NO_EVIDENCE, reasons, ())


def test_streams_recorded_elsewhere_are_a_rehearsal_at_best() -> None:
    given = decide_streams("glm", [item(provenance="imported"), item("other")])
    reasons = ("2 streams agree; recorded elsewhere, not with your own calls.",)
    assert told(given) == (Readiness.REHEARSED, reasons, (_MISSING, _CHECK))


def test_streams_that_differ_block_and_no_streams_are_no_evidence() -> None:
    assert decide_streams("glm", [item(divergences=(divergence(),))]).answer is Readiness.BLOCKED
    given = decide_streams("ark", [item()])
    assert (given.answer, given.reasons) == (
        Readiness.NO_EVIDENCE,
        ("There are no streams of this provider.",),
    )


@pytest.mark.parametrize(
    ("rows", "source"),
    [((BROKEN,), " --source simulator"), ((PLAIN, BROKEN), "")],
)
def test_what_cannot_be_had_live_is_recorded_with_the_simulator(
    rows: tuple[Scenario, ...], source: str
) -> None:
    found = decide("glm", [], rows, today=TODAY)
    assert found.next[0] == f"llm-contracts record --provider glm --missing{source}"


def test_live_recordings_that_were_made_elsewhere_are_named_and_counted() -> None:
    gateway, own = "https://gateway.example/v1", "https://glm.example/v1"
    items = (
        item("plain", address=f"{own}/"),
        item("one", address=gateway),
        item("two", address=gateway),
        item("three", address="https://third.example"),
        item("four", address=gateway, provenance="simulated"),
        item("five", address=gateway, provenance="imported"),
    )
    given = decide("glm", items, (PLAIN,), today=TODAY, base_url=own)
    assert given.reasons[-2:] == (
        f"2 live recordings were made at {gateway}.",
        "1 live recording was made at https://third.example.",
    )
    assert "made at" not in " ".join(decide("glm", items, (PLAIN,), today=TODAY).reasons)


@pytest.mark.parametrize(
    ("address", "own", "ready"),
    [
        ("http://127.0.0.1:4010/v1", "https://glm.example/v1", False),
        ("http://[::1]/v1", "https://glm.example/v1", False),
        ("http://localhost:4010", "http://localhost:4010", True),
        ("https://glm.example/v1", "https://glm.example/v1", True),
        ("", "https://glm.example/v1", True),
    ],
)
def test_what_was_recorded_on_this_machine_in_a_providers_place_is_a_rehearsal(
    address: str, own: str, ready: bool
) -> None:
    given = decide("glm", [item(address=address)], (PLAIN,), today=TODAY, base_url=own)
    assert (given.answer is Readiness.READY) is ready
    assert ("1 live recording is from this machine: glm/plain." in given.reasons) is not ready


@pytest.mark.parametrize(("days", "ready"), [(1, True), (2, False), (30, False)])
def test_a_recording_of_the_day_after_tomorrow_is_no_evidence(days: int, ready: bool) -> None:
    given = verdict(item(recorded_on=TODAY + timedelta(days=days)))
    assert (given.answer is Readiness.READY) is ready


@pytest.mark.parametrize(
    ("captured", "step"),
    [(True, "capture -- COMMAND"), (False, "record --provider glm --missing")],
)
def test_what_was_captured_is_captured_anew_and_the_rest_recorded(captured: bool, step: str) -> None:
    row = Scenario(id="c", provider="glm", model="m", captured=captured)
    rehearsed = item("c", provenance="simulated")
    given = decide("glm", [rehearsed], [row], today=TODAY)
    assert given.next == (f"llm-contracts {step}", "llm-contracts check --provider glm")


def test_captured_calls_that_were_not_compared_are_counted_by_api_the_most_frequent_first() -> None:
    rows = tuple(Scenario(id=f"c{n}", provider="glm", model="m", captured=True) for n in range(3))
    reasons = ("embeddings: no call", "images: no call", "images: no call")
    left_out = [
        CorpusProblem(place=row.name, reason=reason) for row, reason in zip(rows, reasons, strict=True)
    ]
    given = decide("glm", [], rows, today=TODAY, left_out=left_out)
    what = "captured calls were not compared, because the clients do not make such calls"
    said = (f"3 {what}: images 2, embeddings 1.",)
    assert told(given) == (Readiness.NO_EVIDENCE, said, ())
    assert [(reason.what, reason.number) for reason in given.because] == [(what, 3)]


@pytest.mark.parametrize("number", [1, 2])
def test_a_reason_says_the_same_of_one_and_of_many_beside_its_number(number: int) -> None:
    given = verdict(
        *(item(f"s{n}", provenance="simulated") for n in range(number)), scenarios=SEVERAL[:number]
    )
    assert [(reason.what, reason.number) for reason in given.because] == [
        ("scenarios are not recorded live", number)
    ]
