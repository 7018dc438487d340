"""The answer for one provider: may it cut over, and why or why not.

When several answers hold, the first of these is given: `blocked`, `no-evidence`, `rehearsed`, `ready`. A
known difference is not excused by evidence that is still to come. The reasons of the others follow it, so
that nobody has to ask twice. Cosmetic differences never decide anything.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from datetime import date
from shlex import quote
from urllib.parse import urlsplit

from llm_contracts.capture.coverage import CaptureCoverage, coverage_of
from llm_contracts.corpus import CorpusProblem
from llm_contracts.parity.divergence import Kind, Severity
from llm_contracts.parity.result import Item, Readiness, Reason, Result, Verdict
from llm_contracts.project.config import Project
from llm_contracts.project.scenario import Scenario
from llm_contracts.util.text import first_names
from llm_contracts.wire.proxy.network import is_here

_SHOWN = 5  # names in a sentence; the table has the rest

_TOOL = "llm-contracts"
_CHECK = "check --provider {provider}"
_RECORD = "record --provider {provider} --missing"
_CAPTURE = "capture -- COMMAND"
_AHEAD = -1  # days, the youngest age of a recording: dates are in UTC, and today is where the check runs

_NOT_LIVE = "scenario(s) is/are not recorded live"
_NOTHING_LIVE = "Nothing is recorded live."

Reasons = list[Reason]


def _because(answer: Readiness, sentence: str, step: str = "") -> Reasons:
    """A reason that counts nothing."""
    return [Reason(answer=answer, sentence=sentence, step=step)]


def _counting(answer: Readiness, number: int, words: str, rest: str, step: str = "") -> Reasons:
    """A reason with a number, and the rest of its sentence; none if there is nothing to count."""
    sentence, what = f"{number} {_for(number, words)}{rest}.", _for(0, words)
    return [Reason(answer=answer, sentence=sentence, what=what, number=number, step=step)] if number else []


def _naming(answer: Readiness, names: Sequence[str], words: str, step: str = "") -> Reasons:
    """A reason about some scenarios or recordings, if there are any."""
    return _counting(answer, len(names), words, f": {first_names(names, _SHOWN)}", step)


def decide(
    provider: str,
    items: Iterable[Item],
    scenarios: Iterable[Scenario],
    *,
    today: date,
    stale_after_days: int = 90,
    caveats: Iterable[str] = (),
    base_url: str = "",
    faults: int = 0,
    coverage: CaptureCoverage | None = None,
    left_out: Iterable[CorpusProblem] = (),
    unreplayed: Sequence[str] = (),
) -> Verdict:
    """Decide on one provider.

    Args:
        provider: whose verdict it is; items and scenarios of others are left out.
        items: what ran, with waivers applied.
        scenarios: what should have run. One without an item, or whose item neither ran nor has a problem to
            show, has no cassette.
        today: the day from which ages are counted.
        stale_after_days: a live recording of this age or older no longer counts as live evidence.
        caveats: what this run could not have shown, a sentence each. What was not looked for is not absent,
            so any of them makes it a rehearsal.
        base_url: the provider's own address. Live recordings that were made elsewhere are named.
        faults: how many complaints there are about the waivers file. Nobody knows what it accepts until they
            are mended, so there is no GO.
        coverage: what was seen of the application's own calls, where they were captured. A shape of calls
            that no recording has makes it a rehearsal.
        left_out: captured calls that no comparison was made of, each with its scenario's name as place, and a
            reason that begins with the API.
        unreplayed: recordings that no scenario replays: whoever deletes a scenario's row gets no GO by it.
    """
    mine = tuple(item for item in items if item.provider == provider)
    expected = tuple(row for row in scenarios if row.provider == provider)
    uncompared = {problem.place: problem.reason.partition(":")[0] for problem in left_out}
    apis = [uncompared[row.name] for row in expected if row.name in uncompared]
    expected = tuple(row for row in expected if row.name not in uncompared)
    reasons: Reasons = [
        *_against(mine),
        *_uncompared(apis),
        *(_missing(mine, expected) if expected or not apis else ()),
    ]
    if faults:
        sentence = f"The waivers file has {faults} {_for(faults, 'fault(s)')}."
        reasons += _because(Readiness.BLOCKED, sentence, "doctor --area waivers")
    reasons += _rehearsed(mine, expected, today, stale_after_days, base_url)
    for each in caveats if mine else ():
        reasons += _because(Readiness.REHEARSED, each, _CHECK)
    missing = () if coverage is None else coverage.unrecorded
    words = "shape(s) of your calls has/have no recording"
    reasons += _naming(Readiness.REHEARSED, missing, words, _CAPTURE)
    reasons += _naming(Readiness.NO_EVIDENCE, unreplayed, "recording(s) has/have no scenario")
    live = f"what can be recorded live is, and less than {stale_after_days} days old"
    if not reasons:
        reasons = _because(Readiness.READY, f"{_agreeing(mine, 'scenario')}; {live}.")
    reasons += [*_asked_elsewhere(mine, base_url), *_covered(coverage)]
    return replace(_verdict(provider, reasons), coverage=coverage)


def decide_on_result(
    project: Project, provider: str, result: Result, *, today: date, caveats: Iterable[str] = ()
) -> Verdict:
    """Decide on one provider from all that its project and this result say; see `decide`."""
    return decide(
        provider,
        result.items,
        project.scenarios,
        today=today,
        stale_after_days=project.settings.stale_after_days,
        caveats=caveats,
        base_url=project.provider(provider).base_url,
        faults=len(result.complaints),
        coverage=coverage_of(project.settings.cassettes, provider),
        left_out=result.left_out,
        unreplayed=project.without_scenario(provider),
    )


def _uncompared(apis: Sequence[str]) -> Reasons:
    """What was recorded and not compared is not evidence."""
    counts = ", ".join(f"{api} {number}" for api, number in Counter(apis).most_common())
    words = "captured call(s) was/were not compared, because the clients do not make such calls"
    return _counting(Readiness.NO_EVIDENCE, len(apis), words, f": {counts}")


def _covered(coverage: CaptureCoverage | None) -> Iterator[Reason]:
    if coverage is not None:
        recorded = len(coverage.shapes) - len(coverage.unrecorded)
        calls = f"{coverage.calls} {_for(coverage.calls, 'call(s)')}"
        shapes = f"{recorded} of {len(coverage.shapes)} shapes are recorded"
        yield from _because(Readiness.READY, f"Captured from {calls} of your own: {shapes}.")
        for why, number in coverage.not_looked_at.most_common():
            yield from _counting(Readiness.READY, number, "call(s) not kept", f": {why}")


def _asked_elsewhere(items: Sequence[Item], base_url: str) -> Iterator[Reason]:
    """A reason for each other address: whoever reads GO must know that a gateway was asked."""
    named = [item.address for item in items if item.provenance == "live" and item.address]
    elsewhere = Counter(address for address in named if address.rstrip("/") != base_url.rstrip("/"))
    for address, number in elsewhere.items() if base_url else ():
        made = f"{number} {_for(number, 'live recording(s) was/were')} made at {address}."
        yield from _because(Readiness.READY, made)


def decide_streams(provider: str, items: Iterable[Item], *, known: bool = True) -> Verdict:
    """Decide on streams that were recorded elsewhere.

    They show how the clients read what a provider sends, never what is sent to it: `rehearsed` at best.

    Args:
        provider: whose verdict it is; items of others are left out.
        items: what ran, with waivers applied.
        known: whether the project has this provider. A gateway of somebody else cannot be recorded.
    """
    mine = tuple(item for item in items if item.provider == provider)
    reasons = _against(mine)
    if not mine:
        reasons += _because(Readiness.NO_EVIDENCE, "There are no streams of this provider.", _RECORD)
    elsewhere = f"{_agreeing(mine, 'stream')}; recorded elsewhere, not with your own calls."
    reasons = reasons or _because(Readiness.REHEARSED, elsewhere, _RECORD)
    steps = {"review", "report", *([_RECORD] if known else [])}
    reasons = [replace(reason, step=reason.step if reason.step in steps else "") for reason in reasons]
    return _verdict(provider, reasons)


def without_go(result: Result, changed: Sequence[str]) -> Result:
    """The result, where these of its inputs have changed since its run began: no GO is left in it."""
    ready = [name for name, verdict in result.verdicts.items() if verdict.answer is Readiness.READY]
    if not changed or not ready:
        return result
    sentence = f"Since the run began, changed: {first_names(changed, _SHOWN)}."
    reasons = _because(Readiness.REHEARSED, sentence, _CHECK)
    doubted = {
        name: replace(_verdict(name, reasons), coverage=result.verdicts[name].coverage) for name in ready
    }
    return replace(result, verdicts={**result.verdicts, **doubted}, warnings=(*result.warnings, sentence))


def led_to_folder(result: Result, folder: str, *, corpus: bool = False) -> Result:
    """The result, which is stored in this folder, with verdicts whose commands are about it. A `check` never
    concerns a corpus.
    """
    stored = f" --report {quote(folder)}"
    clients = f" --reference {quote(result.reference)} --candidate {quote(result.candidate)}"
    more = {"review": stored, "report": stored, **({} if corpus else {"check": f"{clients}{stored}"})}

    def led(step: str) -> str:
        return step if step.endswith(stored) else f"{step}{more.get(step.split()[1], '')}"

    verdicts = {
        name: replace(verdict, next=tuple(map(led, verdict.next)))
        for name, verdict in result.verdicts.items()
    }
    return replace(result, verdicts=verdicts)


def _verdict(provider: str, reasons: Reasons) -> Verdict:
    """The first answer that anything speaks for, its reasons first."""
    answers = Readiness.BLOCKED, Readiness.NO_EVIDENCE, Readiness.REHEARSED, Readiness.READY
    given = min((reason.answer for reason in reasons), key=answers.index)
    ordered = sorted(reasons, key=lambda reason: reason.answer is not given)
    return Verdict(answer=given, because=tuple(ordered), next=tuple(_commands(provider, ordered)))


def _commands(provider: str, reasons: Reasons) -> Iterator[str]:
    """What to run, each once. What was recorded anew has to be checked before it counts."""
    if not provider:  # a stream that nobody could place
        return iter(())
    steps = list(dict.fromkeys(reason.step for reason in reasons if reason.step))
    if any(step.startswith(("record", "capture")) for step in steps) and _CHECK not in steps:
        steps.append(_CHECK)
    # A provider's name comes from the project's own rows, but what is printed may be pasted into a shell.
    return (f"{_TOOL} {step.format(provider=quote(provider))}" for step in steps)


def _against(items: Sequence[Item]) -> Reasons:
    """What blocks: unreadable recordings, a reference at odds with itself, differences nobody accepted."""
    faulty = [item for item in items if item.problem is not None]
    unreadable = [item.id for item in faulty if not item.ran]
    # The clients ran, but asked nothing, or something else than what was recorded: no file is at fault.
    unanswered = [item.id for item in faulty if item.ran]
    # Faults that both runs show alike are not a contradiction, so `unfaithful` is not counted here.
    noisy = [
        item.id
        for item in items
        if any(d.severity is not Severity.COSMETIC and d.kind is not Kind.UNFAITHFUL for d in item.noise)
    ]
    twice = "scenario(s) differs/differ when the reference runs twice"
    return [
        *_naming(Readiness.BLOCKED, unreadable, "recording(s) cannot be used", "cassettes"),
        *_naming(Readiness.BLOCKED, unanswered, "recording(s) cannot be compared", "report"),
        *_naming(Readiness.BLOCKED, noisy, twice, "report"),
        *_differ(items, Severity.BREAKING),
        *_differ(items, Severity.VISIBLE),
    ]


def _differ(items: Sequence[Item], severity: Severity) -> Reasons:
    found = [(item.id, str(d.kind)) for item in items for d in item.unwaived if d.severity is severity]
    kinds = Counter(kind for _, kind in found).most_common()
    counts = ", ".join(f"{kind} {number}" for kind, number in kinds)
    rest = f" ({counts}) in {first_names(dict.fromkeys(name for name, _ in found), _SHOWN)}"
    return _counting(Readiness.BLOCKED, len(found), f"{severity} difference(s)", rest, "review")


def _missing(items: Sequence[Item], expected: Sequence[Scenario]) -> Reasons:
    there = {item.scenario for item in items if item.problem is not None or item.ran}
    missing = [row for row in expected if row.id not in there]
    if missing:
        # What no provider answers on demand comes from the simulator, and `record` alone would skip it.
        step = _RECORD if any(row.live for row in missing) else f"{_RECORD} --source simulator"
        names = [row.name for row in missing]
        return _naming(Readiness.NO_EVIDENCE, names, "scenario(s) has/have no cassette", step)
    return [] if there else _because(Readiness.NO_EVIDENCE, "There are no scenarios for this provider.")


def _rehearsed(
    items: Sequence[Item], expected: Sequence[Scenario], today: date, limit: int, base_url: str
) -> Reasons:
    """What is still to be recorded: scenarios that can be had live, and are not, or not lately."""
    live = {row.id for row in expected if row.live or row.captured}
    mine = [item for item in items if item.scenario in live and item.problem is None and item.ran]
    there = [item for item in mine if item.provenance == "live"]
    dated = [(item, _age(item.recorded_on, today)) for item in there if item.recorded_on is not None]
    stale = [item for item, age in dated if age >= limit]
    stand_ins = [item for item in there if _of_a_stand_in(item, base_url)]
    again = "record --provider {provider}"
    groups: tuple[tuple[list[Item], str, str], ...] = (
        ([i for i in mine if i.provenance != "live"], _NOT_LIVE, _RECORD),
        (stand_ins, "live recording(s) is/are from this machine", again),
        ([i for i in there if i.recorded_on is None], "live recording(s) has/have no date", again),
        ([i for i, age in dated if age < _AHEAD], "live recording(s) is/are dated in the future", again),
        (stale, f"live recording(s) is/are {limit} days old or older", f"{again} --stale {limit}"),
    )
    asked_anew = {row.id for row in expected if not row.captured}
    found: Reasons = []
    for named, words, step in groups:
        possible = step if asked_anew & {i.scenario for i in named} else _CAPTURE
        found += _naming(Readiness.REHEARSED, [i.id for i in named], words, possible)
    # Without this, rows of which nothing can be had live would be enough for a GO, or a refusal alone.
    answers = {row.id for row in expected if row.expects == "answer"}
    if items and not found and not any(i.scenario in answers and _is_fresh(i, today, limit) for i in items):
        fresh = f"No answer is recorded live and less than {limit} days old."
        some = any(i.provenance == "live" for i in items)
        found += _because(Readiness.REHEARSED, fresh if some else _NOTHING_LIVE, _RECORD)
    return found


def _age(recorded_on: date, today: date) -> int:
    return (today - recorded_on).days


def _is_fresh(item: Item, today: date, limit: int) -> bool:
    dated = item.recorded_on
    return item.provenance == "live" and dated is not None and _AHEAD <= _age(dated, today) < limit


def _of_a_stand_in(item: Item, base_url: str) -> bool:
    """Whether something on this machine answered in a provider's place; see `Endpoint.provenance`."""
    called, own = (is_here(urlsplit(url).hostname or "") for url in (item.address, base_url))
    return called and not own


def _agreeing(items: Sequence[Item], noun: str) -> str:
    """`3 scenarios agree, 2 differ as accepted`; what differs cosmetically alone agrees."""
    waived = sum(bool(item.waived) for item in items)
    agree = len(items) - waived
    differ = f", {waived} {_for(waived, 'differs/differ')} as accepted" if waived else ""
    return f"{agree} {_for(agree, f'{noun}(s) agrees/agree')}{differ}"


def _for(number: int, words: str) -> str:
    """The words for one or for many: `scenario is` or `scenarios are`, of `scenario(s) is/are`."""
    one = number == 1
    said = re.sub(r"(\w+)/(\w+)", r"\1" if one else r"\2", words)
    return said.replace("(s)", "" if one else "s")


NOT_LIVE = frozenset({_for(0, _NOT_LIVE), _NOTHING_LIVE})
"""What reasons say where recordings are still to be made live."""
