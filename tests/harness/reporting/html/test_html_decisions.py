"""From a difference to a waiver: check, report, decide on the page, apply."""

from __future__ import annotations

from pathlib import Path

import pytest
from playwright.sync_api import Browser

from llm_contracts.cli import run
from tests.harness.run.projects import TOML, make_project


def test_what_is_accepted_on_the_page_is_a_waiver_after_apply(
    browser: Browser, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("CI", raising=False)
    make_project(tmp_path, toml=TOML.replace('candidate = "same"', 'candidate = "shouting"'))
    assert run(["check"]) == 1
    assert run(["report"]) == 0
    page = browser.new_page(accept_downloads=True)
    page.goto(f"file://{tmp_path}/report/index.html")
    page.keyboard.press("j")
    page.keyboard.press("a")
    page.fill("#d-reason", "it may shout")
    page.fill("#d-by", "Ada")
    page.click("#d-save")
    page.keyboard.press("e")
    with page.expect_download() as download:
        page.click("#export-save")
    download.value.save_as(tmp_path / "decisions.json")
    page.close()
    assert run(["review", "apply", "decisions.json"]) == 0
    assert 'reason = "it may shout"' in (tmp_path / "contracts" / "waivers.toml").read_text()
    assert run(["check"]) == 0
