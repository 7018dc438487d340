"""What counts as a secret when recording, and the gate that no secret passes."""

from __future__ import annotations

from pathlib import Path
from typing import cast

import pytest

from llm_contracts.project.endpoint import Endpoint
from llm_contracts.project.secrets import secrets_in
from llm_contracts.record.run import RecordingContext, rehearsed_before
from llm_contracts.record.source import Source
from llm_contracts.wire.cassette import Cassette, Provenance, Recording
from llm_contracts.wire.interaction import Interaction, Request, Response
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.scrub import Scrubber, SecretFound
from tests.harness.record.workshop import PROVIDERS, REAL_KEY, Workshop, plain_client, row


def test_keys_of_all_providers_count_however_short_and_other_variables_by_name_and_look() -> None:
    environ = {
        "OPENAI_API_KEY": "short",
        "BIGMODEL_API_KEY": f" {REAL_KEY}\n",
        "ARK_SECRET_ACCESS_KEY": "0123456789abcdef",
        "CACHE_KEY": "chat.completion.chunk",  # a word: hiding it would ruin every recording
        "SHORT_TOKEN": "abc123",
        "DEEPSEEK_API_KEY": "",
        "HOME": "0123456789abcdef0123",
    }
    assert secrets_in(environ, PROVIDERS) == {
        "OPENAI_API_KEY": "short",
        "BIGMODEL_API_KEY": REAL_KEY,
        "ARK_SECRET_ACCESS_KEY": "0123456789abcdef",
    }


def test_a_password_within_a_url_counts_and_the_url_does_not() -> None:
    password = "hunter2-proxy"
    environ = {
        "HTTPS_PROXY": f"http://me:{password}@proxy.example:8080",
        "DATABASE_URL": f"postgresql+psycopg://:{password}@db.example/x",
        "OPENAI_BASE_URL": "https://api.openai.com:443/v1",
        "SHORT_URL": "http://a:b@c",
    }
    assert secrets_in(environ, PROVIDERS) == {
        "HTTPS_PROXY (its password)": password,
        "DATABASE_URL (its password)": password,
    }


def interaction(uri: str = "https://api.openai.com/v1/models", body: bytes = b"{}") -> Interaction:
    return Interaction(request=Request(method="GET", uri=uri), response=Response(status=200, body=body))


def test_a_recording_that_still_holds_a_secret_is_not_written(workshop: Workshop, tmp_path: Path) -> None:
    context = RecordingContext(
        edge=cast("Edge", None),
        client=plain_client,
        name="c",
        scrubber=Scrubber({"OPENAI_API_KEY": REAL_KEY}),
        timeout=1,
    )
    recording = Recording(
        provenance=Provenance.LIVE, recorded_at=workshop.at, provider="openai", scenario="s", client="c"
    )
    file = tmp_path / "s.yaml"
    with pytest.raises(SecretFound, match="OPENAI_API_KEY") as raised:
        context.keep(file, Cassette(interactions=(interaction(body=REAL_KEY.encode()),), recording=recording))
    assert REAL_KEY not in str(raised.value)
    assert not file.exists()


def test_neither_an_endpoint_nor_a_context_nor_the_options_show_a_key(workshop: Workshop) -> None:
    endpoint = Endpoint(base_url="http://127.0.0.1/v1", public_url="https://x/v1", key=REAL_KEY)
    context = RecordingContext(
        edge=cast("Edge", None), client=plain_client, name="c", scrubber=Scrubber({"K": REAL_KEY}), timeout=1
    )
    assert REAL_KEY not in repr((endpoint, context, workshop.options(Source.LIVE)))


def test_an_exchange_with_somebody_else_keeps_its_address() -> None:
    endpoint = Endpoint(base_url="http://127.0.0.1/gate/v1", public_url="https://api.x.com/v1", key="k")
    elsewhere = interaction(uri="https://api.x.com/oauth")
    assert endpoint.made_public(elsewhere) == elsewhere
    through = interaction(uri="https://api.x.com/gate/v1/models")
    assert endpoint.made_public(through).request.uri == "https://api.x.com/v1/models"


def test_a_file_that_is_missing_or_damaged_holds_no_rehearsal(workshop: Workshop) -> None:
    file = workshop.file(row())
    assert not rehearsed_before(file, (interaction(),))
    file.parent.mkdir(parents=True)
    file.write_bytes(b"\xff")
    assert not rehearsed_before(file, (interaction(),))


def test_a_token_or_an_encoded_password_within_a_url_is_a_secret_as_it_is_sent() -> None:
    token = "made-up-token-" + "0123456789"
    environ = {
        "HTTP_PROXY": f"http://{token}@proxy:3128",
        "ALL_PROXY": "socks5://somebody:a%2Fb%40" + "c123@proxy",
        "HTTPS_PROXY": "http://somebody@proxy:3128",
    }
    assert secrets_in(environ, ()) == {
        "HTTP_PROXY (its user)": token,
        "ALL_PROXY (its password)": "a/b@" + "c123",
    }
