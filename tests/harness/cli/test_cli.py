"""The command line as scripts see it: exit codes, messages, files. Projects are real folders."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.cli import group, main, run
from llm_contracts.cli.exit_codes import Exit
from llm_contracts.results.document import document_digest
from tests.fixtures import Capsys
from tests.harness.run.projects import TOML


def stored(project: Path) -> dict[str, Any]:
    document: dict[str, Any] = json.loads((project / "report" / "result.json").read_text())
    return document


def live(root: Path) -> None:
    """Replace the project's recordings by live ones."""
    from llm_contracts.wire.cassette import save
    from tests.harness.run.projects import NAMES, cassette

    for name in NAMES:
        save(root / "cassettes" / f"{name}.yaml", cassette(name, provenance="live"))


# check


def test_agreement_is_0_and_the_result_is_stored(project: Path, capsys: Capsys) -> None:
    assert run(["check"]) == 0
    out = capsys.readouterr().out
    assert "3 recordings compared, 3 agree." in out
    assert "\x1b" not in out
    document = stored(project)
    assert [item["id"] for item in document["items"]] == [
        "acme/plain-stream",
        "acme/other",
        "zenith/plain-stream",
    ]
    assert {"cassettes/acme/other.yaml", "contracts/clients.py"} <= document["inputs"].keys()


