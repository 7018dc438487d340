"""`python -m tools.real_streams_page STREAMS ANSWERS FILE`: write the page about real streams of chats in the
folder STREAMS, and about real answers of other APIs in ANSWERS, to FILE.
"""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path

from llm_contracts import Result
from llm_contracts.corpus import CorpusStream, read_corpus
from llm_contracts.project.config import Project, load_settings
from llm_contracts.project.load import load_project
from llm_contracts.run.options import Options
from llm_contracts.run.streams import check_corpus
from llm_contracts.wire.facts import WireFacts, read_answer
from tools.corpus_page import render_corpus_page

_TITLE = "Real streams"
_INTRO = """\
Chat-completion streams from real providers, recorded by public projects and replayed byte by byte to two
clients at a time. The tables count the streams in which a kind of difference occurs, accepted or not.

Made by `make real-streams`; do not edit."""
_ANSWERS = """\
## Answers of other APIs

By which protocol each answer was read, and how many answers hold text, reasoning, tool-call arguments, a
finish reason, usage totals, an error, or an end that the answer itself names. `generic` knows neither text
nor finish reason: such answers are compared leaf by leaf. The sections below compare clients over the
answers that both of them can ask for."""
_COLUMNS = ("text", "reasoning", "arguments", "finish", "usage", "error", "end")
_ARGUMENTS = 3


def page(project: Project, streams: Path, answers: Path) -> str:
    """The page: chats by the bare clients and by the project's own, then the answers of other APIs."""
    own = f"{project.settings.reference} and {project.settings.candidate}"
    parts = {
        "The bare clients": (streams, "openai", "litellm"),
        f"Our clients: {own}": (streams, None, None),
        "Other APIs: the bare clients": (answers, "openai", "litellm"),
        "Other APIs: Anthropic's Messages": (answers, "httpx-async", "litellm-async"),
    }
    results = {
        heading: compared(project, folder, reference, candidate)
        for heading, (folder, reference, candidate) in parts.items()
    }
    return render_corpus_page(_TITLE, f"{_INTRO}\n\n{answers_table(answers)}", results)


def answers_table(folder: Path) -> str:
    """How the answers in this folder are read, by the API that their index names."""
    found = [entry for entry in read_corpus(folder) if isinstance(entry, CorpusStream)]
    kinds: Counter[tuple[str, str, str]] = Counter()
    held: Counter[tuple[str, str, str, str]] = Counter()
    for entry in found:
        api, kind, _ = entry.id.split("-")
        facts = read_answer(entry.interaction)
        row = (api, kind, facts.protocol)
        kinds[row] += 1
        held.update((*row, name) for name in _held(facts))
    lines = [
        "| API | answers | read as | number | " + " | ".join(_COLUMNS) + " |",
        "|---|---|---|" + "---:|" * (1 + len(_COLUMNS)),
        *(
            f"| {row[0]} | {row[1]} | `{row[2]}` | {number} | "
            + " | ".join(str(held[*row, name] or "") for name in _COLUMNS)
            + " |"
            for row, number in sorted(kinds.items())
        ),
    ]
    return "\n".join([_ANSWERS, "", *lines, "", f"{len(found)} answers."])


def _held(facts: WireFacts) -> Iterator[str]:
    said = {
        "text": facts.whole_text or facts.refusal,
        "reasoning": facts.reasoning,
        "arguments": facts.arguments,
        "finish": facts.finish_reasons,
        "usage": facts.usage,
        "error": facts.error,
        "end": facts.done,
    }
    return (name for name, value in said.items() if value)


def compared(
    project: Project, folder: Path, reference: str | None, candidate: str | None, *, jobs: int = 2
) -> Result:
    """What differs between two clients over the answers in this folder."""
    options = Options(
        today=datetime.now().astimezone().date(), reference=reference, candidate=candidate, jobs=jobs
    )
    return check_corpus(project, tuple(read_corpus(folder)), options)


def main(arguments: list[str]) -> int:
    """Write the page. 2 for wrong usage."""
    if len(arguments) != _ARGUMENTS or not all(
        (Path(one) / "index.jsonl").is_file() for one in arguments[:2]
    ):
        sys.stderr.write(
            "usage: python -m tools.real_streams_page STREAMS ANSWERS FILE, each with an index.jsonl\n"
        )
        return 2
    streams, answers, file = map(Path, arguments)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(page(load_project(load_settings(Path.cwd())), streams, answers), encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
