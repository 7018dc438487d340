"""The screens beside that of a group: members, help, the filter, the form, the question, the end."""

from __future__ import annotations

from collections.abc import Collection, Iterator
from typing import TYPE_CHECKING

from rich.text import Text

from llm_contracts.parity.divergence import Severity
from llm_contracts.review.coverage import SCOPES, row_text
from llm_contracts.review.decisions import Choice, Scope
from llm_contracts.review.tui import forms
from llm_contracts.review.tui.evidence import value_text
from llm_contracts.review.tui.head import bar, keys, title
from llm_contracts.review.tui.keys import HELP
from llm_contracts.review.tui.setting import Setting, Size, count, rule, wrapped
from llm_contracts.review.tui.signs import STYLES
from llm_contracts.review.tui.state import Form, ReviewState
from llm_contracts.util.text import and_more

if TYPE_CHECKING:
    from llm_contracts.parity.decision_groups import Member
    from llm_contracts.review.coverage import Coverage

_ROWS = 6  # waivers and other groups listed before "and n more"
_BESIDE = 56  # columns of a line of the list that are not values
_SHORTEST = 8
_NAME = 34  # columns for a recording's name
_AROUND = 3  # lines of the help that are no keys
_NAMES = {Choice.ACCEPT: "Accept", Choice.FIX: "Needs a fix", Choice.NOISE: "Noise"}
_NOISE = (
    "Noise is not masked: the difference goes on failing until a normaliser, which is reviewed as code, "
    "takes it out. The note is for whoever writes it: what comes and goes here, and why it means nothing."
)


