"""A result in Markdown: as the summary of a CI job, and as one short comment on a pull request.

A document has to be short enough: whole lines are left out, from the least important part first, and counted.
What belongs together, such as a table's head, stays together.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from llm_contracts.parity.decision_groups import DecisionGroup, groups_of
from llm_contracts.parity.divergence import Severity
from llm_contracts.parity.meanings import meaning
from llm_contracts.parity.result import Item, Result
from llm_contracts.reporting.answer import (
    MARKS,
    Answer,
    VerdictBlock,
    accepted_kinds,
    answer,
    counts_line,
    left_out_lines,
    problems,
)
from llm_contracts.reporting.ci.text import code, code_block, cut, cut_sides, link, plain
from llm_contracts.reporting.run_context import RunContext
from llm_contracts.util.text import and_more, count, first_names

SUMMARY_BYTES = 1024 * 1024
"""What GitHub takes for the summary of a step (docs.github.com, "Workflow commands": 1 MiB); above, it shows
nothing at all.
"""

COMMENT_BYTES = 65_536
"""GitHub counts 65,536 characters; counted in bytes a comment is short enough for everybody."""

MARKER = "<!-- llm-contracts: one comment, renewed by every run -->"
"""The first line of a comment; nobody sees it, and a job finds its own comment by it."""

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
_MOST_IN_COMMENT = 10  # groups, and lines of any other part


@dataclass(frozen=True, kw_only=True, slots=True)
class DocumentPart:
    """A part of a document.

    Attributes:
        head: what stands above the rows; it is always there.
        rows: what may be left out, the most important first; each may be of several lines.
        foot: what closes what the head has opened; always there.
        what: what a row is, for the sentence that counts what was left out.
        most: how many rows are enough, however much room there is.
    """

    head: Sequence[str] = ()
    rows: Sequence[str] = ()
    foot: Sequence[str] = ()
    what: str = "line"
    most: int = sys.maxsize

    def text(self, shown: int) -> str:
        """The part with so many of its rows."""
        left = len(self.rows) - shown
        # After an empty line it belongs neither to a table nor to the last entry of a list.
        more = ["", f"… and {count(left, f'more {self.what}')}, left out here."] if left else []
        return "\n".join([*self.head, *self.rows[:shown], *more, *self.foot]) + "\n"


def fit(parts: Sequence[DocumentPart], limit: int) -> str:
    """The document in at most `limit` bytes of UTF-8: parts that come first get room first. Heads and feet
    stay even if these alone are too long, so they have to be short.
    """
    shown = [0] * len(parts)
    used = sum(_size(part.text(0)) + 1 for part in parts)  # one for the empty line between parts
    for number, part in enumerate(parts):
        for row in part.rows[: part.most]:
            size = _size(row) + 1
            if used + size > limit:
                break
            used += size
            shown[number] += 1
    return "\n".join(part.text(rows) for part, rows in zip(parts, shown, strict=True))


def _size(text: str) -> int:
    return len(text.encode("utf-8", "replace"))


def summary(result: Result, about: RunContext, *, limit: int = SUMMARY_BYTES) -> str:
    """Verdicts, groups of differences, what was accepted, and how to look closer."""
    return fit(list(_parts(result, about)), limit)


def comment(result: Result, about: RunContext, *, limit: int = COMMENT_BYTES) -> str:
    """The body of a comment, which is read in passing: the summary with the first groups only."""
    short = (
        part if part.what == "verdict" else replace(part, most=_MOST_IN_COMMENT)
        for part in _parts(result, about)
    )
    return fit([DocumentPart(head=[MARKER]), *short], limit)


def _parts(result: Result, about: RunContext) -> Iterator[DocumentPart]:
    """All parts that have something to say."""
    found, items = answer(result, about.everyone), result.items
    yield _head(result, about, found)
    table = ["| | provider | answer | why |", "|---|---|---|---|"]
    noise = [
        f"{_place(group)} in {_links(group.ids, about, {})}"
        for group in groups_of(items, lambda item: item.noise)
    ]
    noisy = f"### {MARKS['noise']} Noise: the reference differs when it runs twice"
    missing = f"{MARKS['missing']} {count(len(result.missing), 'scenario')} without a recording"
    unused = f"{count(len(result.left_out), 'entry', 'entries')} not used"
    parts = (
        DocumentPart(head=table, rows=[_verdict(block) for block in found.blocks], what="verdict"),
        *_open(items, about),
        _lines(f"{MARKS['unreadable']} Unreadable", problems(items)),
        _lines("The waivers file", result.complaints),
        DocumentPart(head=[noisy, ""], rows=noise, what="group"),
        _folded(missing, map(plain, result.missing), "scenario"),
        _accepted(items),
        _folded(unused, map(plain, left_out_lines(result.left_out)), "line"),
        _lines("Warnings", result.warnings),
    )
    yield from (part for part in parts if part.rows)
    lines = ["### Look closer", ""]
    if about.report_url is not None:
        lines += [f"[The report](<{about.report_url}>) has both lanes of every recording.", ""]
    yield DocumentPart(head=[*lines, *code_block(_commands(about, found))])


def _head(result: Result, about: RunContext, found: Answer) -> DocumentPart:
    counts = [f"{mark} {number:,} {name}" for name, mark, number in found.counts]
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
    if found.normalised:
        lines += ["", plain(f"Normalised, not counted as differences: {found.normalised}.")]
    if about.outdated:
        changed = plain(cut(first_names(about.outdated, 3), _LONGEST_LINE))
        lines += ["", f"**Out of date.** Changed since: {changed}."]
    return DocumentPart(head=lines)


def _verdict(block: VerdictBlock) -> str:
    why = [plain(cut(reason, _LONGEST_LINE)) for reason in block.reasons[:_SHOWN_REASONS]]
    why += filter(None, [and_more(block.reasons, _SHOWN_REASONS, "reasons")])
    word = f"{MARKS['agree']} GO" if block.go else f"{MARKS[_SIGNS[block.tone]]} **NO-GO**"
    names = plain(cut(", ".join(block.providers), _LONGEST_LINE))
    number = f" ({len(block.providers)})" if len(block.providers) > 1 else ""
    return f"| {word} | {names} | {block.answer}{number} | {'<br>'.join(why)} |"


def _open(items: Iterable[Item], about: RunContext) -> Iterator[DocumentPart]:
    groups = groups_of(items, lambda item: item.unwaived)
    for severity in Severity:
        mine = [found for found in groups if found.severity is severity]
        total = sum(len(found.members) for found in mine)
        of = f"{count(total, 'difference')} in {count(len(mine), 'group')}"
        head = [f"### {MARKS[severity]} {_TITLES[severity]}: {of}", ""]
        yield DocumentPart(head=head, rows=[_group(found, about) for found in mine], what="group")


def _group(found: DecisionGroup, about: RunContext) -> str:
    prints = {member.item: member.fingerprint for member in reversed(found.members)}
    lines = [f"{_place(found)}, in {count(len(found.ids), 'recording')}. {meaning(found.example)}"]
    lines += [f"  - {name} {code(value)}" for name, value in cut_sides(found.example, _LONGEST_VALUE)]
    return "\n".join([*lines, f"  - in {_links(found.ids, about, prints)}"])


def _place(found: DecisionGroup) -> str:
    return f"- **{plain(found.kind)}** at {code(cut(found.where, 120))}"


def _links(ids: Sequence[str], about: RunContext, prints: Mapping[str, str]) -> str:
    """The first recordings, and how many more there are; `prints`: recording → one of its differences."""
    links = [link(cut(name, 120), about.link(name, prints.get(name, ""))) for name in ids[:_SHOWN_IDS]]
    return f"{', '.join(links)} {and_more(ids, _SHOWN_IDS)}".rstrip()


def _accepted(items: Iterable[Item]) -> DocumentPart:
    kinds = accepted_kinds(items)
    rows = [
        f"{plain(counts_line(each))}: {plain(cut(reason, _LONGEST_LINE))}" for reason, each in kinds.items()
    ]
    total = sum(each.total() for each in kinds.values())
    title = f"Accepted: {count(total, 'difference')} for {count(len(kinds), 'reason')}"
    return _folded(f"{MARKS['accepted']} {title}", rows, "reason")


def _lines(title: str, lines: Sequence[str]) -> DocumentPart:
    rows = [f"- {plain(cut(line, _LONGEST_LINE))}" for line in lines]
    return DocumentPart(head=[f"### {title} ({len(lines):,})", ""], rows=rows)


def _folded(title: str, lines: Iterable[str], what: str) -> DocumentPart:
    head, foot = ["<details>", f"<summary>{title}</summary>", ""], ["", "</details>"]
    return DocumentPart(head=head, rows=[f"- {line}" for line in lines], foot=foot, what=what)


def _commands(about: RunContext, found: Answer) -> Iterator[str]:
    if about.fetch is not None:
        yield f"# the report of this run, on your machine; then open {about.folder}/index.html"
        yield about.fetch
    if about.again:
        yield "# the same from your own checkout, and then decide"
        yield from about.again
    steps = [step for step in found.next if step not in about.again]
    if steps:
        yield "# what stands between this and a GO"
        yield from steps[:_SHOWN_STEPS]
    if rest := and_more(steps, _SHOWN_STEPS):
        yield f"# {rest}: llm-contracts verdict"
