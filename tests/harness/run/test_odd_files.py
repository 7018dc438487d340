"""One odd file never ends a command with a traceback: it is named, by exit code 3 or 2, and the rest runs."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.cli import run
from llm_contracts.project.config import load_settings
from llm_contracts.project.load import load_project
from llm_contracts.results.items import whole
from llm_contracts.run.options import Options
from llm_contracts.run.workers.threads import WorkerContext
from tests.harness.run.projects import HOSTS, NAMES, TOML, make_project, stream

URI = f"{HOSTS['acme']}/chat/completions"
ODD = "acme/plain-stream"
DEEP = "[" * 50_000


@pytest.fixture
def root(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(make_project(tmp_path))
    return tmp_path


def problems(file: Path) -> dict[str, Any]:
    return {item["id"]: item["problem"] for item in json.loads(file.read_text())["items"]}


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.replace(URI, "http://[::1/x"),
        lambda text: text.replace(URI, "http://a:99999999/x"),
        lambda text: text.replace(f"uri: {URI}", "uri: 5"),
        lambda text: text.replace(f"uri: {URI}", 'uri: "http://a\\0b/x"'),
        lambda text: text.replace("code: 200", "code: -1"),
        lambda text: f"{text}\nx: {DEEP}",
        lambda text: f"{text}\0",
    ],
)
def test_a_recording_with_an_odd_value_is_named_and_the_others_run(
    root: Path, change: Callable[[str], str], capsys: pytest.CaptureFixture[str]
) -> None:
    file = root / "cassettes" / f"{ODD}.yaml"
    changed = change(file.read_text())
    assert changed != file.read_text()
    file.write_text(changed)
    assert run(["check"]) == 3
    found = problems(root / "report" / "result.json")
    assert f"cassettes/{ODD}.yaml" in found.pop(ODD)
    assert found == {name: None for name in NAMES if name != ODD}
    assert run(["cassettes"]) == 3
    assert f"cassettes/{ODD}.yaml" in capsys.readouterr().err


@pytest.mark.parametrize("kind", ["folder", "loop", "pipe"])
def test_what_stands_in_the_place_of_a_recording_is_named_and_the_others_run(root: Path, kind: str) -> None:
    """Nobody writes into the pipe: who opens it would wait for ever."""
    file = root / "cassettes" / f"{ODD}.yaml"
    file.unlink()
    if kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    else:
        file.symlink_to(file.name)
    assert run(["check"]) == 3
    found = problems(root / "report" / "result.json")
    assert "cannot be read" in found.pop(ODD)
    assert found == {name: None for name in NAMES if name != ODD}
    assert [run(["cassettes"]), run(["doctor"])] == [3, 3]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        (".env", "ACME_API_KEY=a".encode("utf-16")),
        ("pyproject.toml", b"tool = 5"),
        ("pyproject.toml", b"a = " + DEEP.encode()),
        ("pyproject.toml", f'{TOML}cassettes = "a\\u0000b"'.encode()),
        ("contracts/waivers.toml", b"a = " + DEEP.encode()),
        ("contracts/scenarios.py", b"SCENARIOS = 5"),
        ("contracts/clients.py", b"raise SystemExit(0)"),
    ],
)
def test_an_odd_file_of_the_project_is_named(
    root: Path, name: str, data: bytes, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / name).write_bytes(data)
    assert run(["check"]) == 2
    assert str(root / name) in capsys.readouterr().err


@pytest.mark.parametrize(
    "document",
    [
        "5",
        DEEP,
        '{"format": 1, "items": 5, "verdicts": {}, "checked_at": "2026-11-22T12:00:00+00:00"}',
        '{"format": 1, "items": [], "verdicts": {}, "checked_at": 5}',
        '{"format": 1, "items": [], "verdicts": {}, "checked_at": "x", "inputs": 7}',
    ],
)
def test_an_odd_result_is_named(root: Path, document: str, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "report").mkdir()
    (root / "report" / "result.json").write_text(document)
    assert [run(["verdict"]), run(["report"]), run(["review", "list"])] == [3, 3, 3]
    assert len(re.findall(r"result\.json: (?:is not a result|was edited)", capsys.readouterr().err)) == 3


@pytest.mark.parametrize(
    "change",
    [
        {"url": 5},
        {"url": "http://[::1/x"},
        {"file": "a\0.sse"},
        {"file": "."},
        {"status": "x"},
        {"status": {}},
    ],
)
def test_an_odd_row_of_an_index_is_named_and_the_others_run(root: Path, change: dict[str, Any]) -> None:
    folder = root / "streams"
    folder.mkdir()
    (folder / "a.sse").write_bytes(stream(["x"]).body)
    good = {"id": "good", "provider": "acme", "file": "a.sse", "status": 200, "url": URI}
    rows = [{**good, "id": "odd", **change}, {**good, "id": "o\0dd"}, {**good, "request": {"messages": 5}}]
    (folder / "index.jsonl").write_text("\n".join(map(json.dumps, rows)))
    assert run(["corpus", "streams"]) == 3
    found = problems(root / "report" / "corpus" / "result.json")
    assert len(found) == 3
    assert [problem for name, problem in found.items() if "index.jsonl:1" not in name] == [None, None]
    assert run(["import", "streams", "--dry-run"]) == 3


def test_what_fails_on_one_recording_is_its_problem_alone(root: Path) -> None:
    """Whatever it is: nobody has thought of everything that can be odd."""
    project = load_project(load_settings(root))

    def work(_project: object, _match: object) -> Callable[[str], Any]:
        none: dict[str, Any] = {}
        return lambda name: none[name]

    options = Options(today=date(2026, 1, 1))
    context = WorkerContext(settings=project.settings, options=options, work=work, pack=whole)
    with context.opened(project) as execute:
        item = execute(ODD).item
    assert (item.id, item.provider, item.scenario) == (ODD, "acme", "plain-stream")
    assert item.problem is not None
    assert item.problem.startswith(f"{ODD}: could not be compared: KeyError: '{ODD}' (test_odd_files.py:")


def test_without_any_recording_nothing_is_agreed(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (root / "cassettes").rename(root / "elsewhere")
    for command in (["check"], ["check", "--sweep", "ends"], ["cassettes"], ["doctor"]):
        assert run(command) == 3, command
        out, err = capsys.readouterr()
        said = " ".join((out + err).split())
        assert "there is no recording of acme/plain-stream, acme/other, zenith/plain-stream" in said, command
        assert "llm-contracts record --missing" in said


def test_what_was_asked_for_by_name_must_have_a_recording(
    root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (root / "cassettes" / "zenith" / "plain-stream.yaml").unlink()
    assert run(["check", "--provider", "acme", "--provider", "zenith"]) == 3
    assert "there is no recording of zenith/plain-stream" in " ".join(capsys.readouterr().out.split())
    assert run(["check", "--scenario", "zenith/plain-stream"]) == 3
    assert run(["check"]) == 0  # the verdict says what is missing for a GO
    assert run(["check", "--scenario", "plain-stream"]) == 0
