"""Ark's endpoints: signed questions, names that become ids, and what happens when nobody answers."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from llm_adapter import Adapter, adapter_from
from llm_adapter.backends.ark_listing import EndpointDirectory, ListingError, post
from llm_adapter.backends.volc_signature import Signer, canonical_request, signature, text_to_sign
from llm_adapter.catalog import Endpoint
from llm_adapter.clients import Clients
from llm_adapter.settings import ListingAccess, Settings
from tests.adapter.conftest import MakeAdapter
from tests.adapter.provider import Provider, document

SECRET = "ark-secret-for-tests"
KEY_ID = "ark-key-id-for-tests"
ACCESS = ListingAccess(url="https://open.volcengineapi.com", key_id=KEY_ID, secret=SECRET)
NOON = datetime(2026, 3, 1, 12, 0, tzinfo=UTC)


def item(name: str, identity: str, model: str | None = "doubao-seed-1-6") -> dict[str, Any]:
    reference = {"FoundationModel": {"Name": model}} if model else {"CustomModelId": "cm-1"}
    return {"Id": identity, "Name": name, "ModelReference": reference, "Status": "Running"}


def page(*items: dict[str, Any], total: int | None = None) -> bytes:
    result = {"TotalCount": len(items) if total is None else total, "Items": list(items) or None}
    return json.dumps({"ResponseMetadata": {"Action": "ListEndpoints"}, "Result": result}).encode()


# The signature


def test_the_steps_of_the_signature_give_what_volcengine_s_own_example_gives() -> None:
    """The example of volcengine.com/docs/6369/67270, from the derived key on."""
    headers = {"x-date": "20240619T071306Z", "host": "iam.volcengineapi.com"}
    url = "https://iam.volcengineapi.com?Version=2018-01-01&Limit=10&Action=ListUsers&Offset=0"
    canonical = canonical_request("GET", url, headers, b"")
    assert (
        hashlib.sha256(canonical.encode()).hexdigest()
        == "5ed5bca3905e1fcbf789abb56a17c2d819674a3bcfa468ae476bd1ea80d135cb"
    )
    text = text_to_sign(canonical, date="20240619T071306Z", scope="20240619/cn-beijing/iam/request")
    derived = bytes.fromhex("abee62e533a58934c49954459a3c3237d2fccea517c9a7c8a2651d8ea7779826")
    assert signature(derived, text) == "e31c4558bcfe08a286001f59cedbf0791ffd0b2362f10e55ee2627467bcdde93"


def expected(method: str, target: str, host: str, body: bytes, date: str) -> str:
    """The `Authorization` of a request for Ark, written down step by step, apart from the code under test."""
    digest = hashlib.sha256(body).hexdigest()
    path, _, query = target.partition("?")
    canonical = (
        f"{method}\n{path}\n{query}\nhost:{host}\nx-content-sha256:{digest}\nx-date:{date}\n"
        f"\nhost;x-content-sha256;x-date\n{digest}"
    )
    scope = f"{date[:8]}/cn-beijing/ark/request"
    text = f"HMAC-SHA256\n{date}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    day = hmac.new(SECRET.encode(), date[:8].encode(), hashlib.sha256).digest()
    region = hmac.new(day, b"cn-beijing", hashlib.sha256).digest()
    service = hmac.new(region, b"ark", hashlib.sha256).digest()
    derived = hmac.new(service, b"request", hashlib.sha256).digest()
    signed = hmac.new(derived, text.encode(), hashlib.sha256).hexdigest()
    names = "host;x-content-sha256;x-date"
    return f"HMAC-SHA256 Credential={KEY_ID}/{scope}, SignedHeaders={names}, Signature={signed}"


def test_a_request_is_signed_as_when_each_step_is_done_by_hand() -> None:
    signer = Signer(key_id=KEY_ID, secret=SECRET, region="cn-beijing", service="ark")
    at = datetime(2026, 3, 1, 1, 30, tzinfo=timezone(timedelta(hours=8)))  # the day before, in UTC
    url = "https://open.volcengineapi.com/?Action=ListEndpoints&Version=2024-01-01"
    headers = signer.headers("POST", url, b"{}", at)
    target = "/?Action=ListEndpoints&Version=2024-01-01"
    assert headers == {
        "X-Date": "20260228T173000Z",
        "X-Content-Sha256": hashlib.sha256(b"{}").hexdigest(),
        "Authorization": expected("POST", target, "open.volcengineapi.com", b"{}", "20260228T173000Z"),
    }


@pytest.mark.parametrize(
    ("query", "canonical"),
    [
        ("b=2&a=1", "a=1&b=2"),
        ("a=x+y&b=%2F*", "a=x%20y&b=%2F%2A"),
        ("empty=&a=~-_.", "a=~-_.&empty="),
        ("", ""),
    ],
)
def test_however_a_query_is_written_its_canonical_form_is_one(query: str, canonical: str) -> None:
    assert canonical_request("GET", f"https://h/p?{query}", {}, b"").splitlines()[1:3] == ["/p", canonical]


def test_who_looks_at_a_signer_or_at_an_access_sees_no_key() -> None:
    signer = Signer(key_id=KEY_ID, secret=SECRET, region="r", service="s")
    shown = repr((signer, ACCESS, EndpointDirectory()))
    assert (SECRET in shown, KEY_ID in shown) == (False, False)


# The directory


class Clock:
    """A clock that is set by hand."""

    def __init__(self) -> None:
        self.time = NOON

    def __call__(self) -> datetime:
        return self.time


class Api:
    """Answers with the pages it was given, or fails; remembers what it was asked."""

    def __init__(self, *answers: bytes | Exception) -> None:
        self.answers = list(answers)
        self.asked: list[dict[str, Any]] = []

    def __call__(self, url: str, headers: Mapping[str, str], body: bytes) -> bytes:
        assert url == "https://open.volcengineapi.com/?Action=ListEndpoints&Version=2024-01-01"
        assert headers["Content-Type"] == "application/json"
        self.asked.append(json.loads(body))
        answer = self.answers.pop(0) if len(self.answers) > 1 else self.answers[0]
        if isinstance(answer, Exception):
            raise answer
        return answer


def test_names_become_ids_and_say_which_model_they_are() -> None:
    api = Api(page(item("tutor", "ep-1"), item("own", "ep-2", model=None), {"Id": "ep-3"}, item("", "ep-4")))
    directory = EndpointDirectory(send=api)
    assert directory.models(ACCESS) == ["doubao-seed-1-6", "own"]
    assert directory.find(ACCESS, "tutor") == Endpoint(id="ep-1", model="doubao-seed-1-6")
    assert directory.find(ACCESS, "doubao-seed-1-6") == Endpoint(id="ep-4", model="doubao-seed-1-6")
    assert directory.find(ACCESS, "own") == Endpoint(id="ep-2", model="own")


def test_of_two_endpoints_of_a_model_the_last_counts_and_a_model_comes_before_an_endpoint_of_its_name() -> (
    None
):
    """As applications have resolved the names that they saved."""
    items = item("doubao-pro", "ep-1"), item("b", "ep-2"), item("c", "ep-3", model="doubao-pro")
    directory = EndpointDirectory(send=Api(page(*items)))
    assert directory.models(ACCESS) == ["doubao-seed-1-6", "doubao-pro"]
    found = {name: directory.find(ACCESS, name) for name in ("doubao-seed-1-6", "doubao-pro", "b", "c")}
    assert {name: endpoint and endpoint.id for name, endpoint in found.items()} == {
        "doubao-seed-1-6": "ep-2",
        "doubao-pro": "ep-3",
        "b": "ep-2",
        "c": "ep-3",
    }


def test_names_are_asked_for_once_and_again_after_five_minutes() -> None:
    api, clock = Api(page(item("tutor", "ep-old")), page(item("tutor", "ep-new"))), Clock()
    directory = EndpointDirectory(send=api, now=clock)
    found = [directory.find(ACCESS, "tutor") for _ in range(3)]
    assert (len(api.asked), {endpoint and endpoint.id for endpoint in found}) == (1, {"ep-old"})
    clock.time += timedelta(minutes=5)
    renewed = directory.find(ACCESS, "tutor")
    assert renewed is not None
    assert renewed.id == "ep-new"


def test_a_listing_that_people_ask_for_is_always_fresh_and_serves_the_calls_after_it() -> None:
    api = Api(page(item("a", "ep-1", model=None)), page(item("b", "ep-2", model="m")))
    directory = EndpointDirectory(send=api)
    assert [directory.models(ACCESS), directory.models(ACCESS)] == [["a"], ["m"]]
    assert directory.find(ACCESS, "a") is None
    assert len(api.asked) == 2


def test_an_id_and_an_unknown_name_are_left_as_they_are() -> None:
    """Nobody is asked about an id; about an unknown name once, not with each call."""
    api = Api(page())
    directory = EndpointDirectory(send=api)
    assert directory.find(ACCESS, "ep-20240101-abcde") is None
    assert api.asked == []
    assert [directory.find(ACCESS, "nobody") for _ in range(2)] == [None, None]
    assert len(api.asked) == 1


def test_while_the_api_fails_what_was_known_goes_on_to_hold(caplog: pytest.LogCaptureFixture) -> None:
    api = Api(page(item("tutor", "ep-1")), OSError(f"no way with {SECRET}"), page(item("tutor", "ep-2")))
    clock = Clock()
    directory = EndpointDirectory(send=api, now=clock)
    ids = []
    for pause in (timedelta(0), timedelta(minutes=6), timedelta(seconds=59), timedelta(seconds=1)):
        clock.time += pause
        found = directory.find(ACCESS, "tutor")
        assert found is not None
        ids.append(found.id)
    assert ids == ["ep-1", "ep-1", "ep-1", "ep-2"]
    assert "endpoints of ark cannot be listed (OSError)" in caplog.text
    assert SECRET not in caplog.text


def test_that_the_api_fails_is_said_once(caplog: pytest.LogCaptureFixture) -> None:
    clock = Clock()
    directory = EndpointDirectory(send=Api(OSError(), OSError(), OSError()), now=clock)
    for _ in range(3):
        clock.time += timedelta(minutes=2)
        directory.find(ACCESS, "tutor")
    assert caplog.text.count("endpoints of ark cannot be listed") == 1


def test_pages_are_asked_for_until_all_endpoints_are_there_and_the_first_of_a_name_counts() -> None:
    pages = [
        page(item("a", f"ep-{number}"), item(f"n{number}", "ep-n", model=f"m{number}"), total=250)
        for number in range(3)
    ]
    api = Api(*pages)
    assert EndpointDirectory(send=api).models(ACCESS) == ["doubao-seed-1-6", "m0", "m1", "m2"]
    assert api.asked == [{"PageNumber": number, "PageSize": 100} for number in (1, 2, 3)]
    first = EndpointDirectory(send=Api(*pages)).find(ACCESS, "a")
    assert first is not None
    assert first.id == "ep-0"


def test_a_total_that_never_comes_true_ends_after_fifty_pages() -> None:
    api = Api(page(item("a", "ep-1", model="m"), total=10**9))
    assert EndpointDirectory(send=api).models(ACCESS) == ["m"]
    assert len(api.asked) == 50


@pytest.mark.parametrize("answer", [b"[]", b'{"ResponseMetadata": {"Error": {"Code": "X"}}}', b"<html>"])
def test_what_is_no_list_of_endpoints_is_an_error_of_the_listing(answer: bytes) -> None:
    with pytest.raises((ListingError, ValueError)):
        EndpointDirectory(send=Api(answer)).models(ACCESS)


# Over a socket, and through the adapter


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    targets: list[str]


class _Handler(BaseHTTPRequestHandler):
    """Ark's management API: refuses what is not signed with the secret of these tests."""

    protocol_version = "HTTP/1.1"

    def log_message(self, *_: object) -> None:
        pass

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["content-length"]))
        right = expected("POST", self.path, self.headers["host"], body, self.headers["x-date"])
        good = self.headers["authorization"] == right
        answer = page(item("tutor", "ep-20260301-tutor")) if good else b'{"Error": "SignatureDoesNotMatch"}'
        self.send_response(200 if good else 403)
        self.send_header("content-length", str(len(answer)))
        self.end_headers()
        self.wfile.write(answer)
        assert isinstance(self.server, _Server)
        self.server.targets.append(self.path)


