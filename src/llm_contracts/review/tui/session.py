"""A review while somebody is at it: keys in, screens out, decisions written as they are made."""

from __future__ import annotations

import json
from dataclasses import replace
from functools import lru_cache

import click
from prompt_toolkit.document import Document
from rich.console import ConsoleDimensions as Size
from rich.text import Text

from llm_contracts.parity.result import Item
from llm_contracts.parity.waivers import WaiverError
from llm_contracts.results.items import StoredResultError
from llm_contracts.review import session as reviewing
from llm_contracts.review.decisions import Choice, DecisionsError
from llm_contracts.review.session import FileChange, ReviewError, ReviewSession, reread
from llm_contracts.review.tui import forms
from llm_contracts.review.tui.drawing import safe
from llm_contracts.review.tui.keys import Effect, Frame, press
from llm_contracts.review.tui.screens import dialog, group_screen, layout, page_width
from llm_contracts.review.tui.state import ReviewState, begin, onward, shown
from llm_contracts.util.files import replace_file
from llm_contracts.wire.scrub import SecretFound

STATE = "review.json"
_FORMAT = 1
_EXPECTED = (ReviewError, WaiverError, DecisionsError, StoredResultError, SecretFound, OSError)


class InteractiveReview:
    """One review. What is decided is in the files at once; where it stands is saved after every key.

    Args:
        review: the result and the decisions about it.
        by: who reviews, as far as known.
    """

    def __init__(self, review: ReviewSession, *, by: str) -> None:
        self._undo: list[tuple[FileChange, ReviewState]] = []
        self._on = Frame()
        self._item = lru_cache(maxsize=1)(self._read)
        # A long page is laid out once, not for every line that is scrolled.
        self._layout = lru_cache(maxsize=1)(lambda key: layout(self.state, self._item(key[0]), key[-1]))
        self._saved = ""
        self.state = _resumed(ReviewState(session=review, members=review.open, by=by))

    def frame(self, size: Size) -> tuple[Text, ...]:
        """The screen as it should be now."""
        if lines := dialog(self.state, size):
            self._on = Frame(lines=lines, height=max(size.height - 6, 1))
        else:
            state, focus = self.state, self.state.focus
            item = self._item(focus.item)
            key = (focus.item, focus.fingerprint, state.shown_view, state.entire, page_width(size))
            self._on = group_screen(self.state, item, self._layout(key), size)
        marked = (n for n, line in enumerate(self._on.lines) if line.plain.startswith(" > "))
        cursor = max(marked, default=0)  # stays in sight on a low screen
        first = max(0, min(cursor - size.height // 2, len(self._on.lines) - size.height))
        return tuple(map(safe, self._on.lines[first : first + size.height]))

    def press(self, key: str) -> Effect | None:
        """Take one key. What is left to the terminal comes back: to leave, or to open the editor (`edit`).

        Where the review stands is written down for the next time, however this one ends, unless nothing may
        be decided here.
        """
        self.state, effect = press(self.state, key, self._on)
        if effect in {Effect.QUIT, Effect.EDIT}:
            return effect
        try:
            if effect is Effect.UNDO:
                self._take_back()
            elif effect is not None:
                self._decide(effect)
            now = _position(self.state)
            if now != self._saved and not self.state.session.read_only:
                replace_file(self.state.session.stored.folder / STATE, now)
                self._saved = now
        except _EXPECTED as error:
            self.state = replace(self.state, message=str(error))
        return None

    def edit(self) -> None:
        """Have the field with the cursor edited in $VISUAL or $EDITOR."""
        form = self.state.form
        assert form is not None
        name = form.field if form.field != "scope" else next(iter(form.fields))
        try:
            text = click.edit(form.text(name) + "\n", extension=".txt")
        except click.ClickException:
            self.state = replace(self.state, message="The editor did not work: set EDITOR, or type here.")
            return
        if text is not None:
            self.state = forms.filled(self.state, form, name, Document(" ".join(text.split())))

    def _read(self, name: str) -> Item:
        try:
            return self.state.session.stored.item(name)
        except StoredResultError as error:  # its line cannot be read: what the result says of it can
            self.state = replace(self.state, message=str(error))
            light = next(each for each in self.state.session.stored.result.items if each.id == name)
            return replace(light, problem=str(error))

    def _decide(self, effect: Effect) -> None:
        """Write it down and go on: to what is left of the group, else to the next. Reason and name stay."""
        before, form = self.state, self.state.form
        assert form is not None
        if effect is Effect.ACCEPT:
            until = reviewing.day_of(form.text("until"))
            reviewing.checked_terms(form.text("reason"), form.text("by"), until, self.state.session.today)
            change = reviewing.accept(self.state.session, forms.coverage(before).rows)
            message = f"Accepted until {until}."
        else:
            change = reviewing.note(self.state.session, [forms.decision(before)])
            fix = form.choice is Choice.FIX
            message = "Marked: it needs a fix." if fix else "Marked as noise; it still counts."
        self._undo.append((change, before))
        session = reread(before.session)
        reason, by = form.text("reason") or before.reason, form.text("by") or before.by
        state = replace(before, session=session, form=None, reason=reason, by=by)
        after = shown(state, state.at) if state.left(state.group) else onward(state, state.at + 1)
        self.state = replace(after, message=message)

    def _take_back(self) -> None:
        if not self._undo:
            self.state = replace(self.state, message="There is nothing to undo.")
            return
        change, before = self._undo[-1]
        reviewing.undo(self.state.session, change)
        self._undo.pop()
        self.state = replace(before, session=reread(before.session), form=None, message="Undone.")


# Where an interrupted review stood


def _position(state: ReviewState) -> str:
    values = {
        "format": _FORMAT,
        "run": state.session.stored.run,
        "group": state.group.id,
        "skipped": sorted(state.skipped),
        "filter": state.words,
    }
    return json.dumps(values, ensure_ascii=False, indent=2) + "\n"


def _resumed(state: ReviewState) -> ReviewState:
    """Where the last review of this run was left; the beginning where that cannot be read."""
    stored = state.session.stored
    try:
        saved = json.loads((stored.folder / STATE).read_text(encoding="utf-8"))
        ours = (saved["format"], saved["run"]) == (_FORMAT, stored.run)
        begun = begin(replace(state, skipped=frozenset(saved["skipped"]), words=str(saved["filter"])))
        at = next((n for n, group in enumerate(begun.groups) if group.id == saved["group"]), None)
    except (OSError, ValueError, TypeError, LookupError):
        return begin(state)
    if not (ours and begun.groups):
        return begin(state)
    if at is None or not begun.left(begun.groups[at]):
        return begun
    return replace(shown(begun, at), message="Taken up where you left it." if at else "")
