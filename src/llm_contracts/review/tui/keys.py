"""What each key does: a state and a key give the next state, and sometimes something to be done outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from functools import partial

from llm_contracts.parity.divergence import Severity
from llm_contracts.review.decisions import Choice
from llm_contracts.review.tui import forms
from llm_contracts.review.tui.page import View
from llm_contracts.review.tui.state import (
    Form,
    ReviewState,
    Screen,
    begin,
    onward,
    regrouped,
    remaining,
    shown,
)


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
        ("A  R  S", "the same for all left (A: not breaking)"),
        ("e", "write the reason in $EDITOR"),
        ("u", "undo"),
    ),
    "look": (
        ("v", "lanes, wire, request, time line"),
        ("n", "next difference in this view"),
        ("d", "only what differs, or all of it"),
        ("j k, arrows", "down, up; PgDn, PgUp, Home, End"),
        ("i", "hide or show the recording's facts"),
    ),
    "go": (
        ("b  f", "to the group before, or after"),
        ("[ ], left right", "another recording of this group"),
        ("g", "list them"),
        ("t", "take this one out, or put it back"),
        ("/", "filter"),
        ("Esc", "back; on a group, without the filter"),
        ("q", "leave; everything is kept"),
    ),
}
"""Keys as the help shows them."""

_FAR = 1_000_000  # rows: to the very top or end

Step = tuple[ReviewState, Effect | None]


@dataclass(frozen=True, kw_only=True, slots=True)
class Window:
    """What of the page is on the screen: from which row, how many, and where the next difference begins."""

    top: int = 0
    height: int = 20
    following: int | None = None


def press(state: ReviewState, key: str, window: Window) -> Step:
    """The state after a key.

    Args:
        state: before it.
        key: a character, or `enter`, `esc`, `space`, `tab`, `up`, `pgdn`, `ctrl-e` and the like; or a text
            that was pasted, after `PASTED`.
        window: what was on the screen when it was pressed.
    """
    if key == "ctrl-c":
        return state, Effect.QUIT
    state = replace(state, message="")
    if state.screen is Screen.HELP:
        return replace(state, screen=Screen.GROUP), None
    return _SCREENS[state.screen](state, key, window)


_MOVES: Mapping[str, tuple[int, int]] = {
    "j": (1, 0),
    "down": (1, 0),
    "k": (-1, 0),
    "up": (-1, 0),
    "pgdn": (0, 1),
    "pgup": (0, -1),
    "home": (-_FAR, 0),
    "end": (_FAR, 0),
}
"""How far each key scrolls: in rows, and in windows."""

_CHOICES: Mapping[str, tuple[Choice, bool]] = {
    "a": (Choice.ACCEPT, False),
    "enter": (Choice.ACCEPT, False),
    "r": (Choice.FIX, False),
    "x": (Choice.NOISE, False),
    "A": (Choice.ACCEPT, True),
    "R": (Choice.FIX, True),
}
"""What each key decides, and whether about all that is left."""


def _on_group(state: ReviewState, key: str, window: Window) -> Step:
    if key in _MOVES:
        lines, pages = _MOVES[key]
        return replace(state, scroll=max(0, window.top + lines + pages * window.height)), None
    if key == "n":
        message = "" if window.following is not None else "Nothing differs in this view."
        return replace(state, scroll=window.following, message=message), None
    if key == "e":
        form = forms.opened(state, Choice.ACCEPT)
        return form, Effect.EDIT if form.form is not None else None
    if key == "enter" and state.group is not None and state.group.severity is Severity.BREAKING:
        message = "This is breaking: Enter does not accept it. Press a to accept it on purpose."
        return replace(state, message=message), None
    if key in _PLAIN:
        return _PLAIN[key](state), None
    return state, {"u": Effect.UNDO, "q": Effect.QUIT}.get(key)


def _skip(state: ReviewState) -> ReviewState:
    group = state.group
    return state if group is None else onward(replace(state, skipped=state.skipped | {group.id}))


def _skip_all(state: ReviewState) -> ReviewState:
    rest = {group.id for group in remaining(state, breaking=True)}
    return onward(replace(state, skipped=state.skipped | rest))


def _other_member(state: ReviewState, by: int) -> ReviewState:
    if state.group is None:
        return state
    return replace(state, member=(state.member + by) % len(state.group.members), scroll=None)


def _next_view(state: ReviewState) -> ReviewState:
    views = list(View)
    return replace(state, view=views[(views.index(state.shown_view) + 1) % len(views)], scroll=None)


def _take_out(state: ReviewState) -> ReviewState:
    """Split the member that is shown out of its group, or put it back, and stay with it."""
    member, group = state.focus, state.group
    if member is None or group is None:
        return state
    if not group.apart and len(group.members) == 1:
        return replace(state, message="It is the only one in its group.")
    changed = regrouped(replace(state, apart=state.apart ^ {member.fingerprint}))
    at = next(n for n, g in enumerate(changed.groups) if member in g.members)
    message = "Put back into its group." if group.apart else "Taken out: it is a decision of its own now."
    return replace(shown(changed, at), member=changed.groups[at].members.index(member), message=message)


_PLAIN: Mapping[str, Callable[[ReviewState], ReviewState]] = {
    "s": _skip,
    "space": _skip,
    "S": _skip_all,
    "i": lambda state: replace(state, info=not state.info),
    "d": lambda state: replace(state, entire=not state.entire, scroll=None),
    "v": _next_view,
    "b": lambda state: shown(state, state.at - 1),
    "f": lambda state: shown(state, state.at + 1),
    "]": lambda state: _other_member(state, 1),
    "right": lambda state: _other_member(state, 1),
    "[": lambda state: _other_member(state, -1),
    "left": lambda state: _other_member(state, -1),
    "t": _take_out,
    "g": lambda state: replace(state, screen=Screen.MEMBERS, choosing=state.member) if state.group else state,
    "/": lambda state: replace(state, screen=Screen.FILTER, typed=state.words),
    "?": lambda state: replace(state, screen=Screen.HELP),
    "esc": lambda state: begin(replace(state, words="")) if state.words else state,
    **{key: partial(forms.opened, choice=choice, every=every) for key, (choice, every) in _CHOICES.items()},
}


def _on_members(state: ReviewState, key: str, window: Window) -> Step:
    assert state.group is not None
    if key in _MOVES:
        lines, pages = _MOVES[key]
        wanted = state.choosing + lines + pages * window.height
        return replace(state, choosing=max(0, min(wanted, len(state.group.members) - 1))), None
    if key == "enter":
        return replace(state, screen=Screen.GROUP, member=state.choosing, scroll=None), None
    if key == "t":
        return _take_out(replace(state, member=state.choosing)), None
    return replace(state, screen=Screen.GROUP) if key in {"esc", "g", "q"} else state, None


def _on_filter(state: ReviewState, key: str, _window: Window) -> Step:
    if key == "esc":
        return replace(state, screen=Screen.GROUP), None
    if key != "enter":
        text = state.typed[:-1] if key == "backspace" else "" if key == "ctrl-u" else state.typed
        return replace(state, typed=text + forms.text_of(key)), None
    found = begin(replace(state, words=state.typed.strip(), screen=Screen.GROUP))
    if found.groups:
        return found, None
    message = f"Nothing is called {state.typed.strip()!r}; the filter is as it was."
    return replace(state, screen=Screen.GROUP, message=message), None


def _on_form(state: ReviewState, key: str, _window: Window) -> Step:
    form = state.form
    assert form is not None
    if key == "esc":
        reason = form.fields.get("reason", state.reason)
        return replace(state, screen=Screen.GROUP, form=None, reason=reason), None
    if key in _FIELD_STEPS:
        return replace(state, form=forms.moved(form, _FIELD_STEPS[key])), None
    if key != "enter":
        return (state, Effect.EDIT) if key == "ctrl-e" else (forms.typed(state, key), None)
    return _finished(state, form)


def _finished(state: ReviewState, form: Form) -> Step:
    """Enter in a form. What is breaking is asked about once more."""
    if form.choice is not Choice.ACCEPT:
        return state, Effect.NOTE
    if not form.fields["reason"].strip():
        return replace(state, message="Say why: the reason is shown in every report."), None
    if forms.breaking(forms.coverage(state)):
        return replace(state, screen=Screen.CONFIRM), None
    return state, Effect.ACCEPT


_FIELD_STEPS = {"tab": 1, "down": 1, "backtab": -1, "up": -1}


def _on_confirm(state: ReviewState, key: str, _window: Window) -> Step:
    if key == "y":
        return replace(state, screen=Screen.FORM), Effect.ACCEPT
    message = "Nothing was accepted. y would have." if key == "enter" else ""
    return replace(state, screen=Screen.FORM, message=message), None


def _on_end(state: ReviewState, key: str, _window: Window) -> Step:
    if key in {"q", "enter"}:
        return state, Effect.QUIT
    if key in {"b", "esc"}:
        return shown(state, state.at), None
    if key == "s":
        return begin(replace(state, skipped=frozenset(), screen=Screen.GROUP)), None
    return state, Effect.UNDO if key == "u" else None


_SCREENS: Mapping[Screen, Callable[[ReviewState, str, Window], Step]] = {
    Screen.GROUP: _on_group,
    Screen.MEMBERS: _on_members,
    Screen.FORM: _on_form,
    Screen.CONFIRM: _on_confirm,
    Screen.FILTER: _on_filter,
    Screen.END: _on_end,
}
