"""Saying what went wrong: any client's exception, and any provider's way to word it, to one description.

Both backends end here with an exception of the same client library at the bottom of the chain, and only
that one is read: LiteLLM chooses its own classes by words found in the provider's text. Status and code
decide; text is only looked at where a provider gives nothing else. Codes come from the providers'
documentation and from answers seen in the wild.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from llm_adapter.categories import category_of, http_status
from llm_adapter.errors import Category, SettingsError
from llm_adapter.interruptions import interruption
from llm_adapter.redaction import chain
from llm_adapter.requests import TRANSPORT_PARAMS

_LONGEST_MESSAGE = 2000
_REDIRECTS = {301, 302, 303, 307, 308}
_REDIRECTED = "it redirects to another address, which nobody configured and no key is sent to"
_MESSAGES = ("message", "msg", "error_msg", "error_description", "details", "detail", "title")
_CODES = ("code", "error_code")
_STATUSES = ("status", "status_code", "statusCode", "http_status", "http_code")
_GOOD_CODES = {"0", "200", "ok", "success"}


class InBandError(Exception):
    """The provider answered 200 and then sent an error instead of, or in the middle of, the answer.

    Attributes:
        body: what it sent, an `error` envelope already taken off.
        request: the HTTP request it was the answer to, where that is known.
    """

    def __init__(self, body: Any, request: Any = None) -> None:
        super().__init__("the provider sent an error in the place of a chunk")
        self.body = body
        self.request = request


class NoAnswerError(Exception):
    """The provider answered 200, and what came is not an answer: a page, an empty body, a stream of nothing.

    Attributes:
        body: what came, or what is missing.
        request: the HTTP request it was the answer to, where that is known.
    """

    def __init__(self, body: str, request: Any = None) -> None:
        super().__init__("what the provider sent is not an answer")
        self.body = {"message": body}
        self.request = request


class RefusedError(Exception):
    """The provider answered with a failing status, to a client that has no exceptions of its own for that.

    Attributes:
        status_code: the HTTP status.
        body: what it sent, with `code`, `type` and `message` where it has such things.
        attempts: how many requests were made.
        wait: how many seconds it asks to be left alone, or None.
    """

    def __init__(self, status_code: int, body: Any, *, attempts: int, wait: float | None = None) -> None:
        super().__init__(f"HTTP {status_code}")
        self.status_code = status_code
        self.body = body
        self.attempts = attempts
        self.wait = wait


class NotSentError(Exception):
    """The request cannot be made in this way, and was not; says why and what to do."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.body = {"message": reason}


@dataclass(frozen=True, kw_only=True, slots=True)
class Failure:
    """What went wrong, in terms that no client library and no provider decides."""

    category: Category
    status: int | None = None
    provider_code: str | None = None
    provider_message: str | None = None
    attempts: int | None = None
    request_id: str | None = None


def describe(error: BaseException, *, attempts: int | None = None) -> Failure:
    """Say what went wrong.

    Args:
        error: what the client raised.
        attempts: the requests made, where the caller knows; otherwise the exception is asked.
    """
    source = origin(error)
    if isinstance(source, SettingsError):
        return Failure(category=Category.CONFIGURATION, provider_message=str(source))
    status = _status(source)
    body = _parsed(getattr(source, "body", None))
    code, kind, message = _parse_error(body)
    if status in _REDIRECTS:  # what is written on the page says no more than where it leads
        message = _REDIRECTED
    return Failure(
        category=_category(source, status, code, kind, message),
        status=status,
        provider_code=code,
        provider_message=message or None,
        attempts=attempts or _attempts(source),
        request_id=request_id(getattr(getattr(source, "response", None), "headers", None)),
    )


def request_id(headers: Any) -> str | None:
    """The provider's id of a request, from the headers of its answer."""
    return next((headers[name] for name in _REQUEST_IDS if name in headers), None) if headers else None


def unsendable(error: BaseException, params: Mapping[str, Any]) -> str | None:
    """Which parameters kept a request from being made: those that are not JSON. None if it was not that."""
    if not isinstance(origin(error), TypeError):
        return None
    names = [name for name, value in params.items() if name not in TRANSPORT_PARAMS and not _is_json(value)]
    return f"not JSON: {', '.join(names)}" if names else None


def _is_json(value: Any) -> bool:
    try:
        json.dumps(value)
    except (TypeError, ValueError):
        return False
    return True


# OpenAI and most others; SiliconFlow; DeepSeek.
_REQUEST_IDS = ("x-request-id", "request-id", "x-siliconcloud-trace-id", "x-ds-trace-id")


