"""A provider whose key has two halves."""

from __future__ import annotations

import pytest

from llm_contracts.project.endpoint import live_endpoint
from llm_contracts.project.scenario import Provider
from llm_contracts.project.secrets import secrets_in

ROW = Provider(
    name="two", base_url="https://api.two.example", key_variable="TWO_ID", second_key_variable="TWO_WORD"
)


def test_both_halves_are_handed_on_as_one() -> None:
    endpoint = live_endpoint(ROW, {"TWO_ID": " id ", "TWO_WORD": "word"})
    assert endpoint is not None
    assert endpoint.key == "id:word"


@pytest.mark.parametrize(
    "environ", [{"TWO_ID": "id"}, {"TWO_WORD": "word"}, {"TWO_ID": "id", "TWO_WORD": " "}]
)
def test_half_a_key_is_none(environ: dict[str, str]) -> None:
    assert live_endpoint(ROW, environ) is None


def test_both_halves_are_secrets() -> None:
    assert secrets_in({"TWO_ID": "id", "TWO_WORD": "word", "OTHER": "x"}, (ROW,)) == {
        "TWO_ID": "id",
        "TWO_WORD": "word",
    }
