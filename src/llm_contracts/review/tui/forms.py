"""The form of an acceptance or a note: what is typed into it, and what it would cover."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date

from llm_contracts.parity.decision_groups import DecisionGroup, Member
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
    if state.group is None or not meant_groups(state, choice, every=every):
        return replace(state, message="Nothing is left here to decide about.")
    fields = {"note": ""}
    if choice is Choice.ACCEPT:
        fields = {"reason": state.reason, "scope": "", "until": f"{state.defaults.until}"}
        fields["by"] = state.defaults.by
    if every:
        fields.pop("scope", None)
    scope = Scope.GROUP
    return replace(
        state,
        screen=Screen.FORM,
        form=Form(
            choice=choice,
            fields=fields,
            scope=scope,
            untouched=frozenset({"until", "by"} & fields.keys()),
            every=every,
        ),
        message="",
    )


def meant_groups(state: ReviewState, choice: Choice, *, every: bool) -> tuple[DecisionGroup, ...]:
    """The groups that a form is about. All at once never accepts what is breaking."""
    if every:
        return remaining(state, breaking=choice is not Choice.ACCEPT)
    return (state.group,) if state.group is not None else ()


def typed(state: ReviewState, key: str) -> ReviewState:
    """A key in a form that is no command: text, or moving about."""
    form = state.form
    assert form is not None
    value = form.fields[form.field]
    if form.field == "scope":
        return replace(state, form=_scoped(form, key))
    if key == "backspace":
        value = value[:-1]
    elif key == "ctrl-u":
        value = ""
    elif key == "ctrl-w":
        value = value.rstrip().rpartition(" ")[0]
    text = text_of(key)
    if text and form.field in form.untouched:
        value = ""
    return filled(state, form.field, value + text)


def text_of(key: str) -> str:
    """The text that a key stands for; empty for keys that are no text."""
    if key.startswith(PASTED):
        return key.removeprefix(PASTED)
    return " " if key == "space" else key if len(key) == 1 and key.isprintable() else ""


def filled(state: ReviewState, name: str, value: str) -> ReviewState:
    """The form with another value in a field."""
    assert state.form is not None
    form = replace(
        state.form,
        fields={**state.form.fields, name: value},
        untouched=state.form.untouched - {name},
    )
    return replace(state, form=form, message="")


def moved(form: Form, by: int) -> Form:
    """The cursor in the next field or the one before."""
    return replace(form, at=(form.at + by) % len(form.names))


def _scoped(form: Form, key: str) -> Form:
    at = _ORDER.index(form.scope)
    if key in {"right", "space", "l"}:
        return replace(form, scope=_ORDER[(at + 1) % len(_ORDER)])
    if key in {"left", "h"}:
        return replace(form, scope=_ORDER[at - 1])
    if key.isdigit() and 1 <= int(key) <= len(_ORDER):
        return replace(form, scope=_ORDER[int(key) - 1])
    return form


def coverage(state: ReviewState) -> Coverage:
    """What the acceptance in the form would cover. Its terms need not be complete yet."""
    form, focus = state.form, state.focus
    assert form is not None
    assert focus is not None
    terms = _draft_terms(state)
    open_members = state.unaccepted
    if form.every:
        return _covering_all(state, terms, open_members)
    assert state.group is not None
    here = [m for m in chosen(state.group, focus, form.scope) if m.fingerprint not in state.accepted]
    return cover(here, form.scope, open_members, terms)


def _covering_all(state: ReviewState, terms: Terms, open_members: Sequence[Member]) -> Coverage:
    groups = meant_groups(state, Choice.ACCEPT, every=True)
    meant = [member for group in groups for member in state.left(group)]
    return cover(meant, Scope.GROUP, open_members, terms)


def _draft_terms(state: ReviewState) -> Terms:
    assert state.form is not None
    fields = state.form.fields
    try:
        until = date.fromisoformat(fields["until"].strip())
    except ValueError:
        until = state.defaults.until
    return Terms(reason=" ".join(fields["reason"].split()), by=" ".join(fields["by"].split()), until=until)


def decision(state: ReviewState) -> tuple[Decision, ...]:
    """The notes that the form gives, one for each group it is about."""
    form = state.form
    assert form is not None
    found = []
    for group in meant_groups(state, form.choice, every=form.every):
        undecided = state.left(group) or tuple(
            m for m in group.members if m.fingerprint not in state.accepted
        )
        note = form.fields["note"].strip()
        prints = tuple(member.fingerprint for member in undecided)
        if prints:
            found.append(Decision(choice=form.choice, fingerprints=prints, group=group.title, note=note))
    return tuple(found)


def needs_yes(state: ReviewState) -> bool:
    """Whether the acceptance covers anything breaking, in the group or besides."""
    found = coverage(state)
    return any(m.divergence.severity is Severity.BREAKING for m in (*found.meant, *found.others))
