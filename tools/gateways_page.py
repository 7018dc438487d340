"""`python -m tools.gateways_page STREAMS ANSWERS FILE`: write what LiteLLM's proxy changes, in real streams
of chats in the folder STREAMS and in real answers of other APIs in ANSWERS, to the end of FILE.
"""

from __future__ import annotations

import sys
from pathlib import Path

from llm_contracts.project.config import load_settings
from llm_contracts.project.load import load_project
from tools.corpus_page import render_corpus_page
from tools.real_streams_page import compared

_TITLE = "# What the pinned release changes"
_INTRO = """\
Real answers, played behind LiteLLM's proxy and without it, to the same SDK. Counted are answers in which a
kind of difference occurs; those for which the SDK has no call are left out.

Made by `make gateways`; do not edit below this heading."""


def main(arguments: list[str]) -> int:
    """Write the page's end. 2 for wrong usage."""
    if len(arguments) != 3 or not all((Path(one) / "index.jsonl").is_file() for one in arguments[:2]):  # noqa: PLR2004
        sys.stderr.write("usage: python -m tools.gateways_page STREAMS ANSWERS FILE\n")
        return 2
    streams, answers, file = map(Path, arguments)
    project = load_project(load_settings(Path.cwd()))
    parts = {
        "Chat completions": (streams, "openai"),
        "Responses and embeddings": (answers, "openai"),
        "Messages": (answers, "anthropic"),
    }
    results = {
        heading: compared(project, folder, reference, "litellm-proxy", jobs=1)
        for heading, (folder, reference) in parts.items()
    }
    table = render_corpus_page(_TITLE.removeprefix("# "), _INTRO, results).replace("\n## ", "\n### ")
    text, _, _ = file.read_text(encoding="utf-8").partition(f"#{_TITLE}")
    file.write_text(f"{text}#{table}", encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
