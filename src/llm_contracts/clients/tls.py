"""An empty CA store for clients while recordings are played to them.

The edge on loopback does not use TLS, yet each new client loads all certificate authorities: 31 ms for
certifi's under OpenSSL 3, where a client without them is built in 1 ms. And a client that speaks TLS to any
other address while it is checked fails there: nothing leaves this machine unseen.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from pathlib import Path

from llm_contracts.util.environ import with_variables

EMPTY_CA_STORE = Path(__file__).with_name("empty_ca_store.pem")
"""One authority, whose certificate expired on 1 January 2000 and whose key was thrown away."""


def empty_ca_store(environ: MutableMapping[str, str]) -> AbstractContextManager[None]:
    """While open, clients that read `SSL_CERT_FILE` (httpx, httpx2, LiteLLM, OpenSSL by default) trust no
    certificate. Afterwards the environment is as it was.
    """
    return with_variables(environ, {"SSL_CERT_FILE": str(EMPTY_CA_STORE)})