@pytest.mark.parametrize("command", [["check"], ["record", "--dry-run"]])
def test_a_key_that_nothing_can_hide_is_named_at_start(
    command: list[str], project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    monkeypatch.setenv("ACME_API_KEY", "k-12z")
    monkeypatch.setenv("ZENITH_API_KEY", "k-123z")
    assert run(command) == 0
    said = capsys.readouterr().err
    assert said.count("nothing hides it") == 1
    assert "ACME_API_KEY is too short to be told from words" in said
    assert "12z" not in said


def test_a_difference_is_1(project: Path) -> None:
    assert run(["check", "--candidate", "shouting"]) == 1


def test_noise_is_1(project: Path) -> None:
    assert run(["check", "--reference", "fickle", "--scenario", "other"]) == 1


def test_a_fault_in_the_waivers_file_is_1(project: Path) -> None:
    (project / "contracts" / "waivers.toml").write_text('[[waiver]]\nkind = "text"\n')
    assert run(["check"]) == 1


@pytest.mark.parametrize(
    ("line", "message"),
    [
        ("check --provider acne", "There is no provider 'acne'. Did you mean acme?"),
        ("check --scenario plain-strem", "There is no scenario 'plain-strem'. Did you mean plain-stream"),
        ("check --candidate shoutin", "'shoutin': did you mean shouting?"),
        ("check --candidate nowhere:path", "importing nowhere failed"),
        ("verdict acne", "There is no provider 'acne'. Did you mean acme?"),
        ("verdict", "there is no result yet. Run `llm-contracts check` first"),
        ("chek", "No such command 'chek'"),
        ("check --engine radio", "'radio' is not one of"),
        ("check --provider zenith --scenario other", "There is nothing to check"),
    ],
)
def test_wrong_usage_is_2_with_the_way_out(project: Path, capsys: Capsys, line: str, message: str) -> None:
    assert run(line.split()) == 2
    assert message in capsys.readouterr().err


def test_wrong_configuration_is_2(project: Path, capsys: Capsys) -> None:
    (project / "pyproject.toml").write_text(TOML + "casettes = 'x'\n")
    assert run(["check"]) == 2
    assert "casettes: there is no such key. Did you mean cassettes?" in capsys.readouterr().err


def test_an_unreadable_recording_is_3_and_outweighs_differences(project: Path, capsys: Capsys) -> None:
    (project / "cassettes" / "acme" / "other.yaml").write_bytes(b"\xff\xfe")
    assert run(["check", "--candidate", "shouting"]) == 3
    out = capsys.readouterr().out
    assert "other.yaml" in out
    assert "✗ text" in out


def test_a_secret_in_a_recording_is_4_and_outweighs_everything(project: Path, capsys: Capsys) -> None:
    (project / ".env").write_text("ACME_API_KEY=sk-very-secret-0123456789\n")
    file = project / "cassettes" / "acme" / "other.yaml"
    file.write_text(file.read_text() + "# sk-very-secret-0123456789\n")
    (project / "cassettes" / "acme" / "plain-stream.yaml").write_text("")
    assert run(["check"]) == 4
    err = capsys.readouterr().err
    assert "other.yaml: holds the value of ACME_API_KEY" in err
    assert "0123456789" not in err
    assert not (project / "report").exists()


def test_json_to_standard_output_is_all_that_is_there(project: Path, capsys: Capsys) -> None:
    assert run(["check", "--json", "-"]) == 0
    document = json.loads(capsys.readouterr().out)
    assert document["format"] == 1
    assert document["totals"] == {}


def test_json_goes_to_a_file_beside_the_report_for_people(project: Path, capsys: Capsys) -> None:
    assert run(["check", "--engine", "vcr", "--json", "out/result.json"]) == 0
    assert json.loads((project / "out" / "result.json").read_text())["engine"] == "vcr"
    assert "3 agree" in capsys.readouterr().out


def test_a_part_of_the_scenarios_leaves_the_stored_result_alone(project: Path) -> None:
    assert run(["check", "--scenario", "plain-stream"]) == 0
    assert not (project / "report").exists()


def test_a_path_of_anybodys_own_is_found_from_the_working_directory(project: Path) -> None:
    """As a process of its own: that is where the working directory has to be found."""
    (project / "mine.py").write_text("def path(call):\n    yield 'something else'\n")
    done = subprocess.run(
        [sys.executable, "-m", "llm_contracts", "check", "--candidate", "mine:path", "--scenario", "other"],
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
        env={**os.environ, "CI": "1"},
    )
    assert done.returncode == 1, done.stderr
    assert "plain against mine:path" in done.stdout
    assert done.stderr == ""


# verdict


def test_ready_is_0_only_if_every_provider_asked_for_is(project: Path, capsys: Capsys) -> None:
    live(project)
    (project / "cassettes" / "zenith" / "plain-stream.yaml").unlink()
    run(["check"])
    capsys.readouterr()
    assert run(["verdict", "acme"]) == 0
    assert "GO     ready: acme" in capsys.readouterr().out
    assert run(["verdict", "acme", "zenith"]) == 1
    assert run(["verdict", "acme", "--json", "-"]) == 0
    assert "ready" in capsys.readouterr().out


@pytest.mark.parametrize(
    "file", ["cassettes/acme/other.yaml", "contracts/waivers.toml", "cassettes/new.yaml"]
)
def test_a_verdict_is_refused_when_its_inputs_have_changed(project: Path, capsys: Capsys, file: str) -> None:
    (project / "contracts" / "waivers.toml").write_text("")
    run(["check"])
    (project / file).write_text("# changed\n")
    assert run(["verdict"]) == 2
    assert file in capsys.readouterr().err


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"versions": {"python": "2.7"}}, "changed: python, litellm, openai"),
        ({"checked_at": "2020-01-01T00:00:00+00:00"}, "the date, on which waivers"),
    ],
)
def test_a_verdict_is_refused_under_other_versions_and_on_another_day(
    project: Path, capsys: Capsys, change: dict[str, Any], message: str
) -> None:
    run(["check"])
    changed = {**stored(project), **change}
    changed["digest"] = document_digest(changed)  # as if it had been made so
    (project / "report" / "result.json").write_text(json.dumps(changed))
    assert run(["verdict"]) == 2
    assert message in capsys.readouterr().err


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 2}', '{"format": 1}'])
def test_a_stored_result_that_is_none_is_3(project: Path, capsys: Capsys, text: str) -> None:
    (project / "report").mkdir()
    (project / "report" / "result.json").write_text(text)
    assert run(["verdict"]) == 3
    assert "result.json: is not a result" in capsys.readouterr().err


def test_a_provider_that_the_last_check_left_out_has_no_verdict(project: Path, capsys: Capsys) -> None:
    run(["check", "--provider", "acme"])
    assert run(["verdict", "zenith"]) == 2
    assert "no verdict for zenith" in capsys.readouterr().err


# corpus


