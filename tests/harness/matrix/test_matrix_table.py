"""What counts as a change against the pinned releases, and which changes fail a run."""

from __future__ import annotations

import json

import pytest

from llm_contracts.matrix.plan import Unsupported
from llm_contracts.matrix.table import Cell, CellState, ChangeDirection, ReleaseChange, Table, cell_of
from llm_contracts.parity.divergence import Kind
from tests.harness.matrix.cells import PINNED, cell, difference, document, pair, row

OLD, NEW = pair("1.80.11"), pair("1.109.1", "3.54.0")


def table(pinned: Cell, *cells: Cell) -> Table:
    return Table(pinned=pinned, cells=cells)


def only(found: Table) -> ReleaseChange:
    (change,) = found.changes
    return change


def test_the_same_differences_are_no_change() -> None:
    found = table(cell(PINNED, difference()), cell(OLD, difference()))
    assert found.changes == ()
    assert not found.fails


def test_a_difference_that_the_pinned_pair_does_not_have_fails() -> None:
    found = table(cell(PINNED), cell(OLD, difference(), difference(item="acme/other")))
    change = only(found)
    assert (change.way, change.kind, change.size) == (ChangeDirection.NEW, Kind.USAGE, 2)
    assert change.scenarios == {str(OLD): ("acme/plain", "acme/other")}
    assert found.fails


def test_a_difference_that_has_gone_is_told_and_fails_nothing() -> None:
    found = table(cell(PINNED, difference()), cell(OLD))
    assert only(found).way is ChangeDirection.GONE
    assert not found.fails


def test_other_values_at_the_same_place_are_one_change_which_fails() -> None:
    found = table(cell(PINNED, difference(candidate=9)), cell(OLD, difference(candidate=4)))
    change = only(found)
    assert (change.way, change.example, change.before) == (ChangeDirection.OTHER, (18, 4), 9)
    assert found.fails


def test_places_that_differ_in_a_number_only_are_the_same_place() -> None:
    before, now = (difference(Kind.DELTAS, where=f"delta[{n}]") for n in (3, 4))
    assert only(table(cell(PINNED, before), cell(OLD, now))).way is ChangeDirection.OTHER


def test_what_is_accepted_under_these_releases_fails_nothing() -> None:
    found = table(cell(PINNED), cell(OLD, difference(accepted=True)))
    assert only(found).accepted
    assert not found.fails


def test_a_waiver_that_ends_with_a_release_lets_its_difference_fail_beyond() -> None:
    found = table(cell(PINNED, difference(accepted=True)), cell(OLD, difference()))
    assert {(change.way, change.accepted) for change in found.changes} == {
        (ChangeDirection.NEW, False),
        (ChangeDirection.GONE, True),
    }
    assert found.fails


def test_cosmetic_differences_are_told_and_fail_nothing() -> None:
    found = table(cell(PINNED), cell(OLD, difference(Kind.CHUNK_COUNT)))
    assert only(found).kind is Kind.CHUNK_COUNT
    assert not found.fails


def test_a_provider_that_is_known_not_to_work_there_fails_nothing() -> None:
    known = (Unsupported(provider="acme", reason="It never did."),)
    found = table(cell(PINNED), cell(OLD, difference(), known=known))
    assert only(found).excused
    assert not found.fails
    other = table(cell(PINNED), cell(OLD, difference(item="zenith/plain"), known=known))
    assert other.fails


def test_scenarios_that_did_not_run_there_have_nothing_gone() -> None:
    found = table(cell(PINNED, difference()), cell(OLD, items={}))
    assert found.changes == ()


def test_both_paths_doing_something_else_is_told() -> None:
    moved = {"acme/plain": {"reference": {"deltas": 5}, "candidate": {"deltas": 5}}}
    pinned = cell(PINNED, items={"acme/plain": {"reference": {"deltas": 2}, "candidate": {"deltas": 2}}})
    found = table(pinned, cell(OLD, items=moved))
    change = only(found)
    assert (change.way, change.where, change.example) == (ChangeDirection.ALIKE, "deltas", (2, 5))
    assert not found.fails


def test_one_change_under_several_pairs_is_one() -> None:
    found = table(cell(PINNED), cell(OLD, difference()), cell(NEW, difference()))
    assert list(only(found).scenarios) == [str(OLD), str(NEW)]


def test_what_fails_comes_first_then_what_is_severe() -> None:
    now = cell(OLD, difference(Kind.DELTAS), difference(Kind.TEXT), difference(Kind.USAGE, accepted=True))
    found = table(cell(PINNED), now)
    assert [change.kind for change in found.changes] == [Kind.TEXT, Kind.DELTAS, Kind.USAGE]


@pytest.mark.parametrize("state", [CellState.FAILED, CellState.UNSUPPORTED])
def test_a_pair_that_was_not_tried_changes_nothing(state: CellState) -> None:
    found = table(cell(PINNED, difference()), Cell(pair=OLD, state=state, reason="Why not."))
    assert found.changes == ()


def test_a_result_becomes_a_cell() -> None:
    read = document(
        row("acme/plain", Kind.USAGE),
        row("acme/other", Kind.TEXT, waived="Agreed.", noise=[{}]),
        row("acme/bad", problem="acme/bad.yaml: is empty"),
        complaints=["waivers.toml:3: matches nothing"],
    )
    got = cell_of(OLD, read, known=(Unsupported(reason="the whole pair"),))
    assert got.scenarios_with(Kind.USAGE) == {"acme/plain"}
    assert got.scenarios_with(Kind.TEXT) == frozenset()
    assert got.scenarios_with(Kind.TEXT, accepted=True) == {"acme/other"}
    assert (list(got.items), got.noise) == (["acme/plain", "acme/other"], ("acme/other",))
    assert got.problems == ("acme/bad.yaml: is empty", "waivers.toml:3: matches nothing")
    assert got.known == ()


def test_a_table_survives_its_document() -> None:
    """Pages are made from files that were written long before."""
    known = (Unsupported(provider="acme", litellm="<1.83", reason="It never did."),)
    whole = table(
        cell(PINNED, difference(), measures={"time": "1.0"}),
        cell(OLD, difference(candidate=4), known=known, unreadable=("x",), complaints=("y",)),
        Cell(pair=NEW, state=CellState.FAILED, reason="No."),
    )
    written = json.loads(json.dumps(whole.document(reference="a")))
    assert Table.from_document(written) == whole
    assert (written["reference"], written["fails"], written["format"]) == ("a", False, 1)
    assert written["cells"][0]["kinds"] == {"usage": 1}


def test_a_document_of_another_format_is_refused() -> None:
    with pytest.raises(ValueError, match="format 2"):
        Table.from_document({"format": 2})
