"""`python -m tools.pictures FOLDER`: the pictures of README.md, made from a real run with differences.

The bare clients are compared on some recordings of one provider. Chromium draws what `check` prints and the
page that `report` makes of it; the variable `CHROMIUM` names another than /usr/bin/chromium.
"""

from __future__ import annotations

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.text import Text

_SCENARIOS = ("plain-stream", "reasoning", "tool-calls", "no-usage", "rate-limit")
_COLUMNS = 96
_WIDTH, _HEIGHT = 1280, 760  # of the page, in CSS pixels
_TERMINAL = """<style>body {{ margin: 0; background: #fff; color: #222 }}
pre {{ margin: 0; padding: 12px 16px; display: inline-block; font: 13px/1.35 monospace; border-radius: 8px }}
</style><pre>{code}</pre>"""


def main(folder: Path) -> None:
    """Write terminal.png and report.png.

    Raises:
        subprocess.CalledProcessError: a command failed; what it printed has been shown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as name, _page() as page:
        place = Path(name)
        selected = [word for scenario in _SCENARIOS for word in ("--scenario", f"deepseek/{scenario}")]
        clients = ["--reference", "openai", "--candidate", "litellm"]
        printed = _contracts(place, "check", *clients, *selected, differs=True)
        _contracts(place, "report")
        (place / "terminal.html").write_text(_as_html(printed), encoding="utf-8")
        page.goto((place / "terminal.html").as_uri())
        page.locator("pre").screenshot(path=folder / "terminal.png")
        page.goto((place / "index.html").as_uri())
        page.screenshot(path=folder / "report.png")


def _contracts(place: Path, command: str, *options: str, differs: bool = False) -> str:
    done = subprocess.run(  # noqa: S603 - our own command
        [Path(sys.executable).with_name("llm-contracts"), command, "--report", place, *options],
        env=os.environ | {"FORCE_COLOR": "1", "COLUMNS": str(_COLUMNS)},
        stdout=subprocess.PIPE,
        text=True,
        check=False,
    )
    if done.returncode != int(differs):
        raise subprocess.CalledProcessError(done.returncode, command, done.stdout)
    return done.stdout


def _as_html(printed: str) -> str:
    console = Console(record=True, width=_COLUMNS, file=io.StringIO())
    console.print(Text.from_ansi(printed))
    return console.export_html(code_format=_TERMINAL, inline_styles=True)


@contextmanager
def _page() -> Iterator[Page]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(
            executable_path=os.environ.get("CHROMIUM", "/usr/bin/chromium"),
            args=["--no-sandbox", "--disable-gpu", "--disable-background-networking"],
        )
        yield browser.new_page(viewport={"width": _WIDTH, "height": _HEIGHT})
        browser.close()


if __name__ == "__main__":
    main(*map(Path, sys.argv[1:]))
