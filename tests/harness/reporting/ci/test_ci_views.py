"""What CI shows of a result: all that fails a run, and nothing twice. The samples in the documentation."""

from __future__ import annotations

import html
import json
import re
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest
from markdown_it import MarkdownIt

from llm_contracts.parity.compare.finding import ABSENT
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.result import Readiness, Result
from llm_contracts.reporting.ci.annotations import AnnotationLevel, notes, workflow_commands
from llm_contracts.reporting.ci.junit import junit
from llm_contracts.reporting.ci.markdown import COMMENT_BYTES, MARKER, SUMMARY_BYTES, comment, summary
from llm_contracts.reporting.run_context import RunContext
from tests.harness.reporting.ci.sample import ABOUT, divergence, find, item, sample, samples
from tests.harness.reporting.html.runs import HOSTILE, whole_run
from tests.harness.reporting.samples import verdict

FOLDER = Path(__file__).parents[4] / "docs" / "samples"
RENDER = MarkdownIt("commonmark", {"html": True}).enable("table")


@pytest.mark.parametrize(("name", "text"), samples().items(), ids=list(samples()))
def test_the_samples_in_the_documentation_are_current(name: str, text: str) -> None:
    """`make docs` writes them again."""
    assert (FOLDER / name).read_text(encoding="utf-8") == text


# JUnit


# Of `junit-10.xsd` of Jenkins' xunit plugin: element → its attributes, those that are required, its children.
SCHEMA: dict[str, tuple[set[str], set[str], set[str]]] = {
    "testsuites": ({"name", "time", "tests", "failures", "errors"}, set(), {"testsuite"}),
    "testsuite": (
        {"name", "tests", "failures", "errors", "time", "skipped", "timestamp", "hostname", "id", "package"},
        {"name", "tests", "failures", "errors"},
        {"properties", "testcase", "system-out", "system-err"},
    ),
    "properties": (set(), set(), {"property"}),
    "property": ({"name", "value"}, {"name", "value"}, set()),
    "testcase": (
        {"name", "time", "classname"},
        {"name"},
        {"skipped", "error", "failure", "system-out", "system-err"},
    ),
    "skipped": ({"type", "message"}, set(), set()),
    "error": ({"type", "message"}, set(), set()),
    "failure": ({"type", "message"}, set(), set()),
    "system-out": (set(), set(), set()),
}


def document(result: Result) -> ET.Element:
    return ET.fromstring(junit(result, ABOUT))


def cases(result: Result) -> dict[str, ET.Element]:
    return {
        f"{case.attrib['classname']}/{case.attrib['name']}": case
        for case in document(result).iter("testcase")
    }


@pytest.mark.parametrize("result", [sample(), whole_run()], ids=["sample", "hostile"])
def test_the_document_is_what_the_schema_of_jenkins_allows(result: Result) -> None:
    for element in document(result).iter():
        attributes, required, children = SCHEMA[element.tag]
        assert required <= element.attrib.keys() <= attributes
        assert {child.tag for child in element} <= children


def test_each_scenario_is_a_case_and_ends_as_check_ends() -> None:
    found = cases(sample())
    ends = {name: [end.tag for end in case if end.tag != "system-out"] for name, case in found.items()}
    assert ends == {
        "deepseek/plain-stream": [],
        "deepseek/reasoning": ["failure"],
        "deepseek/tool-calls": ["failure"],
        "glm/plain-stream": ["failure"],
        "glm/rate-limit": ["failure"],
        "glm/cut-stream": ["error"],
        "openai/plain-stream": [],
        "openai/chat": [],
        "openai/no-done": [],
        "qwen/plain-stream": ["failure"],
        "qwen/tool-calls": ["skipped"],
        "qwen/reasoning": ["skipped"],
        f"waivers/{sample().complaints[0]}": ["failure"],
    }


def failure(result: Result, name: str) -> ET.Element:
    (found,) = cases(result)[name].findall("failure")
    return found


def test_a_failure_names_kind_place_and_both_values() -> None:
    found = failure(sample(), "deepseek/reasoning")
    assert found.attrib == {"message": "breaking usage_missing at usage", "type": "breaking"}
    assert '"total_tokens": 89' in (found.text or "")
    assert "candidate  absent" in (found.text or "")


