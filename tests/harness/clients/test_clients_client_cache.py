"""Clients that paths keep between calls."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace

from llm_contracts.clients.call import Call, ClientCache, cached_client

CALL = Call(base_url="http://127.0.0.1:9/a", api_key="k", provider="acme", model="m")


def clients(log: list[str]) -> Callable[[], AbstractContextManager[str]]:
    @contextmanager
    def make() -> Iterator[str]:
        log.append("made")
        yield "client"
        log.append("closed")

    return make


def test_a_call_by_itself_has_a_client_of_its_own() -> None:
    log: list[str] = []
    for _ in range(2):
        with cached_client(CALL, "client", clients(log)) as client:
            assert client == "client"
    assert log == ["made", "closed", "made", "closed"]


def test_calls_that_follow_one_another_share_one_for_each_address_until_all_are_over() -> None:
    log: list[str] = []
    with ClientCache() as all_of_them:
        here = replace(CALL, client_cache=all_of_them)
        elsewhere = replace(here, base_url="http://127.0.0.1:9/b")
        for call in (here, here, elsewhere):
            with cached_client(call, "client", clients(log)):
                pass
        assert log == ["made", "made"]
    assert log == ["made", "made", "closed", "closed"]
