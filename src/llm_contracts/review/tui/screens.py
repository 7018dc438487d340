"""A state as a screen: the group with its evidence, between the counters and the keys; or in its place the
members, the help, a form.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rich.cells import cell_len
from rich.console import ConsoleDimensions as Size
from rich.text import Text

from llm_contracts.parity.meanings import plain_meaning
from llm_contracts.parity.result import Item
from llm_contracts.reporting.lines import distinct, value_pair
from llm_contracts.review.coverage import SCOPES, Coverage, row_text
from llm_contracts.review.decisions import Choice, Scope
from llm_contracts.review.tui import forms
from llm_contracts.review.tui.drawing import (
    NARROW,
    STYLES,
    PageLayout,
    fitted,
    keys,
    laid_out,
    rule,
    spread,
    wrapped,
)
from llm_contracts.review.tui.evidence import page, value_text
from llm_contracts.review.tui.keys import HELP, Frame
from llm_contracts.review.tui.state import Form, ReviewState, Screen, lapses, tally
from llm_contracts.util.terminal import one_line
from llm_contracts.util.text import and_more, count

_KEYS = (
    "a accept", "r needs a fix", "x noise", "s skip", "v view", "n next", "f fold", "j k groups", "g members",
    "u undo", "/ filter", "? help", "q quit",
)  # fmt: skip
_FEW_KEYS = ("a accept", "r fix", "x noise", "s skip", "v view", "? help", "q quit")
_LOW, _ROOMY = 16, 28  # lines: below, only what matters most; from there on, empty ones cost nothing
_WIDE, _LIST = 140, 42  # columns from which on the groups stand beside the detail, and those they take
_ABOVE = 3  # lines shown above the row that a page opens at
_LONGEST_VALUE = 20_000  # characters of a value that are looked at
_VALUE_LINES, _ENTIRE_LINES = 3, 14
_ROWS = 6  # waivers and other groups listed before "and n more"
_NAME = 34  # columns for a recording's name
_NAMES = {Choice.ACCEPT: "Accept", Choice.FIX: "Needs a fix", Choice.NOISE: "Noise", None: "Filter"}
_NOISE = (
    "Noise is not masked: the difference goes on failing until a normaliser, which is reviewed as code, "
    "takes it out. The note is for whoever writes it: what comes and goes here, and why it means nothing."
)
_FILTER = "Words that a group must have in its severity, kind, place, change, or the name of a recording."
_SIGNS = {"accepted": "~", "fix": "!", "noise": "?", "skipped": "-"}


def layout(state: ReviewState, item: Item, width: int) -> PageLayout:
    """What the state looks at, laid out."""
    found = page(item, state.focus.divergence, state.shown_view, entire=state.entire)
    return laid_out(found, width, entire=state.entire)


def page_width(size: Size) -> int:
    """Columns for the group that is shown: all but those of the list beside it, where that has room."""
    return size.width if size.width < _WIDE else size.width - _LIST - 2


def group_screen(state: ReviewState, item: Item, laid: PageLayout, size: Size) -> Frame:
    """The group with its recording, and the other groups beside it where there is room. `item` is the whole
    item of the member that is shown, `laid` its page.
    """
    width = page_width(size)
    found = _group(state, item, laid, Size(width, size.height))
    if width == size.width:
        return found
    beside = zip(group_lines(state, size.height), found.lines, strict=False)
    return replace(found, lines=tuple(Text.assemble(one, ("│ ", "dim"), other) for one, other in beside))


def _group(state: ReviewState, item: Item, laid: PageLayout, size: Size) -> Frame:
    names: tuple[str, ...] = _KEYS if size.width >= NARROW else _FEW_KEYS
    head = [*bar(state, size.width), *about(state, item, size.width)]
    if size.height < _LOW:  # what is to be decided, and how
        head = [*title(state, size.width), *_evidence(state, item, size.width)]
        names = (*_FEW_KEYS[:2], *_FEW_KEYS[-2:])
    elif size.height >= _ROOMY:
        head.insert(len(head) - 1, Text(""))
    foot = wrapped(state.message, size.width, style="bold yellow", most=4) if state.message else []
    foot += [rule(size.width), *keys(names, size.width)]
    room = max(size.height - len(head) - len(foot), 1)
    last = max(len(laid.lines) - room, 0)
    first, seen = min(state.scroll or 0, last), state.scroll or 0
    if state.scroll is None:  # a little above the difference, which counts as seen
        first, seen = max(0, min(laid.focus - min(_ABOVE, room // 3), last)), laid.focus
    body = laid.lines[first : first + room]
    lines = (*head, *body, *[Text("")] * (room - len(body)), *foot)
    return Frame(lines=lines, top=first, height=room, following=laid.next_difference(seen))


def group_lines(state: ReviewState, height: int) -> Iterator[Text]:
    """The groups around the one that is shown, a line each: what was decided, kind and place, or the change
    where kind and place are those of the line above, and how many.
    """
    first = max(0, min(state.at - height // 2, len(state.groups) - height))
    place = ("", "")  # of the line above
    for number, group in enumerate(state.groups[first : first + height], first):
        mark = f"{'▶' if number == state.at else ' '}{_SIGNS.get(state.standing(group), ' ')} "
        alike, place = place == (group.kind, group.where), (group.kind, group.where)
        members = f" {len(group.members):,}"
        name = Text(f"  {group.change('→')}" if alike else f"{group.kind} at {group.where}")
        name.stylize("dim" if state.standing(group) else STYLES[group.severity])
        name.truncate(_LIST - len(mark) - len(members), overflow="ellipsis", pad=True)
        yield Text.assemble(mark, name, members)
    yield from [Text(" " * _LIST)] * height


def bar(state: ReviewState, width: int) -> Iterator[Text]:
    """What is compared, and how far the review has come."""
    found = tally(state)
    parts = [f"{found[name]} {name}" for name in ("decided", "left")]
    parts += [f"{found['skipped']} skipped"] if found["skipped"] else []
    parts += [f"{found['accepted']} accepted until {lapses(state)}"] if found["accepted"] else []
    reference, candidate = state.session.clients
    pair = Text.assemble(" ", (reference, "bold"), " against ", (candidate, "bold"))
    yield from spread(pair, Text(" · ".join(parts)), width)
    yield rule(width)


def title(state: ReviewState, width: int) -> Iterator[Text]:
    """The group: its number, how bad it is, what it is about."""
    group = state.group
    head = Text.assemble(
        (f" [{state.at + 1}/{len(state.groups)}]  ", "bold"),
        (group.severity.upper(), STYLES[group.severity]),
        (f"  {group.kind}", "bold"),
        f" at {group.where}",
    )
    yield from spread(head, Text(count(len(group.members), "difference"), style="bold"), width)
    names = ", ".join(f"{name} {number}" for name, number in group.providers.items())
    yield from wrapped(f"{group.change('→')}   in {names}", width, most=2)
    if state.words:
        yield Text(f' filter "{state.words}"', style="dim")


def about(state: ReviewState, item: Item, width: int) -> Iterator[Text]:
    """The group, the recording, what was decided and both values; the title of the lanes is the last line."""
    group, member, session = state.group, state.focus, state.session
    yield from title(state, width)
    yield Text("")
    position = f" ({group.members.index(member) + 1} of {len(group.members)})"
    origin = item.provenance or "of unknown origin"
    origin += "" if item.recorded_on is None else f", recorded {item.recorded_on}"
    used = session.versions
    versions = [f"{name} {used[name]}" for name in ("litellm", "openai") if name in used]
    first, *more = wrapped(f"{item.id}{position}  {' · '.join([origin, *versions])}", width, most=2)
    first.stylize("bold", 0, len(item.id) + 1)
    yield from (first, *more)
    yield from wrapped(plain_meaning(member.divergence), width, most=2)
    waiver, noted = session.accepted.get(member.fingerprint), session.noted.get(member.fingerprint)
    if waiver is not None:
        text = f"Accepted until {waiver.until} by {waiver.by}: {waiver.reason}"
        yield from wrapped(text, width, style="green", most=3)
    elif noted is not None:
        what = "Needs a fix" if noted.choice == "fix" else "Called noise"
        yield from wrapped(f"{what}: {noted.note or 'no note'}", width, style="magenta", most=3)
    if member.noisy:
        text = "The reference differs from itself here: two runs of it did not agree at this place."
        yield from wrapped(text, width, style="magenta", most=2)
    yield Text("")
    yield from _evidence(state, item, width)


def _evidence(state: ReviewState, item: Item, width: int) -> Iterator[Text]:
    """Both values, and the title of the lanes."""
    # A provider may have a reference of its own.
    names = (item.reference.client if item.reference else state.session.clients[0], state.session.clients[1])
    yield from _values(state, names, width)
    view = state.shown_view
    special = {"wire": "event, time, chunks made of it by each client", "time line": "recorded times"}
    yield rule(width, f"{view}: {special.get(view, ' | '.join(names))}{'  (all)' if state.entire else ''}")


def _values(state: ReviewState, names: tuple[str, str], width: int) -> Iterator[Text]:
    """Both values, the part that differs marked; or the one that both clients share against the bytes."""
    divergence = state.focus.divergence
    both = divergence.reference, divergence.candidate
    left, right = (
        one_line(each) for each in distinct(*(value_text(value)[:_LONGEST_VALUE] for value in both))
    )
    shown = [(names[0], left, right, "red"), (names[1], right, left, "green")]
    if both[0] == both[1]:
        shown = [("both", left, right, "yellow")]
    indent = max(cell_len(name) for name, *_ in shown) + (6 if width >= NARROW else 3)
    for name, value, other, style in shown:
        most = _ENTIRE_LINES if state.entire else _VALUE_LINES
        head = f"{name:<{indent - 6 if width >= NARROW else indent - 3}}".center(indent)
        for line in fitted(value, other, width - indent - 1, style=style, most=most):
            yield Text.assemble((head, "dim"), line)
            head = " " * indent


def _members(state: ReviewState, size: Size) -> Iterator[Text]:
    """The members of a group, the one under the cursor marked."""
    members = state.group.members
    yield from title(state, size.width)
    yield rule(size.width)
    room = max(size.height - 6, 1)
    first = max(0, min(state.choosing - room // 2, len(members) - room))
    for number, member in enumerate(members[first : first + room], first):
        here = number == state.choosing
        noted = state.session.noted.get(member.fingerprint)
        mark = "accepted" if member.fingerprint in state.session.accepted else ""
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
    settings = state.session.settings
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
    yield Text(f" with {count(len(found.rows), 'row')} in {settings.shown(settings.waivers)}:", style="bold")
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
