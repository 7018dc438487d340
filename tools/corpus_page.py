"""A page about a corpus in Markdown: what differs between two pairs of clients, and what that means."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping

from llm_contracts.parity.compare import ABSENT
from llm_contracts.parity.divergence import Divergence, Kind, Severity, place
from llm_contracts.parity.meanings import MEANINGS
from llm_contracts.parity.result import Item, Result
from llm_contracts.reporting.lines import value_line

_LONGEST_VALUE = 90
_MOST_PLACES = 12  # of one kind
_WORDS = 3  # spaces, up to which a text is a name


def render_corpus_page(title: str, intro: str, results: Mapping[str, Result]) -> str:
    """The page. `results` maps the heading of each part to what was found."""
    lines = [f"# {title}", "", intro]
    for heading, result in results.items():
        lines += ["", f"## {heading}", "", *_part(result)]
    kinds = [kind for kind in Kind if any(_streams(result.items, kind) for result in results.values())]
    lines += ["", "## What it means for an application", ""]
    lines += [f"* `{kind}` ({kind.severity}): {MEANINGS[kind]}" for kind in kinds] or ["Nothing differs."]
    return "\n".join(lines) + "\n"


def _part(result: Result) -> Iterator[str]:
    differing = sum(1 for item in result.items if item.divergences or item.problem)
    versions = ", ".join(f"{name} {version}" for name, version in result.versions.items())
    yield f"`{result.reference}` against `{result.candidate}` ({versions})."
    yield f"{len(result.items)} streams, {len(result.items) - differing} without any difference."
    if any(item.divergences for item in result.items):
        yield ""
        yield from _by_provider(result.items)
        yield ""
        yield from _by_place(result.items)
    reasons = dict.fromkeys(reason for item in result.items for reason in item.waived.values())
    yield from (f"\nAccepted: {reason}" for reason in reasons)
    yield from (f"\nNot usable: {item.problem}" for item in result.items if item.problem)
    left = Counter(problem.reason for problem in result.left_out if not problem.why.damaged)
    yield from (f"\nLeft out: {count}, because {reason}" for reason, count in left.items())


def _by_provider(items: tuple[Item, ...]) -> Iterator[str]:
    """Kind by provider: in how many of its streams each kind occurs."""
    providers = list(dict.fromkeys(item.provider for item in items))
    totals = [sum(1 for item in items if item.provider == provider) for provider in providers]
    yield "| kind | " + " | ".join(providers) + " | all |"
    yield "|---|" + "---:|" * (len(providers) + 1)
    yield "| *streams* | " + " | ".join(map(str, totals)) + f" | {len(items)} |"
    for kind in Kind:
        streams = _streams(items, kind)
        if streams:
            counts = [sum(1 for item in streams if item.provider == provider) for provider in providers]
            yield f"| `{kind}` | " + " | ".join(str(n or "") for n in counts) + f" | {len(streams)} |"


def _streams(items: tuple[Item, ...], kind: Kind) -> list[Item]:
    return [item for item in items if any(divergence.kind is kind for divergence in item.divergences)]


def _by_place(items: tuple[Item, ...]) -> Iterator[str]:
    found: dict[tuple[Kind, str], dict[str, Divergence]] = {}
    for item in items:
        for each in item.divergences:
            found.setdefault((each.kind, place(each.where)), {}).setdefault(item.id, each)
    yield "| kind | where | streams | reference | candidate | for instance in |"
    yield "|---|---|---:|---|---|---|"
    shown: Counter[Kind] = Counter()
    for (kind, where), streams in sorted(found.items(), key=_rank):
        shown[kind] += 1
        if shown[kind] > _MOST_PLACES:
            continue
        name, example = next(iter(streams.items()))
        values = f"{_value(example.reference)} | {_value(example.candidate)}"
        yield f"| `{kind}` | `{where}` | {len(streams)} | {values} | {name} |"
    more = {kind: count - _MOST_PLACES for kind, count in shown.items() if count > _MOST_PLACES}
    yield from (f"| `{kind}` | {count} more places |  |  |  |  |" for kind, count in more.items())


def _rank(found: tuple[object, Mapping[str, Divergence]]) -> tuple[int, int]:
    _, streams = found
    severity = next(iter(streams.values())).severity
    return list(Severity).index(severity), -len(streams)


def _value(value: object) -> str:
    if value == ABSENT:
        return "absent"
    if isinstance(value, str) and value.count(" ") > _WORDS:  # what somebody has written is theirs
        return f"text of {len(value)} characters"
    # A bar would end the cell, a backtick the code.
    return "`" + value_line(value, _LONGEST_VALUE).replace("|", "\\|").replace("`", "'") + "`"
