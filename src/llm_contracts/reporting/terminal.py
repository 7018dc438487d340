"""A result on a terminal: a table to take in at a glance, then only what a person has to look at."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import TYPE_CHECKING

from rich.console import Console, RenderableType
from rich.console import Group as Stack
from rich.measure import Measurement
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from llm_contracts.parity.compare import ABSENT
from llm_contracts.parity.grouping import DivergenceGroup, group
from llm_contracts.parity.result import Readiness
from llm_contracts.reporting.left_out import left_out_lines
from llm_contracts.util.terminal import Marks, listed, marks_for, titled
from llm_contracts.util.text import and_more, first_names

if TYPE_CHECKING:
    from llm_contracts.parity.divergence import Divergence
    from llm_contracts.parity.result import Item, Result, Verdict

_LONGEST_VALUE = 160  # characters of either value that a group shows
_SHOWN_IDS = 3
_SHOWN_REASONS = 6
_RULER = Console(width=10_000)  # wide enough to see how wide a table would like to be
_CELL_LINES = 3  # kinds a cell names before it says how many more there are


def print_result(console: Console, result: Result) -> None:
    """Print the whole report: table, divergences to decide about, waived ones, warnings, verdicts."""
    marks = marks_for(console.encoding)
    for section in _sections(result, marks, console.width):
        console.print(section)


def print_verdicts(
    console: Console, verdicts: Mapping[str, Verdict], notes: Mapping[str, str] = MappingProxyType({})
) -> None:
    """Print GO or NO-GO with the reasons, a provider a paragraph; `notes`: a line more for a provider."""
    for section in _verdicts(verdicts, notes):
        console.print(section)


def _sections(result: Result, marks: Marks, width: int) -> Iterator[RenderableType]:
    yield head(result, marks)
    if result.items or result.missing:
        yield Text("")
        yield table(result, marks, width)
        yield from _legend(result, marks)
    yield from _groups("To decide", group(result.items, lambda item: item.unwaived), marks)
    yield from _groups(
        "Noise: the reference against itself", group(result.items, lambda item: item.noise), marks
    )
    yield from accepted(result, marks)
    yield from listed("Unreadable", _unreadable(result), "red")
    yield from listed("The waivers file", result.complaints, "red")
    yield from listed("Warnings", result.warnings, "yellow")
    if result.left_out:
        yield from titled(f"Not used ({len(result.left_out)})")
        yield from (Text(line, style=_importance(line)) for line in left_out_lines(result.left_out))
    if result.verdicts:
        yield from titled("Verdict")
        yield from _verdicts(result.verdicts)
    yield Text("")
    yield _summary(result)


def _unreadable(result: Result) -> Iterator[str]:
    """What of a corpus is damaged may be a lot, and is shown in groups instead."""
    grouped = {problem.place for problem in result.left_out}
    return (item.problem for item in result.items if item.problem and item.id not in grouped)


def _importance(line: str) -> str:
    return "dim" if line.startswith(" ") else ""


def head(result: Result, marks: Marks) -> Text:
    """Which paths were compared, with what."""
    text = Text.assemble((result.reference, "bold"), " against ", (result.candidate, "bold"))
    facts = [f"engine {result.engine}", *(f"{name} {version}" for name, version in result.versions.items())]
    own = dict.fromkeys(
        f"{item.provider} against {item.held_against}"
        for item in result.items
        if item.held_against not in (None, result.reference)
    )
    return text.append("   " + f" {marks.dot} ".join([*own, *facts]), style="dim")


# The table


def table(result: Result, marks: Marks, width: int) -> RenderableType:
    """Scenarios by providers, some providers after the others where all would not fit; a line for each
    recording where not even one does. In a corpus, where no two streams are alike, a line for each provider
    with what was found.

    Providers without any recording would be columns of dashes: they are named below instead.
    """
    providers = list(dict.fromkeys(item.provider for item in result.items))
    missing = [name for name in result.missing if _owner(name) in providers]
    unheard = list(dict.fromkeys(_owner(name) for name in result.missing if _owner(name) not in providers))
    cells = {(item.provider, item.scenario): _cell(item, marks) for item in result.items}
    cells |= {(_owner(name), _situation(name)): Text(marks.missing, style="dim") for name in missing}
    scenarios = list(dict.fromkeys([*(i.scenario for i in result.items), *map(_situation, missing)]))
    if len(scenarios) == len(cells) > len(providers) > 1:
        tables: list[RenderableType] = [_counts(providers, result.items, marks)]
    else:
        tables = _blocks(providers, scenarios, cells, width) or [_list(result.items, missing, marks)]
    if unheard:
        tables.append(Text(f"{marks.missing} no recordings at all: {', '.join(unheard)}", style="dim"))
    return Stack(*tables)


_Cells = Mapping[tuple[str, str], Text]


def _blocks(providers: list[str], scenarios: list[str], cells: _Cells, width: int) -> list[RenderableType]:
    """As many providers side by side as fit, then the next; nothing at all where one alone is too wide."""
    tables: list[RenderableType] = []
    rest = providers
    while rest:
        count = next((n for n in range(len(rest), 0, -1) if _fits(rest[:n], scenarios, cells, width)), 0)
        if not count:
            return []
        tables += [*([Text("")] if tables else []), _matrix(rest[:count], scenarios, cells)]
        rest = rest[count:]
    return tables


def _fits(providers: list[str], scenarios: list[str], cells: _Cells, width: int) -> bool:
    table = _matrix(providers, scenarios, cells)
    return Measurement.get(_RULER, _RULER.options, table).maximum <= width


def _matrix(providers: list[str], scenarios: list[str], cells: _Cells) -> Table:
    """Empty where a situation makes no sense for a provider; left out where it makes none for all."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("", *providers):
        table.add_column(name, no_wrap=True)
    for scenario in scenarios:
        row = [cells.get((provider, scenario), "") for provider in providers]
        if any(row):
            table.add_row(scenario, *row)
    return table


