"""No form of a secret survives scrubbing, and what is scrubbed stays as it is."""

from __future__ import annotations

import base64
import gzip
import html
import itertools
import json
import quopri
import re
import textwrap
import zlib
from collections.abc import Callable
from dataclasses import replace
from hashlib import sha256
from urllib.parse import quote, quote_plus, urlencode

import brotli
import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.wire.interaction import Headers, Interaction, Piece, Request, Response
from llm_contracts.wire.scrub import Scrubber, SecretFound, find_secrets, scrub_query
from llm_contracts.wire.scrub.candidates import Candidates
from llm_contracts.wire.scrub.forms import patterns
from tests.harness.wire.exchanges import JSON, exchange, streamed

KEY = 'sk-a/b+c=d"e&f g'
SECRETS = {"OPENAI_API_KEY": KEY}
_FORM: Headers = (("content-type", "application/x-www-form-urlencoded"),)
QUOTED = quopri.encodestring(KEY.encode(), quotetabs=True).decode()

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
    "json-all-escaped": "".join(f"\\u{ord(c):04x}" for c in KEY),
    "json-half-escaped": "".join(
        f"\\u{ord(c):04X}" if n % 2 else json.dumps(c)[1:-1] for n, c in enumerate(KEY)
    ),
    "json-in-json": json.dumps(json.dumps(json.dumps(KEY))),
    "percent-twice": quote(quote(KEY, safe=""), safe=""),
    "html": html.escape(KEY),
    "python": "".join(f"\\x{ord(c):02x}" for c in KEY),
    "hexadecimal": KEY.encode().hex(),
    "hexadecimal-in-capitals": KEY.encode().hex().upper(),
    "hexadecimal-with-colons": KEY.encode().hex(":"),
    "hexadecimal-numbers": ", ".join(f"0x{byte:02X}" for byte in KEY.encode()),
    "quoted-printable": QUOTED,
    "quoted-printable-in-lines": "=\r\n".join(re.findall(r"=..|.", QUOTED)),
    "base64-of-url-encoded": base64.b64encode(f"k={quote(KEY, safe='')}".encode()).decode(),
    "base64-in-a-query": quote(base64.b64encode(KEY.encode()).decode(), safe=""),
    "base64-in-lines": textwrap.fill(base64.b64encode(KEY.encode()).decode(), 7),
    **{
        f"hexadecimal-with-{name}": between.join(f"{byte:02x}" for byte in KEY.encode())
        for name, between in {
            "tabs": "\t",
            "bars": " | ",
            "escaped-line-ends": "\\n",
            "quotes": '", "0x',
        }.items()
    },
    "numbers": str(list(KEY.encode())),
    "numbers-in-json-in-json": json.dumps(json.dumps({"type": "Buffer", "data": [*KEY.encode()]}, indent=2)),
    "javascript": "".join(f"\\u{{{ord(c):x}}}" for c in KEY),
    "old-javascript": "".join(f"%u{ord(c):04X}" for c in KEY),
    "wide-python": "".join(f"\\U{ord(c):08x}" for c in KEY),
    "html-with-zeros": "".join(f"&#{ord(c):07d};" for c in KEY),
    "html-without-semicolons": "".join(f"&#{ord(c)}" for c in KEY),
    "utf-16-in-json": json.dumps(KEY.encode("utf-16-be").decode("latin-1")),
    **{
        f"{coding}-in-base64": base64.b64encode(f"é{KEY}".encode(coding)).decode()
        for coding in ("utf-16-le", "utf-16-be", "utf-32-le", "utf-32-be")
    },
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


@pytest.mark.parametrize("coding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-32-le", "utf-32-be"])
def test_a_key_in_utf_16_or_32_is_masked(coding: str) -> None:
    body = f"a {KEY} b".encode(coding)
    assert find_secrets(body, SECRETS) == ["OPENAI_API_KEY"]
    clean = Scrubber(SECRETS).data(body)
    assert clean.replace(b"*" * len(KEY.encode(coding[:6] + "-le")), b"") == "a  b".encode(coding)


