"""Every command that a result tells people to type can be typed, for a provider that the project has."""

from __future__ import annotations

import html
import itertools
import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path

from llm_contracts.cli import group, run
from llm_contracts.wire.cassette import save
from tests.fixtures import Capsys
from tests.harness.run.projects import cassette, stream
from tests.written_commands import problem

PROVIDERS = {"acme", "zenith"}


def advised(file: Path) -> Iterator[str]:
    """What the verdicts of a stored result name to be run next; each is held to be possible."""
    for verdict in json.loads(file.read_text())["verdicts"].values():
        for line in verdict["next"]:
            assert problem(line, group) is None
            words = shlex.split(line)
            named = [value for option, value in itertools.pairwise(words) if option == "--provider"]
            assert set(named) <= PROVIDERS, line
            yield line


def corpus_of(root: Path, provider: str) -> Path:
    folder = root / "foreign {x}"
    folder.mkdir()
    (folder / "body").write_bytes(stream(("hel", "lo")).body)
    row = {"id": "one", "provider": provider, "file": "body", "status": 200}
    (folder / "index.jsonl").write_text(json.dumps(row))
    return folder


def test_what_a_check_advises(project: Path) -> None:
    """Of rehearsed, unreadable, missing and differing recordings."""
    result = project / "report" / "result.json"
    run(["check"])
    rehearsed = set(advised(result))
    (project / "cassettes/acme/other.yaml").write_text("version: 2\n")
    (project / "cassettes/zenith/plain-stream.yaml").unlink()
    run(["check", "--candidate", "shouting"])
    blocked = set(advised(result))
    assert "llm-contracts record --provider acme --missing" in rehearsed
    assert "llm-contracts cassettes" in blocked
    assert "llm-contracts review" in blocked


def test_a_corpus_of_ones_own_provider_can_be_recorded(project: Path) -> None:
    assert run(["corpus", str(corpus_of(project, "acme"))]) == 0
    lines = set(advised(project / "report" / "corpus" / "result.json"))
    assert "llm-contracts record --provider acme --missing" in lines


def test_nobody_is_told_to_record_somebody_elses_gateway(project: Path, capsys: Capsys) -> None:
    assert run(["corpus", str(corpus_of(project, "gateway.example"))]) == 0
    assert list(advised(project / "report" / "corpus" / "result.json")) == []
    assert "next:" not in capsys.readouterr().out


def test_what_differs_in_a_corpus_is_reviewed_where_it_is_stored(project: Path) -> None:
    folder = str(corpus_of(project, "gateway.example"))
    assert run(["corpus", folder, "--candidate", "shouting"]) == 1
    assert list(advised(project / "report" / "corpus" / "result.json")) == [
        "llm-contracts review --report report/corpus"
    ]
    assert run(["corpus", folder, "--candidate", "shouting", "--report", "k {0}"]) == 1
    assert list(advised(project / "k {0}" / "result.json")) == ["llm-contracts review --report 'k {0}'"]


WRITTEN = re.compile(r"llm-contracts [a-z-]+(?: (?!&&|\()[^\s`\"<]+)*")
PLACEHOLDER = re.compile(r"\b[A-Z]{2,}\b|…")
PROGRAM = re.compile(r"<script.*?</script>", re.DOTALL)
STOPS = ("No key is set", "There is no terminal here", "is about run 0", "Missing argument")
"""Why an advice goes no further here: what is left to do is a person's, or it only names a command."""


def test_every_advice_that_is_printed_can_be_followed(project: Path, capsys: Capsys) -> None:
    """By `next:`, in sentences, by doctor, on the page and in the views for CI: each is run."""
    corpus_of(project, "acme")
    (project / "decisions.json").write_text('{"format": 1, "run": "0", "decisions": []}')
    said = [output_of(capsys, line) for line in WHERE_ALL_CAN_BE_READ]
    save(project / "cassettes/acme/unowned.yaml", cassette("acme/other"))
    (project / "cassettes/acme/other.yaml").write_text("version: 2\n")
    (project / "cassettes/zenith/plain-stream.yaml").unlink()
    said += [output_of(capsys, line) for line in WHERE_SOMETHING_IS_MISSING]
    written = {line.rstrip(".,:;") for line in WRITTEN.findall("\n".join(said))}
    advice = sorted(line for line in written if not PLACEHOLDER.search(line))
    assert len(advice) >= 12, advice
    refused = {}
    for line in advice:
        code = run(shlex.split(line)[1:])
        err = capsys.readouterr().err
        if code == 2 and not any(stop in err for stop in STOPS):
            refused[line] = err
    assert refused == {}


WHERE_ALL_CAN_BE_READ = (
    *(
        "review list",
        "verdict",
        "report",
        "doctor",
        "check",
        "verdict",
        "check --candidate shouting",
        "verdict",
    ),
    *("check --scenario plain-stream", "review", "verdict --provider acme", "record", "record --dry-run"),
    *("report --html -", "report --markdown -", "report --comment -", "corpus 'foreign {x}'"),
)
WHERE_SOMETHING_IS_MISSING = ("doctor", "verdict", "check", "cassettes", "review list", "verdict")


def output_of(capsys: Capsys, line: str) -> str:
    run(shlex.split(line))
    return html.unescape(PROGRAM.sub("", "\n".join(capsys.readouterr())))
