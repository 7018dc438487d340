"""The table of scenarios: complete, and made of what the product and the simulator know."""

from __future__ import annotations

from itertools import product

import pytest

from llm_adapter.policies import family_of
from llm_adapter.providers import PROVIDERS as ROWS
from llm_contracts.clients.call import Function
from llm_contracts.project.scenario import Scenario
from llm_contracts.simulator import DIALECTS, SCRIPTS
from tests.contracts import handwritten
from tests.contracts.clients import PROVIDERS
from tests.contracts.scenarios import MODELS, NOT_APPLICABLE, SCENARIOS
from tests.contracts.situations import SITUATIONS as COMMON

SITUATIONS = COMMON + handwritten.SITUATIONS
PAIRS = set(product((provider.name for provider in PROVIDERS), (situation.id for situation in SITUATIONS)))
THERE = [(scenario.provider, scenario.id) for scenario in SCENARIOS]
each = pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)


def test_every_provider_has_every_situation_or_a_reason_why_not() -> None:
    assert set(THERE) | set(NOT_APPLICABLE) == PAIRS
    assert not set(THERE) & set(NOT_APPLICABLE)
    assert all(NOT_APPLICABLE.values())


def test_no_name_stands_there_twice() -> None:
    assert len(THERE) == len(set(THERE))


def test_every_situation_can_be_rehearsed() -> None:
    assert {situation.id for situation in SITUATIONS} <= set(SCRIPTS)
    assert set(DIALECTS) <= set(MODELS)


@each
def test_the_model_leads_to_the_provider_and_a_plain_one_gets_nothing_added(scenario: Scenario) -> None:
    if scenario.function is Function.LIST_MODELS:
        assert scenario.model == ""
        return
    owner = next(row for row in ROWS if row.owns(scenario.model))
    assert owner.key == scenario.provider
    family = family_of(owner.key, scenario.model.removeprefix(owner.prefix))
    thinks = scenario.id == "reasoning"
    assert thinks or (family.temperature, dict(family.extra_body)) == (None, {})


@each
def test_the_parameters_leave_to_the_product_what_the_product_sends_by_itself(scenario: Scenario) -> None:
    assert not {"stream", "stream_options", "model", "messages"} & scenario.params.keys()


@each
def test_json_mode_is_asked_for_with_the_word_that_providers_insist_on(scenario: Scenario) -> None:
    if scenario.params.get("response_format"):
        assert "json" in str(scenario.messages).lower()


@each
def test_an_invocation_is_one_user_message_with_at_most_a_system_text_before_it(scenario: Scenario) -> None:
    roles = [message["role"] for message in scenario.messages]
    if scenario.function is Function.INVOKE:
        assert roles in (["user"], ["system", "user"])
