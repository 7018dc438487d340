"""Every known defect of such a migration, and what shows it: the table that tests and page are made from."""

from __future__ import annotations

from tests.contracts.defects.bare_clients import BARE
from tests.contracts.defects.defect import Defect, Elsewhere
from tests.contracts.defects.plausible import PLAUSIBLE
from tests.contracts.defects.shipped_answers import ANSWERS
from tests.contracts.defects.shipped_requests import REQUESTS

SHIPPED: tuple[Defect, ...] = tuple(sorted((*REQUESTS, *ANSWERS), key=lambda defect: defect.id))
THOUGHT_UP: tuple[Defect, ...] = tuple(sorted((*PLAUSIBLE, *BARE), key=lambda defect: defect.id))
DEFECTS: tuple[Defect, ...] = (*SHIPPED, *THOUGHT_UP)

IDS: tuple[str, ...] = tuple(f"R{number:02}" for number in range(1, 25))
"""The defects that this migration once shipped, all found only after the cut-over."""

ELSEWHERE: tuple[Elsewhere, ...] = (
    Elsewhere(
        id="R03",
        what="LiteLLM's logging runs an event loop for each chunk, which fails where one runs already",
        proof="test_under_a_running_loop_only_plain_litellm_starts_another",
        sign="event loops that were refused",
    ),
    Elsewhere(
        id="R18",
        what="Follow-up questions do not ask for token totals, so that most providers send none",
        proof="test_totals_that_are_no_longer_asked_for_leave_their_waiver_without_use",
        sign="a waiver that accepts nothing any more fails the run",
    ),
    Elsewhere(
        id="R19",
        what="The import of LiteLLM downloads a price list: workers start late, or hang without a network",
        proof="test_importing_litellm_plainly_reaches_for_the_network_and_ours_does_not",
        sign="names that were looked up beyond this machine",
    ),
    Elsewhere(
        id="R23",
        what="Request parameters, with the API key, are written to the application's log",
        proof="test_a_key_in_the_log_is_found",
        sign="the key among the lines of every logger",
    ),
)
