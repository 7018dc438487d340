"""Composition: settings → route → backend → responses → telemetry."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from llm_adapter import catalog, failures, policies, requests
from llm_adapter.answer import Answer
from llm_adapter.backends import Backend, Opened
from llm_adapter.backends.ark_listing import EndpointDirectory
from llm_adapter.catalog import Lister, Route
from llm_adapter.chunks import Chunk, read_chunk
from llm_adapter.errors import LLMError, RaiseErrorWithArgs, RequestFailedError
from llm_adapter.garbage import set_aside, uncollected
from llm_adapter.redaction import Redactor
from llm_adapter.requests import ChatRequest, Outgoing
from llm_adapter.responses import LLMStreamResponse
from llm_adapter.settings import Account, BackendName, Settings
from llm_adapter.telemetry import Recorder, Tracer, langfuse_tracer

Responses = Generator[LLMStreamResponse, None, None]


@dataclass(slots=True)
class Clients:
    """The backends and their connections, each made when first needed and kept until `close`.

    Attributes:
        backends: how to make each backend.
        directory: knows what providers call models that people have named themselves.
    """

    backends: Mapping[BackendName, Callable[[], Any]] = field(
        default_factory=lambda: {BackendName.LITELLM: _litellm, BackendName.LEGACY: _legacy}
    )
    directory: EndpointDirectory = field(default_factory=EndpointDirectory)
    _made: dict[BackendName, Any] = field(default_factory=dict)
    _connections: Any = None

    def backend(self, name: BackendName) -> Backend:
        """The backend of that name."""
        if name not in self._made:
            # Two threads may both get here; `setdefault` lets one of them win, and an unused backend has
            # opened nothing.
            self._made.setdefault(name, self.backends[name]())
        backend: Backend = self._made[name]
        return backend

    def warm_up(self, name: BackendName, accounts: Iterable[Account]) -> None:
        """Let a backend prepare for calls with these accounts, if it knows how to."""
        backend = self.backend(name)
        if hasattr(backend, "warm_up"):
            backend.warm_up(accounts)

    def lister(self) -> Lister:
        """Asks providers for their models."""
        from llm_adapter.backends.connection import Connections
        from llm_adapter.backends.models import list_models

        if self._connections is None:
            self._connections = Connections()
        return partial(list_models, self._connections, self.directory)

    def close(self) -> None:
        """Close every connection pool. What is asked next opens new ones."""
        for closable in (*self._made.values(), self._connections):
            if hasattr(closable, "close"):
                closable.close()


@dataclass(frozen=True, kw_only=True, slots=True)
class Adapter:
    """The calls an application makes, for one reading of the settings.

    Attributes:
        settings: the configuration.
        clients: the backends; shared between adapters, so that new settings need no new connections.
        tracer: begins the telemetry of a call.
        raise_error: the host's `raise_error_with_args`, or None to raise this package's own exceptions. An
            `app` that has an attribute of that name comes first.
    """

    settings: Settings
    clients: Clients = field(default_factory=Clients)
    tracer: Tracer = langfuse_tracer
    raise_error: RaiseErrorWithArgs | None = None

    def invoke_llm(
        self,
        app: Any,
        user_id: str,
        span: Any,
        model: str,
        message: str,
        system: str | None = None,
        json: bool = False,  # noqa: FBT001, FBT002 (applications call it so)
        generation_name: str = "invoke_llm",
        **kwargs: Any,
    ) -> Responses:
        """Ask one question; see `llm_adapter.invoke_llm`."""
        request = partial(
            requests.invocation,
            user_id=user_id,
            model=model,
            message=message,
            system=system,
            json=json,
            generation_name=generation_name,
            params=dict(kwargs),
        )
        return self._responses(app, span, model, request)

    def chat_llm(
        self,
        app: Any,
        user_id: str,
        span: Any,
        model: str,
        messages: Iterable[Any],
        json: bool = False,  # noqa: FBT001, FBT002 (applications call it so)
        generation_name: str = "user_follow_ask",
        **kwargs: Any,
    ) -> Responses:
        """Continue a conversation; see `llm_adapter.chat_llm`."""
        del json
        request = partial(
            requests.conversation,
            user_id=user_id,
            model=model,
            messages=messages,
            generation_name=generation_name,
            params=dict(kwargs),
        )
        return self._responses(app, span, model, request)

    def get_current_models(self, app: Any) -> list[str]:
        """The models that can be asked for; see `llm_adapter.get_current_models`."""
        return catalog.current_models(self.settings, self.clients.lister(), _logger(app))

    def warm_up(self) -> None:
        """Pay now for what a first call would pay; see `llm_adapter.warm_up`."""
        configured = [account for account in self.settings.accounts.values() if account.api_key]
        with uncollected():
            for name in BackendName:
                accounts = [account for account in configured if account.backend is name]
                if accounts:
                    self.clients.warm_up(name, accounts)
            if configured:
                set_aside()

    def close(self) -> None:
        """Close the connection pools."""
        self.clients.close()

    def _responses(self, app: Any, span: Any, model: str, request: Callable[[], ChatRequest]) -> Responses:
        """Everything happens on the first `next`: until then nothing is read, sent or reported."""
        host = getattr(app, "raise_error_with_args", None) or self.raise_error
        try:
            route = catalog.resolve(model, self.settings, self.clients.directory.find)
        except LLMError as error:
            error.raise_through(host)
        call = _Call(route=route, redactor=Redactor.of(self.settings.secrets), host=host)
        shaped = self._shaped(request(), route)
        recorder = self.tracer(span, shaped, redactor=call.redactor, logger=_logger(app))
        yield from call.responses(self.clients.backend(route.account.backend), shaped, recorder)

    def _shaped(self, request: ChatRequest, route: Route) -> ChatRequest:
        family = policies.family_of(route.provider.key, route.family_name)
        if route.account.backend is BackendName.LITELLM:
            request = policies.shaped(request, family)
        else:
            request = policies.plain(request, family)
        return policies.limited(request, self.settings.max_output_tokens.get(request.model), family)


@dataclass(frozen=True, kw_only=True, slots=True)
class _Call:
    """One call under way."""

    route: Route
    redactor: Redactor
    host: RaiseErrorWithArgs | None

    def responses(self, backend: Backend, request: ChatRequest, recorder: Recorder) -> Responses:
        chunks = self._chunks(backend, request)
        try:
            for chunk in chunks:
                recorder.see(chunk)
                response = chunk.response
                if response is not None:
                    yield response
        except LLMError as error:
            recorder.fail(error.message)
            error.raise_through(self.host)
        except BaseException:  # the consumer has left, or the thread is being ended
            recorder.stop()
            raise
        else:
            recorder.finish()
        finally:
            chunks.close()

    def _chunks(self, backend: Backend, request: ChatRequest) -> Generator[Chunk, None, None]:
        """The provider's chunks; whatever the client raises, now or in mid-stream, becomes an `LLMError`."""
        opened: Opened | None = None
        try:
            opened = backend(self._outgoing(request))
            wanted = 0 if request.choices > 1 else None
            answer = Answer()
            for item in opened.chunks:
                chunk = read_chunk(item, choice_index=wanted)
                answer.see(chunk)
                yield chunk
            if not opened.may_be_empty:
                answer.finish()
        except Exception as trouble:  # noqa: BLE001 (clients raise anything; all of it is translated)
            self.redactor.exceptions(trouble)
            raise self._failed(trouble, request, opened) from failures.origin(trouble)
        finally:
            if opened is not None:
                opened.close()

    def _outgoing(self, request: ChatRequest) -> Outgoing:
        return Outgoing(
            provider=self.route.provider.key,
            base_url=self.route.account.base_url,
            api_key=self.route.account.api_key,
            api_secret=self.route.account.api_secret,
            headers=self.route.account.headers,
            user=request.user_id,
            model=self.route.model,
            messages=request.messages,
            params=request.params,
        )

    def _failed(self, trouble: Exception, request: ChatRequest, opened: Opened | None) -> LLMError:
        failure = failures.describe(trouble, attempts=opened.attempts if opened else None)
        provider = self.route.provider.key
        said = self.redactor.data(failure.provider_message)
        code = self.redactor.data(failure.provider_code)
        facts = ", ".join(str(fact) for fact in (failure.category, failure.status, code) if fact is not None)
        words = said or type(failures.origin(trouble)).__name__
        return RequestFailedError(
            f"{provider} failed for {request.model!r} ({facts}): {words}",
            model=request.model,
            provider=provider,
            category=failure.category,
            status=failure.status,
            provider_code=code,
            provider_message=said,
            attempts=failure.attempts,
        )


def adapter_from(environ: Mapping[str, str], *, tracer: Tracer = langfuse_tracer) -> Adapter:
    """An adapter with these variables in place of the environment, and connections of its own to close."""
    return Adapter(settings=Settings.from_environ(environ), tracer=tracer)


def _logger(app: Any) -> logging.Logger:
    found: logging.Logger | None = getattr(app, "logger", None)
    return found or logging.getLogger("llm_adapter")


def _litellm() -> Any:
    from llm_adapter.backends.litellm import LiteLLMBackend

    return LiteLLMBackend()


def _legacy() -> Any:
    from llm_adapter.legacy import LegacyBackend

    return LegacyBackend()
