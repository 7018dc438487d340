"""What is left of a recording, for people, as JSON and as a recording."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from llm_contracts.parity.meanings import plain_meaning
from llm_contracts.reduce.run import Reduced
from llm_contracts.reporting.lines import side_lines
from llm_contracts.wire.cassette import Cassette, Provenance, Recording

if TYPE_CHECKING:
    from rich.console import Console


_LONGEST_VALUE = 160  # characters


def reduced_document(reduced: Reduced) -> dict[str, Any]:
    """The result as plain JSON values."""
    difference = reduced.difference
    return {
        "format": 1,
        "kind": str(difference.kind),
        "where": difference.where,
        "reference": difference.reference,
        "candidate": difference.candidate,
        "events": reduced.events,
        "events_before": reduced.events_before,
        "attempts": reduced.attempts,
        "model": reduced.call.model,
        "messages": list(reduced.call.messages),
        "params": dict(reduced.call.params),
        "bodies": [each.response.body.decode("utf-8", "replace") for each in reduced.interactions],
    }


def print_reduced(console: Console, reduced: Reduced) -> None:
    """Print the difference, what it means, and the bytes that show it."""
    difference = reduced.difference
    console.print(
        f"{difference.kind} at {difference.where}   {difference.severity}", style="bold", markup=False
    )
    console.print(f"    {plain_meaning(difference)}", markup=False)
    for name, value in side_lines(difference, _LONGEST_VALUE):
        console.print(f"    {name:<10} {value}", markup=False, highlight=False)
    before, verb = reduced.events_before, "is" if reduced.events == 1 else "are"
    left = f"Of {before} events {reduced.events} {verb} left" if before else "This is left"
    console.print(f"\n{left} ({reduced.attempts} attempts):\n")
    for each in reduced.interactions:
        console.print(f"HTTP {each.response.status}", style="dim")
        text = each.response.body.decode("utf-8", "replace")
        console.print(text.rstrip("\n"), markup=False, highlight=False, soft_wrap=True)


def reduced_cassette(name: str, reduced: Reduced) -> Cassette:
    """It as a recording of this name. Nobody sent it as it is, so it says `scripted`."""
    recording = Recording(
        provenance=Provenance.SCRIPTED,
        recorded_at=datetime.now(UTC).replace(microsecond=0),
        provider=reduced.call.provider,
        scenario=name,
        client="reduce",
    )
    return Cassette(interactions=reduced.interactions, recording=recording)
