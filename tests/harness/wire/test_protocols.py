"""Protocols: what is built in, and what a project hands in."""

from __future__ import annotations

import ast
import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

import llm_contracts
from llm_contracts.drift.compare import ChangeKind, compare_recordings
from llm_contracts.parity.divergence import Severity
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Response
from llm_contracts.wire.protocols import BUILT_IN, GEMINI, OPENAI_CHAT, Protocol, Reading
from tests.harness.wire.exchanges import EVENT_STREAM, event, exchange

PARROT = Protocol(
    name="parrot",
    speaks=lambda document: "squawk" in document,
    reader=lambda: (
        lambda document: Reading(
            chunk={"choices": [{"delta": {"content": document["squawk"]}}]}, last=bool(document.get("tired"))
        )
    ),
    error=lambda document: {"message": document["ouch"]} if "ouch" in document else None,
    members=frozenset({"squawk"}),
)
WHOLE = event({"squawk": "Polly"}) + event({"squawk": "!", "tired": True})


def answered(body: bytes) -> Response:
    return Response(status=200, headers=EVENT_STREAM, body=body)


def test_what_no_protocol_claims_has_neither_text_nor_end() -> None:
    facts = read_facts(answered(WHOLE))
    assert (facts.text, facts.done, facts.events) == ("", False, 2)


@pytest.mark.parametrize("protocols", [(PARROT,), (*BUILT_IN, PARROT)])
def test_a_protocol_that_is_handed_in_reads_text_and_end(protocols: tuple[Protocol, ...]) -> None:
    facts = read_facts(answered(WHOLE), protocols)
    assert (facts.text, tuple(marks[0] for marks in facts.progress), facts.done, facts.error) == (
        "Polly!",
        (5, 6),
        True,
        None,
    )
    assert not read_facts(answered(event({"squawk": "Polly"})), protocols).done


def test_a_protocol_reads_errors_of_its_own_in_streams_and_documents() -> None:
    body = event({"ouch": "a cat"})
    document = Response(status=200, body=json.dumps({"ouch": "a cat"}).encode())
    for response in (answered(body), document):
        assert read_facts(response).error is None
        assert read_facts(response, (PARROT,)).error == {"message": "a cat"}


def test_a_member_that_a_protocols_clients_read_weighs_more() -> None:
    old, new = (exchange(answered(event({name: "x"}))) for name in ("squawk", "chirp"))
    gone = {
        protocols: [
            drift.severity
            for drift in compare_recordings([old], [new], protocols)
            if drift.change is ChangeKind.FIELD_GONE
        ]
        for protocols in (BUILT_IN, (PARROT,))
    }
    assert gone == {BUILT_IN: [Severity.VISIBLE], (PARROT,): [Severity.BREAKING]}


@pytest.mark.parametrize(
    ("protocol", "document"),
    [(GEMINI, {"candidates": []}), (OPENAI_CHAT, {"choices": []}), (PARROT, {"squawk": ""})],
)
def test_every_protocol_claims_its_own_documents_alone(
    protocol: Protocol, document: Mapping[str, Any]
) -> None:
    assert [one.name for one in (*BUILT_IN, PARROT) if one.speaks(document)] == [protocol.name]
    assert protocol.reader()(document).last is False
    assert protocol.error(document) is None
    assert document.keys() <= protocol.members


_READERS = {"read_facts", "shape_of", "wire_events", "error_of", "compare_cassettes"}
_WITHOUT_A_PROJECT = {"corpus/index.py", "project/recorded_scenarios.py"}
"""An address is made up only for APIs that clients have a call for, which are the built-in ones; the rows of
imported recordings are made while a project's own protocols are still being loaded.
"""


def test_whoever_reads_bytes_is_given_the_projects_protocols() -> None:
    """One that forgets them reads a project's own API as if it said nothing."""
    forgotten = {
        f"{file.parent.name}/{file.name}:{node.lineno}"
        for file in Path(llm_contracts.__file__).parent.rglob("*.py")
        if not str(file).endswith(tuple(_WITHOUT_A_PROJECT))
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id in _READERS
        if "protocols" not in ast.unparse(node)
    }
    assert forgotten == set()
