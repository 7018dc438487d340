"""What stands above and below the lanes: counters, the group, the recording, both values, the keys."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import islice
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells
from rich.text import Text

from llm_contracts.parity.meanings import MEANINGS
from llm_contracts.review.tui.evidence import value_text
from llm_contracts.review.tui.keys import view_of
from llm_contracts.review.tui.paint import differing_part
from llm_contracts.review.tui.setting import Setting, count, rule, spread, wrapped
from llm_contracts.review.tui.signs import NARROW, STYLES
from llm_contracts.review.tui.state import ReviewState, tally

if TYPE_CHECKING:
    from llm_contracts.parity.decision_groups import DecisionGroup, Member
    from llm_contracts.parity.result import Item

_KEYS = (
    "a accept", "r needs a fix", "x noise", "s skip", "v view", "n next", "d all", "g members", "u undo",
    "b back", "/ filter", "? help", "q quit",
)  # fmt: skip
_FEW_KEYS = ("a accept", "r fix", "x noise", "s skip", "v view", "? help", "q quit")
_VALUE_LINES = 3
_LONGEST_VALUE = 20_000  # characters of a value that are looked at
_BEFORE = 24  # characters kept before the first difference
_ENTIRE_LINES = 14


def bar(state: ReviewState, setting: Setting, width: int) -> Iterator[Text]:
    """What is compared, and how far the review has come."""
    found = tally(state)
    dot = f" {setting.signs.dot} "
    parts = [f"{found.decided} decided", f"{found.left} left"]
    parts += [f"{found.skipped} skipped"] if found.skipped else []
    parts += [f"{found.accepted} accepted until {found.until}"] if found.accepted else []
    pair = Text.assemble(" ", (setting.reference, "bold"), " against ", (setting.candidate, "bold"))
    counters = Text(dot.join(parts))
    one = spread(pair, counters, width)
    yield one
    if one is pair:
        yield Text(" ") + counters
    yield rule(setting, width)


def title(state: ReviewState, group: DecisionGroup, setting: Setting, width: int) -> Iterator[Text]:
    """The group: its number, how bad it is, what it is about."""
    number = f" [{state.at + 1}/{len(state.groups)}]"
    severity = (group.severity.upper(), STYLES[group.severity])
    head = Text.assemble(
        (number, "bold"), "  ", severity, "  ", (str(group.kind), "bold"), f" at {group.where}"
    )
    members = Text(count(len(group.members), "difference"), style="bold")
    line = spread(head, members, width)
    yield line
    if line is head:
        yield Text(" ") + members
    names = ", ".join(f"{name} {number}" for name, number in group.providers.items())
    yield from wrapped(f"{group.change(setting.signs.arrow)}   in {names}", width, most=2)
    if state.words:
        yield Text(f' filter "{state.words}"', style="dim")


def known(state: ReviewState, item: Item, setting: Setting, width: int) -> Iterator[Text]:
    """What is known about the recording, and what was decided."""
    group, member = state.group, state.focus
    assert group is not None
    assert member is not None
    yield Text("")
    if state.info:
        dated = f", recorded {item.recorded_on}" if item.recorded_on else ""
        position = f" ({group.members.index(member) + 1} of {len(group.members)})"
        facts = [f"{item.provenance or 'of unknown origin'}{dated}"]
        facts += [
            f"{name} {setting.versions[name]}" for name in ("litellm", "openai") if name in setting.versions
        ]
        dot = f" {setting.signs.dot} "
        first, *more = wrapped(f"{item.id}{position}  {dot.join(facts)}", width, most=2)
        first.stylize("bold", 0, len(item.id) + 1)
        yield from (first, *more)
        yield from wrapped(MEANINGS[group.kind].replace("`", ""), width, most=2)
    yield from _standing(state, member, width)


def _standing(state: ReviewState, member: Member, width: int) -> Iterator[Text]:
    """What was decided about this member, and whether the control differed, too."""
    waiver, noted = state.accepted.get(member.fingerprint), state.noted.get(member.fingerprint)
    if waiver is not None:
        told = f"Accepted until {waiver.until} by {waiver.by}: {waiver.reason}"
        yield from wrapped(told, width, style="green", most=3)
    elif noted is not None:
        what = "Needs a fix" if noted.choice == "fix" else "Called noise"
        yield from wrapped(f"{what}: {noted.note or 'no note'}", width, style="magenta", most=3)
    if member.noisy:
        told = "The reference differs from itself here: two runs of it did not agree at this place."
        yield from wrapped(told, width, style="magenta", most=2)


def values(state: ReviewState, item: Item, setting: Setting, width: int) -> Iterator[Text]:
    """Both values, the part that differs marked; or the one that both clients share against the bytes."""
    member = state.focus
    assert member is not None
    divergence = member.divergence
    both = divergence.reference, divergence.candidate
    left, right = (setting.signs.readable(value_text(value)[:_LONGEST_VALUE]) for value in both)
    yield Text("")
    if both[0] == both[1]:
        yield from _value("both", Text(left, style="yellow"), 0, state, setting, width)
        return
    names = [reference_name(item, setting), setting.candidate]
    room = max(map(cell_len, names))
    for name, value, other, style in ((names[0], left, right, "red"), (names[1], right, left, "green")):
        text = Text(value, style=style)
        start, end = differing_part(value, other)
        if 0 < end - start < len(value):
            text.stylize("bold underline", start, end)
        yield from _value(f"{name:<{room}}", text, start, state, setting, width)


def reference_name(item: Item, setting: Setting) -> str:
    """The path that spoke for the reference: a provider may have one of its own."""
    return item.reference.path if item.reference else setting.reference


def _value(
    name: str, text: Text, first: int, state: ReviewState, setting: Setting, width: int
) -> Iterator[Text]:
    """A value in a few lines; `first` is where it begins to differ, which is shown in any case."""
    indent = cell_len(name) + (6 if width >= NARROW else 3)
    room = width - indent - 1
    lines = _ENTIRE_LINES if state.entire else _VALUE_LINES
    if not state.entire and first > room:
        text = Text(setting.signs.more) + text[first - _BEFORE :]
    pieces = chop_cells(text.plain, room) or [""]
    start = 0
    for number, piece in enumerate(islice(pieces, lines)):
        head = name.center(indent) if number == 0 else " " * indent
        cut = setting.signs.more if number == lines - 1 < len(pieces) - 1 else ""
        yield Text.assemble((head, "dim"), text[start : start + len(piece)], cut)
        start += len(piece)


def lanes_title(state: ReviewState, item: Item, setting: Setting, width: int) -> Text:
    """The line above the page: which view it is."""
    view = view_of(state)
    names = f"{reference_name(item, setting)} | {setting.candidate}"
    told = {"wire": "event, time, chunks made of it by each client", "time line": "recorded times"}.get(
        view, names
    )
    return rule(setting, width, f"{view}: {told}" + ("  (all)" if state.entire else ""))


def footer(state: ReviewState, setting: Setting, width: int) -> Iterator[Text]:
    """A message if there is one, and the keys."""
    yield from wrapped(state.message, width, style="bold yellow", most=4) if state.message else ()
    yield rule(setting, width)
    yield from keys(_KEYS if width >= NARROW else _FEW_KEYS, width)


def keys(names: tuple[str, ...], width: int) -> Iterator[Text]:
    """Keys with what they do, in as few lines as they need."""
    lines: list[list[str]] = [[]]
    for name in names:
        if sum(len(each) + 2 for each in (*lines[-1], name)) > width - 1:
            lines.append([])
        lines[-1].append(name)
    for line in lines:
        text = Text(" ")
        for name in line:
            key, _, does = name.partition(" ")
            text.append(key, style="bold").append(f" {does}  ")
        yield text
