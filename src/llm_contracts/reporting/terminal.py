# ruff: noqa: RUF001 - the signs are meant to be what they are
"""A result on a terminal: a table to take in at a glance, then only what a person has to look at."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping

from rich.console import Console, RenderableType
from rich.console import Group as Stack
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from llm_contracts.parity.decision_groups import DecisionGroup, SameMeaning, by_meaning, groups_of
from llm_contracts.parity.result import Item, Result
from llm_contracts.reporting.answer import (
    Answer,
    accepted_kinds,
    answer,
    counts_line,
    left_out_lines,
    problems,
    state,
)
from llm_contracts.reporting.lines import side_lines, value_pair
from llm_contracts.results.changes import Changes
from llm_contracts.util.terminal import fits, listed, table_width, titled
from llm_contracts.util.text import and_more, count, first_names

_LONGEST_VALUE = 160  # characters of either value that a group shows
_SHOWN_IDS = 3
_SHOWN_REASONS = 6
_MOST_QUIET = 12  # rows of a table in which everything agrees; more of them become one
_MOST_LINES = 30  # of a table; of one that would be longer, a line for each provider is shown
_MOST_KINDS = 5  # in the line of a provider
_MOST_REASONS = 10  # for which differences are accepted, on a terminal
_MOST_WHOLE = 6  # sentences with their values; of those that follow a line each is shown
_MOST_PLACES = 3  # with their values, of those that share a sentence
_PLACE_VALUE = 40  # characters of either value, where a line has both
_TONES = {
    "go": "bold green",
    "some": "bold yellow",
    "wait": "bold yellow",
    "stop": "bold red",
    "part": "bold",
}
_CELL_LINES = 3  # kinds a cell names before it says how many more there are


def print_result(
    console: Console, result: Result, everyone: Collection[str] = (), changes: Changes | None = None
) -> None:
    """Print the whole report: table, what to decide, what is accepted, warnings, verdicts; last the answer.
    `everyone` are the project's providers, see `answer`; `changes` those since the run before.
    """
    for section in _sections(result, table_width(console), _MOST_REASONS if console.is_terminal else None):
        console.print(section)
    print_verdicts(console, result, everyone, changes=changes)


def print_verdicts(
    console: Console,
    result: Result,
    everyone: Collection[str] = (),
    note: Callable[[tuple[str, ...]], str] | None = None,
    changes: Changes | None = None,
) -> None:
    """Print the verdicts with their reasons, equal ones together, and the answer in the last lines. `note`
    gives a line more about the providers of a block; all else is as for `print_result`.
    """
    found = answer(result, everyone)
    for section in (*_verdicts(found, note), *_closing(result, found, changes)):
        console.print(section)
    if found.next:  # unbroken, so that it can be copied
        console.print(Text(f"next: {' && '.join(found.next)}", style="cyan"), soft_wrap=True)


def _sections(result: Result, width: int, most: int | None) -> Iterator[RenderableType]:
    yield head(result)
    if result.items or result.missing:
        yield Text("")
        yield table(result, width)
    yield from _groups("To decide", groups_of(result.items, lambda item: item.unwaived))
    noise = groups_of(result.items, lambda item: item.noise)
    yield from _groups("Noise: the reference against itself", noise)
    yield from accepted_lines(result, most)
    # What of a corpus is damaged is shown with all that is not used.
    apart = {problem.place for problem in result.left_out}
    unreadable = [item for item in result.items if item.problem and item.id not in apart]
    if unreadable:
        yield from titled(f"Unreadable ({len(unreadable)})")
        yield from (Text(line, style="red") for line in problems(unreadable))
    yield from listed("The waivers file", result.complaints, "red")
    yield from listed("Warnings", result.warnings, "yellow")
    if result.left_out:
        yield from titled(f"Not used ({len(result.left_out)})")
    for line in left_out_lines(result.left_out):
        yield Text(line, style="dim" if line.startswith(" ") else "")


def head(result: Result) -> Text:
    """Which clients were compared, with what."""
    text = Text.assemble((result.reference, "bold"), " against ", (result.candidate, "bold"))
    facts = [f"engine {result.engine}", *(f"{name} {version}" for name, version in result.versions.items())]
    own = dict.fromkeys(
        f"{item.provider} against {item.held_against}"
        for item in result.items
        if item.held_against not in (None, result.reference)
    )
    return text.append("   " + " · ".join([*own, *facts]), style="dim")


# The table


def table(result: Result, width: int) -> RenderableType:
    """Scenarios by providers, some providers after the others where all would not fit; a line for each
    recording where not even one does. Where the table would fill screens, and in a corpus, where no two
    streams are alike, a line for each provider with what was found.

    Providers without any recording would be columns of dashes: they are named below instead.
    """
    providers = list(dict.fromkeys(item.provider for item in result.items))
    absent = [name.partition("/")[::2] for name in result.missing]
    unrecorded = list(dict.fromkeys(owner for owner, _ in absent if owner not in providers))
    missing = ["/".join(name) for name in absent if name[0] in providers]
    cells = {(item.provider, item.scenario): _cell(item) for item in result.items}
    cells |= {(one, two): Text("–", style="dim") for one, two in absent if one in providers}
    scenarios = list(dict.fromkeys(scenario for _, scenario in cells))
    if len(scenarios) == len(cells) > len(providers) > 1:
        tables: list[RenderableType] = [_counts(providers, result.items, "streams")]
    elif len(providers) > 1 and _lines(*_folded(providers, scenarios, cells)) > _MOST_LINES:
        tables = [_counts(providers, result.items, "recordings")]
    else:
        tables = _blocks(providers, scenarios, cells, width) or [_list(result.items, missing)]
        tables += _legend(result)
    if unrecorded:
        tables.append(Text(f"– no recordings at all: {', '.join(unrecorded)}", style="dim"))
    return Stack(*tables)


def _folded(providers: list[str], scenarios: list[str], cells: _Cells) -> tuple[list[str], _Cells]:
    """Many scenarios on which these providers agree as one row, and many that only differ as accepted as one
    more: what there is to see stays on the screen.
    """
    for signs, what, style in (("✓", "agree", "green"), ("✓~", "as accepted", "yellow")):
        there = {name: [cells.get((provider, name)) for provider in providers] for name in scenarios}
        quiet = [
            name
            for name, row in there.items()
            if any(cell and cell.plain[0] == signs[-1] for cell in row)
            and all(cell is None or cell.plain[0] in signs for cell in row)
        ]
        if len(quiet) > _MOST_QUIET:
            title = f"… {len(quiet)} more {what}"
            rows = {provider: [cells.get((provider, name)) for name in quiet] for provider in providers}
            sums = {
                provider: sum(int(cell.plain[1:] or 0) for cell in row if cell)
                for provider, row in rows.items()
                if any(row)
            }
            scenarios = [*(name for name in scenarios if name not in quiet), title]
            cells = {
                **cells,
                **{(each, title): Text(f"~ {n}" if n else "✓", style=style) for each, n in sums.items()},
            }
    return scenarios, cells


_Cells = Mapping[tuple[str, str], Text]


def _blocks(providers: list[str], scenarios: list[str], cells: _Cells, width: int) -> list[RenderableType]:
    """As many providers side by side as fit, then the next; nothing at all where one alone is too wide."""
    tables: list[RenderableType] = []
    rest = providers
    while rest:
        matrices = ((n, _matrix(rest[:n], scenarios, cells)) for n in range(len(rest), 0, -1))
        count, fitting = next((found for found in matrices if fits(found[1], width)), (0, None))
        if fitting is None:
            return []
        tables += [*([Text("")] if tables else []), fitting]
        rest = rest[count:]
    return tables


def _matrix(providers: list[str], scenarios: list[str], cells: _Cells) -> Table:
    """Empty where a situation makes no sense for a provider; left out where it makes none for all."""
    scenarios, cells = _folded(providers, scenarios, cells)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("", *providers):
        table.add_column(name, no_wrap=True)
    for scenario in scenarios:
        row = [cells.get((provider, scenario), "") for provider in providers]
        if any(row):
            table.add_row(scenario, *row)
    return table


def _lines(scenarios: list[str], cells: _Cells) -> int:
    heights = dict.fromkeys(scenarios, 0)
    for (_, name), cell in cells.items():
        if name in heights:
            heights[name] = max(heights[name], cell.plain.count("\n") + 1)
    return sum(heights.values())


def _counts(providers: list[str], items: tuple[Item, ...], what: str) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for title in ("", what, "agree", "differ in"):
        table.add_column(title, justify="right" if title in {what, "agree"} else "left")
    for provider in providers:
        own = [item for item in items if item.provider == provider]
        kinds = Counter(kind for item in own for kind in dict.fromkeys(d.kind for d in item.unwaived))
        ordered = sorted(kinds, key=lambda kind: (kind.severity.rank, -kinds[kind]))
        found = [f"{kind} ×{kinds[kind]}" for kind in ordered[:_MOST_KINDS]]
        found += [rest for rest in [and_more(ordered, _MOST_KINDS, "kinds")] if rest]
        found += [f"noise ×{count}" for count in [sum(bool(i.noise) for i in own)] if count]
        found += [f"unreadable ×{n}" for n in [sum(i.problem is not None for i in own)] if n]
        agree = sum(not (item.unwaived or item.noise or item.problem) for item in own)
        style = "red" if found else "green"
        table.add_row(provider or "(unknown)", str(len(own)), Text(str(agree), style=style), ", ".join(found))
    return table


def _list(items: Iterable[Item], missing: Iterable[str]) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), show_header=False)
    table.add_column(overflow="fold")
    table.add_column(overflow="fold")
    for item in items:
        table.add_row(item.id, _cell(item))
    for name in missing:
        table.add_row(name, Text("–", style="dim"))
    return table


def _cell(item: Item) -> Text:
    """What became of one recording: the mark, then the kinds that nobody has accepted, a line each."""
    if item.problem:
        return Text("! unreadable", style="red")
    kinds = Counter(divergence.kind for divergence in item.unwaived).most_common()
    lines = [
        Text(f"✗ {kind}{f' ×{number}' if number > 1 else ''}", style=_colour(kind.severity))
        for kind, number in kinds[:_CELL_LINES]
    ]
    if rest := and_more(kinds, _CELL_LINES, "kinds"):
        lines.append(Text(f"  {rest}", style="dim"))
    if item.noise:
        lines.append(Text("≈ noise", style="magenta"))
    quiet = Text(f"~ {len(item.waived)}", style="yellow") if item.waived else Text("✓", style="green")
    return Text("\n").join(lines) if lines else quiet


def _colour(severity: str) -> str:
    return {"breaking": "red", "visible": "yellow"}.get(severity, "dim")


def _legend(result: Result) -> Iterator[Text]:
    """Only the signs that occur, and none where all is well."""
    items = result.items
    occurring = {
        "✗ differs": any(item.unwaived for item in items),
        "~ differs as accepted": any(item.waived and not item.unwaived for item in items),
        "≈ not repeatable": any(item.noise for item in items),
        "! unreadable": any(item.problem for item in items),
        "– no recording": bool(result.missing),
    }
    if any(occurring.values()):
        shown = (text for text, occurs in occurring.items() if occurs)
        yield Text("   ".join(["✓ agrees", *shown]), style="dim")


# What to look at


def _groups(title: str, groups: tuple[DecisionGroup, ...]) -> Iterator[RenderableType]:
    """What says the same to an application together; only the gravest with their values."""
    if not groups:
        return
    yield from titled(f"{title} ({len(groups)})")
    for number, same in enumerate(by_meaning(groups)):
        if number >= _MOST_WHOLE:
            line = Text.assemble(*_head(same, "recording"), f"   {same.first.meaning}")
            line.no_wrap, line.overflow = True, "ellipsis"
            yield Stack(line)
        else:
            yield one_meaning(same)


def _head(same: SameMeaning, of: str) -> tuple[tuple[str, str], ...]:
    return (
        (f"✗ {same.first.kind}", f"bold {_colour(same.first.severity)}"),
        (f" at {same.where}", ""),
        (f"   {same.first.severity}, {count(len(same.ids), of)}", "dim"),
    )


def one_meaning(same: SameMeaning, *, of: str = "recording") -> RenderableType:
    """What differs, what it means, and where it occurs; `of` says what is counted. A single group has both
    values of its first occurrence, several have a line for each of the first places.
    """
    lines = [Text(same.first.meaning, style="italic")]
    if len(same.groups) == 1:
        sides = side_lines(same.first.example, _LONGEST_VALUE)
        lines += (Text.assemble((f"{name:<11}", "dim"), value) for name, value in sides)
    else:
        shown = same.groups[:_MOST_PLACES]
        width = max(len(found.where) for found in shown)
        for found in shown:
            values = value_pair(found.example.reference, found.example.candidate, _PLACE_VALUE)
            both = found.example.reference == found.example.candidate
            lines.append(
                Text(f"{found.where:<{width}}  {f'both {values[0]}' if both else ' → '.join(values)}")
            )
        if rest := and_more(same.groups, _MOST_PLACES):
            lines.append(Text(f"… {rest}", style="dim"))
    lines.append(Text(f"in {first_names(same.ids, _SHOWN_IDS)}", style="dim"))
    return Stack(Text.assemble(*_head(same, of)), Padding(Stack(*lines), (0, 0, 0, 4), expand=False))


def accepted_lines(result: Result, most: int | None = None) -> Iterator[RenderableType]:
    """A line per reason, cut on a terminal: the divergences that a person has accepted, and why; of more than
    `most` how many there are.
    """
    found = accepted_kinds(result.items)
    if found:
        yield from titled("Accepted")
    for reason, counts in list(found.items())[:most]:
        line = Text.assemble((f"~ {counts_line(counts)}", "yellow"), f"   {reason}")
        line.no_wrap, line.overflow = True, "ellipsis"
        yield Stack(line)  # by itself a text would be printed as part of another
    if most is not None and (rest := and_more(found, most, "reasons")):
        yield Text(f"… {rest}, in the report", style="dim")


# The answer


def _verdicts(found: Answer, note: Callable[[tuple[str, ...]], str] | None) -> Iterator[RenderableType]:
    """A block for all providers with the same verdict."""
    if found.blocks:
        yield from titled("Verdict")
    for block in found.blocks:
        word, number = ("GO" if block.go else "NO-GO"), len(block.providers)
        answer_ = f"{block.answer} ({number}): " if number > 1 else f"{block.answer}: "
        yield Text.assemble((f"{word:<7}", _TONES[block.tone]), answer_, (", ".join(block.providers), "bold"))
        lines = [*map(Text, block.reasons[:_SHOWN_REASONS])]
        if rest := and_more(block.reasons, _SHOWN_REASONS, "reasons"):
            lines.append(Text(f"… {rest}", style="dim"))
        lines += [Text(note(block.providers), style="dim")] if note else []
        yield from (Padding(each, (0, 0, 0, 7), expand=False) for each in lines)


def _closing(result: Result, found: Answer, changes: Changes | None) -> Iterator[RenderableType]:
    """What was compared, what was left out of the comparison, and the answer: it stands last."""
    yield Text("")
    if found.normalised:
        yield Text(f"Normalised, not counted as differences: {found.normalised}.", style="dim")
    if changes is not None:
        yield Text(str(changes))
    states = Counter(map(state, result.items))
    differ = states["breaking"] + states["visible"] + states["cosmetic"]
    parts = [
        f"{count(len(result.items) - states['unreadable'], 'recording')} compared",
        f"{states['agree']} agree",
    ]
    others = sum(1 for problem in result.left_out if not problem.why.damaged)
    for number, what in (
        (states["accepted"], "differ as accepted"),
        (states["noise"], "not repeatable"),
        (differ, "differ"),
        (states["unreadable"], "unreadable"),
        (others, "left out"),
    ):
        parts += [f"{number} {what}"] if number else []
    yield Text(", ".join(parts) + ".", style="red" if differ or states["noise"] else "green")
    if found.blocks:
        yield Text(found.line, style=_TONES[found.tone])
