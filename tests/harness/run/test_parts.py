"""Runs in parts, runs that were stopped and go on, runs on a cluster: the result is that of one run."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.cli import run
from llm_contracts.project.config import ConfigError
from llm_contracts.results.document import document_digest
from llm_contracts.results.items import DRAFT, ITEMS, ItemsFile
from llm_contracts.results.store import RESULT, Stored
from llm_contracts.run import merge
from llm_contracts.run.shards import Shard, parse_shard
from tests.harness.run.projects import make_project, stream

pytestmark = pytest.mark.long

COUNT = 12


@pytest.fixture
def corpus(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project with a corpus of two providers, one of its rows unusable; the working directory."""
    root = make_project(tmp_path / "project")
    write_corpus(root / "streams", COUNT)
    monkeypatch.chdir(root)
    return root


def write_corpus(folder: Path, count: int) -> None:
    folder.mkdir()
    rows = []
    for number in range(count):
        (folder / f"{number}.sse").write_bytes(stream([f"text {number} ", "b"]).body)
        host = "api.acme.example" if number % 3 else "api.other.example"
        url = f"https://{host}/v1/chat/completions"
        row = {"id": f"s{number}", "provider": "x", "file": f"{number}.sse", "status": 200, "url": url}
        rows.append(json.dumps(row))
    (folder / "index.jsonl").write_text("\n".join([*rows[:5], '{"id": "broken"}', *rows[5:]]))


def result_in(folder: Path) -> dict[str, Any]:
    """A stored result but for its times and what it says of itself as a part."""
    document = json.loads((folder / RESULT).read_text())
    assert isinstance(document, dict)
    return {
        name: value for name, value in document.items() if name not in ("checked_at", "started_at", "digest")
    }


@pytest.mark.parametrize("command", [["check"], ["corpus", "streams"]])
def test_parts_put_together_are_the_whole(corpus: Path, command: list[str]) -> None:
    home = Path("report") if command == ["check"] else Path("report/corpus")
    whole = run([*command, "--candidate", "shouting"])
    before = result_in(home)
    parts = [home / f"shard-{number}-of-3" for number in (1, 2, 3)]
    for number in (1, 2, 3):
        run([*command, "--candidate", "shouting", "--shard", f"{number}/3"])
    assert sum(len(result_in(part)["items"]) for part in parts) == len(before["items"])
    assert [result_in(part)["verdicts"] for part in parts] == [{}, {}, {}]
    assert run(["report", "--merge", *map(str, reversed(parts))]) == whole
    assert result_in(home) == before
    stored = Stored.load(home)
    assert stored is not None
    assert all(stored.item(item.id).exchanges for item in stored.result.items if item.problem is None)


def test_a_warning_of_one_part_is_one_of_the_whole(corpus: Path) -> None:
    for number in (1, 2):
        run(["corpus", "streams", "--shard", f"{number}/2", "--report", f"part-{number}"])
    file = Path("part-2") / RESULT
    document = json.loads(file.read_text())
    document["warnings"].append("A worker process ended by SIGSEGV.")
    document["digest"] = document_digest(document)  # as if it had been written so
    file.write_text(json.dumps(document))
    run(["report", "--merge", "part-1", "part-2"])
    assert result_in(Path("report/corpus"))["warnings"].count("A worker process ended by SIGSEGV.") == 1


