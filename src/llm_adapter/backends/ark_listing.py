"""What Ark calls its models: the endpoints of an account.

An Ark account gives each model it uses an endpoint, which people name; chat requests want the endpoint's id
(`ep-…`). Only the signed management API knows which is which (`ListEndpoints`, version 2024-01-01:
docs.byteplus.com/en/docs/ModelArk/ListEndpoints). Models are listed by the name of the foundation model
that an endpoint serves, as applications have listed and saved them; the endpoint's own name works as well.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from http import HTTPStatus
from typing import Any

from llm_adapter.backends.volc_signature import Signer
from llm_adapter.catalog import Endpoint
from llm_adapter.control import acquired
from llm_adapter.settings import ListingAccess
from llm_adapter.waiting import waited

Send = Callable[[str, Mapping[str, str], bytes], bytes]
"""POSTs a body to an address with these headers; gives the body of a good answer, raises at any other."""

_QUERY = "?Action=ListEndpoints&Version=2024-01-01"
_PAGE = 100  # the most the API gives at once
_MOST_PAGES = 50  # a total that never comes true must not keep us asking for ever
_PATIENCE_S = 2.0  # a call waits for it, and can do without
_ID = "ep-"
_GOOD_FOR = timedelta(minutes=5)
_RETRIED_AFTER = timedelta(minutes=1)

_logger = logging.getLogger(__name__)


class ListingError(Exception):
    """The management API has answered something that is not a list of endpoints."""


def post(url: str, headers: Mapping[str, str], body: bytes) -> bytes:
    """Send as calls are sent, by the proxies and certificates of the environment: the very bytes, which are
    signed.

    Raises:
        ListingError: the API refused.
    """
    from llm_adapter.backends.sdk_clients import http_client

    with http_client(timeout=_PATIENCE_S) as client:
        answer = client.post(url, headers=headers, content=body)
        if answer.status_code != HTTPStatus.OK:
            raise ListingError(f"HTTP {answer.status_code}")
        content: bytes = answer.content
    return content


def _utc_now() -> datetime:
    return datetime.now(UTC)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Known:
    endpoints: Mapping[str, Endpoint]
    until: datetime


@dataclass(slots=True)
class EndpointDirectory:
    """The endpoints of accounts, asked for when first needed and remembered for five minutes.

    Attributes:
        send: how to reach the API.
        now: the time, with a time zone.
        patience: seconds that a call waits for them, if it may wait so long.
    """

    send: Send = post
    now: Callable[[], datetime] = _utc_now
    patience: float = _PATIENCE_S
    _known: dict[ListingAccess, _Known] = field(default_factory=dict, repr=False)
    _warned: set[tuple[str, str]] = field(default_factory=set, repr=False)
    # By process: a fork may catch a lock that is held, and nobody would release it in the child.
    _locks: dict[int, threading.Lock] = field(default_factory=dict, repr=False)

    def models(self, access: ListingAccess) -> list[str]:
        """The models of all endpoints as they are now, in the API's order; raises if it cannot be asked.

        They go by the names of foundation models; an endpoint that serves none goes by its own.
        """
        known = self._known[access] = self._asked(access)
        return list(dict.fromkeys(endpoint.model for endpoint in known.endpoints.values()))

    def find(self, access: ListingAccess, name: str) -> Endpoint | None:
        """The endpoint of that name, or None: what nobody knows is to be sent as it is given.

        Never raises, so that an API which only translates names cannot stop a conversation. When it fails or
        takes too long, what was known goes on to hold, and it is asked again after a minute.
        """
        if name.startswith(_ID):
            return None
        known = self._known.get(access)
        if known is None or self.now() >= known.until:
            known = self._renewed(access, known)
        return known.endpoints.get(name)

    def warn(self, error: Exception, consequence: str) -> None:
        """Log, once, that the API cannot be asked; without the error's text, which may echo secrets."""
        kind = type(error).__name__
        if (kind, consequence) not in self._warned:
            self._warned.add((kind, consequence))
            _logger.warning("the endpoints of ark cannot be listed (%s): %s", kind, consequence)

    def _renewed(self, access: ListingAccess, old: _Known | None) -> _Known:
        """One thread asks. The others go on with what is old, or wait where there is nothing yet."""
        lock = self._locks.setdefault(os.getpid(), threading.Lock())
        if not (acquired(lock) if old is None else lock.acquire(blocking=False)):
            return old or _Known(endpoints={}, until=self.now())
        try:
            known = self._known.get(access)
            if known is None or known is old:  # else another has asked while this one waited
                known = self._known[access] = self._asked_or_cached(access, old)
            return known
        finally:
            lock.release()

    def _asked_or_cached(self, access: ListingAccess, old: _Known | None) -> _Known:
        def ask() -> _Known:
            known = self._known[access] = self._asked(access)
            return known

        try:
            return waited(ask, patience=self.patience)
        except Exception as error:  # noqa: BLE001 (whatever a network does, the call must go on)
            self.warn(error, "names are sent as given")
            return _Known(endpoints=old.endpoints if old else {}, until=self.now() + _RETRIED_AFTER)

    def _asked(self, access: ListingAccess) -> _Known:
        return _Known(endpoints=self._fetched(access), until=self.now() + _GOOD_FOR)

    def _fetched(self, access: ListingAccess) -> dict[str, Endpoint]:
        """The endpoints by every name that leads to them; a foundation model's name comes before others."""
        own: dict[str, Endpoint] = {}
        models: dict[str, Endpoint] = {}
        for number in range(1, _MOST_PAGES + 1):
            result = self._page(access, number)
            for name, endpoint in _endpoints(result):
                own.setdefault(name, endpoint)  # names need not be unique: the first listed counts
                models[endpoint.model] = endpoint  # as the old client had it: the last listed counts
            if number * _PAGE >= (result.get("TotalCount") or 0):
                break
        return {**models, **{name: endpoint for name, endpoint in own.items() if name not in models}}

    def _page(self, access: ListingAccess, number: int) -> Mapping[str, Any]:
        url = access.url.rstrip("/") + "/" + _QUERY
        body = json.dumps({"PageNumber": number, "PageSize": _PAGE}).encode()
        signer = Signer(key_id=access.key_id, secret=access.secret, region="cn-beijing", service="ark")
        headers = signer.headers("POST", url, body, self.now())
        return _result(self.send(url, {**headers, "Content-Type": "application/json"}, body))


def _result(answer: bytes) -> Mapping[str, Any]:
    document = json.loads(answer)
    result = document.get("Result") if isinstance(document, Mapping) else None
    if not isinstance(result, Mapping):
        raise ListingError("the answer has no Result")
    return result


def _endpoints(result: Mapping[str, Any]) -> Iterator[tuple[str, Endpoint]]:
    for item in result.get("Items") or ():
        model = ((item.get("ModelReference") or {}).get("FoundationModel") or {}).get("Name")
        name, identity = item.get("Name") or model, item.get("Id")
        if name and identity:
            yield name, Endpoint(id=identity, model=model or name)
