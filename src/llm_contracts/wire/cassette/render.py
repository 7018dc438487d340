"""Values to cassette text that a person can read in a diff: event streams and JSON as block text.

Whatever block text cannot hold exactly (carriage returns, tabs, blanks at a line's end) becomes a quoted
string, and what is no UTF-8 becomes binary.
"""

from __future__ import annotations

import re
from typing import Any

import yaml

from llm_contracts.wire.cassette.document import Block, Line, document
from llm_contracts.wire.cassette.model import Cassette

_WIDTH = 120
_BREAKS = re.compile("[\x85\u2028\u2029]")


# The pure Python dumper: libyaml's escapes every character beyond the basic plane, emoji among them, and so
# loses the block style of most chat streams.
class _Dumper(yaml.SafeDumper):
    """A safe dumper that knows the two styles above and writes no anchors."""

    def ignore_aliases(self, data: Any) -> bool:  # noqa: ARG002
        return True


def _represent_text(dumper: yaml.SafeDumper, text: str) -> yaml.ScalarNode:
    """Block text for bodies; always quoted where YAML would take a character for a line break of its own."""
    style = '"' if _BREAKS.search(text) else "|" if isinstance(text, Block) else None
    return dumper.represent_scalar("tag:yaml.org,2002:str", str(text), style=style)


def _represent_line(dumper: yaml.SafeDumper, items: list[Any]) -> yaml.SequenceNode:
    return dumper.represent_sequence("tag:yaml.org,2002:seq", items, flow_style=True)


_Dumper.add_representer(str, _represent_text)
_Dumper.add_representer(Block, _represent_text)
_Dumper.add_representer(Line, _represent_line)


def render(cassette: Cassette) -> bytes:
    """The file's bytes."""
    text: str = yaml.dump(
        document(cassette), Dumper=_Dumper, allow_unicode=True, sort_keys=False, width=_WIDTH
    )
    return text.encode("utf-8")
