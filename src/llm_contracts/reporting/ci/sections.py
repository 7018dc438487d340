"""The parts of the Markdown views: what they say, in the order of its weight."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from llm_contracts.parity.decision_groups import DecisionGroup, groups_of
from llm_contracts.parity.divergence import Severity
from llm_contracts.parity.meanings import meaning
from llm_contracts.parity.result import Item, Result
from llm_contracts.reporting.answer import (
    MARKS,
    Answer,
    VerdictBlock,
    accepted,
    answer,
    counted,
    normalised,
    problems,
    state,
)
from llm_contracts.reporting.ci.about import RunContext
from llm_contracts.reporting.ci.fit import DocumentPart
from llm_contracts.reporting.ci.text import code, code_block, link, plain
from llm_contracts.reporting.ci.values import cut, shown_sides, some
from llm_contracts.reporting.left_out import left_out_lines
from llm_contracts.util.text import and_more, count

_LONGEST_VALUE = 300
_LONGEST_LINE = 1_000
_SHOWN_IDS = 5
_SHOWN_REASONS = 6
_SHOWN_STEPS = 12
_SIGNS = {"stop": "breaking", "wait": "missing"}

_TITLES = {
    Severity.BREAKING: "Breaking, to decide",
    Severity.VISIBLE: "Visible, to decide",
    Severity.COSMETIC: "Cosmetic, nothing to decide",
}


@dataclass(frozen=True, kw_only=True, slots=True)
class Amounts:
    """How many rows of a kind are enough; None for all that there is room for."""

    groups: int | None = None
    lines: int | None = None


def parts(result: Result, about: RunContext, amounts: Amounts) -> Iterator[DocumentPart]:
    """All parts that have something to say."""
    found = answer(result, about.everyone)
    yield _head(result, about, found)
    if found.blocks:
        head = ["| | provider | answer | why |", "|---|---|---|---|"]
        yield DocumentPart(head=head, rows=[_verdict(block) for block in found.blocks], what="verdict")
    yield from _open(result.items, about, amounts)
    yield from _lines(f"{MARKS['unreadable']} Unreadable", problems(result.items), amounts)
    yield from _lines("The waivers file", result.complaints, amounts)
    yield from _noise(result.items, about, amounts)
    missing = f"{MARKS['missing']} {count(len(result.missing), 'scenario')} without a recording"
    yield from _folded(missing, map(plain, result.missing), "scenario", amounts)
    yield from _accepted(result.items, amounts)
    unused = f"{count(len(result.left_out), 'entry', 'entries')} not used"
    yield from _folded(unused, map(plain, left_out_lines(result.left_out)), "line", amounts)
    yield from _lines("Warnings", result.warnings, amounts)
    lines = ["### Look closer", ""]
    if about.report_url is not None:
        lines += [f"[The report](<{about.report_url}>) has both lanes of every recording.", ""]
    yield DocumentPart(head=[*lines, *code_block(_commands(about, found))])


def _head(result: Result, about: RunContext, found: Answer) -> DocumentPart:
    states = Counter(map(state, result.items)) + Counter(missing=len(result.missing))
    counts = [f"{mark} {states[name]:,} {name}" for name, mark in MARKS.items() if states[name]]
    facts = [
        f"engine {result.engine}",
        *(f"{name} {version}" for name, version in result.versions.items()),
        f"checked {about.moment}",
    ]
    pair = f"{code(cut(result.reference, 80))} against {code(cut(result.candidate, 80))}"
    lines = [
        f"## Contracts: {found.word}{', out of date' if about.outdated else ''}",
        "",
        *([f"**{found.sentence[0].upper()}{found.sentence[1:]}.**", ""] if found.sentence else []),
        f"{pair}: {count(len(result.items), 'recording')}. {', '.join(counts)}.",
        "",
        plain(", ".join(facts)),
    ]
    if about.changes is not None:
        lines += ["", str(about.changes)]
    if hidden := normalised(result.items):
        lines += ["", plain(f"Normalised, not counted as differences: {counted(hidden)}.")]
    if about.outdated:
        changed = plain(cut(some(about.outdated), _LONGEST_LINE))
        lines += ["", f"**Out of date.** Changed since: {changed}."]
    return DocumentPart(head=lines)


def _verdict(block: VerdictBlock) -> str:
    why = [plain(cut(reason, _LONGEST_LINE)) for reason in block.reasons[:_SHOWN_REASONS]]
    why += filter(None, [and_more(block.reasons, _SHOWN_REASONS, "reasons")])
    word = f"{MARKS['agree']} GO" if block.go else f"{MARKS[_SIGNS[block.tone]]} **NO-GO**"
    names = plain(cut(", ".join(block.providers), _LONGEST_LINE))
    number = f" ({len(block.providers)})" if len(block.providers) > 1 else ""
    return f"| {word} | {names} | {block.answer}{number} | {'<br>'.join(why)} |"


def _open(items: Iterable[Item], about: RunContext, amounts: Amounts) -> Iterator[DocumentPart]:
    groups = groups_of(items, lambda item: item.unwaived)
    for severity in Severity:
        mine = [found for found in groups if found.severity is severity]
        if mine:
            total = sum(len(found.members) for found in mine)
            of = f"{count(total, 'difference')} in {count(len(mine), 'group')}"
            yield DocumentPart(
                head=[f"### {MARKS[severity]} {_TITLES[severity]}: {of}", ""],
                rows=[_group(found, about) for found in mine],
                what="group",
                most=amounts.groups,
            )


def _group(found: DecisionGroup, about: RunContext) -> str:
    ids = found.ids
    prints = {member.item: member.fingerprint for member in reversed(found.members)}
    where = [link(cut(name, 120), about.link(name, prints[name])) for name in ids[:_SHOWN_IDS]]
    head = f"- **{plain(found.kind)}** at {code(cut(found.where, 120))}, in {count(len(ids), 'recording')}."
    lines = [f"{head} {meaning(found.example)}"]
    lines += [f"  - {name} {code(value)}" for name, value in shown_sides(found.example, _LONGEST_VALUE)]
    return "\n".join([*lines, f"  - in {some(where, len(ids))}"])


def _noise(items: Iterable[Item], about: RunContext, amounts: Amounts) -> Iterator[DocumentPart]:
    rows = []
    for found in groups_of(items, lambda item: item.noise):
        where = [link(cut(name, 120), about.link(name)) for name in found.ids[:_SHOWN_IDS]]
        rows.append(
            f"- **{plain(found.kind)}** at {code(cut(found.where, 120))} in {some(where, len(found.ids))}"
        )
    if rows:
        head = [f"### {MARKS['noise']} Noise: the reference differs when it runs twice", ""]
        yield DocumentPart(head=head, rows=rows, what="group", most=amounts.groups)


def _accepted(items: Iterable[Item], amounts: Amounts) -> Iterator[DocumentPart]:
    kinds = accepted(items)
    rows = [f"{plain(counted(each))}: {plain(cut(reason, _LONGEST_LINE))}" for reason, each in kinds.items()]
    total = sum(each.total() for each in kinds.values())
    title = f"Accepted: {count(total, 'difference')} for {count(len(kinds), 'reason')}"
    yield from _folded(f"{MARKS['accepted']} {title}", rows, "reason", amounts)


def _lines(title: str, lines: Sequence[str], amounts: Amounts) -> Iterator[DocumentPart]:
    if lines:
        rows = [f"- {plain(cut(line, _LONGEST_LINE))}" for line in lines]
        head = [f"### {title} ({len(lines):,})", ""]
        yield DocumentPart(head=head, rows=rows, what="line", most=amounts.lines)


def _folded(title: str, lines: Iterable[str], what: str, amounts: Amounts) -> Iterator[DocumentPart]:
    rows = [f"- {line}" for line in lines]
    if rows:
        yield DocumentPart(
            head=["<details>", f"<summary>{title}</summary>", ""],
            rows=rows,
            foot=["", "</details>"],
            what=what,
            most=amounts.lines,
        )


def _commands(about: RunContext, found: Answer) -> Iterator[str]:
    if about.fetch is not None:
        yield f"# the report of this run, on your machine; then open {about.folder}/index.html"
        yield about.fetch
    if about.again:
        yield "# the same from your own checkout, and then decide"
        yield from about.again
    following = (step for block in found.blocks for step in block.next)
    steps = [step for step in dict.fromkeys(following) if step not in about.again]
    if steps:
        yield "# what stands between this and a GO"
        yield from steps[:_SHOWN_STEPS]
    if rest := and_more(steps, _SHOWN_STEPS):
        yield f"# {rest}: llm-contracts verdict"