def corpus(folder: Path, rows: int = 2) -> Path:
    from tests.harness.run.projects import stream

    folder.mkdir()
    lines = []
    for number in range(rows):
        (folder / f"{number}.sse").write_bytes(stream(["hel", f"lo {number}"]).body)
        row = {"id": f"s{number}", "provider": "acme", "file": f"{number}.sse", "status": 200}
        lines.append(json.dumps({**row, "content_type": "text/event-stream", "url": None, "request": None}))
    (folder / "index.jsonl").write_text("\n".join(lines))
    return folder


def test_a_corpus_is_compared_like_recordings(project: Path, capsys: Capsys) -> None:
    corpus(project / "streams")
    assert run(["corpus", "streams"]) == 0
    assert "2 recordings compared, 2 agree." in capsys.readouterr().out
    assert run(["corpus", "streams", "--candidate", "shouting", "--json", "-"]) == 1
    assert json.loads(capsys.readouterr().out)["items"][1]["id"] == "s1"


def test_a_stream_that_cannot_be_used_is_3_and_the_others_run(project: Path, capsys: Capsys) -> None:
    folder = corpus(project / "streams")
    (folder / "1.sse").unlink()
    assert run(["corpus", "streams", "--provider", "acme"]) == 3
    out = capsys.readouterr().out
    assert "index.jsonl:2" in out
    assert "1 recording compared, 1 agree, 1 unreadable." in out


def test_a_corpus_has_waivers_of_its_own(project: Path) -> None:
    corpus(project / "streams")
    row = 'provider = "acme"\nscenario = "*"\nreason = "r"\nby = "b"\nuntil = 2027-06-01\n'
    (project / "accepted.toml").write_text(f'[[waiver]]\nkind = "text"\n{row}')
    assert run(["corpus", "streams", "--candidate", "shouting", "--waivers", "accepted.toml"]) == 0
    assert run(["corpus", "streams", "--waivers", "accepted.toml"]) == 1  # they accept nothing that occurs


@pytest.mark.parametrize(
    ("line", "rows", "message"),
    [
        ("corpus nowhere", 2, "'nowhere' does not exist"),
        ("corpus streams --provider acne", 2, "Did you mean acme?"),
        ("corpus streams", 0, "holds no streams"),
    ],
)
def test_a_corpus_that_is_not_there_is_2(
    project: Path, capsys: Capsys, line: str, rows: int, message: str
) -> None:
    corpus(project / "streams", rows)
    assert run(line.split()) == 2
    assert message in capsys.readouterr().err


# record


def test_recording_without_any_key_is_2_and_names_the_variables(project: Path, capsys: Capsys) -> None:
    assert run(["record"]) == 2
    assert "ACME_API_KEY, ZENITH_API_KEY" in capsys.readouterr().err


def test_a_dry_run_calls_nobody_and_says_what_it_would(project: Path, capsys: Capsys) -> None:
    (project / ".env").write_text("ACME_API_KEY=sk-very-secret-0123456789\n")
    assert run(["record", "--dry-run"]) == 0
    out = capsys.readouterr().out
    assert "1 call, roughly" in out
    assert "ZENITH_API_KEY is set neither" in out
    assert run(["record", "--dry-run", "--json", "-"]) == 0
    assert [step["call"] for step in json.loads(capsys.readouterr().out)["steps"]] == [True, False, False]


def test_a_dry_run_without_any_key_says_what_all_of_them_would_call(project: Path, capsys: Capsys) -> None:
    assert run(["record", "--dry-run"]) == 0
    out, err = capsys.readouterr()
    assert "2 calls, roughly" in out
    assert err == (
        "No key is set; what follows would be called with all of them. "
        "Set one of ACME_API_KEY, ZENITH_API_KEY in the environment or in .env.\n"
    )


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("check --timeout nan", "Invalid value for '--timeout': 'nan' is not a finite number."),
        ("check --timeout inf", "Invalid value for '--timeout': 'inf' is not a finite number."),
        ("check --timeout soon", "Invalid value for '--timeout': 'soon' is not a valid number."),
        ("check --jobs 1.5", "Invalid value for '--jobs': '1.5' is not a valid whole number."),
        ("capture --sample nan -- true", "Invalid value for '--sample': 'nan' is not a finite number."),
        ("capture --provider acme -- true", "No such option '--provider'."),
        (
            "capture -- no-such-program",
            "no-such-program: there is no such program, or this user may not run it.",
        ),
        ("capture -- .", ".: there is no such program, or this user may not run it."),
        ("report --html - --junit -", "Only one view can go to standard output; --annotations is one, too."),
    ],
)
def test_what_an_option_cannot_mean_is_said_in_a_sentence(
    line: str, said: str, project: Path, capsys: Capsys
) -> None:
    assert run(line.split()) == 2
    out, err = capsys.readouterr()
    assert out == ""
    assert err.strip().endswith(said)


