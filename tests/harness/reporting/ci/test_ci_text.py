"""Whatever a model says stays text: in Markdown, in XML, in the commands of a CI service. And it is short."""

from __future__ import annotations

import html
import re
from xml.etree import ElementTree as ET

import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from llm_contracts.parity.divergence import Kind
from llm_contracts.reporting.ci.annotations import (
    Annotation,
    AnnotationLevel,
    FilePosition,
    workflow_commands,
)
from llm_contracts.reporting.ci.markdown import DocumentPart, fit
from llm_contracts.reporting.ci.text import (
    code,
    code_block,
    cut,
    cut_sides,
    json_line,
    link,
    plain,
    without_hidden,
)
from llm_contracts.util.terminal import without_commands
from tests.harness.reporting.ci.sample import divergence

RENDER = MarkdownIt("commonmark", {"html": True}).enable("table")
CALLS = re.compile(r"@\w|#\d|https?://|www\.|\bGH-\d", re.IGNORECASE)
TEXTS = st.text(
    st.one_of(st.sampled_from("`|\\<>*_[]()#@!&$~:/-+=1. \n\tahwGH\u202e\x00\ud83d"), st.characters())
)


def words(rendered: str) -> str:
    """What a reader sees of rendered Markdown, without the spaces that have no width."""
    return html.unescape(re.sub(r"<[^>]*>", "", rendered)).replace("\u200b", "").strip()


@example("- no entry of a list")
@example("1. nor of a numbered one")
@example("@team, see #12, owner/repo#3, GH-4 and https://evil.example or www.evil.example :smile: $x$")
@given(TEXTS)
def test_plain_text_reads_as_it_is_and_is_nothing_else(text: str) -> None:
    rendered = RENDER.render(plain(text))
    assert set(re.findall(r"</?(\w+)", rendered)) <= {"p", "span"}
    # The characters that the renderer itself replaces are none of the text's meaning.
    assert words(rendered) == " ".join(without_hidden(text).replace("\u200b", "").split()).strip()
    assert CALLS.search(html.unescape(rendered)) is None


@given(TEXTS)
def test_code_is_one_span_that_says_what_was_said(text: str) -> None:
    rendered = RENDER.render(f"- in {code(text)}")
    assert re.findall(r"<(/?\w+)", rendered) == ["ul", "li", "code", "/code", "/li", "/ul"]
    assert " ".join(words(rendered)[3:].split()) == " ".join(without_hidden(text).split())


@given(TEXTS)
def test_a_cell_of_a_table_ends_where_the_text_ends(text: str) -> None:
    rendered = RENDER.render(f"| a | b |\n|---|---|\n| {plain(text)} | end |")
    cells = re.findall(r"<td>(.*?)</td>", rendered, re.DOTALL)
    assert len(cells) == 2
    assert cells[1] == "end"


@given(TEXTS)
def test_a_block_of_code_ends_where_it_is_closed(text: str) -> None:
    rendered = RENDER.render("\n".join([*code_block([f"run {text}"]), "", "after"]))
    assert rendered.count("<pre>") == 1
    assert rendered.endswith("<p>after</p>\n")


@given(TEXTS)
def test_a_link_leads_nowhere_else(text: str) -> None:
    rendered = RENDER.render(link(text, f"https://ci.example/{text}"))
    assert re.findall(r"<(/?\w+)", rendered) == ["p", "a", "code", "/code", "/a", "/p"]
    assert 'href="https://ci.example/' in rendered


@example("\uffff\ufffe\x0b\ud800")
@given(TEXTS)
def test_what_is_seen_can_stand_in_xml(text: str) -> None:
    element = ET.Element("failure", message=without_hidden(text))
    element.text = without_hidden(text)
    back = ET.fromstring(ET.tostring(element))
    assert (back.text or "") == without_hidden(text)


@given(TEXTS)
def test_an_annotation_is_one_line_however_many_its_text_has(text: str) -> None:
    note = Annotation(
        level=AnnotationLevel.ERROR, title=text, message=text, place=FilePosition(file=text, line=3)
    )
    (line,) = workflow_commands([note])
    assert len(line.splitlines()) == 1
    head, _, message = line.removeprefix("::error ").partition("::")
    assert [part.partition("=")[0] for part in head.split(",")] == ["file", "line", "title"]
    assert message.replace("%0A", "\n").replace("%25", "%") == without_commands(without_hidden(text))


def test_no_service_finds_a_command_of_its_own_within_an_annotation() -> None:
    text = "a ##[error]b ##vso[task.complete]c ##teamcity[message]\n::warning::d # 1 ## 2"
    (line,) = workflow_commands([Annotation(level=AnnotationLevel.NOTICE, title=text, message=text)])
    assert not re.search(r"##(\[|vso|teamcity)", line)
    assert line.endswith("::a # [error]b # vso[task.complete]c # teamcity[message]%0A: warning::d # 1 ## 2")


def test_values_that_are_cut_say_how_much_is_left() -> None:
    assert cut(json_line("x" * 1_000), 10) == '"xxxxxxxxx… (992 more characters)'
    assert cut(json_line(float("nan")), 10) == '"nan"'


# Short enough


ROWS = [f"| {n} | {'x' * 80} |" for n in range(1_000)]
TABLE = DocumentPart(head=["| n | text |", "|---|---|"], rows=ROWS, what="row")


def test_values_that_look_alike_can_be_told_apart() -> None:
    found = divergence(Kind.TEXT, "text", "caf\u00e9", "cafe\u0301", of="openai/plain-stream")
    assert cut_sides(found, 300) == [("reference", r'"caf\u00e9"'), ("candidate", r'"cafe\u0301"')]


def test_what_is_too_long_loses_whole_rows_and_counts_them() -> None:
    text = fit([DocumentPart(head=["# Title"]), TABLE, DocumentPart(head=["last"])], 10_000)
    assert 9_000 < len(text.encode()) <= 10_000
    shown_rows = text.count("| x")
    assert shown_rows + int(text.partition("… and ")[2].split()[0].replace(",", "")) == 1_000
    assert "last" in text
    rendered = RENDER.render(text)
    assert rendered.count("<tr>") == shown_rows + 1
    assert "more rows, left out here." in words(rendered.rpartition("</table>")[2])


def test_the_first_parts_get_room_first() -> None:
    text = fit(
        [TABLE, DocumentPart(head=["## second"], rows=[f"- second row {'x' * 90}"], what="line")], 5_000
    )
    assert "| 1 |" in text
    assert "- second row" not in text
    assert "… and 1 more line," in text


def test_nothing_is_left_out_where_there_is_room() -> None:
    assert "left out" not in fit([TABLE], 1_000_000)


@pytest.mark.parametrize("limit", [400, 1_000, 5_000, 65_536])
def test_a_fold_that_was_opened_is_closed(limit: int) -> None:
    part = DocumentPart(
        head=["<details>", ""], rows=[f"- {n} 你好" for n in range(9_000)], foot=["", "</details>"]
    )
    text = fit([part], limit)
    assert len(text.encode()) <= limit
    assert text.rstrip().endswith("</details>")
