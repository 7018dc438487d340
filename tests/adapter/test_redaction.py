"""Keys are replaced wherever they stand, and nothing else is."""

from __future__ import annotations

from llm_adapter.redaction import Redactor

KEY = "bce-v3/ALTAK-1/abc"
REDACTOR = Redactor.of([KEY, KEY + "-longer", "abc"])


def test_a_key_is_replaced_at_any_depth_and_as_it_looks_in_a_url() -> None:
    told = {"a": [f"key {KEY}", ("bce-v3%2FALTAK-1%2Fabc", 7)], "b": {"c": None}}
    assert REDACTOR.data(told) == {"a": ["key [key]", ("[key]", 7)], "b": {"c": None}}


def test_a_key_that_begins_like_another_leaves_no_rest() -> None:
    assert REDACTOR.text(f"{KEY}-longer") == "[key]"


def test_values_too_short_to_be_keys_leave_words_whole() -> None:
    assert REDACTOR.text("abc of redaction") == "abc of redaction"


def test_a_redactor_does_not_show_what_it_hides() -> None:
    assert KEY not in repr(REDACTOR)


def test_credentials_in_urls_are_hidden_by_the_names_of_their_fields() -> None:
    """A token that a provider has just sold is no configured key."""
    said = "Max retries exceeded with url: /chat?access_token=24.sold&b=1&client_secret=hush (Caused by x)"
    assert Redactor.of(()).text(said) == (
        "Max retries exceeded with url: /chat?access_token=[key]&b=1&client_secret=[key] (Caused by x)"
    )
