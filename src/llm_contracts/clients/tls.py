"""Paths trust nobody while recordings are played to them: they need nobody, and so it takes them no time.

Each new client reads the certificate authorities of the whole world, 31 ms for certifi's under OpenSSL 3 (a
client without is built in 1 ms), to speak to an edge that does not even use TLS. And a path that would speak
to anybody else by TLS while it is checked fails there: nothing leaves this machine unseen.
"""

from __future__ import annotations

from collections.abc import MutableMapping
from contextlib import AbstractContextManager
from pathlib import Path

from llm_contracts.util.environ import changed

NOBODY = Path(__file__).with_name("empty_ca_store.pem")
"""The certificate of an authority that ended with 1 January 2000, and whose key was never kept."""


def empty_ca_store(environ: MutableMapping[str, str]) -> AbstractContextManager[None]:
    """While open, clients that heed `SSL_CERT_FILE` (httpx, httpx2, LiteLLM, OpenSSL's own default) find one
    authority, which signs nothing. Afterwards the environment is as it was.
    """
    return changed(environ, {"SSL_CERT_FILE": str(NOBODY)})