@contextmanager
def management() -> Iterator[tuple[str, list[str]]]:
    server = _Server(("127.0.0.1", 0), _Handler)
    server.targets = []
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", server.targets
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def api() -> Iterator[tuple[str, list[str]]]:
    """The management API's address, and what it was asked."""
    with management() as found:
        yield found


@pytest.fixture
def keys(api: tuple[str, list[str]]) -> dict[str, str]:
    return {"ARK_ACCESS_KEY_ID": KEY_ID, "ARK_SECRET_ACCESS_KEY": SECRET, "ARK_LISTING_URL": api[0]}


def say(adapter: Adapter, model: str) -> None:
    list(adapter.chat_llm(None, "user-1", None, model, [{"role": "user", "content": "hi"}]))


def test_a_server_that_checks_signatures_accepts_ours_and_only_with_the_right_secret(
    api: tuple[str, list[str]],
) -> None:
    there = ListingAccess(url=f"{api[0]}/", key_id=KEY_ID, secret=SECRET)
    assert EndpointDirectory().models(there) == ["doubao-seed-1-6"]
    wrong = ListingAccess(url=api[0], key_id=KEY_ID, secret=SECRET[::-1])
    with pytest.raises(ListingError, match="HTTP 403"):
        EndpointDirectory().models(wrong)


