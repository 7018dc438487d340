"""From recordings and two clients to costs; once with the real server and clocks."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.cli import run
from llm_contracts.clients.call import Call
from llm_contracts.cost.measure import CallCost
from llm_contracts.cost.model import Cost, Measure
from llm_contracts.cost.run import CostPlan, measure
from llm_contracts.cost.server import Serve, ServerError, serving
from llm_contracts.project.config import load_settings
from llm_contracts.project.load import load_project
from llm_contracts.results.document import document_digest
from llm_contracts.run.options import Options
from llm_contracts.wire.cassette import save
from llm_contracts.wire.facts import read_facts
from llm_contracts.wire.interaction import Interaction
from tests.harness.cost.samples import FakeMeter
from tests.harness.run.projects import cassette, make_project

WORDS = tuple(f"word{number} " for number in range(12))


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """A project in which one recording of acme's is long enough to measure with, and none of zenith's."""
    make_project(tmp_path)
    save(tmp_path / "cassettes" / "acme" / "other.yaml", cassette("acme/other", WORDS))
    return tmp_path


def costs(root: Path, **values: Any) -> Cost:
    """Measured with a meter that believes every text to arrive."""
    project = load_project(load_settings(root))
    sent: dict[str, int] = {}

    @contextmanager
    def server() -> Iterator[Serve]:
        yield lambda interactions: origin(sent, interactions)

    class Meter(FakeMeter):
        def text(self, path: Any, call: Call) -> int:
            return sent[call.base_url.removesuffix("/v1")]

    meter = Meter(takes=lambda _path, _model: CallCost(cpu=0.1, first=0.1), texts=lambda _path, _model: 0)
    options = Options(today=date(2026, 11, 28), reference="plain", candidate="same")
    plan = CostPlan(rounds=1, meter=lambda **_given: meter, server=server, **values)
    return measure(project, project.select(), options, plan)


def origin(sent: dict[str, int], interactions: Sequence[Interaction]) -> str:
    name = f"http://127.0.0.1:9/{len(sent)}"
    sent[name] = len(read_facts(interactions[-1].response).text)
    return name


def test_the_longest_recording_of_each_provider_is_played(root: Path) -> None:
    save(root / "cassettes" / "acme" / "plain-stream.yaml", cassette("acme/plain-stream", WORDS[:7]))
    found = {row.provider: row for row in costs(root).providers}
    assert found["acme"].recording == "acme/other"
    assert found["zenith"].recording == "zenith/plain-stream"
    assert list(found["zenith"].missing) == [Measure.CPU_PER_CHUNK]
    assert "too few chunks" in found["zenith"].missing[Measure.CPU_PER_CHUNK]


def test_recordings_that_cannot_be_read_or_are_not_there_are_no_crash_but_a_reason(root: Path) -> None:
    (root / "cassettes" / "zenith" / "plain-stream.yaml").write_text("interactions: [\n")
    for file in (root / "cassettes" / "acme").iterdir():
        file.unlink()
    found = costs(root)
    for row in found.providers:
        assert set(row.missing) == set(Measure)
        assert row.recording is None


def test_the_server_plays_a_recording_as_often_as_it_is_asked_for_and_ends_with_us() -> None:
    import http.client
    from urllib.parse import urlsplit

    recording = cassette("acme/other", WORDS).interactions
    with serving() as serve:
        address = urlsplit(serve(recording))
        for _ in range(3):
            connection = http.client.HTTPConnection(address.netloc, timeout=60)
            connection.request("POST", f"{address.path}/v1/chat/completions", b"{}")
            assert connection.getresponse().read() == recording[0].response.body
            connection.close()
    with pytest.raises((ServerError, ValueError)):
        serve(recording)


def test_costs_are_printed_kept_limited_and_reported(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """With the paths of the project, which are one and the same: a limit far below 1 cannot be kept."""
    monkeypatch.chdir(root)
    limits = ["--cost-at-most", "cpu_per_call=0.001", "--cost-at-most", "peak_memory=1000"]
    arguments = ["check", "--scenario", "acme/other", "--report", "kept", "--json", "out.json", *limits]
    assert run(arguments) == 1
    out = capsys.readouterr().out
    assert "Cost: plain against same" in out
    assert out.count("and at most 0.001 is asked for") == 1
    document = json.loads((root / "out.json").read_text())
    assert document == json.loads((root / "kept" / "result.json").read_text())
    measures = document["cost"]["providers"]["acme"]["measures"]
    assert set(measures) == set(Measure)
    assert all(each["reference"] > 0 for each in measures.values())
    assert run(["report", "--report", "kept"]) == 0
    assert "Cost of a call" in (root / "kept" / "index.html").read_text()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["--cost-at-most", "2.0"], "name one of cpu_per_chunk, cpu_per_call, first_delta, peak_memory"),
        (["--cost-at-most", "cpu_per_chunk=fast"], "after the = goes a ratio"),
        (["--cost-at-most", "cpu_per_chunk=-1"], "after the = goes a ratio"),
        (["--cost", "--sweep", "ends"], "--cost does not go with --sweep"),
    ],
)
def test_wrong_usage_is_named(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    message: str,
) -> None:
    monkeypatch.chdir(root)
    assert run(["check", *arguments]) == 2
    assert message in " ".join(capsys.readouterr().err.split())


def test_a_stored_cost_that_is_damaged_is_unreadable(
    root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(root)
    assert run(["check"]) == 0
    file = root / "report" / "result.json"
    document = {**json.loads(file.read_text()), "cost": {"rounds": 5}}
    document["digest"] = document_digest(document)  # as if it had been written so
    file.write_text(json.dumps(document))
    assert run(["report"]) == 3
    assert "the costs are damaged" in capsys.readouterr().err
