"""The guide says what the screens say."""

from __future__ import annotations

from pathlib import Path

from llm_contracts.cli.review import review
from llm_contracts.review.coverage import SCOPES
from llm_contracts.review.decisions import Scope
from llm_contracts.review.tui.keys import HELP
from llm_contracts.review.tui.page import View

GUIDE = (Path(__file__).parents[3] / "docs" / "reviewing.md").read_text(encoding="utf-8")


def test_the_guide_lists_every_key_as_the_help_does() -> None:
    rows = [f"| `{names}` | {does} |" for part in HELP.values() for names, does in part]
    assert [row for row in rows if row not in GUIDE] == []


def test_the_guide_names_every_command_scope_and_view() -> None:
    commands = [f"llm-contracts review {name} " for name in review.commands]
    names = [*commands, *(SCOPES[scope] for scope in Scope), *(f"**{view}**" for view in View)]
    assert [name for name in names if name not in GUIDE] == []
