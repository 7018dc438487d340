"""The table of scenarios: complete, and made of what the product and the simulator know."""

from __future__ import annotations

from itertools import product

from llm_adapter.policies import family_of
from llm_adapter.providers import PROVIDERS as ROWS
from llm_contracts import Function
from llm_contracts.simulator.dialects import DIALECTS
from llm_contracts.simulator.scripts import SCRIPTS
from tests.contracts import handwritten
from tests.contracts.clients import PROVIDERS
from tests.contracts.dialects import DIFY, ERNIE_V1
from tests.contracts.scenarios import MODELS, NOT_APPLICABLE, SCENARIOS
from tests.contracts.situations import SITUATIONS as COMMON

SITUATIONS = COMMON + handwritten.SITUATIONS
PAIRS = set(product((provider.name for provider in PROVIDERS), (situation.id for situation in SITUATIONS)))
THERE = [(scenario.provider, scenario.id) for scenario in SCENARIOS]


def test_every_provider_has_every_situation_or_a_reason_why_not() -> None:
    assert set(THERE) | set(NOT_APPLICABLE) == PAIRS
    assert not set(THERE) & set(NOT_APPLICABLE)
    assert all(NOT_APPLICABLE.values())


def test_no_name_stands_there_twice() -> None:
    assert len(THERE) == len(set(THERE))


def test_every_situation_can_be_rehearsed() -> None:
    assert {situation.id for situation in SITUATIONS} <= {*SCRIPTS, *DIFY.scripts}
    of_other_apis = {"anthropic", "openai-embeddings", "openai-responses"}  # which the product does not call
    assert {*DIALECTS, ERNIE_V1.name, DIFY.name} - of_other_apis == set(MODELS)


def test_each_model_leads_to_its_provider_and_a_plain_one_gets_nothing_added() -> None:
    wrong = []
    for scenario in SCENARIOS:
        owner = next((row for row in ROWS if row.owns(scenario.model)), None)
        if scenario.function is Function.LIST_MODELS:
            right = scenario.model == ""
        elif owner is None or owner.key != scenario.provider:
            right = False
        else:
            family = family_of(owner.key, scenario.model.removeprefix(owner.prefix))
            plain = family.temperature is None
            right = plain or scenario.id == "reasoning"
        if not right:
            wrong.append(scenario.name)
    assert wrong == []


def test_the_parameters_leave_to_the_product_what_the_product_sends_by_itself() -> None:
    own = {"stream", "stream_options", "model", "messages"}
    assert {row.name: found for row in SCENARIOS if (found := own & row.params.keys())} == {}


def test_json_mode_is_asked_for_with_the_word_that_providers_insist_on() -> None:
    rows = [row for row in SCENARIOS if row.params.get("response_format")]
    assert rows
    assert [row.name for row in rows if "json" not in str(row.messages).lower()] == []


def test_an_invocation_is_one_user_message_with_at_most_a_system_text_before_it() -> None:
    roles = {
        row.name: [message["role"] for message in row.messages]
        for row in SCENARIOS
        if row.function is Function.INVOKE
    }
    assert roles
    allowed = (["user"], ["system", "user"])
    assert {name: found for name, found in roles.items() if found not in allowed} == {}