def test_a_key_in_a_list_of_numbers_is_masked_and_the_list_stays_one() -> None:
    body = json.dumps({"type": "Buffer", "data": [1, *KEY.encode(), 254]}).encode()
    numbers = json.loads(Scrubber(SECRETS).data(body))["data"]
    assert (numbers[0], numbers[-1]) == (1, 254)
    assert set(numbers[1:-1]) <= {42, 120}


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
        ("x-dashscope-request-id", "r", "scrubbed"),
        ("X-Bce-Request-Id", "r", "scrubbed"),
        ("X-Tt-Logid", "r", "scrubbed"),
        ("X-Log-Id", "r", "scrubbed"),
        ("x-siliconcloud-trace-id", "t", "scrubbed"),
        ("anthropic-organization-id", "o", "scrubbed"),
        ("traceparent", "00-1-2-01", "scrubbed"),
        ("x-ratelimit-limit-requests", "10", "10"),
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


def test_request_and_organisation_ids_in_a_body_are_masked_by_name() -> None:
    body = b'{"error": {"code": "x"}, "request_id": "b29-30", "id": "c-1", "organization_id": "o1"}'
    clean = Scrubber({}).response(Response(status=400, headers=JSON, body=body))
    assert (
        clean.body
        == b'{"error": {"code": "x"}, "request_id": "******", "id": "c-1", "organization_id": "**"}'
    )


def delta(text: str, index: int = 0, place: str = "content") -> bytes:
    choice = {"delta": {place: text}, "index": index, "finish_reason": None}
    return b"data: " + json.dumps({"id": "c-1", "model": "m", "choices": [choice]}).encode() + b"\n\n"


def texts_of(body: bytes, index: int = 0) -> str:
    lines = [json.loads(line[6:]) for line in body.decode().splitlines() if line]
    choices = [choice for line in lines for choice in line["choices"] if choice["index"] == index]
    return "".join(choice["delta"].get("content", "") for choice in choices)


@pytest.mark.parametrize("size", [1, 2, 5])
def test_a_key_that_a_model_says_token_by_token_is_found_and_masked_in_each_event(size: int) -> None:
    parts = [KEY[start : start + size] for start in range(0, len(KEY), size)]
    body = b"".join(map(delta, ["It is ", *parts, "."]))
    assert KEY.encode() not in body
    assert find_secrets(body, SECRETS) == ["OPENAI_API_KEY"]
    clean = Scrubber(SECRETS).response(Response(status=200, body=body)).body
    assert find_secrets(clean, SECRETS) == []
    assert texts_of(clean).strip("*") == "It is ."[:6] or texts_of(clean).startswith("It is *")
    assert texts_of(clean).endswith("*.")
    assert len(clean) == len(body)


def test_a_key_is_found_in_one_of_two_answers_that_come_interleaved() -> None:
    body = b"".join(delta(c, 0) + delta("lorem ipsum"[n % 11], 1) for n, c in enumerate(KEY))
    assert find_secrets(body, SECRETS) == ["OPENAI_API_KEY"]
    clean = Scrubber(SECRETS).data(body)
    assert set(texts_of(clean, 0)) <= {"*", "\\"}
    assert texts_of(clean, 1).startswith("lorem ipsum")


