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
from llm_contracts.review.tui.evidence import first_view
from llm_contracts.review.tui.page import View


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
    def field(self) -> str:
        """The one with the cursor."""
        return tuple(self.fields)[self.at]


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewState:
    """A review in progress.

    Attributes:
        members: every difference that was not accepted when the review began.
        by, until: what a form is filled with before anybody has typed anything.
        accepted: fingerprint → waiver, for those accepted since.
        noted: fingerprint → decision, for those marked as to be fixed or as noise.
        refusal: why nothing can be decided; empty where it can.
        no_waivers: why nothing can be accepted, though it can be marked; empty where it can.
        apart: fingerprints of members that were split out of their groups.
        skipped: ids of groups that were passed over.
        words: the filter; empty for all.
        at, member: the numbers of the group and of the member that are shown.
        scroll: the first row of the page that is shown; None to show where the difference is.
        choosing: the member under the cursor in the list of members.
    """

    members: tuple[Member, ...]
    by: str
    until: date
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
    def shown_view(self) -> View:
        """The view on the screen: the one chosen, else the one that shows this kind best."""
        return self.view or (View.LANES if self.group is None else first_view(self.group.kind))

    def left(self, group: DecisionGroup) -> tuple[Member, ...]:
        """The members of a group about which nothing has been decided."""
        decided = self.accepted.keys() | self.noted.keys()
        return tuple(member for member in group.members if member.fingerprint not in decided)

    def standing(self, group: DecisionGroup) -> str:
        """What was decided about a group: `accepted`, `fix`, `noise`, `skipped`, or nothing yet."""
        if self.left(group):
            return "skipped" if group.id in self.skipped else ""
        noted = (self.noted[p] for p in group.fingerprints if p in self.noted and p not in self.accepted)
        return next((str(decision.choice) for decision in noted), "accepted")


def begin(state: ReviewState) -> ReviewState:
    """The state with its groups made anew, and at the first one that waits for a decision."""
    grouped = regrouped(state)
    first = next(_waiting(grouped, 0), None)
    if first is None and grouped.groups:
        return replace(grouped, screen=Screen.END)
    return shown(grouped, first or 0)


def regrouped(state: ReviewState) -> ReviewState:
    """The groups of all members, as far as the filter leaves them."""
    return replace(state, groups=narrowed(queue(state.members, state.apart), state.words))


def shown(state: ReviewState, at: int) -> ReviewState:
    """Another group on the screen, from its first undecided member, in the view that shows it best."""
    fresh = replace(state, at=0, member=0, scroll=None, view=None, form=None)
    if not state.groups:
        return fresh
    at = max(0, min(at, len(state.groups) - 1))
    group = state.groups[at]
    member = group.members.index(state.left(group)[0]) if state.left(group) else 0
    return replace(fresh, at=at, member=member, entire=False, screen=Screen.GROUP)


def _waiting(state: ReviewState, start: int) -> Iterator[int]:
    """The numbers of the groups that wait for a decision, from `start` on, then from the beginning. Those
    that were skipped do not wait.
    """
    order = (*range(start, len(state.groups)), *range(min(start, len(state.groups))))
    return (n for n in order if not state.standing(state.groups[n]))


def onward(state: ReviewState) -> ReviewState:
    """The next group that waits; the end where none does."""
    following = next(_waiting(state, state.at + 1), None)
    return replace(state, screen=Screen.END, form=None) if following is None else shown(state, following)


def remaining(state: ReviewState, *, breaking: bool) -> tuple[DecisionGroup, ...]:
    """All groups that wait, skipped ones included, from the whole queue that the filter leaves; with or
    without the breaking ones.
    """
    waiting = (group for group in state.groups if state.left(group))
    return tuple(group for group in waiting if breaking or group.severity is not Severity.BREAKING)


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
    left = standings.count("") + standings.count("skipped")
    return Tally(
        decided=len(standings) - left,
        left=left,
        skipped=standings.count("skipped"),
        accepted=standings.count("accepted"),
        until=min((waiver.until for waiver in state.accepted.values()), default=None),
    )
