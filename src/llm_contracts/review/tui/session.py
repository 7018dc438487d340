"""A review while somebody is at it: keys in, screens out, decisions written as they are made."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from llm_contracts.parity.waivers import WaiverError
from llm_contracts.results.items import StoredResultError
from llm_contracts.review import session as reviewing
from llm_contracts.review.decisions import Choice, DecisionsError
from llm_contracts.review.session import FileChange, ReviewError, ReviewSession, reread
from llm_contracts.review.tui import forms
from llm_contracts.review.tui.keys import Effect, Window, press
from llm_contracts.review.tui.screens import Frame, frame, layout
from llm_contracts.review.tui.state import Form, ReviewState, Screen, begin, onward, shown
from llm_contracts.util.files import replace_file
from llm_contracts.wire.scrub import SecretFound

if TYPE_CHECKING:
    from llm_contracts.parity.result import Item
    from llm_contracts.review.tui.drawing import Drawing, Size
    from llm_contracts.review.tui.paint import PageLayout

STATE = "review.json"
_FORMAT = 1
_EXPECTED = (ReviewError, WaiverError, DecisionsError, StoredResultError, SecretFound, OSError)

Edit = Callable[[str], str | None]
"""Lets a person edit a text elsewhere; None if that did not work."""


class InteractiveReview:
    """One review. What is decided is in the files at once; where it stands is saved after every key.

    Args:
        review: the result and the decisions about it.
        drawing: how to draw.
        by: who reviews, as far as known.
        edit: opens the person's own editor.
    """

    def __init__(self, review: ReviewSession, drawing: Drawing, *, by: str, edit: Edit) -> None:
        self._review = review
        self._drawing = drawing
        self._edit = edit
        self._undo: list[tuple[FileChange, ReviewState]] = []
        self._window = Window()
        self._item: Item | None = None
        self._layout: tuple[object, PageLayout] | None = None
        self._saved = ""
        first = ReviewState(
            members=review.open,
            noted=review.noted,
            by=by,
            until=review.default_until,
            refusal=review.read_only,
            no_waivers=review.no_waivers,
        )
        self.state = _resumed(review, first)

    def frame(self, size: Size) -> Frame:
        """The screen as it should be now."""
        name = self.state.focus.item if self.state.focus is not None else None
        if name is not None and (self._item is None or self._item.id != name):
            try:
                self._item = self._review.stored.item(name)
            except StoredResultError as error:  # its line cannot be read: what the result says of it can
                self.state = replace(self.state, message=str(error))
                light = next(each for each in self._review.stored.items() if each.id == name)
                self._item = replace(light, problem=str(error))
        item = None if name is None else self._item
        found = frame(self.state, item, self._laid_out, self._drawing, size)
        self._window = found.window
        return found

    def press(self, key: str) -> bool:
        """Take one key; False when the review is to be left. Where it stands is written down for the next
        time, however this one ends, unless nothing may be decided here.
        """
        self.state, effect = press(self.state, key, self._window)
        if effect is Effect.QUIT:
            return False
        try:
            if effect is not None:
                self._perform(effect)
            now = _position(self._review, self.state)
            if now != self._saved and not self._review.read_only:
                replace_file(self._review.stored.folder / STATE, now)
                self._saved = now
        except _EXPECTED as error:
            self.state = replace(self.state, message=str(error))
        return True

    def _laid_out(self, state: ReviewState, width: int) -> PageLayout:
        """A long page is laid out once, not for every line that is scrolled."""
        assert self._item is not None
        assert state.focus is not None
        key = (state.focus.fingerprint, state.shown_view, state.entire, width)
        if self._layout is None or self._layout[0] != key:
            self._layout = (key, layout(state, self._item, width, self._drawing))
        return self._layout[1]

    def _perform(self, effect: Effect) -> None:
        if effect is Effect.UNDO:
            self._take_back()
            return
        form = self.state.form
        assert form is not None
        if effect is Effect.EDIT:
            name = form.field if form.field != "scope" else next(iter(form.fields))
            text = self._edit(form.fields[name])
            if text is None:
                message = "The editor did not work: set EDITOR, or type here."
                self.state = replace(self.state, message=message)
            else:
                self.state = forms.filled(self.state, name, " ".join(text.split()))
        elif effect is Effect.ACCEPT:
            until = reviewing.day_of(form.fields["until"])
            reviewing.checked_terms(form.fields["reason"], form.fields["by"], until, self._review.today)
            change = reviewing.accept(self._review, forms.coverage(self.state).rows)
            self._decided(change, form, f"Accepted until {until}.")
        else:
            change = reviewing.note(self._review, forms.decision(self.state))
            fix = form.choice is Choice.FIX
            what = "Marked: it needs a fix." if fix else "Marked as noise; it still counts."
            self._decided(change, form, what)

    def _decided(self, change: FileChange, form: Form, message: str) -> None:
        """Go on: to what is left of the group, else to the next. Reason and name stay for the next form."""
        self._undo.append((change, self.state))
        self._reread()
        reason, by = form.fields.get("reason", ""), form.fields.get("by", "")
        state = replace(self.state, form=None, reason=reason or self.state.reason, by=by or self.state.by)
        unfinished = state.group is not None and not form.every and state.left(state.group)
        moved = shown(state, state.at) if unfinished else onward(state)
        self.state = replace(moved, message=message)

    def _take_back(self) -> None:
        if not self._undo:
            self.state = replace(self.state, message="There is nothing to undo.")
            return
        change, before = self._undo[-1]
        reviewing.undo(change)
        self._undo.pop()
        self.state = replace(before, screen=Screen.GROUP, form=None, message="Undone.")
        self._reread()

    def _reread(self) -> None:
        self._review = reread(self._review)
        since = {m.fingerprint for m in self.state.members}
        accepted = {name: waiver for name, waiver in self._review.accepted.items() if name in since}
        self.state = replace(self.state, accepted=accepted, noted=self._review.noted)


# Where an interrupted review stood


def _position(review: ReviewSession, state: ReviewState) -> str:
    values: dict[str, Any] = {
        "format": _FORMAT,
        "run": review.stored.run,
        "group": state.group.id if state.group and state.screen is not Screen.END else "",
        "apart": sorted(state.apart),
        "skipped": sorted(state.skipped),
        "filter": state.words,
    }
    return json.dumps(values, ensure_ascii=False, indent=2) + "\n"


def _resumed(review: ReviewSession, state: ReviewState) -> ReviewState:
    """Where the last review of this run was left; the beginning where that cannot be read."""
    try:
        saved = json.loads((review.stored.folder / STATE).read_text(encoding="utf-8"))
    except (OSError, ValueError):
        saved = None
    here = {"format": _FORMAT, "run": review.stored.run}
    if not isinstance(saved, dict) or any(saved.get(name) != value for name, value in here.items()):
        return begin(state)
    known = {member.fingerprint for member in state.members}
    before = replace(
        state,
        apart=frozenset(known & set(saved.get("apart", ()))),
        skipped=frozenset(saved.get("skipped", ())),
        words=str(saved.get("filter", "")),
    )
    begun = begin(before)
    if begun.screen is Screen.END or not begun.groups:
        return begin(replace(before, words="", skipped=frozenset()))  # the skipped ones are asked again
    at = next((n for n, group in enumerate(begun.groups) if group.id == saved.get("group")), None)
    if at is None or not begun.left(begun.groups[at]):
        return begun
    return replace(shown(begun, at), message="Taken up where you left it." if at else "")
