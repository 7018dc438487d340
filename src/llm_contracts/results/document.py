"""A result as a JSON document, format 1: scripts depend on its fields, so they are only ever added to."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from llm_contracts.clients.observation import Observation, Usage
from llm_contracts.corpus import CorpusProblem
from llm_contracts.parity.compare.usage import totals
from llm_contracts.parity.divergence import Divergence
from llm_contracts.parity.result import Item, Result, Verdict
from llm_contracts.util.dataclass_json import to_json as plain_json

FORMAT = 1

_SURROGATE = re.compile("[\ud800-\udfff]")


def to_document(result: Result, **extra: Any) -> dict[str, Any]:
    """Everything in a result as plain JSON values. `extra` adds top-level fields of the caller's own."""
    return {
        "format": FORMAT,
        "reference": result.reference,
        "candidate": result.candidate,
        "engine": result.engine,
        "run": run_digest(result),
        "versions": dict(result.versions),
        "items": [item_document(item) for item in result.items],
        "totals": dict(result.totals),
        "verdicts": {name: verdict_row(verdict) for name, verdict in result.verdicts.items()},
        "missing": list(result.missing),
        "complaints": list(result.complaints),
        "warnings": list(result.warnings),
        "left_out": [problem_document(problem) for problem in result.left_out],
        **extra,
    }


def verdict_row(verdict: Verdict) -> dict[str, Any]:
    """A verdict as plain JSON values."""
    return {
        "verdict": str(verdict.answer),
        "reasons": list(verdict.reasons),
        "because": [plain_json(replace(reason, step="")) for reason in verdict.because],
        "next": list(verdict.next),
        "coverage": verdict.coverage and verdict.coverage.document,
    }


def problem_document(problem: CorpusProblem) -> dict[str, Any]:
    """Something in a corpus that cannot be used, as plain JSON values."""
    return {"place": problem.place, "why": str(problem.why), "reason": problem.reason}


def to_json(result: Result, **extra: Any) -> str:
    """The document as text: readable, in a fixed order, with its digest, ending in a line feed."""
    document = to_document(result, **extra)
    return json_text({**document, "digest": document_digest(document)}, indent=2) + "\n"


def document_digest(document: Mapping[str, Any]) -> str:
    """The digest of a document but for its own `digest`: it tells a result from one that was edited."""
    subject = {name: value for name, value in document.items() if name != "digest"}
    return f"sha256:{hashlib.sha256(json_text(subject).encode()).hexdigest()}"


def json_text(value: Any, indent: int | None = None) -> str:
    """JSON as text that can be written as UTF-8: half a surrogate pair, which providers do send, stays the
    escape that it came as.
    """
    text = json.dumps(value, ensure_ascii=False, indent=indent, default=str)
    return _SURROGATE.sub(lambda half: f"\\u{ord(half[0]):04x}", text)


def run_digest(result: Result) -> str:
    """Sixteen hex digits that name what was found: which clients and versions, which differences, where.

    Neither clocks nor waivers take part, so that a decision made on one run still names the next if nothing
    has changed but that it was accepted.
    """
    found = [
        [item.id, item.problem, sorted(d.fingerprint for d in (*item.divergences, *item.noise))]
        for item in result.items
    ]
    subject = [
        result.reference,
        result.candidate,
        result.engine,
        dict(result.versions),
        sorted(found, key=str),
    ]
    return hashlib.sha256(json_text(subject).encode()).hexdigest()[:16]


def item_document(item: Item) -> dict[str, Any]:
    """One item as plain JSON values, what both clients did in a few words."""
    return {
        "id": item.id,
        "provider": item.provider,
        "scenario": item.scenario,
        "provenance": item.provenance,
        "recorded_on": item.recorded_on.isoformat() if item.recorded_on else None,
        "address": item.address,
        "outcome": dict(item.outcomes) or outcomes(item),
        "divergences": [_divergence(d, item.waived) for d in item.divergences],
        "noise": [_divergence(d, {}) for d in item.noise],
        "normalised": dict(item.normalised),
        "problem": item.problem,
    }


def outcomes(item: Item) -> dict[str, Any]:
    """In a few values, what both clients did."""
    return {"reference": outcome(item.reference), "candidate": outcome(item.candidate)}


def light(item: Item) -> Item:
    """The item without what it takes to show it in full: that is kept elsewhere. Twenty thousand of these fit
    into memory, and give the same document.
    """
    return replace(item, reference=None, candidate=None, exchanges=(), outcomes=outcomes(item))


def _divergence(divergence: Divergence, waived: Mapping[str, str]) -> dict[str, Any]:
    """`waived` is the reason of the waiver that accepts it, or null."""
    return {
        "kind": str(divergence.kind),
        "severity": str(divergence.severity),
        "where": divergence.where,
        "reference": divergence.reference,
        "candidate": divergence.candidate,
        "fingerprint": divergence.fingerprint,
        "waived": waived.get(divergence.fingerprint),
    }


def outcome(observation: Observation | None) -> dict[str, Any] | None:
    """In a few values, what one client did: enough to see what kind of answer it was, not what it said."""
    if observation is None:
        return None
    reported = observation.reported_usage
    return {
        "client": observation.client,
        "path": observation.client,  # the older name of the field above
        "ok": observation.failure is None,
        "deltas": len(observation.deltas),
        "characters": len(observation.text),
        "finish_reason": observation.finish_reasons[-1] if observation.finish_reasons else None,
        "usage": _usage(reported[-1]) if reported else None,
        "requests": len(observation.requests),
        "failure": observation.failure
        and {
            name: getattr(observation.failure, name)
            for name in ("category", "status", "code", "provider_code")
        },
    }


def _usage(usage: Usage) -> dict[str, Any]:
    return {**totals(usage), **({"details": dict(usage.details)} if usage.details else {})}
