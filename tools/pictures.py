"""`python -m tools.pictures FOLDER`: the pictures of README.md, made from a real run with differences.

The bare clients are compared on some recordings of one provider. Chromium draws what `check` prints, the page
that `report` makes of it and the screen of `review`; `CHROMIUM` names another than /usr/bin/chromium.
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

import pexpect  # type: ignore[import-untyped]
import pyte
from playwright.sync_api import Page, sync_playwright
from rich.console import Console
from rich.style import Style
from rich.text import Text

_SCENARIOS = ("json-mode", "reasoning", "tool-calls", "no-usage", "rate-limit")
_COLUMNS, _ROWS = 96, 34  # of the terminal
_WIDTH, _HEIGHT = 1280, 760  # of the page, in CSS pixels
_TERMINAL = """<style>body {{ margin: 0; background: #fff; color: #222 }}
pre {{ margin: 0; padding: 12px 16px; display: inline-block; font: 13px/1.35 monospace; border-radius: 8px }}
</style><pre>{code}</pre>"""


def main(folder: Path) -> None:
    """Write terminal.png, report.png and review.png.

    Raises:
        subprocess.CalledProcessError: a command failed; what it printed has been shown.
    """
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as made, _page() as page:
        place = Path(made)
        selected = [word for scenario in _SCENARIOS for word in ("--scenario", f"deepseek/{scenario}")]
        clients = ["--reference", "openai", "--candidate", "litellm"]
        printed = _contracts(place, "check", *clients, *selected, differs=True)
        _contracts(place, "report")
        for name, text in (("terminal", Text.from_ansi(printed)), ("review", _review(place))):
            (place / f"{name}.html").write_text(_as_html(text), encoding="utf-8")
            page.goto((place / f"{name}.html").as_uri())
            page.locator("pre").screenshot(path=folder / f"{name}.png")
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


def _review(place: Path) -> Text:
    """The first screen of `review`, as a terminal shows it."""
    program = str(Path(sys.executable).with_name("llm-contracts"))
    size = (_ROWS, _COLUMNS)
    child = pexpect.spawn(program, ["review", "--report", str(place)], dimensions=size, timeout=60)
    screen = pyte.Screen(_COLUMNS, _ROWS)
    stream = pyte.ByteStream(screen)
    while not any("q quit" in line for line in screen.display):
        stream.feed(child.read_nonblocking(65_536, timeout=60))
    child.close(force=True)
    cells = [[row[column] for column in range(_COLUMNS)] for row in (screen.buffer[n] for n in range(_ROWS))]
    return Text("\n").join(Text.assemble(*((cell.data, _style(cell)) for cell in row)) for row in cells)


def _style(cell: pyte.screens.Char) -> Style:
    colour = {"default": None, "brown": "yellow"}.get(cell.fg, cell.fg.replace("bright", "bright_"))
    return Style(color=colour, bold=cell.bold, italic=cell.italics, reverse=cell.reverse)


def _as_html(text: Text) -> str:
    console = Console(record=True, width=_COLUMNS, file=io.StringIO())
    console.print(text)
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
