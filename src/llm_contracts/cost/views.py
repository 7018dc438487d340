# ruff: noqa: RUF001 - the signs are meant to be what they are
"""What calls cost, on a terminal and on the first page of a report: both clients side by side."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from llm_contracts.cost.model import Cost, Measure, ProviderCost, Spread, cost_from
from llm_contracts.results.items import StoredResultError
from llm_contracts.results.store import RESULT, Stored
from llm_contracts.util.terminal import listed, titled


def print_cost(console: Console, cost: Cost) -> None:
    """Print the table, what could not be measured, and the limits that are exceeded."""
    for section in (
        *titled(f"Cost: {cost.reference} against {cost.candidate}"),
        _table(cost),
        Text(_typical(cost), style="bold"),
        *(Text(sentence, style="dim") for sentence in how_measured(cost)),
        *listed("Not measured", not_measured(cost), "yellow"),
        *listed("Limits of cost that are exceeded", map(str, cost.exceeded), "red"),
    ):
        console.print(section)


def how_measured(cost: Cost) -> Iterator[str]:
    """What has to be known to read the figures, in sentences."""
    load = "" if cost.load is None else f", its load {cost.load:g} at the start"
    yield (
        "A ratio is candidate / reference within one round. Shown is the median ratio of "
        f"{cost.rounds} rounds, with both figures of that very round; below, the lowest and the highest. One "
        "recording for each provider, with "
        f"{cost.short} and with {cost.long} chunks of text, played as quickly as it is taken."
    )
    yield f"The machine has {cost.processors} processors{load}: compare ratios, not times."
    own = [row.provider for row in cost.providers if row not in cost.comparable]
    if own:
        yield f"Limits and the median leave out {', '.join(own)}: another reference holds there."


def not_measured(cost: Cost) -> Iterator[str]:
    """A sentence for each reason, measures with the same one together."""
    for row in cost.providers:
        reasons: dict[str, list[str]] = {}
        for measure, reason in row.missing.items():
            reasons.setdefault(reason, []).append(measure.label)
        for reason, labels in reasons.items():
            what = "nothing" if len(labels) == len(Measure) else f"no {', no '.join(labels)}"
            yield f"{row.provider}: {what}, as {reason}."


def _table(cost: Cost) -> Table:
    shown = cost_table(cost)
    table = Table(box=None, pad_edge=False, padding=(0, 3, 0, 0), header_style="bold")
    table.add_column("", no_wrap=True)
    for label in shown["measures"]:
        table.add_column(label)
    for provider, reference, cells in shown["rows"]:
        name = Text.assemble(provider, (f"\nagainst {reference}" if reference else "", "dim"))
        table.add_row(name, *map(_cell, cells))
    return table


def _cell(shown: Mapping[str, Any] | None) -> Text:
    if shown is None:
        return Text("–", style="dim")
    text = Text.assemble((f"{shown['ratio']}×", "bold red" if shown["over"] else "bold"))
    text.append(f"  {shown['reference']} / {shown['candidate']} {shown['unit']}")
    return text.append(f"\n{shown['between']}", style="dim")


def figure(value: float) -> str:
    """A number as precisely as measuring is."""
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"  # noqa: PLR2004 - three digits


def ratio(value: float) -> str:
    """A ratio, no more precisely than it can be measured."""
    return f"{value:.0f}" if value >= 100 else f"{value:.1f}" if value >= 1 else f"{value:.2f}"  # noqa: PLR2004 - as people write it


def between(spread: Spread) -> str:
    """From its lowest to its highest."""
    return f"{ratio(spread.low)} to {ratio(spread.high)}"


def _typical(cost: Cost) -> str:
    """What a provider typically costs, where there are several."""
    found = {measure.label: cost.typical(measure) for measure in Measure}
    parts = [f"{label} {ratio(spread.median)}×" for label, spread in found.items() if spread]
    what = "Median of the providers' ratios: " if len(cost.comparable) > 1 else ""
    return f"{what}{', '.join(parts)}." if parts else "Nothing could be measured."


def stored_cost(stored: Stored) -> Cost | None:
    """The costs in a stored result; None where none were measured.

    Raises:
        StoredResultError: they cannot be read.
    """
    value = stored.document.get("cost")
    try:
        return None if value is None else cost_from(value)
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        damaged = f"the costs are damaged ({type(error).__name__}). Run check again."
        raise StoredResultError(f"{stored.folder / RESULT}: {damaged}") from error


def cost_table(cost: Cost) -> dict[str, Any]:
    """What is shown of it, on a terminal and by `cost.html.j2`; a provider names a reference of its own."""
    exceeded = {(each.provider, each.measure) for each in cost.exceeded}
    return {
        "measures": [measure.label for measure in Measure],
        "rows": [
            (
                row.provider,
                None if row in cost.comparable else row.reference,
                [_bars(row, measure, over=(row.provider, measure) in exceeded) for measure in Measure],
            )
            for row in cost.providers
        ],
        "notes": list(how_measured(cost)),
        "missing": list(not_measured(cost)),
        "exceeded": list(map(str, cost.exceeded)),
    }


def _bars(row: ProviderCost, measure: Measure, *, over: bool) -> dict[str, Any] | None:
    """Widths are in per cent of the longer bar; `over`: a limit is exceeded."""
    pair = row.found.get(measure)
    if pair is None:
        return None
    longest = max(pair.reference, pair.candidate)
    return {
        "ratio": ratio(pair.ratio.median),
        "between": between(pair.ratio),
        "reference": figure(pair.reference),
        "candidate": figure(pair.candidate),
        "unit": measure.unit,
        "reference_width": round(100 * pair.reference / longest, 1),
        "candidate_width": round(100 * max(0.0, pair.candidate) / longest, 1),
        "over": over,
    }