def test_a_refusal_raises_and_names_no_key(api: tuple[str, list[str]]) -> None:
    with pytest.raises(ListingError) as caught:
        post(f"{api[0]}/", {"Authorization": f"x {SECRET}", "X-Date": "20260301T120000Z"}, b"{}")
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize("backend", ["legacy", "litellm"])
def test_the_endpoint_s_id_is_what_is_sent(
    backend: str, make_adapter: MakeAdapter, keys: Mapping[str, str], provider: Provider
) -> None:
    say(make_adapter(backend, **keys), "ark/tutor")
    assert provider.body["model"] == "ep-20260301-tutor"


def test_the_family_is_that_of_the_model_behind_the_endpoint(
    make_adapter: MakeAdapter, keys: Mapping[str, str], provider: Provider
) -> None:
    """Doubao Seed thinks unless told not to, whatever somebody has called the endpoint."""
    say(make_adapter(**keys), "ark/tutor")
    assert provider.body["thinking"] == {"type": "disabled"}


@pytest.mark.parametrize("name", ["ep-20250101-other", "nobody-s-endpoint"])
def test_what_no_endpoint_is_called_is_sent_as_it_is_given(
    name: str, make_adapter: MakeAdapter, keys: Mapping[str, str], provider: Provider
) -> None:
    """Whatever LiteLLM's own tables know of it: a look-up there would fail for an id (ledger R09, R13)."""
    say(make_adapter(**keys), f"ark/{name}")
    assert provider.body["model"] == name


