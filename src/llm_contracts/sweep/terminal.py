"""A sweep on a terminal: thousands of variants as one line for each kind, then what has to be decided."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from llm_contracts.parity.decision_groups import SameMeaning, groups_of
from llm_contracts.parity.divergence import Divergence
from llm_contracts.parity.result import Item, Result
from llm_contracts.parity.variant_names import MARK, general, split
from llm_contracts.reporting.terminal import accepted_lines, head, one_meaning, table
from llm_contracts.util.terminal import listed, table_width, titled

RECORDING = "as recorded"
"""The line of the recordings themselves."""


def print_sweep(console: Console, result: Result) -> None:
    """Print the whole report: a table of kinds of variants by providers, then the differences."""
    for section in _sections(result, table_width(console)):
        console.print(section)


def _sections(result: Result, width: int) -> Iterator[RenderableType]:
    yield head(result)
    if result.items:
        yield Text("")
        yield table(folded(result), width)
    yield from _groups("To decide", result.items, lambda item: item.unwaived)
    yield from _groups("Not repeatable", result.items, lambda item: item.noise)
    yield from accepted_lines(result)
    yield from listed("Unreadable", (item.problem for item in result.items if item.problem), "red")
    yield from listed("The waivers file", result.complaints, "red")
    yield from listed("Warnings", result.warnings, "yellow")
    yield Text("")
    yield _summary(result)


def folded(result: Result) -> Result:
    """The result with one item for each provider and kind of variant (`~cut@*`), with all differences."""
    members: dict[tuple[str, str], list[Item]] = {}
    for item in result.items:
        members.setdefault((kind_of(item.scenario), item.provider), []).append(item)
    kinds = list(dict.fromkeys(kind for kind, _ in members))
    ordered = sorted(members.items(), key=lambda entry: kinds.index(entry[0][0]))
    return replace(result, items=tuple(_one(*key, items) for key, items in ordered), missing=())


def kind_of(scenario: str) -> str:
    """What was done to the recording: `~cut@*`."""
    variant = split(scenario)[1]
    return MARK + general(variant) if variant else RECORDING


def _one(kind: str, provider: str, items: list[Item]) -> Item:
    return Item(
        id=f"{provider}{kind}",
        provider=provider,
        scenario=kind,
        divergences=tuple(d for item in items for d in item.divergences),
        waived={fingerprint: reason for item in items for fingerprint, reason in item.waived.items()},
        noise=tuple(d for item in items for d in item.noise),
        problem=next((item.problem for item in items if item.problem), None),
    )


def _groups(
    title: str, items: Iterable[Item], pick: Callable[[Item], Iterable[Divergence]]
) -> Iterator[RenderableType]:
    found = groups_of(items, pick)
    if found:
        yield from titled(f"{title} ({len(found)})")
    for each in found:
        yield one_meaning(SameMeaning(groups=(each,)), of="variant")
        kinds = dict.fromkeys(kind_of(member.scenario) for member in each.members)
        yield Padding(Text("  ".join(kinds), style="bold"), (0, 0, 0, 4), expand=False)


def _summary(result: Result) -> Text:
    variants = [item for item in result.items if MARK in item.scenario]
    recordings = len(result.items) - len(variants)
    differing = sum(bool(item.unwaived) for item in result.items)
    noisy = sum(bool(item.noise) and not item.unwaived for item in result.items)
    waived = sum(bool(item.waived) and not (item.unwaived or item.noise) for item in result.items)
    parts = [f"{len(variants):,} variants of {recordings:,} recordings"]
    parts += [f"{waived:,} differ as accepted"] if waived else []
    parts += [f"{noisy:,} not repeatable"] if noisy else []
    parts += [f"{differing:,} differ"] if differing else []
    parts += [] if len(parts) > 1 else ["all agree"]
    return Text(", ".join(parts) + ".", style="red" if differing or noisy else "green")
