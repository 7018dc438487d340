"""No key and no question reaches a server whose certificate is not the provider's."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, closing

import pytest
import trustme

from llm_adapter import Adapter, Category, RequestFailedError, adapter_from
from tests.adapter.conftest import environ_for
from tests.adapter.provider import Provider, Reply, answer, event, running
from tests.certificates import RIGHT, WRONG

WAYS = [("litellm", "gpt-4o"), ("legacy", "gpt-4o"), ("litellm", "dify"), ("legacy", "dify")]
DIFY = Reply(pieces=(event({"event": "message", "answer": "hi"}), event({"event": "message_end"})))


@pytest.fixture(scope="module")
def providers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mapping[str, Provider]]:
    """One provider for each certificate; their authority is the one that is trusted."""
    authority = trustme.CA()
    file = tmp_path_factory.mktemp("authority") / "ca.pem"
    authority.cert_pem.write_to_path(str(file))
    with ExitStack() as stack, pytest.MonkeyPatch.context() as patch:
        patch.setenv("SSL_CERT_FILE", str(file))
        patch.setenv("REQUESTS_CA_BUNDLE", str(file))
        yield {
            kind: stack.enter_context(running(tls=made(authority))) for kind, made in (RIGHT | WRONG).items()
        }


@pytest.fixture(params=WAYS, ids=" ".join)
def asked(request: pytest.FixtureRequest, providers: Mapping[str, Provider]) -> tuple[str, str]:
    for provider in providers.values():
        provider.asked.clear()
        provider.say(DIFY if request.param[1] == "dify" else answer("hi"))
    way: tuple[str, str] = request.param
    return way


def call(adapter: Adapter, model: str) -> list[str]:
    with closing(adapter):
        return [piece.result for piece in adapter.invoke_llm(None, "u", None, model, "hi", max_retries=0)]


def test_only_the_right_certificate_is_told_anything(
    asked: tuple[str, str], providers: Mapping[str, Provider]
) -> None:
    backend, model = asked
    for kind, provider in providers.items():
        adapter = adapter_from(environ_for(provider, LLM_BACKEND=backend))
        if kind in RIGHT:
            assert "".join(call(adapter, model)) == "hi", kind
        else:
            with pytest.raises(RequestFailedError) as failed:
                call(adapter, model)
            assert failed.value.category is Category.CONNECTION, kind
        assert len(provider.asked) == (kind in RIGHT), kind
