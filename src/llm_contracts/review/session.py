"""Decisions about a stored result: what there is to decide, and writing down what was decided.

An acceptance is appended to the project's waivers file. What is to be fixed, and what is called noise, goes
to `decisions.json` beside the result; it changes no verdict.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from contextlib import AbstractContextManager
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from pathlib import Path

from llm_contracts.parity.decision_groups import DecisionGroup, Member, look_up, members_of, queue, without
from llm_contracts.parity.waiver import Waiver
from llm_contracts.parity.waivers import WaiverError, Waivers, load_waivers, says_something
from llm_contracts.project.config import ConfigError, Settings, nearest
from llm_contracts.project.inputs import outdated
from llm_contracts.results.store import Stored
from llm_contracts.review.coverage import Terms
from llm_contracts.review.decisions import Decision, Decisions, parse_decisions, render_decisions
from llm_contracts.review.waiver_text import appended
from llm_contracts.util.files import locked, replace_file
from llm_contracts.util.text import first_names
from llm_contracts.wire.scrub import SecretFound, find_secrets

DECISIONS = "decisions.json"
LONGEST_DAYS = 366
"""Nothing is accepted for longer than so many days: somebody has to look again."""

_SHOWN = 3
_SHORTEST = 4  # characters of an id that are enough, where they fit only one


class ReviewError(Exception):
    """A decision cannot be taken or written. The message says why, and the way out."""


@dataclass(frozen=True, kw_only=True, slots=True)
class FileChange:
    """What a decision did to a file, so that it can be undone.

    Attributes:
        file: the file.
        before: its text; None where there was no file.
        after: its text now.
    """

    file: Path
    before: str | None
    after: str


@dataclass(frozen=True, kw_only=True)
class ReviewSession:
    """A result with the decisions about it.

    Attributes:
        known: provider and id of every scenario of the project.
        secrets: name → value of what must get into no file.
        read_only: why nothing may be decided here; empty where it may.
        no_waivers: why nothing may be accepted, though the rest may be decided; empty where it may.
        members: every difference of the run.
        accepted: fingerprint → the waiver that accepts it, as the file says now.
        noted: fingerprint → what else was decided about it.
    """

    settings: Settings
    stored: Stored
    today: date
    known: frozenset[tuple[str, str]]
    secrets: Mapping[str, str]
    read_only: str
    no_waivers: str
    members: tuple[Member, ...]
    accepted: Mapping[str, Waiver] = field(default_factory=dict)
    noted: Mapping[str, Decision] = field(default_factory=dict)

    @property
    def open(self) -> tuple[Member, ...]:
        """The differences that nobody has accepted: what a wide acceptance could cover."""
        return tuple(member for member in self.members if member.fingerprint not in self.accepted)

    @property
    def clients(self) -> tuple[str, str]:
        """What the reference and the candidate are called."""
        return self.stored.document["reference"], self.stored.document["candidate"]

    @property
    def versions(self) -> Mapping[str, str]:
        """Package → release under which they were run."""
        versions: Mapping[str, str] = self.stored.document["versions"]
        return versions

    @property
    def default_until(self) -> date:
        """The last day of an acceptance for which nobody names another."""
        return self.today + timedelta(days=self.settings.waiver_days)


def undecided(session: ReviewSession, group: DecisionGroup) -> DecisionGroup | None:
    """What of a group is neither accepted nor marked; None if nothing is left."""
    return without(group, lambda m: m.fingerprint in session.accepted or m.fingerprint in session.noted)


def named_groups(session: ReviewSession, name: str, *, several: bool = False) -> tuple[DecisionGroup, ...]:
    """The groups that an id means. A recording means all that differs in it; an id must fit one group, unless
    `several` may be meant.

    Raises:
        ReviewError: there is none, or more than one.
    """
    groups = queue(session.members)
    meant = look_up(groups, name) if len(name) >= _SHORTEST else ()
    if not meant:
        known = {member.item for member in session.members} | {group.id for group in groups}
        raise ReviewError(f"There is no group, difference or recording {name!r}. {nearest(name, known)}")
    if len(meant) > 1 and not several and not any(m.item == name for m in meant[0].members):
        raise ReviewError(f"{name!r} fits {len(meant)} groups; write more of the id.")
    return meant


def open_session(
    settings: Settings,
    stored: Stored,
    *,
    today: date,
    environ: Mapping[str, str],
    known: Iterable[tuple[str, str]],
    secrets: Mapping[str, str],
) -> ReviewSession:
    """Bring a result together with the decisions about it.

    Waivers are read anew, so that those written since the run count; nothing else may have changed.

    Raises:
        ConfigError: recordings, clients or versions have changed since the run.
        WaiverError: the waivers file cannot be read, or holds the marks of an unresolved merge.
        DecisionsError: what was decided earlier cannot be read.
    """
    own = settings.shown(settings.waivers)  # like the day it may have changed: both are looked at anew
    changed = [
        name
        for name in outdated(settings, stored.document)
        if name != own and not name.startswith("the date")
    ]
    if changed:
        raise ConfigError(
            f"The stored result is out of date: since then, changed: {first_names(changed, _SHOWN)}. "
            "Run `llm-contracts check` again, then review; what you have decided is kept."
        )
    read_only = no_waivers = ""
    if environ.get("CI", "").lower() not in {"", "0", "false"}:
        read_only = (
            "Nothing is decided in CI (CI is set). Review on your own machine, and commit the waivers file."
        )
    reference, candidate = (stored.document[name] for name in ("reference", "candidate"))
    if (reference, candidate) != (settings.reference, settings.candidate):
        no_waivers = (
            f"This result compares {reference} with {candidate}, but waivers are about {settings.reference} "
            f"and {settings.candidate}: one written now would accept nothing. Differences can only be marked."
        )
    session = ReviewSession(
        settings=settings,
        stored=stored,
        today=today,
        known=frozenset(known),
        secrets=secrets,
        read_only=read_only,
        no_waivers=no_waivers,
        members=tuple(member for item in stored.result.items for member in members_of(item)),
    )
    return reread(session)


def reread(session: ReviewSession) -> ReviewSession:
    """The session with the decisions that its two files hold now. Raises as `open_session` does."""
    waivers = Waivers() if session.no_waivers else load_waivers(session.settings.waivers, session.today)
    found = (
        (m, waivers.match(m.divergence, provider=m.provider, scenario=m.scenario, versions=session.versions))
        for m in session.members
    )
    accepted = {member.fingerprint: waiver for member, waiver in found if waiver is not None}
    return replace(session, accepted=accepted, noted=_noted(session))


def _noted(session: ReviewSession) -> dict[str, Decision]:
    file = decisions_file(session)
    if not file.is_file():
        return {}
    known = {member.fingerprint for member in session.members}
    read = parse_decisions(file.read_bytes(), session.settings.shown(file))
    return {name: decision for decision in read.decisions for name in decision.fingerprints if name in known}


def decisions_file(session: ReviewSession) -> Path:
    """Where decisions are written that are not waivers."""
    return session.stored.folder / DECISIONS


# Writing down


def day_of(text: str) -> date:
    """A day as people write it.

    Raises:
        ReviewError: it is not a date.
    """
    try:
        return date.fromisoformat(text.strip())
    except ValueError:
        raise ReviewError(f"Until must be a date such as 2027-01-31, not {text!r}.") from None


def checked_terms(reason: str, by: str, until: date, today: date) -> Terms:
    """What an acceptance must say.

    Raises:
        ReviewError: it gives no reason or name, or a day that is over or too far away.
    """
    if not says_something(reason):
        raise ReviewError("An acceptance needs a reason: it is shown in every report.")
    if not says_something(by):
        raise ReviewError("An acceptance needs the name of who decides (by).")
    latest = today + timedelta(days=LONGEST_DAYS)
    if until < today:
        raise ReviewError(f"{until} is over; an acceptance holds until a day to come.")
    if until > latest:
        raise ReviewError(f"{until} is too far away: nothing is accepted for ever; {latest} is the last day.")
    return Terms(reason=" ".join(reason.split()), by=" ".join(by.split()), until=until)


def accept(session: ReviewSession, rows: Sequence[Waiver]) -> FileChange:
    """Append waivers to the project's file, whose text stays as it is otherwise.

    Raises:
        ReviewError: nothing may be accepted here, or the file would not be right with these rows in it.
        SecretFound: a key stands in the reason.
        WaiverError: the file cannot be read as it is now; nothing was written.
    """
    refuse(session, rows)
    file = session.settings.waivers
    with _locked(session):
        before = _text(file)
        present = load_waivers(file, session.today)
        after = appended(before or "", rows)

        def check(draft: Path) -> None:
            """It must read as what stood there and the new rows, with no fault that was not there before."""
            written = load_waivers(draft, session.today)
            complaints = (each.replace(str(draft), str(file)) for each in written.complaints)
            for each in complaints:
                if each not in present.complaints:
                    raise ReviewError(f"Nothing was written, because then {each}")
            if [*map(_fields, written.entries[len(present.entries) :])] != [*map(_fields, rows)]:
                raise ReviewError(
                    f"Nothing was written: {file} would not read back as decided. Add the entry by hand."
                )

        _refuse_secrets(session, file, after)
        replace_file(file, after, check=check)
    return FileChange(file=file, before=before, after=after)


def _fields(row: Waiver) -> Waiver:
    return replace(row, place="")


def note(session: ReviewSession, decisions: Iterable[Decision]) -> FileChange:
    """Write down what is to be fixed or called noise; it replaces what was decided about the same before.

    Raises:
        ReviewError: nothing may be decided here.
        SecretFound: a key stands in a note.
    """
    refuse(session)
    new = tuple(decisions)
    decided = {name for decision in new for name in decision.fingerprints} | session.accepted.keys()
    file = decisions_file(session)
    with _locked(session):
        left: dict[int, tuple[Decision, list[str]]] = {}
        for name, decision in _noted(session).items():
            if name not in decided:
                left.setdefault(id(decision), (decision, []))[1].append(name)
        earlier = (replace(d, fingerprints=tuple(names)) for d, names in left.values())
        before = _text(file)
        after = render_decisions(Decisions(run=session.stored.run, decisions=(*earlier, *new)))
        _refuse_secrets(session, file, after)
        replace_file(file, after)
    return FileChange(file=file, before=before, after=after)


def undo(session: ReviewSession, change: FileChange) -> None:
    """Put a file back as it was before a decision.

    Raises:
        ReviewError: somebody else has changed it since; then it is left alone.
    """
    with _locked(session):
        if _text(change.file) != change.after:
            raise ReviewError(
                f"{change.file} has been changed since, so it is left as it is. Edit it by hand."
            )
        if change.before is None:
            change.file.resolve().unlink()
        else:
            replace_file(change.file, change.before)


def _locked(session: ReviewSession) -> AbstractContextManager[None]:
    """Held while decisions are written: of two at once, one would be lost."""
    return locked(session.settings.waivers.resolve().parent, wait=True)


def _text(file: Path) -> str | None:
    try:
        return file.read_text(encoding="utf-8") if file.is_file() else None
    except UnicodeDecodeError as error:
        raise WaiverError(f"{file}: byte {error.start} is not UTF-8; save the file as UTF-8") from None


def _refuse_secrets(session: ReviewSession, file: Path, text: str) -> None:
    """A reason is typed, or pasted, by hand."""
    found = find_secrets(text.encode("utf-8", "surrogatepass"), session.secrets)
    if found:
        raise SecretFound(session.settings.shown(file), found)


def refuse(session: ReviewSession, rows: Sequence[Waiver] = ()) -> None:
    """Refuse what could not be written, before anything is said of it.

    Raises:
        ReviewError: nothing may be decided here, or these waivers would accept nothing.
    """
    reason = session.read_only or (session.no_waivers if rows else "")
    if reason:
        raise ReviewError(reason)
    # A result may be about streams from elsewhere. A waiver that names one would fail the next check.
    for row in rows:
        if not any(row.covers_recording(*scenario) for scenario in session.known):
            raise ReviewError(
                f"The project has no scenario {row.scenario} of {row.provider}, so `check` would complain "
                "about this waiver. Accept it for the field everywhere, or mark it."
            )


def write(
    session: ReviewSession, rows: Sequence[Waiver], notes: Sequence[Decision]
) -> tuple[FileChange, ...]:
    """Write waivers and notes; where the notes cannot be written, neither are the waivers. Raises as `accept`
    and `note` do.
    """
    changes = [accept(session, rows)] if rows else []
    try:
        changes += [note(session, notes)] if notes else []
    except BaseException:
        for change in changes:
            undo(session, change)
        raise
    return tuple(changes)
