"""What stands above and below the lanes: counters, the group, the recording, both values, the keys."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.cells import cell_len, chop_cells
from rich.text import Text

from llm_contracts.parity.meanings import meaning
from llm_contracts.review.tui.drawing import NARROW, STYLES, Drawing, keys, spread, wrapped
from llm_contracts.review.tui.evidence import value_text
from llm_contracts.review.tui.paint import differing_part
from llm_contracts.review.tui.state import ReviewState, tally
from llm_contracts.util.text import count

if TYPE_CHECKING:
    from llm_contracts.parity.result import Item

_KEYS = (
    "a accept", "r needs a fix", "x noise", "s skip", "v view", "n next", "d all", "g members", "u undo",
    "b back", "/ filter", "? help", "q quit",
)  # fmt: skip
_FEW_KEYS = ("a accept", "r fix", "x noise", "s skip", "v view", "? help", "q quit")
_LONGEST_VALUE = 20_000  # characters of a value that are looked at
_BEFORE = 24  # characters kept before the first difference
_VALUE_LINES, _ENTIRE_LINES = 3, 14


def bar(state: ReviewState, drawing: Drawing, width: int) -> Iterator[Text]:
    """What is compared, and how far the review has come."""
    found = tally(state)
    parts = [f"{found.decided} decided", f"{found.left} left"]
    parts += [f"{found.skipped} skipped"] if found.skipped else []
    parts += [f"{found.accepted} accepted until {found.until}"] if found.accepted else []
    pair = Text.assemble(" ", (drawing.reference, "bold"), " against ", (drawing.candidate, "bold"))
    yield from spread(pair, Text(f" {drawing.signs.dot} ".join(parts)), width)
    yield drawing.rule(width)


def title(state: ReviewState, drawing: Drawing, width: int) -> Iterator[Text]:
    """The group: its number, how bad it is, what it is about."""
    group = state.group
    assert group is not None
    head = Text.assemble(
        (f" [{state.at + 1}/{len(state.groups)}]  ", "bold"),
        (group.severity.upper(), STYLES[group.severity]),
        (f"  {group.kind}", "bold"),
        f" at {group.where}",
    )
    yield from spread(head, Text(count(len(group.members), "difference"), style="bold"), width)
    names = ", ".join(f"{name} {number}" for name, number in group.providers.items())
    yield from wrapped(f"{group.change(drawing.signs.arrow)}   in {names}", width, most=2)
    if state.words:
        yield Text(f' filter "{state.words}"', style="dim")


def known(state: ReviewState, item: Item, drawing: Drawing, width: int) -> Iterator[Text]:
    """What is known about the recording, what was decided, and whether the control differed, too."""
    group, member = state.group, state.focus
    assert group is not None
    assert member is not None
    yield Text("")
    if state.info:
        dated = f", recorded {item.recorded_on}" if item.recorded_on else ""
        position = f" ({group.members.index(member) + 1} of {len(group.members)})"
        names = [name for name in ("litellm", "openai") if name in drawing.versions]
        facts = [f"{item.provenance or 'of unknown origin'}{dated}"]
        facts += [f"{name} {drawing.versions[name]}" for name in names]
        line = f"{item.id}{position}  {f' {drawing.signs.dot} '.join(facts)}"
        first, *more = wrapped(line, width, most=2)
        first.stylize("bold", 0, len(item.id) + 1)
        yield from (first, *more)
        yield from wrapped(meaning(member.divergence).replace("`", ""), width, most=2)
    waiver, noted = state.accepted.get(member.fingerprint), state.noted.get(member.fingerprint)
    if waiver is not None:
        text = f"Accepted until {waiver.until} by {waiver.by}: {waiver.reason}"
        yield from wrapped(text, width, style="green", most=3)
    elif noted is not None:
        what = "Needs a fix" if noted.choice == "fix" else "Called noise"
        yield from wrapped(f"{what}: {noted.note or 'no note'}", width, style="magenta", most=3)
    if member.noisy:
        text = "The reference differs from itself here: two runs of it did not agree at this place."
        yield from wrapped(text, width, style="magenta", most=2)


def values(state: ReviewState, item: Item, drawing: Drawing, width: int) -> Iterator[Text]:
    """Both values, the part that differs marked; or the one that both clients share against the bytes."""
    assert state.focus is not None
    divergence = state.focus.divergence
    both = divergence.reference, divergence.candidate
    left, right = (drawing.signs.readable(value_text(value)[:_LONGEST_VALUE]) for value in both)
    yield Text("")
    if both[0] == both[1]:
        yield from _value("both", Text(left, style="yellow"), 0, state, drawing, width)
        return
    names = [reference_name(item, drawing), drawing.candidate]
    room = max(map(cell_len, names))
    for name, value, other, style in ((names[0], left, right, "red"), (names[1], right, left, "green")):
        text = Text(value, style=style)
        start, end = differing_part(value, other)
        if 0 < end - start < len(value):
            text.stylize("bold underline", start, end)
        yield from _value(f"{name:<{room}}", text, start, state, drawing, width)


def reference_name(item: Item, drawing: Drawing) -> str:
    """The client that spoke for the reference: a provider may have one of its own."""
    return item.reference.path if item.reference else drawing.reference


def _value(
    name: str, text: Text, first: int, state: ReviewState, drawing: Drawing, width: int
) -> Iterator[Text]:
    """A value in a few lines; `first` is where it begins to differ, which is shown in any case."""
    indent = cell_len(name) + (6 if width >= NARROW else 3)
    room = width - indent - 1
    lines = _ENTIRE_LINES if state.entire else _VALUE_LINES
    if not state.entire and first > room:
        text = Text.assemble(drawing.signs.more, text[first - _BEFORE :])
    pieces = chop_cells(text.plain, room) or [""]
    start = 0
    for number, piece in enumerate(pieces[:lines]):
        head = name.center(indent) if number == 0 else " " * indent
        cut = drawing.signs.more if number == lines - 1 < len(pieces) - 1 else ""
        yield Text.assemble((head, "dim"), text[start : start + len(piece)], cut)
        start += len(piece)


def lanes_title(state: ReviewState, item: Item, drawing: Drawing, width: int) -> Text:
    """The line above the page: which view it is."""
    view = state.shown_view
    names = f"{reference_name(item, drawing)} | {drawing.candidate}"
    special = {"wire": "event, time, chunks made of it by each client", "time line": "recorded times"}
    return drawing.rule(width, f"{view}: {special.get(view, names)}" + ("  (all)" if state.entire else ""))


def footer(state: ReviewState, drawing: Drawing, width: int) -> Iterator[Text]:
    """A message if there is one, and the keys."""
    yield from wrapped(state.message, width, style="bold yellow", most=4) if state.message else ()
    yield drawing.rule(width)
    yield from keys(_KEYS if width >= NARROW else _FEW_KEYS, width)
