"""The form of an acceptance, a note or the filter: what is typed into it, and what it would cover."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import date

from prompt_toolkit.buffer import Buffer
from prompt_toolkit.document import Document

from llm_contracts.parity.decision_groups import Member
from llm_contracts.parity.divergence import Severity
from llm_contracts.review.coverage import SCOPES, Coverage, Terms, chosen, cover
from llm_contracts.review.decisions import Choice, Decision, Scope
from llm_contracts.review.tui.state import Form, ReviewState

PASTED = "pasted:"
"""Begins a key that is a whole text: what is pasted must not press Enter."""

_EDITS: Mapping[str, Callable[[Buffer], object]] = {
    "left": Buffer.cursor_left,
    "right": Buffer.cursor_right,
    "home": lambda buffer: buffer.cursor_left(buffer.cursor_position),
    "end": lambda buffer: buffer.cursor_right(len(buffer.text)),
    "backspace": Buffer.delete_before_cursor,
    "delete": Buffer.delete,
    "ctrl-u": Buffer.reset,
    "ctrl-w": lambda buffer: buffer.delete_before_cursor(
        -(buffer.document.find_start_of_previous_word(WORD=True) or 0)
    ),
}


def opened(state: ReviewState, choice: Choice) -> ReviewState:
    """A form for the group that is shown, filled with what is known."""
    refusal = state.session.read_only or (state.session.no_waivers if choice is Choice.ACCEPT else "")
    if refusal:
        return replace(state, message=refusal)
    fields = {"note": "", "scope": ""}
    if choice is Choice.ACCEPT:
        until = str(state.session.default_until)
        fields = {"reason": state.reason, "scope": "", "until": until, "by": state.by}
    return _begun(state, choice, fields)


def filtering(state: ReviewState) -> ReviewState:
    """The form of the filter."""
    return _begun(state, None, {"filter": state.words})


def _begun(state: ReviewState, choice: Choice | None, fields: Mapping[str, str]) -> ReviewState:
    typed = {name: Document(text) for name, text in fields.items()}
    return replace(state, form=Form(choice=choice, fields=typed, untouched=frozenset({"until", "by"})))


def scopes_of(form: Form) -> tuple[Scope, ...]:
    """How far a decision may reach: a note no farther than its group."""
    return tuple(scope for scope in SCOPES if form.choice is Choice.ACCEPT or scope is not Scope.FIELD)


def typed(state: ReviewState, form: Form, key: str) -> ReviewState:
    """A key in a form that is not a command: text, or moving about."""
    if form.field == "scope":
        scopes = scopes_of(form)
        number = int(key) - 1 if key.isdecimal() else -1
        if number not in range(len(scopes)):
            by = 1 if key in {"right", " "} else -1 if key == "left" else 0
            number = (scopes.index(form.scope) + by) % len(scopes)
        return replace(state, form=replace(form, scope=scopes[number]))
    text = key.removeprefix(PASTED) if len(key) == 1 or key.startswith(PASTED) else ""
    if not text and key not in _EDITS:
        return state
    new = text and form.field in form.untouched
    buffer = Buffer(document=Document() if new else form.fields[form.field], multiline=False)
    if text:
        buffer.insert_text(text)
    else:
        _EDITS[key](buffer)
    return filled(state, form, form.field, buffer.document)


def filled(state: ReviewState, form: Form, name: str, typed: Document) -> ReviewState:
    """The form with something else in a field."""
    fields = {**form.fields, name: typed}
    return replace(state, form=replace(form, fields=fields, untouched=form.untouched - {name}))


def coverage(state: ReviewState) -> Coverage:
    """What the acceptance in the form would cover. Its terms need not be complete yet."""
    form = state.form
    assert form is not None
    try:
        until = date.fromisoformat(form.text("until").strip())
    except ValueError:
        until = state.session.default_until
    reason, by = (" ".join(form.text(name).split()) for name in ("reason", "by"))
    terms = Terms(reason=reason, by=by, until=until)
    return cover(_not_accepted(state, form), form.scope, state.session.open, terms)


def decision(state: ReviewState) -> Decision:
    """The note that the form gives, about what nobody has decided; else about all that is not accepted."""
    form = state.form
    assert form is not None
    assert form.choice is not None
    meant = _not_accepted(state, form)
    left = [m for m in meant if m.fingerprint not in state.session.noted]
    prints = tuple(member.fingerprint for member in left or meant)
    note = form.text("note").strip()
    return Decision(choice=form.choice, fingerprints=prints, group=state.group.title, note=note)


def _not_accepted(state: ReviewState, form: Form) -> list[Member]:
    accepted = state.session.accepted
    return [m for m in chosen(state.group, state.focus, form.scope) if m.fingerprint not in accepted]


def breaking(found: Coverage) -> int:
    """How many breaking differences an acceptance would cover, meant or not."""
    return sum(m.divergence.severity is Severity.BREAKING for m in (*found.meant, *found.others))