@pytest.mark.parametrize(
    "body",
    [
        "".join(f"data: {c}\n\n" for c in "sk-plain-0123"),
        'data: {"sk-plai\n\ndata: n-0123 it is\n\n',
        json.dumps([{"parts": [{"text": c}]} for c in "sk-plain-0123"]),
        json.dumps({"parts": [{"text": "sk-pl"}, {"text": "ain-0123"}]}, indent=2),
        "".join(json.dumps({"response": c}) + "\n" for c in "sk-plain-0123"),
        "".join(f"event: m\r\ndata: {json.dumps({'answer': c})}\r\n\r\n" for c in "sk-plain-0123"),
        "".join(f"data: {json.dumps({'index': n, 'text': c})}\n\n" for n, c in enumerate("sk-plain-0123")),
    ],
    ids=[
        "plain-text-events",
        "after-a-brace",
        "array-of-answers",
        "parts",
        "json-lines",
        "dify-with-crlf",
        "counted-events",
    ],
)
def test_a_key_in_parts_is_found_in_every_kind_of_stream(body: str) -> None:
    secrets = {"K": "sk-plain-0123"}
    assert find_secrets(body.encode(), secrets) == ["K"]
    assert find_secrets(Scrubber(secrets).data(body.encode()), secrets) == []


@pytest.mark.parametrize("streamed_as", ["data: {}\n\n", "{}\n"])
def test_a_key_in_the_bytes_beside_each_token_is_masked_and_the_lists_stay_lists(streamed_as: str) -> None:
    key = "sk-plain-0123"
    tokens = [key[start : start + 3] for start in range(0, len(key), 3)]
    told = [{"bytes": [*token.encode()], "top_logprobs": [{"bytes": [1, 22]}]} for token in tokens]
    bodies = ("".join(streamed_as.format(json.dumps(each)) for each in told), json.dumps(told))
    for body in bodies:
        assert find_secrets(body.encode(), {"K": key}) == ["K"]
        clean = Scrubber({"K": key}).data(body.encode())
        assert find_secrets(clean, {"K": key}) == []
        assert len(clean) == len(body)
    masked = [each["bytes"] for each in json.loads(clean)]
    assert masked[0] == [120, 120, 42]
    assert [each["top_logprobs"] for each in json.loads(clean)] == [each["top_logprobs"] for each in told]


def _token(text: str, *others: str, first: bool) -> dict[str, object]:
    """As OpenAI writes it: a token, and beside it the likeliest ones, of which it may be any."""
    said = [{"token": each, "bytes": [*each.encode()]} for each in (text, *others)]
    return {**said[0], "top_logprobs": said if first else said[::-1]}


@pytest.mark.parametrize("streamed_as", ["data: {}\n\n", "{}\n", "{}"])
@pytest.mark.parametrize("place", ["first", "last", "in turn", "only an alternative"])
def test_a_key_among_several_alternatives_is_masked_with_them(streamed_as: str, place: str) -> None:
    key = "plain-key-0123"
    parts = [key[start : start + 3] for start in range(0, len(key), 3)]
    if place == "only an alternative":
        content = [_token("no", part, "or", first=True) for part in parts]
    else:
        firsts = (place == "first" or (place == "in turn" and n % 2 == 0) for n in range(len(parts)))
        content = [_token(part, "no", "or", first=first) for part, first in zip(parts, firsts, strict=True)]
    many = [{"choices": [{"logprobs": {"content": [each]}}]} for each in content]
    documents = many if streamed_as != "{}" else [{"choices": [{"logprobs": {"content": content}}]}]
    body = "".join(streamed_as.format(json.dumps(each)) for each in documents).encode()
    assert find_secrets(body, {"K": key}) == ["K"]
    clean = Scrubber({"K": key}).data(body)
    assert find_secrets(clean, {"K": key}) == []
    assert len(clean) == len(body)
    for part in parts:
        assert f'"{part}"'.encode() not in clean
        assert json.dumps([*part.encode()]).encode() not in clean
    assert clean.count(b'"no"') == body.count(b'"no"')


