"""Costs on a terminal and on a page."""

from __future__ import annotations

import io
import re
from dataclasses import replace

from rich.console import Console

from llm_contracts.cost.model import Cost, Measure
from llm_contracts.cost.views import print_cost
from llm_contracts.reporting.html.page import render
from llm_contracts.util.text import SIGNS
from tests.harness.cost.samples import cost, provider_cost
from tests.harness.reporting.html.runs import ABOUT, HOSTILE
from tests.harness.reporting.samples import result

CHUNK = Measure.CPU_PER_CHUNK


def printed(costs: Cost, encoding: str = "utf-8") -> str:
    raw = io.BytesIO()
    console = Console(
        file=io.TextIOWrapper(raw, encoding=encoding, errors=SIGNS, write_through=True), width=120
    )
    print_cost(console, costs)
    return " ".join(raw.getvalue().decode(encoding).split())


def page(costs: Cost | None) -> str:
    """The text of the page, without its styles and programs."""
    whole = "".join(render(result(), replace(ABOUT, cost=costs), lambda _name: result().items[0]))
    return re.sub(r"(?s)<(script|style)\b.*?</\1>", "", whole)


def test_both_figures_stand_beside_their_ratio_and_its_spread() -> None:
    shown = printed(cost(provider_cost(ratio=2.5)))
    assert "CPU per chunk CPU per call time to first delta peak memory" in shown
    assert "2.5× 10 / 25 µs" in shown
    assert "2.5 to 2.5" in shown
    assert "the median ratio of 5 rounds, with both figures of that very round" in shown
    assert "2 processors, its load 1.5 at the start: compare ratios, not times." in shown


def test_a_limit_that_is_not_kept_is_named() -> None:
    shown = printed(cost(at_most={CHUNK: 1.5}))
    assert "Limits of cost that are exceeded (1) acme: cpu_per_chunk is 2.00 times" in shown


def test_what_was_not_measured_says_why_once_for_all_that_shares_the_reason() -> None:
    partly = provider_cost("acme", missing={CHUNK: "it is short"}, found={})
    nothing = provider_cost("zenith", recording=None, missing=dict.fromkeys(Measure, "it is mute"), found={})
    shown = printed(cost(partly, nothing))
    assert "acme: no CPU per chunk, as it is short." in shown
    assert "zenith: nothing, as it is mute." in shown
    assert "Nothing could be measured." in shown


def test_another_reference_is_named_and_left_out_of_the_median() -> None:
    shown = printed(cost(provider_cost(), provider_cost("gemini", 40.0, reference="by-hand")))
    assert "against by-hand" in shown
    assert "leave out gemini" in shown
    assert "CPU per chunk 2.0×," in shown


def test_a_terminal_that_knows_little_is_shown_what_it_can_show() -> None:
    assert "2.0x 10 / 20" in printed(replace(cost(), load=None), encoding="ascii")


def test_a_page_has_both_bars_at_the_scale_of_the_longer() -> None:
    shown = page(cost(provider_cost(ratio=4.0), at_most={CHUNK: 2.0}))
    assert '<rect width="25.0"' in shown
    assert '<rect width="100.0"' in shown
    assert "acme: cpu_per_chunk is 4.00 times the reference&#39;s" in shown


def test_a_page_without_costs_says_nothing_about_them() -> None:
    assert "Cost of a call" not in page(None)
    assert "Cost of a call" in page(cost())


def test_what_a_path_says_when_it_fails_does_not_break_the_page() -> None:
    broken = provider_cost(found={}, missing=dict.fromkeys(Measure, HOSTILE))
    assert "<script>window" not in page(cost(broken))
    assert "not measured" in page(cost(broken))
