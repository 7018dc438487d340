"""What vcrpy records through today's clients is read to the byte that the provider meant."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.harness.corpus.vcr_files import (
    CLIENTS,
    PACKINGS,
    QUESTION,
    STREAM,
    one_stream,
    provider,
    record_with_vcrpy,
)


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    with provider() as address:
        yield address


def url(origin: str, coding: str = "") -> str:
    return f"{origin}{f'/{coding}' if coding else ''}/v1/chat/completions"


@pytest.mark.parametrize("decode", [False, True], ids=["as-sent", "decoded"])
@pytest.mark.parametrize("coding", PACKINGS)
@pytest.mark.parametrize("client", CLIENTS)
def test_a_yaml_cassette_of_any_client_gives_the_stream(
    tmp_path: Path, origin: str, client: str, coding: str, decode: bool
) -> None:
    """Also where vcrpy keeps packed bytes, and where it unpacks them and forgets to say so."""
    file = tmp_path / "theirs.yaml"
    record_with_vcrpy(file, url(origin, coding), CLIENTS[client], decode_compressed_response=decode)
    found = one_stream(tmp_path)
    response = found.interaction.response
    assert (response.status, response.body, response.header("content-encoding")) == (200, STREAM, "")
    assert json.loads(found.interaction.request.body) == QUESTION
    assert (found.id, found.recorder, found.provider) == ("theirs", "vcrpy", "127.0.0.1")
    assert found.recorded_at is not None  # the server's own clock


@pytest.mark.parametrize("client", CLIENTS)
def test_a_json_cassette_gives_the_stream(tmp_path: Path, origin: str, client: str) -> None:
    file = tmp_path / "theirs.json"
    record_with_vcrpy(file, url(origin), CLIENTS[client], serializer="json")
    found = one_stream(tmp_path)
    assert found.interaction.response.body == STREAM
    assert json.loads(found.interaction.request.body) == QUESTION


def test_several_calls_of_one_cassette_are_several_streams(tmp_path: Path, origin: str) -> None:
    from llm_contracts.corpus import CorpusStream, read_corpus

    def twice(address: str) -> None:
        CLIENTS["requests"](address)
        CLIENTS["requests"](f"{address}?again=1")

    record_with_vcrpy(tmp_path / "theirs.yaml", url(origin), twice)
    found = list(read_corpus(tmp_path / "theirs.yaml"))
    assert [entry.id for entry in found if isinstance(entry, CorpusStream)] == ["theirs#0", "theirs#1"]
