"""Aligning lanes: complete, in order, and quick enough for any stream."""

from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.reporting.align import AlignedBlock, align

LINES = st.lists(st.sampled_from("abcde"), max_size=12)


@given(LINES, LINES)
def test_the_blocks_cover_both_lanes_in_order_and_equal_ones_are_equal(
    left: list[str], right: list[str]
) -> None:
    blocks = align(left, right)
    assert [line for b in blocks for line in left[b.left_from : b.left_to]] == left
    assert [line for b in blocks for line in right[b.right_from : b.right_to]] == right
    for block in blocks:
        same = left[block.left_from : block.left_to] == right[block.right_from : block.right_to]
        assert same == block.equal
    assert all(one.equal != other.equal for one, other in pairwise(blocks))


def test_what_is_missing_in_one_lane_leaves_the_rest_beside_each_other() -> None:
    assert align(["a", "x", "b"], ["a", "b"]) == (
        AlignedBlock(equal=True, left_from=0, left_to=1, right_from=0, right_to=1),
        AlignedBlock(equal=False, left_from=1, left_to=2, right_from=1, right_to=1),
        AlignedBlock(equal=True, left_from=2, left_to=3, right_from=1, right_to=2),
    )


def test_five_thousand_chunks_of_which_every_second_differs_are_aligned_by_those_they_share() -> None:
    left = [f"{n}" for n in range(5_000)]
    right = [f"{n}" if n % 2 else f"other {n}" for n in range(5_000)]
    blocks = align(left, right)
    assert sum(block.left_to - block.left_from for block in blocks if block.equal) == 2_500


def test_one_piece_missing_among_thousands_of_the_same_is_one_difference() -> None:
    blocks = align(["ha"] * 5_000 + ["end"], ["ha"] * 4_999 + ["end"])
    assert [block.left_to - block.left_from for block in blocks if not block.equal] == [1]
