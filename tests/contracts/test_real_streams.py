"""What real providers sent to others: our two clients read every stream alike.

The streams are no part of this project; where they are not beside it, these tests are skipped.
"""

from __future__ import annotations

from datetime import datetime
from pathlib import Path

import pytest

from llm_contracts.corpus import CorpusStream, read_corpus
from llm_contracts.project.config import load_settings
from llm_contracts.project.load import load_project
from llm_contracts.run.options import Options
from llm_contracts.run.streams import check_corpus

STREAMS = Path(__file__).parents[3] / "shared" / "real-streams"

pytestmark = [
    pytest.mark.long,
    pytest.mark.real_streams,
    pytest.mark.skipif(not STREAMS.is_dir(), reason="needs ../shared/real-streams"),
]


def test_every_stream_can_be_used() -> None:
    found = tuple(read_corpus(STREAMS))
    assert len(found) >= 81
    assert [entry for entry in found if not isinstance(entry, CorpusStream)] == []


def test_both_paths_read_every_stream_alike() -> None:
    project = load_project(load_settings(Path(__file__).parent))
    result = check_corpus(
        project, tuple(read_corpus(STREAMS)), Options(today=datetime.now().astimezone().date())
    )
    assert {
        item.id: [(str(d.kind), d.where) for d in item.unwaived] for item in result.items if item.unwaived
    } == {}
    assert all(item.candidate is not None and item.problem is None for item in result.items)
