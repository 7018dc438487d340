"""What docs/drift.md says of each change: how severe it can be, the worst first."""

from __future__ import annotations

import re
from pathlib import Path

_PAGE = Path(__file__).parents[3] / "docs" / "drift.md"
_ROW = re.compile(r"^\| `(\w+)` \| ([a-z, ]+) \|", re.MULTILINE)

SEVERITIES = {name: said.split(", ") for name, said in _ROW.findall(_PAGE.read_text(encoding="utf-8"))}
