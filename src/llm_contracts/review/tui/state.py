"""Where a review stands: one value, from which the screen follows, and which each key turns into another."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date
from enum import Enum, auto

from prompt_toolkit.document import Document

from llm_contracts.parity.decision_groups import DecisionGroup, Member, narrowed, queue
from llm_contracts.review.decisions import Choice, Scope
from llm_contracts.review.session import ReviewSession
from llm_contracts.review.tui.evidence import first_view
from llm_contracts.review.tui.page import View

_EMPTY = Document()
_DONE = "Nothing waits for a decision. Leave (q), and check again to see the verdict: llm-contracts check"


class Screen(Enum):
    """What fills the screen while no form is open."""

    GROUP = auto()
    MEMBERS = auto()
    HELP = auto()


@dataclass(frozen=True, kw_only=True, slots=True)
class Form:
    """An acceptance, a note or the filter while it is written.

    Attributes:
        choice: what is being decided; None for the filter.
        fields: name → what has been typed so far, and the cursor in it; `scope` stands for the choice of one.
        scope: how far the decision reaches.
        at: the number of the field with the cursor.
        untouched: fields that hold a default: what is typed first replaces it.
        asked: whether the question stands that only `y` answers: it would accept what is breaking.
    """

    choice: Choice | None
    fields: Mapping[str, Document]
    scope: Scope = Scope.GROUP
    at: int = 0
    untouched: frozenset[str] = frozenset()
    asked: bool = False

    @property
    def field(self) -> str:
        """The one with the cursor."""
        return tuple(self.fields)[self.at]

    def text(self, name: str) -> str:
        """What has been typed into a field; empty where the form has no such field."""
        return self.fields.get(name, _EMPTY).text


@dataclass(frozen=True, kw_only=True, slots=True)
class ReviewState:
    """A review in progress.

    Attributes:
        session: the result with the decisions about it, as they are now.
        members: every difference that was not accepted when the review began.
        by: what a form is filled with before anybody has typed a name.
        skipped: ids of groups that were passed over.
        words: the filter; empty for all.
        at, member: the numbers of the group and of the member that are shown.
        scroll: the first line of the page that is shown; None to show where the difference is.
        choosing: the member under the cursor in the list of members.
    """

    session: ReviewSession
    members: tuple[Member, ...]
    by: str = ""
    skipped: frozenset[str] = frozenset()
    words: str = ""
    at: int = 0
    member: int = 0
    view: View | None = None
    entire: bool = False
    scroll: int | None = None
    choosing: int = 0
    screen: Screen = Screen.GROUP
    form: Form | None = None
    reason: str = ""
    message: str = ""
    groups: tuple[DecisionGroup, ...] = ()

    @property
    def group(self) -> DecisionGroup:
        """The one that is shown. There is one: a filter that fits nothing is not set."""
        return self.groups[self.at]

    @property
    def focus(self) -> Member:
        """The member that is shown."""
        return self.group.members[min(self.member, len(self.group.members) - 1)]

    @property
    def shown_view(self) -> View:
        """The view on the screen: the one chosen, else the one that shows this kind best."""
        return self.view or first_view(self.group.kind)

    def left(self, group: DecisionGroup) -> tuple[Member, ...]:
        """The members of a group about which nothing has been decided."""
        decided = self.session.accepted.keys() | self.session.noted.keys()
        return tuple(member for member in group.members if member.fingerprint not in decided)

    def standing(self, group: DecisionGroup) -> str:
        """What was decided about a group: `accepted`, `fix`, `noise`, `skipped`, or nothing yet."""
        if self.left(group):
            return "skipped" if group.id in self.skipped else ""
        accepted, noted = self.session.accepted, self.session.noted
        marks = (str(noted[p].choice) for p in group.fingerprints if p in noted and p not in accepted)
        return next(marks, "accepted")


def begin(state: ReviewState) -> ReviewState:
    """The state with its groups made anew, and at the first one that waits for a decision."""
    return onward(replace(state, groups=narrowed(queue(state.members), state.words)), 0)


def onward(state: ReviewState, start: int) -> ReviewState:
    """The first group that waits, from number `start` on, then from the beginning. Those that were skipped
    wait as soon as nothing else does.
    """
    order = (*range(start, len(state.groups)), *range(min(start, len(state.groups))))
    waiting = next((n for n in order if not state.standing(state.groups[n])), None)
    if waiting is not None:
        return shown(state, waiting)
    if any(map(state.left, state.groups)):
        again = onward(replace(state, skipped=frozenset()), 0)
        return replace(again, message="Only what you skipped is left.")
    return replace(shown(state, start - 1), message=_DONE)


def shown(state: ReviewState, at: int) -> ReviewState:
    """Another group on the screen, from its first undecided member, in the view that shows it best."""
    fresh = replace(state, at=0, member=0, scroll=None, view=None, form=None, screen=Screen.GROUP)
    if not state.groups:
        return fresh
    at = max(0, min(at, len(state.groups) - 1))
    group = state.groups[at]
    member = group.members.index(state.left(group)[0]) if state.left(group) else 0
    return replace(fresh, at=at, member=member, entire=False)


def tally(state: ReviewState) -> Counter[str]:
    """How many groups stand how (see `standing`), in the whole queue, whatever the filter; besides `left`,
    those about which something is to be decided, and `decided`.
    """
    groups = queue(state.members) if state.words else state.groups
    found = Counter(map(state.standing, groups))
    left = found[""] + found["skipped"]
    return found | Counter(left=left, decided=len(groups) - left)


def lapses(state: ReviewState) -> date | None:
    """The first day on which something accepted here lapses."""
    accepted = state.session.accepted
    found = (accepted[m.fingerprint].until for m in state.members if m.fingerprint in accepted)
    return min(found, default=None)
