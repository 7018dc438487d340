"""What is new since the last run, what is gone, and what is as before."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest

from llm_contracts.cli import run
from llm_contracts.parity.divergence import Kind
from llm_contracts.results.changes import Changes, changes_since
from tests.harness.reporting.samples import BODY, INVENTED, divergence, item, result
from tests.harness.results.test_store import keep
from tests.harness.run.projects import make_project

TEXT = divergence(Kind.TEXT, "text", reference="a")


def test_open_differences_are_new_gone_or_as_before(tmp_path: Path) -> None:
    """What has been accepted since is gone; a recording of one run alone says nothing about change."""
    keep(
        tmp_path,
        result(
            item(divergences=(INVENTED, TEXT)),
            item("openai/chat", divergences=(BODY,)),
            item("openai/old", divergences=(divergence(Kind.DELTAS, "delta[1]"),)),
        ),
    )
    later = result(
        item(divergences=(INVENTED, divergence(Kind.ORDER, "finish"))),
        item("openai/chat", divergences=(BODY,), waived={BODY.fingerprint: "meant"}),
        item("openai/young", divergences=(divergence(Kind.MODEL_NAME, "model"),)),
    )
    found = changes_since(tmp_path, later)
    assert found is not None
    assert (found.new, found.gone, found.same) == (("order-finish",), 2, 1)
    assert str(found).endswith(": 1 new, 2 gone, 1 as before.")
    assert changes_since(tmp_path, replace(later, candidate="another")) is None
    assert changes_since(tmp_path / "nothing", later) is None
    assert changes_since(None, later) is None
    assert changes_since(tmp_path, result(item("openai/young"))) is None  # nothing that both compared


def test_a_result_that_cannot_be_read_is_no_run_to_compare_with(tmp_path: Path) -> None:
    keep(tmp_path, result(item()))
    (tmp_path / "result.json").write_text("{")
    assert changes_since(tmp_path, result(item())) is None


def test_check_and_every_view_say_what_has_changed_since_the_last_run(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("ACME_API_KEY", raising=False)
    project = make_project(tmp_path)
    run(["check"])
    assert "Since the last run" not in capsys.readouterr().out
    run(["check"])
    assert ": 0 new, 0 gone, " in capsys.readouterr().out
    document = json.loads((project / "report" / "result.json").read_text())
    changes = Changes.from_json(document)
    assert changes is not None
    assert changes.new == ()
    run(["report", "--html", "page.html", "--comment", "comment.md"])
    for name in ("page.html", "comment.md"):
        assert str(changes) in (project / name).read_text(), name
