"""A small Flask application around llm_adapter: errors, translations, metering, telemetry, models, health.

docs/wire-it-in.md explains it. Run it with `flask --app examples.host.app run`, or under gunicorn with
`gunicorn -c examples/host/gunicorn_conf.py "examples.host.app:create_app()"`.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from typing import Any, NoReturn

from flask import Flask, Response, jsonify, request, stream_with_context

from llm_adapter import (
    MESSAGES,
    CallRecord,
    ErrorCode,
    LLMError,
    LLMStream,
    LLMStreamResponse,
    adapter_from,
)

CODES: Mapping[str, int] = {
    ErrorCode.NOT_CONFIGURED: 8002,
    ErrorCode.NOT_SUPPORTED: 8003,
    ErrorCode.REQUEST_FAILED: 8004,
}
TEXTS: Mapping[str, Mapping[str, str]] = {
    "en": {str(code): text for code, text in MESSAGES.items()},
    "de": {
        ErrorCode.NOT_CONFIGURED: "Modell {model} ist nicht eingerichtet, siehe {config_var}.",
        ErrorCode.NOT_SUPPORTED: "Modell {model} gibt es hier nicht.",
        ErrorCode.REQUEST_FAILED: "Modell {model} konnte nicht antworten: {message}",
    },
}


class AppError(Exception):
    """What the application tells people, with a number of its own."""

    def __init__(self, message: str, code: int) -> None:
        super().__init__(message)
        self.message, self.code = message, code


def raise_error_with_args(name: str, **arguments: Any) -> NoReturn:
    """Raise the application's own error in the language of the request."""
    language = request.accept_languages.best_match(list(TEXTS)) or "en"
    raise AppError(TEXTS[language][name].format(**arguments), CODES[name])


def create_app(
    settings: Mapping[str, Any] | Callable[[str], Any] | None = None,
    meter: Callable[[Mapping[str, Any]], None] | None = None,
    span: Callable[[], Any] = lambda: None,
) -> Flask:
    """The application.

    Args:
        settings: the adapter's variables, a mapping or what gives a value by name; None: the environment.
        meter: stores a row for each call; they are logged if None.
        span: the Langfuse span of the request, or None.
    """
    app = Flask(__name__)
    store = meter or (lambda row: logging.getLogger("metering").info("%s", row))
    adapter = adapter_from(
        os.environ if settings is None else settings,
        raise_error=raise_error_with_args,
        on_usage=lambda record: store(metered(record)),
    )
    app.extensions["llm"] = adapter

    @app.errorhandler(AppError)
    def tell(error: AppError) -> Response:
        return jsonify(code=error.code, message=error.message)

    @app.errorhandler(LLMError)
    def tell_untranslated(error: LLMError) -> Response:
        return jsonify(code=CODES[error.code], message=error.user_message)

    @app.get("/models")
    def models() -> Response:
        return jsonify(adapter.get_model_options(app))

    @app.get("/health")
    def health() -> Response:
        """No provider is asked: a provider's trouble is no reason to restart a worker."""
        warnings = adapter.current_settings.warnings
        return jsonify(status="degraded" if warnings else "ok", warnings=list(warnings))

    @app.post("/ask")
    def ask() -> Response:
        asked = request.get_json()
        stream = adapter.invoke_llm(
            app,
            asked.get("user", ""),
            span(),
            asked["model"],
            asked["message"],
            temperature=asked.get("temperature"),
            usage_metadata={"lesson": asked.get("lesson")},
            request_id=request.headers.get("X-Request-ID"),
        )
        # What fails before the first piece is an error, not half an answer.
        first = next(stream, None)
        return Response(stream_with_context(shown(first, stream)), mimetype="text/plain")

    return app


def shown(first: LLMStreamResponse | None, stream: LLMStream) -> Iterator[bytes]:
    """What a reader sees, piece by piece; leaving the page ends the call.

    A piece may hold half a character of two surrogates, which nobody can write.
    """
    with closing(stream):
        for text in _texts(first, stream):
            yield text.encode(errors="replace")


def _texts(first: LLMStreamResponse | None, stream: LLMStream) -> Iterator[str]:
    if first is not None:
        yield first.result
    try:
        yield from (piece.result for piece in stream)
    except AppError as error:
        yield f"\n[{error.code}] {error.message}"
    if stream.record.is_truncated:
        yield "…"


def metered(record: CallRecord) -> Mapping[str, Any]:
    """A row of the meter. Cached tokens are a part of `input`: who charges both charges twice."""
    usage = record.usage
    return {
        "provider": record.provider,
        "model": record.requested_model,
        "input": int(usage.input or 0) if usage else 0,
        "input_cache": int(usage.cached or 0) if usage else 0,
        "output": int(usage.output or 0) if usage else 0,
        "reasoning": int(usage.reasoning or 0) if usage else 0,
        "usage_source": "provider" if usage else "missing",
        "latency_ms": int(record.latency_s * 1000),
        "first_token_ms": None if record.first_token_s is None else int(record.first_token_s * 1000),
        "attempts": record.attempts,
        "status": str(record.outcome),
        "error": str(record.error.category) if record.error else "",
        "provider_request_id": record.request_id,
        "request_id": record.own.get("request_id"),
        "extra": {**(record.own.get("usage_metadata") or {}), "output_text": record.text[:12000]},
    }
