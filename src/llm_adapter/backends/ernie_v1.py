"""ERNIE by its first API: what it is asked, and what its answers say.

Baidu's older address needs a token that is bought with the account's id and secret, takes the system text
beside the messages, counts tokens up from line to line, and reports its errors with status 200, as a JSON
document where the stream should be. The facts are those of its own documentation and of its Python SDK.
"""

from __future__ import annotations

import asyncio
import json
import os
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from llm_adapter.backends import AsyncOpened, Opened
from llm_adapter.backends.reading import aopened, opened
from llm_adapter.backends.response_body import BOM, CONTROL, empty_answer, json_of
from llm_adapter.backends.retrying_client import Request, Response, RetryingClient, is_document, json_object
from llm_adapter.backends.stream_reader import EventReader
from llm_adapter.chunks import Chunk, details, totals
from llm_adapter.control import acquired, allows
from llm_adapter.failures import InBandError, NoAnswerError, in_band
from llm_adapter.redaction import hide_in_logs
from llm_adapter.requests import Outgoing
from llm_adapter.responses import LLMStreamResponse, LLMStreamUsage

TOKEN_PATH = "/oauth/2.0/token"  # noqa: S105 (a path)
CHAT_PATH = "/rpc/2.0/ai_custom/v1/wenxinworkshop/chat/"

ENDPOINTS: Mapping[str, str] = {
    "ERNIE-4.0-8K": "completions_pro",
    "ERNIE-4.0-8K-Preview": "ernie-4.0-8k-preview",
    "ERNIE-4.0-8K-0329": "ernie-4.0-8k-0329",
    "ERNIE-4.0-8K-0104": "ernie-4.0-8k-0104",
    "ERNIE-3.5-8K": "completions",
    "ERNIE-3.5-8K-0205": "ernie-3.5-8k-0205",
    "ERNIE-3.5-8K-Preview": "ernie-3.5-8k-preview",
    "ERNIE-3.5-128K": "ernie-3.5-128k",
    "ERNIE-Speed-8K": "ernie_speed",
    "ERNIE-Speed-128K": "ernie-speed-128k",
    "ERNIE-4.0-8K-Preview-0518": "completions_adv_pro",
}
"""The last part of the path, by the model's name; most are not the name."""

_TOKEN_REFUSED = {100, 110, 111}
_BUSY = {2, 15, 18, 336100, 336501, 336502}  # what Baidu's own SDK asks again for
_BAD_PARAMETER = 336003  # of any kind: what is too long is recognised by its words alone
_TOKEN_PATIENCE_S = 20.0
_MARGIN_S = 300.0  # a token must outlive the call that it begins

Credentials = tuple[str, str, str]
"""Base URL, id and secret of an account."""


def body(outgoing: Outgoing) -> dict[str, Any]:
    """The request's body: a leading system message goes beside the messages, JSON mode is a word."""
    messages = [dict(message) for message in outgoing.messages]
    given = dict(outgoing.body)
    if messages and messages[0].get("role") == "system":
        given = {"system": messages.pop(0).get("content"), **given}
    wanted = given.get("response_format")
    if isinstance(wanted, Mapping):
        given["response_format"] = wanted.get("type")
    return {"messages": messages, "stream": True, **given}


def error_document(document: Any) -> Any:
    """An error as `failures` reads one. The token's address and the chat's have different names for it."""
    if not isinstance(document, Mapping):
        return document
    code = document.get("error_code") or document.get("error")
    if isinstance(code, (Mapping, list)):  # a gateway's
        return document
    message = document.get("error_msg") or document.get("error_description") or ""
    kind = "too_long" if code == _BAD_PARAMETER and "too long" in str(message) else code
    return {"code": code, "type": f"ernie_v1:{kind}", "message": message} if code else document


@dataclass(frozen=True, slots=True)
class _Token:
    value: str
    until: float


