"""Values and places as every view for CI shows them."""

from __future__ import annotations

from llm_contracts.parity.compare import ABSENT
from llm_contracts.parity.divergence import Divergence
from llm_contracts.reporting.html.embed import finite, visible
from llm_contracts.reporting.lines import cut_begins, sides
from llm_contracts.results.document import json_text

_NONCHARACTERS = str.maketrans({"\ufffe": "⟨U+FFFE⟩", "\uffff": "⟨U+FFFF⟩"})  # XML knows no way to say them


def seen(text: str) -> str:
    """The text without anything that hides, turns the direction of text, or cannot stand in XML."""
    return text if text.isprintable() else visible(text).translate(_NONCHARACTERS)


def cut(text: str, longest: int, begin: int = 0) -> str:
    """A part of a text, and how much more there is."""
    left = len(text) - begin - longest
    more = f"… ({left:,} more characters)" if left > 0 else ""
    # What is hidden is looked for in the part that is shown: values of megabytes occur.
    return ("…" if begin else "") + seen(text[begin : begin + longest]) + more


def json_line(value: object) -> str:
    """A value as JSON in one line."""
    return "absent" if value == ABSENT else json_text(finite(value))


def shown_sides(divergence: Divergence, longest: int) -> list[tuple[str, str]]:
    """What to call each value, and the value as it is shown, from where the first difference can be seen."""
    begin = cut_begins(json_line(divergence.reference), json_line(divergence.candidate), longest)
    return [(name, cut(json_line(value), longest, begin)) for name, value in sides(divergence)]
