"""How LiteLLM is kept from what it would do by itself: each setting by its effect."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from llm_adapter.backends.connection import Connections, default_timeout
from llm_adapter.backends.litellm import (
    LiteLLMBackend,
    _beneath,
    _warn_of,
    call_arguments,
    library,
    router_configuration,
)
from llm_adapter.chunks import read_chunk
from llm_adapter.providers import PROVIDERS
from llm_adapter.requests import Outgoing
from llm_adapter.settings import Settings
from tests.adapter import fresh_process
from tests.adapter.conftest import MakeAdapter, environ_for
from tests.adapter.provider import DONE, KEY, USAGE, Provider, Reply, answer, chunk, refusal

HI: tuple[dict[str, Any], ...] = ({"role": "user", "content": "hi"},)


def outgoing(provider: Provider, **more: Any) -> Outgoing:
    values = {"provider": "qwen", "model": "qwen-plus", "messages": HI, **more}
    return Outgoing(base_url=provider.url, api_key=KEY, **values)


def test_a_fresh_process_without_network_dotenv_noise_or_the_legacy_folder(
    provider: Provider, tmp_path: Path
) -> None:
    """LiteLLM lies below a folder with a `.env`, which it would load; only our provider is reached."""
    found = Path(library().__file__).parent
    (tmp_path / "site").mkdir()
    (tmp_path / "site" / "litellm").symlink_to(found)
    (tmp_path / ".env").write_text("OPENAI_API_KEY=sk-from-dotenv\nHTTPS_PROXY=http://127.0.0.1:9\n")
    provider.say(answer("Hel", "lo"), refusal(404, "no such model"))
    root = Path(__file__).parents[2]
    ran = subprocess.run(
        [sys.executable, fresh_process.__file__, provider.url],
        env={"PATH": os.environ["PATH"], "PYTHONPATH": f"{tmp_path / 'site'}:{root / 'src'}:{root}"},
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=100,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    seen = json.loads(ran.stderr.splitlines()[-1])
    assert ran.stdout == ""
    # The one thing it sets says where a file of its own lies.
    seen["environment"] = [name for name, _ in seen["environment"] if name != "TIKTOKEN_CACHE_DIR"]
    assert seen.pop("error").startswith("silicon failed for 'silicon/meta-llama/llama-3-8b' (not_found, 404)")
    assert seen == {
        "text": "Hello",
        "environment": [],
        "legacy": "LLM_BACKEND is legacy",
        "reached": [],
        "http log level": logging.INFO,
        "loaded from": str(tmp_path / "site" / "litellm"),
        "callbacks": [],
    }


def test_importing_the_package_imports_no_client_library() -> None:
    program = (
        "import sys, llm_adapter\n"
        "for name in llm_adapter.__all__: getattr(llm_adapter, name)\n"
        "print({'openai', 'litellm', 'langfuse', 'httpx', 'requests'} & sys.modules.keys() or 'none')\n"
    )
    environ = {"PYTHONPATH": str(Path(__file__).parents[2] / "src")}
    ran = subprocess.run(
        [sys.executable, "-c", program], env=environ, capture_output=True, text=True, check=True
    )
    assert ran.stdout == "none\n"


def test_every_public_name_is_there_and_others_are_refused() -> None:
    import llm_adapter

    assert all(getattr(llm_adapter, name) for name in llm_adapter.__all__)
    assert llm_adapter.LLMStreamaUsage is llm_adapter.LLMStreamUsage
    with pytest.raises(AttributeError, match="has no attribute 'nonsense'"):
        _ = llm_adapter.nonsense


def test_no_provider_s_address_makes_litellm_guess_another_provider() -> None:
    """Given an address that it knows, LiteLLM would choose the vendor's own code, without a word."""
    for row in PROVIDERS:
        model, chosen, key, base = library().get_llm_provider(
            model="openai/some/model", custom_llm_provider="openai", api_base=row.base_url
        )
        assert (model, chosen, key, base) == ("some/model", "openai", None, row.base_url)


def test_a_router_takes_the_configuration_and_sends_what_we_send(provider: Provider) -> None:
    router = library().Router(model_list=router_configuration(Settings.from_environ(environ_for(provider))))
    backend = LiteLLMBackend()
    for row in (row for row in PROVIDERS if row.speaks == "openai"):
        name = row.prefix + (row.bare_models or "team/") + "x"
        asked = outgoing(
            provider, model=name.removeprefix(row.prefix), params={"user": "bob", "stop": list("abcde")}
        )
        opened = backend(asked)
        list(opened.chunks)
        opened.close()
        list(router.completion(model=name, **call_arguments(asked)))
        ours, routers = provider.asked[-2:]
        assert (routers.target, routers.body) == (ours.target, ours.body)
        assert routers.headers["authorization"] == ours.headers["authorization"]
    backend.close()


def test_the_configuration_leaves_out_who_has_no_key() -> None:
    (only,) = router_configuration(Settings.from_environ({"GLM_API_KEY": KEY}))
    assert only["model_name"] == "glm/*"
    assert only["litellm_params"]["custom_llm_provider"] == "openai"


