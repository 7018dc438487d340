"""Captured from a server that nobody here wrote: aimock, which speaks the APIs of five providers.

npm install --global @copilotkit/aimock
"""

from __future__ import annotations

import json
import shutil
import subprocess
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.capture.anonymise import Anonymiser
from llm_contracts.capture.keeper import Change
from llm_contracts.clients.call import Function
from llm_contracts.parity.result import Readiness
from llm_contracts.project.config import load_settings
from llm_contracts.project.load import load_project
from llm_contracts.run.check import check
from llm_contracts.run.options import Options
from llm_contracts.wire.cassette import load
from tests.harness.capture.traffic import Scene

AIMOCK = shutil.which("llmock")
pytestmark = pytest.mark.skipif(
    AIMOCK is None, reason="needs aimock: npm install --global @copilotkit/aimock"
)

TEXT = "春天的茶园 café"
ANSWERS = {
    "hello": {"content": TEXT},
    "tea": {"toolCalls": [{"name": "get_tea", "arguments": '{"kind": "green"}'}]},
    "fail": {"error": {"message": "Slow down", "type": "rate_limit_error"}, "status": 429},
}


def asks(text: str, **more: Any) -> dict[str, Any]:
    return {"model": "gpt-4o", "messages": [{"role": "user", "content": text}], **more}


CALLS: list[tuple[str, dict[str, Any], int]] = [
    ("/v1/chat/completions", asks("hello", stream=True, stream_options={"include_usage": True}), 200),
    ("/v1/chat/completions", asks("hello"), 200),
    ("/v1/chat/completions", asks("tea", stream=True), 200),
    ("/v1/chat/completions", asks("fail"), 429),
    ("/v1/messages", asks("hello", max_tokens=9, stream=True), 200),
    ("/v1/messages", asks("tea", max_tokens=9), 200),
    ("/v1/responses", {"model": "gpt-4o", "input": "hello", "stream": True}, 200),
    ("/v1/responses", {"model": "gpt-4o", "input": "hello"}, 200),
    ("/v1/embeddings", {"model": "e", "input": "hello"}, 200),
    (
        "/v1beta/models/gemini-2.0-flash:streamGenerateContent?alt=sse",
        {"contents": [{"role": "user", "parts": [{"text": "hello"}]}]},
        200,
    ),
]


@pytest.fixture
def aimock(tmp_path: Path) -> Iterator[str]:
    """Its address."""
    fixtures = [{"match": {"userMessage": word}, "response": answer} for word, answer in ANSWERS.items()]
    file = tmp_path / "fixtures.json"
    file.write_text(json.dumps({"fixtures": fixtures}))
    command = [str(AIMOCK), "--port", "0", "--fixtures", str(file), "--chunk-size", "3"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as server:
        assert server.stdout is not None
        lines = []
        for line in server.stdout:
            lines.append(line)
            if "listening on" in line:
                break
        try:
            assert lines, "it ended at once"
            assert "listening on" in lines[-1], lines
            yield lines[-1].split()[-1]
        finally:
            server.kill()


@pytest.mark.parametrize("change", [tuple, Anonymiser()], ids=["as said", "anonymised"])
def test_calls_of_every_api_pass_become_recordings_and_are_compared(
    tmp_path: Path, aimock: str, change: Change
) -> None:
    scene = Scene(root=tmp_path, answers=[], upstream=aimock, path="", options={"change": change})
    with scene.running() as application:
        statuses = [application.post(path, body)[0] for path, body, _ in CALLS]
    assert statuses == [status for _, _, status in CALLS]
    recordings = scene.recordings()
    assert len(recordings) == len(CALLS)
    bodies = b"".join(load(file).interactions[0].response.body for file in recordings)
    assert (TEXT.encode() in bodies) is (change is tuple)  # answers in one piece
    project = load_project(load_settings(tmp_path))
    assert Counter(row.function for row in project.scenarios) == {
        Function.INVOKE: 4,
        Function.MESSAGES: 2,
        Function.RESPONSES: 2,
        Function.EMBEDDINGS: 1,
        Function.GENERATE_CONTENT: 1,
    }
    options = Options(today=datetime.now(UTC).date(), reference="httpx", candidate="httpx-async", jobs=1)
    result = check(project, project.scenarios, options)
    assert (len(result.items), result.left_out) == (len(CALLS), ())
    verdict = result.verdicts["acme"]
    assert verdict.answer is Readiness.READY, verdict.reasons
