"""Describe how a call failed, from whatever exception a client raised. Never lets a key through."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Any

from llm_contracts.clients.jsonable import jsonable, public_fields, read
from llm_contracts.clients.observation import Failure

_LONGEST = 2_000  # characters of a message: providers echo whole requests
_SHORTEST_KEY = 4  # masking shorter ones would eat ordinary words

_UNSHARED = frozenset({"args", "request", "response", "with_traceback", "add_note"})
"""Of an error's public names, those that hold its message again, or objects of the client's."""


class ForeignError(Exception):
    """A failure of a program in another language: it has a name, and no class that Python could catch.

    Attributes:
        fields: what the program says about it: `name`, and any that `describe` reads from an exception.
    """

    def __init__(self, message: str, *, fields: Mapping[str, Any]) -> None:
        super().__init__(message)
        self.fields = fields


def describe(error: BaseException, api_key: str, *, raised: str = "stream") -> Failure:
    """What the exception says about itself. Attributes that are missing or raise are left out.

    An exception with a `provider_code` has a `code` of its own; in any other, `code` is the provider's, as in
    the openai SDK's errors. `raised`: see `Failure`.
    """
    foreign = isinstance(error, ForeignError)
    given: Any = error.fields if isinstance(error, ForeignError) else error
    code = _word(read(given, "code"))
    provider_code = code
    if "provider_code" in (given if foreign else dir(given)):
        provider_code = _word(read(given, "provider_code"))
    else:
        code = None
    category = _word(read(given, "category"))
    holders = (given, read(given, "response"))  # httpx and requests say `status_code`, aiohttp `status`
    return Failure(
        category=category or (_word(read(given, "name")) if foreign else None) or type(error).__name__,
        named=category is not None,
        classes=() if foreign else _classes(error),
        below=_classes(_below(error)),
        said=without_key(_printed(error), api_key)[:_LONGEST],
        fields=without_key(_fields(given), api_key),
        raised=raised,
        message=without_key(_message(error), api_key)[:_LONGEST],
        status=_whole(*(read(one, name) for one in holders for name in ("status_code", "status"))),
        code=code,
        provider_code=without_key(provider_code, api_key),
        attempts=_whole(read(given, "attempts")),
    )


def answered(response: Any) -> dict[str, Any]:
    """Status and headers of a library's object for an answer; empty where it is none."""
    headers = read(response, "headers")
    if not isinstance(headers, Mapping):
        return {}
    named = {str(name).lower(): str(value) for name, value in headers.items()}
    return {"status": _whole(read(response, "status_code"), read(response, "status")), "headers": named}


def without_key(value: Any, api_key: str) -> Any:
    """The JSON value with the key masked wherever it occurs: providers echo keys in error messages."""
    if isinstance(value, str) and len(api_key) >= _SHORTEST_KEY:
        return value.replace(api_key, "[api key]")
    if isinstance(value, list):
        return [without_key(part, api_key) for part in value]
    if isinstance(value, dict):
        return {without_key(name, api_key): without_key(part, api_key) for name, part in value.items()}
    return value


def _fields(error: BaseException | Mapping[str, Any]) -> dict[str, Any]:
    """The error's public data as JSON, and what the answer that it holds says."""
    if isinstance(error, Mapping):
        return {name: value for name, value in error.items() if name != "name" and value is not None}
    found = public_fields(error, without=_UNSHARED)
    answer = read(error, "response")
    if said := answered(answer):
        body = read(answer, "content")
        content = {"content": body.decode(errors="replace")} if isinstance(body, bytes) else {}
        found |= {"headers": said["headers"], "response": {"status": said["status"], **content}}
    return {name: value for name, value in found.items() if value is not None}


def _class_name(kind: type) -> str:
    """The shortest name under which a class can be imported: `openai.RateLimitError`."""
    root = kind.__module__.partition(".")[0]
    if root == "builtins":
        return kind.__qualname__
    exported = getattr(sys.modules.get(root), kind.__qualname__, None)
    return f"{root if exported is kind else kind.__module__}.{kind.__qualname__}"


def _classes(error: BaseException | None) -> tuple[str, ...]:
    return () if error is None else tuple(map(_class_name, type(error).__mro__[:-2]))


def _below(error: BaseException) -> BaseException | None:
    return error.__cause__ or (None if error.__suppress_context__ else error.__context__)


def _message(error: BaseException) -> str:
    """What the exception says, and what lies below: `Connection error.` alone tells nobody what to do."""
    cause = _below(error)
    below = "" if cause is None else f" (from {type(cause).__name__}: {_printed(cause)})"
    return _printed(error) + below


def _printed(error: BaseException) -> str:
    try:
        return str(error)
    except Exception:  # noqa: BLE001 - an exception that cannot even be printed is still a failure to report
        return f"({type(error).__name__} cannot be printed)"


def _word(value: Any) -> str | None:
    plain = jsonable(value)
    if isinstance(plain, bool) or not isinstance(plain, (str, int)):
        return None
    return str(plain) or None


def _whole(*values: Any) -> int | None:
    return next((v for v in values if isinstance(v, int) and not isinstance(v, bool)), None)
