"""Where a review stands: one value, from which the screen follows, and which each key turns into another."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from datetime import date
from enum import Enum, auto

from llm_contracts.parity.decision_groups import DecisionGroup, Member, narrowed, queue
from llm_contracts.parity.divergence import Severity
from llm_contracts.parity.waiver import Waiver
from llm_contracts.review.decisions import Choice, Decision, Scope
from llm_contracts.review.tui.evidence import View


class Screen(Enum):
    """What fills the screen."""

    GROUP = auto()
    MEMBERS = auto()
    HELP = auto()
    FORM = auto()
    CONFIRM = auto()
    FILTER = auto()
    END = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """An acceptance or a note while it is written.

    Attributes:
        choice: what is being decided.
        fields: name → what has been typed so far; `scope` is only in an acceptance.
        scope: how far an acceptance reaches.
        at: the number of the field with the cursor.
        untouched: fields that hold a default: what is typed first replaces it.
        every: whether it is about all groups that are left, not about one.
    """

    choice: Choice
    fields: Mapping[str, str]
    scope: Scope = Scope.GROUP
    at: int = 0
    untouched: frozenset[str] = frozenset()
    every: bool = False

    @property
    def names(self) -> tuple[str, ...]:
        """The fields in their order on the screen."""
        return tuple(self.fields)

    @property
    def field(self) -> str:
        """The one with the cursor."""
        return self.names[self.at]


@dataclass(frozen=True, kw_only=True, slots=True)
class Defaults:
    """What a form is filled with before anybody has typed anything."""

    by: str
    until: date


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewState:
    """A review in progress.

    Attributes:
        members: every difference that was not accepted when the review began.
        accepted: fingerprint → waiver, for those accepted since.
        noted: fingerprint → decision, for those marked as to be fixed or as noise.
        defaults: for forms.
        refusal: why nothing can be decided; empty where it can.
        no_waivers: why nothing can be accepted, though it can be marked; empty where it can.
        apart: fingerprints of members that were split out of their groups.
        skipped: ids of groups that were passed over.
        words: the filter; empty for all.
        at: the number of the group that is shown.
        member: the number of the member that is shown.
        scroll: the first row of the page that is shown; None to show where the difference is.
        choosing: the member under the cursor in the list of members.
    """

    members: tuple[Member, ...]
    defaults: Defaults
    accepted: Mapping[str, Waiver] = field(default_factory=dict)
    noted: Mapping[str, Decision] = field(default_factory=dict)
    refusal: str = ""
    no_waivers: str = ""
    apart: frozenset[str] = frozenset()
    skipped: frozenset[str] = frozenset()
    words: str = ""
    at: int = 0
    member: int = 0
    view: View | None = None
    entire: bool = False
    info: bool = True
    scroll: int | None = None
    choosing: int = 0
    screen: Screen = Screen.GROUP
    form: Form | None = None
    typed: str = ""
    reason: str = ""
    message: str = ""
    groups: tuple[DecisionGroup, ...] = ()

    @property
    def group(self) -> DecisionGroup | None:
        """The one that is shown; None where the filter leaves none, or there was none from the start."""
        return self.groups[self.at] if self.at < len(self.groups) else None

    @property
    def focus(self) -> Member | None:
        """The member that is shown."""
        group = self.group
        return None if group is None else group.members[min(self.member, len(group.members) - 1)]

    @property
    def unaccepted(self) -> tuple[Member, ...]:
        """The differences that nobody has accepted by now."""
        return tuple(member for member in self.members if member.fingerprint not in self.accepted)

    def left(self, group: DecisionGroup) -> tuple[Member, ...]:
        """The members of a group about which nothing has been decided."""
        return tuple(
            m for m in group.members if m.fingerprint not in self.accepted and m.fingerprint not in self.noted
        )

    def standing(self, group: DecisionGroup) -> str:
        """What was decided about a group: `accepted`, `fix`, `noise`, `skipped`, or nothing yet."""
        if self.left(group):
            return "skipped" if group.id in self.skipped else ""
        first = group.members[0].fingerprint
        if all(member.fingerprint in self.accepted for member in group.members):
            return "accepted"
        noted = next((self.noted[p] for p in group.fingerprints if p in self.noted), self.noted.get(first))
        return str(noted.choice) if noted else "accepted"


def begin(state: ReviewState) -> ReviewState:
    """The state with its groups made anew, and at the first one that waits for a decision."""
    grouped = regrouped(state)
    first = next(waiting(grouped, 0), None)
    if first is None and grouped.groups:
        return replace(grouped, screen=Screen.END)
    return shown(grouped, first or 0)


def regrouped(state: ReviewState) -> ReviewState:
    """The groups of all members, as far as the filter leaves them."""
    return replace(state, groups=narrowed(queue(state.members, state.apart), state.words))


def shown(state: ReviewState, at: int) -> ReviewState:
    """Another group on the screen, from its first undecided member, in the view that shows it best."""
    if not state.groups:
        return replace(state, at=0, member=0, scroll=None, view=None)
    at = max(0, min(at, len(state.groups) - 1))
    group = state.groups[at]
    undecided = {member.fingerprint for member in state.left(group)}
    member = next((n for n, m in enumerate(group.members) if m.fingerprint in undecided), 0)
    return replace(state, at=at, member=member, scroll=None, view=None, entire=False, screen=Screen.GROUP)


def waiting(state: ReviewState, start: int) -> Iterator[int]:
    """The numbers of the groups that wait for a decision, from `start` on, then from the beginning. Those
    that were skipped do not wait.
    """
    order = (*range(start, len(state.groups)), *range(min(start, len(state.groups))))
    return (n for n in order if not state.standing(state.groups[n]))


def onward(state: ReviewState) -> ReviewState:
    """The next group that waits; the end where none does."""
    following = next(waiting(state, state.at + 1), None)
    if following is None:
        return replace(state, screen=Screen.END, form=None)
    return replace(shown(state, following), form=None)


def remaining(state: ReviewState, *, breaking: bool) -> tuple[DecisionGroup, ...]:
    """All groups that wait, skipped ones included, from the whole queue that the filter leaves; with or
    without the breaking ones.
    """
    return tuple(
        group
        for group in state.groups
        if state.left(group) and (breaking or group.severity is not Severity.BREAKING)
    )


@dataclass(frozen=True, kw_only=True, slots=True)
class Tally:
    """The counters: groups by what was decided, and the first day on which something accepted here lapses."""

    decided: int
    left: int
    skipped: int
    accepted: int
    until: date | None


def tally(state: ReviewState) -> Tally:
    """Count over the whole queue, whatever the filter."""
    groups = queue(state.members, state.apart) if state.words else state.groups
    standings = [state.standing(group) for group in groups]
    days = [waiver.until for waiver in state.accepted.values()]
    return Tally(
        decided=sum(each in {"accepted", "fix", "noise"} for each in standings),
        left=sum(each in {"", "skipped"} for each in standings),
        skipped=standings.count("skipped"),
        accepted=standings.count("accepted"),
        until=min(days, default=None),
    )
