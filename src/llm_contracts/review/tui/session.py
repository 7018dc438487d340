"""A review while somebody is at it: keys in, screens out, decisions written as they are made."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from llm_contracts.parity.waivers import WaiverError
from llm_contracts.results.items import StoredResultError
from llm_contracts.review import session as reviewing
from llm_contracts.review.decisions import Choice, DecisionsError
from llm_contracts.review.session import FileChange, ReviewError, ReviewSession, reread
from llm_contracts.review.tui import forms
from llm_contracts.review.tui.keys import Effect, Window, press
from llm_contracts.review.tui.screens import Frame, frame, layout
from llm_contracts.review.tui.state import ReviewState, Screen, begin, onward, shown
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
        self._undo: list[tuple[tuple[FileChange, ...], ReviewState]] = []
        self._window = Window()
        self._item: Item | None = None
        self._layout: tuple[object, PageLayout] | None = None
        self._saved = ""
        self.state = _resumed(review, _first_state(review, by))

    def frame(self, size: Size) -> Frame:
        """The screen as it should be now."""
        found = self._drawn(size)
        self._window = found.window
        return found

    def press(self, key: str) -> bool:
        """Take one key; False when the review is to be left."""
        self.state, effect = press(self.state, key, self._window)
        if effect is Effect.QUIT:
            return False
        try:
            if effect is not None:
                self._perform(effect)
            self._keep()
        except _EXPECTED as error:
            self.state = replace(self.state, message=str(error))
        return True

    def _keep(self) -> None:
        """Write down where the review stands, for the next time, however this one ends. Nothing is written
        where nothing may be decided.
        """
        now = _saved(self._review, self.state)
        if now != self._saved and not self._review.read_only:
            replace_file(self._review.stored.folder / STATE, now)
            self._saved = now

    def _drawn(self, size: Size) -> Frame:
        try:
            return frame(self.state, self._whole_item(), self._laid_out, self._drawing, size)
        except StoredResultError as error:
            self.state = replace(self.state, message=str(error))
            light = replace(self._light_item(), problem=str(error))
            return frame(self.state, light, self._laid_out, self._drawing, size)

    def _whole_item(self) -> Item | None:
        focus = self.state.focus
        if focus is None:
            return None
        if self._item is None or self._item.id != focus.item:
            self._item = self._review.stored.item(focus.item)
        return self._item

    def _light_item(self) -> Item:
        assert self.state.focus is not None
        name = self.state.focus.item
        self._item = next(item for item in self._review.stored.items() if item.id == name)
        return self._item

    def _laid_out(self, state: ReviewState, width: int) -> PageLayout:
        """A long page is laid out once, not for every line that is scrolled."""
        assert self._item is not None
        assert state.focus is not None
        key = (state.focus.fingerprint, state.shown_view, state.entire, width)
        if self._layout is None or self._layout[0] != key:
            self._layout = (key, layout(state, self._item, width, self._drawing))
        return self._layout[1]

    def _perform(self, effect: Effect) -> None:
        actions: Mapping[Effect, Callable[[], None]] = {
            Effect.ACCEPT: self._accept,
            Effect.NOTE: self._note,
            Effect.UNDO: self._take_back,
            Effect.EDIT: self._edit_field,
        }
        actions[effect]()

    def _accept(self) -> None:
        form = self.state.form
        assert form is not None
        until = reviewing.day_of(form.fields["until"])
        reviewing.checked_terms(form.fields["reason"], form.fields["by"], until, self._review.today)
        change = reviewing.accept(self._review, forms.coverage(self.state).rows)
        self._decided(
            (change,), f"Accepted until {until}.", by=form.fields["by"], reason=form.fields["reason"]
        )

    def _note(self) -> None:
        form = self.state.form
        assert form is not None
        change = reviewing.note(self._review, forms.decision(self.state))
        message = (
            "Marked: it needs a fix." if form.choice is Choice.FIX else "Marked as noise; it still counts."
        )
        self._decided((change,), message)

    def _decided(
        self, changes: tuple[FileChange, ...], message: str, *, by: str = "", reason: str = ""
    ) -> None:
        before = self.state
        self._undo.append((changes, before))
        self._reread()
        state = replace(self.state, form=None, reason=reason or before.reason, by=by or before.by)
        group = state.group
        unfinished = group is not None and not (before.form and before.form.every) and state.left(group)
        moved = shown(state, state.at) if unfinished else onward(state)
        self.state = replace(moved, message=message)

    def _take_back(self) -> None:
        if not self._undo:
            self.state = replace(self.state, message="There is nothing to undo.")
            return
        changes, before = self._undo[-1]
        for change in reversed(changes):
            reviewing.undo(change)
        self._undo.pop()
        self.state = replace(before, screen=Screen.GROUP, form=None, message="Undone.")
        self._reread()

    def _reread(self) -> None:
        self._review = reread(self._review)
        since = {m.fingerprint for m in self.state.members}
        accepted = {name: waiver for name, waiver in self._review.accepted.items() if name in since}
        self.state = replace(self.state, accepted=accepted, noted=self._review.noted)

    def _edit_field(self) -> None:
        form = self.state.form
        assert form is not None
        name = form.field if form.field != "scope" else next(iter(form.fields))
        text = self._edit(form.fields[name])
        if text is None:
            self.state = replace(self.state, message="The editor did not work: set EDITOR, or type here.")
        else:
            self.state = forms.filled(self.state, name, " ".join(text.split()))


def _first_state(review: ReviewSession, by: str) -> ReviewState:
    return ReviewState(
        members=review.open,
        noted=review.noted,
        by=by,
        until=review.default_until,
        refusal=review.read_only,
        no_waivers=review.no_waivers,
    )


# Where an interrupted review stood


def _saved(review: ReviewSession, state: ReviewState) -> str:
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
    saved = _read(review.stored.folder / STATE)
    if saved.get("run") != review.stored.run:
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


def _read(file: Path) -> dict[str, Any]:
    try:
        value = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return value if isinstance(value, dict) and value.get("format") == _FORMAT else {}
