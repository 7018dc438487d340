"""What the commands of a review print, and what they give to scripts."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from llm_contracts.parity.decision_groups import DecisionGroup, Member
from llm_contracts.review.apply import ApplyPlan
from llm_contracts.review.coverage import row_text
from llm_contracts.review.decisions import Decision
from llm_contracts.review.session import ReviewSession
from llm_contracts.review.tui.drawing import STYLES, safe
from llm_contracts.review.tui.page import View
from llm_contracts.review.tui.screens import about, layout
from llm_contracts.review.tui.state import ReviewState
from llm_contracts.util.terminal import one_line, table_width
from llm_contracts.util.text import and_more, count, first_names

_FORMAT = 1
_OF_DIVERGENCE = ("where", "reference", "candidate", "fingerprint")
_ROWS = 12  # waivers and other groups listed before "and n more"


def print_queue(console: Console, groups: Sequence[DecisionGroup], session: ReviewSession) -> None:
    """A line for each group, and the counters."""
    table = Table(box=None, pad_edge=False, padding=(0, 2, 0, 0), header_style="bold")
    for name in ("id", "severity", "count", "difference", "in", ""):
        table.add_column(name, justify="right" if name == "count" else "left", overflow="fold")
    for group in groups:
        style = STYLES[group.severity]
        about = f"{group.kind} at {group.where}: {group.change('→')}"
        where = ", ".join(f"{name} {number}" for name, number in group.providers.items())
        severity = Text(str(group.severity), style=style)
        marks = Counter(str(session.noted[p].choice) for p in group.fingerprints if p in session.noted)
        standing = ", ".join(f"{name} {number}" for name, number in marks.items())
        texts = (Text(one_line(text)) for text in (about, where, standing))
        table.add_row(group.id, severity, str(len(group.members)), *texts)
    if groups:
        console.print(table)
        console.print()
    left = sum(m.fingerprint not in session.noted for m in session.open)
    console.print(
        f"{count(len(groups), 'group')}; {count(len(session.members), 'difference')}: "
        f"{len(session.accepted):,} accepted, {len(session.open) - left:,} marked, {left:,} left.",
        style="dim",
    )


def queue_document(session: ReviewSession, groups: Sequence[DecisionGroup]) -> dict[str, Any]:
    """The same as JSON, for scripts: these groups with their members and what was decided about them; the
    totals are of the whole run.
    """
    return {
        "format": _FORMAT,
        "run": session.stored.run,
        "totals": {
            "differences": len(session.members),
            "accepted": sum(m.fingerprint in session.accepted for m in session.members),
            "marked": sum(m.fingerprint in session.noted for m in session.members),
            "left": sum(m.fingerprint not in session.noted for m in session.open),
        },
        "groups": [
            {
                "id": group.id,
                "severity": str(group.severity),
                "kind": str(group.kind),
                "where": group.where,
                "was": group.was,
                "now": group.now,
                "count": len(group.members),
                "providers": group.providers,
                "members": [
                    _member(member, session.noted.get(member.fingerprint)) for member in group.members
                ],
            }
            for group in groups
        ],
    }


def _member(member: Member, decision: Decision | None) -> dict[str, Any]:
    return {
        "item": member.item,
        **{name: getattr(member.divergence, name) for name in _OF_DIVERGENCE},
        "noisy": member.noisy,
        "decision": str(decision.choice) if decision else None,
        "note": decision.note if decision else "",
    }


def show_group(
    console: Console, session: ReviewSession, group: DecisionGroup, view: View | None, *, entire: bool
) -> None:
    """What the screen of the group shows, from its first member, without keys."""
    state = ReviewState(session=session, members=group.members, groups=(group,), view=view, entire=entire)
    item = session.stored.item(group.members[0].item)
    laid = layout(state, item, table_width(console))
    names = first_names(dict.fromkeys(member.item for member in group.members), _ROWS)
    others = Text(f" {group.id}   in {names}", style="dim")
    lines = (
        *about(state, item, table_width(console)),
        *laid.lines,
        Text(""),
        others,
        Text(""),
    )
    for line in lines:
        console.print(safe(line), no_wrap=True, overflow="crop")


def print_plan(console: Console, session: ReviewSession, plan: ApplyPlan, *, dry_run: bool) -> None:
    """What would be written, or is."""
    for line in (*_covered(plan), *_rows(session, plan, dry_run=dry_run), *_marks(plan)):
        console.print(safe(line), no_wrap=True, overflow="ellipsis")


def _covered(plan: ApplyPlan) -> Iterator[Text]:
    for coverage in plan.acceptances:
        number = len({member.item for member in coverage.meant})
        yield Text(f"Accepts {count(len(coverage.meant), 'difference')} in {count(number, 'recording')}.")
    if plan.others:
        text = f"It also covers {count(len(plan.others), 'difference')} that were not named:"
        yield Text(text, style="bold red")
        groups = [group for coverage in plan.acceptances for group in coverage.other_groups]
        yield from _listed([f"{g.severity}  {g.title}  ({len(g.members)})" for g in groups])


def _rows(session: ReviewSession, plan: ApplyPlan, *, dry_run: bool) -> Iterator[Text]:
    if plan.rows:
        file = session.settings.shown(session.settings.waivers)
        days = ", ".join(sorted({str(row.until) for row in plan.rows}))
        go = "would go" if dry_run else "goes" if len(plan.rows) == 1 else "go"
        yield Text(f"{count(len(plan.rows), 'row')} {go} to {file}, until {days}:")
        yield from _listed([row_text(row) for row in plan.rows])
    if any(coverage.open_ended for coverage in plan.acceptances):
        yield Text("A * also covers what will be recorded later.", style="yellow")


def _marks(plan: ApplyPlan) -> Iterator[Text]:
    for note in plan.notes:
        yield Text(f"{note.choice}: {count(len(note.fingerprints), 'difference')}  {note.note}")
    if plan.settled:
        yield Text(f"{count(len(plan.settled), 'difference')} accepted already.", style="dim")


def _listed(lines: Sequence[str]) -> Iterator[Text]:
    yield from (Text(f"  {line}") for line in lines[:_ROWS])
    if rest := and_more(lines, _ROWS):
        yield Text(f"  {rest}", style="dim")