LAYERS: dict[str, Callable[[bytes], bytes]] = {
    "base64": base64.b64encode,
    "base64 for urls": lambda raw: base64.urlsafe_b64encode(raw).rstrip(b"="),
    "base64 in lines": lambda raw: base64.encodebytes(raw).strip(),
    "hexadecimal": lambda raw: raw.hex().encode(),
    "hexadecimal with colons": lambda raw: raw.hex(":").upper().encode(),
    "url": lambda raw: quote(raw, safe="").encode(),
    "url, every character": lambda raw: b"".join(b"%%%02x" % byte for byte in raw),
    "json": lambda raw: json.dumps({"a": raw.decode()}).encode(),
    "json, every character": lambda raw: "".join(f"\\u{ord(c):04x}" for c in raw.decode()).encode(),
    "html": lambda raw: "".join(f"&#{ord(c)};" for c in raw.decode()).encode(),
    "quoted-printable": lambda raw: quopri.encodestring(raw, quotetabs=True),
    "words": lambda raw: b"ab " + raw + b" tail",
    "base64 of gzip": lambda raw: base64.b64encode(gzip.compress(raw, mtime=0)),
    "base64 of zlib": lambda raw: base64.b64encode(zlib.compress(raw)),
}


@pytest.mark.parametrize("outermost", LAYERS)
def test_a_key_is_masked_below_three_layers_of_encodings(outermost: str) -> None:
    keys = (KEY, "sk-proj-" + "Ab3dEf6hIj9lMn2pQr5t", "пароль-" + "key-12345")
    for (number, inner), middle in itertools.product(enumerate(LAYERS.values()), LAYERS.values()):
        key = keys[number % len(keys)]
        packed = LAYERS[outermost](middle(inner(key.encode()))).decode()
        body = json.dumps({"content": f"before {packed} after"}).encode()
        scrubber = Scrubber({"K": key})
        assert scrubber.find(body) == find_secrets(body, {"K": key}) == ["K"]
        clean = scrubber.data(body)
        assert len(clean) == len(body)
        assert clean.startswith(b'{"content": "before ')
        assert clean.endswith(b' after"}')
        assert scrubber.find(clean) == []


def test_what_stands_beside_a_packed_key_stays() -> None:
    inner = base64.b64encode(b"the key is " + KEY.encode() + b", and so on and on")
    packed = base64.b64encode(b"some words before " + inner + b" some words behind").decode()
    clean = Scrubber(SECRETS).text(packed)
    shown = base64.b64decode(re.sub(r"\*+", lambda stars: "A" * len(stars[0]), clean))
    assert shown.startswith(b"some words before ")
    assert shown.endswith(b" some words behind")


def test_an_image_and_ids_stay_as_they_are() -> None:
    image = base64.b64encode(b"".join(sha256(bytes(n)).digest() for n in range(300))).decode()
    body = json.dumps({"id": "chatcmpl-9abc0123456789defghijk", "url": f"data:image/png;base64,{image}"})
    assert Scrubber({"K": "sk-plain-0123"}).text(body) == body


def _deflated(raw: bytes) -> bytes:
    packing = zlib.compressobj(wbits=-15)
    return packing.compress(raw) + packing.flush()


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, _deflated, brotli.compress])
@pytest.mark.parametrize("coding", ["", "gzip"])
def test_a_key_in_a_compressed_body_takes_the_body_with_it(
    pack: Callable[[bytes], bytes], coding: str
) -> None:
    """Whatever the header says: nothing of it can be masked alone."""
    with_key, without = (pack(json.dumps({"messages": [text] * 9}).encode()) for text in (KEY, "hello"))
    headers: Headers = (("content-encoding", coding),) if coding else ()
    for body, expected in ((with_key, b"*" * len(with_key)), (without, without)):
        sent = Request(method="POST", uri="https://x/", headers=headers, body=body)
        assert Scrubber(SECRETS).request(sent).body == expected
    assert find_secrets(with_key, SECRETS) == ["OPENAI_API_KEY"]
    assert find_secrets(without, SECRETS) == []


def test_what_unpacks_to_more_than_anybody_looks_at_is_masked_whole() -> None:
    bomb = gzip.compress(b"no key " * 2**20, mtime=0)
    sent = Request(method="POST", uri="https://x/", headers=(), body=bomb)
    assert Scrubber(SECRETS).request(sent).body == b"*" * len(bomb)


