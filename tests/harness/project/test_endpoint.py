"""What a recording is worth depends on who answered, under whatever name."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from llm_contracts.project.endpoint import Endpoint

NAMES = {"mock.example": "127.0.0.1", "six.example": "::1", "mapped.example": "::ffff:127.0.0.1"}
ELSEWHERE = {"gateway.example": "203.0.113.7", "api.acme.example": "203.0.113.8"}


@pytest.fixture(autouse=True)
def names(monkeypatch: pytest.MonkeyPatch) -> None:
    """Two sorts of names; what is an address already needs no server of names."""
    known = NAMES | ELSEWHERE

    def resolved(host: str, port: int, **more: Any) -> list[Any]:
        address = known.get(host, host)
        if address.endswith(".example"):
            raise socket.gaierror
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        return [(family, more["type"], 0, "", (address, port))]

    monkeypatch.setattr(socket, "getaddrinfo", resolved)


def provenance(base_url: str, public_url: str = "https://api.acme.example/v1") -> str:
    return str(Endpoint(base_url=base_url, public_url=public_url, key="k").provenance)


@pytest.mark.parametrize(
    "host",
    [
        *("127.0.0.1", "127.9.9.9", "127.1", "2130706433", "0.0.0.0", "[::1]", "[::]", "[::ffff:127.0.0.1]"),
        *("localhost", "LocalHost", "localhost.", "acme.localhost", socket.gethostname(), *NAMES),
    ],
)
def test_what_answers_on_this_machine_in_a_providers_place_is_a_rehearsal(host: str) -> None:
    assert provenance(f"http://{host}:4010/v1") == "simulated"


@pytest.mark.parametrize("host", [*ELSEWHERE, "203.0.113.9", "[2001:db8::1]", "nobody.example", "ä" * 70])
def test_what_answers_elsewhere_is_live(host: str) -> None:
    assert provenance(f"https://{host}/v1") == "live"


def test_a_provider_s_own_name_that_leads_here_is_a_rehearsal_too() -> None:
    assert provenance("https://mock.example/v1", "https://mock.example/v1") == "simulated"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", socket.gethostname()])
def test_a_row_that_names_this_machine_says_where_the_provider_lives(host: str) -> None:
    assert provenance(f"http://{host}:8000/v1", f"http://{host}:8000/v1") == "live"
    assert provenance("http://127.0.0.1:9/v1", f"http://{host}:8000/v1") == "live"
