"""A run to make pages of: one recording of each sort, and one that tries to break out of the page."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from llm_contracts.clients.observation import Chunk, Failure, Observation, Usage
from llm_contracts.parity.compare.finding import ABSENT
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.parity.result import Item, Readiness, Result
from llm_contracts.reporting.html.page import render
from llm_contracts.reporting.run_context import RunContext
from llm_contracts.wire.interaction import End, Interaction, Piece, Request, Response
from tests.harness.reporting.samples import verdict

HOSTILE = (
    "</script><script>window.broken = 1</script><!-- <img src=x onerror='window.broken = 1'> "
    '"><svg onload=window.broken=1> javascript:window.broken=1 {{ 7 * 7 }} ]]> '
    "\u202egnirts\u2066 \x00 \ud83d \u2028 &amp; `${window.broken = 1}`"
)
"""What a model or a provider might say, and a page must not do."""

REQUEST = Request(
    method="POST",
    uri="https://api.example.com/v1/chat/completions",
    headers=(("Authorization", "Bearer replay-key"), ("X-Title", "demo")),
    body=b'{"model":"m","stream":true}',
)
ABOUT = RunContext(run="0123456789abcdef", checked_at="2026-11-22T12:00:00+00:00")


def event(delta: Mapping[str, Any], **more: Any) -> str:
    return json.dumps({"id": "c-1", "model": "m", "choices": [{"index": 0, "delta": delta}], **more})


def answered(datas: Sequence[str], *, every_ms: float | None = 10.0) -> Interaction:
    parts = [f"data: {data}\n\n".encode("utf-8", "surrogatepass") for data in datas]
    pieces = None
    if every_ms is not None:
        pieces = tuple(Piece(size=len(part), at_ms=n * every_ms) for n, part in enumerate(parts, 1))
    response = Response(
        status=200,
        headers=(("content-type", "text/event-stream"),),
        body=b"".join(parts),
        pieces=pieces,
        end=End.COMPLETE,
    )
    return Interaction(request=REQUEST, response=response)


def said(
    *pieces: str, client: str = "old", usage: Usage | None = None, named: str = "", **more: Any
) -> Observation:
    chunks = [Chunk(text=piece, id="c-1", model="m", position=n) for n, piece in enumerate(pieces, 1)]
    end, at = named or None, len(pieces) + 1
    chunks.append(Chunk(finish_reason="stop", usage=usage, position=at, id=end, model=end))
    given = {"client": client, "requests": (REQUEST,), "chunks": tuple(chunks), "duration_ms": 5.0, **more}
    return Observation(**given)


def found(kind: Kind, where: str, reference: Any, candidate: Any, scope: str) -> Divergence:
    return Divergence(
        kind=kind,
        where=where,
        reference=reference,
        candidate=candidate,
        fingerprint=hashlib.sha256(repr((scope, kind, where)).encode()).hexdigest()[:12],
    )


WORDS = tuple(f"word{n} " for n in range(30))
STREAM = answered(
    [*(event({"content": word}) for word in WORDS), event({}, usage={"prompt_tokens": 3}), "[DONE]"]
)
TOTALS = Usage(prompt_tokens=3, completion_tokens=30, total_tokens=33)


def item(name: str, *divergences: Divergence, **fields: Any) -> Item:
    provider, _, scenario = name.partition("/")
    values: dict[str, Any] = {
        "provenance": "live",
        "reference": said(*WORDS, usage=TOTALS),
        "candidate": said(*WORDS, client="new", usage=TOTALS),
        "exchanges": (STREAM,),
    }
    return Item(
        **{"id": name, "provider": provider, "scenario": scenario, **values, **fields},
        divergences=divergences,
    )


def changed_word() -> Item:
    name = "acme/changed"
    words = [*WORDS[:20], "other ", *WORDS[21:]]
    return item(
        name,
        found(Kind.TEXT, "content[20]", "word20 ", "other ", name),
        found(Kind.USAGE_MISSING, "usage", {"total_tokens": 33}, ABSENT, name),
        candidate=said(*words, client="new"),
    )


def hostile() -> Item:
    name = "evil/hostile"
    stream = answered([event({"content": HOSTILE}), HOSTILE])
    failure = Failure(category=HOSTILE, message=HOSTILE, status=500, code=HOSTILE)
    request = Request(
        method="POST", uri=f"https://x/{HOSTILE}", headers=((HOSTILE, HOSTILE),), body=b"\xff\xfe</script>"
    )
    return item(
        name,
        found(Kind.TEXT, HOSTILE, HOSTILE, "x" * 300_000, name),
        reference=said(HOSTILE, client=HOSTILE, requests=(request,), generations=({HOSTILE: HOSTILE},)),
        candidate=said("x" * 300_000, client="new", failure=failure, generations=({"usage": float("nan")},)),
        exchanges=(stream,),
        noise=(found(Kind.DELTAS, HOSTILE, HOSTILE, None, name),),
    )


def whole_run() -> Result:
    """Everything at once."""
    accepted = found(Kind.REQUEST_BODY, "body.stream", None, True, "acme/accepted")  # noqa: FBT003 - a JSON value
    return Result(
        reference="old",
        candidate="new",
        engine="wire",
        versions={"python": "3.11.9", "litellm": "1.105.0"},
        items=(
            item("acme/agrees"),
            changed_word(),
            item("acme/accepted", accepted, waived={accepted.fingerprint: "as agreed in May"}),
            item(
                "zenith/changed",
                found(Kind.MODEL_NAME, "model", "m", "n", "zenith/changed"),
                reference=said(*WORDS, usage=TOTALS, named="older"),
                candidate=said(*WORDS, client="new", usage=TOTALS, named="newer"),
            ),
            item("zenith/broken", reference=None, candidate=None, exchanges=(), problem="broken.yaml: cut"),
            hostile(),
        ),
        missing=("zenith/agrees",),
        verdicts={
            "acme": verdict(Readiness.BLOCKED, "1 breaking difference.", HOSTILE),
            "zenith": verdict(Readiness.READY),
        },
        warnings=(HOSTILE,),
    )


def write(file: Path, result: Result, about: RunContext = ABOUT) -> Path:
    """The page of a run, as a file."""
    items = {each.id: each for each in result.items}
    with file.open("w", encoding="utf-8") as out:
        out.writelines(render(result, about, items.__getitem__))
    return file
