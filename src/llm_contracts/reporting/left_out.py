"""What of a corpus cannot be used, grouped by the kind of reason, each with the first few places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from llm_contracts.corpus import CorpusProblem, ProblemKind
from llm_contracts.util.text import and_more

_SHOWN = 3  # places of a kind; the JSON result has all

_TITLES: Mapping[ProblemKind, str] = {
    ProblemKind.UNREADABLE: "cannot be read",
    ProblemKind.TRUNCATED: "truncated",
    ProblemKind.UNKNOWN_ENCODING: "in an unknown encoding",
    ProblemKind.NO_BODY: "without a body",
    ProblemKind.DUPLICATE: "of the same id",
    ProblemKind.NOT_CHAT: "not a call of a model",
    ProblemKind.NOT_HTTP: "not HTTP",
    ProblemKind.NOT_A_RECORDING: "not a recording",
    ProblemKind.UNKNOWN_PROVIDER: "of no provider of this project",
    ProblemKind.MADE_UP: "made up, not sent by a provider",
    ProblemKind.NOT_OFFERED: "for which a client has no call",
}


def left_out_lines(problems: Iterable[CorpusProblem]) -> Iterator[str]:
    """A line for each kind of reason, the most frequent first, and below it some of its places."""
    groups: dict[ProblemKind, list[CorpusProblem]] = {}
    for problem in problems:
        groups.setdefault(problem.why, []).append(problem)
    for why, found in sorted(groups.items(), key=lambda item: -len(item[1])):
        yield f"{len(found)} {_TITLES[why]}:"
        yield from (f"  {problem.place}: {problem.reason}" for problem in found[:_SHOWN])
        if rest := and_more(found, _SHOWN):
            yield f"  {rest}; --json FILE lists them all"
