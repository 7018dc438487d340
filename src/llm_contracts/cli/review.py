"""`llm-contracts review`: decisions about differences, in the terminal and without one."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llm_contracts.cli import frame, option
from llm_contracts.cli.exit_codes import Exit, exit_of_failure
from llm_contracts.cli.paths import InputPath
from llm_contracts.review.decisions import Choice, Scope
from llm_contracts.review.tui.page import View
from llm_contracts.run.options import local_day
from llm_contracts.util.git import git_user

if TYPE_CHECKING:
    from llm_contracts.review.apply import ApplyPlan
    from llm_contracts.review.session import ReviewSession

_EXAMPLES = """\b
Examples:
  llm-contracts review
  llm-contracts review list --json -
  llm-contracts review show 3fa2b01c
  llm-contracts review accept 3fa2b01c --reason "rounded by the provider" --until 2027-01-31 --dry-run
  llm-contracts review fix 3fa2b01c --note "the adapter drops the last chunk"
  llm-contracts review apply decisions.json
"""
_LIST = """\b
Examples:
  llm-contracts review list
  llm-contracts review list --json - | jq -r '.groups[].id'
"""
_SHOW = """\b
Examples:
  llm-contracts review show 3fa2b01c
  llm-contracts review show openai/plain-stream --entire
  llm-contracts review show 3fa2b01c --view request
"""
_ACCEPT = """\b
Examples:
  llm-contracts review accept 3fa2b01c --reason "rounded by the provider" --dry-run
  llm-contracts review accept 3fa2b01c 77ab12cd --reason "asked for by billing" --until 2027-01-31
  llm-contracts review accept 3fa2b01c --reason "of no use to us" --scope provider
"""
_MARK = """\b
Examples:
  llm-contracts review {name} 3fa2b01c --note "{note}"
  llm-contracts review {name} openai/plain-stream
"""
_APPLY = """\b
Examples:
  llm-contracts review apply decisions.json --dry-run
  llm-contracts review apply decisions.json
"""
_WITHOUT = """There is no terminal here. Without one:
  llm-contracts review list                     what there is to decide (--json FILE)
  llm-contracts review show ID                  one of them, with its lanes
  llm-contracts review accept ID --reason …     accept it (--dry-run shows what that covers)
  llm-contracts review fix ID --note …          mark it: it needs a fix
  llm-contracts review noise ID --note …        mark it: it means nothing
  llm-contracts review apply decisions.json     what the report's page exported"""


@click.group(
    invoke_without_command=True, epilog=_EXAMPLES, short_help="Decide what differs: accept it, or mark it."
)
@option.report
@option.flag("--plain", "A line at a time and ASCII only: for screen readers.")
@click.pass_context
def review(context: click.Context, *, report: Path | None, plain: bool) -> Exit | None:
    """Go through what differs: accept it (a waiver), mark it for fixing, or call it noise.

    Differences are grouped by kind, place and change: each group is one decision, breaking ones first. It
    reads what the last `check` stored, and writes the project's waivers file. ? lists the keys.
    """
    context.obj = report
    return None if context.invoked_subcommand is not None else start_review(report, plain=plain)


def start_review(report: Path | None, *, plain: bool = False) -> Exit:
    """Review the stored result on this terminal; whether something still waits is the exit code."""
    from llm_contracts.review.session import ReviewError

    frame.project_here(needed=report is None)  # said first: without one there is nothing to do with either
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise ReviewError(_WITHOUT)
    from rich.console import Console

    from llm_contracts.review.tui.session import InteractiveReview
    from llm_contracts.review.tui.state import lapses, tally
    from llm_contracts.review.tui.terminal import run_full_screen, run_lines
    from llm_contracts.util.terminal import echo
    from llm_contracts.util.text import count

    session = _session(report)
    interactive = InteractiveReview(session, by=git_user(session.settings.root))
    if not interactive.state.groups:
        echo("Nothing waits for a decision.")
        return Exit.AGREEMENT
    unicode = sys.stdout.encoding.lower().startswith("utf")
    if plain or os.environ.get("TERM", "dumb") == "dumb" or not unicode:
        run_lines(interactive, Console(highlight=False, no_color=True), input)
    else:
        run_full_screen(interactive)
    found = tally(interactive.state)
    lapse = f" until {lapses(interactive.state)}" if found["accepted"] else ""
    marked = found["decided"] - found["accepted"]
    echo(f"{count(found['accepted'], 'group')} accepted{lapse}, {marked} marked, {found['left']} left.")
    if found["accepted"]:
        waivers = session.settings.shown(session.settings.waivers)
        echo(f"Waivers are in {waivers}; look at its diff, commit it.")
    if found["left"]:
        echo("llm-contracts review takes it up again here.")
        return Exit.DIVERGENCE
    echo("Check again to see what the verdict is now: llm-contracts check")
    return Exit.AGREEMENT


