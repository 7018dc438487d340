"""What each key does: a state and a key give the next state, and sometimes something to be done outside."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from llm_contracts.parity.divergence import Severity
from llm_contracts.review.decisions import Choice
from llm_contracts.review.tui import forms
from llm_contracts.review.tui.evidence import View, first_view
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


HELP: tuple[tuple[str, tuple[tuple[str, str], ...]], ...] = (
    (
        "decide",
        (
            ("a, Enter", "accept, with a reason (breaking: only a)"),
            ("r", "needs a fix: it goes on failing"),
            ("x", "noise: it goes on failing, too"),
            ("s, Space", "skip for now"),
            ("A  R  S", "the same for all left (A: not breaking)"),
            ("e", "write the reason in $EDITOR"),
            ("u", "undo"),
        ),
    ),
    (
        "look",
        (
            ("v", "lanes, wire, request, time line"),
            ("n", "next difference in this view"),
            ("d", "only what differs, or all of it"),
            ("j k, arrows", "down, up; PgDn, PgUp, Home, End"),
            ("i", "hide or show the recording's facts"),
        ),
    ),
    (
        "go",
        (
            ("b  f", "to the group before, or after"),
            ("[ ], left right", "another recording of this group"),
            ("g", "list them"),
            ("t", "take this one out, or put it back"),
            ("/", "filter"),
            ("q", "leave; everything is kept"),
        ),
    ),
)
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
    return _SCREENS[state.screen](replace(state, message=""), key, window)


def _on_group(state: ReviewState, key: str, window: Window) -> Step:
    if key in _MOVES:
        lines, pages = _MOVES[key]
        return replace(state, scroll=max(0, window.top + lines + pages * window.height)), None
    if key == "esc" and state.words:
        return begin(replace(state, words="")), None
    if key == "n":
        told = "" if window.following is not None else "Nothing differs in this view."
        return replace(state, scroll=window.following, message=told), None
    if key in _PLAIN:
        return _PLAIN[key](state), None
    return (state, _EFFECTS[key]) if key in _EFFECTS else _decide(state, key)


def _decide(state: ReviewState, key: str) -> Step:
    if key == "enter" and state.group is not None and state.group.severity is Severity.BREAKING:
        told = "This is breaking: Enter does not accept it. Press a to accept it on purpose."
        return replace(state, message=told), None
    if key == "e":
        form = forms.opened(state, Choice.ACCEPT)
        return form, Effect.EDIT if form.form is not None else None
    choice, every = _CHOICES.get(key, (None, False))
    return (forms.opened(state, choice, every=every), None) if choice else (state, None)


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
_EFFECTS = {"u": Effect.UNDO, "q": Effect.QUIT}


def _skip(state: ReviewState) -> ReviewState:
    group = state.group
    return state if group is None else onward(replace(state, skipped=state.skipped | {group.id}))


def _skip_all(state: ReviewState) -> ReviewState:
    rest = {group.id for group in remaining(state, breaking=True)}
    return onward(replace(state, skipped=state.skipped | rest))


def _other_member(by: int) -> Callable[[ReviewState], ReviewState]:
    def move(state: ReviewState) -> ReviewState:
        if state.group is None:
            return state
        count = len(state.group.members)
        return replace(state, member=(state.member + by) % count, scroll=None)

    return move


def _next_view(state: ReviewState) -> ReviewState:
    views = list(View)
    now = view_of(state)
    return replace(state, view=views[(views.index(now) + 1) % len(views)], scroll=None)


def view_of(state: ReviewState) -> View:
    """The view on the screen: the one chosen, else the one that shows this kind best."""
    if state.view is not None or state.group is None:
        return state.view or View.LANES
    return first_view(state.group.kind)


def take_out(state: ReviewState) -> ReviewState:
    """Split the member that is shown out of its group, or put it back, and stay with it."""
    member, group = state.focus, state.group
    if member is None or group is None:
        return state
    if not group.apart and len(group.members) == 1:
        return replace(state, message="It is the only one in its group.")
    apart = state.apart ^ {member.fingerprint}
    changed = regrouped(replace(state, apart=apart))
    at = next(n for n, g in enumerate(changed.groups) if member in g.members)
    told = "Put back into its group." if group.apart else "Taken out: it is a decision of its own now."
    opened = shown(changed, at)
    return replace(opened, member=changed.groups[at].members.index(member), message=told)


_PLAIN: Mapping[str, Callable[[ReviewState], ReviewState]] = {
    "s": _skip,
    "space": _skip,
    "S": _skip_all,
    "i": lambda state: replace(state, info=not state.info),
    "d": lambda state: replace(state, entire=not state.entire, scroll=None),
    "v": _next_view,
    "b": lambda state: shown(state, state.at - 1),
    "f": lambda state: shown(state, state.at + 1),
    "]": _other_member(1),
    "right": _other_member(1),
    "[": _other_member(-1),
    "left": _other_member(-1),
    "t": take_out,
    "g": lambda state: replace(state, screen=Screen.MEMBERS, choosing=state.member),
    "/": lambda state: replace(state, screen=Screen.FILTER, typed=state.words),
    "?": lambda state: replace(state, screen=Screen.HELP),
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
        return take_out(replace(state, member=state.choosing)), None
    if key in {"esc", "g", "q"}:
        return replace(state, screen=Screen.GROUP), None
    return state, None


def _on_help(state: ReviewState, _key: str, _window: Window) -> Step:
    return replace(state, screen=Screen.GROUP), None


def _on_filter(state: ReviewState, key: str, _window: Window) -> Step:
    if key == "esc":
        return replace(state, screen=Screen.GROUP), None
    if key == "enter":
        return _filtered(state), None
    text = state.typed[:-1] if key == "backspace" else "" if key == "ctrl-u" else state.typed
    return replace(state, typed=text + forms.text_of(key)), None


def _filtered(state: ReviewState) -> ReviewState:
    found = begin(replace(state, words=state.typed.strip(), screen=Screen.GROUP))
    if found.groups:
        return found
    told = f"Nothing is called {state.typed.strip()!r}; the filter is as it was."
    return replace(state, screen=Screen.GROUP, message=told)


def _on_form(state: ReviewState, key: str, _window: Window) -> Step:
    form = state.form
    assert form is not None
    if key == "esc":
        reason = form.fields.get("reason", state.reason)
        return replace(state, screen=Screen.GROUP, form=None, reason=reason), None
    if key in _FIELD_STEPS:
        return replace(state, form=forms.moved(form, _FIELD_STEPS[key])), None
    if key == "enter":
        return _finished(state, form)
    return (state, Effect.EDIT) if key == "ctrl-e" else (forms.typed(state, key), None)


_FIELD_STEPS = {"tab": 1, "down": 1, "backtab": -1, "up": -1}


def _finished(state: ReviewState, form: Form) -> Step:
    """Enter in a form. What is breaking is asked about once more."""
    if form.choice is not Choice.ACCEPT:
        return state, Effect.NOTE
    if not form.fields["reason"].strip():
        return replace(state, message="Say why: the reason is shown in every report."), None
    if forms.needs_yes(state):
        return replace(state, screen=Screen.CONFIRM), None
    return state, Effect.ACCEPT


def _on_confirm(state: ReviewState, key: str, _window: Window) -> Step:
    if key == "y":
        return replace(state, screen=Screen.FORM), Effect.ACCEPT
    told = "Nothing was accepted. y would have." if key == "enter" else ""
    return replace(state, screen=Screen.FORM, message=told), None


def _on_end(state: ReviewState, key: str, _window: Window) -> Step:
    if key in {"q", "enter"}:
        return state, Effect.QUIT
    if key == "u":
        return state, Effect.UNDO
    if key in {"b", "esc"} and state.groups:
        return shown(state, state.at), None
    if key == "s":
        return begin(replace(state, skipped=frozenset(), screen=Screen.GROUP)), None
    return state, None


_SCREENS: Mapping[Screen, Callable[[ReviewState, str, Window], Step]] = {
    Screen.GROUP: _on_group,
    Screen.MEMBERS: _on_members,
    Screen.HELP: _on_help,
    Screen.FORM: _on_form,
    Screen.CONFIRM: _on_confirm,
    Screen.FILTER: _on_filter,
    Screen.END: _on_end,
}
