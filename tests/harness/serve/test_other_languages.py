"""Applications in other languages are given nothing but a base URL: curl, Node's own fetch, Node's openai."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from llm_contracts.wire.interaction import Interaction
from tests.harness.serve.conftest import QUESTION, RETRIED, Server, Serving, answer, index, recording

NODE, NPM, CURL = (shutil.which(name) for name in ("node", "npm", "curl"))
TEXTS = ("你好", "，", "Zürich 👩‍🚀")


@pytest.fixture
def serving(running: Serving) -> Iterator[Server]:
    with running(index(recording("plain", answer(*TEXTS)), RETRIED)) as server:
        yield server


def said(command: Sequence[str | None], folder: Path, **variables: str) -> str:
    """What a program prints."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run(
        [str(part) for part in command],
        capture_output=True,
        cwd=folder,
        env=kept | variables,
        timeout=120,
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    return done.stdout.decode()


@pytest.mark.skipif(CURL is None, reason="needs curl")
def test_curl_gets_the_recorded_bytes(serving: Server, tmp_path: Path) -> None:
    url = f"{serving.session.origin}/openai/v1/chat/completions"
    assert (
        said([CURL, "-sSN", url, "-d", QUESTION.decode()], tmp_path) == answer(*TEXTS).response.body.decode()
    )
    status = said([CURL, "-sS", "-o", "answer.json", "-w", "%{http_code}", url, "-d", "{}"], tmp_path)
    assert status == "599"
    assert json.loads((tmp_path / "answer.json").read_text())["nearest"]["scenario"] == "openai/plain"


_FETCH = """
const answer = await fetch(process.env.BASE_URL + "/chat/completions", {
  method: "POST",
  headers: { authorization: "Bearer none", "content-type": "application/json" },
  body: JSON.stringify(JSON.parse(process.env.QUESTION)),
});
const decoder = new TextDecoder();
let text = "", rest = "";
for await (const piece of answer.body) {
  rest += decoder.decode(piece, { stream: true });
  const lines = rest.split("\\n");
  rest = lines.pop();
  for (const line of lines) {
    if (line.startsWith("data: {")) text += JSON.parse(line.slice(6)).choices[0].delta.content ?? "";
  }
}
console.log(JSON.stringify({ status: answer.status, text }));
"""


@pytest.mark.skipif(NODE is None, reason="needs node")
def test_node_s_own_fetch_reads_the_stream(serving: Server, tmp_path: Path) -> None:
    (tmp_path / "app.mjs").write_text(_FETCH)
    base = f"{serving.session.origin}/run/node/openai/v1"
    printed = said([NODE, "app.mjs"], tmp_path, BASE_URL=base, QUESTION=QUESTION.decode())
    assert json.loads(printed) == {"status": 200, "text": "".join(TEXTS)}
    assert [(entry.run, entry.scenario) for entry in serving.entries] == [("node", "plain")]


_OPENAI = """
import OpenAI from "openai";
const ask = async (baseURL, extra = {}) => {
  const client = new OpenAI({ baseURL, apiKey: "none", maxRetries: 2 });
  const deltas = [];
  try {
    const { stream, ...question } = { ...JSON.parse(process.env.QUESTION), ...extra };
    for await (const chunk of await client.chat.completions.create({ ...question, stream: true })) {
      if (chunk.choices[0].delta.content) deltas.push(chunk.choices[0].delta.content);
    }
  } catch (error) {
    return { status: error.status, code: error.code };
  }
  return { deltas };
};
const origin = process.env.ORIGIN;
console.log(JSON.stringify([
  await ask(origin + "/openai/v1"),
  await ask(origin + "/run/a/scenario/retried/openai/v1"),
  await ask(origin + "/openai/v1", { temperature: 1 }),
]));
"""


@pytest.fixture(scope="session")
def node_project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which Node finds the openai package; the only thing here that needs a network."""
    if not os.environ.get("WITH_NPM"):
        pytest.skip("fetches the openai package from npm; runs with WITH_NPM=1")
    if NODE is None or NPM is None:
        pytest.skip("needs node and npm")
    folder = tmp_path_factory.mktemp("node")
    (folder / "package.json").write_text('{"type": "module", "private": true}')
    command = [NPM, "install", "--silent", "--no-audit", "--no-fund", "--ignore-scripts", "openai"]
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, timeout=90, check=False)
    except subprocess.TimeoutExpired:
        pytest.skip("needs npm's openai package, and the registry did not answer in time")
    if done.returncode:
        pytest.skip("needs npm's openai package, and it could not be installed")
    return folder


def test_node_s_openai_package_streams_tries_again_and_is_told_what_differs(
    running: Serving, node_project: Path
) -> None:
    (node_project / "app.mjs").write_text(_OPENAI)
    asked = json.dumps({**json.loads(QUESTION), "stream": True}).encode()
    retried = [_asking(asked, exchange) for exchange in RETRIED.interactions]
    recordings = (recording("plain", answer(*TEXTS, body=asked)), recording("retried", *retried, usual=False))
    with running(index(*recordings)) as server:
        printed = said([NODE, "app.mjs"], node_project, ORIGIN=server.session.origin, QUESTION=asked.decode())
    assert json.loads(printed) == [
        {"deltas": list(TEXTS)},
        {"deltas": ["at last"]},
        {"status": 599, "code": "nothing_recorded"},
    ]
    assert [entry.status for entry in server.entries] == [200, 429, 200, 599]


def _asking(body: bytes, exchange: Interaction) -> Interaction:
    return replace(exchange, request=replace(exchange.request, body=body))
