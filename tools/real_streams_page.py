"""`python -m tools.real_streams_page DIR FILE`: write the page about the real streams in DIR to FILE."""

from __future__ import annotations

import sys
from datetime import datetime
from pathlib import Path

from llm_contracts import Result
from llm_contracts.corpus import read_corpus
from llm_contracts.project.config import Project, load_settings
from llm_contracts.project.load import load_project
from llm_contracts.run.check import Options
from llm_contracts.run.streams import check_corpus
from tools.corpus_page import render_corpus_page

_TITLE = "Real streams"
_INTRO = """\
Chat-completion streams that real providers sent, recorded by public projects, replayed byte by byte
to two clients at a time. Counted are streams in which a kind of difference occurs, accepted or not.

Made by `make real-streams`; do not edit."""
_ARGUMENTS = 2


def page(project: Project, folder: Path) -> str:
    """The page: the bare clients first, then the project's own two clients."""
    own = f"{project.settings.reference} and {project.settings.candidate}"
    pairs = {"The bare clients": ("openai", "litellm"), f"Our paths: {own}": (None, None)}
    return render_corpus_page(
        _TITLE, _INTRO, {heading: _compared(project, folder, *pair) for heading, pair in pairs.items()}
    )


def _compared(project: Project, folder: Path, reference: str | None, candidate: str | None) -> Result:
    options = Options(
        today=datetime.now().astimezone().date(), reference=reference, candidate=candidate, jobs=2
    )
    return check_corpus(project, tuple(read_corpus(folder)), options)


def main(arguments: list[str]) -> int:
    """Write the page. 2 for wrong usage."""
    if len(arguments) != _ARGUMENTS or not Path(arguments[0]).is_dir():
        sys.stderr.write("usage: python -m tools.real_streams_page DIR FILE, where DIR holds index.jsonl\n")
        return 2
    folder, file = map(Path, arguments)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page(load_project(load_settings(Path.cwd())), folder), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
