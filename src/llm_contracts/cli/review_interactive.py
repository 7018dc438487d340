"""The review on a terminal, from its first screen to the summary it leaves behind."""

from __future__ import annotations

import os
import sys
from typing import TYPE_CHECKING

from rich.console import Console

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.review.terminal import setting_of, signs_for
from llm_contracts.review.tui.session import InteractiveReview
from llm_contracts.review.tui.setting import count
from llm_contracts.review.tui.signs import ASCII
from llm_contracts.review.tui.state import tally
from llm_contracts.review.tui.terminal import Terminal, editor, run_full_screen, run_lines
from llm_contracts.util.git import git_user
from llm_contracts.util.terminal import echo

if TYPE_CHECKING:
    from llm_contracts.review.session import ReviewSession
    from llm_contracts.review.tui.state import ReviewState


def run_review(desk: ReviewSession, *, plain: bool) -> Exit:
    """Review until it is left; whether something still waits is the exit code."""
    plain = plain or os.environ.get("TERM", "dumb") == "dumb"
    terminal = None if plain else Terminal(sys.stdin, sys.stdout)
    session = InteractiveReview(
        desk,
        setting_of(desk, ASCII if plain else signs_for(sys.stdout.encoding)),
        by=git_user(desk.settings.root),
        edit=editor(terminal, os.environ),
    )
    if not session.state.groups:
        echo("Nothing waits for a decision.")
        return Exit.AGREEMENT
    if terminal is None:
        run_lines(session, Console(highlight=False, no_color=True), input)
    else:
        run_full_screen(session, terminal)
    return _summary(session.state, desk)


def _summary(state: ReviewState, desk: ReviewSession) -> Exit:
    found = tally(state)
    lapse = f" until {found.until}" if found.until else ""
    echo(
        f"{count(found.accepted, 'group')} accepted{lapse}, {found.decided - found.accepted} marked, "
        f"{found.left} left."
    )
    if found.accepted:
        echo(f"Waivers are in {desk.settings.shown(desk.settings.waivers)}; look at its diff, commit it.")
    if found.left:
        echo("llm-contracts review takes it up again here.")
    else:
        echo("Check again to see what the verdict is now: llm-contracts check")
    return Exit.DIVERGENCE if found.left else Exit.AGREEMENT
