"""A client's own credentials do not get into a result."""

from __future__ import annotations

import base64

from llm_contracts.clients.observation import Observation
from llm_contracts.parity.result import Item
from llm_contracts.results.items import line_of
from llm_contracts.wire.interaction import Request

TOKEN = "hvs.CAESIJ-made-up-" + "0123456789"


def test_a_token_from_a_vault_is_masked_wherever_a_client_has_put_it() -> None:
    """As `record` does it: under a credential's name it is learned, and then hidden in any form."""
    told = {"note": f"I am {TOKEN}", "again": base64.b64encode(TOKEN.encode()).decode()}
    asked = Request(
        method="POST",
        uri=f"https://provider/v1?trace={TOKEN}",
        headers=(("x-vault", TOKEN), ("Authorization", f"Bearer {TOKEN}")),
        body=str(told).encode(),
    )
    observed = Observation(client="candidate", requests=(asked,))
    line = line_of(Item(id="p/s", provider="p", scenario="s", candidate=observed))
    assert TOKEN.encode() not in line
    assert base64.b64encode(TOKEN.encode()) not in line
    assert b"hvs." not in line
    assert b"*" * len(TOKEN) in line


def test_a_result_without_credentials_is_as_it_was() -> None:
    asked = Request(
        method="POST",
        uri="https://provider/v1",
        headers=(("authorization", "Bearer replay-key"),),
        body=b"{}",
    )
    line = line_of(
        Item(id="p/s", provider="p", scenario="s", candidate=Observation(client="c", requests=(asked,)))
    )
    assert b"Bearer replay-key" in line
