"""The report as a person uses it: in a real browser, from a file, with content that wants out."""

from __future__ import annotations

import unicodedata
from collections.abc import Callable, Iterator
from dataclasses import replace
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, ViewportSize, expect

from llm_contracts.clients.observation import Chunk, Observation, Usage
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.result import Readiness
from llm_contracts.reporting.html.page import group_rows
from llm_contracts.review.decisions import Choice, Scope, parse_decisions
from llm_contracts.review.tui.keys import HELP
from tests.harness.reporting.html.runs import ABOUT, HOSTILE, found, item, said, whole_run, write
from tests.harness.reporting.samples import verdict

pytestmark = pytest.mark.long

Open = Callable[..., Page]
WINDOW: ViewportSize = {"width": 1300, "height": 900}
PRESS = """const press = (key) =>
  document.body.dispatchEvent(new KeyboardEvent("keydown", {key, bubbles: true}));"""


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(tmp_path_factory.mktemp("report") / "index.html", whole_run())


@pytest.fixture(scope="module")
def first(browser: Browser) -> Iterator[Page]:
    """The page that each test opens first: to start a process of the browser takes half a second."""
    context = browser.new_context(viewport=WINDOW, accept_downloads=True)
    yield context.new_page()
    context.close()


@pytest.fixture
def opened(first: Page, file: Path) -> Iterator[Open]:
    """Opens the page, with nothing stored; fails where it complains or asks for anything but itself."""
    heard: list[str] = []
    asked: list[str] = []
    listeners: dict[Any, Callable[[Any], None]] = {
        "console": lambda message: heard.append(message.text),
        "pageerror": lambda error: heard.append(str(error)),
        "request": lambda request: asked.append(request.url),
    }
    pages: list[Page] = []

    def open_page(hash_: str = "", **media: Any) -> Page:
        page = first.context.new_page() if pages else first
        pages.append(page)
        for event, listener in listeners.items():
            page.on(event, listener)
        page.emulate_media(**{"media": "null", "color_scheme": "null", **media})
        page.goto(f"file://{file}{hash_}")
        if hash_:
            page.wait_for_selector("#view > *")
        return page

    yield open_page
    for event, listener in listeners.items():
        first.remove_listener(event, listener)
    for page in pages[1:]:
        page.close()
    first.evaluate("localStorage.clear()")
    first.set_viewport_size(WINDOW)
    first.goto("about:blank")
    assert heard == []
    assert {url.partition("#")[0] for url in asked if not url.startswith("blob:")} == {f"file://{file}"}


def rows(page: Page) -> list[str]:
    return page.locator("#list tbody tr th").all_inner_texts()


def test_the_first_page_says_what_was_found_and_what_it_means(opened: Open) -> None:
    page = opened()
    assert page.inner_text("h1") == "GO for 1 of 2 providers"
    assert "✗ 2 breaking" in page.inner_text(".lede").replace("\n", " ")
    assert page.inner_text(".card.go h3").split() == ["GO", "zenith", "ready"]
    assert [text.split()[0] for text in page.locator("tr.group .kind").all_inner_texts()][
        -1
    ] == "request_body"
    assert page.locator(".accepted .same").last.inner_text() == "as agreed in May"
    assert page.locator('.matrix a[title^="acme/changed"]').get_attribute("class") == "breaking"
    assert page.locator(".matrix td.missing").get_attribute("title") == "zenith/agrees: no recording"


def test_the_answer_with_its_faults_stands_first_and_what_is_accepted_before_the_recordings(
    opened: Open,
) -> None:
    page = opened()
    hero = page.inner_text(".hero")
    assert "3 breaking and 1 visible differences to decide; 1 unreadable" in hero
    assert page.locator(".hero .faults li").all_inner_texts() == ["broken.yaml: cut"]
    titles = page.locator("h2").all_inner_texts()
    accepted, recordings = (
        next(n for n, title in enumerate(titles) if title.startswith(name))
        for name in ("Accepted", "Recordings")
    )
    assert accepted < recordings


