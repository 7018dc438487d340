"""Whose a base URL is, and what a client was given that called an address."""

from __future__ import annotations

import pytest

from llm_contracts.project.recorded_call import base_of
from llm_contracts.project.well_known import WELL_KNOWN, provider_at, unlisted


@pytest.mark.parametrize(
    ("called", "base"),
    [
        ("https://llm.acme.example/v1/chat/completions?api-version=1", "https://llm.acme.example/v1"),
        ("https://llm.acme.example/gate/v1/messages", "https://llm.acme.example/gate"),
        ("https://llm.acme.example/v1/responses", "https://llm.acme.example/v1"),
        ("https://llm.acme.example/v1/completions", "https://llm.acme.example/v1"),
        ("https://llm.acme.example/anything", "https://llm.acme.example/anything"),
        ("/v1/embeddings", "/v1"),
    ],
)
def test_a_base_url_ends_where_the_endpoint_begins(called: str, base: str) -> None:
    assert base_of(called) == base


def test_a_provider_is_known_by_its_host_or_named_after_it() -> None:
    assert provider_at("https://api.openai.com/v1") is WELL_KNOWN["openai"]
    assert provider_at("https://llm.acme.example/v1/").name == "llm-acme-example"
    assert provider_at("nonsense").name == "unknown"


def test_the_variable_of_a_key_can_be_set_in_a_shell() -> None:
    assert unlisted("my-own.gateway", "http://127.0.0.1:8080/").key_variable == "MY_OWN_GATEWAY_API_KEY"
