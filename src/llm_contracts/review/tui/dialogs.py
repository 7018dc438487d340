"""The screens beside that of a group: members, help, the filter, the form, the question, the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

from rich.text import Text

from llm_contracts.review.coverage import SCOPES, row_text
from llm_contracts.review.decisions import Choice, Scope
from llm_contracts.review.tui import forms
from llm_contracts.review.tui.drawing import STYLES, Drawing, Size, keys, wrapped
from llm_contracts.review.tui.evidence import value_text
from llm_contracts.review.tui.head import bar, title
from llm_contracts.review.tui.keys import HELP
from llm_contracts.review.tui.state import Form, ReviewState
from llm_contracts.util.text import and_more, count

if TYPE_CHECKING:
    from llm_contracts.review.coverage import Coverage

_ROWS = 6  # waivers and other groups listed before "and n more"
_BESIDE = 56  # columns of a line of the list that are not values
_SHORTEST = 8
_NAME = 34  # columns for a recording's name
_AROUND = 3  # lines of the help without keys
_NAMES = {Choice.ACCEPT: "Accept", Choice.FIX: "Needs a fix", Choice.NOISE: "Noise"}
_NOISE = (
    "Noise is not masked: the difference goes on failing until a normaliser, which is reviewed as code, "
    "takes it out. The note is for whoever writes it: what comes and goes here, and why it means nothing."
)


def members_screen(state: ReviewState, drawing: Drawing, size: Size) -> Iterator[Text]:
    """The members of a group, the one under the cursor marked."""
    assert state.group is not None
    members = state.group.members
    yield from title(state, drawing, size.width)
    yield drawing.rule(size.width)
    room = max(size.height - 6, 1)
    first = max(0, min(state.choosing - room // 2, len(members) - room))
    for number, member in enumerate(members[first : first + room], first):
        cursor, style = (">", "bold") if number == state.choosing else (" ", "")
        noted = state.noted.get(member.fingerprint)
        mark = "accepted" if member.fingerprint in state.accepted else ""
        mark = mark or (str(noted.choice) if noted else "noisy" if member.noisy else "")
        name = f"{member.item:<{min(_NAME, size.width // 2)}}"
        d = member.divergence
        longest = max((size.width - _BESIDE) // 2, _SHORTEST)
        values = (value_text(value) for value in (d.reference, d.candidate))
        old, new = (v if len(v) <= longest else v[: longest - 1] + drawing.signs.more for v in values)
        place = f"{d.where}  " if "[" in d.where else ""
        line = f" {cursor} {name} {mark:<9}{place}{old} {drawing.signs.arrow} {new}"
        yield Text(drawing.signs.readable(line)[: size.width - 1], style=style)
    yield drawing.rule(size.width)
    yield from keys(("Enter open", "t take out", "j down", "k up", "Esc back"), size.width)


def help_screen(_state: ReviewState, drawing: Drawing, size: Size) -> Iterator[Text]:
    """All keys; without headings where the screen is low."""
    low = size.height < sum(len(rows) + 1 for rows in HELP.values()) + _AROUND
    yield Text(" Keys; any key goes back", style="bold")
    yield drawing.rule(size.width)
    for part, rows in HELP.items():
        if not low:
            yield Text(f" {part}", style="bold underline")
        yield from (Text.assemble((f"   {names:<16}", "bold"), does) for names, does in rows)


def filter_screen(state: ReviewState, drawing: Drawing, size: Size) -> Iterator[Text]:
    """The filter while it is typed."""
    yield from bar(state, drawing, size.width)
    yield Text("")
    yield Text.assemble(" filter  ", (state.typed, "bold"), drawing.signs.cursor)
    yield Text("")
    about = "Words that a group must have in its severity, kind, place, change, or the name of a recording."
    yield from wrapped(about, size.width, style="dim")
    yield Text("")
    yield from keys(("Enter filter", "Esc back"), size.width)


def form_screen(state: ReviewState, drawing: Drawing, size: Size) -> Iterator[Text]:
    """An acceptance or a note while it is written, with what it would cover."""
    form = state.form
    assert form is not None
    name = _NAMES[form.choice]
    if form.every:
        groups = forms.meant_groups(state, form.choice, every=True)
        yield Text(f" {name}: all {count(len(groups), 'group')} that are left", style="bold")
        if form.choice is Choice.ACCEPT:
            yield Text(" What is breaking is left out: it is accepted one by one.")
    else:
        yield Text(f" {name}", style="bold")
        yield from title(state, drawing, size.width)
    yield Text("")
    for field in form.fields:
        yield from (_scopes if field == "scope" else _field)(state, form, field, drawing, size.width)
    yield Text("")
    if form.choice is Choice.ACCEPT:
        yield from _preview(forms.coverage(state), state, drawing, size.width)
    elif form.choice is Choice.NOISE:
        yield from wrapped(_NOISE, size.width, style="dim")
        if state.group is not None and not form.every:  # what the control run says about the claim
            noisy, total = sum(member.noisy for member in state.group.members), len(state.group.members)
            text = f"The control (the reference against itself) differed here in {noisy} of {total}."
            text += "" if noisy else " Nothing that was run supports calling it noise."
            yield from wrapped(text, size.width, style="yellow")
    yield from wrapped(state.message, size.width, style="bold yellow") if state.message else ()
    yield drawing.rule(size.width)
    yield from keys(("Tab next field", "Enter write", "Esc back", "^E editor", "^U empty"), size.width)


def _field(_state: ReviewState, form: Form, name: str, drawing: Drawing, width: int) -> Iterator[Text]:
    here = form.field == name
    text = form.fields[name] + (drawing.signs.cursor if here else "")
    style = "reverse" if here and name in form.untouched and form.fields[name] else ""
    first, *more = wrapped(text, width - 12, indent="", style=style)
    hint = "   the last day on which it holds" if name == "until" and not more else ""
    yield Text.assemble(
        (f" {'>' if here else ' '} {name:<7}", "bold" if here else "dim"), " ", first, (hint, "dim")
    )
    yield from (Text.assemble(" " * 11, line) for line in more)


def _scopes(state: ReviewState, form: Form, _name: str, drawing: Drawing, width: int) -> Iterator[Text]:
    assert state.focus is not None
    here = form.field == "scope"
    about = {Scope.RECORDING: f": {state.focus.item}", Scope.PROVIDER: f": {state.focus.provider}"}
    for number, (scope, text) in enumerate(SCOPES.items(), 1):
        on = scope is form.scope
        name = f" {'>' if here else ' '} scope  " if number == 1 else " " * 10
        choice = f" {drawing.signs.on if on else drawing.signs.off} {number} {text}{about.get(scope, '')}"
        line = Text.assemble((name, "bold" if here else "dim"), (choice, "bold" if on else "dim"))
        line.truncate(width - 1)
        yield line


def _preview(found: Coverage, state: ReviewState, drawing: Drawing, width: int) -> Iterator[Text]:
    """What the rows would cover, before they are written."""
    meant = count(len(found.meant), "difference")
    if state.form is not None and not state.form.every and state.group is not None:
        meant = f"{len(found.meant):,} of the {count(len(state.group.members), 'difference')} here"
    yield Text(f" It would cover {meant}", style="bold")
    if found.others:
        yield Text(f" and also {count(len(found.others), 'other difference')}, in:", style="bold red")
        lines = [
            Text.assemble("   ", (str(g.severity), STYLES[g.severity]), f" {g.title} ({len(g.members)})")
            for g in found.other_groups
        ]
        yield from _listed(lines, width)
    else:
        yield Text(" and nothing else that this run found.")
    yield Text(f" with {count(len(found.rows), 'row')} in {drawing.waivers}:", style="bold")
    yield from _listed([Text(f"   {row_text(row)}") for row in found.rows], width)
    if found.open_ended:
        yield from wrapped("A * also covers what will be recorded later.", width, style="yellow")


def _listed(lines: Sequence[Text], width: int) -> Iterator[Text]:
    for line in lines[:_ROWS]:
        line.truncate(width - 1, overflow="ellipsis")
        yield line
    if rest := and_more(lines, _ROWS):
        yield Text(f"   {rest}", style="dim")


def confirm_screen(state: ReviewState, drawing: Drawing, size: Size) -> Iterator[Text]:
    """The question that a bare Enter does not answer with yes."""
    found = forms.coverage(state)
    breaking = forms.breaking(found)
    yield from _preview(found, state, drawing, size.width)
    yield Text("")
    text = f"{count(breaking, 'difference')} of these {'is' if breaking == 1 else 'are'} breaking: "
    text += "an application gets wrong data or goes another way."
    yield from wrapped(text, size.width, style="bold red")
    yield Text("")
    yield from keys(("y accept it all the same", "Esc back"), size.width)


def end_screen(state: ReviewState, drawing: Drawing, size: Size) -> Iterator[Text]:
    """Everything is decided, or was skipped."""
    yield from bar(state, drawing, size.width)
    yield Text("")
    skipped = any(state.standing(group) == "skipped" for group in state.groups)
    text = " Only what you skipped is left." if skipped else " Nothing waits for a decision."
    yield Text(text, style="bold")
    yield Text("")
    yield from wrapped("Check again to see what the verdict is now: llm-contracts check", size.width)
    yield Text("")
    again = ("s the skipped ones again",) if skipped else ()
    yield from keys(("q quit", *again, "u undo", "b back"), size.width)
