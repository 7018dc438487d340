"""What each key does: a state and a key give the next state, and sometimes something to be done outside.

A letter means the same on the report's page, or nothing there.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from rich.text import Text

from llm_contracts.parity.divergence import Severity
from llm_contracts.review.decisions import Choice
from llm_contracts.review.tui import forms
from llm_contracts.review.tui.page import View
from llm_contracts.review.tui.state import Form, ReviewState, Screen, begin, onward, shown


class Effect(StrEnum):
    """What has to happen outside before the next screen."""

    ACCEPT = "accept"  # write what the form covers
    NOTE = "note"  # write the notes the form gives
    UNDO = "undo"
    EDIT = "edit"  # the field with the cursor, in the person's own editor
    QUIT = "quit"


HELP: Mapping[str, tuple[tuple[str, str], ...]] = {
    "decide": (
        ("a, Enter", "accept, with a reason (breaking: only a)"),
        ("r", "needs a fix: it goes on failing"),
        ("x", "noise: it goes on failing, too"),
        ("s, Space", "skip for now"),
        ("u", "undo"),
    ),
    "look": (
        ("v", "lanes, wire, request, time line"),
        ("n", "next difference in this view"),
        ("f", "fold or unfold what is equal"),
        ("arrows", "down, up; PgDn, PgUp, Home, End"),
    ),
    "go": (
        ("j  k", "to the next group, or the one before"),
        ("[ ], left right", "another recording of this group"),
        ("g", "list them"),
        ("/", "filter"),
        ("Esc", "back; on a group, without the filter"),
        ("q", "leave; everything is kept"),
    ),
}
"""Keys as the help shows them."""

_FAR = 1_000_000  # lines: to the very top or end

Step = tuple[ReviewState, Effect | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Frame:
    """A screen full of lines, and what of the page is on it: from which line, how many, and where the next
    difference begins.
    """

    lines: Sequence[Text] = ()
    top: int = 0
    height: int = 20
    following: int | None = None


def press(state: ReviewState, key: str, on: Frame) -> Step:
    """The state after a key.

    Args:
        state: before it.
        key: a character, or `enter`, `esc`, `tab`, `up`, `pgdn`, `ctrl-e` and the like; or a text that was
            pasted, after `PASTED`.
        on: what was on the screen when it was pressed.
    """
    if key == "ctrl-c":
        return state, Effect.QUIT
    quiet = replace(state, message="")
    return _on_form(quiet, state.form, key) if state.form else _SCREENS[state.screen](quiet, key, on)


_MOVES: Mapping[str, tuple[int, int]] = {
    "down": (1, 0),
    "up": (-1, 0),
    "pgdn": (0, 1),
    "pgup": (0, -1),
    "home": (-_FAR, 0),
    "end": (_FAR, 0),
}
"""How far each key scrolls: in lines, and in windows."""


def _on_group(state: ReviewState, key: str, on: Frame) -> Step:
    if key in _MOVES:
        lines, pages = _MOVES[key]
        return replace(state, scroll=max(0, on.top + lines + pages * on.height)), None
    if key == "n":
        message = "" if on.following is not None else "Nothing differs in this view."
        return replace(state, scroll=on.following, message=message), None
    if key == "enter" and state.group.severity is Severity.BREAKING:
        message = "This is breaking: Enter does not accept it. Press a to accept it on purpose."
        return replace(state, message=message), None
    if does := _PLAIN.get(_SAME.get(key, key)):
        return does(state), None
    return state, {"u": Effect.UNDO, "q": Effect.QUIT}.get(key)


def _other_member(state: ReviewState, by: int) -> ReviewState:
    return replace(state, member=(state.member + by) % len(state.group.members), scroll=None)


def _next_view(state: ReviewState) -> ReviewState:
    views = list(View)
    return replace(state, view=views[(views.index(state.shown_view) + 1) % len(views)], scroll=None)


_SAME = {"enter": "a", " ": "s", "right": "]", "left": "["}
_PLAIN: Mapping[str, Callable[[ReviewState], ReviewState]] = {
    "a": partial(forms.opened, choice=Choice.ACCEPT),
    "r": partial(forms.opened, choice=Choice.FIX),
    "x": partial(forms.opened, choice=Choice.NOISE),
    "s": lambda state: onward(replace(state, skipped=state.skipped | {state.group.id}), state.at + 1),
    "f": lambda state: replace(state, entire=not state.entire, scroll=None),
    "v": _next_view,
    "j": lambda state: shown(state, state.at + 1),
    "k": lambda state: shown(state, state.at - 1),
    "]": partial(_other_member, by=1),
    "[": partial(_other_member, by=-1),
    "g": lambda state: replace(state, screen=Screen.MEMBERS, choosing=state.member),
    "/": forms.filtering,
    "?": lambda state: replace(state, screen=Screen.HELP),
    "esc": lambda state: begin(replace(state, words="")) if state.words else state,
}


def _on_members(state: ReviewState, key: str, on: Frame) -> Step:
    move = _MOVES.get({"j": "down", "k": "up"}.get(key, key))
    if move is not None:
        wanted = state.choosing + move[0] + move[1] * on.height
        return replace(state, choosing=max(0, min(wanted, len(state.group.members) - 1))), None
    if key == "enter":
        return replace(state, screen=Screen.GROUP, member=state.choosing, scroll=None), None
    return replace(state, screen=Screen.GROUP) if key in {"esc", "g", "q"} else state, None


def _on_form(state: ReviewState, form: Form, key: str) -> Step:
    if form.asked:
        message = "Nothing was accepted. y would have." if key == "enter" else ""
        answered = replace(state, form=replace(form, asked=False), message=message)
        return answered, Effect.ACCEPT if key == "y" else None
    if key == "esc":
        reason = form.text("reason") if "reason" in form.fields else state.reason
        return replace(state, form=None, reason=reason), None
    if key in _FIELD_STEPS:
        return replace(state, form=replace(form, at=(form.at + _FIELD_STEPS[key]) % len(form.fields))), None
    if key == "enter":
        return _finished(state, form)
    return (state, Effect.EDIT) if key == "ctrl-e" else (forms.typed(state, form, key), None)


_FIELD_STEPS = {"tab": 1, "down": 1, "backtab": -1, "up": -1}


def _finished(state: ReviewState, form: Form) -> Step:
    """Enter in a form. What is breaking is asked about once more."""
    if form.choice is None:
        words = form.text("filter").strip()
        found = begin(replace(state, words=words))
        if found.groups:
            return replace(found, form=None), None
        message = f"Nothing is called {words!r}; the filter is as it was."
        return replace(state, form=None, message=message), None
    if form.choice is not Choice.ACCEPT:
        return state, Effect.NOTE
    if not form.text("reason").strip():
        return replace(state, message="Say why: the reason is shown in every report."), None
    if forms.breaking(forms.coverage(state)):
        return replace(state, form=replace(form, asked=True)), None
    return state, Effect.ACCEPT


_SCREENS: Mapping[Screen, Callable[[ReviewState, str, Frame], Step]] = {
    Screen.GROUP: _on_group,
    Screen.MEMBERS: _on_members,
    Screen.HELP: lambda state, _key, _on: (replace(state, screen=Screen.GROUP), None),
}
