"""The review text: what a person reads in a diff."""

from __future__ import annotations

import unicodedata
from typing import Any

from hypothesis import assume, example, given
from hypothesis import strategies as st

from llm_contracts.clients.observation import Chunk, Observation, Usage
from llm_contracts.parity.divergence import Kind
from llm_contracts.reporting.lanes import render_lanes
from llm_contracts.reporting.lines import quoted, usage_line, value_pair
from llm_contracts.wire.interaction import Request
from tests.harness.reporting.samples import BODY, divergence, failed, item, observation

LETTERS = tuple("abcdefghijklmnop")


def section(text: str, title: str) -> list[str]:
    after = text.split(f"[{title}]\n")[1]
    return after.split("\n\n[")[0].strip("\n").split("\n")


def rendered(reference: Observation, candidate: Observation, **fields: Any) -> str:
    return render_lanes(item(reference=reference, candidate=candidate, **fields))


def test_equal_runs_are_folded_and_their_ends_kept() -> None:
    lines = section(rendered(observation(*LETTERS), observation(*LETTERS)), "chunks")
    assert [line.split()[0] for line in lines] == ['"a"', '"b"', '"c"', "=", '"o"', '"p"', "finish"]
    assert lines[3] == "= 11 equal chunks"


def test_a_chunk_that_one_path_lacks_is_a_gap_in_its_lane() -> None:
    lines = section(rendered(observation("a", "b"), observation("a", "x", "b")), "chunks")
    assert [line.split() for line in lines[:3]] == [
        ['"a"', "=", '"a"'],
        ["·", "|", '"x"'],
        ['"b"', "=", '"b"'],
    ]


def test_other_cuts_of_the_same_text_stand_side_by_side() -> None:
    lines = section(rendered(observation("你好", "，世界"), observation("你", "好，世界")), "chunks")
    assert [line.split() for line in lines[:2]] == [['"你好"', "|", '"你"'], ['"，世界"', "|", '"好，世界"']]


def test_the_divider_stays_in_its_column_for_wide_characters() -> None:
    from rich.cells import cell_len

    lines = section(rendered(observation("你好世界", "ab"), observation("你好世界", "ab")), "chunks")
    assert {cell_len(line[: line.index(" = ")]) for line in lines[:2]} == {44}


def test_what_cannot_be_seen_is_escaped() -> None:
    assert quoted("a\u200db\u3000\ud83d") == '"a\\u200db\\u3000\\ud83d"'
    assert quoted('say "hi" 你') == '"say \\"hi\\" 你"'


def test_a_change_in_a_folded_run_still_changes_the_text() -> None:
    changed = (*LETTERS[:8], "X", *LETTERS[9:])
    before = rendered(observation(*LETTERS), observation(*LETTERS))
    assert before != rendered(observation(*changed), observation(*changed))


def test_ids_are_masked_but_equality_of_ids_shows() -> None:
    first = observation(chunks=(Chunk(text="see chatcmpl-abc123 and chatcmpl-abc123"),))
    second = observation(chunks=(Chunk(text="see chatcmpl-zzz999 and chatcmpl-zzz999"),))
    assert "<id 1> and <id 1>" in rendered(first, first)
    assert rendered(first, first).split("sha256")[0] == rendered(second, second).split("sha256")[0]


def test_every_part_of_a_chunk_is_shown() -> None:
    chunk = Chunk(
        reasoning="hm",
        tool_calls=({"name": "f"},),
        usage=Usage(prompt_tokens=1, total_tokens=3, details={"cached": 1}),
        extra={"refusal": "no"},
    )
    line = section(
        rendered(observation(chunks=(chunk, Chunk())), observation(chunks=(chunk, Chunk()))), "chunks"
    )
    assert line[0].startswith(
        'reasoning "hm" tool {"name": "f"} usage 1 + ? = 3 {"cached": 1} {"refusal": "no"}'
    )
    assert line[1].split()[0] == "(nothing)"
    assert usage_line(Usage(prompt_tokens=1, completion_tokens=2, total_tokens=3)) == "1 + 2 = 3"