def test_where_only_recordings_are_missing_the_page_is_amber_and_equal_verdicts_are_one(
    browser: Browser, tmp_path: Path
) -> None:
    lacking = {
        name: verdict(
            Readiness.REHEARSED,
            (2, "scenarios are not recorded live", f": {name}/agrees, {name}/other."),
            next=(f"llm-contracts record --provider {name} --missing",),
        )
        for name in ("acme", "zenith")
    }
    accepted = next(item for item in whole_run().items if item.waived)
    result = replace(whole_run(), items=(accepted,), missing=(), warnings=(), verdicts=lacking)
    terms = {"as agreed in May": "Ada, until 2027-01-31"}
    about = replace(ABOUT, everyone=("acme", "zenith"), terms=terms)
    page = browser.new_page()
    page.goto(f"file://{write(tmp_path / 'page.html', result, about)}")
    assert page.locator(".hero.wait h1").inner_text() == "NO-GO"
    assert page.inner_text(".hero .why") == (
        "Nothing differs beyond what is accepted; 2 providers are not yet recorded live."
    )
    assert page.inner_text(".hero .next") == "Next: llm-contracts record --missing"
    assert page.locator(".card").count() == 1
    assert "4 scenarios are not recorded live: acme 2, zenith 2." in page.inner_text(".card.wait")
    assert page.inner_text(".accepted .same") == "as agreed in May Ada, until 2027-01-31"
    page.close()


def test_what_means_the_same_stands_together_with_the_first_three_shown_and_all_on_paper(
    browser: Browser, tmp_path: Path
) -> None:
    changed = [(f"error.{name}", None, "gone") for name in ("code", "type", "param", "request", "body")]
    items = [item("acme/alike", *(found(Kind.FIELDS, *each, "acme/alike") for each in changed))]
    items.append(item("acme/alone", found(Kind.TEXT, "content", "a", "b", "acme/alone")))
    items.append(item("broken/one", problem="broken/one: cut"))
    items += [item(f"broken/{name}", problem=f"broken/{name}: cut") for name in ("two", "three", "four")]
    path = write(tmp_path / "page.html", replace(whole_run(), items=tuple(items)))
    page = browser.new_page()
    page.goto(f"file://{path}")
    assert page.locator(".faults li").all_inner_texts() == [
        "broken/one: cut (the same of broken/two, broken/three and 1 more)"
    ]
    heads = [text.split() for text in page.locator(".block .meaning").all_inner_texts()]
    assert [" ".join(words[:3]) for words in heads] == ["The user reads", "Both fail, and"]
    assert page.locator("tr.group:visible").count() == 4
    assert page.inner_text(".unfold") == "2 more"
    page.emulate_media(media="print")
    assert page.locator("tr.group:visible").count() == 6
    assert not page.locator(".unfold, .choices").first.is_visible()
    page.emulate_media(media="screen")
    hidden = page.locator("tr.group.rest").last.get_attribute("data-id")
    page.evaluate(f"location.hash = 'group={hidden}'")
    page.wait_for_selector(".members")
    assert page.locator("tr.group.on").get_attribute("data-id") == hidden
    assert page.locator("tr.group:visible").count() == 6
    page.close()


def test_search_and_filters_leave_what_fits_everywhere_on_the_page(opened: Open) -> None:
    page = opened()
    assert len(rows(page)) == 6
    page.fill("#q", "acme usage_missing")
    assert rows(page) == ["acme/changed"]
    assert page.inner_text("#found") == "1 of 6 recordings"
    assert page.locator("tr.group:visible").count() == 2
    assert page.locator(".matrix a.dim").count() == 5
    page.click("button[type=reset]")
    expect(page.locator("#list tbody tr")).to_have_count(6)
    page.select_option("#f-state", "unreadable")
    assert rows(page) == ["zenith/broken"]
    page.fill("#q", "nothing like it")
    assert page.inner_text("#list") == "No recording fits these filters."


def test_the_lanes_show_where_they_part_and_fold_what_is_equal(opened: Open) -> None:
    page = opened("#rec=acme/changed")
    assert page.locator("tr.ne .mark").all_inner_texts() == ["≠", "≠"]  # the word, and totals that are lost
    assert page.locator("tr.ne del.word").first.inner_text() == "word20"
    assert page.locator("tr.ne ins.word").first.inner_text() == "other"
    assert page.locator("tr.fold b").all_inner_texts() == ["16 equal chunks", "5 equal chunks"]
    before = page.locator(".lanes tbody tr").count()
    page.keyboard.press("f")
    assert page.locator(".lanes tbody tr").count() == before - 2 + 21
    assert page.locator("tr.ne td.wire .at").first.inner_text() == "210 ms"
    page.keyboard.press("w")
    assert not page.locator("td.wire").first.is_visible()


