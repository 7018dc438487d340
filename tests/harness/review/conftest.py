"""A small project in which the candidate differs in every way that a review has to tell apart."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from llm_contracts.cli import run
from llm_contracts.wire.cassette import save
from tests.harness.run.projects import TOML, cassette, make_project

ODD = """

def odd(call):
    for number, chunk in enumerate(plain(call)):
        chunk["model"] = "renamed"
        for choice in chunk["choices"]:
            if call.provider == "acme" and choice["delta"].get("content"):
                choice["delta"]["content"] = choice["delta"]["content"].upper()
        yield chunk
        if number == 0:
            yield {"id": chunk["id"], "model": "renamed", "choices": [{"index": 0, "delta": {}}]}


CLIENTS["odd"] = odd
"""
WAIVERS = """# Ours.  This comment stays.

[[waiver]]   # as people write it
kind     = "chunk_count"
provider = "zenith"
scenario = "*"
reason   = "Nobody sees an empty chunk."
by       = "Ada"
until    = 2027-01-31
"""


@pytest.fixture(scope="session")
def checked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The project with a stored result, to be copied."""
    root = make_project(
        tmp_path_factory.mktemp("checked") / "project",
        toml=TOML.replace('candidate = "same"', 'candidate = "odd"'),
    )
    clients = root / "contracts" / "clients.py"
    clients.write_text(clients.read_text() + ODD)
    (root / "contracts" / "waivers.toml").write_text(WAIVERS)
    save(root / "cassettes/acme/other.yaml", cassette("acme/other", [f"word {n} " for n in range(40)]))
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(root)
        assert run(["check"]) == 1
    return root


@pytest.fixture
def project(checked: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of one's own, as working directory; outside CI, and with nobody's name in git."""
    root = tmp_path / "project"
    shutil.copytree(checked, root)
    monkeypatch.chdir(root)
    for name in ("CI", "ACME_API_KEY", "ZENITH_API_KEY", "NO_COLOR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", "/dev/null")
    monkeypatch.setenv("GIT_CONFIG_NOSYSTEM", "1")
    return root