@dataclass(frozen=True, slots=True)
class Tokens:
    """Access tokens, each kept until shortly before it expires. Threads that need one wait for one request.

    Attributes:
        clock: seconds that never run backwards.
    """

    clock: Callable[[], float] = time.monotonic
    _held: dict[Credentials, _Token] = field(default_factory=dict, repr=False)
    # By process: a fork may catch a lock that is held, and nobody would release it in the child.
    _locks: dict[int, threading.Lock] = field(default_factory=dict, repr=False)

    def get(self, account: Credentials, fetch: Callable[[], Mapping[str, Any]]) -> str:
        """The account's token; `fetch` asks Baidu for a new one.

        Raises:
            TimeoutError: another thread asks for it, for longer than this call may wait.
        """
        lock = self._locks.setdefault(os.getpid(), threading.Lock())
        if not acquired(lock):
            raise TimeoutError("no token in time")
        try:
            held = self._held.get(account)
            if held is None or held.until <= self.clock():
                held = self._held[account] = self._read(fetch())
            return held.value
        finally:
            lock.release()

    def forget(self, account: Credentials, value: str) -> None:
        """Drop a token that was refused, unless another thread has replaced it by now."""
        held = self._held.get(account)
        if held is not None and held.value == value:
            self._held.pop(account, None)

    def _read(self, grant: Mapping[str, Any]) -> _Token:
        lives = float(grant.get("expires_in") or 0)
        return _Token(str(grant["access_token"]), self.clock() + max(lives - _MARGIN_S, lives / 2))


@dataclass(frozen=True, kw_only=True, slots=True)
class ErnieV1:
    """Asks ERNIE for one call.

    Attributes:
        outgoing: the call.
        client: sends requests.
        tokens: those of all calls.
        chat: sends the chat's requests on an event loop.
    """

    outgoing: Outgoing
    client: RetryingClient
    tokens: Tokens
    chat: RetryingClient | None = None

    def open(self, model: str, sent: Mapping[str, Any], headers: Mapping[str, str]) -> Opened:
        """Ask, with a new token if the one held is refused, and again after a pause where all are busy.

        Raises:
            InBandError: ERNIE answered with an error.
            RefusedError: somebody before it refused.
        """
        hide_in_logs()  # the token travels in the URL, and HTTP libraries log these
        asking = _Asking(max_retries=self.client.max_retries)
        while True:
            token = self.token()
            answer = self.client.send(self.request(token, model, sent, headers))
            document = answer.response.read() if is_document(answer.response) else None
            pause = asking.judge(answer, document)
            if pause is None:
                return opened(answer.response, reader(answer.response), attempts=asking.attempts)
            self.renew(token, asking)
            if pause:
                self.client.sleep(pause)

    async def aopen(self, model: str, sent: Mapping[str, Any], headers: Mapping[str, str]) -> AsyncOpened:
        """`open`, on an event loop; `client` still asks for the token, in a thread, once in a month.

        `chat` is the asynchronous client.
        """
        hide_in_logs()
        asking = _Asking(max_retries=self.client.max_retries)
        while True:
            token = await asyncio.to_thread(self.token)
            assert self.chat is not None
            answer = await self.chat.asend(self.request(token, model, sent, headers))
            document = await answer.response.aread() if is_document(answer.response) else None
            pause = asking.judge(answer, document)
            if pause is None:
                return aopened(answer.response, reader(answer.response), attempts=asking.attempts)
            self.renew(token, asking)
            if pause:
                await asyncio.sleep(pause)

    def token(self) -> str:
        """The account's token, which may have to be asked for."""
        return self.tokens.get(self._account, self._grant)

    def renew(self, token: str, asking: _Asking) -> None:
        """Forget the token if it was refused."""
        if asking.refused_token:
            self.tokens.forget(self._account, token)

    @property
    def _account(self) -> Credentials:
        return (self.outgoing.base_url, self.outgoing.api_key, self.outgoing.api_secret)

    def request(self, token: str, model: str, sent: Mapping[str, Any], headers: Mapping[str, str]) -> Request:
        """The request for one call."""
        query = {**(self.outgoing.params.get("extra_query") or {}), "access_token": token}
        return Request(
            url=f"{self._at(CHAT_PATH)}{ENDPOINTS[model]}?{urlencode(query)}",
            headers={"content-type": "application/json", **headers},
            body=json.dumps(sent, ensure_ascii=False),
            timeout=self.outgoing.params.get("timeout"),
        )

    def _grant(self) -> Mapping[str, Any]:
        """Ask for a token."""
        who = {"client_id": self.outgoing.api_key, "client_secret": self.outgoing.api_secret}
        query = urlencode({"grant_type": "client_credentials", **who})
        request = Request(url=f"{self._at(TOKEN_PATH)}?{query}", body="", timeout=_TOKEN_PATIENCE_S)
        answer = self.client.send(request)
        try:
            answer.response.read()
            grant = answer.response.json()
        finally:
            answer.response.close()
        if not isinstance(grant, Mapping) or "access_token" not in grant:
            raise InBandError(error_document(grant), answer.response.request)
        return grant

    def _at(self, path: str) -> str:
        return self.outgoing.base_url.rstrip("/") + path