def origin(error: BaseException) -> BaseException:
    """The exception to read, and to name as the cause: the SDK's own where there is one.

    LiteLLM wraps it twice, and its copies lose code, body and request. In mid-stream there may be none: then
    it is the HTTP library's, whose upper layer knows the request.
    """
    links = [link for link in chain(error) if _library(link) != "litellm"] or [error]
    return next((link for link in links if _library(link) == "openai"), links[0])


def is_broken_connection(error: BaseException) -> bool:
    """Whether the way to the provider failed. What cannot be understood comes again the same way."""
    if interruption(error) is not None:
        return False
    return describe(error).category is Category.CONNECTION and _status(error) is None


def in_band(body: Any, *, request: Any = None) -> InBandError | None:
    """The error that a decoded event or answer is, or None if it is none.

    An envelope has an `error`, or a list of `errors`; some send code and message bare, or a code of HTTP's
    alone, or say only that it is an error. SiliconFlow's `code`, ERNIE's `error_code` and MiniMax's
    `status_code` are numbers; a code of 0 or 200 says that all is well. MiniMax says so beside the last
    choice, too.
    """
    found = _error_in(body) if isinstance(body, Mapping) else None
    return None if found is None else InBandError(found, request)


def _error_in(body: Mapping[str, Any]) -> Any:
    error, base = body.get("error"), body.get("base_resp")
    if error:
        return body if error is True else {"code": error} if http_status(str(error)) else error
    if isinstance(base, Mapping) and base.get("status_code"):
        code = base["status_code"]
        return {"code": code, "type": f"minimax:{code}", "message": base.get("status_msg") or ""}
    if body.get("choices"):
        return None
    if body.get("errors"):
        return body["errors"]
    code, _, message = _parse_error(body)
    named = "error" in {body.get("object"), body.get("type")} or body.get("success") is False
    if ((code or body.get("error_msg")) and message) or http_status(code) or named:
        return body
    return None


def _library(link: BaseException) -> str:
    return type(link).__module__.partition(".")[0]


def _status(error: BaseException) -> int | None:
    status = getattr(error, "status_code", None)
    return status if isinstance(status, int) else None


def _attempts(error: BaseException) -> int | None:
    counted = getattr(error, "attempts", None)
    if isinstance(counted, int):
        return counted
    try:
        request: Any = error.request  # type: ignore[attr-defined]
        return int(request.headers.get("x-stainless-retry-count", "0")) + 1
    except (AttributeError, RuntimeError, ValueError):  # httpx raises RuntimeError where there was no request
        return None


def _parsed(body: Any) -> Any:
    """A body that the client library could not read: DashScope frames a 400 as a server-sent event."""
    if not isinstance(body, str):
        return body
    text = body.removeprefix("\ufeff").strip()
    lines = [line.removeprefix("data:") for line in text.splitlines() if line.startswith("data:")]
    text = "\n".join(lines) or text
    try:
        parsed = json.loads(text)
    except ValueError:
        return body
    return parsed.get("error") or parsed if isinstance(parsed, dict) else parsed


def _parse_error(body: Any) -> tuple[str | None, str | None, str]:
    """The provider's code, type and message, wherever in the body it puts them."""
    if isinstance(body, str):  # SiliconFlow answers bare JSON strings; gateways answer pages
        words = body.strip()
        kind = words if re.fullmatch(r"[\w.-]{1,80}", words) else None  # a word alone says which kind it is
        return None, kind, words[:_LONGEST_MESSAGE]
    if isinstance(body, list) and body:
        return _parse_error(body[0])
    if not isinstance(body, Mapping):
        return None, None, ""
    for name in ("error", "errors"):
        if body.get(name) and isinstance(body[name], (Mapping, str, list)):
            return _parse_error(body[name])
    message = next((body[name] for name in _MESSAGES if body.get(name)), "")
    if isinstance(message, (Mapping, list)):  # FastAPI's details of what is wrong with a request
        message = _parse_error(message)[2] or message
    code = next(filter(None, (_text(body.get(name)) for name in _CODES)), None)
    # A status may be a word, such as Google's; only HTTP's is a code.
    code = code or next((text for name in _STATUSES if http_status(text := _text(body.get(name)))), None)
    return code, _text(body.get("type")), str(message)[:_LONGEST_MESSAGE]


def _text(value: Any) -> str | None:
    is_code = isinstance(value, (str, int, float)) and not isinstance(value, bool)
    text = str(value).removesuffix(".0") if is_code else ""
    return text if text and text.lower() not in _GOOD_CODES else None


def _category(
    error: BaseException, status: int | None, code: str | None, kind: str | None, message: str
) -> Category:
    if isinstance(error, NotSentError):
        return Category.BAD_REQUEST
    if isinstance(error, NoAnswerError):
        return Category.PROTOCOL
    return category_of(
        status=status,
        code=code,
        kind=kind,
        message=message,
        in_band=isinstance(error, InBandError),
        classes=type(error).__mro__,
    )
