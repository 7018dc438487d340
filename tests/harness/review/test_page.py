"""Lanes folded to what differs, and drawn at a width."""

from __future__ import annotations

import pytest
from rich.cells import cell_len
from rich.console import Console
from rich.text import Text

from llm_contracts.parity.divergence import Kind
from llm_contracts.reporting.align import by_ends
from llm_contracts.review.tui.drawing import fitted, laid_out, safe
from llm_contracts.review.tui.evidence import first_view, page
from llm_contracts.review.tui.page import Page, View, folded, pairs, whole
from llm_contracts.wire.interaction import Interaction, Request, Response
from tests.harness.reporting.samples import item, observation
from tests.harness.review.samples import member


def shown(found: Page, width: int = 100, *, entire: bool = False) -> list[str]:
    return [line.plain.rstrip() for line in laid_out(found, width, entire=entire).lines]


def test_equal_runs_are_folded_and_their_neighbours_stay() -> None:
    left = [f"chunk {n}" for n in range(20)]
    right = [*left[:10], "other", *left[11:]]
    rows = list(folded([*pairs(left, right, "chunks")]))
    assert [row.left for row in rows] == [
        "= 8 equal chunks",
        "chunk 8",
        "chunk 9",
        "chunk 10",
        "chunk 11",
        "chunk 12",
        "= 7 equal chunks",
    ]
    assert [row.label for row in rows if row.differs] == ["11"]


def test_long_runs_that_one_lane_has_alone_are_folded_too() -> None:
    rows = list(folded([*pairs([f"chunk {n}" for n in range(30)], [], "chunks")]))
    assert [row.left for row in rows[3:6]] == ["chunk 3", "24 more chunks on the left alone", "chunk 28"]
    assert len(list(folded([*pairs(["a"] * 10, [], "chunks")]))) == 10


def test_the_next_difference_is_the_next_run_and_after_the_last_comes_the_first() -> None:
    found = Page(rows=tuple(pairs(["a", "x", "y", "b", "z"], ["a", "1", "2", "b", "3"], "rows")))
    laid = laid_out(found, 100, entire=False)
    assert [laid.next_difference(after) for after in (-1, 1, 4)] == [1, 4, 1]
    below = laid_out(found, 60, entire=False)  # one above the other, two lines for each row that differs
    assert [below.next_difference(after) for after in (0, 1, 6)] == [1, 6, 1]
    assert laid_out(Page(rows=found.rows[:1]), 100, entire=False).next_difference(0) is None


def test_a_page_opens_at_the_field_that_the_difference_is_about() -> None:
    changed = item(candidate=observation("你好", "，世界", client="right", failure=None, chunks=()))
    found = page(changed, member("a/b", Kind.USAGE_MISSING).divergence, View.LANES)
    assert found.rows[found.focus].label == "prompt_tokens"
    assert first_view(Kind.REQUEST_BODY) is View.REQUEST


@pytest.mark.parametrize("view", list(View))
@pytest.mark.parametrize("width", [60, 75, 76, 110])
@pytest.mark.parametrize("entire", [False, True])
def test_no_line_is_wider_than_the_screen_and_it_opens_where_it_says(
    view: View, width: int, *, entire: bool
) -> None:
    text = "很长的一段话 with\x07 bells and \u202e tricks " * 20
    other = item(candidate=observation("你好", text, client="right"))
    found = page(other, member("a/b", Kind.TEXT).divergence, view, entire=entire)
    laid = laid_out(found, width, entire=entire)
    assert all(cell_len(line.plain) <= width for line in laid.lines)
    assert all(line.plain.isprintable() for line in laid.lines)
    first = found.rows[found.focus]
    assert first.label[-12:] in laid.lines[laid.focus].plain
    assert ("▶" in laid.lines[laid.focus].plain) == first.differs == bool(laid.stops)


def test_the_middle_of_a_long_line_is_shown_where_it_differs() -> None:
    left, right = ["x" * 300 + " before"], ["x" * 300 + " after"]
    (line,) = shown(Page(rows=tuple(pairs(left, right, "rows"))))
    assert "before" in line
    assert "after" in line


def test_what_differs_in_a_value_is_found_from_both_ends() -> None:
    assert by_ends("one two three", "one 2 three")[0] == ["one ", "two", " three"]
    assert by_ends("aa", "aaa") == (["aa", "", ""], ["aa", "a", ""])
    (line,) = fitted("one two three", "one 2 three", 40)
    assert [(span.start, span.end) for span in line.spans] == [(4, 7)]


def test_narrow_screens_show_one_lane_above_the_other() -> None:
    lines = shown(Page(rows=tuple(pairs(["old", "both"], ["new", "both"], "rows"))), 60)
    assert lines == ["▶ 1 < old", "▶   > new", "  2 = both"]


def test_what_a_provider_sends_cannot_steer_the_terminal() -> None:
    hostile = "\x1b[2J \x9b31m \u202e \x00"
    response = Response(status=200, body=f"data: {hostile}\n\n".encode())
    request = Request(method="POST", uri="https://api.example.com/\x1b]0;gone")
    exchange = Interaction(request=request, response=response)
    lines = shown(page(item(exchanges=(exchange,)), member("a/b").divergence, View.WIRE))
    assert "\\x1b[2J" in "".join(lines)
    assert all(line.isprintable() for line in lines)
    assert safe(Text(f"delta {hostile}")).plain.isprintable()


@pytest.mark.parametrize("width", [60, 110])
def test_values_that_differ_are_not_dim_and_labels_are(width: int) -> None:
    """The most important text must not be the faintest."""
    found = Page(rows=(*pairs(["old"], ["new"], "rows"), whole("an event", label="7", differs=True)))
    laid = laid_out(found, width, entire=False)
    console = Console()
    for line in laid.lines:
        for text in ("old", "new", "an event"):
            if text in line.plain:
                assert not line.get_style_at_offset(console, line.plain.index(text)).dim
    label = next(line for line in laid.lines if " 7 " in line.plain)
    assert label.get_style_at_offset(console, label.plain.index("7")).dim


def test_where_nothing_differs_all_is_shown_once_over_both_lanes() -> None:
    found = page(item(), member("a/b").divergence, View.REQUEST)
    lines = shown(found)
    assert lines[0].strip() == "POST https://api.example.com/v1/chat/completions"
    assert any('"model": "gpt-4o"' in line for line in lines)
