"""What real providers sent: streams of one kind from one provider have one shape, or it is known why not.

The streams are no part of this project; where they are not beside it, these tests are skipped.
"""

from __future__ import annotations

from collections import defaultdict
from functools import cache
from itertools import combinations

import pytest

from llm_contracts.corpus import CorpusStream, read_corpus
from llm_contracts.drift.compare import compare_shapes
from llm_contracts.drift.shape import AnswerShape, shape_of
from llm_contracts.parity.divergence import Severity
from tests.harness.wire.exchanges import REAL_STREAMS

pytestmark = [
    pytest.mark.real_streams,
    pytest.mark.skipif(not REAL_STREAMS.is_dir(), reason="needs ../shared/real-streams"),
]

COME_AND_GONE = frozenset({"obfuscation", "service_tier", "system_fingerprint", "refusal"})
"""OpenAI began to send these between 2024 and 2025, not with every model and not through every proxy."""
EXPLAINED = frozenset(
    {
        *("usage", "x_groq.usage.completion_tokens_details"),  # groq moved it out of x_groq
        "choices[].finish_reason",  # stop, length: the models' doing
        *(f"choices[].content_filter_results.{name}" for name in ("hate", "sexual", "self_harm", "violence")),
        *(f"choices[].content_filter_results.protected_material_{name}" for name in ("text", "code")),
    }
)
"""What differs visibly for a known reason; Azure filters what it is configured to filter."""


Group = tuple[str, tuple[str, ...], bool]


@cache
def shapes() -> dict[Group, dict[str, AnswerShape]]:
    """Provider, order and whether totals were asked for → the shapes seen."""
    groups: dict[Group, dict[str, AnswerShape]] = defaultdict(dict)
    for entry in read_corpus(REAL_STREAMS):
        if isinstance(entry, CorpusStream):
            shape = shape_of(entry.interaction.response)
            groups[entry.provider, shape.order, shape.usage is None][entry.id] = shape
    return groups


def test_a_provider_has_few_orders_of_events_whatever_it_says() -> None:
    orders: dict[str, set[tuple[str, ...]]] = defaultdict(set)
    streams = 0
    for (provider, order, _usage), found in shapes().items():
        orders[provider].add(order)
        streams += len(found)
    assert streams >= 81
    assert len(orders["openai"]) == 3  # 49 streams: text, tools, and an answer without a word
    assert orders["traceloop-stg.openai.azure.com"] == {("role", "content", "finish", "[DONE]")}
    assert orders["api.mistral.ai"] == {("role", "content", "finish", "[DONE]")}


def test_streams_of_one_provider_and_order_differ_in_nothing_that_breaks() -> None:
    broken = {
        (one, other, drift.where)
        for found in shapes().values()
        for (one, left), (other, right) in combinations(found.items(), 2)
        for drift in compare_shapes(left, right)
        if drift.severity is Severity.BREAKING
    }
    assert {where for _, _, where in broken} <= {"finish+usage: usage"}, broken


def test_what_a_client_may_notice_is_explained() -> None:
    visible = {
        drift.where.partition(": ")[2] or drift.where
        for found in shapes().values()
        for left, right in combinations(found.values(), 2)
        for drift in compare_shapes(left, right)
        if drift.severity is Severity.VISIBLE
    }
    assert {where for where in visible if where.rpartition(".")[2] not in COME_AND_GONE} <= EXPLAINED
