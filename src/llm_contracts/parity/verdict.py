"""The answer for one provider: may it cut over, and why or why not.

When several answers hold, the first of these is given: `blocked`, `no-evidence`, `rehearsed`, `ready`. A
known difference is not excused by evidence that is still to come. The reasons of the others follow it, so
that nobody has to ask twice. Cosmetic differences never decide anything.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from datetime import date

from llm_contracts.parity.divergence import Divergence, Kind, Severity
from llm_contracts.parity.result import Answer, Item, Verdict
from llm_contracts.scenario import Scenario

_SHOWN = 5  # names in a sentence; the table has the rest

Reasons = list[tuple[Answer, str]]


def decide(
    provider: str,
    items: Iterable[Item],
    scenarios: Iterable[Scenario],
    *,
    today: date,
    stale_after_days: int = 90,
) -> Verdict:
    """Decide on one provider.

    Args:
        provider: whose verdict it is; items and scenarios of others are left out.
        items: what ran, with waivers applied.
        scenarios: what should have run. One without an item, or whose item neither ran nor has a problem to
            show, has no cassette.
        today: the day from which ages are counted.
        stale_after_days: a live recording of this age or older no longer counts as live evidence.
    """
    mine = tuple(item for item in items if item.provider == provider)
    expected = tuple(row for row in scenarios if row.provider == provider)
    reasons = [*_against(mine), *_missing(mine, expected)]
    reasons += _rehearsed(mine, expected, today, stale_after_days)
    agree = _count(len(mine), "scenario agrees", "scenarios agree") + _waived(mine)
    live = f"what can be recorded live is, and less than {stale_after_days} days old"
    return _verdict(reasons, f"{agree}; {live}.")


def decide_streams(provider: str, items: Iterable[Item]) -> Verdict:
    """Decide on streams that were recorded elsewhere.

    They show how the paths read what a provider sends, never what is sent to it: `rehearsed` at best.
    """
    mine = tuple(item for item in items if item.provider == provider)
    reasons = _against(mine)
    if not mine:
        reasons.append((Answer.NO_EVIDENCE, "There are no streams of this provider."))
    agree = _count(len(mine), "stream agrees", "streams agree") + _waived(mine)
    reasons.append((Answer.REHEARSED, f"{agree}; recorded elsewhere, not with your own calls."))
    kept = [reason for reason in reasons if reason[0] is not Answer.REHEARSED] or reasons
    return _verdict(kept, agree)


def _verdict(reasons: Reasons, ready: str) -> Verdict:
    """The first answer that anything speaks for, its reasons first."""
    for answer in (Answer.BLOCKED, Answer.NO_EVIDENCE, Answer.REHEARSED):
        if any(found is answer for found, _ in reasons):
            ordered = sorted(reasons, key=lambda reason: reason[0] is not answer)
            return Verdict(answer=answer, reasons=tuple(sentence for _, sentence in ordered))
    return Verdict(answer=Answer.READY, reasons=(ready,))


def _against(items: Sequence[Item]) -> Reasons:
    """What blocks: unreadable recordings, a reference at odds with itself, differences nobody accepted."""
    sentences = [_unreadable(items), _noisy(items)]
    sentences += [_differs(items, severity) for severity in (Severity.BREAKING, Severity.VISIBLE)]
    return [(Answer.BLOCKED, sentence) for sentence in sentences if sentence]


def _unreadable(items: Sequence[Item]) -> str:
    names = [item.id for item in items if item.problem is not None]
    return _sentence(names, "recording cannot be used", "recordings cannot be used")


def _noisy(items: Sequence[Item]) -> str:
    """Faults that both runs show alike are no contradiction, so `unfaithful` is not counted here."""
    names = [
        item.id for item in items if any(_counts(d) and d.kind is not Kind.UNFAITHFUL for d in item.noise)
    ]
    return _sentence(
        names,
        "scenario differs when the reference runs twice",
        "scenarios differ when the reference runs twice",
    )


def _differs(items: Sequence[Item], severity: Severity) -> str:
    found = [(item.id, d) for item in items for d in item.unwaived if d.severity is severity]
    if not found:
        return ""
    kinds = Counter(str(d.kind) for _, d in found).most_common()
    told = ", ".join(f"{kind} {number}" for kind, number in kinds)
    what = _count(len(found), f"{severity} difference", f"{severity} differences")
    names = list(dict.fromkeys(name for name, _ in found))
    return f"{what} ({told}) in {_names(names)}."


def _counts(divergence: Divergence) -> bool:
    return divergence.severity is not Severity.COSMETIC


def _missing(items: Sequence[Item], expected: Sequence[Scenario]) -> Reasons:
    there = {item.scenario for item in items if item.problem is not None or item.candidate is not None}
    names = [row.name for row in expected if row.id not in there]
    reasons: Reasons = []
    if names:
        sentence = _sentence(names, "scenario has no cassette", "scenarios have no cassette")
        reasons.append((Answer.NO_EVIDENCE, sentence))
    elif not there:
        reasons.append((Answer.NO_EVIDENCE, "There are no scenarios for this provider."))
    return reasons


def _rehearsed(items: Sequence[Item], expected: Sequence[Scenario], today: date, limit: int) -> Reasons:
    """What is still to be recorded: scenarios that can be had live, and are not, or not lately."""
    live = {row.id for row in expected if row.live}
    mine = [item for item in items if item.scenario in live and item.problem is None and item.candidate]
    groups: tuple[tuple[Callable[[Item], bool], str, str], ...] = (
        (
            lambda i: i.provenance != "live",
            "scenario is not recorded live",
            "scenarios are not recorded live",
        ),
        (_undated, "live recording has no date", "live recordings have no date"),
        (
            lambda i: _stale(i, today, limit),
            f"live recording is {limit} days old or older",
            f"live recordings are {limit} days old or older",
        ),
    )
    sentences = [_sentence([i.id for i in mine if holds(i)], one, many) for holds, one, many in groups]
    # Without this, rows of which nothing can be had live would be enough for a GO: imported ones, say.
    if items and not any(sentences) and not any(item.provenance == "live" for item in items):
        sentences.append("Nothing is recorded live.")
    return [(Answer.REHEARSED, sentence) for sentence in sentences if sentence]


def _undated(item: Item) -> bool:
    return item.provenance == "live" and item.recorded_on is None


def _stale(item: Item, today: date, limit: int) -> bool:
    dated = item.recorded_on
    return item.provenance == "live" and dated is not None and (today - dated).days >= limit


def _waived(items: Sequence[Item]) -> str:
    number = sum(len(item.divergences) - len(item.unwaived) for item in items)
    return f"; {_count(number, 'difference is', 'differences are')} waived" if number else ""


def _sentence(names: Sequence[str], one: str, many: str) -> str:
    return f"{_count(len(names), one, many)}: {_names(names)}." if names else ""


def _names(names: Sequence[str]) -> str:
    more = len(names) - _SHOWN
    return ", ".join(names[:_SHOWN]) + (f" and {more} more" if more > 0 else "")


def _count(number: int, one: str, many: str) -> str:
    return f"{number} {one if number == 1 else many}"
