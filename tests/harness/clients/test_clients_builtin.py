"""The bare clients against the edge: real sockets, real client libraries."""

from __future__ import annotations

import gc
import json
import os
from collections.abc import Iterator, Mapping
from importlib import import_module
from typing import Any

import pytest

from llm_contracts.clients.builtin import litellm, litellm_async, openai, openai_async, streamed
from llm_contracts.clients.call import Call, Client, Function
from llm_contracts.clients.libraries.litellm import litellm_router, litellm_router_async, offline_litellm
from llm_contracts.clients.observation import Observation, Usage
from llm_contracts.clients.observe import observe
from llm_contracts.wire.interaction import End, Interaction, Request, Response
from llm_contracts.wire.proxy.playback_options import PlaybackOptions
from llm_contracts.wire.proxy.server import Edge
from tests.harness.held import held

CHAT = "https://api.example.com/v1/chat/completions"
MODELS = "https://api.example.com/v1/models"
STREAMED = {"stream_options": {"include_usage": True}, "temperature": 0.5}


@pytest.fixture(scope="module")
def edge() -> Iterator[Edge]:
    with Edge() as running:
        yield running


def data(**chunk: Any) -> bytes:
    return (
        b"data: "
        + json.dumps({"id": "r1", "model": "m", "object": "chat.completion.chunk", **chunk}).encode()
    )


def delta(content: str | None, finish: str | None = None) -> bytes:
    return data(choices=[{"index": 0, "delta": {"content": content}, "finish_reason": finish}])


USAGE = data(choices=[], usage={"prompt_tokens": 1, "completion_tokens": 2, "total_tokens": 3})
EVENTS = (delta("Hel"), delta("lo"), delta(None, "stop"), USAGE, b"data: [DONE]")


def answer(*events: bytes, end: End = End.COMPLETE) -> Interaction:
    body = b"".join(event + b"\n\n" for event in events)
    headers = (("content-type", "text/event-stream"),)
    return Interaction(
        request=Request(method="POST", uri=CHAT),
        response=Response(status=200, headers=headers, body=body, end=end),
    )


def listing(status: int, body: dict[str, Any]) -> Interaction:
    headers = (("content-type", "application/json"),)
    return Interaction(
        request=Request(method="GET", uri=MODELS),
        response=Response(status=status, headers=headers, body=json.dumps(body).encode()),
    )


def run(
    edge: Edge,
    path: Client,
    recorded: Interaction,
    function: Function = Function.CHAT,
    *,
    timeout: float = 30,
    max_chunks: int = 1000,
    params: Mapping[str, Any] = STREAMED,
) -> Observation:
    with edge.replay((recorded,), PlaybackOptions(lockstep=True, patience=10)) as session:
        call = Call(
            base_url=session.origin + "/v1",
            api_key="sk-test-key",
            provider="example",
            model="m",
            messages=({"role": "user", "content": "Hi"},),
            params=params,
            function=function,
        )
        return observe(path, call, name="bare", session=session, timeout=timeout, max_chunks=max_chunks)


ALL = [openai, openai_async, litellm, litellm_async]
ASYNC = [openai_async, litellm_async]


@pytest.mark.parametrize("path", ALL)
def test_a_bare_client_hands_on_what_was_sent_as_it_comes(edge: Edge, path: Client) -> None:
    observed = run(edge, path, answer(*EVENTS))
    assert observed.failure is None, observed.failure.message
    assert observed.deltas == ("Hel", "lo")
    assert observed.finish_reasons == ("stop",)
    (told,) = observed.reported_usage
    assert (told.prompt_tokens, told.completion_tokens, told.total_tokens) == (1, 2, 3)
    assert [chunk.position for chunk in observed.chunks if chunk.text] == [1, 2]


@pytest.mark.parametrize("path", [litellm, litellm_async, litellm_router, litellm_router_async])
@pytest.mark.parametrize("name", ["name", "provider", "prompt"])
def test_litellm_takes_every_parameter_by_its_name(edge: Edge, path: Client, name: str) -> None:
    observed = run(edge, path, answer(*EVENTS), params={"extra_body": {}, name: "x"})
    assert observed.failure is None, observed.failure.message
    (request,) = observed.requests
    assert json.loads(request.body)[name] == "x"


@pytest.mark.parametrize("path", ALL)
def test_a_bare_client_sends_what_it_was_told(edge: Edge, path: Client) -> None:
    (request,) = run(edge, path, answer(*EVENTS)).requests
    assert json.loads(request.body) == {
        "model": "m",
        "messages": [{"role": "user", "content": "Hi"}],
        "stream": True,
        "stream_options": {"include_usage": True},
        "temperature": 0.5,
    }
    headers = {name.lower(): value for name, value in request.headers}
    assert (request.uri, headers["authorization"]) == (CHAT, "Bearer sk-test-key")


