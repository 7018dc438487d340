"""`llm-contracts verdict`."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from llm_contracts.cli.exits import Exit
from llm_contracts.cli.options import complete_provider, json_option, project_here
from llm_contracts.cli.output import report_console, write_text
from llm_contracts.cli.stored import stored_here
from llm_contracts.config import ConfigError
from llm_contracts.inputs import refuse_stale
from llm_contracts.parity.result import Answer, Verdict
from llm_contracts.views.terminal import print_verdicts

_EXAMPLES = """\b
Examples:
  llm-contracts verdict
  llm-contracts verdict openai deepseek
  llm-contracts verdict qwen && ./cut-over qwen
"""


@click.command(epilog=_EXAMPLES)
@click.argument("providers", nargs=-1, metavar="[PROVIDER]...", shell_complete=complete_provider)
@json_option
def verdict(providers: tuple[str, ...], json_file: Path | None) -> Exit:
    """GO or NO-GO for providers, with reasons.

    Reads what the last `check` stored, and refuses if anything it was made from has changed since. Exit code
    0 only if every provider asked for is ready.
    """
    project = project_here()
    for name in providers:
        project.provider(name)
    document = stored_here(project).document
    refuse_stale(project.settings, document)
    asked = _asked(document["verdicts"], providers)
    if json_file is not None:
        kept = {key: document[key] for key in ("format", "reference", "candidate", "versions", "checked_at")}
        chosen = {name: document["verdicts"][name] for name in asked}
        write_text(json_file, json.dumps({**kept, "verdicts": chosen}, ensure_ascii=False, indent=2) + "\n")
    if str(json_file) != "-":
        console = report_console()
        pair = f"{document['reference']} against {document['candidate']}"
        console.print(f"{pair}, checked {_age(document['checked_at'])} ago", style="dim")
        print_verdicts(console, asked)
    return Exit.AGREEMENT if all(v.answer is Answer.READY for v in asked.values()) else Exit.DIVERGENCE


def _asked(stored: Mapping[str, Any], names: Sequence[str]) -> dict[str, Verdict]:
    for name in names:
        if name not in stored:
            msg = f"The stored result has no verdict for {name}. Run `llm-contracts check --provider {name}`."
            raise ConfigError(msg)
    return {
        name: Verdict(answer=Answer(stored[name]["verdict"]), reasons=tuple(stored[name]["reasons"]))
        for name in (names or stored)
    }


def _now() -> datetime:
    return datetime.now(UTC)


def _age(checked_at: str) -> str:
    minutes = int((_now() - datetime.fromisoformat(checked_at)).total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
