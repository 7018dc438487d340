"""What a person is told when the way to a provider, or what comes back over it, is at fault."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest
import trustme

from llm_contracts.project.endpoint import Endpoint
from llm_contracts.record.run import RecordingContext, RecordOutcome
from llm_contracts.wire.proxy.exchange import Limits
from llm_contracts.wire.proxy.network import EdgeError
from llm_contracts.wire.proxy.server import Edge
from llm_contracts.wire.scrub import Scrubber
from tests.harness.record.workshop import REAL_KEY, Workshop, plain_client, row
from tests.harness.wire.exchanges import stream
from tests.harness.wire.upstream import Peer, Upstream


def _answer(peer: Peer) -> None:
    peer.head()
    peer.chunk(stream("a"))
    peer.last_chunk()


def _environ(upstream: Upstream, **more: str) -> dict[str, str]:
    return {"OPENAI_API_KEY": REAL_KEY, "OPENAI_BASE_URL": upstream.origin + "/v1", **more}


def test_a_private_authority_is_trusted_when_named_and_the_way_to_name_it_is_told_else(
    workshop: Workshop, tmp_path: Path
) -> None:
    authority, context = trustme.CA(), ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert("localhost").configure_cert(context)
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    with Upstream(_answer, tls=context) as upstream:
        (refused,) = workshop.record(row(), live=True, environ=_environ(upstream)).takes
        named = _environ(upstream, SSL_CERT_FILE=str(tmp_path / "ca.pem"))
        (recorded,) = workshop.record(row(), live=True, environ=named).takes
    assert refused.outcome is RecordOutcome.FAILED
    assert "the exchange ended early (refused)" in refused.detail
    assert "Set SSL_CERT_FILE" in refused.detail
    assert recorded.outcome is RecordOutcome.RECORDED
    assert workshop.cassette(row()).interactions[0].response.body == stream("a")


def test_settings_that_cannot_work_end_the_run(workshop: Workshop) -> None:
    with Upstream(_answer) as upstream:
        environ = _environ(upstream, SSL_CERT_FILE="/no/such/file.pem")
        environ["OPENAI_BASE_URL"] = "https://localhost:1/v1"
        with pytest.raises(EdgeError, match="SSL_CERT_FILE"):
            workshop.record(row(), live=True, environ=environ)


def test_an_answer_that_cannot_be_kept_whole_is_not_kept_at_all() -> None:
    with Upstream(_answer) as upstream, Edge(limits=Limits(answer=10)) as edge:
        context = RecordingContext(edge=edge, client=plain_client, name="c", scrubber=Scrubber({}), timeout=5)
        base = upstream.origin + "/v1"
        endpoint = Endpoint(base_url=base, public_url="https://api.openai.com/v1", key=REAL_KEY)
        attempt = context.attempt(row(), endpoint)
    assert "the answer is larger than" in attempt.objection
    assert attempt.interactions == ()
