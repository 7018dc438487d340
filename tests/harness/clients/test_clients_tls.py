"""While recordings are played nobody is trusted, and building a client takes next to nothing."""

from __future__ import annotations

import os
import ssl

import pytest

from llm_contracts.clients.tls import EMPTY_CA_STORE, empty_ca_store


def test_one_authority_is_trusted_and_its_time_is_over() -> None:
    """In a context that is made as httpx makes it."""
    with empty_ca_store(os.environ):
        trusted = ssl.create_default_context(cafile=os.environ["SSL_CERT_FILE"]).get_ca_certs()
    assert [found["notAfter"] for found in trusted] == ["Jan  2 00:00:00 2000 GMT"]


@pytest.mark.parametrize("before", [{}, {"SSL_CERT_FILE": "/company/authorities.pem"}])
def test_afterwards_the_environment_is_as_it_was(before: dict[str, str]) -> None:
    environ = dict(before)
    with empty_ca_store(environ):
        assert environ["SSL_CERT_FILE"] == str(EMPTY_CA_STORE)
    assert environ == before
