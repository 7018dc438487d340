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

IDS: tuple[str, ...] = tuple(f"R{number:02}" for number in range(1, 33))
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
    Elsewhere(
        id="R25",
        what="Calls that fail, or that a consumer leaves, are not metered",
        proof="test_the_hook_is_called_once_whatever_becomes_of_a_call",
        sign="the usage hook, once for each call",
    ),
    Elsewhere(
        id="R26",
        what="Cached tokens are told and charged twice: as input, and apart",
        proof="test_a_good_call_is_told_whole",
        sign="the generation's totals, each token under one key",
    ),
    Elsewhere(
        id="R27",
        what="The generation is written for one release of Langfuse, and lost with any other",
        proof="test_a_span_that_offers_generation_is_told_in_that_way",
        sign="the generation of a span that offers it in another way",
    ),
    Elsewhere(
        id="R28",
        what="Settings come from the environment of the start alone",
        proof="test_settings_are_read_again_for_each_call_from_wherever_the_host_keeps_them",
        sign="the key of the next call",
    ),
    Elsewhere(
        id="R29",
        what="The allow list's own order and display names are lost",
        proof="test_options_have_the_allow_list_s_order_and_names",
        sign="the options that people are given",
    ),
    Elsewhere(
        id="R30",
        what="One effort and one temperature are sent to all of the gpt-5 family",
        proof="test_gpt_5_thinks_as_little_as_it_can_and_takes_a_temperature_only_without_thinking",
        sign="`reasoning_effort` and `temperature` by model",
    ),
    Elsewhere(
        id="R31",
        what="A signed listing of Ark that is refused leaves no models",
        proof="test_the_listing_offers_models_and_a_failing_one_leaves_the_usual_one",
        sign="the models of the usual listing",
    ),
    Elsewhere(
        id="R32",
        what="Each worker imports for itself, or threads that were started before a fork are lost in it",
        proof="test_preloading_starts_no_thread_and_opens_no_connection",
        sign="threads and sockets of the parent",
    ),
)