def test_both_lanes_fit_into_one(opened: Open) -> None:
    page = opened("#rec=acme/changed")
    page.keyboard.press("l")
    assert page.locator(".lanes thead th").count() == 3
    assert page.locator("tr.ne .mark").all_inner_texts() == ["<", ">", "<", ">"]
    assert page.locator("tr.ne .word").first.inner_text() == "word20"
    page.keyboard.press("l")
    assert page.locator(".lanes thead th").count() == 4


def test_every_view_opens_by_its_key(opened: Open) -> None:
    page = opened("#rec=acme/changed")
    expected = {
        "2": "≠ wire",
        "3": "first text",
        "4": "Body, keys in order",
        "5": "How it ended",
        "6": "Neither client sent telemetry.",
        "1": "16 equal chunks",
    }
    for key, words in expected.items():
        page.keyboard.press(key)
        expect(page.locator("#view")).to_contain_text(words)
    assert "total_tokens" in opened("#rec=acme/changed&view=usage").inner_text("#view")


def test_a_link_to_a_difference_opens_the_view_that_shows_it(opened: Open) -> None:
    [divergence] = [d for d in whole_run().items[1].divergences if d.kind == "usage_missing"]
    page = opened(f"#rec=acme/changed&d={divergence.fingerprint}")
    assert page.inner_text('[role="tab"][aria-selected="true"]') == "5 Usage and end"
    assert page.inner_text(".difference.on .kind") == "usage_missing"
    assert page.locator("tr.target").count() == 1


def test_a_link_to_a_group_opens_it_by_the_name_that_review_gives_it(opened: Open) -> None:
    groups = (row.group for row in group_rows(whole_run().items))
    group = next(group for group in groups if group.kind == "model_name")
    page = opened()
    page.evaluate(f"location.hash = 'group={group.id}'")
    expect(page.locator("tr.members a")).to_have_text(["zenith/changed"])
    assert page.inner_text("tr.group.on .kind") == "model_name"


