"""One call: settings → route → backend → responses → telemetry."""

from __future__ import annotations

import logging
from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from llm_adapter import catalog, failures, policies
from llm_adapter.answer import Answer
from llm_adapter.backends import AsyncOpened, Backend, Opened
from llm_adapter.catalog import Route
from llm_adapter.categories import WORDS
from llm_adapter.chunks import Chunk, read_chunk
from llm_adapter.clients import Clients
from llm_adapter.errors import Category, LLMError, RaiseErrorWithArgs, RequestFailedError, SettingsError
from llm_adapter.interruptions import interruption
from llm_adapter.records import CallRecord, Outcome, UsageHook
from llm_adapter.redaction import Redactor, hide_in_logs
from llm_adapter.requests import ChatRequest, Outgoing
from llm_adapter.responses import LLMStreamResponse
from llm_adapter.settings import BackendName, Settings
from llm_adapter.telemetry import Recorder, Tracer, well_formed


class Run(NamedTuple):
    """A step: call a function that may take its time; wants what it returns."""

    function: Callable[[], Any]


class Open(NamedTuple):
    """A step: send a request; wants the stream that was opened. Any stream before it is to be closed."""

    backend: BackendName
    outgoing: Outgoing


NEXT: Final = object()
"""A step: wait for the next chunk of the stream; wants that, or `END`."""

END: Final = object()

Steps = Generator[Any, Any, None]
"""What a call has done for it, step by step, and the pieces for the caller between these."""


