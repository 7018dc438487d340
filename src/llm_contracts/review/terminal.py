"""What the commands of a review print."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.table import Table
from rich.text import Text

from llm_contracts.reporting.terminal import ASCII as PLAIN_MARKS
from llm_contracts.reporting.terminal import marks_for
from llm_contracts.review.coverage import row_text
from llm_contracts.review.tui.head import known, lanes_title, title, values
from llm_contracts.review.tui.screens import sheet
from llm_contracts.review.tui.setting import Setting, count, safe
from llm_contracts.review.tui.signs import ASCII, STYLES, UNICODE, Signs
from llm_contracts.review.tui.state import Defaults, State

if TYPE_CHECKING:
    from rich.console import Console

    from llm_contracts.parity.decision_groups import Group, Member
    from llm_contracts.review.apply import Plan
    from llm_contracts.review.desk import Desk
    from llm_contracts.review.tui.evidence import View

_ROWS = 12  # waivers and other groups listed before "and n more"


def signs_for(encoding: str | None) -> Signs:
    """Signs that an output with this encoding can show."""
    return ASCII if marks_for(encoding) is PLAIN_MARKS else UNICODE


def setting_of(desk: Desk, signs: Signs) -> Setting:
    """How to draw what lies on a desk."""
    document = desk.stored.document
    return Setting(
        reference=document["reference"],
        candidate=document["candidate"],
        versions=document["versions"],
        waivers=desk.settings.shown(desk.settings.waivers),
        signs=signs,
    )


def print_queue(console: Console, groups: Sequence[Group], desk: Desk) -> None:
    """A line for each group, and the counters."""
    signs = signs_for(console.encoding)
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("id", "severity", "count", "difference", "in", ""):
        table.add_column(name, justify="right" if name == "count" else "left", overflow="fold")
    for group in groups:
        style = STYLES[group.severity]
        about = f"{group.kind} at {group.where}: {group.change(signs.arrow)}"
        where = ", ".join(f"{name} {number}" for name, number in group.providers.items())
        severity = Text(str(group.severity), style=style)
        texts = (Text(signs.readable(text)) for text in (about, where, _standing(group, desk)))
        table.add_row(group.id, severity, str(len(group.members)), *texts)
    if groups:
        console.print(table)
        console.print()
    left = sum(m.fingerprint not in desk.noted for m in desk.open)
    console.print(
        f"{count(len(groups), 'group')}; {count(len(desk.members), 'difference')}: "
        f"{len(desk.accepted)} accepted, {len(desk.open) - left} marked, {left} left.",
        style="dim",
    )


def _standing(group: Group, desk: Desk) -> str:
    marks = Counter(str(desk.noted[p].choice) for p in group.fingerprints if p in desk.noted)
    return ", ".join(f"{name} {number}" for name, number in marks.items())


def show_group(console: Console, desk: Desk, group: Group, view: View | None, *, entire: bool) -> None:
    """What the screen of the group shows, from its first member, without keys."""
    setting = setting_of(desk, signs_for(console.encoding))
    state = State(
        members=group.members,
        groups=(group,),
        defaults=Defaults(by="", until=desk.today),
        accepted=desk.accepted,
        noted=desk.noted,
        view=view,
        entire=entire,
    )
    item = desk.stored.item(group.members[0].item)
    width = console.width
    laid = sheet(state, item, width, setting).laid
    parts = (
        title(state, group, setting, width),
        known(state, item, setting, width),
        values(state, item, setting, width),
        (lanes_title(state, item, setting, width),),
        laid.lines(0, laid.total),
        (Text(""), Text(f" {group.id}   " + _others(group.members), style="dim"), Text("")),
    )
    for lines in parts:
        for line in lines:
            console.print(safe(line, setting.signs), no_wrap=True, overflow="crop")


def _others(members: Sequence[Member]) -> str:
    names = list(dict.fromkeys(member.item for member in members))
    more = f" and {len(names) - _ROWS} more" if len(names) > _ROWS else ""
    return f"in {', '.join(names[:_ROWS])}{more}"


def print_plan(console: Console, desk: Desk, plan: Plan, *, dry_run: bool) -> None:
    """What would be written, or is."""
    signs = signs_for(console.encoding)
    for line in (*_covered(plan), *_rows(desk, plan, dry_run=dry_run), *_marks(plan)):
        console.print(safe(line, signs), no_wrap=True, overflow="ellipsis")


def _covered(plan: Plan) -> Iterator[Text]:
    for coverage in plan.acceptances:
        number = len({member.item for member in coverage.meant})
        yield Text(f"Accepts {count(len(coverage.meant), 'difference')} in {count(number, 'recording')}.")
    if plan.others:
        told = f"It also covers {count(len(plan.others), 'difference')} that were not named:"
        yield Text(told, style="bold red")
        groups = [group for coverage in plan.acceptances for group in coverage.other_groups]
        yield from _listed([f"{g.severity}  {g.title}  ({len(g.members)})" for g in groups])


def _rows(desk: Desk, plan: Plan, *, dry_run: bool) -> Iterator[Text]:
    if plan.rows:
        file = desk.settings.shown(desk.settings.waivers)
        days = ", ".join(sorted({str(row.until) for row in plan.rows}))
        yield Text(
            f"{count(len(plan.rows), 'row')} {'would go' if dry_run else 'go'} to {file}, until {days}:"
        )
        yield from _listed([row_text(row) for row in plan.rows])
    if any(coverage.open_ended for coverage in plan.acceptances):
        yield Text("A * also covers what will be recorded later.", style="yellow")


def _marks(plan: Plan) -> Iterator[Text]:
    for note in plan.notes:
        yield Text(f"{note.choice}: {count(len(note.fingerprints), 'difference')}  {note.note}")
    if plan.settled:
        yield Text(f"{count(len(plan.settled), 'difference')} accepted already.", style="dim")


def _listed(lines: Sequence[str]) -> Iterator[Text]:
    yield from (Text(f"  {line}") for line in lines[:_ROWS])
    if len(lines) > _ROWS:
        yield Text(f"  and {len(lines) - _ROWS} more", style="dim")
