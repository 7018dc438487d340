"""The review on a terminal, from its first screen to the summary it leaves behind."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from rich.console import Console

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.review.tui.session import InteractiveReview
from llm_contracts.review.tui.state import lapses, tally
from llm_contracts.review.tui.terminal import run_full_screen, run_lines
from llm_contracts.util.git import git_user
from llm_contracts.util.terminal import echo
from llm_contracts.util.text import count

if TYPE_CHECKING:
    from llm_contracts.review.session import ReviewSession


def run_review(session: ReviewSession, *, plain: bool) -> Exit:
    """Review until it is left; whether something still waits is the exit code."""
    unicode = sys.stdout.encoding.lower().startswith("utf")
    plain = plain or os.environ.get("TERM", "dumb") == "dumb" or not unicode
    review = InteractiveReview(session, by=git_user(session.settings.root))
    if not review.state.groups:
        echo("Nothing waits for a decision.")
        return Exit.AGREEMENT
    if plain:
        run_lines(review, Console(highlight=False, no_color=True), input)
    else:
        run_full_screen(review)
    found = tally(review.state)
    lapse = f" until {lapses(review.state)}" if found["accepted"] else ""
    marked = found["decided"] - found["accepted"]
    echo(f"{count(found['accepted'], 'group')} accepted{lapse}, {marked} marked, {found['left']} left.")
    if found["accepted"]:
        waivers = session.settings.shown(session.settings.waivers)
        echo(f"Waivers are in {waivers}; look at its diff, commit it.")
    if found["left"]:
        echo("llm-contracts review takes it up again here.")
        return Exit.DIVERGENCE
    echo("Check again to see what the verdict is now: llm-contracts check")
    return Exit.AGREEMENT
