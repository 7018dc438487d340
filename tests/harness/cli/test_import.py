"""`llm-contracts import` and what `corpus` leaves out, as scripts and people see them."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest

from llm_contracts.cli import run
from llm_contracts.corpus import ProblemKind
from tests.fixtures import Capsys
from tests.harness.corpus.hars import entry, har
from tests.harness.corpus.vcr_files import write_json
from tests.harness.importing.test_importing import exchange, write_cassette

_URL = "https://api.acme.example/v1/chat/completions"


@pytest.fixture
def trace(project: Path) -> Path:
    """A browser's file: one stream, three images, one stream without a body's bytes kept whole."""
    images = [
        entry(request_url=f"https://x.example/{number}.png", request_method="GET") for number in range(5)
    ]
    return write_json(project / "trace.har", har(entry(request_url=_URL), *images))


def test_an_import_is_told_line_by_line_with_what_was_left_out_and_what_to_do(
    trace: Path, project: Path, capsys: Capsys
) -> None:
    assert run(["import", "trace.har"]) == 0
    out = capsys.readouterr().out
    assert "imported    acme/imported-trace-0   from trace.har: log.entries[0]" in out
    assert (
        "5 not a call of a model:\n  trace.har: log.entries[1]: is not a call of a model (GET /0.png)." in out
    )
    assert "  and 2 more; --json FILE lists them all" in out
    assert "1 imported, 5 left out." in out
    assert 'imported_scenarios(Path(__file__).parent / "../cassettes")' in out
    assert (project / "cassettes" / "acme" / "imported-trace-0.yaml").is_file()


def test_the_advice_works(trace: Path, project: Path, capsys: Capsys) -> None:
    """What is printed is pasted as it is, and the recording is compared."""
    run(["import", "trace.har"])
    lines = [line.removeprefix("    ") for line in capsys.readouterr().out.splitlines() if line[:4] == "    "]
    with (project / "contracts" / "scenarios.py").open("a") as file:
        file.write("\n".join(lines) + "\n")
    assert run(["check"]) == 0
    assert "4 recordings compared, 4 agree." in capsys.readouterr().out
    assert run(["cassettes"]) == 0


def test_a_row_of_ones_own_name_can_be_pasted_too(project: Path, capsys: Capsys) -> None:
    write_cassette(project / "a.yaml", exchange("x" * 200, stop=["y" * 90, "z" * 90]))
    assert run(["import", "a.yaml", "--scenario", "odd-finish"]) == 0
    out = capsys.readouterr().out
    row = out[out.index("    Scenario(") :]
    with (project / "contracts" / "scenarios.py").open("a") as file:
        file.write(f"from llm_contracts.clients.call import Function\nSCENARIOS = (*SCENARIOS,\n{row})\n")
    assert run(["check"]) == 0
    assert "4 recordings compared, 4 agree." in capsys.readouterr().out


def test_the_json_names_everything(trace: Path, capsys: Capsys) -> None:
    assert run(["import", "trace.har", "--dry-run", "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["imports"] == [
        {
            "scenario": "acme/imported-trace-0",
            "outcome": "imported",
            "stream": "trace#0",
            "place": "trace.har: log.entries[0]",
            "file": "cassettes/acme/imported-trace-0.yaml",
        }
    ]
    assert len(document["left_out"]) == 5
    assert document["left_out"][4] == {
        "place": "trace.har: log.entries[5]",
        "why": "not-a-chat-completion",
        "reason": "is not a call of a model (GET /4.png).",
    }
    assert (document["dry_run"], document["unowned"]) == (True, ["acme/imported-trace-0"])


def test_a_dry_run_says_that_nothing_was_written(trace: Path, project: Path, capsys: Capsys) -> None:
    assert run(["import", "trace.har", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "to import" in out
    assert "1 to import, 5 left out. Nothing was written." in out
    assert list((project / "cassettes").rglob("imported-*")) == []


def test_what_is_in_the_way_is_2_and_stays(project: Path, capsys: Capsys) -> None:
    write_cassette(project / "a.yaml", exchange())
    assert run(["import", "a.yaml"]) == 0
    assert run(["import", "a.yaml"]) == 0
    assert "1 unchanged." in capsys.readouterr().out
    write_cassette(project / "a.yaml", exchange("other"))
    assert run(["import", "a.yaml"]) == 2
    assert "--force replaces it" in capsys.readouterr().out
    assert run(["import", "a.yaml", "--force"]) == 0


def test_damage_is_3_and_the_rest_is_imported(project: Path, capsys: Capsys) -> None:
    write_cassette(project / "theirs" / "a.yaml", exchange())
    (project / "theirs" / "b.yaml").write_bytes((project / "theirs" / "a.yaml").read_bytes()[:200])
    assert run(["import", "theirs"]) == 3
    out = capsys.readouterr().out
    assert "theirs/b.yaml" in out
    assert "1 imported, 1 left out." in out


def test_a_secret_that_would_remain_is_4_and_is_not_shown(
    project: Path, capsys: Capsys, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("ACME_API_KEY", "swordfish-2026")
    write_cassette(project / "a.yaml", exchange())
    assert run(["import", "a.yaml", "--scenario", "swordfish-2026"]) == 4
    err = capsys.readouterr().err
    assert "ACME_API_KEY" in err
    assert "swordfish" not in err
    assert sorted(file.name for file in (project / "cassettes" / "acme").iterdir()) == [
        "other.yaml",
        "plain-stream.yaml",
    ]


def test_nothing_to_import_is_2_and_says_why(project: Path, capsys: Capsys) -> None:
    write_cassette(project / "a.yaml", exchange(uri="https://api.anthropic.com/v1/messages"))
    assert run(["import", "a.yaml"]) == 2
    out = capsys.readouterr().out
    assert "1 of no provider of this project:" in out
    assert "comes from api.anthropic.com/v1/messages, where no provider of this project answers." in out
    assert "Nothing to import, 1 left out." in out


@pytest.mark.parametrize("arguments", [["import"], ["import", "nowhere.har"]])
def test_wrong_usage_is_2(project: Path, arguments: list[str]) -> None:
    assert run(arguments) == 2


# corpus


def test_a_corpus_says_what_it_leaves_out_and_that_is_no_failure(trace: Path, capsys: Capsys) -> None:
    assert run(["corpus", "trace.har"]) == 0
    out = capsys.readouterr().out
    assert "1 recording compared, 1 agree, 5 left out." in out
    assert "Not used (5)\n5 not a call of a model:" in out
    assert run(["corpus", "trace.har", "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert len(document["items"]) == 1
    assert [one["why"] for one in document["left_out"]] == ["not-a-chat-completion"] * 5


def test_damage_of_one_kind_is_shown_as_a_group_and_listed_in_full_in_json(
    project: Path, capsys: Capsys
) -> None:
    lost = [entry({"size": 9, "mimeType": "text/event-stream"}, request_url=_URL) for _ in range(9)]
    write_json(project / "trace.har", har(entry(request_url=_URL), *lost))
    assert run(["corpus", "trace.har"]) == 3
    out = capsys.readouterr().out
    assert "Not used (9)\n9 without a body:" in out
    assert "and 6 more" in out
    assert "1 recording compared, 1 agree, 9 unreadable." in out
    assert run(["corpus", "trace.har", "--json", "-"]) == 3
    assert [one["why"] for one in json.loads(capsys.readouterr().out)["left_out"]] == ["no-body"] * 9


def test_a_corpus_calls_streams_by_the_projects_own_names(project: Path, capsys: Capsys) -> None:
    write_cassette(project / "a.yaml", exchange())
    assert run(["corpus", "a.yaml", "--provider", "acme", "--json", "-"]) == 0
    assert [item["provider"] for item in json.loads(capsys.readouterr().out)["items"]] == ["acme"]


def test_a_corpus_of_another_api_is_2_and_is_never_run_as_chat_completions(
    project: Path, capsys: Capsys
) -> None:
    write_cassette(project / "a.yaml", exchange(uri="https://api.anthropic.com/v1/messages"))
    assert run(["corpus", "a.yaml"]) == 2
    out = capsys.readouterr().out
    assert "Not used (1)\n1 for which a client has no call:" in out
    assert "the recording answers POST https://api.anthropic.com/v1/messages" in out
    assert "0 recordings compared, 0 agree, 1 left out." in out
    write_cassette(project / "b.yaml", exchange())
    (project / "corpus").mkdir()
    for name in ("a.yaml", "b.yaml"):
        (project / name).rename(project / "corpus" / name)
    assert run(["corpus", "corpus"]) == 0
    assert "1 recording compared, 1 agree, 1 left out." in capsys.readouterr().out


def test_the_guide_names_every_reason_and_what_it_costs() -> None:
    guide = (Path(__file__).parents[3] / "docs" / "importing.md").read_text(encoding="utf-8")
    rows = dict(re.findall(r"^\| `([a-z-]+)` \|.*\| (3|–) \|$", guide, re.MULTILINE))
    assert rows == {str(why): "3" if why.damaged else "–" for why in ProblemKind}


def test_the_command_explains_itself_with_examples(capsys: Capsys) -> None:
    assert run(["import", "--help"]) == 0
    assert "Examples:" in capsys.readouterr().out