def test_parts_that_make_no_whole_are_refused_by_name(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    for shard in ("1/3", "3/3"):
        run(["check", "--shard", shard, "--report", f"part-{shard[0]}"])
    run(["check", "--shard", "1/3", "--report", "again", "--engine", "vcr"])
    run(["check", "--report", "whole"])
    Path("empty").mkdir()
    capsys.readouterr()
    refused = {
        ("part-1", "part-3"): "1 of 3 parts are missing: 2/3",
        ("part-1", "part-3", "part-1"): "are both part 1/3",
        ("part-3", "again"): "differ in engine (vcr then, wire now)",
        ("part-1", "whole"): "whole/result.json: is not a part of a run",
        ("part-1", "empty"): "empty/result.json: there is no result",
        ("part-1", "nowhere"): "'nowhere' does not exist",
    }
    for folders, message in refused.items():
        assert run(["report", "--merge", *folders]) == 2
        assert message in capsys.readouterr().err


def test_parts_of_other_recordings_are_refused(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["corpus", "streams", "--shard", "1/2"])
    (corpus / "streams" / "3.sse").write_bytes(stream(["something else"]).body)
    run(["corpus", "streams", "--shard", "2/2"])
    capsys.readouterr()
    assert run(["report", "--merge", "report/corpus/shard-1-of-2", "report/corpus/shard-2-of-2"]) == 2
    assert "differ in corpus" in capsys.readouterr().err


def test_parts_give_no_go_for_what_has_changed_since(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    root = make_project(tmp_path, provenance="live")
    monkeypatch.chdir(root)
    for number in (1, 2):
        run(["check", "--shard", f"{number}/2"])
    merging = ["report", "--merge", "report/shard-1-of-2", "report/shard-2-of-2"]
    run(merging)
    assert "GO     ready (2): acme, zenith" in capsys.readouterr().out
    with (root / "contracts" / "clients.py").open("a") as clients:
        clients.write("# changed\n")
    run(merging)
    said = capsys.readouterr().out
    assert "NO-GO  rehearsed (2): acme, zenith" in said
    assert "Since the run began, changed: contracts/clients.py." in said


def test_code_that_only_one_part_has_loaded_makes_no_other_run(tmp_path: Path) -> None:
    def part(**inputs: str) -> Stored:
        return Stored(folder=tmp_path, document={"inputs": inputs, "part": {"plan": {"inputs": {}}}})

    assert merge._other_inputs(part(**{"a.py": "1", "b.py": "1"}), part(**{"a.py": "1", "c.py": "2"})) == ()
    assert merge._other_inputs(part(**{"a.py": "1"}), part(**{"a.py": "2"})) == ("a.py",)
    assert merge._other_inputs(part(**{"a.yaml": "1"}), part()) == ("a.yaml",)


def test_each_name_belongs_to_one_part_wherever_that_is_decided() -> None:
    names = [f"acme/{number}" for number in range(200)]
    owners = [[n for n in range(1, 4) if Shard(number=n, of=3).owns(name)] for name in names]
    assert all(len(own) == 1 for own in owners)
    assert Shard(number=1, of=3).owns("acme/0") is False  # the same on every machine, in every release
    assert {len([own for own in owners if own == [n]]) > 40 for n in (1, 2, 3)} == {True}


@pytest.mark.parametrize("text", ["0/3", "4/3", "3", "1/0", "a/b", "-1/3"])
def test_what_is_no_part_is_refused(text: str) -> None:
    with pytest.raises(ConfigError, match="not a part of a run"):
        parse_shard(text)


def stopped(count: int) -> None:
    """Leave the draft of a run that was stopped when it had finished so many streams."""
    lines = Path("report/corpus", ITEMS).read_bytes().splitlines(keepends=True)
    Path("report/corpus", DRAFT).write_bytes(b"".join(lines[: count + 1]) + lines[count + 1][:50])


def test_a_stopped_run_goes_on_and_gives_what_it_would_have_given(
    corpus: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    run(["corpus", "streams", "--candidate", "shouting"])
    before, lines = result_in(Path("report/corpus")), Path("report/corpus", ITEMS).read_bytes().splitlines()
    stopped(10)
    run(["corpus", "streams", "--candidate", "shouting", "--continue"])
    assert result_in(Path("report/corpus")) == before
    after = Path("report/corpus", ITEMS).read_bytes().splitlines()
    assert after[:11] == lines[:11]  # these were not run again
    assert len(after) == len(lines)


def test_a_run_over_something_else_is_not_continued(corpus: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["corpus", "streams", "--continue"]) == 2
    assert "holds no run that was stopped" in capsys.readouterr().err
    run(["corpus", "streams"])
    stopped(5)
    assert run(["corpus", "streams", "--candidate", "shouting", "--continue"]) == 2
    assert "candidate (same then, shouting now)" in capsys.readouterr().err
    (corpus / "streams" / "7.sse").write_bytes(stream(["other"]).body)
    assert run(["corpus", "streams", "--continue"]) == 2
    assert "changed: corpus (" in capsys.readouterr().err


def test_a_run_that_was_killed_goes_on(corpus: Path) -> None:
    """SIGKILL, in the middle of a run by two processes; what they had finished is not run again."""
    write_corpus(corpus / "many", 300)
    command = [sys.executable, "-m", "llm_contracts", "corpus", "many", "--jobs", "2"]
    draft = Path("report/corpus", DRAFT)
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, start_new_session=True) as running:
        deadline = time.monotonic() + 60
        while (not draft.is_file() or draft.stat().st_size < 100_000) and time.monotonic() < deadline:
            time.sleep(0.01)
        os.killpg(running.pid, signal.SIGKILL)
    finished = set(ItemsFile.read(draft).offsets)
    head = draft.read_bytes()[:50_000]
    assert 1 < len(finished) < 300
    run(["corpus", "many", "--continue"])
    assert len(result_in(Path("report/corpus"))["items"]) == 301
    assert Path("report/corpus", ITEMS).read_bytes()[:50_000] == head


def test_a_cluster_gives_what_one_process_gives_even_when_a_worker_is_lost(corpus: Path) -> None:
    """Two workers of Dask on this machine; the first to see stream 7 is killed."""
    marker = corpus / "died"
    paths = corpus / "contracts" / "clients.py"
    paths.write_text(
        paths.read_text()
        + f"""
import os, pathlib, signal

def deadly(call):
    marker = pathlib.Path({str(marker)!r})
    for chunk in plain(call):
        if "text 7 " in str(chunk) and ARMED and not marker.exists():
            marker.touch()
            os.kill(os.getpid(), signal.SIGKILL)
        yield chunk

ARMED = pathlib.Path({str(corpus)!r}, "armed").exists()
CLIENTS["deadly"] = deadly
"""
    )
    command = ["corpus", "streams", "--candidate", "deadly", "--jobs", "2", "--pieces", "one"]
    run(command)
    before = result_in(Path("report/corpus"))
    (corpus / "armed").touch()
    run([*command, "--cluster", "local"])
    assert marker.exists()
    assert result_in(Path("report/corpus")) == before


def test_a_missing_dask_is_named_with_the_extra_that_brings_it(
    corpus: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "distributed", None)
    assert run(["corpus", "streams", "--cluster", "local"]) == 2
    assert "llm-contracts[cluster]" in capsys.readouterr().err


def test_a_finished_run_is_recognised_and_nothing_is_run_again(corpus: Path) -> None:
    """Whoever was killed after the last stream, or asks once more, gets the result again."""
    run(["corpus", "streams"])
    before = result_in(Path("report/corpus"))
    items = Path("report/corpus", ITEMS).read_bytes().splitlines()
    clients = corpus / "contracts" / "clients.py"
    assert run(["corpus", "streams", "--continue"]) == 3  # for the row that cannot be used
    assert result_in(Path("report/corpus")) == before
    assert Path("report/corpus", ITEMS).read_bytes().splitlines()[1 : len(items)] == items[1:]
    assert not Path("report/corpus", DRAFT).exists()
    clients.write_text(clients.read_text() + "\n")
    assert run(["corpus", "streams", "--continue"]) == 2  # other code would give another result
    assert result_in(Path("report/corpus")) == before


@pytest.mark.parametrize("command", [["check"], ["corpus", "streams"]])
def test_of_two_runs_in_one_folder_the_second_is_refused_and_the_first_unharmed(
    corpus: Path, command: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    home = Path("report") if command == ["check"] else Path("report/corpus")
    slow = [sys.executable, "-m", "llm_contracts", *command, "--candidate", "hanging", "--timeout", "20"]
    with subprocess.Popen(slow, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first:
        deadline = time.monotonic() + 60
        while not (home / DRAFT).is_file() and time.monotonic() < deadline:
            time.sleep(0.01)
        draft = (home / DRAFT).read_bytes()
        assert run(command) == 2
        assert "another run is writing its result there" in capsys.readouterr().err
        assert (home / DRAFT).read_bytes() == draft
        assert not (home / RESULT).exists()
        first.kill()
    run(command)
    assert not (home / DRAFT).exists()
    assert result_in(home)["candidate"] == "same"
