"""Answers of other APIs that real providers sent: each is read, and a client agrees with itself on all.

They lie in ../shared/real-apis, beside the checkout, and are not part of the repository.
"""

from __future__ import annotations

from collections import Counter
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from llm_contracts.clients.builtin import BUILTIN, LIBRARIES
from llm_contracts.corpus import CorpusStream, read_corpus
from llm_contracts.project.config import Project, load_settings
from llm_contracts.run.options import Options
from llm_contracts.run.streams import check_corpus
from llm_contracts.wire.facts import read_answer
from tools.real_streams_page import answers_table

if TYPE_CHECKING:
    from llm_contracts.clients.call import Call

ANSWERS = Path(__file__).parents[3] / "shared" / "real-apis"
pytestmark = pytest.mark.skipif(not ANSWERS.is_dir(), reason="needs ../shared/real-apis")

PROTOCOLS = {
    "anthropic": "anthropic-messages",
    "bedrock": "generic",
    "cohere": "generic",
    "completions": "openai-completions",
    "embeddings": "embeddings",
    "gemini": "gemini",
    "other": "generic",
    "responses": "openai-responses",
}


def streams() -> list[CorpusStream]:
    return [entry for entry in read_corpus(ANSWERS) if isinstance(entry, CorpusStream)]


def test_every_answer_is_read_as_what_it_is() -> None:
    found = streams()
    assert len(found) == 119
    odd: Counter[str] = Counter()
    for stream in found:
        facts = read_answer(stream.interaction)
        api, kind, _ = stream.id.split("-")
        assert (facts.error is not None) == (kind == "error" or stream.id in BROKEN), stream.id
        if facts.protocol != PROTOCOLS[api]:
            odd[f"{stream.id}: {facts.protocol}"] += 1
        elif facts.protocol not in {"generic", "embeddings"} and facts.error is None:
            assert facts.finish_reasons, stream.id
            assert facts.done or api in {"gemini", "completions"}, stream.id
        assert not facts.malformed
        assert not facts.unread
    # Claude on Bedrock answers as Anthropic does; Writer's completions are not OpenAI's; some refusals were
    # kept without their address.
    assert sorted(odd) == [
        "bedrock-whole-062: anthropic-messages",
        "completions-streamed-075: generic",
        "gemini-error-104: generic",
        "responses-error-151: generic",
    ]


BROKEN = {"gemini-streamed-111", "gemini-whole-132", "responses-streamed-166"}
"""Blocked prompts, and a response that failed in its stream."""


def test_the_page_says_how_each_is_read() -> None:
    page = (Path(__file__).parents[2] / "docs/real-streams.md").read_text(encoding="utf-8")
    assert answers_table(ANSWERS) in page, "run `make real-streams`"


@pytest.mark.parametrize("client", ["httpx", "openai", "google-genai"])
def test_a_client_against_itself_shows_nothing(client: str, tmp_path: Path) -> None:
    pytest.importorskip(LIBRARIES.get(client, client))

    def again(call: Call) -> object:
        return BUILTIN[client](call)

    project = Project(settings=load_settings(tmp_path), clients={"again": again})  # type: ignore[dict-item]
    corpus = streams()
    options = Options(today=date(2026, 1, 1), reference=client, candidate="again", jobs=1)
    result = check_corpus(project, corpus, options)
    differing = {
        item.id: [str(one.where) for one in item.divergences] for item in result.items if item.divergences
    }
    assert (differing, [item.problem for item in result.items if item.problem]) == ({}, [])
    assert len(result.items) + len(result.left_out) == len(corpus)