@dataclass(kw_only=True, slots=True)
class _Asking:
    """What has come of the attempts of one call.

    Attributes:
        refused_token: the last answer refused the token, for the first time.
    """

    max_retries: int
    attempts: int = 0
    refused_token: bool = False
    _renewed: bool = False

    def judge(self, answer: Response, document: bytes | None) -> float | None:
        """Seconds until the next attempt, or None: this is the answer.

        Args:
            answer: the response.
            document: the JSON document that came in the place of a stream, or None.

        Raises:
            InBandError: ERNIE answered with an error.
            NoAnswerError: or with something else that is not a stream.
        """
        self.attempts += answer.attempts
        if document is None or document.removeprefix(BOM).lstrip().startswith((b"data:", *CONTROL)):
            return None  # the latter is a stream, whatever its content type says
        error = _document_error(document, answer.response)
        code = error.body.get("code") if isinstance(error.body, Mapping) else None
        self.refused_token = code in _TOKEN_REFUSED and not self._renewed
        if self.refused_token:
            self._renewed = True
            return 0.0
        pause = 0.5 * 2.0 ** (self.attempts - 1)
        if code in _BUSY and self.attempts <= self.max_retries and allows(pause):
            return pause
        vars(error)["attempts"] = self.attempts
        raise error


def _document_error(document: bytes, response: Any) -> InBandError | NoAnswerError:
    """The error that a JSON document in the place of a stream is."""
    said = json_of(document.decode(errors="replace").removeprefix("\ufeff"))
    first = said[0] if isinstance(said, list) and said else said
    body = error_document(first)
    if isinstance(body, Mapping) and "code" in body:
        return InBandError(body, response.request)
    if (error := in_band(first, request=response.request)) is not None:
        return error
    words = document.decode(errors="replace").strip()
    return NoAnswerError(words or empty_answer(response), response.request)


# Answers


def reader(response: Any) -> EventReader:
    """Reads the answer's pieces: each line of it, for its totals are shown as well.

    Raises, when it reads:
        InBandError: a line is an error.
        ValueError: what came is not a JSON object.
    """
    own = frozenset({"error_code", "result"})
    return EventReader(
        read=lambda line: (_chunk(json_object(line), response.request),), own=own, response=response
    )


def _chunk(line: Mapping[str, Any], request: Any) -> Chunk:
    if line.get("error_code"):
        raise InBandError(error_document(line), request)
    usage = line.get("usage") or None
    text, finish = line.get("result") or "", line.get("finish_reason") or None
    return Chunk(
        id=line.get("id") or "",
        text=text,
        finish_reason=finish,
        usage=usage and totals(usage),
        details=details(usage),
        shown=LLMStreamResponse(
            id=line.get("id") or "",
            is_end=bool(line.get("is_end")),
            is_truncated=bool(line.get("is_truncated")),
            result=text,
            finish_reason=finish,
            usage=usage and _shown_totals(usage),
        ),
    )


def _shown_totals(usage: Mapping[str, Any]) -> LLMStreamUsage:
    return LLMStreamUsage(
        prompt_tokens=usage.get("prompt_tokens", 0),
        completion_tokens=usage.get("completion_tokens", 0),
        total_tokens=usage.get("total_tokens", 0),
    )
