"""Results to render: small, made up, and shared by the tests of the views."""

from __future__ import annotations

from typing import Any

from llm_contracts.clients.observation import Chunk, Failure, Observation, Usage
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.parity.result import Item, Readiness, Reason, Result, Verdict
from llm_contracts.wire.interaction import Request


def divergence(kind: Kind, where: str = "usage.total_tokens", **values: Any) -> Divergence:
    reference = values.get("reference")
    candidate = values.get("candidate", 7)
    return Divergence(
        kind=kind, where=where, reference=reference, candidate=candidate, fingerprint=f"{kind}-{where}"
    )


def verdict(answer: Readiness, *reasons: str | tuple[int, str, str], next: tuple[str, ...] = ()) -> Verdict:  # noqa: A002 - as the field
    """A verdict; a reason is a sentence, or a number, what is counted, and the rest of the sentence."""
    because = [
        Reason(answer=answer, sentence=each)
        if isinstance(each, str)
        else Reason(answer=answer, sentence=f"{each[0]} {each[1]}{each[2]}", what=each[1], number=each[0])
        for each in reasons
    ]
    return Verdict(answer=answer, because=tuple(because), next=next)


def observation(*texts: str, client: str = "left", **fields: Any) -> Observation:
    request = Request(
        method="POST",
        uri="https://api.example.com/v1/chat/completions",
        body=b'{"model":"gpt-4o","stream":true}',
    )
    last = Chunk(
        finish_reason="stop", usage=Usage(prompt_tokens=3, completion_tokens=len(texts), total_tokens=None)
    )
    chunks = (*(Chunk(text=text, id="chatcmpl-9xYz") for text in texts), last)
    return Observation(**{"client": client, "requests": (request,), "chunks": chunks, **fields})


def item(name: str = "openai/plain-stream", **fields: Any) -> Item:
    provider, _, scenario = name.partition("/")
    values: dict[str, Any] = {
        "provider": provider,
        "scenario": scenario,
        "reference": observation("你好", "，世界"),
        "candidate": observation("你好", "，世界", client="right"),
        "provenance": "simulated",
    }
    return Item(**{"id": name, **values, **fields})


def failed(category: str = "rate_limit", status: int = 429) -> Observation:
    failure = Failure(category=category, message="slow down", status=status, code="server.llm.requestFailed")
    return observation(chunks=(), failure=failure)


def result(*items: Item, **fields: Any) -> Result:
    return Result(
        **{
            "reference": "adapter-legacy",
            "candidate": "adapter-litellm",
            "engine": "wire",
            "versions": {"python": "3.11.9", "litellm": "1.105.0", "openai": "2.54.0"},
            "items": items,
            **fields,
        }
    )


INVENTED = divergence(Kind.USAGE_INVENTED)
BODY = divergence(Kind.REQUEST_BODY, "stream_options", reference=None, candidate={"include_usage": True})


def mixed() -> Result:
    """One of everything that a result can hold."""
    return result(
        item(),
        item("openai/no-usage", divergences=(INVENTED, divergence(Kind.TEXT, "text", reference="a"))),
        item("openai/chat", divergences=(BODY,), waived={BODY.fingerprint: "the legacy call never asked"}),
        item("deepseek/plain-stream", noise=(divergence(Kind.DELTAS, "delta[17]", reference="x"),)),
        item(
            "deepseek/no-usage",
            reference=None,
            candidate=None,
            problem="cassettes/deepseek/no-usage.yaml: interactions[0].response.body: is missing.",
        ),
        missing=("deepseek/chat",),
        verdicts={
            "openai": verdict(Readiness.BLOCKED, "1 of 3 scenarios differs: no-usage."),
            "deepseek": verdict(Readiness.NO_EVIDENCE, "chat has no recording."),
        },
        complaints=("waivers.toml: waiver 2 matches nothing: delete it.",),
        warnings=("cassettes/openai/old.yaml belongs to no scenario.",),
    )
