"""The ways to the provider and to the edge: which proxy, which certificate authorities.

Both come from the variables that the clients read too, so that a recording is made over the way that the
application would take. `~/.netrc` takes no part: the key is the client's business.
"""

from __future__ import annotations

import ipaddress
import socket
import ssl
from collections.abc import Iterator, Mapping, MutableMapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit
from urllib.request import proxy_bypass_environment  # type: ignore[attr-defined] # typeshed leaves it out

import aiohttp

from llm_contracts.util.environ import with_variables

_AUTHORITIES = ("SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")
_AUTHORITY_FOLDER = "SSL_CERT_DIR"
_ALLOWED = ("http", "https")
_HERE = ("127.0.0.1", "localhost")
_EXEMPTIONS = ("NO_PROXY", "no_proxy")  # where both are set some libraries read one and some the other
_PROXY = (
    "The environment names it: correct HTTPS_PROXY or HTTP_PROXY, or put the provider's host into NO_PROXY."
)


class EdgeError(Exception):
    """The edge cannot be opened, or not with these settings."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Network:
    """How providers are reached; by default straight, trusting whom the system trusts.

    Attributes:
        proxies: proxy by the scheme of what is called, `all` for any; and `no`: hosts that need none.
        authorities: a file or folder of certificates that are trusted in place of the system's.
        authorities_from: the variable that named it.
    """

    proxies: Mapping[str, str]
    authorities: Path | None = None
    authorities_from: str = ""

    def proxy_for(self, url: str) -> str | None:
        """The proxy to call a URL through; None for this machine and for what `NO_PROXY` names.

        Raises:
            EdgeError: the proxy is of a kind that cannot be used.
        """
        parts = urlsplit(url)
        proxy = self.proxies.get(parts.scheme) or self.proxies.get("all")
        if not proxy or is_here(parts.hostname or "") or proxy_bypass_environment(parts.netloc, self.proxies):
            return None
        proxy = proxy if "://" in proxy else f"http://{proxy}"
        if urlsplit(proxy).scheme not in _ALLOWED:
            msg = (
                f"The environment names a {urlsplit(proxy).scheme} proxy for {parts.hostname}, and the edge "
                f"knows http and https ones. Set {parts.scheme.upper()}_PROXY to one, or put the host into "
                "NO_PROXY."
            )
            raise EdgeError(msg)
        return proxy

    def tls(self) -> ssl.SSLContext | bool:
        """What aiohttp is given as `ssl`.

        Raises:
            EdgeError: the certificates cannot be read; it names the variable.
        """
        path = self.authorities
        if path is None:
            return True
        try:
            is_folder = path.is_dir()
            return ssl.create_default_context(
                cafile=None if is_folder else str(path), capath=str(path) if is_folder else None
            )
        except OSError as error:  # includes ssl.SSLError
            reason = "it holds no certificates" if isinstance(error, ssl.SSLError) else error.strerror
            msg = (
                f"{self.authorities_from} names {path}, which cannot be used ({reason}). Correct or unset it."
            )
            raise EdgeError(msg) from error


DIRECT = Network(proxies={})
"""No proxy, and the system's authorities."""


def network_from(environ: Mapping[str, str]) -> Network:
    """What the variables say. A lower-case name wins over its upper-case twin, as everywhere."""
    proxies: dict[str, str] = {}
    for name, value in sorted(environ.items()):  # upper case sorts before lower case
        scheme, _, suffix = name.lower().rpartition("_")
        if suffix == "proxy" and scheme and value.strip():
            proxies[scheme] = value.strip()
    named = next((name for name in (*_AUTHORITIES, _AUTHORITY_FOLDER) if environ.get(name, "").strip()), None)
    if named is None:
        return Network(proxies=proxies)
    return Network(proxies=proxies, authorities=Path(environ[named].strip()), authorities_from=named)


def explained(error: BaseException) -> str:
    """What went wrong on the way to a provider and, where something can be done about it, what."""
    if isinstance(error, aiohttp.ClientConnectorCertificateError):
        return (
            f"the certificate of {error.host}:{error.port} is not trusted ({error.certificate_error}). "
            "Set SSL_CERT_FILE to the file of the authority that signed it."
        )
    if isinstance(error, aiohttp.ClientProxyConnectionError):
        return f"the proxy {error.host}:{error.port} cannot be reached ({error.os_error.strerror}). {_PROXY}"
    if isinstance(error, aiohttp.ClientHttpProxyError):
        return f"the proxy refused ({error.status} {error.message}). {_PROXY}"
    if isinstance(error, aiohttp.ClientConnectorError):
        return f"{error.host}:{error.port} cannot be reached ({error.os_error.strerror or error.os_error})."
    return f"{str(error) or type(error).__name__}."


@contextmanager
def reached_straight(environ: MutableMapping[str, str]) -> Iterator[None]:
    """While open, the environment exempts this machine from its proxies; afterwards it is as it was.

    Clients must reach the edge straight. Most HTTP libraries send even requests to 127.0.0.1 through the
    proxy that `HTTP_PROXY` names, unless `NO_PROXY` says otherwise. A proxy elsewhere cannot reach this
    machine's loopback, so each client would seem to fail, with every recording.
    """
    present = environ.get("no_proxy") or environ.get("NO_PROXY") or ""
    proxied = any(name.lower().endswith("_proxy") and name not in _EXEMPTIONS for name in environ)
    hosts = [host.strip() for host in present.split(",") if host.strip()]
    exempt = ",".join(hosts if "*" in hosts else dict.fromkeys((*hosts, *_HERE)))
    with with_variables(environ, dict.fromkeys(_EXEMPTIONS, exempt) if proxied else {}):
        yield


def is_here(host: str) -> bool:
    """Whether a host is this machine by what it is called: `localhost`, a loopback address, the own name."""
    host = host.rstrip(".")
    if host == socket.gethostname().lower() or f".{host}".endswith(".localhost"):
        return True
    try:
        return _is_loopback(socket.inet_ntoa(socket.inet_aton(host)))  # also `127.1`
    except (OSError, UnicodeError):
        return _is_loopback(host)


def answers_here(host: str, *, loopback_only: bool = False) -> bool:
    """Whether it is this machine that answers under a name, as the system resolves it; by any address
    of its own unless `loopback_only`. A name that cannot be resolved is elsewhere.
    """
    if is_here(host):
        return True
    try:
        found = {(each[0], each[4]) for each in socket.getaddrinfo(host, 9, type=socket.SOCK_DGRAM)}
    except (OSError, UnicodeError):
        return False
    return any(
        _is_loopback(str(address[0])) or (not loopback_only and _is_own(family, address))
        for family, address in found
    )


def _is_loopback(text: str) -> bool:
    try:
        address = ipaddress.ip_address(text)
    except ValueError:
        return False
    mapped = getattr(address, "ipv4_mapped", None) or address
    return mapped.is_loopback or mapped.is_unspecified


def _is_own(family: int, address: tuple[Any, ...]) -> bool:
    """Whether the way there begins where it ends. Nothing is sent."""
    with socket.socket(family, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(address)
        except OSError:
            return False
        return bool(probe.getsockname()[0] == address[0])
