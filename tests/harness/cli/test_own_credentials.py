"""A client's own credentials are in no output of a check, nor in a view of its result."""

from __future__ import annotations

from pathlib import Path

import pytest

from llm_contracts.cli import run
from tests.harness.run.projects import make_project

TOKEN = "hvs.made-up-" + "0123456789abcdef"
VAULT = f'''

def vault(call):
    """Sends a token of its own, and says it in its request, its answer, its error and its output."""
    messages = [{{"role": "user", "content": "{TOKEN}"}}]
    body = json.dumps({{"model": call.model, "messages": messages}}).encode()
    headers = {{"X-Vault-Token": "{TOKEN}", "Content-Type": "application/json"}}
    request = urllib.request.Request(f"{{call.base_url}}/chat/completions", body, headers)
    with urllib.request.urlopen(request, timeout=60) as response:
        response.readline()  # to read on would be to wait: the edge holds back what follows text
    print("I am {TOKEN}")
    yield "{TOKEN}"
    raise RuntimeError("no answer for {TOKEN}")


CLIENTS["vault"] = vault
'''


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    root = make_project(tmp_path, "acme/plain-stream")
    clients = root / "contracts" / "clients.py"
    clients.write_text(clients.read_text() + VAULT)
    return root


def test_a_token_of_a_clients_own_is_in_no_output(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["check", "--candidate", "vault", "--provider", "acme"]) == 1
    terminal = capsys.readouterr()
    run(["check", "--candidate", "vault", "--provider", "acme", "--json", "-"])
    document = capsys.readouterr()
    views = ["--junit", "out/junit.xml", "--markdown", "out/s.md", "--html", "out/page.html"]
    assert run(["report", *views, "--annotations"]) == 0
    annotations = capsys.readouterr()
    shown = [each for said in (terminal, document, annotations) for each in (said.out, said.err)]
    files = [file.read_text() for folder in ("report", "out") for file in (project / folder).iterdir()]
    assert len(files) >= 5
    assert not [text for text in (*shown, *files) if "hvs.made-up" in text]
    mask = "*" * len(TOKEN)
    assert all(mask in text for text in (terminal.out, document.out, annotations.out))
    assert all(mask in text for text in files if "junit" in text or "items" in text)


def test_a_sweep_masks_it_too(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    chosen = ["--scenario", "acme/plain-stream", "--sweep", "ends", "--json", "-"]
    run(["check", "--candidate", "vault", *chosen])
    said = capsys.readouterr().out
    assert "*" * len(TOKEN) in said
    assert "hvs.made-up" not in said