def _counts(providers: list[str], items: tuple[Item, ...], marks: Marks) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in ("", "streams", "agree", "differ in"):
        table.add_column(title, justify="right" if title in {"streams", "agree"} else "left")
    for provider in providers:
        own = [item for item in items if item.provider == provider]
        kinds = Counter(kind for item in own for kind in {d.kind for d in item.unwaived})
        found = [f"{kind} {marks.times}{count}" for kind, count in kinds.most_common()]
        found += [f"noise {marks.times}{count}" for count in [sum(bool(i.noise) for i in own)] if count]
        found += [f"unreadable {marks.times}{n}" for n in [sum(i.problem is not None for i in own)] if n]
        agree = sum(not (item.unwaived or item.noise or item.problem) for item in own)
        style = "red" if found else "green"
        table.add_row(provider or "(unknown)", str(len(own)), Text(str(agree), style=style), ", ".join(found))
    return table


def _list(items: Iterable[Item], missing: Iterable[str], marks: Marks) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for item in items:
        table.add_row(item.id, _cell(item, marks))
    for name in missing:
        table.add_row(name, Text(marks.missing, style="dim"))
    return table


def _owner(name: str) -> str:
    return name.partition("/")[0]


def _situation(name: str) -> str:
    return name.partition("/")[2]


def _cell(item: Item, marks: Marks) -> Text:
    """What became of one recording: the mark, then the kinds that nobody has accepted, a line each."""
    if item.problem:
        return Text(f"{marks.unreadable} unreadable", style="red")
    lines = _kind_lines(item, marks)
    if item.noise:
        lines.append(Text(f"{marks.noise} noise", style="magenta"))
    if lines:
        return Text("\n").join(lines)
    if item.waived:
        return Text(f"{marks.waived} {len(item.waived)}", style="yellow")
    return Text(marks.agree, style="green")


def _kind_lines(item: Item, marks: Marks) -> list[Text]:
    counts = Counter(divergence.kind for divergence in item.unwaived).most_common()
    lines = [
        Text(
            f"{marks.differ} {kind}{f' {marks.times}{count}' if count > 1 else ''}",
            style=_colour(kind.severity),
        )
        for kind, count in counts[:_CELL_LINES]
    ]
    if rest := and_more(counts, _CELL_LINES, "kinds"):
        lines.append(Text(f"  {rest}", style="dim"))
    return lines


def _colour(severity: str) -> str:
    return {"breaking": "red", "visible": "yellow"}.get(severity, "dim")


def _legend(result: Result, marks: Marks) -> Iterator[Text]:
    """Only the signs that occur, and none where all is well."""
    occurring = {
        f"{marks.differ} differs": any(item.unwaived for item in result.items),
        f"{marks.waived} differs as accepted": any(i.waived and not i.unwaived for i in result.items),
        f"{marks.noise} not repeatable": any(item.noise for item in result.items),
        f"{marks.unreadable} unreadable": any(item.problem for item in result.items),
        f"{marks.missing} no recording": bool(result.missing),
    }
    shown = [text for text, occurs in occurring.items() if occurs]
    if shown:
        yield Text("   ".join([f"{marks.agree} agrees", *shown]), style="dim")


