"""`llm-contracts verdict`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import click

from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.options import complete_provider, json_option, project_here
from llm_contracts.cli.stored import report_option, stored_here
from llm_contracts.parity.result import Readiness, Result, Verdict
from llm_contracts.project.config import ConfigError, Project, Settings
from llm_contracts.project.inputs import refuse_stale
from llm_contracts.reporting.evidence import Evidence, evidence, evidence_line
from llm_contracts.reporting.terminal import print_verdicts
from llm_contracts.results.document import json_text
from llm_contracts.results.store import Stored
from llm_contracts.util.files import write_text
from llm_contracts.util.terminal import listed, report_console

_EXAMPLES = """\b
Examples:
  llm-contracts verdict
  llm-contracts verdict openai deepseek
  llm-contracts verdict --provider qwen && ./cut-over qwen
  llm-contracts verdict --report /tmp/bare --json -
"""

_KEPT = ("format", "reference", "candidate", "engine", "run", "versions", "checked_at")


@click.command(epilog=_EXAMPLES)
@click.argument("providers", nargs=-1, metavar="[PROVIDER]...", shell_complete=complete_provider)
@click.option(
    "--provider",
    "more_providers",
    multiple=True,
    metavar="NAME",
    shell_complete=complete_provider,
    help="Another way to name a provider, as with the other commands.",
)
@report_option
@json_option
def verdict(
    providers: tuple[str, ...],
    more_providers: tuple[str, ...],
    report: Path | None,
    json_file: Path | None,
) -> Exit:
    """GO or NO-GO for providers, with reasons and what to run next.

    Reads what the last `check` stored, and refuses if anything it was made from has changed since, or if it
    is about other client than the project's own two (unless --report names it). Exit code 0 only if every
    provider asked for is ready.
    """
    project = project_here()
    names = tuple(dict.fromkeys((*providers, *more_providers)))
    for name in names:
        project.provider(name)
    stored = stored_here(project, report)
    refuse_stale(project.settings, stored.document)
    if report is None:
        _refuse_other_clients(project.settings, stored)
    asked = _asked(stored.result.verdicts, names)
    seen = {name: evidence(stored.result, name) for name in asked}
    if json_file is not None:
        write_text(json_file, json_text(_document(stored, asked, seen), indent=2) + "\n")
    if str(json_file) != "-":
        _print(project, stored, asked, seen)
    return Exit.AGREEMENT if all(v.answer is Readiness.READY for v in asked.values()) else Exit.DIVERGENCE


def _refuse_other_clients(settings: Settings, stored: Stored) -> None:
    """A GO for two other clients must not switch anything."""
    own = (settings.reference, settings.candidate)
    result = stored.result
    if (result.reference, result.candidate) != own:
        msg = (
            f"The stored result is about {result.reference} against {result.candidate}, not about {own[0]} "
            f"against {own[1]}. Run `llm-contracts check` again, or say that you mean it: "
            f"--report {settings.shown(stored.folder)}"
        )
        raise ConfigError(msg)


def _asked(stored: Mapping[str, Verdict], names: Sequence[str]) -> Mapping[str, Verdict]:
    if not stored:
        raise ConfigError("The stored result is of a part, and gives no verdict. Run `llm-contracts check`.")
    for name in names:
        if name not in stored:
            msg = f"The stored result has no verdict for {name}. Run `llm-contracts check --provider {name}`."
            raise ConfigError(msg)
    return {name: stored[name] for name in (names or stored)}


def _document(stored: Stored, asked: Mapping[str, Verdict], seen: Mapping[str, Evidence]) -> dict[str, Any]:
    rows = stored.document["verdicts"]
    return {
        **{key: stored.document.get(key) for key in _KEPT},
        "go": all(verdict.answer is Readiness.READY for verdict in asked.values()),
        "verdicts": {name: {**rows[name], "evidence": asdict(seen[name])} for name in asked},
        "complaints": list(stored.result.complaints),
        "warnings": list(stored.result.warnings),
    }


def _print(
    project: Project, stored: Stored, asked: Mapping[str, Verdict], seen: Mapping[str, Evidence]
) -> None:
    console = report_console()
    console.print(_head(stored.result, stored.document["checked_at"]), style="dim")
    for title, lines in (
        ("The waivers file", stored.result.complaints),
        ("Warnings", stored.result.warnings),
    ):
        for section in listed(title, lines, "yellow"):
            console.print(section)
    today = _now().astimezone().date()
    notes = {name: evidence_line(each, today) for name, each in seen.items()}
    everyone = {row.provider for row in project.scenarios}
    items = tuple(item for item in stored.result.items if item.provider in asked)
    print_verdicts(console, replace(stored.result, items=items, verdicts=asked), everyone, notes)


def _head(result: Result, checked_at: str) -> str:
    return f"{result.reference} against {result.candidate}, checked {_age(checked_at)} ago"


def _now() -> datetime:
    return datetime.now(UTC)


def _age(checked_at: str) -> str:
    minutes = int((_now() - datetime.fromisoformat(checked_at)).total_seconds() // 60)
    if minutes < 1:
        return "less than a minute"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min"
