"""The page about a corpus: counts, places and what they mean."""

from __future__ import annotations

from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.meanings import MEANINGS
from tests.harness.reporting.samples import INVENTED, divergence, item, result
from tools.corpus_page import render_corpus_page


def page() -> str:
    barred = divergence(Kind.MODEL_NAME, "model", reference="a|b`c", candidate="x" * 200)
    streams = (
        item("a-1", provider="a.example", divergences=(INVENTED, barred)),
        item(
            "a-2",
            provider="a.example",
            divergences=(INVENTED,),
            waived={INVENTED.fingerprint: "we meter elsewhere"},
        ),
        item("b-1", provider="b.example"),
        item("b-2", provider="b.example", problem="index.jsonl:4: has no 'file'."),
    )
    return render_corpus_page("Title", "Intro.", {"First": result(*streams), "Second": result(item("c"))})


def test_streams_are_counted_by_kind_and_provider() -> None:
    assert "| kind | a.example | b.example | all |" in page()
    assert "| *streams* | 2 | 2 | 4 |" in page()
    assert "| `usage_invented` | 2 |  | 2 |" in page()
    assert "4 streams, 1 without any difference." in page()


def test_places_come_with_both_values_that_cannot_break_the_table() -> None:
    line = next(line for line in page().splitlines() if line.startswith("| `model_name` | `model`"))
    assert '`"a\\|b\'c"`' in line
    assert line.count("x") < 120
    assert line.endswith("… ` | a-1 |".replace(" `", "`"))


def test_sentences_of_others_are_counted_and_long_lists_cut_short() -> None:
    said = divergence(Kind.FIELDS, "error.message", reference="There is no such model", candidate="None")
    many = tuple(divergence(Kind.SURFACE, f"chunk.{name}") for name in "abcdefghijklmno")
    text = render_corpus_page("Title", "Intro.", {"Only": result(item("a", divergences=(said, *many)))})
    assert '| text of 22 characters | `"None"` |' in text
    assert "| `surface` | 3 more places |" in text
    assert text.count("| `surface` | `chunk.") == 12


def test_what_was_accepted_and_what_could_not_be_used_is_said() -> None:
    assert "Accepted: we meter elsewhere" in page()
    assert "Not usable: index.jsonl:4" in page()


def test_only_what_occurs_is_explained_and_every_kind_could_be() -> None:
    assert page().count("\n* `") == 2
    assert set(MEANINGS) == set(Kind)


def test_agreement_is_short() -> None:
    text = render_corpus_page("Title", "Intro.", {"Only": result(item())})
    assert "1 streams, 1 without any difference." in text
    assert text.endswith("Nothing differs.\n")
