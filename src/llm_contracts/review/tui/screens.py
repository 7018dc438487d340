"""A state as a screen."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from rich.text import Text

from llm_contracts.review.tui import dialogs
from llm_contracts.review.tui.evidence import page
from llm_contracts.review.tui.head import bar, footer, known, lanes_title, title, values
from llm_contracts.review.tui.keys import Window, view_of
from llm_contracts.review.tui.paint import PageLayout, laid_out
from llm_contracts.review.tui.setting import Setting, Size, safe
from llm_contracts.review.tui.state import ReviewState, Screen

if TYPE_CHECKING:
    from llm_contracts.parity.result import Item
    from llm_contracts.review.tui.page import Page

_ROOMY = 28  # lines from which on empty ones cost nothing
_ABOVE = 3  # lines shown above the row that a page opens at


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """A screen full of lines, and what of the page is on it."""

    lines: tuple[Text, ...]
    window: Window = field(default_factory=Window)


@dataclass(frozen=True, kw_only=True, slots=True)
class LaidOutPage:
    """A page as it is laid out for one width."""

    page: Page
    laid: PageLayout

    def top(self, state: ReviewState, room: int) -> int:
        """The first line to show: the one scrolled to, else a little above the difference."""
        last = max(self.laid.total - room, 0)
        if state.scroll is not None:
            return min(state.scroll, last)
        start = self.laid.starts[self.page.focus] if self.laid.starts else 0
        return max(0, min(start - min(_ABOVE, room // 3), last))

    def following(self, state: ReviewState, top: int, room: int) -> int | None:
        """The line to scroll to for the next difference; the one shown first counts as seen."""
        if not self.laid.starts:
            return None
        seen = self.page.focus if state.scroll is None else bisect_right(self.laid.starts, top) - 1
        found = self.page.next_difference(seen)
        return None if found is None else min(self.laid.starts[found], max(self.laid.total - room, 0))


Sheets = Callable[[ReviewState, int], LaidOutPage]
"""The page for a state, laid out for a width."""


def sheet(state: ReviewState, item: Item, width: int, setting: Setting) -> LaidOutPage:
    """What the state looks at, laid out."""
    assert state.focus is not None
    found = page(item, state.focus.divergence, view_of(state), entire=state.entire)
    return LaidOutPage(page=found, laid=laid_out(found, width, setting.signs, entire=state.entire))


def frame(state: ReviewState, item: Item | None, sheets: Sheets, setting: Setting, size: Size) -> Frame:
    """The screen for a state. `item` is the whole item of the member that is shown, if there is one."""
    window = Window(height=max(size.height - 6, 1))
    if state.screen in _DIALOGS:
        lines = tuple(_DIALOGS[state.screen](state, setting, size))
    elif item is None:
        text = f"Nothing is called {state.words!r}." if state.words else "Nothing waits for a decision."
        lines = (Text(""), Text(f" {text}"), Text(""), Text(" / filter   q quit"))
    else:
        lines, window = _group(state, item, sheets, setting, size)
    return Frame(lines=tuple(safe(line, setting.signs) for line in lines[: size.height]), window=window)


def _group(
    state: ReviewState, item: Item, sheets: Sheets, setting: Setting, size: Size
) -> tuple[tuple[Text, ...], Window]:
    gap = [Text("")] if size.height >= _ROOMY else []
    top = [*above(state, item, setting, size.width), *gap, lanes_title(state, item, setting, size.width)]
    foot = list(footer(state, setting, size.width))
    room = max(size.height - len(top) - len(foot), 1)
    opened = sheets(state, size.width)
    first = opened.top(state, room)
    body = opened.laid.lines(first, room)
    window = Window(top=first, height=room, following=opened.following(state, first, room))
    filler = [Text("")] * (room - len(body))
    return (*top, *body, *filler, *foot), window


def above(state: ReviewState, item: Item, setting: Setting, width: int) -> Iterator[Text]:
    """Everything above the page."""
    assert state.group is not None
    yield from bar(state, setting, width)
    yield from title(state, state.group, setting, width)
    yield from known(state, item, setting, width)
    yield from values(state, item, setting, width)


_DIALOGS: Mapping[Screen, Callable[[ReviewState, Setting, Size], Iterator[Text]]] = {
    Screen.MEMBERS: dialogs.members_screen,
    Screen.HELP: dialogs.help_screen,
    Screen.FILTER: dialogs.filter_screen,
    Screen.FORM: dialogs.form_screen,
    Screen.CONFIRM: dialogs.confirm_screen,
    Screen.END: dialogs.end_screen,
}
