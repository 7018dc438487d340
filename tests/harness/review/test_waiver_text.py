"""Waivers as text: what stands in the file stays, and what is added reads back as it was decided."""

from __future__ import annotations

import tempfile
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.waiver import Waiver
from llm_contracts.parity.waivers import load_waivers, says_something
from llm_contracts.review.waiver_text import appended

DAY = date(2026, 11, 22)
ROW = Waiver(
    kind=Kind.USAGE_MISSING, provider="acme", scenario="plain", reason="so", by="Ada", until=date(2027, 1, 31)
)
SPOKEN = st.text(st.characters(codec="utf-8"), min_size=1, max_size=300).filter(says_something)


def read_back(text: str) -> tuple[Waiver, ...]:
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "waivers.toml"
        file.write_text(text, encoding="utf-8")
        found = load_waivers(file, DAY)
        assert found.complaints == ()
        return tuple(replace(entry, place="") for entry in found.entries)


@given(reason=SPOKEN, by=SPOKEN)
def test_any_reason_and_name_read_back_in_one_line(reason: str, by: str) -> None:
    row = replace(ROW, reason=" ".join(reason.split()), by=" ".join(by.split()))
    assert read_back(appended("", [row])) == (row,)


def test_what_stands_in_the_file_stays_to_the_letter() -> None:
    before = '# Ours.\n\n[[waiver]]   # by hand\nkind   = "text"\n'
    after = appended(before, [ROW, ROW])
    assert after.startswith(before + "\n[[waiver]]\nkind = ")
    assert "\n\n\n" not in after
    assert appended(before, []) == before


@pytest.mark.parametrize("before", ["", "\n", "# only a comment"])
def test_a_file_without_rows_gets_them_too(before: str) -> None:
    assert read_back(appended(before, [ROW])) == (ROW,)


def test_several_names_are_a_list_and_many_a_line_each() -> None:
    many = "|".join(f"scenario-{n}" for n in range(20))
    row = replace(ROW, provider="acme|zenith", scenario=many)
    text = appended("", [row])
    assert 'provider = ["acme", "zenith"]' in text
    assert '\n  "scenario-19",\n]' in text
    assert read_back(text) == (row,)
    assert row.covers("zenith", "scenario-7")
    assert not row.covers("zenith", "scenario-77")


def test_a_long_reason_is_folded_and_still_one_line_when_it_is_read() -> None:
    reason = 'The "old" client, with \\ and more, never asked. ' * 6
    row = replace(ROW, reason=reason.strip())
    text = appended("", [row])
    assert max(map(len, text.splitlines())) <= 112
    assert read_back(text) == (row,)