def test_a_case_says_where_its_recording_comes_from_and_what_is_accepted_why() -> None:
    said = cases(sample())["openai/chat"].findtext("system-out") or ""
    assert "provenance: live, recorded on 2026-10-30" in said
    assert "never asked for totals" in said


def test_suites_say_what_was_compared_and_the_verdict() -> None:
    root = document(sample())
    facts = {
        suite.attrib["name"]: {each.attrib["name"]: each.attrib["value"] for each in suite.iter("property")}
        for suite in root
    }
    assert facts["deepseek"]["verdict"] == "blocked"
    assert facts["deepseek"]["version.litellm"] == "1.105.0"
    assert facts["openai"]["verdict"] == "ready"
    assert [root.get(name) for name in ("tests", "failures", "errors")] == ["13", "6", "1"]
    assert sum(int(suite.attrib["skipped"]) for suite in root) == 2


def test_hostile_text_is_text_in_xml() -> None:
    """Control characters, half surrogate pairs and the end of a CDATA section among it."""
    text = junit(whole_run(), ABOUT)
    assert {suite.get("name") for suite in document(whole_run())} == {"acme", "zenith", "evil"}
    assert "]]&gt;" in text
    assert "\x00" not in text


def test_a_case_with_very_many_differences_stays_readable() -> None:
    many = item("acme/long", *((Kind.TEXT, f"content[{n}]", "x" * 9_000, "y") for n in range(200)))
    found = failure(replace(sample(), items=(many,)), "acme/long")
    assert "and 150 more differences" in (found.text or "")
    assert len(found.attrib["message"]) < 400
    assert "5,002 more characters" in (found.text or "")


# Markdown


def links(rendered: str) -> list[str]:
    return [html.unescape(address) for address in re.findall(r'href="([^"]*)"', rendered)]


def test_groups_not_rows_stand_in_the_summary() -> None:
    """One decision, however many recordings it is about."""
    lost = (Kind.USAGE_MISSING, "usage", {"total_tokens": 1}, ABSENT)
    result = replace(sample(), items=tuple(item(f"acme/s{n}", lost) for n in range(500)), missing=())
    text = summary(result, ABOUT)
    assert text.count("usage\\_missing") == 2  # the group, and a reason of a verdict
    assert "in 500 recordings" in text
    assert "and 495 more" in text
    assert len(text) < 5_000


def test_all_reasons_of_all_verdicts_are_there() -> None:
    text = html.unescape(RENDER.render(summary(sample(), ABOUT)))
    reasons = [reason for verdict in sample().verdicts.values() for reason in verdict.reasons]
    assert len(reasons) > 1
    assert [reason for reason in reasons if reason not in text] == []


def test_links_lead_to_the_difference_in_the_report_and_only_with_an_address() -> None:
    found = sample().items[1].divergences[0].fingerprint
    rendered = RENDER.render(summary(sample(), ABOUT))
    assert f"https://ci.example.org/report/index.html#rec=deepseek/reasoning&d={found}" in links(rendered)
    bare = replace(ABOUT, report_url=None)
    assert links(RENDER.render(summary(sample(), bare))) == []


def test_the_reader_gets_the_commands() -> None:
    text = comment(sample(), ABOUT)
    assert "gh run download 1234567890 --repo acme/product --name report-3.11 --dir report" in text
    assert "llm-contracts record --provider qwen --missing" in text
    assert text.count("\nllm-contracts review\n") == 1
    assert "gh run" not in comment(sample(), replace(ABOUT, fetch=None))


def test_an_outdated_result_says_so() -> None:
    text = summary(sample(), replace(ABOUT, outdated=("a.py", "b.py", "c.py", "d.py")))
    assert "**Out of date.** Changed since: a.py, b.py, c.py and 1 more." in text
    assert text.splitlines()[0] == "## Contracts: GO for 1 of 4 providers, out of date"


def test_a_part_has_no_verdict_and_says_so() -> None:
    text = summary(replace(sample(), verdicts={}), ABOUT)
    assert "No verdict: only a part was checked" in text


@pytest.mark.parametrize("view", [summary, comment])
def test_hostile_text_becomes_nothing_but_text(view: type) -> None:
    rendered = RENDER.render(view(whole_run(), replace(ABOUT, report_url=None)))
    tags = set(re.findall(r"</?(\w+)", rendered))
    ours = {"h2", "h3", "p", "code", "pre", "table", "thead", "tbody", "tr", "th", "td", "ul", "li", "strong"}
    assert tags <= {*ours, "details", "summary", "br", "span"}
    assert links(rendered) == []
    outside = re.sub(r"<code.*?</code>", "", rendered, flags=re.DOTALL)
    assert re.search(r"@\w|https?://|#\d", html.unescape(outside)) is None


