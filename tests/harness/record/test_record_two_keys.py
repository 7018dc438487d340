"""Where a provider is called: its key may have two halves, its address may be another."""

from __future__ import annotations

from dataclasses import replace

import pytest

from llm_contracts.project.config import ConfigError
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


@pytest.mark.parametrize(
    "value",
    [
        *("not a url", "ftp://host/v1", "https://host/v1?a=b", "https://host/v1#top", "host/v1", "http://"),
        *("http://[::1/v1", "https://host:port/v1"),
    ],
)
def test_what_is_no_base_url_is_refused_by_the_name_of_its_variable(value: str) -> None:
    row = replace(ROW, base_url_variable="TWO_URL")
    keys = {"TWO_ID": "id", "TWO_WORD": "word"}
    with pytest.raises(ConfigError, match=r"^TWO_URL is not a base URL, which is like https://api\.two"):
        live_endpoint(row, {**keys, "TWO_URL": value})
    endpoint = live_endpoint(row, {**keys, "TWO_URL": " https://user@[::1]:8443/v1/ "})
    assert endpoint is not None
    assert endpoint.base_url == "https://user@[::1]:8443/v1"


def test_both_halves_are_secrets() -> None:
    assert secrets_in({"TWO_ID": "id", "TWO_WORD": "word", "OTHER": "x"}, (ROW,)) == {
        "TWO_ID": "id",
        "TWO_WORD": "word",
    }
