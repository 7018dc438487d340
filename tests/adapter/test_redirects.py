"""No redirect takes a key or a question to anybody but who was asked."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from urllib.parse import urlsplit

import pytest

from llm_adapter import Category, RequestFailedError
from tests.adapter.conftest import MakeAdapter
from tests.adapter.provider import KEY, Provider, Reply, answer, document, event, running

ELSEWHERE = {
    "another port": "http://127.0.0.1:{stranger}/v1/chat/completions",
    "another name of the host": "http://localhost:{own}/v1/chat/completions",
    "the host's name with a dot": "http://127.0.0.1.:{own}/v1",
    "another scheme": "https://127.0.0.1:{own}/v1/chat/completions",
    "no scheme": "//127.0.0.1:{stranger}/v1",
    "the host as a user": "http://127.0.0.1:{own}@127.0.0.1:{stranger}/v1",
    "a user at the host itself": "http://user:word@127.0.0.1:{own}/v1",  # pragma: allowlist secret
    "user before a backslash": "http://127.0.0.1:{own}\\@127.0.0.1:{stranger}/v1",  # pragma: allowlist secret
    "the host's address in short": "http://127.1:{own}/v1",
    "the host's address within a longer one": "http://[::ffff:127.0.0.1]:{own}/v1",
    "a file": "file:///etc/passwd",
    "what nobody can read": "http://[::1/v1",
}
STATUSES = (301, 302, 303, 307, 308)
WAYS = [
    ("litellm", "gpt-4o"),
    ("legacy", "gpt-4o"),
    ("litellm", "gemini-2.5-flash"),
    ("litellm", "dify"),
    ("legacy", "dify"),
    ("litellm", "ERNIE-4.0-8K"),
    ("legacy", "ERNIE-4.0-8K"),
]


@pytest.fixture
def stranger() -> Iterator[Provider]:
    with running() as stranger:
        stranger.say(answer("stolen"))
        yield stranger


def redirect(location: str, status: int = 307) -> Reply:
    return Reply(status=status, headers={"location": location, "content-type": "text/plain"})


@pytest.mark.parametrize("where", ELSEWHERE)
@pytest.mark.parametrize(("backend", "model"), WAYS)
def test_a_redirect_elsewhere_is_a_refusal(
    backend: str, model: str, where: str, provider: Provider, stranger: Provider, make_adapter: MakeAdapter
) -> None:
    own, theirs = (urlsplit(each.url).port for each in (provider, stranger))
    location = ELSEWHERE[where].format(own=own, stranger=theirs)
    adapter = make_adapter(backend)
    for status in STATUSES:
        provider.asked.clear()
        provider.say(redirect(location, status), answer("never"))
        with pytest.raises(RequestFailedError, match="redirects to another address") as failed:
            list(adapter.invoke_llm(None, "u", None, model, "hi"))
        assert (failed.value.status, failed.value.category) == (status, Category.PROTOCOL)
        assert len(provider.asked) == 1  # and it is not asked again
    assert stranger.asked == []


@pytest.mark.parametrize(("backend", "model"), WAYS)
def test_the_last_of_several_redirects_leads_nowhere_else_either(
    backend: str, model: str, provider: Provider, stranger: Provider, make_adapter: MakeAdapter
) -> None:
    provider.say(redirect("/v1/a"), redirect("b"), redirect(stranger.url), answer("never"))
    with pytest.raises(RequestFailedError, match="redirects to another address"):
        list(make_adapter(backend).invoke_llm(None, "u", None, model, "hi"))
    assert (len(provider.asked), stranger.asked) == (3, [])


@pytest.mark.parametrize("backend", ["litellm", "legacy"])
def test_a_redirect_within_the_provider_is_followed_with_key_and_question(
    backend: str, provider: Provider, make_adapter: MakeAdapter
) -> None:
    provider.say(redirect("/v2/chat/completions"), answer("moved"))
    assert [piece.result for piece in make_adapter(backend).invoke_llm(None, "u", None, "gpt-4o", "hi")] == [
        "moved"
    ]
    first, second = provider.asked
    assert (second.target, second.headers["authorization"]) == ("/v2/chat/completions", f"Bearer {KEY}")
    assert second.body == first.body


def test_a_key_stays_the_given_one_where_a_redirect_is_followed_and_netrc_knows_another(
    provider: Provider, make_adapter: MakeAdapter, tmp_path_factory: pytest.TempPathFactory
) -> None:
    netrc = tmp_path_factory.mktemp("home") / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody " + "password else\n")
    provider.say(redirect("/v2/chat-messages"), Reply(pieces=(event({"event": "message", "answer": "hi"}),)))
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("NETRC", str(netrc))
        pieces = [
            piece.result for piece in make_adapter("legacy").invoke_llm(None, "u", None, "dify", "hello")
        ]
    assert pieces == ["hi"]
    assert [asked.headers["authorization"] for asked in provider.asked] == [f"Bearer {KEY}"] * 2


@pytest.mark.parametrize("where", ELSEWHERE)
def test_no_listing_is_asked_for_elsewhere(
    where: str,
    provider: Provider,
    stranger: Provider,
    make_adapter: MakeAdapter,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """Nor is Ark's signed one, whose signature is as good as a key for fifteen minutes."""
    own, theirs = (urlsplit(each.url).port for each in (provider, stranger))
    location = ELSEWHERE[where].format(own=own, stranger=theirs)
    adapter = make_adapter(
        ARK_LISTING_URL=provider.url, ARK_ACCESS_KEY_ID="id", ARK_SECRET_ACCESS_KEY="half of a key"
    )
    stranger.say(
        document({"Result": {"Items": [{"Name": "stolen", "Id": "ep-1"}]}, "data": [], "models": []})
    )
    for status in (302, 308):
        provider.say(redirect(location, status))
        with caplog.at_level(logging.WARNING):
            models = adapter.get_current_models(None)
        assert "ark/stolen" not in models
    assert stranger.asked == []
