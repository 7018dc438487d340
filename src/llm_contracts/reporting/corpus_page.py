"""A page about a corpus in Markdown: what differs between two pairs of paths, and what that means."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from llm_contracts.parity.compare import ABSENT
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.grouping import Group, group
from llm_contracts.parity.result import Item, Result

_LONGEST_VALUE = 90

MEANINGS: Mapping[Kind, str] = {
    Kind.TEXT: "The user reads something else.",
    Kind.DELTAS: "The same text arrives in other pieces: a typing effect looks different, nothing is lost.",
    Kind.REASONING: "Reasoning text is lost, moved or changed: it is missing where it is shown or logged.",
    Kind.TOOL_CALLS: "A tool is called otherwise, or not at all.",
    Kind.FINISH_REASON: "Code that asks why the answer ended (cut by length, filtered) takes another branch.",
    Kind.USAGE: "Other totals than the provider counted: metering and bills do not add up.",
    Kind.USAGE_INVENTED: "Totals that no provider counted, guessed by a local tokenizer: metered as facts.",
    Kind.USAGE_MISSING: "Totals that the provider sent are lost: the call is not metered.",
    Kind.USAGE_DETAILS: "Cached, reasoning or other parts of the totals appear or vanish: prices change.",
    Kind.ERROR: "Only one path fails, or each in its own way: other `except` clauses, other retries.",
    Kind.ERROR_POSITION: "Both fail, but not after the same part of the answer.",
    Kind.RESPONSE_ID: "The provider's id of the answer is replaced: support requests cannot be traced by it.",
    Kind.MODEL_NAME: "Not the name that the provider sent: logs no longer tell which version answered.",
    Kind.CHUNK_COUNT: "Chunks without content are added or dropped. Nobody should notice.",
    Kind.DELIVERY_LAG: "Something holds text back: the user sees it later.",
    Kind.REQUEST_TARGET: "Another address is called.",
    Kind.REQUEST_BODY: "The provider is asked something else: another model name, role or parameter.",
    Kind.REQUEST_HEADERS: "A header that means something is added or lost.",
    Kind.ATTEMPTS: "More or fewer requests are made: more waiting, more cost, or less resilience.",
    Kind.TELEMETRY: "Traces and dashboards show something else.",
    Kind.UNFAITHFUL: "Both paths agree on something that the bytes do not say.",
}
"""What each kind of difference means to an application."""


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
    groups = group(result.items, lambda item: item.divergences)
    if groups:
        yield ""
        yield from _by_provider(result.items)
        yield ""
        yield from _by_place(groups)
    yield from _accepted(result.items)
    yield from (f"\nNot usable: {item.problem}" for item in result.items if item.problem)
    yield from (
        f"\nLeft out: {problem.place}: {problem.reason}"
        for problem in result.left_out
        if not problem.why.damaged
    )


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


def _by_place(groups: tuple[Group, ...]) -> Iterator[str]:
    yield "| kind | where | streams | reference | candidate | for instance in |"
    yield "|---|---|---:|---|---|---|"
    for found in groups:
        values = f"{_value(found.example.reference)} | {_value(found.example.candidate)}"
        yield f"| `{found.kind}` | `{found.where}` | {len(found.ids)} | {values} | {found.ids[0]} |"


def _value(value: object) -> str:
    if value == ABSENT:
        return "absent"
    text = json.dumps(value, ensure_ascii=False, default=str)
    text = text if len(text) <= _LONGEST_VALUE else text[:_LONGEST_VALUE] + "…"
    # A bar would end the cell, a backtick the code.
    return "`" + text.replace("|", "\\|").replace("`", "'") + "`"


def _accepted(items: tuple[Item, ...]) -> Iterator[str]:
    reasons = dict.fromkeys(reason for item in items for reason in item.waived.values())
    yield from (f"\nAccepted: {reason}" for reason in reasons)