def test_without_a_management_api_a_conversation_goes_on(
    make_adapter: MakeAdapter, provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    away = {"ARK_ACCESS_KEY_ID": KEY_ID, "ARK_SECRET_ACCESS_KEY": SECRET}
    say(make_adapter(**away, ARK_LISTING_URL="http://127.0.0.1:9"), "ark/tutor")
    assert provider.body["model"] == "tutor"
    assert "endpoints of ark cannot be listed (ConnectError)" in caplog.text


def test_without_its_keys_nobody_asks_the_management_api(
    make_adapter: MakeAdapter, keys: Mapping[str, str], api: tuple[str, list[str]], provider: Provider
) -> None:
    say(make_adapter(**{**keys, "ARK_SECRET_ACCESS_KEY": ""}), "ark/tutor")
    assert (provider.body["model"], api[1]) == ("tutor", [])


def offered(provider: Provider, environ: Mapping[str, str], log: logging.Logger) -> list[str]:
    adapter = adapter_from({"ARK_API_KEY": "key-ark-012345", "ARK_BASE_URL": provider.url, **environ})
    try:
        return adapter.get_current_models(type("App", (), {"logger": log}))
    finally:
        adapter.close()


def test_the_listing_offers_models_and_a_failing_one_leaves_the_usual_one(
    keys: dict[str, str], provider: Provider, caplog: pytest.LogCaptureFixture
) -> None:
    """The keys may have been issued for another service of the same house."""
    provider.say(document({"object": "list", "data": [{"id": "doubao-1-5-pro-32k-250115"}]}))
    log = logging.getLogger("test")
    assert offered(provider, keys, log) == ["ark/doubao-seed-1-6"]
    wrong = {**keys, "ARK_SECRET_ACCESS_KEY": "another-secret"}
    assert offered(provider, wrong, log) == ["ark/doubao-1-5-pro-32k-250115"]
    assert "the endpoints of ark cannot be listed (ListingError)" in caplog.text
    assert not [key for key in (SECRET, KEY_ID, "another-secret") if key in caplog.text]


@pytest.mark.parametrize("backend", ["legacy", "litellm"])
def test_a_saved_foundation_model_goes_to_its_endpoint(
    backend: str, make_adapter: MakeAdapter, keys: Mapping[str, str], provider: Provider
) -> None:
    say(make_adapter(backend, **keys), "ark/doubao-seed-1-6")
    assert provider.body["model"] == "ep-20260301-tutor"


def test_a_silent_management_api_delays_a_call_by_its_patience_at_most_and_is_heard_later() -> None:
    speaks, asked = threading.Event(), threading.Event()

    def silent(url: str, headers: Mapping[str, str], body: bytes) -> bytes:
        asked.set()
        assert speaks.wait(60)
        return page(item("tutor", "ep-1"))

    clock = Clock()
    directory = EndpointDirectory(send=silent, now=clock, patience=0.01)
    assert [directory.find(ACCESS, "tutor") for _ in range(2)] == [None, None]
    assert asked.is_set()
    speaks.set()
    eventually(lambda: directory.find(ACCESS, "tutor") == Endpoint(id="ep-1", model="doubao-seed-1-6"))


def eventually(true: Callable[[], bool]) -> None:
    until = time.monotonic() + 60
    while not true():
        assert time.monotonic() < until
        time.sleep(0.005)


def test_the_keys_of_the_listing_are_secrets_like_all_others(keys: Mapping[str, str]) -> None:
    settings = Settings.from_environ(keys)
    assert {SECRET, KEY_ID} <= set(settings.secrets)
    assert SECRET not in repr(settings)
    assert base64.b64encode(SECRET.encode()).decode() not in repr(settings)


def test_two_threads_ask_once() -> None:
    asked: list[int] = []
    begun = threading.Barrier(4)

    def slow(url: str, headers: Mapping[str, str], body: bytes) -> bytes:
        asked.append(1)
        time.sleep(0.05)  # long enough for the others to come and ask as well, if nothing holds them
        return page(item("tutor", "ep-1"))

    directory = EndpointDirectory(send=slow)

    def look() -> None:
        begun.wait(60)
        directory.find(ACCESS, "tutor")

    together(look, 4)
    assert len(asked) == 1


def test_while_one_renews_the_others_go_on_with_what_they_know() -> None:
    """A management API that hangs holds one call for its ten seconds, and no other."""
    clock, hangs, asked = Clock(), threading.Event(), threading.Event()

    def hanging(url: str, headers: Mapping[str, str], body: bytes) -> bytes:
        if clock.time > NOON:
            asked.set()
            assert hangs.wait(60)
        return page(item("tutor", f"ep-{clock.time.minute}"))

    directory = EndpointDirectory(send=hanging, now=clock)
    directory.models(ACCESS)
    clock.time += timedelta(minutes=6)
    first = threading.Thread(target=directory.find, args=(ACCESS, "tutor"))
    first.start()
    assert asked.wait(60)
    found = directory.find(ACCESS, "tutor")
    hangs.set()
    first.join(60)
    renewed = directory.find(ACCESS, "tutor")
    assert [endpoint and endpoint.id for endpoint in (found, renewed)] == ["ep-0", "ep-6"]


def test_a_process_that_was_forked_while_one_asks_does_not_wait_for_ever(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The child has a copy of the lock as it was, held by a thread that it does not have."""
    directory = EndpointDirectory(send=Api(page(item("tutor", "ep-1"))))
    held = directory._locks.setdefault(os.getpid(), threading.Lock())
    with held:
        monkeypatch.setattr(os, "getpid", lambda: -1)
        assert directory.find(ACCESS, "tutor") is not None


def together(work: Callable[[], None], count: int) -> None:
    threads = [threading.Thread(target=work) for _ in range(count)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(60)


def test_adapters_that_share_clients_share_what_is_known(keys: Mapping[str, str]) -> None:
    """New settings for each call need no new listing."""
    api = Api(page(item("tutor", "ep-1")))
    clients = Clients(directory=EndpointDirectory(send=api))
    environ = {key: value for key, value in keys.items() if key != "ARK_LISTING_URL"}
    for _ in range(2):
        adapter = Adapter(settings=Settings.from_environ(environ), clients=clients)
        listing = adapter.current_settings.accounts["ark"].listing
        assert listing is not None
        adapter.clients.directory.find(listing, "tutor")
    assert len(api.asked) == 1