@dataclass(kw_only=True, slots=True)
class Call:
    """One call under way.

    Attributes:
        settings: reads the settings.
        clients: the backends.
        tracer: begins the telemetry.
        raise_error: the host's way to raise, if it has one.
        on_usage: called with the record when the call is over.
        app: the host application, or None.
        span: the caller's span.
        build: makes the request.
        request: what is known of it before, and then the request as it is sent.
        function: which of the functions was called.
    """

    settings: Callable[[], Settings]
    clients: Clients
    tracer: Tracer
    raise_error: RaiseErrorWithArgs | None
    on_usage: UsageHook | None
    app: Any
    span: Any
    build: Callable[..., ChatRequest]
    request: ChatRequest
    function: str
    _answer: Answer = field(default_factory=Answer)
    _redactor: Redactor = field(default_factory=lambda: Redactor(()))
    _recorder: Recorder | None = None
    _route: Route | None = None
    _opened: Opened | AsyncOpened | None = None
    _outcome: Outcome = Outcome.RUNNING
    _error: LLMError | None = None
    _started: float | None = None
    _ended: float | None = None
    _lost_attempts: int = 0
    # Taken by who begins: the caller's first `next`, or another thread that cancels before it.
    _beginning: Iterator[bool] = field(default_factory=lambda: iter((True,)))

    def steps(self) -> Steps:
        """All that is to be done, and the pieces for the caller, in order.

        Does no input or output: what takes time is asked for (`Run`, `Open`, `NEXT`) of who drives the steps,
        with or without an event loop, and its outcome sent or thrown in. It is reported once, however it
        ends.
        """
        if next(self._beginning, False):
            yield from self._steps()

    def leave(self) -> None:
        """Report a call that is ended before its first step as left by its caller; else nothing."""
        if next(self._beginning, False):
            steps = self._steps()
            next(steps)
            steps.close()

    def _steps(self) -> Steps:
        self._started = self._answer.clock()
        host = getattr(self.app, "raise_error_with_args", None) or self.raise_error
        try:
            try:
                trouble = yield Run(self._prepare)
            except TimeoutError as late:
                trouble = self._unaskable(late)
            self._notify(self._begin)
            if trouble is not None:
                raise trouble  # noqa: TRY301 (it ends like all others)
            yield from self._pieces()
        except LLMError as error:
            self._end(Outcome.FAILED, error)
            if self._recorder is not None:
                self._notify(self._recorder.fail, error.message)
            error.raise_through(host)
        except BaseException:  # the consumer has left, or the thread is being ended
            self._end(Outcome.STOPPED)
            if self._recorder is None:
                self._notify(self._begin)
            if self._recorder is not None:
                self._notify(self._recorder.stop)
            raise
        else:
            self._end(Outcome.FINISHED)
            if self._recorder is not None:
                self._notify(self._recorder.finish)
        finally:
            self._report()

    def record(self) -> CallRecord:
        """What is known of the call now."""
        answer, error = self._answer, self._error
        now = self._ended or answer.clock()
        row = self._route.provider if self._route else None
        return CallRecord(
            function=self.function,
            requested_model=self.request.model,
            model=answer.model,
            provider=(row.metered_as or row.key) if row else None,
            user_id=self.request.user_id,
            generation_name=self.request.generation_name,
            own=self.request.own,
            params={name: value for name, value in self.request.params.items() if name != "extra_headers"},
            outcome=self._outcome,
            error=error,
            text=well_formed(answer.text),
            reasoning=well_formed(answer.reasoning),
            refusal=well_formed(answer.refusal),
            finish_reason=answer.finish_reason,
            tool_calls=answer.tool_calls,
            usage=answer.totals,
            response_id=answer.id,
            request_id=self._redactor.data(self._opened and self._opened.request_id)
            or (error.request_id if error else None),
            attempts=self._attempts(),
            latency_s=0.0 if self._started is None else now - self._started,
            first_token_s=None if answer.begun is None else answer.begun - (self._started or 0.0),
        )

    def _attempts(self) -> int | None:
        if self._error is not None:
            return self._error.attempts
        made = self._opened.attempts if self._opened else None
        return made and made + self._lost_attempts

    def _prepare(self) -> LLMError | None:
        """Make the request and find out where it goes; what keeps it from going anywhere is returned,
        not raised: telemetry is to hear of it.
        """
        known = self.request
        try:
            self.request = replace(
                self.build(model=known.model, generation_name=known.generation_name, user_id=known.user_id),
                own=known.own,
            )
            settings = self.settings()
            self._redactor = Redactor.of(settings.secrets)
            hide_in_logs(settings.secrets)
            route = catalog.resolve(known.model, settings, self.clients.directory.find)
            self._route = route
            self.request = self._shaped(self.request, route, settings)
        except LLMError as error:
            return error
        except Exception as trouble:
            if interruption(trouble) is not None:
                raise
            return self._unaskable(trouble)
        return None

    def _unaskable(self, trouble: Exception) -> LLMError:
        """The failure of a call that has not come as far as a provider."""
        self._redactor.exceptions(trouble)
        kinds = {SettingsError: Category.CONFIGURATION, TimeoutError: Category.TIMEOUT}
        model = self.request.model
        refused = RequestFailedError(
            f"{model!r} cannot be asked: {trouble}",
            model=model,
            category=next((kinds[kind] for kind in kinds if isinstance(trouble, kind)), Category.BAD_REQUEST),
        )
        refused.__cause__ = trouble
        return refused

    def _shaped(self, request: ChatRequest, route: Route, settings: Settings) -> ChatRequest:
        family = policies.family_of(route.provider.key, route.family_name)
        limit = settings.max_output_tokens.get(request.model)
        if route.account.backend is BackendName.LITELLM:
            request = policies.shaped(request, family, thinking_off=settings.thinking_off)
            if limit is None and settings.limits_from_table:
                table = getattr(self._backend(), "output_limit", None)
                limit = table(route.model) if table else None
        else:
            request = policies.plain(request, family)
        return policies.limited(request, limit, family)

    def _backend(self) -> Backend:
        assert self._route is not None
        return self.clients.backend(self._route.account.backend)

    def _end(self, outcome: Outcome, error: LLMError | None = None) -> None:
        self._outcome, self._error, self._ended = outcome, error, self._answer.clock()

    def _begin(self) -> None:
        self._recorder = self.tracer(
            self.span, self.request, redactor=self._redactor, logger=logger_of(self.app)
        )

    def _notify(self, method: Callable[..., None], *arguments: Any) -> None:
        """Call telemetry; that it fails does not concern the call."""
        try:
            method(*arguments)
        except Exception as error:  # noqa: BLE001 (any tracer may do anything)
            logger_of(self.app).warning("telemetry failed (%s); the call goes on", type(error).__name__)

    def _report(self) -> None:
        if self.on_usage is None:
            return
        try:
            self.on_usage(self.record())
        except Exception as error:  # noqa: BLE001 (the host's own affair)
            logger_of(self.app).warning("the usage hook failed (%s); the call goes on", type(error).__name__)

    def _pieces(self) -> Steps:
        """The pieces; whatever the client raises, now or in mid-stream, becomes an `LLMError`.

        A connection that breaks before the first text is asked for once more: nobody has seen anything of the
        answer. Thoughts that come before it are held until then, so that those of the lost answer are lost.
        """
        try:
            yield from self._attempt(last=False)
        except Exception as trouble:  # noqa: BLE001 (clients raise anything; all of it is translated)
            self._redactor.exceptions(trouble)
            raise self._failed(trouble) from failures.origin(trouble)

    def _attempt(self, *, last: bool) -> Steps:
        assert self._route is not None
        self._opened = None
        self._opened = opened = yield Open(self._route.account.backend, self._outgoing())
        wanted = 0 if self.request.choices > 1 else None
        held: list[Chunk] | None = [] if opened.repeatable and not last else None
        try:
            while (item := (yield NEXT)) is not END:
                chunk = read_chunk(item, choice_index=wanted)
                self._answer.note(chunk)
                if held is not None:
                    if chunk.reasoning and not chunk.is_content:
                        held.append(chunk)
                        continue
                    if chunk.is_content:
                        self._see_all(held)
                        held = None
                piece = self._seen(chunk)
                if piece is not None:
                    yield piece
        except BaseException as trouble:
            if held is None or not (
                isinstance(trouble, Exception) and failures.is_broken_connection(trouble)
            ):
                self._see_all(held or ())  # this answer is the last: its thoughts count
                raise
            self._lost_attempts += opened.attempts or 1
            provider = self._outgoing().provider
            logger_of(self.app).warning(
                "the stream of %s broke before its first text: asking again", provider
            )
            yield from self._attempt(last=True)
            return
        self._see_all(held or ())
        if not opened.may_be_empty:
            self._answer.finish(opened.rest())

    def _see_all(self, thoughts: Iterable[Chunk]) -> None:
        for chunk in thoughts:
            self._seen(chunk)

    def _seen(self, chunk: Chunk) -> LLMStreamResponse | None:
        """Take a chunk as a part of the answer; gives what the caller is given for it."""
        self._answer.see(chunk)
        if self._recorder is not None:
            self._notify(self._recorder.see, chunk)
        return chunk.response

    def _outgoing(self) -> Outgoing:
        assert self._route is not None
        account = self._route.account
        return Outgoing(
            provider=self._route.provider.key,
            base_url=account.base_url,
            api_key=account.api_key,
            api_secret=account.api_secret,
            headers=account.headers,
            user=self.request.user_id,
            model=self._route.model,
            messages=self.request.messages,
            params=self.request.params,
        )

    def _failed(self, trouble: Exception) -> LLMError:
        assert self._route is not None
        failure = failures.describe(trouble, attempts=self._opened.attempts if self._opened else None)
        attempts = failure.attempts and failure.attempts + self._lost_attempts
        provider, model = self._route.provider.key, self._redactor.text(self.request.model)
        said = well_formed(self._redactor.data(failure.provider_message))
        code = self._redactor.data(failure.provider_code)
        facts = ", ".join(str(fact) for fact in (failure.category, failure.status, code) if fact is not None)
        unsent = failures.unsendable(trouble, {**self.request.params, "messages": self.request.messages})
        words = said or unsent or WORDS[failure.category]
        return RequestFailedError(
            f"{provider} failed for {model!r} ({facts}): {words}",
            model=model,
            provider=provider,
            category=failure.category,
            status=failure.status,
            provider_code=code,
            provider_message=said,
            attempts=None if unsent else attempts,
            request_id=self._redactor.data(failure.request_id),
        )


def logger_of(app: Any) -> logging.Logger:
    """The host's logger, or ours."""
    found: logging.Logger | None = getattr(app, "logger", None)
    return found or logging.getLogger("llm_adapter")
