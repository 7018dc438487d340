"""Streams recorded elsewhere become calls; the page about them is written by one command."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from llm_contracts.clients.call import Call, Function
from llm_contracts.project.recorded_call import stream_call
from llm_contracts.wire.interaction import Interaction, Request, Response
from tests.harness.run.projects import make_project, stream
from tools import real_streams_page as real_streams


def call_for(request: Any, *, response: Response | None = None) -> Call:
    body = b"" if request is None else json.dumps(request).encode()
    uri = "https://api.acme.example/v1/chat/completions"
    asked = Request(method="POST", uri=uri, body=body)
    return stream_call("acme", Interaction(request=asked, response=response or stream(["hello"])))


QUESTION = {"role": "user", "content": "hi"}


def test_a_recorded_request_is_asked_again_and_totals_are_asked_for() -> None:
    call = call_for({"model": "m", "messages": [QUESTION], "stream": True, "top_p": 0.5})
    assert (call.model, call.messages, call.base_url) == ("m", (QUESTION,), "https://api.acme.example/v1")
    assert call.params == {"top_p": 0.5, "stream_options": {"include_usage": True}}


def test_what_openai_does_not_name_goes_where_clients_accept_it() -> None:
    call = call_for({"model": "m", "messages": [QUESTION], "enable_thinking": True})
    assert call.params["extra_body"] == {"enable_thinking": True}


@pytest.mark.parametrize("request_body", [None, [], {}])
def test_without_a_recorded_request_the_streams_own_model_is_asked_a_question(request_body: Any) -> None:
    call = call_for(request_body)
    assert call.model == "acme-1"
    assert call.messages[0]["role"] == "user"


def test_a_stream_that_names_no_model_still_has_a_call() -> None:
    assert call_for(None, response=Response(status=200, body=b"data: [DONE]\n\n")).model == "unknown"


@pytest.mark.parametrize(
    ("messages", "function"),
    [
        ([QUESTION], Function.INVOKE),
        ([{"role": "system", "content": "be brief"}, QUESTION], Function.INVOKE),
        ([QUESTION, {"role": "assistant", "content": "yes?"}, QUESTION], Function.CHAT),
        ([{"role": "user", "content": [{"type": "text", "text": "hi"}]}], Function.CHAT),
    ],
)
def test_one_question_is_invoked_and_a_history_is_a_chat(messages: list[Any], function: Function) -> None:
    assert call_for({"model": "m", "messages": messages}).function is function


def test_the_page_is_written_for_both_pairs_of_paths(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """With paths of the standard library under the names of the bare clients there is nothing to load."""
    monkeypatch.chdir(make_project(tmp_path))
    folder = tmp_path / "streams"
    folder.mkdir()
    (folder / "index.jsonl").write_text("")
    assert real_streams.main([str(folder), str(folder), "docs/page.md"]) == 0
    text = (tmp_path / "docs" / "page.md").read_text()
    assert "`openai` against `litellm`" in text
    assert "`plain` against `same`" in text


@pytest.mark.parametrize("arguments", [[], ["nowhere", "page.md"], ["nowhere", "nowhere", "page.md"]])
def test_wrong_usage_is_2(arguments: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert real_streams.main(arguments) == 2
    assert "usage:" in capsys.readouterr().err
