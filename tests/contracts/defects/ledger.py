"""Every known defect of such a migration, and what shows it: the table that tests and page are made from."""

from __future__ import annotations

from tests.contracts.defects import (
    bare_clients,
    plausible_answers,
    plausible_requests,
    shipped_answers,
    shipped_requests,
)
from tests.contracts.defects.defect import Defect, Elsewhere

SHIPPED: tuple[Defect, ...] = tuple(
    sorted((*shipped_requests.REQUESTS, *shipped_answers.ANSWERS), key=lambda defect: defect.id)
)
THOUGHT_UP: tuple[Defect, ...] = (
    *plausible_requests.REQUESTS,
    *plausible_answers.ANSWERS,
    *bare_clients.BARE,
)
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
