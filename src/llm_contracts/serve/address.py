"""The addresses of a replay server. Pure.

`/[run/KEY/][scenario/NAME/]PROVIDER/<the provider's own path>`
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from urllib.parse import quote, unquote

DEFAULT_RUN = "default"
"""The run of whoever names none."""

RESERVED = frozenset({"", "health", "run", "scenario"})
"""What no provider can be called."""

RUN_KEY = re.compile(r"[A-Za-z0-9][A-Za-z0-9._~-]{0,99}")
"""A run's key: up to a hundred letters, digits and `.`, `_`, `~`, `-`."""


@dataclass(frozen=True, kw_only=True, slots=True)
class Address:
    """What a request is addressed to.

    Attributes:
        run: the run's key.
        scenario: the scenario that must answer, if one was named.
        provider: the first segment after these; empty if there is none.
        target: the provider's own path and query.
    """

    run: str = DEFAULT_RUN
    scenario: str | None = None
    provider: str = ""
    target: str = "/"

    @property
    def prefix(self) -> str:
        """The part of the path that stands for the provider's scheme and host."""
        run = f"/run/{self.run}" if self.run != DEFAULT_RUN else ""
        scenario = f"/scenario/{quote(self.scenario, safe='')}" if self.scenario is not None else ""
        return f"{run}{scenario}/{quote(self.provider)}"


def parsed(target: str) -> Address:
    """Take an address apart. Anything is an address; what it names may not exist."""
    run, target = _named("run", target)
    scenario, target = _named("scenario", target)
    path, mark, query = target.partition("?")
    provider, _, rest = path.removeprefix("/").partition("/")
    return Address(
        run=DEFAULT_RUN if run is None else run,
        scenario=scenario,
        provider=unquote(provider),
        target=f"/{rest}{mark}{query}",
    )


def _named(kind: str, target: str) -> tuple[str | None, str]:
    match = re.match(rf"/{kind}/([^/?]*)", target)
    return (None, target) if match is None else (unquote(match[1]), target[match.end() :] or "/")
