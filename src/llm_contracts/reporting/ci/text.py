"""Foreign text and values as the views for CI show them; in Markdown, as GitHub and GitLab read it."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import partial

from llm_contracts.parity.compare import ABSENT
from llm_contracts.parity.divergence import Divergence
from llm_contracts.reporting.lines import finite, side_lines, value_pair, visible
from llm_contracts.results.document import json_text
from llm_contracts.util.text import code_span, longest_backticks

_NONCHARACTERS = str.maketrans({"\ufffe": "⟨U+FFFE⟩", "\uffff": "⟨U+FFFF⟩"})  # XML knows no way to say them
_APART = "&#8203;"  # a space without width: it keeps `@name` and `#1` from being anybody's name or number
_CALL = r"[@#]|:(?=//)|:(?=[a-z_+-][\w+-]*:)|\bwww(?=\.)|\bGH(?=-\d)|^\d+(?=[.)])"
_MARK = r"[\\`*_{}\[\]<>|~&$]|^[-+=]"
_SPECIAL = re.compile(f"(?P<call>{_CALL})|(?P<mark>{_MARK})", re.IGNORECASE)
_ENTITIES = {"<": "&lt;", ">": "&gt;", "&": "&amp;", "$": "<span>$</span>"}  # GitHub reads `$x$` as a formula


def without_hidden(text: str) -> str:
    """The text without anything that hides, turns the direction of text, or cannot stand in XML."""
    return text if text.isprintable() else visible(text).translate(_NONCHARACTERS)


def cut(text: str, longest: int, begin: int = 0) -> str:
    """A part of a text, and how much more there is."""
    left = len(text) - begin - longest
    more = f"… ({left:,} more characters)" if left > 0 else ""
    # What is hidden is looked for in the part that is shown: values of megabytes occur.
    return ("…" if begin else "") + without_hidden(text[begin : begin + longest]) + more


def json_line(value: object) -> str:
    """A value as JSON in one line."""
    return "absent" if value == ABSENT else json_text(finite(value))


def cut_sides(divergence: Divergence, longest: int) -> list[tuple[str, str]]:
    """What to call each value, and the value as it is shown, from where the first difference can be seen."""
    return side_lines(divergence, longest, partial(value_pair, write=json_line, cut=cut))


def plain(text: str) -> str:
    """Text that reads as it is, in one line: no markup, mention, reference, link or formula comes of it. Fit
    for a cell of a table, too.
    """

    def harmless(found: re.Match[str]) -> str:
        mark = found["mark"]
        return found["call"] + _APART if found["call"] else _ENTITIES.get(mark, f"\\{mark}")

    return _SPECIAL.sub(harmless, " ".join(without_hidden(text).split()))


def code(text: str) -> str:
    """A code span in which nothing hides, see `code_span`."""
    return code_span(without_hidden(text))


def code_block(lines: Iterable[str]) -> list[str]:
    """Lines to copy."""
    shown = [without_hidden(line) for line in lines]
    fence = "`" * max(3, longest_backticks("\n".join(shown)) + 1)
    return [f"{fence}sh", *shown, fence]


def link(text: str, address: str | None) -> str:
    """A code span that leads somewhere, if there is an address."""
    if address is None:
        return code(text)
    safe = "".join(c if c.isprintable() and c not in '<>\\ "' else f"%{ord(c):02X}" for c in address)
    return f"[{code(text)}](<{safe}>)"