def big(verdicts: int = 80) -> Result:
    """Many decisions, with long names and values, in a language of three bytes a character."""
    items = tuple(
        item(f"acme/{'很' * 60}-{n}", (Kind.TEXT, f"字段{n}.{'名' * 40}", "值" * 400, "|`@a #1" * 90))
        for n in range(700)
    )
    answers = {f"p{n}": verdict(Readiness.BLOCKED, *("理由" * 600,) * 9) for n in range(verdicts)}
    return replace(sample(), items=items, verdicts=answers, missing=tuple(f"acme/m{n}" for n in range(9_000)))


@pytest.mark.parametrize(("view", "limit"), [(summary, SUMMARY_BYTES), (comment, COMMENT_BYTES)])
def test_size_limits_are_kept_and_what_is_left_out_is_counted(view: type, limit: int) -> None:
    text: str = view(big(), ABOUT)
    assert len(text.encode()) <= limit
    assert re.search(r"… and [\d,]+ more groups, left out here\.", text)
    assert "### Look closer" in text
    rendered = RENDER.render(text)
    assert rendered.count("<details>") == rendered.count("</details>")
    for row in re.findall(r"<tr>.*?</tr>", rendered, re.DOTALL):
        assert len(re.findall(r"<t[dh]", row)) == 4


def test_a_comment_is_known_by_its_first_line_and_shows_the_first_groups() -> None:
    text = comment(big(verdicts=2), ABOUT)
    assert text.startswith(MARKER + "\n")
    assert text.count("- **text** at") <= 10
    assert "… and 690 more groups" in text


# Annotations


def test_differences_are_marked_where_they_were_reviewed() -> None:
    found = notes(sample(), find, waivers="waivers.toml")
    assert [note.level for note in found] == sorted((n.level for n in found), key=list(AnnotationLevel).index)
    lost = next(note for note in found if "usage_missing" in note.title)
    assert (lost.level, lost.place) == (
        AnnotationLevel.ERROR,
        find("deepseek/reasoning", sample().items[1].divergences[0]),
    )
    assert [note.level for note in found if "deltas" in note.title] == [AnnotationLevel.WARNING]
    assert not any("chunk_count" in note.title or "request_body" in note.title for note in found)


def test_ten_of_a_level_are_printed_and_the_rest_is_counted() -> None:
    """GitHub drops the eleventh without a word, so the tenth has to say it."""
    many = [
        item(f"acme/s{n}", (Kind.TEXT, f"field{n}", "a", "b"), (Kind.DELTAS, f"d{n}", 1, 2))
        for n in range(40)
    ]
    lines = list(workflow_commands(notes(replace(sample(), items=tuple(many)), find)))
    for level, total in (("error", 41), ("warning", 40)):
        mine = [line for line in lines if line.startswith(f"::{level} ")]
        assert len(mine) == 10
        assert f"{total - 9} more {level}s" in mine[-1]
    assert lines == sorted(
        lines, key=lambda line: [str(each) for each in AnnotationLevel].index(line.split()[0][2:])
    )


def test_a_model_cannot_give_commands() -> None:
    evil = "done\n::set-output name=x::y\r::error::z"
    found = divergence(Kind.TEXT, evil, evil, json.dumps(evil), of="acme/x")
    items = (replace(item("acme/x"), divergences=(found,)),)
    lines = list(workflow_commands(notes(replace(sample(), items=items, complaints=(HOSTILE,)), find)))
    assert all(re.match(r"::(error|warning|notice) ", line) for line in lines)
    assert "".join(lines).isprintable()


def test_a_result_in_agreement_has_no_annotations() -> None:
    quiet = replace(sample(), items=(item("acme/x"),), missing=(), complaints=())
    assert notes(quiet, find) == ()


def test_an_address_is_that_of_the_reports_own_links() -> None:
    about = RunContext(run="r", checked_at=ABOUT.checked_at, report_url="https://x/r.html")
    assert about.link("acme/a b&c", "12ab") == "https://x/r.html#rec=acme/a%20b%26c&d=12ab"