@review.command("list", epilog=_LIST)
@click.option("--all", "everything", is_flag=True, help="Decided ones, too; without it those that are left.")
@option.json_file
@click.pass_obj
def list_groups(report: Path | None, *, everything: bool) -> Exit:
    """What there is to decide.

    A line for each group; its id is what the other commands take.
    """
    from llm_contracts.parity.decision_groups import queue
    from llm_contracts.review import session as reviewing
    from llm_contracts.review.terminal import print_queue, queue_document

    session = _session(report)
    groups = [group for group in queue(session.open) if everything or reviewing.undecided(session, group)]
    frame.hand_over(queue_document(session, groups), lambda console: print_queue(console, groups, session))
    left = any(reviewing.undecided(session, group) for group in groups)
    return Exit.DIVERGENCE if left else Exit.AGREEMENT


def _complete_ids(context: click.Context, _argument: click.Parameter, typed: str) -> list[str]:
    """Ids of groups and names of recordings; none where there is nothing to complete them from."""
    from llm_contracts.parity.decision_groups import queue

    try:
        groups = queue(_session(context.obj).open)
    except Exception as error:
        if exit_of_failure(error) is None:
            raise
        return []
    names = [*(group.id for group in groups), *dict.fromkeys(m.item for g in groups for m in g.members)]
    return [name for name in names if name.startswith(typed)]


@review.command(epilog=_SHOW)
@click.argument("name", metavar="ID", shell_complete=_complete_ids)
@click.option("--view", type=click.Choice([each.name.lower() for each in View]), help="From which side.")
@option.flag("--entire", "All of it, not only what differs.")
@click.pass_obj
def show(report: Path | None, *, name: str, view: str | None, entire: bool) -> None:
    """One group with both lanes; or a difference, by its fingerprint; or a recording."""
    from llm_contracts.review import session as reviewing
    from llm_contracts.review.terminal import show_group
    from llm_contracts.util.terminal import report_console

    session = _session(report)
    for group in reviewing.named_groups(session, name, several=True):
        show_group(report_console(), session, group, View[view.upper()] if view else None, entire=entire)


@review.command(epilog=_ACCEPT)
@click.argument("names", nargs=-1, required=True, metavar="ID...", shell_complete=_complete_ids)
@click.option("--reason", required=True, help="Why it may stay so; shown in every report.")
@click.option(
    "--until", metavar="DATE", help="The last day on which it holds. Default: waiver_days from today."
)
@click.option("--by", help="Who decides. Default: git's user.name.")
@option.choice(
    "--scope",
    Scope,
    Scope.GROUP,
    "How far it reaches: these recordings one by one, what the group holds today, the kind at this "
    "place for the providers concerned, or everywhere.",
)
@option.flag("--and-others", "Also where it covers differences outside the group.")
@option.flag("--dry-run", "Show what it would cover; write nothing.")
@option.json_file
@click.pass_obj
def accept(
    report: Path | None,
    *,
    names: tuple[str, ...],
    reason: str,
    until: str | None,
    by: str | None,
    scope: str,
    and_others: bool,
    dry_run: bool,
) -> None:
    """Accept differences until a date.

    Waivers are appended to the project's file, which is otherwise left as it is.
    """
    from llm_contracts.review import session as reviewing
    from llm_contracts.review.apply import ApplyPlan
    from llm_contracts.review.coverage import cover
    from llm_contracts.util.terminal import echo

    session = _session(report)
    last_day = reviewing.day_of(until) if until else session.default_until
    terms = reviewing.checked_terms(reason, by or git_user(session.settings.root), last_day, session.today)
    groups = [group for name in names for group in reviewing.named_groups(session, name)]
    members = {m.fingerprint: m for group in groups for m in group.members}
    meant = tuple(member for name, member in members.items() if name not in session.accepted)
    if not meant:
        echo("Nothing is left to accept there.")
        return
    coverage = cover(meant, Scope(scope), session.open, terms)
    wanted = ApplyPlan(acceptances=(coverage,), notes=(), settled=())
    _write_plan(session, wanted, and_others=and_others, dry_run=dry_run)


