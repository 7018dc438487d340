"""HTTP for the providers that no SDK client speaks to: requests with further attempts."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

from llm_adapter.backends.retries import aretrying, asked_wait, retrying, sleep
from llm_adapter.failures import RefusedError
from llm_adapter.requests import MAX_RETRIES

_REFUSED = 300  # a redirect that was not followed is not an answer


@dataclass(frozen=True, kw_only=True, slots=True)
class Request:
    """One request. A key travels in its headers, not in its URL, which logs and tracebacks show; where there
    is no other way (ERNIE's first API), `redaction` hides it there.
    """

    url: str = field(repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: str | None = field(default=None, repr=False)
    timeout: Any = None

    @property
    def method(self) -> str:
        """POST where there is something to post."""
        return "GET" if self.body is None else "POST"


@dataclass(frozen=True, kw_only=True, slots=True)
class Response:
    """A response with a good status, of which only the head has been read."""

    response: Any
    attempts: int


@dataclass(frozen=True, kw_only=True, slots=True)
class RetryingClient:
    """An HTTP client that tries again.

    Attributes:
        client: an HTTP client as httpx and httpx2 have it; an asynchronous one for `asend`.
        error_document: reads a refusal's body as `failures` understands it.
        max_retries: how many attempts there may be after the first.
        sleep: waits so many seconds.
    """

    client: Any
    error_document: Callable[[Any], Any]
    max_retries: int = MAX_RETRIES
    sleep: Callable[[float], None] = sleep

    def send(self, request: Request) -> Response:
        """Send a request until it is answered or there is no point in trying again.

        Raises:
            RefusedError: the provider refused.
        """

        def once(attempt: int) -> Response:
            response = self.client.send(self._built(request), stream=True)
            if response.status_code >= _REFUSED:
                try:
                    response.read()
                    raise self._refusal(response, attempt)
                finally:
                    response.close()
            return Response(response=response, attempts=attempt)

        return retrying(once, max_retries=self.max_retries, sleep=self.sleep)

    async def asend(self, request: Request) -> Response:
        """`send`, without blocking the event loop."""

        async def once(attempt: int) -> Response:
            response = await self.client.send(self._built(request), stream=True)
            if response.status_code >= _REFUSED:
                try:
                    await response.aread()
                    raise self._refusal(response, attempt)
                finally:
                    await response.aclose()
            return Response(response=response, attempts=attempt)

        return await aretrying(once, max_retries=self.max_retries)

    def _built(self, request: Request) -> Any:
        timeout = {} if request.timeout is None else {"timeout": request.timeout}
        return self.client.build_request(
            request.method, request.url, headers=request.headers, content=request.body, **timeout
        )

    def _refusal(self, response: Any, attempt: int) -> RefusedError:
        document = _document(response)
        wait = asked_wait(response.headers, document)
        body = self.error_document(document)
        error = RefusedError(response.status_code, body, attempts=attempt, wait=wait)
        vars(error)["response"] = response  # its headers may say more
        return error


def _document(response: Any) -> Any:
    try:
        return response.json()
    except ValueError:
        return response.text


def is_document(response: Any) -> bool:
    """Whether a JSON document stands where a stream should be."""
    kind: str = response.headers.get("content-type", "")
    return kind.partition(";")[0].strip() == "application/json"


def json_object(data: Any) -> Mapping[str, Any]:
    """Decoded JSON that must be an object; anything else is treated like JSON that cannot be read."""
    if not isinstance(data, Mapping):
        raise ValueError("an event is not a JSON object")  # noqa: TRY004 - see above
    return data