def test_what_is_not_repeatable_and_what_cannot_be_read_is_said_without_a_script(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "Noise: the reference against itself" in text
    assert "<li>broken.yaml: cut</li>" in text


def test_keys_go_from_difference_to_difference_and_back(opened: Open) -> None:
    page = opened("#rec=acme/changed")
    for key, record, kind in [
        ("j", "acme/changed", "text"),
        ("j", "acme/changed", "usage_missing"),
        ("j", "acme/accepted", "request_body"),
        ("k", "acme/changed", "usage_missing"),
    ]:
        page.keyboard.press(key)
        expect(page.locator("#record h1")).to_have_text(record)
        expect(page.locator(".difference.on .kind")).to_have_text(kind)
    page.keyboard.press("Escape")
    assert page.is_visible("#index")
    page.keyboard.press("j")
    page.keyboard.press("Enter")
    assert page.locator("tr.members a").count() == 1
    page.keyboard.press("/")
    expect(page.locator("#q")).to_be_focused()
    page.keyboard.type("?")  # typing is no command
    assert not page.is_visible("#help")


def test_a_key_acts_at_once_and_not_when_the_browser_tells_of_the_address(opened: Open) -> None:
    page = opened("#rec=acme/changed")
    hidden = page.evaluate(
        f"() => {{ {PRESS} press('Escape'); return document.querySelector('#index').hidden; }}"
    )
    assert not hidden


def test_the_last_of_two_quick_keys_wins(opened: Open) -> None:
    """The first one's recording is still being unpacked when the second key is pressed."""
    page = opened("#rec=acme/changed")
    page.evaluate(f"() => {{ {PRESS} press(']'); press('Escape'); }}")
    page.wait_for_timeout(300)  # long enough to unpack it
    assert page.is_visible("#index")
    assert page.url.partition("#")[2] == ""


def test_decisions_are_kept_and_exported_as_review_reads_them(opened: Open, tmp_path: Path) -> None:
    page = opened("#rec=acme/changed")
    page.keyboard.press("j")
    page.wait_for_selector(".difference.on")
    page.keyboard.press("a")
    page.click("#d-save")
    assert "reason" in page.inner_text("#d-error")  # nothing is accepted without one
    page.fill("#d-reason", "they rephrased it")
    page.fill("#d-by", "Ada")
    page.fill("#d-until", "2027-05-31")
    page.click("#d-save")
    expect(page.locator(".difference.on .kind")).to_have_text("usage_missing")
    page.keyboard.press("r")
    page.fill("#d-reason", "ask for totals")
    page.keyboard.press("Control+Enter")
    page.click("#d-save")
    page.reload()
    expect(page.locator("#decided")).to_have_text("2")
    page.click("#open-export")
    with page.expect_download() as download:
        page.click("#export-save")
    download.value.save_as(tmp_path / "decisions.json")
    decisions = parse_decisions((tmp_path / "decisions.json").read_text(), "decisions.json")
    accepted, to_fix = decisions.decisions
    text, usage = whole_run().items[1].divergences
    assert decisions.run == "0123456789abcdef"
    assert (accepted.choice, accepted.scope, accepted.fingerprints) == (
        Choice.ACCEPT,
        Scope.RECORDING,
        (text.fingerprint,),
    )
    assert (accepted.reason, accepted.by, str(accepted.until)) == ("they rephrased it", "Ada", "2027-05-31")
    assert (to_fix.choice, to_fix.note, to_fix.fingerprints) == (
        Choice.FIX,
        "ask for totals",
        (usage.fingerprint,),
    )
    assert "review apply decisions.json" in page.inner_text("#export")


def test_a_decision_can_be_taken_back(opened: Open) -> None:
    page = opened("#rec=acme/changed")
    page.keyboard.press("j")
    page.wait_for_selector(".difference.on")
    page.keyboard.press("x")
    page.click("#d-save")
    expect(page.locator("#decided")).to_have_text("1")
    page.keyboard.press("k")
    expect(page.locator(".difference.on .kind")).to_have_text("text")
    page.keyboard.press("s")
    expect(page.locator("#decided")).to_have_text("0")
    page.keyboard.press("r")
    page.click("#d-save")
    expect(page.locator("#decided")).to_have_text("1")
    page.keyboard.press("u")
    expect(page.locator("#decided")).to_have_text("0")
    for _ in range(2):
        page.keyboard.press("u")
    expect(page.locator("#toast")).to_have_text("There is nothing to undo.")


def test_n_goes_from_one_row_that_differs_to_the_next_and_round(opened: Open) -> None:
    page = opened("#rec=acme/changed&view=lanes")
    seen = []
    for _ in range(3):
        page.keyboard.press("n")
        seen.append(page.locator("tr.target").get_attribute("data-row"))
    assert seen[0] == seen[2] != seen[1]


def test_a_letter_means_the_same_in_the_terminal_and_on_the_page_or_nothing_on_one_of_them(
    opened: Open,
) -> None:
    """What each letter does here, in the words of the terminal's help."""
    page = opened()
    page.keyboard.press("?")
    rows = page.locator("#help dl > div").all()
    here = {
        key: row.locator("dd").inner_text() for row in rows for key in row.locator("kbd").all_inner_texts()
    }
    same = {"a": "accept", "r": "needs a fix", "x": "noise", "s": "skip", "u": "undo", "f": "fold"}
    same |= {
        "n": "next",
        "j": "next",
        "k": "next",
        "[": "recording",
        "]": "recording",
        "/": "search",
        "?": "",
    }
    there = {name: does for part in HELP.values() for names, does in part for name in names.split()}
    shared = here.keys() & {name.strip(",") for name in there if len(name.strip(",")) == 1}
    assert shared <= same.keys()
    assert all(same[key] in here[key] for key in shared)


@pytest.mark.parametrize("view", ["lanes", "text", "time", "requests", "usage", "telemetry"])
def test_hostile_content_is_shown_and_does_nothing(opened: Open, view: str) -> None:
    page = opened(f"#rec=evil/hostile&view={view}")
    assert page.evaluate("window.broken === undefined")
    assert page.locator("main script, main img, main svg:not(.timeline), main iframe").count() == 0
    shown = page.inner_text("body")
    if view in {"lanes", "text", "requests"}:
        assert "</script><script>window.broken = 1</script>" in shown
    assert not set("\u202e\u2066\x00\u2028") & set(shown)
    assert "U+202E" in shown
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth")  # the huge line wraps


def test_the_file_holds_hostile_content_only_escaped(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert "window.broken = 1<" not in text
    assert "<img" not in text
    assert text.count("<script") == text.count("</script>")
    assert not [character for character in "\u202e\u2066\x00\u2028" if character in text]
    assert HOSTILE[:20] not in text


def test_the_policy_forbids_scripts_that_are_not_the_pages_own(browser: Browser, file: Path) -> None:
    """The policy itself, in case something gets past the escaping one day."""
    smuggled = file.with_name("smuggled.html")
    text = file.read_text(encoding="utf-8")
    attack = "<script>window.broken = 1</script><img src=x onerror='window.broken = 1'>"
    smuggled.write_text(text.replace("<main", f"{attack}<main", 1), encoding="utf-8")
    context = browser.new_context()
    page = context.new_page()
    refused: list[str] = []
    page.on("console", lambda message: refused.append(message.text))
    page.goto(f"file://{smuggled}")
    assert page.evaluate("window.broken === undefined")
    assert len([line for line in refused if "Content Security Policy" in line]) >= 2
    context.close()


def test_light_and_dark_follow_the_system_until_somebody_switches(opened: Open) -> None:
    light = opened(color_scheme="light").evaluate("getComputedStyle(document.body).backgroundColor")
    page = opened(color_scheme="dark")
    body = page.locator("body")
    expect(body).not_to_have_css("background-color", light)
    page.click("#theme")
    expect(body).to_have_css("background-color", light)
    page.reload()
    expect(body).to_have_css("background-color", light)


def test_on_paper_there_are_the_findings_and_no_buttons(opened: Open) -> None:
    page = opened(media="print")
    assert page.is_visible("h1")
    assert not page.is_visible(".filters")
    assert not page.is_visible(".choices")
    page = opened("#rec=acme/changed", media="print")
    assert page.is_visible(".lanes")
    assert not page.is_visible(".tabs")


def test_tables_have_heads_and_dialogs_and_lanes_have_names(opened: Open) -> None:
    """What a screen reader goes by. Every sign that has a meaning has it in words, too."""
    page = opened("#rec=acme/changed")
    assert page.locator(".lanes th[scope=col]").count() == 4
    titles = {mark.get_attribute("title") for mark in page.locator("td.mark").all()}
    assert titles - {None} == {"the same", "differs", "on the wire alone"}
    assert page.get_by_role("tab", selected=True).count() == 1
    page.keyboard.press("?")
    assert page.get_by_role("dialog", name="Keys").is_visible()
    page.keyboard.press("Escape")
    assert page.is_visible("#record")  # the dialog closed, not the recording


@pytest.mark.parametrize("width", [390, 768, 1024])
@pytest.mark.parametrize("hash_", ["", "#rec=acme/changed", "#rec=acme/changed&view=time"])
def test_nothing_is_wider_than_the_window(opened: Open, width: int, hash_: str) -> None:
    """Tables whose columns would be too narrow become blocks; what cannot, scrolls by itself."""
    page = opened(hash_)
    page.set_viewport_size({"width": width, "height": 900})
    assert page.evaluate("[document.documentElement.scrollWidth, innerWidth]") == [width, width]
    if not hash_:
        box = page.locator("#q").bounding_box()
        assert box is not None
        assert box["width"] > 200  # there is room to type in


AXE = (files("axe_playwright_python") / "axe.min.js").read_text(encoding="utf-8")
RULES = {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21aa", "wcag22aa", "best-practice"]}
OF_COLOURS = {"type": "rule", "values": ["color-contrast", "link-in-text-block"]}


@pytest.mark.parametrize(("scheme", "rules"), [("light", RULES), ("dark", OF_COLOURS)])
def test_axe_finds_nothing(browser: Browser, file: Path, scheme: Any, rules: Any) -> None:
    """Contrast, sizes of targets, heads of tables, landmarks: on the first page and on each view."""
    views = ("lanes", "text", "time", "requests", "usage", "telemetry")
    context = browser.new_context(bypass_csp=True, color_scheme=scheme)
    page = context.new_page()
    for hash_ in ("", "#rec=zenith/changed", *(f"#rec=acme/changed&view={view}" for view in views)):
        page.goto(f"file://{file}{hash_}")
        if hash_:
            page.wait_for_selector("#view > *")
        page.evaluate(AXE)
        violations = page.evaluate("(runOnly) => axe.run(document, { runOnly })", rules)
        assert [(each["id"], each["nodes"][0]["html"]) for each in violations["violations"]] == [], hash_
        page.goto("about:blank")
    context.close()


def test_filters_and_the_open_group_are_in_the_address_and_back_leads_to_them(opened: Open) -> None:
    page = opened()
    page.select_option("#f-kind", "text")
    page.locator("tr.group:visible .toggle").first.click()
    page.locator(".members a").first.scroll_into_view_if_needed()
    page.evaluate("scrollBy(0, 5)")
    address, top = page.url, page.evaluate("scrollY")
    assert "#kind=text&group=" in address
    page.locator(".members a").first.click()
    page.wait_for_selector("#view > *")
    assert "#rec=" in page.url
    page.go_back()
    page.wait_for_selector("#index:visible")
    assert page.url == address
    assert page.evaluate("scrollY") == top
    assert page.input_value("#f-kind") == "text"
    assert page.locator(".members").count() == 1
    other = opened()
    other.goto(address)
    other.reload()
    assert other.input_value("#f-kind") == "text"
    assert other.locator(".members").count() == 1


def test_the_counts_of_a_provider_filter(opened: Open) -> None:
    page = opened()
    page.locator(".providers a.breaking").first.click()
    expect(page.locator("#f-state")).to_have_value("breaking")
    assert rows(page) == ["acme/changed"]


def test_a_recording_says_how_to_see_it_again(browser: Browser, tmp_path: Path) -> None:
    """The commands are those of the project: a corpus has none."""
    about = replace(ABOUT, everyone={"acme"})
    file = write(tmp_path / "index.html", whole_run(), about)
    page = browser.new_page()
    page.goto(f"file://{file}#rec=acme/changed")
    page.wait_for_selector("#view > *")
    page.click(".reproduce summary")
    address = "http://127.0.0.1:8800/scenario/changed/acme/v1/chat/completions"
    assert page.locator(".reproduce code").all_inner_texts() == [
        "llm-contracts check --reference old --candidate new --scenario acme/changed",
        "llm-contracts serve --scenario acme/changed",
        f'curl -N {address} -d \'{{"model":"m","stream":true}}\'',
    ]
    page.close()


def test_chunks_that_differ_never_look_the_same(browser: Browser, tmp_path: Path) -> None:
    """Also where they differ in the details of totals, in another choice, or in what an eye cannot see."""
    totals = Usage(prompt_tokens=1, details={"cached": 1})
    kinds: dict[str, tuple[Observation, Observation]] = {
        "usage": (said("a", usage=totals), said("a", usage=replace(totals, details={"cached": 2}))),
        "letter": (said("caf\u00e9"), said("cafe\u0301")),
        "space": (said("a b"), said("a\u00a0b")),
        "choice": (of_choice("b"), of_choice("c")),
    }
    items = [item(f"acme/{name}", reference=one, candidate=two) for name, (one, two) in kinds.items()]
    file = write(tmp_path / "index.html", replace(whole_run(), items=tuple(items)), ABOUT)
    page = browser.new_page()
    for name in kinds:
        page.goto(f"file://{file}#rec=acme/{name}")
        expect(page.locator("#record h1")).to_have_text(f"acme/{name}")
        page.wait_for_selector("tr.ne td.chunk")
        cells = page.locator("tr.ne td.chunk").all_inner_texts()
        assert len(set(map(seen_by_eye, cells))) == len(cells) == 2, cells
    page.close()


def of_choice(text: str) -> Observation:
    return said("", chunks=(Chunk(others=({"index": 1, "text": text},)),))


def seen_by_eye(text: str) -> str:
    return "".join(c for c in unicodedata.normalize("NFKC", text) if c.isprintable())


def test_a_link_to_a_recording_of_another_run_is_answered(opened: Open) -> None:
    page = opened()
    page.evaluate("location.hash = 'rec=no/such'")
    expect(page.locator("#toast")).to_contain_text("no such recording")