def members_screen(state: ReviewState, setting: Setting, size: Size) -> Iterator[Text]:
    """The members of a group, the one under the cursor marked."""
    group = state.group
    assert group is not None
    yield from title(state, group, setting, size.width)
    yield rule(setting, size.width)
    room = max(size.height - 6, 1)
    first = max(0, min(state.choosing - room // 2, len(group.members) - room))
    for number, member in enumerate(group.members[first : first + room], first):
        cursor = ">" if number == state.choosing else " "
        style = "bold" if number == state.choosing else ""
        name = f"{member.item:<{min(_NAME, size.width // 2)}}"
        line = f" {cursor} {name} {_mark(state, member):<9}{_change(member, setting, size.width)}"
        yield Text(setting.signs.readable(line)[: size.width - 1], style=style)
    yield rule(setting, size.width)
    yield from keys(("Enter open", "t take out", "j down", "k up", "Esc back"), size.width)


def _mark(state: ReviewState, member: Member) -> str:
    if member.fingerprint in state.accepted:
        return "accepted"
    noted = state.noted.get(member.fingerprint)
    return str(noted.choice) if noted else "noisy" if member.noisy else ""


def _change(member: Member, setting: Setting, width: int) -> str:
    d = member.divergence
    longest = max((width - _BESIDE) // 2, _SHORTEST)
    values = (value_text(value) for value in (d.reference, d.candidate))
    old, new = (v if len(v) <= longest else v[: longest - 1] + setting.signs.more for v in values)
    place = f"{d.where}  " if "[" in d.where else ""
    return f"{place}{old} {setting.signs.arrow} {new}"


def help_screen(_state: ReviewState, setting: Setting, size: Size) -> Iterator[Text]:
    """All keys; without headings where the screen is low."""
    low = size.height < sum(len(rows) + 1 for _, rows in HELP) + _AROUND
    yield Text(" Keys; any key goes back", style="bold")
    yield rule(setting, size.width)
    for part, rows in HELP:
        if not low:
            yield Text(f" {part}", style="bold underline")
        yield from (Text.assemble((f"   {names:<16}", "bold"), does) for names, does in rows)


def filter_screen(state: ReviewState, setting: Setting, size: Size) -> Iterator[Text]:
    """The filter while it is typed."""
    yield from bar(state, setting, size.width)
    yield Text("")
    yield Text.assemble(" filter  ", (state.typed, "bold"), setting.signs.cursor)
    yield Text("")
    told = "Words that a group must have in its severity, kind, place, change, or the name of a recording."
    yield from wrapped(told, size.width, style="dim")
    yield Text("")
    yield from keys(("Enter filter", "Esc back"), size.width)


def form_screen(state: ReviewState, setting: Setting, size: Size) -> Iterator[Text]:
    """An acceptance or a note while it is written, with what it would cover."""
    form = state.form
    assert form is not None
    yield from _form_head(state, form, setting, size.width)
    yield Text("")
    for name in form.names:
        yield from _field(state, form, name, setting, size.width)
    yield Text("")
    if form.choice is Choice.ACCEPT:
        yield from _preview(forms.coverage(state), state, setting, size.width)
    elif form.choice is Choice.NOISE:
        yield from wrapped(_NOISE, size.width, style="dim")
        yield from _evidence(state, size.width)
    yield from wrapped(state.message, size.width, style="bold yellow") if state.message else ()
    yield rule(setting, size.width)
    names = ("Tab next field", "Enter write", "Esc back", "^E editor", "^U empty")
    yield from keys(names, size.width)


def _form_head(state: ReviewState, form: Form, setting: Setting, width: int) -> Iterator[Text]:
    name = _NAMES[form.choice]
    if not form.every:
        assert state.group is not None
        yield Text(f" {name}", style="bold")
        yield from title(state, state.group, setting, width)
        return
    groups = forms.meant_groups(state, form.choice, every=True)
    yield Text(f" {name}: all {count(len(groups), 'group')} that are left", style="bold")
    if form.choice is Choice.ACCEPT:
        yield Text(" What is breaking is left out: it is accepted one by one.")


def _field(state: ReviewState, form: Form, name: str, setting: Setting, width: int) -> Iterator[Text]:
    here = form.field == name
    head = Text.assemble((f" {'>' if here else ' '} {name:<7}", "bold" if here else "dim"), " ")
    if name == "scope":
        yield from _scopes(state, form, setting, width)
        return
    cursor = setting.signs.cursor if here else ""
    style = "reverse" if here and name in form.untouched and form.fields[name] else ""
    lines = wrapped(form.fields[name] + cursor, width - 12, indent="", style=style) or [Text(cursor)]
    hint = "   the last day on which it holds" if name == "until" and len(lines) == 1 else ""
    yield Text.assemble(head, lines[0], (hint, "dim"))
    yield from (Text(" " * 11) + line for line in lines[1:])


def _scopes(state: ReviewState, form: Form, setting: Setting, width: int) -> Iterator[Text]:
    here, focus = form.field == "scope", state.focus
    assert focus is not None
    about = {Scope.RECORDING: focus.item, Scope.PROVIDER: focus.provider}
    for number, (scope, told) in enumerate(SCOPES.items(), 1):
        sign = setting.signs.on if scope is form.scope else setting.signs.off
        name = f" {'>' if here else ' '} scope  " if number == 1 else " " * 10
        more = f": {about[scope]}" if scope in about else ""
        style = "bold" if scope is form.scope else "dim"
        line = Text.assemble((name, "bold" if here else "dim"), (f" {sign} {number} {told}{more}", style))
        line.truncate(width - 1)
        yield line


def _preview(found: Coverage, state: ReviewState, setting: Setting, width: int) -> Iterator[Text]:
    """What the rows would cover, before they are written."""
    of = f"{len(found.meant):,} of the " if state.group and not _every(state) else ""
    number = len(state.group.members) if state.group and not _every(state) else len(found.meant)
    here = " here" if of else ""
    yield Text(f" It would cover {of}{count(number, 'difference')}{here}", style="bold")
    if found.others:
        told = f" and also {count(len(found.others), 'other difference')}, in:"
        yield Text(told, style="bold red")
        for group in found.other_groups[:_ROWS]:
            line = Text.assemble(
                "   ", (str(group.severity), STYLES[group.severity]), f" {group.title} ({len(group.members)})"
            )
            line.truncate(width - 1)
            yield line
        yield from _and_more(found.other_groups)
    else:
        yield Text(" and nothing else that this run found.")
    yield Text(f" with {count(len(found.rows), 'row')} in {setting.waivers}:", style="bold")
    for row in found.rows[:_ROWS]:
        about = f"   {row_text(row)}"
        yield Text(about if len(about) < width else about[: width - 2] + setting.signs.more)
    yield from _and_more(found.rows)
    if found.open_ended:
        yield from wrapped("A * also covers what will be recorded later.", width, style="yellow")


def _every(state: ReviewState) -> bool:
    return state.form is not None and state.form.every


def _and_more(found: Collection[object]) -> Iterator[Text]:
    if rest := and_more(found, _ROWS):
        yield Text(f"   {rest}", style="dim")


def _evidence(state: ReviewState, width: int) -> Iterator[Text]:
    """What the control run says about a claim of noise."""
    if state.group is None or _every(state):
        return
    noisy = sum(member.noisy for member in state.group.members)
    told = (
        f"The control (the reference against itself) differed here in {noisy} of {len(state.group.members)}."
    )
    if not noisy:
        told += " Nothing that was run supports calling it noise."
    yield from wrapped(told, width, style="yellow")


def confirm_screen(state: ReviewState, setting: Setting, size: Size) -> Iterator[Text]:
    """The question that a bare Enter does not answer with yes."""
    found = forms.coverage(state)
    every = (*found.meant, *found.others)
    breaking = sum(member.divergence.severity is Severity.BREAKING for member in every)
    yield from _preview(found, state, setting, size.width)
    yield Text("")
    told = f"{count(breaking, 'difference')} of these {'is' if breaking == 1 else 'are'} breaking: "
    told += "an application gets wrong data or goes another way."
    yield from wrapped(told, size.width, style="bold red")
    yield Text("")
    yield from keys(("y accept it all the same", "Esc back"), size.width)


def end_screen(state: ReviewState, setting: Setting, size: Size) -> Iterator[Text]:
    """Everything is decided, or was skipped."""
    yield from bar(state, setting, size.width)
    yield Text("")
    skipped = any(state.standing(group) == "skipped" for group in state.groups)
    yield Text(
        " Nothing waits for a decision." if not skipped else " Only what you skipped is left.", style="bold"
    )
    yield Text("")
    yield from wrapped("Check again to see what the verdict is now: llm-contracts check", size.width)
    yield Text("")
    again = ("s the skipped ones again",) if skipped else ()
    yield from keys(("q quit", *again, "u undo", "b back"), size.width)