def test_requests_are_compared_line_by_line_in_a_canonical_form() -> None:
    def asking(body: bytes) -> Observation:
        return observation("a", requests=(Request(method="POST", uri="https://x.example/v1", body=body),))

    lines = section(rendered(asking(b'{"b":1,"a":2}'), asking(b'{"a":2,"b":1,"n":true}')), "requests")
    assert '=     "a": 2,' in lines
    assert '>     "n": true' in lines
    assert not any(line.startswith("<") and '"a"' in line for line in lines)


def test_bodies_that_are_no_json_and_requests_without_a_body_are_shown_too() -> None:
    requests = (
        Request(method="GET", uri="https://x.example/v1/models"),
        Request(method="POST", uri="https://x.example/v1", body=b"\xff"),
    )
    lines = section(rendered(observation(requests=requests), observation(requests=requests)), "requests")
    assert lines[0] == "= GET https://x.example/v1/models"
    assert lines[2].startswith("=   1 bytes, not text: sha256 ")


def test_totals_errors_and_telemetry_stand_at_the_end() -> None:
    generation = {"name": "invoke_llm", "output": "", "level": "ERROR"}
    failing = failed()
    heard = observation(chunks=(), failure=failing.failure, generations=(generation,))
    text = rendered(failing, heard)
    assert any('"category": "rate_limit"' in line for line in section(text, "totals"))
    assert section(text, "telemetry") == [
        '> level: "ERROR"',
        '> name: "invoke_llm"',
        "> output: the joined text",
    ]
    assert any(
        line.startswith("= reasoning: 2 characters")
        for line in section(
            rendered(
                observation(chunks=(Chunk(reasoning="hm"),)), observation(chunks=(Chunk(reasoning="hm"),))
            ),
            "totals",
        )
    )


def test_divergences_come_with_both_values_and_the_reason_they_are_accepted_for() -> None:
    found = (BODY, divergence(Kind.TEXT, "text[3]", reference="a", candidate="b"))
    lines = section(
        rendered(
            observation("a"), observation("b"), divergences=found, waived={BODY.fingerprint: "never asked"}
        ),
        "divergences",
    )
    assert lines[0] == 'breaking request_body at stream_options: null | {"include_usage": true}'
    assert lines[1] == "    waived: never asked"
    assert lines[2] == 'breaking text at text[3]: "a" | "b"'


def test_a_recording_that_could_not_be_used_says_why() -> None:
    text = render_lanes(item(reference=None, candidate=None, problem="x.yaml: is empty"))
    assert "not compared: x.yaml: is empty" in text


@given(st.text(max_size=30), st.text(max_size=30), st.integers(0, 900))
@example("café", "cafe\u0301", 0)
@example("a b", "a\u00a0b", 500)
@example("\u200b", "\u200c", 0)
def test_two_values_that_differ_never_look_the_same(one: str, other: str, before: int) -> None:
    """However long they are, and however alike their characters."""
    assume(one != other)
    left, right = value_pair("x" * before + one, "x" * before + other, 160)
    assert looks(left) != looks(right)
    assert max(len(left), len(right)) <= 162


def looks(text: str) -> str:
    """What an eye can make of it."""
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c.isprintable())


def test_lanes_that_differ_in_what_cannot_be_seen_spell_it_out() -> None:
    lines = section(rendered(observation("café"), observation("cafe\u0301")), "chunks")
    assert lines[0].split() == ['"caf\\u00e9"', "|", '"cafe\\u0301"']


def test_choices_beside_the_answer_are_in_the_lanes() -> None:
    def choices(text: str) -> Observation:
        return observation(chunks=(Chunk(text="a", others=({"index": 1, "text": text},)),))

    assert section(rendered(choices("b"), choices("c")), "chunks")[0].split(" | ") == [
        '"a" choice {"index": 1, "text": "b"}        ',
        '"a" choice {"index": 1, "text": "c"}',
    ]
