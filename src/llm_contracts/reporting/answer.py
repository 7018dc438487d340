"""What every view says about a run: the answer, a sentence with equal verdicts put together, and where its
result comes from.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from shlex import quote
from urllib.parse import quote as quote_url

from llm_contracts.corpus import CorpusProblem, ProblemKind
from llm_contracts.parity.divergence import Severity
from llm_contracts.parity.result import Item, Readiness, Reason, Result, Verdict
from llm_contracts.parity.verdict import NOT_LIVE
from llm_contracts.util.text import and_more, count, first_names

MARKS = {
    "breaking": "✗",
    "visible": "◆",
    "cosmetic": "○",
    "noise": "≈",
    "unreadable": "!",
    "accepted": "~",
    "agree": "✓",
    "missing": "–",  # noqa: RUF001 - as on the terminal
}
"""A sign for each state, so that colour is never the only way to see it."""

_PLACES = 3  # of a kind of what cannot be used; the JSON result has all
_SAME = 2  # recordings that are named of those with the same problem

_ORDER = (Readiness.BLOCKED, Readiness.NO_EVIDENCE, Readiness.REHEARSED, Readiness.READY)
_STEPS = ("doctor", "cassettes", "report", "review", "record", "capture", "check")

_UNUSED: Mapping[ProblemKind, str] = {
    ProblemKind.UNREADABLE: "cannot be read",
    ProblemKind.TRUNCATED: "truncated",
    ProblemKind.UNKNOWN_ENCODING: "in an unknown encoding",
    ProblemKind.NO_BODY: "without a body",
    ProblemKind.DUPLICATE: "of the same id",
    ProblemKind.NOT_CHAT: "not a call of a model",
    ProblemKind.NOT_HTTP: "not HTTP",
    ProblemKind.NOT_A_RECORDING: "not a recording",
    ProblemKind.UNKNOWN_PROVIDER: "of no provider of this project",
    ProblemKind.MADE_UP: "made up, not sent by a provider",
    ProblemKind.NOT_OFFERED: "for which a client has no call",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class VerdictBlock:
    """Providers that get the same answer for the same reasons. Reasons of several providers say how many
    scenarios of each are concerned.
    """

    answer: Readiness
    providers: tuple[str, ...]
    reasons: tuple[str, ...]

    @property
    def go(self) -> bool:
        """Whether these providers may cut over."""
        return self.answer is Readiness.READY

    @property
    def tone(self) -> str:
        """`go`, `stop` where something differs, `wait` where only recordings are missing."""
        return "go" if self.go else "stop" if self.answer is Readiness.BLOCKED else "wait"


@dataclass(frozen=True, kw_only=True, slots=True)
class Answer:
    """What a run says.

    Attributes:
        word: `GO`, `NO-GO`, `GO for 1 of 2 providers`, or that there is no verdict.
        tone: `go`, `some`, `wait` (only recordings are missing), `stop`, or `part` (no verdict).
        sentence: why, in a few words; empty where there is no verdict.
        blocks: the verdicts, what stops a cut-over first.
        next: the commands that deal with all of them, in the order in which they are run.
        faults: of the waivers file, then recordings that cannot be used.
        counts: state, its sign, and how many recordings are in it, `missing` ones among them.
        normalised: the names of normalisations, with how often each hid a difference; empty where none did.
    """

    word: str
    tone: str
    sentence: str
    blocks: tuple[VerdictBlock, ...]
    next: tuple[str, ...]
    faults: tuple[str, ...]
    counts: tuple[tuple[str, str, int], ...]
    normalised: str

    @property
    def line(self) -> str:
        """Word and sentence."""
        return f"{self.word}: {self.sentence}" if self.sentence else self.word


def answer(result: Result, everyone: Collection[str] = ()) -> Answer:
    """The answer about the providers that have a verdict.

    Args:
        result: the run.
        everyone: the project's providers, if known: a command about all of them names none.
    """
    verdicts = result.verdicts
    ready = sum(verdict.answer is Readiness.READY for verdict in verdicts.values())
    blocked = any(verdict.answer is Readiness.BLOCKED for verdict in verdicts.values())
    if not verdicts:
        word, tone = "No verdict: only a part was checked", "part"
    elif ready == len(verdicts):
        word, tone = "GO", "some" if result.complaints else "go"
    elif ready:
        word, tone = f"GO for {ready} of {len(verdicts)} providers", "some"
    else:
        word, tone = "NO-GO", "stop" if blocked else "wait"
    counts = Counter(map(state, result.items)) + Counter(missing=len(result.missing))
    return Answer(
        word=word,
        tone=tone,
        sentence=_sentence(result) if verdicts else "",
        blocks=blocks(verdicts),
        next=tuple(_commands(verdicts, everyone)),
        faults=(*result.complaints, *problems(result.items)),
        counts=tuple((name, mark, counts[name]) for name, mark in MARKS.items() if counts[name]),
        normalised=counts_line(sum((Counter(item.normalised) for item in result.items), Counter())),
    )


def _sentence(result: Result) -> str:
    items = result.items
    states = Counter(map(state, items))
    open_ones = Counter(str(d.severity) for item in items for d in item.unwaived)
    found = [f"{open_ones[name]:,} {name}" for name in ("breaking", "visible") if open_ones[name]]
    total = open_ones["breaking"] + open_ones["visible"]
    parts = [f"{' and '.join(found)} difference{'' if total == 1 else 's'} to decide"] if found else []
    if states["noise"]:
        parts.append(f"{states['noise']:,} not repeatable")
    if states["unreadable"]:
        parts.append(f"{states['unreadable']:,} unreadable")
    if not parts:
        beyond = " beyond what is accepted" if any(item.waived for item in items) else ""
        what = "nothing noticeable" if open_ones else "nothing"
        parts = [f"{what} differs{beyond}" if items else "nothing was compared"]
    names: dict[str, list[str]] = {}
    for name, verdict in result.verdicts.items():
        names.setdefault(_still_needed(verdict), []).append(name)
    for what in ("not yet recorded live", "without some recordings", "only rehearsed"):
        number = len(names.get(what, ()))
        verb = "" if what.startswith("without") else " is" if number == 1 else " are"
        parts += [f"{count(number, 'provider')}{verb} {what}"] if number else []
    parts += [f"the waivers file has {count(len(result.complaints), 'fault')}"] if result.complaints else []
    return "; ".join(parts)


def _still_needed(verdict: Verdict) -> str:
    if verdict.answer is Readiness.NO_EVIDENCE:
        return "without some recordings"
    if verdict.answer is Readiness.REHEARSED:
        live = any(_stem(reason) in NOT_LIVE for reason in verdict.because)
        return "not yet recorded live" if live else "only rehearsed"
    return ""


def state(item: Item) -> str:
    """What became of a recording, in a word: the worst that nobody has accepted."""
    if item.problem:
        return "unreadable"
    found = {str(divergence.severity) for divergence in item.unwaived}
    worst = next((str(severity) for severity in Severity if severity in found), None)
    if worst in {"breaking", "visible"}:
        return str(worst)
    if item.noise:
        return "noise"
    return worst or ("accepted" if item.waived else "agree")


def problems(items: Iterable[Item]) -> tuple[str, ...]:
    """Why recordings cannot be used, a sentence for all of which the same is to be said."""
    found: dict[str, list[Item]] = {}
    for item in items:
        if item.problem:
            found.setdefault(item.problem.replace(item.id, ""), []).append(item)
    return tuple(
        f"{same[0].problem}{f' (the same of {rest})' if rest else ''}"
        for same in found.values()
        for rest in [first_names((item.id for item in same[1:]), _SAME)]
    )


def accepted_kinds(items: Iterable[Item]) -> Mapping[str, Counter[str]]:
    """Reason → the kinds of difference accepted for it, with their numbers."""
    kinds: dict[str, Counter[str]] = {}
    for item in items:
        for divergence in item.divergences:
            if divergence.fingerprint in item.waived:
                counts = kinds.setdefault(item.waived[divergence.fingerprint], Counter())
                counts[str(divergence.kind)] += 1
    return kinds


def counts_line(counts: Counter[str]) -> str:
    """Names with their numbers, the most frequent first."""
    return ", ".join(f"{name} ×{number:,}" for name, number in counts.most_common())  # noqa: RUF001 - as on the terminal


def left_out_lines(problems: Iterable[CorpusProblem]) -> Iterator[str]:
    """What of a corpus cannot be used: a line for each kind of reason, the most frequent first, and below it
    some of its places.
    """
    groups: dict[ProblemKind, list[CorpusProblem]] = {}
    for problem in problems:
        groups.setdefault(problem.why, []).append(problem)
    for why, found in sorted(groups.items(), key=lambda item: -len(item[1])):
        yield f"{len(found)} {_UNUSED[why]}:"
        yield from (f"  {problem.place}: {problem.reason}" for problem in found[:_PLACES])
        if rest := and_more(found, _PLACES):
            yield f"  {rest}; --json FILE lists them all"


def blocks(verdicts: Mapping[str, Verdict]) -> tuple[VerdictBlock, ...]:
    """Verdicts that say the same put together, what stops a cut-over first."""
    found: dict[tuple[object, ...], dict[str, Verdict]] = {}
    for name, verdict in verdicts.items():
        ready = verdict.answer is Readiness.READY
        stems = () if ready else tuple(map(_stem, verdict.because))
        found.setdefault((verdict.answer, stems), {})[name] = verdict
    ordered = sorted(found.values(), key=lambda alike: _ORDER.index(next(iter(alike.values())).answer))
    return tuple(_block(alike) for alike in ordered)


def _block(alike: Mapping[str, Verdict]) -> VerdictBlock:
    first = next(iter(alike.values()))
    if len(alike) == 1:
        reasons: Iterable[str] = first.reasons
    elif first.answer is Readiness.READY:
        reasons = (f"{name}: {reason}" for name, verdict in alike.items() for reason in verdict.reasons)
    else:
        each = zip(*(verdict.because for verdict in alike.values()), strict=True)
        reasons = (_together([*alike], same) for same in each)
    return VerdictBlock(answer=first.answer, providers=tuple(alike), reasons=tuple(reasons))


def _stem(reason: Reason) -> str:
    """What a reason says, without number and names where something is counted."""
    return reason.what or reason.sentence


def _together(names: Sequence[str], reasons: Sequence[Reason]) -> str:
    if not reasons[0].what:
        return reasons[0].sentence
    each = ", ".join(f"{name} {reason.number}" for name, reason in zip(names, reasons, strict=True))
    return f"{sum(reason.number for reason in reasons):,} {reasons[0].what}: {each}."


def _commands(verdicts: Mapping[str, Verdict], everyone: Collection[str]) -> Iterator[str]:
    """Each step once, with the providers that need it; all of `everyone` need not be named."""
    wanted: dict[str, list[str]] = {}
    for name, verdict in verdicts.items():
        for step in verdict.next:
            wanted.setdefault(step.replace(f" --provider {quote(name)}", "\0"), []).append(name)
    for step in sorted(wanted, key=lambda each: _STEPS.index(each.replace("\0", " ").split()[1])):
        all_of_them = everyone and set(wanted[step]) >= set(everyone)
        named = "" if all_of_them else "".join(f" --provider {quote(name)}" for name in wanted[step])
        yield step.replace("\0", named)


def fragment(item: str) -> str:
    """What leads to a recording within the HTML report."""
    return f"#rec={quote_url(item.encode('utf-8', 'replace'), safe='/')}"
