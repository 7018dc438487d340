"""The form of an acceptance or a note: what is typed into it, and what it would cover."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from llm_contracts.parity.decision_groups import DecisionGroup
from llm_contracts.parity.divergence import Severity
from llm_contracts.review.coverage import SCOPES, Coverage, Terms, chosen, cover
from llm_contracts.review.decisions import Choice, Decision, Scope
from llm_contracts.review.tui.state import Form, ReviewState, Screen, remaining

PASTED = "pasted:"
"""Begins a key that is a whole text: what is pasted must not press Enter."""

_ORDER = tuple(SCOPES)


def opened(state: ReviewState, choice: Choice, *, every: bool = False) -> ReviewState:
    """A form for the group that is shown, or for all that are left; filled with what is known."""
    refusal = state.refusal or (state.no_waivers if choice is Choice.ACCEPT else "")
    if refusal:
        return replace(state, message=refusal)
    if not meant_groups(state, choice, every=every):
        return replace(state, message="Nothing is left here to decide about.")
    fields = {"note": ""}
    if choice is Choice.ACCEPT:
        scope = {} if every else {"scope": ""}
        fields = {"reason": state.reason, **scope, "until": str(state.until), "by": state.by}
    untouched = frozenset({"until", "by"} & fields.keys())
    form = Form(choice=choice, fields=fields, untouched=untouched, every=every)
    return replace(state, screen=Screen.FORM, form=form, message="")


def meant_groups(state: ReviewState, choice: Choice, *, every: bool) -> tuple[DecisionGroup, ...]:
    """The groups that a form is about. All at once never accepts what is breaking."""
    if every:
        return remaining(state, breaking=choice is not Choice.ACCEPT)
    return (state.group,) if state.group is not None else ()


def typed(state: ReviewState, key: str) -> ReviewState:
    """A key in a form that is not a command: text, or moving about."""
    form = state.form
    assert form is not None
    if form.field == "scope":
        number = int(key) - 1 if key.isdecimal() else -1
        if number not in range(len(_ORDER)):
            by = 1 if key in {"right", "space", "l"} else -1 if key in {"left", "h"} else 0
            number = (_ORDER.index(form.scope) + by) % len(_ORDER)
        return replace(state, form=replace(form, scope=_ORDER[number]))
    value, text = form.fields[form.field], text_of(key)
    if key == "backspace":
        value = value[:-1]
    elif key == "ctrl-u" or (text and form.field in form.untouched):
        value = ""
    elif key == "ctrl-w":
        value = value.rstrip().rpartition(" ")[0]
    return filled(state, form.field, value + text)


def text_of(key: str) -> str:
    """The text that a key stands for; empty for other keys."""
    if key.startswith(PASTED):
        return key.removeprefix(PASTED)
    return " " if key == "space" else key if len(key) == 1 and key.isprintable() else ""


def filled(state: ReviewState, name: str, value: str) -> ReviewState:
    """The form with another value in a field."""
    form = state.form
    assert form is not None
    fields = {**form.fields, name: value}
    return replace(state, form=replace(form, fields=fields, untouched=form.untouched - {name}), message="")


def moved(form: Form, by: int) -> Form:
    """The cursor in the next field or the one before."""
    return replace(form, at=(form.at + by) % len(form.fields))


def coverage(state: ReviewState) -> Coverage:
    """What the acceptance in the form would cover. Its terms need not be complete yet."""
    form, focus, group = state.form, state.focus, state.group
    assert form is not None
    assert focus is not None
    assert group is not None
    open_members = tuple(m for m in state.members if m.fingerprint not in state.accepted)
    try:
        until = date.fromisoformat(form.fields["until"].strip())
    except ValueError:
        until = state.until
    reason, by = (" ".join(form.fields[name].split()) for name in ("reason", "by"))
    terms = Terms(reason=reason, by=by, until=until)
    if form.every:
        groups = meant_groups(state, Choice.ACCEPT, every=True)
        meant = [member for group in groups for member in state.left(group)]
        return cover(meant, Scope.GROUP, open_members, terms)
    here = [m for m in chosen(group, focus, form.scope) if m.fingerprint not in state.accepted]
    return cover(here, form.scope, open_members, terms)


def decision(state: ReviewState) -> tuple[Decision, ...]:
    """The notes that the form gives, one for each group it is about."""
    form = state.form
    assert form is not None
    found = []
    for group in meant_groups(state, form.choice, every=form.every):
        open_members = [m for m in group.members if m.fingerprint not in state.accepted]
        prints = tuple(member.fingerprint for member in state.left(group) or open_members)
        note = form.fields["note"].strip()
        if prints:
            found.append(Decision(choice=form.choice, fingerprints=prints, group=group.title, note=note))
    return tuple(found)


def breaking(found: Coverage) -> int:
    """How many breaking differences an acceptance would cover, meant or not."""
    return sum(m.divergence.severity is Severity.BREAKING for m in (*found.meant, *found.others))
