"""Where a recording is made: whom the edge calls, with which key, and what must never reach a file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from urllib.parse import urlsplit

from llm_contracts.project.scenario import Provider, Scenario
from llm_contracts.wire.interaction import Interaction

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

    def base_url_through(self, origin: str) -> str:
        """The base URL for a client that must go through the edge."""
        return origin + urlsplit(self.base_url).path

    def key_for(self, scenario: Scenario) -> str:
        """The key to send."""
        return WRONG_KEY if scenario.key == "wrong" else self.key

    def made_public(self, interaction: Interaction) -> Interaction:
        """The exchange as if the provider's own base URL had been called."""
        request = interaction.request
        called = self.public + urlsplit(self.base_url).path
        if not request.uri.startswith(called):
            return interaction
        uri = self.public_url.rstrip("/") + request.uri.removeprefix(called)
        return replace(interaction, request=replace(request, uri=uri))


def live_endpoint(provider: Provider, environ: Mapping[str, str]) -> Endpoint | None:
    """The provider itself, or what its base-URL variable says; None without a key."""
    variables = filter(None, (provider.key_variable, provider.second_key_variable))
    halves = [environ.get(name, "").strip() for name in variables]
    if not all(halves):
        return None
    override = environ.get(provider.base_url_variable, "").strip() if provider.base_url_variable else ""
    return Endpoint(
        base_url=(override or provider.base_url).rstrip("/"),
        public_url=provider.base_url,
        key=":".join(halves),
    )


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.netloc}"
