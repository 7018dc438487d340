"""Where a recording is made: whom the edge calls, with which key, and what must never reach a file."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit, urlunsplit

from llm_contracts.project.config import ConfigError, address_fault
from llm_contracts.project.scenario import Provider
from llm_contracts.wire.cassette import Provenance
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.proxy.network import answers_here, is_here

WRONG_KEY = "sk-made-up-to-be-refused-0000"
"""What a scenario sends that wants to see a refusal. It opens nothing anywhere."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Endpoint:
    """A provider as it is reached for recording.

    Attributes:
        base_url: where it is called: the provider's own address, what its variable says, or a simulator.
        public_url: the provider's own base URL, which stands in the recording whatever was called, so that a
            recording made through a company's gateway replays like any other and gives no host names away.
        key: what opens it.
    """

    base_url: str
    public_url: str
    key: str = field(repr=False)

    @property
    def upstream(self) -> str:
        """Scheme and host that the edge calls."""
        return _origin(self.base_url)

    @property
    def public(self) -> str:
        """Scheme and host that the recording names."""
        return _origin(self.public_url)

    @property
    def address(self) -> str:
        """The base URL that is really called, without what it may hold of a user and a password."""
        parts = urlsplit(self.base_url)
        return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query="", fragment=""))

    @property
    def overridden(self) -> bool:
        """Whether something else is called than the provider's own address."""
        return self.base_url.rstrip("/") != self.public_url.rstrip("/")

    @property
    def provenance(self) -> Provenance:
        """What a recording from there is worth. What answers on this machine in a provider's place, under
        whatever name, is a rehearsal; where the provider's own row names this machine, it lives there.
        """
        host, own = (urlsplit(url).hostname or "" for url in (self.base_url, self.public_url))
        stand_in = answers_here(host, loopback_only=not self.overridden) and not is_here(own)
        return Provenance.SIMULATED if stand_in else Provenance.LIVE

    def made_public(self, interaction: Interaction) -> Interaction:
        """The exchange as if the provider's own base URL had been called."""
        request = interaction.request
        called = self.public + urlsplit(self.base_url).path
        if not request.uri.startswith(called):
            return interaction
        uri = self.public_url.rstrip("/") + request.uri.removeprefix(called)
        return replace(interaction, request=replace(request, uri=uri))


def live_endpoint(provider: Provider, environ: Mapping[str, str]) -> Endpoint | None:
    """The provider itself, or what its base-URL variable says; None without a key.

    Raises:
        ConfigError: the variable holds something else than an address.
    """
    variables = filter(None, (provider.key_variable, provider.second_key_variable))
    halves = [environ.get(name, "").strip() for name in variables]
    if not all(halves):
        return None
    override = environ.get(provider.base_url_variable, "").strip() if provider.base_url_variable else ""
    is_base_url = re.fullmatch(r"https?://[^\s/?#]+[^\s?#]*", override) and not address_fault(override)
    if override and not is_base_url:
        name = provider.base_url_variable
        raise ConfigError(
            f"{name} is not a base URL, which is like {provider.base_url}: correct or unset it."
        )
    return Endpoint(
        base_url=(override or provider.base_url).rstrip("/"),
        public_url=provider.base_url,
        key=":".join(halves),
    )


def overrides(providers: Iterable[Provider], environ: Mapping[str, str]) -> Mapping[str, str]:
    """Provider → a sentence, for each that is called at another address than its own, or cannot be."""
    sentences: dict[str, str] = {}
    for row in providers:
        try:
            endpoint = live_endpoint(row, environ)
        except ConfigError as error:
            sentences[row.name] = str(error).rstrip(".")
            continue
        if endpoint is not None and endpoint.overridden:
            worth = (
                "a rehearsal, not live evidence"
                if endpoint.provenance is Provenance.SIMULATED
                else "the recordings say so"
            )
            sentences[row.name] = f"{row.base_url_variable} sends calls to {endpoint.address}: {worth}"
    return sentences


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