def _add_note_command(choice: Choice, text: str, example: str) -> None:
    @review.command(str(choice), help=text, epilog=_MARK.format(name=choice, note=example))
    @click.argument("names", nargs=-1, required=True, metavar="ID...", shell_complete=_complete_ids)
    @click.option("--note", default="", help="What is wrong, or what comes and goes.")
    @click.pass_obj
    def mark(report: Path | None, *, names: tuple[str, ...], note: str) -> None:
        from llm_contracts.review import session as reviewing
        from llm_contracts.review.decisions import Decision
        from llm_contracts.util.terminal import echo

        session = _session(report)
        groups = [group for each in names for group in reviewing.named_groups(session, each)]
        marked = tuple(
            Decision(choice=choice, fingerprints=left, group=group.title, note=note.strip())
            for group in groups
            if (left := tuple(p for p in group.fingerprints if p not in session.accepted))
        )
        change = reviewing.note(session, marked)
        number = sum(len(decision.fingerprints) for decision in marked)
        echo(f"{number} marked as {choice} in {session.settings.shown(change.file)}; they go on failing.")


_add_note_command(
    Choice.FIX,
    "Mark differences as to be fixed.\n\nThey go on failing, with your note.",
    example="the adapter drops the last chunk",
)
_add_note_command(
    Choice.NOISE,
    "Mark differences as noise.\n\nThey go on failing until a normaliser takes them out.",
    example="the order of two headers",
)


@review.command(epilog=_APPLY)
@click.argument("file", type=InputPath(dir_okay=False, allow_dash=True))
@option.flag("--and-others", "Also where it covers differences that the file does not name.")
@option.flag("--dry-run", "Show what would be done; write nothing.")
@option.json_file
@click.pass_obj
def apply(report: Path | None, *, file: Path, and_others: bool, dry_run: bool) -> None:
    """Apply a file of decisions.

    All of it or nothing. The report's page exports such files. One about another run, or about a difference
    that this run does not have, is refused.
    """
    from llm_contracts.review.apply import plan
    from llm_contracts.review.decisions import parse_decisions

    session = _session(report)
    text = sys.stdin.read() if str(file) == "-" else file.read_bytes()
    wanted = plan(session, parse_decisions(text, str(file)), str(file))
    _write_plan(session, wanted, and_others=and_others, dry_run=dry_run)


def _write_plan(session: ReviewSession, wanted: ApplyPlan, *, and_others: bool, dry_run: bool) -> None:
    """Show what would be done, and do it, unless that was not asked for or reaches too far."""
    from llm_contracts.review import session as reviewing
    from llm_contracts.review.session import ReviewError
    from llm_contracts.review.terminal import print_plan

    if not dry_run:
        reviewing.refuse(session, wanted.rows)
    frame.hand_over(wanted.document(), lambda console: print_plan(console, session, wanted, dry_run=dry_run))
    if dry_run:
        return
    if wanted.others and not and_others:
        raise ReviewError(
            f"Nothing was written: it would also cover {len(wanted.others)} differences that were not named "
            "(listed above). Take a narrower --scope, or say --and-others."
        )
    reviewing.write(session, wanted.rows, wanted.notes)


def _session(report: Path | None) -> ReviewSession:
    from llm_contracts.review import session as reviewing

    project = frame.project_here(needed=report is None)
    return reviewing.open_session(
        project.settings,
        frame.stored_here(project, report),
        today=local_day(),
        environ=os.environ,
        known=((row.provider, row.id) for row in project.scenarios),
        secrets=frame.secrets_of(project),
    )
