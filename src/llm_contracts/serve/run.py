"""Composition: recordings → a server that an application in any language can be pointed at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from llm_contracts.corpus import CorpusProblem, read_corpus
from llm_contracts.corpus.index import INDEX
from llm_contracts.corpus.judge import provider_of
from llm_contracts.project.config import ConfigError, Project
from llm_contracts.project.scenario import Scenario
from llm_contracts.serve.catalogue import IndexedRecording, RecordingIndex
from llm_contracts.serve.http import Entry, ServeSession
from llm_contracts.serve.http.answers import is_free
from llm_contracts.serve.http.session import Rules
from llm_contracts.wire.cassette import Cassette, CassetteError, load
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.proxy.playback_options import PlaybackOptions
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.scrub import Scrubber

_SUFFIXES = (".yaml", ".yml", ".json", ".har", ".toml", ".gz")
_ENDPOINTS = ("/chat/completions", "/completions", "/embeddings", "/models", "/responses")


@dataclass(kw_only=True, slots=True)
class Catalogue:
    """What there is to serve.

    Attributes:
        tapes: provider → its recordings.
        unreadable: a sentence for each recording that is damaged, naming place and fault.
        left_out: a sentence for each that is whole but of no use here.
    """

    tapes: dict[str, list[IndexedRecording]] = field(default_factory=lambda: defaultdict(list))
    unreadable: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def add(self, provider: str, tape: IndexedRecording) -> None:
        """Put a tape on its provider's shelf.

        Raises:
            ConfigError: there is one of the same name, so that a name would not tell which is meant.
        """
        for other in self.tapes[provider]:
            if other.name == tape.name:
                msg = (
                    f"{other.file} and {tape.file} are both {provider}/{tape.name}. Serve one, or rename one."
                )
                raise ConfigError(msg)
        self.tapes[provider].append(tape)

    @property
    def untimed(self) -> int:
        """How many recordings do not know when their bytes came; they are played without pauses."""
        return sum(_is_untimed(tape) for tapes in self.tapes.values() for tape in tapes)


def from_project(project: Project, scenarios: Sequence[Scenario]) -> Catalogue:
    """The recordings of these scenarios; those without one are not served."""
    stock = Catalogue()
    for row in scenarios:
        file = project.cassette(row)
        if not file.is_file():
            continue
        try:
            interactions = load(file).interactions
        except CassetteError as error:
            stock.unreadable.append(error.named(project.settings.shown(file)))
            continue
        tape = IndexedRecording(
            name=row.id,
            file=project.settings.shown(file),
            interactions=interactions,
            usual=_is_usual(row),
        )
        stock.add(row.provider, tape)
    return stock


def from_files(project: Project, sources: Iterable[Path]) -> Catalogue:
    """The recordings in these files and folders, whoever made them.

    A cassette is one recording, whatever it holds; of what cassettes cannot be (HAR files, raw bodies with an
    index, other recorders' formats) each chat completion is one.
    """
    stock = Catalogue()
    rows = {row.name: row for row in project.scenarios}
    for source in sources:
        for file in _files(source):
            _add_file(stock, project, rows, file, source if source.is_dir() else source.parent)
    return stock


def shelves(project: Project, stock: Catalogue) -> tuple[RecordingIndex, ...]:
    """The shelves to serve, each under its provider's own base path.

    Raises:
        ConfigError: a provider's name is one of the server's own addresses.
    """
    paths = {row.name: urlsplit(row.base_url).path.rstrip("/") for row in project.providers}
    for name in stock.tapes:
        if not is_free(name):
            raise ConfigError(f"No provider can be served as {name!r}: that address is the server's own.")
    return tuple(
        RecordingIndex(name, paths.get(name, _base_path(tapes)), tapes) for name, tapes in stock.tapes.items()
    )


@contextmanager
def serving(
    filled: Sequence[RecordingIndex],
    *,
    port: int,
    manner: PlaybackOptions,
    scrubber: Scrubber,
    any_body: bool = False,
    log: Callable[[Entry], None] = lambda _entry: None,
) -> Iterator[ServeSession]:
    """A replay server for as long as the context is open; it calls nobody.

    Raises:
        EdgeError: the port cannot be opened.
    """
    rules = Rules(manner=manner, any_body=any_body, scrubber=scrubber, log=log)
    with Edge(port) as edge:
        yield edge.mount(lambda loop, origin: ServeSession(filled, rules, loop=loop, origin=origin))


def _add_file(
    stock: Catalogue, project: Project, rows: Mapping[str, Scenario], file: Path, folder: Path
) -> None:
    shown = project.settings.shown(file.resolve())
    try:
        cassette = load(file)
    except CassetteError:
        _add_streams(stock, project, file)
        return
    recording = cassette.recording
    name = recording.scenario if recording else file.relative_to(folder).with_suffix("").as_posix()
    for provider, interactions in _by_provider(cassette).items():
        row = rows.get(f"{provider}/{name}")
        usual = row is None or _is_usual(row)
        stock.add(provider, IndexedRecording(name=name, file=shown, interactions=interactions, usual=usual))


def _add_streams(stock: Catalogue, project: Project, source: Path) -> None:
    for entry in read_corpus(source):
        if not isinstance(entry, CorpusProblem):
            tape = IndexedRecording(
                name=entry.id, file=entry.place or str(source), interactions=(entry.interaction,)
            )
            stock.add(entry.provider, tape)
        elif entry.why.damaged:
            stock.unreadable.append(f"{project.settings.shown(Path(entry.place))}: {entry.reason}")
        else:
            stock.left_out.append(f"{project.settings.shown(Path(entry.place))}: {entry.reason}")


def _files(source: Path) -> Iterator[Path]:
    """What of a folder may be a recording; of one with an index, that alone."""
    if source.is_file():
        yield source
    elif (source / INDEX).is_file():
        yield source / INDEX
    else:
        for path in sorted(source.rglob("*")):
            hidden = any(part.startswith(".") for part in path.relative_to(source).parts)
            if path.is_file() and not hidden and path.suffix.lower() in _SUFFIXES:
                yield path


def _by_provider(cassette: Cassette) -> dict[str, tuple[Interaction, ...]]:
    if cassette.recording is not None:
        return {cassette.recording.provider: cassette.interactions}
    found: dict[str, list[Interaction]] = defaultdict(list)
    for interaction in cassette.interactions:
        found[provider_of(interaction.request.uri)].append(interaction)
    return {name: tuple(interactions) for name, interactions in found.items()}


def _is_usual(row: Scenario) -> bool:
    return row.live and row.key == "valid"


def _is_untimed(tape: IndexedRecording) -> bool:
    answers = (interaction.response for interaction in tape.interactions)
    return any(answer.body and answer.pieces is None for answer in answers)


def _base_path(tapes: Sequence[IndexedRecording]) -> str:
    """The base path of a provider that no row tells of: what stands before a known endpoint."""
    paths = (urlsplit(each.request.uri).path for tape in tapes for each in tape.interactions)
    return next((path[: -len(end)] for path in paths for end in _ENDPOINTS if path.endswith(end)), "")
