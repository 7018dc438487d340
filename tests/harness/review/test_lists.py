"""Waivers that list several names: each name has to earn its place."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.waivers import Waivers, load_waivers
from tests.harness.reporting.samples import item
from tests.harness.review.samples import member

DAY = date(2026, 11, 22)


def loaded(folder: Path, provider: str, scenario: str) -> Waivers:
    file = folder / "waivers.toml"
    file.write_text(
        f'[[waiver]]\nkind = "text"\nprovider = {provider}\nscenario = {scenario}\n'
        'reason = "so"\nby = "Ada"\nuntil = 2027-01-31\n'
    )
    return load_waivers(file, DAY)


def test_each_listed_name_is_covered_and_no_other(tmp_path: Path) -> None:
    (entry,) = loaded(tmp_path, '["acme", "zenith"]', '["plain", "chat-*"]').entries
    assert entry.covers("zenith", "chat-long")
    assert not entry.covers("zenith", "other")
    assert not entry.covers("apex", "plain")


def test_a_listed_name_that_accepts_nothing_any_more_fails_the_run(tmp_path: Path) -> None:
    waivers = loaded(tmp_path, '["acme", "zenith"]', '["plain", "chat"]')
    text = member("acme/plain", Kind.TEXT, "text", "a", "b").divergence
    items = [item(name) for name in ("acme/chat", "zenith/plain", "zenith/chat")]
    complaints = waivers.unused([item("acme/plain", divergences=(text,)), *items], {})
    assert [complaint.rpartition("): ")[2] for complaint in complaints] == [
        "chat: accepts nothing that occurs; remove it",
        "zenith: accepts nothing that occurs; remove it",
    ]


@pytest.mark.parametrize("names", ["[]", '["plain", ""]', "[7]"])
def test_a_list_that_says_nothing_is_a_fault(tmp_path: Path, names: str) -> None:
    found = loaded(tmp_path, '"acme"', names)
    assert found.entries == ()
    assert "'scenario' must be a text that says something" in found.complaints[0]


def test_only_names_may_be_lists(tmp_path: Path) -> None:
    file = tmp_path / "waivers.toml"
    file.write_text(
        '[[waiver]]\nkind = "text"\nprovider = "a"\nscenario = "b"\nwhere = ["x"]\n'
        'reason = "so"\nby = "Ada"\nuntil = 2027-01-31\n'
    )
    assert "'where' must be a text" in load_waivers(file, DAY).complaints[0]