@pytest.mark.parametrize("backend", ["legacy", "litellm"])
def test_a_hundred_and_fifty_streams_are_open_at_once(
    make_adapter: MakeAdapter, provider: Provider, backend: str
) -> None:
    """LiteLLM's own pool ends at 100, and the others wait."""
    adapter = make_adapter(backend)
    list(adapter.invoke_llm(None, "u", None, "gpt-4o", "hi"))  # imports first, outside the race
    count = 150
    everybody = threading.Barrier(count, timeout=60)

    def hold(_: int) -> str:
        stream = adapter.invoke_llm(None, "u", None, "gpt-4o", "hi")
        text = next(stream).result
        everybody.wait()
        return text + "".join(piece.result for piece in stream)

    provider.say(Reply(pieces=(chunk("Hel"), *[chunk("-" * 100)] * 5, chunk("lo"), DONE)))
    with ThreadPoolExecutor(count) as pool:
        texts = set(pool.map(hold, range(count)))
    assert len(texts) == 1
    assert len(provider.asked) == count + 1


def test_five_seconds_to_connect_and_six_hundred_to_read(provider: Provider) -> None:
    connections = Connections()
    seen: list[dict[str, float]] = []
    client: Any = connections.client(provider.url, KEY)
    client._client.event_hooks["request"].append(lambda request: seen.append(request.extensions["timeout"]))
    backend = LiteLLMBackend(connections)
    for params in ({}, {"timeout": 7}):
        opened = backend(outgoing(provider, params=params))
        list(opened.chunks)
        opened.close()
    backend.close()
    assert seen == [
        {"connect": 5.0, "read": 600.0, "write": 600.0, "pool": 600.0},
        {"connect": 7, "read": 7, "write": 7, "pool": 7},
    ]
    assert default_timeout().connect == 5.0


def test_the_shared_client_is_what_it_was_after_a_call(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("OPENAI_ORGANIZATION", "org-7")
    connections = Connections()
    client = connections.client(provider.url, KEY)
    before = (client.max_retries, client.organization, client.api_key, client.base_url, client.timeout)
    opened = LiteLLMBackend(connections)(outgoing(provider, params={"extra_query": {"v": "1"}}))
    list(opened.chunks)
    opened.close()
    assert (
        client.max_retries,
        client.organization,
        client.api_key,
        client.base_url,
        client.timeout,
    ) == before
    assert connections.client(provider.url, KEY) is client
    assert connections.client(provider.url, KEY + "2") is not client
    connections.close()


def test_no_event_loop_is_run_for_chunks(
    make_adapter: MakeAdapter, provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    """LiteLLM's logging would run one a chunk, in a pool of threads, which fails under gevent."""
    ran: list[object] = []
    monkeypatch.setattr(asyncio, "run", lambda *_, **__: ran.append(1))
    provider.say(answer(*"abcdefgh" * 20))
    list(make_adapter().invoke_llm(None, "u", None, "gpt-4o", "hi"))
    assert ran == []


def wrapped(provider: Provider) -> Any:
    """LiteLLM's own stream, with the provider's hidden in a generator, as some releases and the Router do."""
    connections = Connections()
    stream = library().completion(
        model="openai/x",
        api_base=provider.url,
        api_key=KEY,
        client=connections.client(provider.url, KEY),
        **call_arguments(outgoing(provider, params={"stream_options": {"include_usage": True}})),
    )
    inner = stream.completion_stream
    stream.completion_stream = (item for item in inner)
    return stream, connections


@pytest.mark.parametrize("usage", [USAGE, None])
def test_where_the_provider_s_chunks_cannot_be_reached_nothing_invented_is_told(
    provider: Provider, caplog: pytest.LogCaptureFixture, usage: dict[str, int] | None
) -> None:
    _warn_of.cache_clear()
    provider.say(answer(*["哈哈哈"] * 150, usage=usage))
    stream, connections = wrapped(provider)
    opened = _beneath(stream)
    chunks = [read_chunk(item) for item in opened.chunks]
    opened.close()
    connections.close()
    assert "".join(chunk.text for chunk in chunks) == "哈哈哈" * 150
    assert {(chunk.usage, chunk.finish_reason) for chunk in chunks} == {(None, None)}
    assert "token totals are not known" in caplog.text


def test_no_logging_job_is_started_for_chunks_even_there(
    provider: Provider, monkeypatch: pytest.MonkeyPatch
) -> None:
    ran: list[object] = []
    stream, connections = wrapped(provider)
    monkeypatch.setattr(asyncio, "run", lambda *_, **__: ran.append(1))
    list(_beneath(stream).chunks)
    connections.close()
    assert len(ran) < 2  # the end may be logged, chunks are not


def test_an_unknown_kind_of_stream_is_iterated_as_it_is() -> None:
    delta = SimpleNamespace(content="a")
    item = SimpleNamespace(id="1", choices=[SimpleNamespace(delta=delta, finish_reason="stop")], usage=USAGE)
    opened = _beneath([item])
    (chunk,) = [read_chunk(item) for item in opened.chunks]
    opened.close()
    assert (chunk.text, chunk.finish_reason, chunk.usage) == ("a", None, None)
