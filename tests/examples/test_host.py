"""The example of docs/wire-it-in.md, over HTTP."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from threading import Thread
from typing import Any

import pytest
import requests
from werkzeug.serving import make_server

from examples.host.app import create_app
from tests.adapter.conftest import environ_for
from tests.adapter.provider import USAGE, End, Provider, Reply, answer, chunk, document, refusal, running

Rows = list[Mapping[str, Any]]
Post = Callable[..., requests.Response]


@pytest.fixture
def provider() -> Iterator[Provider]:
    with running() as provider:
        cached = {"prompt_tokens_details": {"cached_tokens": 4}}
        provider.say(answer("Hel", "lo", usage={**USAGE, **cached}))
        yield provider


@pytest.fixture
def rows() -> Rows:
    return []


@pytest.fixture
def settings(provider: Provider) -> dict[str, str]:
    return environ_for(provider)


@contextmanager
def served(app: Any) -> Iterator[str]:
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
        app.extensions["llm"].close()


@pytest.fixture
def url(settings: dict[str, str], rows: Rows) -> Iterator[str]:
    with served(create_app(settings.get, rows.append)) as url:
        yield url


def ask(url: str, model: str = "gpt-4o", language: str = "en", **more: Any) -> requests.Response:
    return requests.post(
        f"{url}/ask",
        json={"model": model, "message": "hi", **more},
        headers={"Accept-Language": language, "X-Request-ID": "req-1"},
        timeout=60,
    )


def test_an_answer_is_streamed_and_metered_once(url: str, rows: Rows) -> None:
    assert ask(url, lesson="tea").text == "Hello"
    (row,) = rows
    assert (row["provider"], row["model"], row["status"], row["error"]) == (
        "openai",
        "gpt-4o",
        "finished",
        "",
    )
    assert (row["input"], row["input_cache"], row["output"]) == (11, 4, 7)
    assert (row["request_id"], row["attempts"], row["usage_source"]) == ("req-1", 1, "provider")
    assert row["extra"] == {"lesson": "tea", "output_text": "Hello"}


def test_a_cut_answer_shows_that_it_is_one(url: str, provider: Provider) -> None:
    provider.say(answer("Hel", finish="length"))
    assert ask(url).text == "Hel…"


@pytest.mark.parametrize(
    ("language", "message"),
    [("en", "Model claude is not supported."), ("de", "Modell claude gibt es hier nicht.")],
)
def test_errors_have_the_application_s_numbers_and_the_reader_s_language(
    url: str, rows: Rows, language: str, message: str
) -> None:
    assert ask(url, "claude", language).json() == {"code": 8003, "message": message}
    assert [row["error"] for row in rows] == ["configuration"]


def test_a_refusal_is_an_error_with_the_provider_s_words(url: str, provider: Provider) -> None:
    provider.say(refusal(400, "too much"))
    told = ask(url).json()
    assert told["code"] == 8004
    assert "too much" in told["message"]


def test_an_answer_that_breaks_off_says_so_where_it_does(url: str, provider: Provider, rows: Rows) -> None:
    provider.say(Reply(pieces=(chunk("Hel"),), end=End.CUT))
    assert ask(url).text.startswith("Hel\n[8004] Model gpt-4o could not answer")
    assert [(row["status"], row["error"]) for row in rows] == [("failed", "connection")]


def test_settings_change_while_it_runs(url: str, settings: dict[str, str]) -> None:
    settings["OPENAI_API_KEY"] = ""
    told = ask(url).json()
    assert (told["code"], "OPENAI_API_KEY" in told["message"]) == (8002, True)


def test_models_are_options_and_health_asks_nobody(
    url: str, provider: Provider, settings: dict[str, str]
) -> None:
    assert requests.get(f"{url}/health", timeout=60).json() == {"status": "ok", "warnings": []}
    assert provider.asked == []
    provider.say(document({"object": "list", "data": [{"id": "gpt-4o", "object": "model"}]}))
    settings |= {"LLM_ALLOWED_MODELS": "gpt-4o", "LLM_ALLOWED_MODEL_DISPLAY_NAMES": "Four"}
    assert requests.get(f"{url}/models", timeout=60).json() == [
        {"model": "gpt-4o", "display_name": "Four", "is_default": False}
    ]
    settings["QWEN_API_URL"] = "nowhere"
    told = requests.get(f"{url}/health", timeout=60).json()
    assert told["status"] == "degraded"
    assert told["warnings"][0].startswith("QWEN_API_URL must begin with https://")
