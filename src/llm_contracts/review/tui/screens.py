"""A state as a screen."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.text import Text

from llm_contracts.review.tui import dialogs
from llm_contracts.review.tui.drawing import Drawing, Size
from llm_contracts.review.tui.evidence import page
from llm_contracts.review.tui.head import bar, footer, known, lanes_title, title, values
from llm_contracts.review.tui.keys import Window
from llm_contracts.review.tui.paint import PageLayout, laid_out
from llm_contracts.review.tui.state import ReviewState, Screen

if TYPE_CHECKING:
    from llm_contracts.parity.result import Item

_ROOMY = 28  # lines from which on empty ones cost nothing
_ABOVE = 3  # lines shown above the row that a page opens at


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """A screen full of lines, and what of the page is on it."""

    lines: tuple[Text, ...]
    window: Window = field(default_factory=Window)


Layouts = Callable[[ReviewState, int], PageLayout]
"""The page for a state, laid out for a width."""


def layout(state: ReviewState, item: Item, width: int, drawing: Drawing) -> PageLayout:
    """What the state looks at, laid out."""
    assert state.focus is not None
    found = page(item, state.focus.divergence, state.shown_view, entire=state.entire)
    return laid_out(found, width, drawing.signs, entire=state.entire)


def frame(state: ReviewState, item: Item | None, layouts: Layouts, drawing: Drawing, size: Size) -> Frame:
    """The screen for a state. `item` is the whole item of the member that is shown, if there is one."""
    window = Window(height=max(size.height - 6, 1))
    if state.screen in _DIALOGS:
        lines = tuple(_DIALOGS[state.screen](state, drawing, size))
    elif item is None:
        text = f"Nothing is called {state.words!r}." if state.words else "Nothing waits for a decision."
        lines = (Text(""), Text(f" {text}"), Text(""), Text(" / filter   q quit"))
    else:
        lines, window = _group(state, item, layouts, drawing, size)
    return Frame(lines=tuple(map(drawing.signs.safe, lines[: size.height])), window=window)


def _group(
    state: ReviewState, item: Item, layouts: Layouts, drawing: Drawing, size: Size
) -> tuple[tuple[Text, ...], Window]:
    gap = [Text("")] if size.height >= _ROOMY else []
    head = [*bar(state, drawing, size.width), *about(state, item, drawing, size.width)]
    head[len(head) - 1 : len(head) - 1] = gap
    foot = list(footer(state, drawing, size.width))
    room = max(size.height - len(head) - len(foot), 1)
    laid = layouts(state, size.width)
    last = max(laid.total - room, 0)
    if state.scroll is not None:
        first = min(state.scroll, last)
        seen = bisect_right(laid.starts, first) - 1
    else:  # a little above the difference, which counts as seen
        start = laid.starts[laid.page.focus] if laid.starts else 0
        first, seen = max(0, min(start - min(_ABOVE, room // 3), last)), laid.page.focus
    following = laid.page.next_difference(seen)
    body = laid.lines(first, room)
    filler = [Text("")] * (room - len(body))
    window = Window(
        top=first, height=room, following=None if following is None else min(laid.starts[following], last)
    )
    return (*head, *body, *filler, *foot), window


def about(state: ReviewState, item: Item, drawing: Drawing, width: int) -> Iterator[Text]:
    """The group, the recording and both values, with the title of the lanes as the last line."""
    yield from title(state, drawing, width)
    yield from known(state, item, drawing, width)
    yield from values(state, item, drawing, width)
    yield lanes_title(state, item, drawing, width)


_DIALOGS: Mapping[Screen, Callable[[ReviewState, Drawing, Size], Iterator[Text]]] = {
    Screen.MEMBERS: dialogs.members_screen,
    Screen.HELP: dialogs.help_screen,
    Screen.FILTER: dialogs.filter_screen,
    Screen.FORM: dialogs.form_screen,
    Screen.CONFIRM: dialogs.confirm_screen,
    Screen.END: dialogs.end_screen,
}
