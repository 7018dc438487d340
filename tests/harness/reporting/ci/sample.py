"""The result behind `docs/samples`: made up, small, and with one of everything that CI has to show.

`python -m tests.harness.reporting.ci.sample docs/samples` writes the samples again.
"""

from __future__ import annotations

import hashlib
import sys
from collections.abc import Mapping
from datetime import date
from pathlib import Path
from typing import Any

from llm_contracts.parity.compare.finding import ABSENT
from llm_contracts.parity.divergence import Divergence, Kind
from llm_contracts.parity.result import Item, Readiness, Result, Verdict
from llm_contracts.reporting.ci.annotations import FilePosition, notes, workflow_commands
from llm_contracts.reporting.ci.junit import junit
from llm_contracts.reporting.ci.markdown import comment, summary
from llm_contracts.reporting.run_context import RunContext
from tests.harness.reporting.samples import verdict

ABOUT = RunContext(
    run="0123456789abcdef",
    checked_at="2026-11-22T12:00:00+00:00",
    report_url="https://ci.example.org/report/index.html",
    again=("llm-contracts check", "llm-contracts review"),
    fetch="gh run download 1234567890 --repo acme/product --name report-3.11 --dir report",
)

_USAGE = {"prompt_tokens": 31, "completion_tokens": 58, "total_tokens": 89}


def divergence(kind: Kind, where: str, reference: Any, candidate: Any, *, of: str) -> Divergence:
    named = hashlib.sha256(f"{of}|{kind}|{where}".encode()).hexdigest()[:12]
    return Divergence(kind=kind, where=where, reference=reference, candidate=candidate, fingerprint=named)


def item(name: str, *found: tuple[Kind, str, Any, Any], accepted: str = "", **fields: Any) -> Item:
    """An item with these differences, all accepted for one reason or none of them."""
    provider, _, scenario = name.partition("/")
    divergences = tuple(divergence(*each, of=name) for each in found)
    values: dict[str, Any] = {"provenance": "live", "recorded_on": date(2026, 10, 30), **fields}
    waived = {each.fingerprint: accepted for each in divergences} if accepted else {}
    return Item(
        id=name, provider=provider, scenario=scenario, divergences=divergences, waived=waived, **values
    )


def sample() -> Result:
    """What a team might see a week before its first cut-over."""
    lost = (Kind.USAGE_MISSING, "usage", _USAGE, ABSENT)
    never = "The old client never asked for totals here: a defect that is not repeated."
    return Result(
        reference="app:openai_client",
        candidate="app:litellm_client",
        engine="wire",
        versions={"python": "3.11.9", "litellm": "1.105.0", "openai": "2.54.0"},
        items=(
            item("deepseek/plain-stream"),
            item("deepseek/reasoning", lost),
            item("deepseek/tool-calls", lost, (Kind.DELTAS, "delta[3]", "你好，", "你好")),
            item("glm/plain-stream", (Kind.MODEL_NAME, "model", "glm-4-plus-0111", "glm-4-plus")),
            item("glm/rate-limit", (Kind.ATTEMPTS, "requests", 3, 1), provenance="simulated"),
            item("glm/cut-stream", problem="cassettes/glm/cut-stream.yaml: interactions[0]: is cut off."),
            item("openai/plain-stream"),
            item("openai/chat", (Kind.REQUEST_BODY, "body.stream_options", ABSENT, {}), accepted=never),
            item("openai/no-done", (Kind.CHUNK_COUNT, "chunks", 12, 11)),
            item(
                "qwen/plain-stream",
                noise=(divergence(Kind.RESPONSE_ID, "id", "a1", "b2", of="qwen/plain-stream"),),
            ),
        ),
        missing=("qwen/tool-calls", "qwen/reasoning"),
        verdicts=_VERDICTS,
        complaints=("tests/contracts/waivers.toml: waiver 3 lapsed on 2026-11-20: decide again.",),
        warnings=("cassettes/glm/old.yaml: no scenario has this name, so it is not replayed.",),
    )


_REVIEW = "llm-contracts review"
_VERDICTS: Mapping[str, Verdict] = {
    "deepseek": verdict(
        Readiness.BLOCKED,
        "2 breaking differences (usage_missing 2) in deepseek/reasoning, deepseek/tool-calls.",
        "1 visible difference (deltas 1) in deepseek/tool-calls.",
        next=(_REVIEW,),
    ),
    "glm": verdict(
        Readiness.BLOCKED,
        "1 recording cannot be used: glm/cut-stream.",
        "1 breaking difference (attempts 1) in glm/rate-limit.",
        next=("llm-contracts cassettes", _REVIEW),
    ),
    "openai": verdict(Readiness.READY, "2 scenarios agree, 1 differs as accepted."),
    "qwen": verdict(
        Readiness.NO_EVIDENCE,
        "2 scenarios have no cassette: qwen/tool-calls, qwen/reasoning.",
        next=("llm-contracts record --provider qwen --missing", "llm-contracts check --provider qwen"),
    ),
}


def find(name: str, found: Divergence | None) -> FilePosition:
    """As in a repository: a line of the snapshot if there is a difference, else the recording."""
    if found is None:
        return FilePosition(file=f"cassettes/{name}.yaml")
    return FilePosition(file=f"snapshots/{name}.txt", line=42)


def samples() -> dict[str, str]:
    """File name → what it holds."""
    result = sample()
    found = notes(result, find, waivers="tests/contracts/waivers.toml")
    return {
        "junit.xml": junit(result, ABOUT),
        "summary.md": summary(result, ABOUT),
        "comment.md": comment(result, ABOUT),
        "annotations.txt": "".join(f"{line}\n" for line in workflow_commands(found)),
    }


def main(folder: Path) -> None:
    """Write the samples into a folder."""
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in samples().items():
        (folder / name).write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
