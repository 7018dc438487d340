"""What `check` leaves behind, as the commands after it find it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from llm_contracts.cli import run
from llm_contracts.results.store import Stored


def test_what_both_paths_did_is_kept_in_full_beside_the_result(project: Path) -> None:
    run(["check"])
    stored = Stored.load(project / "report")
    assert stored is not None
    items = [stored.item(item.id) for item in stored.result.items]
    assert [item.id for item in items] == [row["id"] for row in stored.document["items"]]
    assert all(item.reference and item.candidate and item.exchanges for item in items)
    assert not list((project / "report").glob("*part*"))


def test_a_part_is_kept_only_where_the_caller_says_and_another_folder_leaves_the_projects_own(
    project: Path,
) -> None:
    run(["check", "--scenario", "plain-stream", "--report", "elsewhere"])
    stored = Stored.load(project / "elsewhere")
    assert stored is not None
    assert {stored.item(item.id).scenario for item in stored.result.items} == {"plain-stream"}
    assert not (project / "report").exists()


def test_a_key_that_a_path_hands_on_is_in_no_file(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It comes out of the path, not of a recording, and differs nowhere: only the items hold it."""
    monkeypatch.setenv("ACME_API_KEY", "hello there, key")
    code = 'CLIENTS["leaky"] = lambda call: ["hello there, key"]\n'
    paths = project / "contracts" / "clients.py"
    code += 'CLIENTS["leaking"] = lambda call: ("hello there, key",)\n'
    paths.write_text(paths.read_text() + code)
    assert run(["check", "--reference", "leaky", "--candidate", "leaking"]) == 4
    kept = [file.read_bytes() for file in (project / "report").iterdir()]
    assert not [data for data in kept if b"hello there" in data]


def test_a_corpus_is_kept_where_the_caller_says(project: Path) -> None:
    """Nothing else runs a corpus again for a report: it may take an hour."""
    from tests.harness.run.projects import stream

    body = stream(["hel", "lo"]).body
    (project / "streams").mkdir()
    (project / "streams" / "0.sse").write_bytes(body)
    row = {
        "id": "s0",
        "provider": "acme",
        "file": "0.sse",
        "status": 200,
        "content_type": "text/event-stream",
    }
    (project / "streams" / "index.jsonl").write_text(json.dumps({**row, "url": None, "request": None}))
    assert run(["corpus", "streams", "--report", "kept"]) == 0
    stored = Stored.load(project / "kept")
    assert stored is not None
    assert stored.item("s0").exchanges[0].response.body == body
    assert run(["report", "--report", "kept"]) == 0


def test_where_a_result_is_stored_elsewhere_its_commands_are_about_that(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    review = "llm-contracts review --report 'else where'"
    run(["check", "--candidate", "shouting", "--report", "else where"])
    said = capsys.readouterr().out
    assert review in said
    assert "--reference plain --candidate shouting --report 'else where'" in said
    run(["verdict", "--report", "else where"])
    assert review in capsys.readouterr().out
