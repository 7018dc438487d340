"""The site: the pages of this folder, the commands as they explain themselves, and the modules people import.

Built without a network: no other project's pages are fetched, so their names lead nowhere.
"""
# ruff: noqa: INP001 - Sphinx runs this file; it is in no package

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from importlib.metadata import version as version_of
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from sphinx.application import Sphinx

project = "llm-adapter and llm-contracts"
version = release = version_of("llm-contracts")

extensions = ["myst_parser", "sphinx.ext.autodoc", "sphinx.ext.napoleon", "sphinx_click"]
html_theme = "furo"
html_title = "llm-adapter and llm-contracts"
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
html_static_path = ["_static"]
html_css_files = ["site.css"]
default_role = "code"  # docstrings write `names` so

myst_heading_anchors = 3

autodoc_member_order = "bysource"
autodoc_typehints_format = "short"
autodoc_class_signature = "separated"  # values list their fields, with types, below
napoleon_use_ivar = True

nitpicky = True
nitpick_ignore_regex = [
    # Types in signatures: the standard library's, and values of ours that nobody makes by hand.
    ("py:class", r"(collections|contextlib|datetime|logging|pathlib)\..*|AbstractContextManager|T"),
    ("py:class", r"((dict|tuple)\[~)?llm_(adapter|contracts)\..*"),
    ("py:class", r"tuple\[str"),  # of a tuple within a mapping Sphinx makes two halves
]
suppress_warnings = ["myst.header"]  # samples of what CI shows begin with smaller headings


def setup(app: Sphinx) -> None:
    """Some texts are written for another place first: samples for CI, help for terminals."""
    app.connect("source-read", _without_a_place)
    app.connect("sphinx-click-process-epilog", _in_columns)
    app.connect("sphinx-click-process-description", _options_as_code)
    app.connect("sphinx-click-process-options", _options_as_code)
    app.connect("build-finished", _page_with_a_go)


def _without_a_place(_app: Sphinx, page: str, source: list[str]) -> None:
    """Samples are pages that others point at; they have no place of their own among the pages."""
    if page.startswith("samples/"):
        source[0] = f"---\norphan: true\n---\n\n{source[0]}"


def _page_with_a_go(app: Sphinx, error: Exception | None) -> None:
    """A report of the live recordings in examples/first-go, which docs/report.md points at.

    Raises:
        RuntimeError: a command does not end as on a GO; with what it printed.
    """
    if error is not None or app.builder.name != "html":
        return
    command = Path(sys.executable).with_name("llm-contracts")
    with tempfile.TemporaryDirectory() as report:
        for words in (("check",), ("report", "--html", str(Path(app.outdir, "_static", "go.html")))):
            done = subprocess.run(  # noqa: S603 - our own command
                [command, *words, "--report", report],
                cwd=Path(__file__).parent.parent / "examples" / "first-go",
                capture_output=True,
                text=True,
                check=False,
            )
            if done.returncode:
                raise RuntimeError(f"llm-contracts {words[0]}: {done.stdout}{done.stderr}")


def _in_columns(_app: Sphinx, _context: object, lines: list[str]) -> None:
    """Examples and what explains them stand in columns, as in the terminal."""
    said = [line.removeprefix("| ") for line in lines]
    heading = ["", ".. code-block:: text", ""]
    lines[:] = [out for line in said for out in ([line, *heading] if line.endswith(":") else [line])]


def _options_as_code(_app: Sphinx, _context: object, lines: list[str]) -> None:
    """Two hyphens in prose would become a dash."""
    lines[:] = [line if line.startswith("..") else _OPTION.sub(_as_code, line) for line in lines]


_OPTION = re.compile(r"`[^`]*`|(?<![\w'\"-])--[a-z][a-z-]*")


def _as_code(found: re.Match[str]) -> str:
    return found[0] if found[0].startswith("`") else f"``{found[0]}``"
