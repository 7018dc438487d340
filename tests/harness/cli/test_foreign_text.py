"""Names, messages and texts from outside never act on a terminal, nor on a CI service that reads the log."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from rich.table import Table
from rich.text import Text

from llm_contracts.cli import run
from llm_contracts.util.terminal import echo, inert, one_line, terminal_console
from llm_contracts.wire.cassette import save
from tests.harness.run.projects import cassette, stream

ACTING = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u2028\u2029\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069]")
HOSTILE = (
    "a\x1b[2J\x9b31m\u202eb\r\n::error file=x::owned [bold]red[/bold] ##[error]c ##vso[task]d ##teamcity[e]"
)


def assert_inert(shown: str) -> None:
    assert not ACTING.search(shown), ascii(shown)
    assert not re.search(r"^\s*::\w", shown, re.MULTILINE), shown
    assert "##[" not in shown
    assert "##vso[" not in shown
    assert "##teamcity[" not in shown


def finished(capsys: pytest.CaptureFixture[str], line: Sequence[str]) -> tuple[int, str]:
    code = run(list(line))
    out, err = capsys.readouterr()
    return code, out + err


def hostile_corpus(root: Path) -> Path:
    folder = root / "foreign"
    folder.mkdir()
    (folder / "body").write_bytes(stream(("hel", "lo")).body)
    request = {"model": "m", "messages": [{"role": "user", "content": "hello"}], "stream": True}
    good = {"id": HOSTILE, "provider": "acme", "file": "body", "status": 200, "request": request}
    rows = [good, {**good, "id": "gone", "file": HOSTILE}, {**good, "status": HOSTILE}]
    rows.append({**good, "id": "odd", "provider": HOSTILE})
    (folder / "index.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    return folder


def test_what_acts_is_shown_as_a_sign_and_the_rest_stays() -> None:
    assert (
        inert(HOSTILE)
        == "a?[2J?31m?b?\n: error file=x::owned [bold]red[/bold] # [error]c # vso[task]d # teamcity[e]"
    )
    assert inert("é 漢字 👩‍💻\tok ## x C++::y") == "é 漢字 👩‍💻\tok ## x C++::y"


def test_a_name_is_one_line() -> None:
    assert one_line("a\x1b\n\u202eb 漢") == r"a\x1b\n\u202eb 漢"


def test_a_console_shows_no_markup_and_only_its_own_styles(capsys: pytest.CaptureFixture[str]) -> None:
    console = terminal_console(width=200)
    table = Table(HOSTILE)
    table.add_row(Text(HOSTILE))
    for thing in (HOSTILE, Text(HOSTILE), table):
        console.print(thing)
    echo(HOSTILE, err=True)
    out, err = capsys.readouterr()
    assert_inert(out + err)
    assert out.count("[bold]red[/bold]") == 4


def test_check_shows_what_a_candidate_raises_and_a_reason_says(
    project: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    clients = project / "contracts" / "clients.py"
    raising = f"\n\ndef odd(call):\n    raise ValueError({HOSTILE!r})\n    yield\n\n\nCLIENTS['odd'] = odd\n"
    clients.write_text(clients.read_text() + raising)
    (project / "contracts" / "waivers.toml").write_text(
        f'[[waiver]]\nkind = "text"\nprovider = "zenith"\nscenario = "*"\nreason = {json.dumps(HOSTILE)}\n'
        f"by = {json.dumps(HOSTILE)}\nuntil = 2027-01-31\n"
    )
    code, shown = finished(capsys, ["check", "--candidate", "odd"])
    assert code == 1
    assert "ValueError" in shown
    assert_inert(shown)


@pytest.mark.parametrize("line", [["corpus", "foreign"], ["import", "foreign", "--provider", "acme"]])
def test_a_foreign_corpus(project: Path, capsys: pytest.CaptureFixture[str], line: list[str]) -> None:
    hostile_corpus(project)
    _, shown = finished(capsys, line)
    assert "owned" in shown
    assert_inert(shown)


def test_ids_of_a_foreign_corpus_are_one_line_in_the_result(project: Path) -> None:
    hostile_corpus(project)
    run(["corpus", "foreign"])
    document = json.loads((project / "report" / "corpus" / "result.json").read_text())
    assert document["items"][0]["id"] == one_line(HOSTILE)


def test_cassettes_and_doctor_name_files(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    name = HOSTILE.replace("/", "|")
    (project / "cassettes" / "acme" / f"{name}.yaml").write_text(f"version: {json.dumps(HOSTILE)}\n")
    for line in ("cassettes", "doctor"):
        code, shown = finished(capsys, [line])
        assert code == 3
        assert "owned" in shown
        assert_inert(shown)


def test_a_file_of_decisions(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    run(["check", "--candidate", "shouting"])
    capsys.readouterr()
    stored = json.loads((project / "report" / "result.json").read_text())
    rows = [{"choice": "fix", "fingerprints": [HOSTILE], "group": HOSTILE, "note": HOSTILE}]
    file = project / "decisions.json"
    for document in (
        {"format": 1, "run": HOSTILE, "decisions": rows},
        {"format": 1, "run": stored["run"], "decisions": rows},
        {"format": 1, "run": stored["run"], "decisions": HOSTILE},
    ):
        file.write_text(json.dumps(document))
        code, shown = finished(capsys, ["review", "apply", "decisions.json"])
        assert code == 3
        assert_inert(shown)


@pytest.mark.parametrize("jobs", ["1", "2"])
def test_what_a_client_prints_goes_to_the_report_and_json_stays_json(
    project: Path, capfd: pytest.CaptureFixture[str], jobs: str
) -> None:
    clients = project / "contracts" / "clients.py"
    printing = (
        "\n\nimport os\n\n\ndef loud(call):\n    print('from Python')\n    os.write(1, b'from C')\n"
        "    yield from plain(call)\n\n\nCLIENTS['loud'] = loud\n"
    )
    clients.write_text(clients.read_text() + printing)
    run(["check", "--candidate", "loud", "--jobs", jobs, "--json", "-"])
    document = json.loads(capfd.readouterr().out)
    warning = next(text for text in document["warnings"] if "printed" in text)
    assert "from C" in warning
    printed = [
        divergence["candidate"]
        for item in document["items"]
        for divergence in item["divergences"]
        if divergence["kind"] == "side_effect" and divergence["where"] == "stdout"
    ]
    assert printed
    assert all("from Python" in str(text) for text in printed)


def test_what_the_system_refuses_is_a_sentence(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (project / "blocked").write_text("a file, not a folder")
    code, shown = finished(capsys, ["check", "--json", "blocked/result.json"])
    assert code == 2
    assert "blocked" in shown
    assert "a file stands where a folder is needed" in shown
    assert "Errno" not in shown


@pytest.mark.parametrize(
    "line",
    [
        ["{}"],
        ["check", "--{}"],
        ["check", "--jobs", "{}"],
        ["record", "--source", "{}"],
        ["drift", "{}", "{}"],
    ]
    + [
        ["corpus", "{}"],
        ["import", "{}", "--provider", "acme"],
        ["init", "--from", "{}"],
        ["completion", "{}"],
    ]
    + [["check", f"--{of}", "{}"] for of in ("provider", "scenario", "candidate")],
    ids=" ".join,
)
def test_what_was_typed(project: Path, capsys: pytest.CaptureFixture[str], line: list[str]) -> None:
    code, shown = finished(capsys, [word.format(HOSTILE.replace("[bold]", "")) for word in line])
    assert code == 2
    assert "error file" in shown
    assert_inert(shown)


def test_a_recording_in_which_all_is_hostile(project: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Every member of its events, by name and by value; in the terminal, and in each file for CI."""
    delta: dict[str, Any] = {"content": HOSTILE, "reasoning_content": HOSTILE, HOSTILE: HOSTILE}
    delta["tool_calls"] = [{"index": 0, "id": HOSTILE, "function": {"name": HOSTILE, "arguments": HOSTILE}}]
    choices = [{"index": 0, "delta": delta, "finish_reason": HOSTILE}]
    chunk = {
        "id": HOSTILE,
        "model": HOSTILE,
        HOSTILE: HOSTILE,
        "choices": choices,
        "usage": {HOSTILE: HOSTILE},
    }
    body = f"data: {json.dumps(chunk)}\n\ndata: [DONE]\n\n".encode()
    found = cassette("acme/plain-stream")
    (exchange,) = found.interactions
    response = replace(exchange.response, body=body, pieces=None)
    save(
        project / "cassettes" / "acme" / "plain-stream.yaml",
        replace(found, interactions=(replace(exchange, response=response),)),
    )
    files = ["--junit", "o/j.xml", "--markdown", "o/m.md", "--comment", "o/c.md", "--html", "o/p.html"]
    for line in (["check", "--candidate", "shouting"], ["verdict"], ["review", "list"], ["report", *files]):
        _, shown = finished(capsys, line)
        assert_inert(shown)
    _, shown = finished(capsys, ["report", "--annotations"])
    assert not ACTING.search(shown)
    assert {row[:2] for row in shown.splitlines()} == {"::"}
    assert "##[" not in shown
    assert not any(ACTING.search(file.read_text()) for file in (project / "o").iterdir())
