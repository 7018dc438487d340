"""A client's own credentials do not get into a result."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from llm_contracts.clients.observation import Failure, Observation
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


VALUE = "own-0123456789-" + "abcdef"
BASIC = base64.b64encode(f"user:{VALUE}".encode()).decode()
SHAPED = (
    "eyJ" + "hbGciOiJIUzI1NiJ9.eyJzdWIiOiIxMjM0NTY3ODkwIn0.dozjgNryP4J3jVmN",
    "sk-" + "ant0123456789abcdefghijkl",
)


@pytest.mark.parametrize(
    ("headers", "query", "body"),
    [
        *(
            ({name: scheme.format(VALUE)}, "", {})
            for name, scheme in (
                ("Authorization", "ApiKey {}"),
                ("Authorization", 'Token token="{}", nonce="1"'),
                ("Authorization", 'Digest username="u", realm="r", nonce="n", response="{}"'),
                ("Authorization", "AWS4-HMAC-SHA256 Credential=x/20261128/aws4_request, Signature={}"),
                ("Cookie", "theme=dark; session_id={}; other=1"),
                ("X-Session", "{}"),
                ("X-Signature", "{}"),
                ("X-Amz-Security-Token", "{}"),
                ("Ocp-Apim-Subscription-Key", "{}"),
                ("CF-Access-Client-Secret", "{}"),
            )
        ),
        ({"Authorization": f"Basic {BASIC}"}, "", {}),
        *(({}, f"?{name}={VALUE}", {}) for name in ("sig", "key", "access_token", "X-Amz-Signature")),
        *(({}, "", {name: VALUE}) for name in ("api_key", "password", "token", "signature")),
        ({}, "", {"credentials": [{"secret": VALUE}]}),
        ({"X-Forwarded-Access": SHAPED[0]}, "", {}),
        ({}, f"/{SHAPED[1]}/x", {}),
    ],
)
def test_every_kind_of_credential_that_a_client_sends_is_masked_and_the_line_stays_json(
    headers: dict[str, str], query: str, body: dict[str, Any]
) -> None:
    """The value ends a JSON text as it ends its quotes in a header: they are not the same quotes."""
    known = next(value for value in (*SHAPED, VALUE) if value in f"{headers}{query}{body}{VALUE}")
    asked = Request(
        method="POST",
        uri=f"https://provider/v1{query}",
        headers=tuple(headers.items()),
        body=json.dumps(body).encode(),
    )
    failed = Failure(category="x", message=f"no answer for {known}")
    observed = Observation(client="candidate", requests=(asked,), failure=failed)
    line = line_of(Item(id="p/s", provider="p", scenario="s", candidate=observed))
    message = json.loads(line)["observed"]["candidate"]["failure"]["message"]
    assert message == f"no answer for {'*' * len(known)}"
    assert known.encode() not in line
    assert BASIC.encode() not in line


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
