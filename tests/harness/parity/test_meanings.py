"""Each difference says what it means to an application, and whose loss it is."""

from __future__ import annotations

from typing import Any

import pytest

from llm_contracts.parity.compare import ABSENT
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.parity.meanings import MEANINGS, meaning


def found(kind: Kind, where: str, reference: Any, candidate: Any) -> Divergence:
    return Divergence(
        kind=kind, where=where, reference=reference, candidate=candidate, fingerprint="0123456789ab"
    )


@pytest.mark.parametrize(
    ("divergence", "beginning"),
    [
        (found(Kind.USAGE_MISSING, "usage", {"total_tokens": 3}, ABSENT), "Totals that the provider sent"),
        (found(Kind.USAGE_MISSING, "usage", ABSENT, {"total_tokens": 3}), "The old client loses totals"),
        (found(Kind.ERROR, "error", ABSENT, {"category": "timeout"}), "The new client fails where the old"),
        (found(Kind.ERROR, "error", {"category": "timeout"}, ABSENT), "The old client fails where the new"),
        (found(Kind.ERROR, "error.status", 429, 500), "Both fail, but with another HTTP status"),
        (found(Kind.ERROR, "error.category", "A", "B"), "Both fail, but as other classes"),
        (found(Kind.FIELDS, "error.message", "a", "b"), "Both fail, and the error says something else"),
        (found(Kind.FIELDS, "citations", ABSENT, ["a"]), "The new client hands on something"),
        (found(Kind.FIELDS, "citations", ["a"], ABSENT), MEANINGS[Kind.FIELDS]),
    ],
)
def test_the_sentence_says_whose_loss_it_is(divergence: Divergence, beginning: str) -> None:
    assert meaning(divergence).startswith(beginning)


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_a_sentence(kind: Kind) -> None:
    assert meaning(found(kind, "x", 1, 2)).endswith(".")