@pytest.mark.parametrize("end", [End.CUT, End.RESET])
@pytest.mark.parametrize("path", ALL)
def test_a_broken_stream_is_a_failure_after_what_came_before(edge: Edge, path: Client, end: End) -> None:
    """LiteLLM up to 1.93 ended such a stream as a success where it is asynchronous."""
    observed = run(edge, path, answer(delta("Hel"), end=end))
    assert observed.text == "Hel"
    assert observed.failure is not None


@pytest.mark.parametrize(("plain", "concurrent"), [(openai, openai_async), (litellm, litellm_async)])
def test_the_async_client_hands_on_the_same_as_the_other(
    edge: Edge, plain: Client, concurrent: Client
) -> None:
    left, right = run(edge, plain, answer(*EVENTS)), run(edge, concurrent, answer(*EVENTS))
    assert left.chunks == right.chunks


@pytest.mark.parametrize("path", [openai, openai_async])
def test_a_silent_provider_is_a_hang_that_ends_with_its_connection(edge: Edge, path: Client) -> None:
    run(edge, path, answer(*EVENTS))  # imports
    observed = run(edge, path, answer(delta("Hel"), end=End.TIMEOUT), timeout=2.0)
    assert observed.failure is not None
    assert observed.failure.category == "hang"
    assert "ended when its connections were dropped" in observed.failure.message
    assert observed.text == "Hel"


@pytest.mark.parametrize("path", [openai, openai_async])
def test_openai_lists_models(edge: Edge, path: Client) -> None:
    models = {"object": "list", "data": [{"id": "a", "object": "model"}, {"id": "b", "object": "model"}]}
    observed = run(edge, path, listing(200, models), Function.LIST_MODELS)
    assert observed.deltas == ("a", "b")


def test_a_refused_listing_is_a_failure_with_its_status(edge: Edge) -> None:
    refused = {"error": {"message": "bad key", "code": "invalid_api_key"}}
    failure = run(edge, openai, listing(401, refused), Function.LIST_MODELS).failure
    assert failure is not None
    assert (failure.category, failure.status, failure.provider_code) == (
        "AuthenticationError",
        401,
        "invalid_api_key",
    )


@pytest.mark.parametrize("path", [litellm, litellm_async])
def test_litellm_says_that_it_cannot_list_models(edge: Edge, path: Client) -> None:
    observed = run(edge, path, listing(200, {}), Function.LIST_MODELS)
    assert observed.failure is not None
    assert observed.failure.category == "not_offered"
    assert observed.requests == ()


@pytest.mark.parametrize("path", [litellm, litellm_async])
def test_litellm_keeps_no_client_open_after_a_call(edge: Edge, path: Client) -> None:
    """An open socket left to garbage collection would warn, and warnings are errors here."""
    cache = import_module("litellm").in_memory_llm_clients_cache.cache_dict
    before = set(cache)  # other tests of this process call LiteLLM in other ways
    run(edge, path, answer(*EVENTS))
    kept = [client for key, client in cache.items() if key not in before]
    assert [client for client in kept if "127.0.0.1" in str(getattr(client, "base_url", ""))] == []
    gc.collect()


@pytest.mark.parametrize("path", ASYNC)
def test_an_async_client_that_is_stopped_midway_leaves_nothing_behind(edge: Edge, path: Client) -> None:
    run(edge, path, answer(*EVENTS))  # what clients keep for good is there now
    before = held()
    observed = run(edge, path, answer(*EVENTS), max_chunks=1)
    assert observed.failure is not None
    assert observed.failure.category == "endless"
    assert held() == before


def test_litellm_is_imported_so_that_it_fetches_nothing(edge: Edge) -> None:
    run(edge, litellm, answer(*EVENTS))
    library = import_module("litellm")

    assert library.disable_hf_tokenizer_download is True
    assert library.suppress_debug_info is True


def test_what_litellm_reads_while_it_is_imported_is_set_for_that_time_and_nothing_that_somebody_has_set(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("LITELLM_LOCAL_MODEL_COST_MAP", raising=False)
    monkeypatch.setenv("LITELLM_MODE", "DEV")
    with offline_litellm():
        assert os.environ["LITELLM_LOCAL_MODEL_COST_MAP"] == "True"
        assert os.environ["LITELLM_MODE"] == "DEV"
    assert "LITELLM_LOCAL_MODEL_COST_MAP" not in os.environ
    assert os.environ["LITELLM_MODE"] == "DEV"


def test_litellm_invents_usage_that_only_its_bare_path_shows(edge: Edge) -> None:
    """Why the adapter exists: the provider sent none."""
    silent = answer(*EVENTS[:3], EVENTS[-1])
    assert run(edge, openai, silent).reported_usage == ()
    (invented,) = run(edge, litellm, silent).reported_usage
    assert isinstance(invented, Usage)


def test_a_stream_that_litellm_does_not_return_is_a_failure() -> None:
    """After a failed second attempt with rewritten messages it returns None."""
    with pytest.raises(TypeError, match="returned None"):
        list(streamed(None))
