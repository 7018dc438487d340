"""Clients must reach the edge straight, whatever proxy their environment names.

Most HTTP libraries send even requests to 127.0.0.1 through the proxy that `HTTP_PROXY` names, unless
`NO_PROXY` says otherwise. A proxy elsewhere cannot reach this machine's loopback, so each client would seem
to fail, with every recording.
"""

from __future__ import annotations

from collections.abc import Iterator, MutableMapping
from contextlib import contextmanager

from llm_contracts.util.environ import with_variables

_HERE = ("127.0.0.1", "localhost")
_NAMES = ("NO_PROXY", "no_proxy")  # where both are set some libraries read one and some the other


@contextmanager
def reached_straight(environ: MutableMapping[str, str]) -> Iterator[None]:
    """While open, the environment exempts this machine from its proxies; afterwards it is as it was."""
    present = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    proxied = any(name.lower().endswith("_proxy") and name not in _NAMES for name in environ)
    with with_variables(environ, dict.fromkeys(_NAMES, _with_this_machine(present)) if proxied else {}):
        yield


def _with_this_machine(exempt: str) -> str:
    hosts = [host.strip() for host in exempt.split(",") if host.strip()]
    return ",".join(hosts if "*" in hosts else dict.fromkeys((*hosts, *_HERE)))
