"""No form of a secret survives scrubbing, and what is scrubbed stays as it is."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus, urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.wire.interaction import Headers, Interaction, Piece, Request, Response
from llm_contracts.wire.scrub import Scrubber, SecretFound, find_secrets, scrub_query
from tests.harness.wire.exchanges import JSON, exchange, streamed

KEY = 'sk-a/b+c=d"e&f g'
SECRETS = {"OPENAI_API_KEY": KEY}
_FORM: Headers = (("content-type", "application/x-www-form-urlencoded"),)

FORMS = {
    "raw": KEY,
    "url-encoded": quote(KEY, safe=""),
    "url-encoded-in-lower-case": "".join(c if c.isalnum() or c == "-" else f"%{ord(c):02x}" for c in KEY),
    "url-encoded-path": quote(KEY),
    "form-encoded": quote_plus(KEY),
    "json": json.dumps(KEY),
    "json-with-escaped-slashes": json.dumps(KEY).replace("/", "\\/"),
    "base64": base64.b64encode(KEY.encode()).decode(),
    "base64-for-urls": base64.urlsafe_b64encode(KEY.encode()).decode(),
    "basic-1": base64.b64encode(f"u:{KEY}".encode()).decode(),
    "basic-2": base64.b64encode(f"us:{KEY}:x".encode()).decode(),
    "basic-3": base64.b64encode(f"use:{KEY}:xy".encode()).decode(),
}


@pytest.mark.parametrize("form", FORMS.values(), ids=list(FORMS))
def test_every_form_of_a_secret_is_found_and_masked_in_every_place(form: str) -> None:
    body = f'{{"a": "{form}"}}'.encode()
    uri = f"https://x/{form}?a={form}"
    leaking = Interaction(
        request=Request(method="POST", uri=uri, headers=(("x-other", f"v {form}"),), body=body),
        response=Response(
            status=400,
            reason=form,
            headers=(("x-back", form),),
            body=body,
            pieces=(Piece(size=len(body), at_ms=0),),
        ),
    )
    assert find_secrets(body, SECRETS) == ["OPENAI_API_KEY"]
    clean = Scrubber(SECRETS).interaction(leaking)
    assert find_secrets(repr(clean).encode(), SECRETS) == []
    assert "******" in repr(clean)
    assert len(clean.request.body) == len(clean.response.body) == len(body)
    assert clean.response.pieces == leaking.response.pieces


def test_a_secret_across_two_pieces_is_masked() -> None:
    body = f"data: {KEY}\n\n".encode()
    pieces = (Piece(size=10, at_ms=0), Piece(size=len(body) - 10, at_ms=1))
    clean = Scrubber(SECRETS).interaction(streamed(body, pieces=pieces))
    assert clean.response.body == b"data: " + b"*" * len(KEY) + b"\n\n"
    assert clean.response.pieces == pieces


@pytest.mark.parametrize(
    ("name", "value", "expected"),
    [
        ("Authorization", "Bearer abc", "Bearer scrubbed"),
        ("authorization", "basic YTpi", "basic scrubbed"),
        ("authorization", "abc", "scrubbed"),
        ("X-Api-Key", "abc", "scrubbed"),
        ("api-key", "abc", "scrubbed"),
        ("x-goog-api-key", "abc", "scrubbed"),
        ("Cookie", "a=b", "scrubbed"),
        ("Set-Cookie", "a=b; Path=/", "scrubbed"),
        ("openai-organization", "org", "scrubbed"),
        ("openai-project", "proj", "scrubbed"),
        ("x-request-id", "req", "scrubbed"),
        ("request-id", "req", "scrubbed"),
        ("x-ds-trace-id", "t", "scrubbed"),
        ("cf-ray", "r", "scrubbed"),
        ("user-agent", "OpenAI/Python 2", "OpenAI/Python 2"),
        ("x-stainless-lang", "python", "python"),
        ("retry-after", "3", "3"),
    ],
)
def test_headers_are_scrubbed_by_name(name: str, value: str, expected: str) -> None:
    """Whether a credential was sent, and by which scheme, stays visible, and so does who the client was."""
    response = Response(status=200, headers=((name, value),))
    assert Scrubber({}).response(response).headers == ((name, expected),)


@pytest.mark.parametrize("field", ["access_token", "client_id", "client_secret", "key", "api_key"])
def test_query_and_form_fields_are_scrubbed_by_name(field: str) -> None:
    form = urlencode({"grant_type": "x", field: "hush/hush", "z": "1"}).encode()
    request = Request(method="POST", uri=f"https://x/y?a=1&{field}=hush&b=2#c", headers=_FORM, body=form)
    clean = Scrubber({}).request(request)
    assert clean.uri == f"https://x/y?a=1&{field}=scrubbed&b=2#c"
    assert clean.body == b"grant_type=x&" + field.encode() + b"=***********&z=1"


def test_the_members_of_a_token_answer_are_masked_by_name() -> None:
    body = b'{"access_token": "24.a\\"b", "expires_in": 5, "session_key":"k", "key": "a word"}'
    clean = Scrubber({}).response(Response(status=200, headers=JSON, body=body))
    assert clean.body == b'{"access_token": "*******", "expires_in": 5, "session_key":"*", "key": "a word"}'


@pytest.mark.parametrize("value", ["", "a", "short", "xxxxxxxxxx"])
def test_values_that_occur_by_accident_are_no_secrets(value: str) -> None:
    text = f"a short text with xxxxxxxxxx in it {value}"
    assert Scrubber({"A": value}).text(text) == text
    assert find_secrets(text.encode(), {"A": value}) == []


def test_a_secret_within_another_is_masked_with_it() -> None:
    assert Scrubber({"A": "abcdef", "B": "xabcdefx"}).text("xabcdefx abcdef") == "******** ******"


def test_a_mask_that_completes_another_secret_is_masked_again() -> None:
    assert Scrubber({"A": "secret", "B": "ab******"}).text("absecret") == "********"


def test_several_variables_are_named_in_order() -> None:
    assert find_secrets(b"abcdef uvwxyz", {"B": "abcdef", "A": "uvwxyz", "C": "nowhere"}) == ["A", "B"]


def test_the_error_names_variables_and_never_values() -> None:
    error = SecretFound("cassettes/x.yaml", ["OPENAI_API_KEY"])
    assert str(error).startswith("cassettes/x.yaml: holds the value of OPENAI_API_KEY.")


def test_a_query_without_credentials_stays_as_it_is() -> None:
    assert scrub_query("https://x/y?monkey=1&turkey=2") == "https://x/y?monkey=1&turkey=2"


def test_a_scrubber_does_not_show_what_it_hides() -> None:
    assert KEY not in repr(Scrubber(SECRETS))


@given(
    secrets=st.dictionaries(
        st.sampled_from("ABC"), st.text(st.sampled_from('ab*/\\"é '), min_size=6, max_size=8), min_size=1
    ),
    text=st.text(st.sampled_from('ab*/\\"é %'), max_size=40),
    data=st.data(),
)
def test_scrubbing_is_thorough_and_changes_nothing_the_second_time(
    secrets: dict[str, str], text: str, data: st.DataObject
) -> None:
    inside = data.draw(st.sampled_from(sorted(secrets.values())))
    body = f"{text}{inside}{json.dumps(inside)}{quote(inside, safe='')}".encode()
    leaking = exchange(
        Response(status=200, reason=inside, headers=(("x", inside), ("cookie", inside)), body=body), body=body
    )
    once = Scrubber(secrets).interaction(leaking)
    assert find_secrets(once.response.body, secrets) == []
    assert Scrubber(secrets).interaction(once) == once
    assert len(once.response.body) == len(body)
