"""Composition: recordings → a server that an application in any language can be pointed at."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from urllib.parse import urlsplit

from llm_contracts.corpus import CorpusProblem, read_corpus, recording_files
from llm_contracts.corpus.judge import provider_of
from llm_contracts.project.config import ConfigError, Project
from llm_contracts.project.recorded_call import base_of
from llm_contracts.project.scenario import Scenario
from llm_contracts.serve.address import RESERVED
from llm_contracts.serve.index import IndexedRecording, RecordingIndex
from llm_contracts.serve.session import ServeSession, ServingRules
from llm_contracts.wire.cassette import CassetteError, load
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.proxy.server import Edge


@dataclass(kw_only=True, slots=True)
class Catalogue:
    """What there is to serve.

    Attributes:
        recordings: provider → its recordings, by their names.
        unreadable: a sentence for each recording that is damaged, naming place and fault.
        left_out: a sentence for each that is whole but of no use here.
    """

    recordings: dict[str, dict[str, IndexedRecording]] = field(default_factory=lambda: defaultdict(dict))
    unreadable: list[str] = field(default_factory=list)
    left_out: list[str] = field(default_factory=list)

    def add(self, provider: str, recording: IndexedRecording) -> None:
        """Add a recording.

        Raises:
            ConfigError: the provider has one of the same name, so that a name would be ambiguous.
        """
        other = self.recordings[provider].setdefault(recording.name, recording)
        if other is not recording:
            name = f"{provider}/{recording.name}"
            raise ConfigError(f"{other.file} and {recording.file} are both {name}. Serve one, or rename one.")

    @property
    def untimed(self) -> int:
        """How many recordings do not know when their bytes came; they are played without pauses."""
        return sum(
            any(each.response.body and each.response.pieces is None for each in recording.interactions)
            for recordings in self.recordings.values()
            for recording in recordings.values()
        )


def from_project(project: Project, scenarios: Sequence[Scenario]) -> Catalogue:
    """The recordings of these scenarios; those without one are not served."""
    catalogue = Catalogue()
    for row in scenarios:
        file = project.cassette(row)
        try:
            if file.is_file():
                catalogue.add(row.provider, _indexed(project, file, row.id, load(file).interactions, row))
        except CassetteError as error:
            catalogue.unreadable.append(error.named(project.settings.shown(file)))
    return catalogue


def from_files(project: Project, sources: Iterable[Path]) -> Catalogue:
    """The recordings in these files and folders, whoever made them.

    A cassette is one recording, whatever it holds. In what cassettes cannot be (HAR files, raw bodies with an
    index, other recorders' formats) each chat completion is one.
    """
    catalogue = Catalogue()
    rows = {row.name: row for row in project.scenarios}
    for source in sources:
        for file in recording_files(source):
            folder = source if source.is_dir() else source.parent
            if not _add_cassette(catalogue, project, rows, file, folder):
                _add_streams(catalogue, project, file)
    return catalogue


def indexes(project: Project, catalogue: Catalogue) -> tuple[RecordingIndex, ...]:
    """An index for each provider, under the provider's own base path.

    Raises:
        ConfigError: a provider's name is one of the server's own addresses.
    """
    paths = {row.name: urlsplit(row.base_url).path.rstrip("/") for row in project.providers}
    for name in catalogue.recordings:
        if name in RESERVED:
            raise ConfigError(f"No provider can be served as {name!r}: that address is the server's own.")
    return tuple(
        RecordingIndex(name, paths.get(name, _base_path(recordings)), recordings)
        for name, by_name in catalogue.recordings.items()
        for recordings in [tuple(by_name.values())]
    )


@contextmanager
def serving(
    served: Sequence[RecordingIndex],
    rules: ServingRules,
    *,
    port: int,
    origins: Collection[str] = frozenset(),
) -> Iterator[ServeSession]:
    """A replay server for as long as the context is open; it calls nobody.

    Raises:
        EdgeError: the port cannot be opened.
    """
    with Edge(port, origins=origins) as edge:
        yield edge.mount(partial(ServeSession, served, rules))


def _add_cassette(
    catalogue: Catalogue, project: Project, rows: Mapping[str, Scenario], file: Path, folder: Path
) -> bool:
    """Whether the file is a cassette."""
    try:
        cassette = load(file)
    except CassetteError:
        return False
    recorded = cassette.recording
    name = recorded.scenario if recorded else file.relative_to(folder).with_suffix("").as_posix()
    found: dict[str, list[Interaction]] = defaultdict(list)
    for interaction in cassette.interactions:
        found[recorded.provider if recorded else provider_of(interaction.request.uri)].append(interaction)
    for provider, interactions in found.items():
        row = rows.get(f"{provider}/{name}")
        catalogue.add(provider, _indexed(project, file.resolve(), name, interactions, row))
    return True


def _indexed(
    project: Project, file: Path, name: str, interactions: Iterable[Interaction], row: Scenario | None
) -> IndexedRecording:
    return IndexedRecording(
        name=name,
        file=project.settings.shown(file),
        interactions=tuple(interactions),
        usual=row is None or (row.live and row.key == "valid"),
    )


def _add_streams(catalogue: Catalogue, project: Project, source: Path) -> None:
    for entry in read_corpus(source):
        if isinstance(entry, CorpusProblem):
            sentences = catalogue.unreadable if entry.why.damaged else catalogue.left_out
            sentences.append(f"{project.settings.shown(Path(entry.place))}: {entry.reason}")
        else:
            file = entry.place or str(source)
            recording = IndexedRecording(name=entry.id, file=file, interactions=(entry.interaction,))
            catalogue.add(entry.provider, recording)


def _base_path(recordings: Sequence[IndexedRecording]) -> str:
    """The base path of a provider without a row: what stands before a known endpoint."""
    paths = (urlsplit(each.request.uri).path for recording in recordings for each in recording.interactions)
    return next((base for path in paths if (base := base_of(path)) != path), "")
