"""`llm-contracts reduce`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from llm_contracts.cli import frame, option
from llm_contracts.cli.exit_codes import Exit
from llm_contracts.project.config import ConfigError
from llm_contracts.run.options import Options
from llm_contracts.util.files import write_text
from llm_contracts.wire.proxy.playback_options import Fragmentation

if TYPE_CHECKING:
    from llm_contracts.clients.call import Call
    from llm_contracts.project.config import Project
    from llm_contracts.wire.interaction import Interaction

_EXAMPLES = """\b
Examples:
  llm-contracts reduce openai/plain-stream                          its worst difference
  llm-contracts reduce openai/plain-stream --kind usage_details --reproduce bug.py
  llm-contracts reduce trace.yaml --reference openai --candidate litellm --to small.yaml
"""


@click.command("reduce", epilog=_EXAMPLES, short_help="Shrink a recording to what shows a difference.")
@click.argument("recording", metavar="ID|FILE", shell_complete=option.complete_scenario)
@option.as_one("options", Options, option.clients)
@click.option("--kind", default="", metavar="KIND", help="The kind of difference that must stay.")
@click.option("--where", default="", metavar="PLACE", help="Its place, as `check` names it.")
@click.option("--anonymise/--no-anonymise", default=True, show_default=True, help="Replace the words first.")
@option.file("--to", "small", text="Write what is left as a recording.", dash=False)
@option.file(
    "--reproduce", "script", text="Write a Python file that serves it and shows both clients' outputs."
)
@option.json_file
def reduce(
    recording: str,
    *,
    options: Options,
    kind: str,
    where: str,
    anonymise: bool,
    small: Path | None,
    script: Path | None,
) -> Exit:
    """Shrink a recording to the smallest stream that still shows a difference between the clients.

    Exchanges, parameters, events, members and words are left out as long as the difference stays. ID is a
    scenario's name; FILE is a cassette, a HAR file or another recording with one stream.
    """
    from llm_contracts.reduce.reproduce import reproduction
    from llm_contracts.reduce.run import TIMED, Wanted
    from llm_contracts.reduce.run import reduce as reduced_of
    from llm_contracts.reduce.terminal import print_reduced, reduced_cassette, reduced_document
    from llm_contracts.run.match import client_names, opened_match
    from llm_contracts.wire.cassette import save
    from llm_contracts.wire.cassette.render import render
    from llm_contracts.wire.scrub import Scrubber

    project = frame.project_here(needed=not Path(recording).is_file())
    options = replace(options, pieces=None if kind in TIMED else Fragmentation.ONE)
    interactions, call = _found(project, recording)
    secrets = frame.secrets_of(project)
    scrubber = Scrubber(secrets)
    scrubber.learn(interactions)  # a recording of somebody else's has his keys in it
    interactions = tuple(map(scrubber.interaction, interactions))
    with opened_match(project, options) as match:
        found = reduced_of(match, interactions, call, Wanted(kind=kind, where=where), anonymise=anonymise)
    if script is not None:
        names = client_names(project, options)
        text = reproduction(found, reference=names[0], candidate=names[1], file=script.name)
        scrubber.refuse(str(script), text.encode(), found.interactions)
        write_text(script, text)
    if small is not None:
        cassette = reduced_cassette(small.stem, found)
        scrubber.refuse(str(small), render(cassette), found.interactions)
        save(small, cassette)
    frame.hand_over(reduced_document(found), lambda console: print_reduced(console, found), secrets)
    return Exit.AGREEMENT


def _found(project: Project, name: str) -> tuple[tuple[Interaction, ...], Call]:
    """The exchanges of a scenario or of a file, and the call that they answer."""
    from llm_contracts.corpus import CorpusStream, read_corpus
    from llm_contracts.project.recorded_call import stream_call
    from llm_contracts.run.scenario import replay_call
    from llm_contracts.run.streams import plain_address
    from llm_contracts.wire.cassette import load

    file = Path(name)
    if not file.is_file():
        rows = project.select((), (name,))
        if len(rows) > 1:
            raise ConfigError(f"{name!r} names several scenarios: {', '.join(row.name for row in rows)}.")
        (row,) = rows
        recorded = load(project.cassette(row)).interactions
        return recorded, replay_call(row, project.provider(row.provider))
    streams = [entry for entry in read_corpus(file) if isinstance(entry, CorpusStream)]
    if not streams:
        raise ConfigError(f"{file} holds no stream that can be compared.")
    found = tuple(plain_address(one.interaction) for one in streams)
    return found, stream_call(streams[-1].provider, found[-1], project.protocols)