@pytest.mark.parametrize("columns", ["0", "000"])
def test_a_terminal_that_does_not_know_its_width_gets_everything(
    columns: str, project: Path, monkeypatch: pytest.MonkeyPatch, capsys: Capsys
) -> None:
    run(["check"])
    unasked = capsys.readouterr().out.splitlines()
    monkeypatch.setenv("COLUMNS", columns)
    run(["check"])
    assert set(capsys.readouterr().out.splitlines()) >= set(unasked)


def test_what_cannot_be_recorded_is_named_and_is_no_success(project: Path, capsys: Capsys) -> None:
    """The provider's address points at a port where nobody listens."""
    paths = project / "contracts" / "clients.py"
    dead = paths.read_text().replace("https://api.acme.example", "http://127.0.0.1:9")
    paths.write_text(dead)
    before = (project / "cassettes" / "acme" / "plain-stream.yaml").read_bytes()
    (project / ".env").write_text("ACME_API_KEY=sk-very-secret-0123456789\n")
    assert run(["record", "--timeout", "5"]) == 1
    out = capsys.readouterr().out
    assert "skipped  zenith: ZENITH_API_KEY is set neither" in out
    assert "failed   acme/plain-stream" in out
    assert (project / "cassettes" / "acme" / "plain-stream.yaml").read_bytes() == before
    assert run(["record", "--timeout", "5", "--json", "-"]) == 1
    assert "failed" in {take["outcome"] for take in json.loads(capsys.readouterr().out)["takes"]}


def test_recording_over_a_damaged_file_without_being_asked_is_3(project: Path, capsys: Capsys) -> None:
    """A rehearsal must not replace what may have been live evidence."""
    for name in ("clients", "scenarios"):
        file = project / "contracts" / f"{name}.py"
        file.write_text(file.read_text().replace("acme", "openai"))
    damaged = project / "cassettes" / "openai" / "other.yaml"
    damaged.parent.mkdir()
    damaged.write_text("")
    assert run(["record", "--source", "simulator", "--scenario", "other"]) == 3
    assert damaged.read_text() == ""


# the rest


def test_ctrl_c_is_130_and_quiet(monkeypatch: pytest.MonkeyPatch, capsys: Capsys) -> None:
    def interrupted(*_arguments: Any, **_options: Any) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(group, "main", interrupted)
    assert run(["check"]) == 130
    assert capsys.readouterr() == ("", "")


@pytest.mark.parametrize("command", [[], ["check"], ["corpus"], ["record"], ["verdict"]])
def test_every_command_has_help_with_examples(command: list[str], capsys: Capsys) -> None:
    assert run([*command, "--help"]) == 0
    out = capsys.readouterr().out
    assert "Examples:" in out


def test_the_versions_that_take_part_are_shown(capsys: Capsys) -> None:
    assert run(["--version"]) == 0
    shown = {line.split()[0] for line in capsys.readouterr().out.splitlines()}
    assert shown >= {"python", "litellm", "openai"}


def test_a_folder_that_cannot_be_written_is_2_and_no_traceback(project: Path, capsys: Capsys) -> None:
    (project / "report").write_text("in the way")
    assert run(["check"]) == Exit.USAGE
    assert "report" in capsys.readouterr().err


def test_the_process_ends_with_the_code_and_knows_modules_of_the_working_directory(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "argv", ["llm-contracts", "check", "--provider", "acne"])
    monkeypatch.setattr(sys, "path", list(sys.path))
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == Exit.USAGE
    assert sys.path[0] == str(project)