# What to look at


def _groups(title: str, groups: tuple[DivergenceGroup, ...], marks: Marks) -> Iterator[RenderableType]:
    if not groups:
        return
    yield from titled(f"{title} ({len(groups)})")
    for found in groups:
        yield one_group(found, marks)


def one_group(found: DivergenceGroup, marks: Marks, *, of: str = "recording") -> RenderableType:
    """What differs, both values of its first occurrence, and where it occurs; `of` says what is counted."""
    style = _colour(found.severity)
    head = Text.assemble(
        (f"{marks.differ} {found.kind}", f"bold {style}"),
        f" at {found.where}",
        (f"   {found.severity}, {_count(len(found.ids), of)}", "dim"),
    )
    lines = (*_values(found.example, marks), Text(f"in {first_names(found.ids, _SHOWN_IDS)}", style="dim"))
    return Stack(head, _indented(Stack(*lines), 4))


def _indented(what: RenderableType, by: int) -> Padding:
    return Padding(what, (0, 0, 0, by), expand=False)


def _values(example: Divergence, marks: Marks) -> Iterator[Text]:
    """Both values, or the one that both clients share and that the bytes contradict."""
    if example.reference == example.candidate:
        yield Text.assemble(("both       ", "dim"), _value(example.reference, marks))
        return
    yield Text.assemble(("reference  ", "dim"), _value(example.reference, marks))
    yield Text.assemble(("candidate  ", "dim"), _value(example.candidate, marks))


def _value(value: object, marks: Marks) -> str:
    if value == ABSENT:
        return "absent"
    text = json.dumps(value, ensure_ascii=False, default=str)
    return text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + marks.more


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def accepted(result: Result, marks: Marks) -> Iterator[RenderableType]:
    """A line per reason: the divergences that a person has accepted, and why."""
    kinds: dict[str, Counter[str]] = {}
    for item in result.items:
        for divergence in item.divergences:
            if divergence.fingerprint in item.waived:
                reason = item.waived[divergence.fingerprint]
                kinds.setdefault(reason, Counter())[str(divergence.kind)] += 1
    if not kinds:
        return
    yield from titled("Accepted")
    for reason, counts in kinds.items():
        shown = ", ".join(f"{kind} {marks.times}{count}" for kind, count in counts.most_common())
        yield Text.assemble((f"{marks.waived} {shown}", "yellow"), f"   {reason}")


# The answer


def _verdicts(
    verdicts: Mapping[str, Verdict], notes: Mapping[str, str] = MappingProxyType({})
) -> Iterator[RenderableType]:
    width = max(map(len, verdicts), default=0)
    for name, verdict in verdicts.items():
        yield _verdict_line(name.ljust(width), verdict)
        shown = verdict.reasons[:_SHOWN_REASONS]
        yield from (_indented(Text(reason), width + 9) for reason in shown)
        if rest := and_more(verdict.reasons, _SHOWN_REASONS, "reasons"):
            yield _indented(Text(rest, style="dim"), width + 9)
        yield from (_indented(Text(f"next: {each}", style="cyan"), width + 9) for each in verdict.next)
        if name in notes:
            yield _indented(Text(notes[name], style="dim"), width + 9)


def _verdict_line(name: str, verdict: Verdict) -> Text:
    go = verdict.answer is Readiness.READY
    word, style = ("GO", "bold green") if go else ("NO-GO", "bold red")
    return Text.assemble((f"{word:<7}", style), (name, "bold"), f"  {verdict.answer}")


def _summary(result: Result) -> Text:
    compared = [item for item in result.items if not item.problem]
    differing = sum(1 for item in compared if item.unwaived)
    settled = [item for item in compared if not item.unwaived]
    waived = sum(1 for item in settled if item.waived and not item.noise)
    noisy = sum(1 for item in settled if item.noise)
    agree = len(settled) - waived - noisy
    parts = [f"{_count(len(compared), 'recording')} compared", f"{agree} agree"]
    parts += [f"{waived} differ as accepted"] if waived else []
    parts += [f"{noisy} not repeatable"] if noisy else []
    parts += [f"{differing} differ"] if differing else []
    parts += [f"{len(result.items) - len(compared)} unreadable"] if len(compared) < len(result.items) else []
    others = sum(1 for problem in result.left_out if not problem.why.damaged)
    parts += [f"{others} left out"] if others else []
    return Text(", ".join(parts) + ".", style="red" if differing or noisy else "green")