def test_bombs_within_a_body_are_not_unpacked() -> None:
    """Nothing is timed: what unpacked each of them would look through 500 MB."""
    bomb = base64.b64encode(gzip.compress(b"no key " * 2**21, mtime=0)).decode()
    body = json.dumps([bomb] * 30).encode()
    assert Scrubber(SECRETS).data(body) == body


@pytest.mark.parametrize(
    "body",
    [
        json.dumps({"first": "sk-pl", "second": "ain-0123"}),
        json.dumps({"a": {"b": ["sk-pl"]}, "c": "ain-0123"}),
        "".join(
            f"data: {json.dumps({'id': 'evt-1', 'model': 'm', 'delta': delta})}\n\n"
            for delta in ({"reasoning": "it is sk-p"}, {"content": "lain"}, {"arguments": "-0123"})
        ),
    ],
    ids=["two-members", "two-depths", "three-kinds-of-deltas"],
)
def test_a_key_in_parts_is_found_in_members_of_different_names(body: str) -> None:
    secrets = {"K": "sk-plain-0123"}
    assert find_secrets(body.encode(), secrets) == ["K"]
    clean = Scrubber(secrets).data(body.encode())
    assert find_secrets(clean, secrets) == []
    assert len(clean) == len(body)
    assert clean.count(b"*") == len(secrets["K"])


@pytest.mark.parametrize(("first", "last"), [(0, 0), (0, 1), (0, 5), (1, 0), (5, 0), (3, 5)])
def test_a_key_that_is_cut_short_is_masked(first: int, last: int) -> None:
    """At either end, by up to an eighth; of a short one, what is left could be anything."""
    key = "made-up-" + "0123456789abcdef" * 2
    shown = key[first : len(key) - last]
    assert Scrubber({"K": key}).text(f"Incorrect: {shown}...") == f"Incorrect: {'*' * len(shown)}..."
    assert Scrubber({"K": key}).text(key[:-6]) == key[:-6]
    assert Scrubber({"K": key}).text(key[6:]) == key[6:]
    assert Scrubber({"K": key[:19]}).text(key[1:19]) == key[1:19]


def test_a_token_that_was_sold_is_hidden_in_what_came_before_and_after_it() -> None:
    token = "24.460da4889caad24cccdb1fea17221975"
    sold = exchange(Response(status=200, headers=JSON, body=json.dumps({"access_token": token}).encode()))
    used = exchange(Response(status=401, headers=JSON, body=f'{{"error": "no {token} here"}}'.encode()))
    earlier = exchange(Response(status=200, headers=(("x-hint", token),), body=quote(f"a {token}").encode()))
    scrubber = Scrubber({})
    scrubber.learn((earlier, sold, used))
    assert token not in repr([scrubber.interaction(one) for one in (earlier, sold, used)])
    assert scrubber.find(token.encode()) == ["a credential in a response's body"]


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("Authorization", "Bearer derived-0123456789"),
        ("Authorization", "HMAC-SHA256 Credential=AK/x, Signature=derived-0123456789"),
        ("Authorization", "Basic " + base64.b64encode(b"me:derived-0123456789").decode()),
        ("Cookie", "a=b; session=derived-0123456789"),
        ("X-Api-Key", "derived-0123456789"),
    ],
)
def test_what_a_client_sends_as_a_credential_is_hidden_where_it_is_echoed(name: str, value: str) -> None:
    response = Response(status=401, body=b'{"message": "bad: derived-0123456789"}')
    echoed = Interaction(
        request=Request(method="GET", uri="https://x/y", headers=((name, value),)), response=response
    )
    scrubber = Scrubber({})
    scrubber.learn((echoed,))
    assert b"derived" not in scrubber.interaction(echoed).response.body


