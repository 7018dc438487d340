"""`llm-contracts cassettes`: what is found in recordings that nobody should commit."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from llm_contracts.cli import run
from llm_contracts.doctor.cassettes import check_cassettes
from llm_contracts.project.config import load_settings
from llm_contracts.project.load import load_project
from llm_contracts.wire.cassette import save
from llm_contracts.wire.interaction import Interaction
from tests.fixtures import Capsys
from tests.harness.meanwhile import meanwhile
from tests.harness.run.projects import cassette, make_project

FILE = Path("cassettes/acme/other.yaml")
KEY = "acme-key-0123456789"
Change = Callable[[Interaction], Interaction]


@pytest.fixture(autouse=True)
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("ACME_API_KEY", KEY)
    return make_project(tmp_path)


def record(change: Change) -> None:
    """Put a recording into the place of a good one, as if it had never met the scrubber."""
    recorded = cassette("acme/other")
    save(FILE, replace(recorded, interactions=tuple(change(exchange) for exchange in recorded.interactions)))


def answered(body: bytes) -> Change:
    def change(exchange: Interaction) -> Interaction:
        return replace(exchange, response=replace(exchange.response, body=body, pieces=None))

    return change


def asked(**more: str | bytes | tuple[tuple[str, str], ...]) -> Change:
    def change(exchange: Interaction) -> Interaction:
        return replace(exchange, request=replace(exchange.request, **more))  # type: ignore[arg-type]

    return change


def test_recordings_that_are_whole_clean_and_owned_pass_with_their_number(capsys: Capsys) -> None:
    assert run(["cassettes"]) == 0
    assert capsys.readouterr() == ("3 recordings: whole, free of secrets, each with a scenario.\n", "")


@pytest.mark.parametrize(
    ("change", "place"),
    [
        (asked(headers=(("Authorization", "Bearer abcdef-123456"),)), "request.headers"),
        (asked(uri="https://api.acme.example/v1/x?access_token=24.abcdef123"), "request.uri"),
        (answered(b'{"refresh_token": "25.abcdef"}'), "response.body"),
    ],
)
def test_what_the_scrubber_would_still_change_is_a_secret(change: Change, place: str, capsys: Capsys) -> None:
    record(change)
    assert run(["cassettes"]) == 4
    said = capsys.readouterr().err
    assert f"{FILE}: interactions[0].{place}: the scrubber would change it." in said
    assert "abcdef" not in said


def test_the_value_of_a_configured_key_is_found_and_only_its_variable_named(capsys: Capsys) -> None:
    record(answered(f"wrong key: {KEY}".encode()))
    assert run(["cassettes"]) == 4
    said = capsys.readouterr().err
    assert f"{FILE}: holds the value of ACME_API_KEY." in said
    assert KEY not in said


@pytest.mark.parametrize(
    ("key", "what"),
    [
        ("sk-" + "a1" * 12, "an OpenAI-like key"),
        ("AIza" + "b2" * 17 + "c", "a Google key"),
        ("AKLT" + "c3" * 12, "a Volcengine key id"),
        ("bce-v3/ALTAK-" + "D4" * 8 + "/" + "e5" * 16, "a Qianfan key"),
        ("0f" * 16 + "." + "Ab12" * 4, "a BigModel key"),
        ("app-" + "Zz9" * 8, "a Dify key"),
        ("eyJ" + "a" * 12 + ".eyJ" + "b" * 12 + ".c", "a JSON web token"),
    ],
)
def test_a_key_that_nobody_has_told_us_is_known_by_its_shape(key: str, what: str, capsys: Capsys) -> None:
    record(answered(f'{{"error": "no such key: {key}"}}'.encode()))
    assert run(["cassettes"]) == 4
    said = capsys.readouterr().err
    assert f"{FILE}: interactions[0].response.body: holds what looks like {what}." in said
    assert key not in said


@pytest.mark.parametrize("found", [KEY, "sk-" + "a1" * 12])
def test_a_key_in_a_snapshot_is_a_secret_as_well(found: str, capsys: Capsys) -> None:
    Path("snapshots/acme").mkdir(parents=True)
    Path("snapshots/acme/plain.txt").write_text(f"error: no such key: {found}\n")
    assert run(["cassettes"]) == 4
    said = capsys.readouterr().err
    assert "snapshots/acme/plain.txt: holds " in said
    assert found not in said


def test_a_mask_is_not_taken_for_a_key() -> None:
    record(answered(b'{"error": "no such key: sk-********************"}'))
    assert run(["cassettes"]) == 0


def test_a_recording_that_cannot_be_read_is_named_and_its_neighbours_are_still_looked_at(
    capsys: Capsys,
) -> None:
    Path("cassettes/acme/plain-stream.yaml").write_text("interactions: [")
    assert run(["cassettes"]) == 3
    record(answered(b'{"session_key": "abcdef"}'))
    assert run(["cassettes"]) == 4
    said = capsys.readouterr().err
    assert said.count("cassettes/acme/plain-stream.yaml: ") == 2


def test_a_secret_in_a_file_that_cannot_be_read_is_a_secret(capsys: Capsys) -> None:
    FILE.write_text(f"interactions: [ {KEY}")
    assert run(["cassettes"]) == 4
    assert "holds the value of ACME_API_KEY" in capsys.readouterr().err


def test_a_recording_without_a_scenario_is_unowned(capsys: Capsys) -> None:
    save(Path("cassettes/acme/gone.yaml"), cassette("acme/gone"))
    assert run(["cassettes"]) == 2
    assert "cassettes/acme/gone.yaml: no scenario has this name" in capsys.readouterr().err


def test_recordings_kept_outside_the_project_are_named_by_their_whole_path(
    tmp_path: Path, tmp_path_factory: pytest.TempPathFactory, capsys: Capsys
) -> None:
    away = tmp_path_factory.mktemp("away")
    (away / "broken.yaml").write_text("no")
    toml = (tmp_path / "pyproject.toml").read_text()
    (tmp_path / "pyproject.toml").write_text(f'{toml}cassettes = "{away}"\n')
    assert run(["cassettes"]) == 3
    assert f"{away}/broken.yaml" in capsys.readouterr().err


def test_snapshots_that_others_remove_meanwhile_do_not_end_the_search(project: Path) -> None:
    opened = load_project(load_settings(project))
    opened.settings.snapshots.mkdir(exist_ok=True)
    for number in range(100):  # to read them takes a while
        (opened.settings.snapshots / f"earlier-{number}").touch()

    def make_and_remove(number: int) -> None:
        file = opened.settings.snapshots / f"later-{number}"
        file.touch()
        file.unlink()

    with meanwhile(make_and_remove):
        for _ in range(10):
            _, found = check_cassettes(opened, {})
            assert not found
