"""Error bodies: the many shapes in which providers say no, brought to one mapping that has a `message`.

Read here are the shapes that many APIs share: OpenAI's envelope, the same inside an array (Gemini's
compatible endpoint), `code` and `message` without an envelope (SiliconFlow, DashScope), a status as `code`
alone, `error_code` with `error_msg` and HTTP 200 (Baidu) or with `message` (Databricks), `Message` (AWS), a
list of `errors` (Cloudflare, watsonx), OAuth's `error` and `error_description`, MiniMax's
`base_resp`, Tencent Cloud's `Response.Error` and `ErrorMsg`, bare JSON strings, plain text and HTML. A
protocol adds those of its own.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from llm_contracts.util.json_values import as_list, as_mapping
from llm_contracts.wire.protocols import BUILT_IN, Protocols

_FAILURE = re.compile(r"[45]\d\d")
"""A code that says without words that something failed: an HTTP status."""

_Reader = Callable[[Mapping[str, Any]], Mapping[str, Any] | None]


def error_of(
    data: Any, text: str, *, failed: bool, protocols: Protocols = BUILT_IN
) -> Mapping[str, Any] | None:
    """The error that an event announces, or that a whole answer consists of, by its shape. `failed`: the
    event's name or the answer's status says that it is one, whatever its shape.
    """
    error = _by_shape(data, protocols)
    return _by_status(data, text) if error is None and failed else error


def retry_delay(error: Mapping[str, Any]) -> float | None:
    """The seconds to wait that a refusal names in its body, as Google's do (`google.rpc.RetryInfo`)."""
    for detail in as_list(error.get("details")):
        try:
            return float(str(detail["retryDelay"]).removesuffix("s"))
        except (KeyError, TypeError, ValueError):
            continue
    return None


def _by_shape(data: Any, protocols: Protocols) -> Mapping[str, Any] | None:
    """An error recognisable without a status."""
    if isinstance(data, list):
        return _by_shape(data[0], protocols) if data and isinstance(data[0], dict) else None
    if not isinstance(data, dict):
        return None
    readers = (*_SHAPES, *(protocol.error for protocol in protocols))
    return next((error for read in readers if (error := read(data)) is not None), None)


def _by_status(data: Any, text: str) -> Mapping[str, Any]:
    """An error only because somebody said so: the message is whatever there is to read."""
    if isinstance(data, str):
        return {"message": data}
    if isinstance(data, dict):
        named = {key.lower(): value for key, value in data.items()}
        first = as_mapping(next(iter(as_list(named.get("errors"))), None))
        given = (named.get("message"), named.get("detail"), first.get("message"))
        return {**data, "message": next((one for one in given if isinstance(one, str)), text)}
    return {"message": text}


def _enveloped(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    error = None if "custom_id" in data else data.get("error")  # a batch's line: only this question failed
    if isinstance(error, list) and error:
        error = error[0]
    if isinstance(error, dict) and error:
        return {**error, "message": _text(error.get("message"))}
    if isinstance(error, str) and error:
        description = data.get("error_description")
        if description is not None:
            return {"code": error, "message": _text(description)}
        return {**({"code": data["code"]} if data.get("code") else {}), "message": error}
    return data if error is True and isinstance(data.get("message"), str) else None


def _error_code(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    if not data.get("error_code"):
        return None
    return {"code": data["error_code"], "message": _text(data.get("error_msg", data.get("message")))}


def _base_response(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    base = data.get("base_resp")
    if not isinstance(base, dict) or not base.get("status_code"):
        return None
    return {"code": base["status_code"], "message": _text(base.get("status_msg"))}


def _capitalised(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """As tencentcloud-sdk-python reads it: `Response.Error`, and `ErrorMsg` in the events of hunyuan."""
    answer = as_mapping(data.get("Response", data))
    error = as_mapping(answer.get("Error", answer.get("ErrorMsg")))
    message = error.get("Message", error.get("Msg"))
    return {"code": error.get("Code"), "message": message} if isinstance(message, str) else None


def _code_and_message(data: Mapping[str, Any]) -> Mapping[str, Any] | None:
    code, message = data.get("code"), data.get("message")
    if "choices" in data or not code:
        return None
    if isinstance(message, str):
        return data
    return {**data, "message": str(code)} if message is None and _FAILURE.fullmatch(str(code)) else None


def _text(value: Any) -> str:
    return value if isinstance(value, str) else "" if value is None else str(value)


_SHAPES: tuple[_Reader, ...] = (
    _enveloped,
    _error_code,
    _base_response,
    _capitalised,
    _code_and_message,
)
