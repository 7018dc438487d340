"""Values and places as every view for CI shows them."""

from __future__ import annotations

from collections.abc import Sequence

from llm_contracts.parity.compare import ABSENT
from llm_contracts.parity.divergence import Divergence
from llm_contracts.reporting.html.embed import finite, visible
from llm_contracts.reporting.lines import cut_begins, sides
from llm_contracts.results.document import json_text

_NONCHARACTERS = str.maketrans({"\ufffe": "⟨U+FFFE⟩", "\uffff": "⟨U+FFFF⟩"})  # XML knows no way to say them


def seen(text: str) -> str:
    """The text without anything that hides, turns the direction of text, or cannot stand in XML."""
    return text if text.isprintable() else visible(text).translate(_NONCHARACTERS)


def shown(value: object, longest: int, begin: int = 0) -> str:
    """A value as JSON in one line, from a character on; what is cut off is counted."""
    text = _line(value)
    # What is hidden is looked for in the part that is shown: values of megabytes occur.
    return ("…" if begin else "") + seen(text[begin : begin + longest]) + _more(len(text) - begin - longest)


def _line(value: object) -> str:
    return "absent" if value == ABSENT else json_text(finite(value))


def cut(text: str, longest: int) -> str:
    """The beginning of a text, and how much more there is."""
    return text[:longest] + _more(len(text) - longest)


def _more(left: int) -> str:
    return f"… ({left:,} more characters)" if left > 0 else ""


def shown_sides(divergence: Divergence, longest: int) -> list[tuple[str, str]]:
    """What to call each value, and the value as it is shown, from where the first difference can be seen."""
    begin = cut_begins(_line(divergence.reference), _line(divergence.candidate), longest)
    return [(name, shown(value, longest, begin)) for name, value in sides(divergence)]


def some(names: Sequence[str], of: int | None = None, most: int = 3) -> str:
    """The first few names, and how many more there are; `of` says how many, where not all were made."""
    shown = names if of is not None else names[:most]
    more = (len(names) if of is None else of) - len(shown)
    return ", ".join(shown) + (f" and {more:,} more" if more else "")
