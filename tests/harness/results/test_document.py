"""The JSON document: its fields are what scripts depend on."""

from __future__ import annotations

import json
from datetime import date

from llm_contracts.parity.compare.finding import ABSENT
from llm_contracts.parity.divergence import Kind
from llm_contracts.parity.value_class import change_of
from llm_contracts.results.document import outcome, to_document, to_json
from llm_contracts.results.items import item_from_json, item_to_json
from tests.harness.reporting.samples import (
    BODY,
    INVENTED,
    divergence,
    failed,
    item,
    mixed,
    observation,
    result,
)


def test_the_promised_fields_are_there() -> None:
    document = to_document(mixed())
    assert document["format"] == 1
    assert (document["reference"], document["candidate"]) == ("adapter-legacy", "adapter-litellm")
    assert document["engine"] == "wire"
    assert document["versions"]["litellm"] == "1.105.0"
    assert document["totals"] == {"usage_invented": 1, "text": 1, "request_body": 1}
    assert document["verdicts"]["openai"]["verdict"] == "blocked"
    assert document["verdicts"]["openai"]["reasons"] == ["1 of 3 scenarios differs: no-usage."]


def test_an_item_says_what_both_did_and_what_differs() -> None:
    [entry] = to_document(
        result(
            item(divergences=(INVENTED, BODY), waived={BODY.fingerprint: "why"}, recorded_on=date(2026, 5, 4))
        )
    )["items"]
    assert (entry["id"], entry["provider"], entry["scenario"]) == (
        "openai/plain-stream",
        "openai",
        "plain-stream",
    )
    assert (entry["provenance"], entry["recorded_on"]) == ("simulated", "2026-05-04")
    assert entry["outcome"]["reference"]["deltas"] == 2
    assert entry["divergences"][0] == {
        "kind": "usage_invented",
        "severity": "breaking",
        "where": "usage.total_tokens",
        "reference": None,
        "candidate": 7,
        "fingerprint": INVENTED.fingerprint,
        "waived": None,
    }
    assert entry["divergences"][1]["waived"] == "why"
    assert entry["divergences"][1]["kind"] == str(Kind.REQUEST_BODY)


def test_what_is_absent_is_so_when_it_is_read_again() -> None:
    gone = divergence(Kind.FIELDS, reference=ABSENT, candidate="absent")
    row = json.loads(json.dumps(item_to_json(item(divergences=(gone,)))))
    assert row["divergences"][0]["reference"] == "<absent>"
    assert item_from_json(row).divergences == (gone,)


def test_what_is_absent_in_a_variant_is_so_when_it_is_read_again() -> None:
    """A waiver of a sweep's difference goes by this word; as text it would not match any more."""
    swept = divergence(Kind.FIELDS, reference={"recorded": "a", "varied": ABSENT}, candidate="unchanged")
    row = json.loads(json.dumps(item_to_json(item(divergences=(swept,)))))
    assert change_of(swept) == change_of(item_from_json(row).divergences[0]) == ("absent", "unchanged")


def test_an_outcome_is_short_and_tells_success_from_failure() -> None:
    assert outcome(None) is None
    good, bad = outcome(observation("你好", "!")), outcome(failed())
    assert good == {
        "client": "left",
        "path": "left",
        "ok": True,
        "deltas": 2,
        "characters": 3,
        "finish_reason": "stop",
        "usage": {"prompt_tokens": 3, "completion_tokens": 2, "total_tokens": None},
        "requests": 1,
        "failure": None,
    }
    assert bad is not None
    assert bad["failure"] == {
        "category": "rate_limit",
        "status": 429,
        "code": "server.llm.requestFailed",
        "provider_code": None,
    }


def test_the_text_is_readable_json_with_the_callers_own_fields() -> None:
    text = to_json(mixed(), checked_at="now")
    assert text.endswith("}\n")
    assert json.loads(text)["checked_at"] == "now"
    assert json.loads(text) == json.loads(to_json(mixed(), checked_at="now"))
