"""The screens beside that of a group: members, help, the form, the question, the end."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from rich.console import ConsoleDimensions as Size
from rich.text import Text

from llm_contracts.reporting.lines import value_pair
from llm_contracts.review.coverage import SCOPES, Coverage, row_text
from llm_contracts.review.decisions import Choice, Scope
from llm_contracts.review.tui import forms
from llm_contracts.review.tui.drawing import STYLES, keys, rule, wrapped
from llm_contracts.review.tui.keys import HELP
from llm_contracts.review.tui.screens import bar, title
from llm_contracts.review.tui.state import Form, ReviewState, Screen
from llm_contracts.util.text import and_more, count

_ROWS = 6  # waivers and other groups listed before "and n more"
_NAME = 34  # columns for a recording's name
_NAMES = {Choice.ACCEPT: "Accept", Choice.FIX: "Needs a fix", Choice.NOISE: "Noise", None: "Filter"}
_NOISE = (
    "Noise is not masked: the difference goes on failing until a normaliser, which is reviewed as code, "
    "takes it out. The note is for whoever writes it: what comes and goes here, and why it means nothing."
)
_FILTER = "Words that a group must have in its severity, kind, place, change, or the name of a recording."


def _members(state: ReviewState, size: Size) -> Iterator[Text]:
    """The members of a group, the one under the cursor marked."""
    members = state.group.members
    yield from title(state, size.width)
    yield rule(size.width)
    room = max(size.height - 6, 1)
    first = max(0, min(state.choosing - room // 2, len(members) - room))
    for number, member in enumerate(members[first : first + room], first):
        here = number == state.choosing
        noted = state.noted.get(member.fingerprint)
        mark = "accepted" if member.fingerprint in state.accepted else ""
        mark = mark or (str(noted.choice) if noted else "noisy" if member.noisy else "")
        d = member.divergence
        values = " → ".join(value_pair(d.reference, d.candidate, max((size.width - 56) // 2, 8)))
        name = f" {'>' if here else ' '} {member.item:<{min(_NAME, size.width // 2)}} {mark:<9}"
        place = f"{d.where}  " if "[" in d.where else ""
        line = Text(f"{name}{place}{values}", style="bold" if here else "")
        line.truncate(size.width - 1)
        yield line
    yield rule(size.width)
    yield from keys(("Enter open", "j k down, up", "Esc back"), size.width)


def _help(_state: ReviewState, size: Size) -> Iterator[Text]:
    """All keys; without headings where the screen is low."""
    low = size.height < sum(len(rows) + 1 for rows in HELP.values()) + 3
    yield Text(" Keys; any key goes back", style="bold")
    yield rule(size.width)
    for part, rows in HELP.items():
        if not low:
            yield Text(f" {part}", style="bold underline")
        yield from (Text.assemble((f"   {names:<16}", "bold"), does) for names, does in rows)


def _form(state: ReviewState, form: Form, size: Size) -> Iterator[Text]:
    """An acceptance, a note or the filter while it is written, with what it would cover."""
    if form.choice is None:
        yield from bar(state, size.width)
    else:
        yield Text(f" {_NAMES[form.choice]}", style="bold")
        yield from title(state, size.width)
    yield Text("")
    for name in form.fields:
        yield from _scopes(state, form, size.width) if name == "scope" else _field(form, name, size.width)
    yield Text("")
    if form.choice is Choice.ACCEPT:
        found = forms.coverage(state)
        yield from _preview(found, state, size.width)
        if form.asked:  # a bare Enter is not yes
            breaking = forms.breaking(found)
            text = f"> {count(breaking, 'difference')} of these {'is' if breaking == 1 else 'are'} breaking: "
            text += "an application gets wrong data or goes another way."
            yield from wrapped(text, size.width, style="bold red")
    elif form.choice is Choice.NOISE:
        yield from wrapped(_NOISE, size.width, style="dim")
        noisy, total = sum(member.noisy for member in state.group.members), len(state.group.members)
        text = f"The control (the reference against itself) differed here in {noisy} of {total}."
        text += "" if noisy else " Nothing that was run supports calling it noise."
        yield from wrapped(text, size.width, style="yellow")
    elif form.choice is None:
        yield from wrapped(_FILTER, size.width, style="dim")
    yield from wrapped(state.message, size.width, style="bold yellow") if state.message else ()
    yield rule(size.width)
    names = ("Enter filter",) if form.choice is None else ("Tab next field", "Enter write")
    names = (*names, "Esc back", "^E editor", "^U empty")
    yield from keys(("y accept it all the same", "Esc back") if form.asked else names, size.width)


def _field(form: Form, name: str, width: int) -> Iterator[Text]:
    here, typed = form.field == name, form.fields[name]
    text = Text(typed.text + " " * here)
    if here and name in form.untouched and typed.text:
        text.stylize("reverse")
    elif here:
        text.stylize("reverse", typed.cursor_position, typed.cursor_position + 1)
    head = Text(f" {'>' if here else ' '} {name:<7} ", style="bold" if here else "dim")
    room = max(width - len(head) - 1, 1)
    for start in range(0, max(len(text), 1), room):
        yield Text.assemble(head, text[start : start + room])
        head = Text(" " * len(head))
    if name == "until":
        yield Text.assemble(head, ("the last day on which it holds", "dim"))


def _scopes(state: ReviewState, form: Form, width: int) -> Iterator[Text]:
    here = form.field == "scope"
    about = {Scope.RECORDING: f": {state.focus.item}", Scope.PROVIDER: f": {state.focus.provider}"}
    name = f" {'>' if here else ' '} scope  "
    for number, scope in enumerate(forms.scopes_of(form), 1):
        on = scope is form.scope
        choice = f" {'●' if on else '○'} {number} {SCOPES[scope]}{about.get(scope, '')}"
        line = Text.assemble((name, "bold" if here else "dim"), (choice, "bold" if on else "dim"))
        line.truncate(width - 1)
        yield line
        name = " " * len(name)


def _preview(found: Coverage, state: ReviewState, width: int) -> Iterator[Text]:
    """What the rows would cover, before they are written."""
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
    yield Text(f" with {count(len(found.rows), 'row')} in {state.waivers}:", style="bold")
    yield from _listed([Text(f"   {row_text(row)}") for row in found.rows], width)
    if found.open_ended:
        yield from wrapped("A * also covers what will be recorded later.", width, style="yellow")


def _listed(lines: Sequence[Text], width: int) -> Iterator[Text]:
    for line in lines[:_ROWS]:
        line.truncate(width - 1, overflow="ellipsis")
        yield line
    if rest := and_more(lines, _ROWS):
        yield Text(f"   {rest}", style="dim")


def dialog(state: ReviewState, size: Size) -> tuple[Text, ...]:
    """What stands in the place of the group; empty where that itself is to be shown."""
    if state.form is not None:
        return tuple(_form(state, state.form, size))
    screens = {Screen.MEMBERS: _members, Screen.HELP: _help}
    return tuple(screens[state.screen](state, size)) if state.screen in screens else ()