def test_a_made_up_key_that_opens_nothing_is_no_credential() -> None:
    headers = (("Authorization", "Bearer made-up-0123456789"),)
    echoed = Interaction(
        request=Request(method="GET", uri="https://x/y", headers=headers),
        response=Response(status=401, body=b"bad: made-up-0123456789"),
    )
    scrubber = Scrubber({}, harmless=("made-up-0123456789",))
    scrubber.learn((echoed,))
    assert scrubber.interaction(echoed).response == echoed.response


def test_what_is_shaped_like_a_key_is_masked_though_nobody_told_its_value() -> None:
    key = "sk-" + "a1" * 12
    clean = Scrubber({}).data(f'{{"a": "\\n{key} and task-1234567890-1234567890"}}'.encode())
    assert clean == b'{"a": "\\n' + b"*" * len(key) + b' and task-1234567890-1234567890"}'


HOSTILE = {
    "backslashes": b"\\" * 60_000,
    "escaped-quotes": b'\\"' * 60_000,
    "quotes": b'"' * 60_001,
    "braces": b"{" * 20_000,
    "percents": b"%25" * 40_000,
    "escapes": b"s\\u" * 40_000,
    "base64": b"QUFB" * 40_000,
    "pairs": b"ab:" * 40_000,
    "digits-and-percents": b"aaaaaaaaaaa%" * 20_000,
    "lines": b"abcdefghijkl\n" * 20_000,
    "numbers": b"1, 2, " * 20_000,
    "signs-between-digits": b"ab--------" * 12_000,
    "zeros": b"a\0\0\0" * 30_000,
    "braces-in-escapes": b"\\u{0000" * 15_000,
    "entities": b"&amp;amp;#x00000" * 8_000,
}


@pytest.mark.parametrize("hostile", HOSTILE.values(), ids=HOSTILE)
def test_hostile_bytes_are_read_in_one_pass(hostile: bytes) -> None:
    """Nothing is timed: what looks at each byte from each other would never end."""
    assert Scrubber(SECRETS).data(hostile) == hostile


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
    sizes=st.lists(st.integers(1, 4), min_size=1, max_size=8),
    data=st.data(),
)
def test_scrubbing_is_thorough_and_changes_nothing_the_second_time(
    secrets: dict[str, str], text: str, sizes: list[int], data: st.DataObject
) -> None:
    inside = data.draw(st.sampled_from(sorted(secrets.values())))
    starts = [sum(sizes[:n]) for n in range(len(sizes) + 1)]
    parts = [inside[start:end] for start, end in itertools.pairwise([*starts, len(inside)])]
    deltas = b"".join(delta(part) for part in parts if part)
    direct = f"{text}{inside}{json.dumps(inside)}{quote(inside, safe='')}".encode()
    for body in (direct, deltas, deltas + direct):
        leaking = exchange(
            Response(status=200, reason=inside, headers=(("x", inside), ("cookie", inside)), body=body),
            body=body,
        )
        once = Scrubber(secrets).interaction(leaking)
        assert find_secrets(once.response.body, secrets) == []
        assert Scrubber(secrets).interaction(once) == once
        assert len(once.response.body) == len(body)


@given(
    body=st.binary(max_size=200), cut=st.text(st.sampled_from('{}[]":,\\\n\r data: index01*%u&'), max_size=80)
)
def test_scrubbing_any_bytes_is_a_fixed_point(body: bytes, cut: str) -> None:
    scrubber = Scrubber({"A": "da: in", "B": '":"0*1'})
    for data in (body, cut.encode(), body + cut.encode()):
        once = scrubber.interaction(exchange(Response(status=200, headers=JSON, body=data), body=data))
        assert scrubber.interaction(once) == once
        assert scrubber.find(once.response.body) == []


