"""`llm-contracts serve`."""

from __future__ import annotations

import json
import os
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llm_contracts.cli import frame, option
from llm_contracts.cli.exit_codes import Exit
from llm_contracts.cli.paths import InputPath
from llm_contracts.project.config import ConfigError
from llm_contracts.util.files import write_text
from llm_contracts.util.text import count
from llm_contracts.wire.proxy.playback_options import Fragmentation, PlaybackOptions

if TYPE_CHECKING:
    from llm_contracts.project.config import Project
    from llm_contracts.serve import run as serving

_PORT = 8800
_EXAMPLES = """\b
Examples:
  llm-contracts serve                              every recording of the project, on port 8800
  llm-contracts serve --provider openai --speed 10
  llm-contracts serve ../other/cassettes --port 0 --json urls.json --log requests.jsonl
  llm-contracts serve --any-body                   base URL http://127.0.0.1:8800/scenario/rate-limit/openai/v1

\b
Addresses:
  /PROVIDER/…                                      the answer that was recorded for this very request
  /scenario/NAME/PROVIDER/…                        the answer of this recording
  /run/KEY/…                                       before either: this run's own position in its recordings
  GET /health    GET /    POST /run    GET, DELETE /run/KEY
"""


@click.command("serve", epilog=_EXAMPLES, short_help="Serve recordings to an application in any language.")
@click.argument("sources", nargs=-1, metavar="[FILE|DIR]...", type=InputPath())
@option.selection
@option.port(_PORT, "Where to listen")
@option.as_one("playback", PlaybackOptions, option.playback(Fragmentation.RECORDED))
@option.flag("--any-body", "Let a scenario that the address names answer any body; what differs is logged.")
@click.option(
    "--allow-origin",
    "origins",
    multiple=True,
    metavar="ORIGIN",
    help="Let in requests of web pages from this origin, such as https://app.example; those of this "
    "machine are let in anyway. May be given several times.",
)
@option.file(
    "--log",
    "log_file",
    default="-",
    text="Append a line of JSON for each request; - is standard output, the default.",
)
@option.file(
    "--json",
    "json_file",
    text="When ready, write port, base URLs and scenarios as JSON; with - as standard output's first line.",
)
def serve(
    sources: tuple[Path, ...],
    *,
    providers: tuple[str, ...],
    scenarios: tuple[str, ...],
    port: int,
    playback: PlaybackOptions,
    any_body: bool,
    origins: tuple[str, ...],
    log_file: Path,
    json_file: Path | None,
) -> Exit:
    """Serve recordings to an application in any language: give it a base URL from here.

    A request is answered only if this very request was recorded: any other gets status 599 and is told the
    nearest one and what differs. Nobody else is ever called. Ctrl-C ends it; the exit code is 1 if a request
    had no answer.
    """
    from llm_contracts.serve import run as serving
    from llm_contracts.serve.answers import overview
    from llm_contracts.serve.session import ServingRules
    from llm_contracts.serve.terminal import print_addresses, request_log
    from llm_contracts.util.terminal import echo, one_line
    from llm_contracts.wire.scrub import Scrubber

    project = frame.project_here(needed=not sources)
    secrets = frame.secrets_of(project)
    catalogue = _catalogue(project, sources, providers, scenarios)
    recordings = [each for found in catalogue.recordings.values() for each in found.values()]
    for file in {each.file.partition(": ")[0] for each in recordings}:
        frame.refuse_secrets_in(project.settings.root / file, secrets)
    for sentence in (*catalogue.left_out, *catalogue.unreadable):
        echo(one_line(sentence), err=True)
    if catalogue.unreadable:
        return Exit.UNREADABLE
    with (
        request_log(log_file) as log,
        serving.serving(
            serving.indexes(project, catalogue),
            ServingRules(playback=playback, scrubber=Scrubber(secrets), any_body=any_body, log=log),
            port=port,
            origins=origins,
        ) as session,
        frame.stop_signal() as wait,
    ):
        if json_file is not None:
            document = {"format": 1, "pid": os.getpid(), **overview(session.origin, session.indexes)}
            write_text(json_file, json.dumps(document, ensure_ascii=False) + "\n")
        print_addresses(session, untimed=0 if playback.speed is None else catalogue.untimed)
        wait()
        requests, unmatched = session.counts
    echo(f"{count(requests, 'request')}, {unmatched} without an answer.", err=True)
    return Exit.DIVERGENCE if unmatched else Exit.AGREEMENT


def _catalogue(
    project: Project, sources: Sequence[Path], providers: Sequence[str], scenarios: Sequence[str]
) -> serving.Catalogue:
    from llm_contracts.serve import run as serving

    if sources and (providers or scenarios):
        raise ConfigError("Name files and folders, or choose among the project's recordings; not both.")
    if sources:
        found = serving.from_files(project, sources)
    else:
        found = serving.from_project(project, project.select(providers, scenarios))
    if not found.recordings and not found.unreadable:
        where = ", ".join(map(str, sources)) or str(project.settings.cassettes)
        raise ConfigError(f"There is nothing to serve: {where} holds no recording for that.")
    return found