def _with_cookie(value: str) -> Interaction:
    body = json.dumps({"error": f"the session {value[:300]} is over"}).encode()
    asked = Request(method="GET", uri="https://x/", headers=(("cookie", f"session={value}"),), body=b"")
    return Interaction(request=asked, response=Response(status=401, headers=JSON, body=body))


def test_a_credential_s_patterns_are_made_once_however_many_there_are() -> None:
    """More of them than any shared cache holds: making them again for each recording takes hours."""
    scrubber = Scrubber({})
    first, later = _with_cookie("0001-learned-first-0001"), _with_cookie("0002-learned-later-0002")
    scrubber.learn([first])
    scrubber.interaction(first)
    patterns.cache_clear()  # as after many others
    scrubber.learn([later])
    for each in (first, later):
        assert b"****" in scrubber.interaction(each).response.body
    assert patterns.cache_info().misses == 2  # the value, and the header it stands in


def test_of_many_credentials_only_those_that_may_be_there_are_looked_for() -> None:
    """A pattern for each in each body takes minutes for a thousand; one pass knows which may be in it."""
    values = [f"eyJ-{sha256(bytes(number)).hexdigest()}" for number in range(1000)]
    scrubber = Scrubber({})
    scrubber.learn(map(_with_cookie, values))
    patterns.cache_clear()
    one = _with_cookie(values[600])
    echoed = replace(
        one, response=replace(one.response, headers=(("x-echo", values[700].encode().hex(":")),))
    )
    clean = scrubber.interaction(echoed)
    assert values[600].encode() not in clean.response.body
    assert set(clean.response.headers[0][1]) == {"*"}
    # The whole header, of which `session=` is missing, and the value in it.
    assert scrubber.find(values[601].encode()) == [
        "the request header cookie (1203)",
        "the request header cookie (1204)",
    ]
    assert patterns.cache_info().misses < 100  # of 2,000


@given(
    value=st.text(st.sampled_from("abcdef0123456789ABCXYZ+/-_.~%\\u=&#;x "), min_size=6, max_size=40),
    before=st.text(st.sampled_from("%\\u0=&#x2;a+ "), max_size=8),
    form=st.sampled_from(
        [
            "plain",
            "escaped",
            "percent",
            "base64",
            "folded",
            "hex",
            "wide",
            "widest",
            "quoted",
            "entities",
            "cut",
        ]
    ),
)
def test_what_patterns_find_is_among_the_candidates(value: str, before: str, form: str) -> None:
    raw = value.encode()
    written = {
        "plain": raw,
        "cut": value[:-4].encode(),
        "escaped": "".join(f"\\\\u{ord(c):04X}" for c in value).encode(),
        "percent": quote(quote(value, safe=""), safe="").encode(),
        "base64": base64.urlsafe_b64encode(before.encode() + raw),
        "folded": textwrap.fill(base64.b64encode(before.encode() + raw).decode(), 5).encode(),
        "hex": raw.hex("-").upper().encode(),
        "wide": value.encode("utf-16"),
        "widest": json.dumps(value.encode("utf-32").decode("latin-1")).encode(),
        "quoted": "=\n".join(f"={byte:02X}" for byte in raw).encode(),
        "entities": "".join(f"&#x{ord(c):x};" for c in value).encode(),
    }[form]
    data = before.encode() + written
    candidates = Candidates()
    candidates.add(value)
    found = any(pattern.search(data) for pattern in patterns(value))
    assert value in candidates.among(data) or not found


def test_a_credential_of_any_length_is_hidden_and_its_patterns_stay_short() -> None:
    cookie = "".join(f"{number:04x}-" for number in range(120))
    scrubber = Scrubber({})
    scrubber.learn([_with_cookie(cookie)])
    assert max(len(value) for value in scrubber._secrets.values()) <= 256
    hidden = scrubber.interaction(_with_cookie(cookie))
    assert cookie[8:24].encode() not in hidden.response.body
    assert scrubber.text(f"echo {cookie}!") == f"echo {'*' * len(cookie)}!"
