"""The calls an application makes, with its own settings, errors, telemetry and metering."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any, TypeVar

from llm_adapter import catalog, requests
from llm_adapter.call import Call, logger_of
from llm_adapter.clients import Clients
from llm_adapter.control import CallControl
from llm_adapter.driving import adrive, drive
from llm_adapter.errors import RaiseErrorWithArgs
from llm_adapter.garbage import set_aside, uncollected
from llm_adapter.interruptions import as_raised
from llm_adapter.providers import Provider
from llm_adapter.records import UsageHook
from llm_adapter.requests import OWN_ARGUMENTS, ChatRequest
from llm_adapter.responses import AsyncLLMStream, LLMStream
from llm_adapter.settings import Account, BackendName, Reading, Settings
from llm_adapter.telemetry import Tracer, langfuse_tracer
from llm_adapter.values import Source

T = TypeVar("T")


@dataclass(frozen=True, kw_only=True, slots=True)
class Adapter:
    """The calls an application makes.

    Attributes:
        settings: the configuration, or what reads it; that is called again for each call.
        clients: the backends; shared between adapters, so that new settings need no new connections.
        tracer: begins the telemetry of a call.
        raise_error: the host's `raise_error_with_args`, or None to raise this package's own exceptions. An
            `app` that has an attribute of that name comes first.
        on_usage: called with the record of each call when it is over.
        own_arguments: the keyword arguments that are for `on_usage` alone.
    """

    settings: Settings | Callable[[], Settings]
    clients: Clients = field(default_factory=Clients)
    tracer: Tracer = langfuse_tracer
    raise_error: RaiseErrorWithArgs | None = None
    on_usage: UsageHook | None = None
    own_arguments: frozenset[str] = OWN_ARGUMENTS

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
    ) -> LLMStream:
        """Ask one question; see `llm_adapter.invoke_llm`."""
        build = partial(requests.invocation, message=message, system=system, json=json)
        return self._stream("invoke_llm", app, user_id, span, model, generation_name, kwargs, build)

    def ainvoke_llm(
        self,
        app: Any,
        user_id: str,
        span: Any,
        model: str,
        message: str,
        system: str | None = None,
        json: bool = False,  # noqa: FBT001, FBT002 (as `invoke_llm`)
        generation_name: str = "invoke_llm",
        **kwargs: Any,
    ) -> AsyncLLMStream:
        """Ask one question, on an event loop; see `llm_adapter.ainvoke_llm`."""
        build = partial(requests.invocation, message=message, system=system, json=json)
        return self._async_stream("invoke_llm", app, user_id, span, model, generation_name, kwargs, build)

    def achat_llm(
        self,
        app: Any,
        user_id: str,
        span: Any,
        model: str,
        messages: Iterable[Any],
        json: bool = False,  # noqa: FBT001, FBT002 (as `chat_llm`)
        generation_name: str = "user_follow_ask",
        **kwargs: Any,
    ) -> AsyncLLMStream:
        """Continue a conversation, on an event loop; see `llm_adapter.achat_llm`."""
        del json
        build = partial(requests.conversation, messages=messages)
        return self._async_stream("chat_llm", app, user_id, span, model, generation_name, kwargs, build)

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
    ) -> LLMStream:
        """Continue a conversation; see `llm_adapter.chat_llm`."""
        del json
        build = partial(requests.conversation, messages=messages)
        return self._stream("chat_llm", app, user_id, span, model, generation_name, kwargs, build)

    def get_current_models(self, app: Any) -> list[str]:
        """The models that can be asked for; see `llm_adapter.get_current_models`."""
        lister = self.clients.lister()
        with as_raised():
            return catalog.current_models(self.current_settings, self.clients.lists, lister, logger_of(app))

    def get_model_options(self, app: Any) -> list[dict[str, Any]]:
        """The models as a choice for people; see `llm_adapter.get_model_options`."""
        settings = self.current_settings
        return [
            {
                "model": model,
                "display_name": settings.display_names.get(model, model),
                "is_default": model == settings.default_model,
            }
            for model in self.get_current_models(app)
        ]

    async def aget_current_models(self, app: Any) -> list[str]:
        """`get_current_models`, without blocking the event loop."""
        return await _in_a_thread(self.get_current_models, app)

    async def aget_model_options(self, app: Any) -> list[dict[str, Any]]:
        """`get_model_options`, without blocking the event loop."""
        return await _in_a_thread(self.get_model_options, app)

    def get_allowed_models(self) -> list[str]:
        """The allow list in its own order, whether or not the models are there; empty for all."""
        return list(self.current_settings.allowed_models)

    @property
    def current_settings(self) -> Settings:
        """The settings as they are now."""
        return self.settings if isinstance(self.settings, Settings) else self.settings()

    def preload(self) -> None:
        """Import what calls need, and no more; see `llm_adapter.preload`."""
        names = {account.backend for account in self._configured()}
        with uncollected():
            for name in names:
                self.clients.preload(name)
            if names:
                set_aside()

    def warm_up(self) -> None:
        """Pay now for what a first call would pay; see `llm_adapter.warm_up`."""
        configured = self._configured()
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

    async def aclose(self) -> None:
        """Close the connection pools of this event loop."""
        await self.clients.aclose()

    def _configured(self) -> list[Account]:
        accounts = self.current_settings.accounts.values()
        return [account for account in accounts if account.api_key and account.mistake is None]

    def _stream(self, *arguments: Any) -> LLMStream:
        call, control = self._call(*arguments)
        return LLMStream(drive(call.steps(), self.clients), call.record, control, call.leave)

    def _async_stream(self, *arguments: Any) -> AsyncLLMStream:
        call, control = self._call(*arguments)
        return AsyncLLMStream(adrive(call.steps(), self.clients, control), call.record, control, call.leave)

    def _call(
        self,
        function: str,
        app: Any,
        user_id: str,
        span: Any,
        model: str,
        generation_name: str,
        arguments: Mapping[str, Any],
        build: Callable[..., ChatRequest],
    ) -> tuple[Call, CallControl]:
        """Everything happens on the first `next`: until then nothing is read, sent or reported."""
        name = model.strip() if isinstance(model, str) else str(model)
        own = {key: value for key, value in arguments.items() if key in self.own_arguments}
        params = {key: value for key, value in arguments.items() if key not in own}
        call = Call(
            settings=lambda: self.current_settings,
            clients=self.clients,
            tracer=self.tracer,
            raise_error=self.raise_error,
            on_usage=self.on_usage,
            app=app,
            span=span,
            build=partial(build, params=params),
            request=ChatRequest(
                model=name, messages=(), generation_name=generation_name, user_id=user_id, own=own
            ),
            function=function,
        )
        return call, CallControl.of(params)


async def _in_a_thread(function: Callable[[Any], T], app: Any) -> T:
    import asyncio  # a quarter of what importing this package takes, and few need it

    return await asyncio.to_thread(function, app)


def adapter_from(
    source: Source,
    *,
    tracer: Tracer = langfuse_tracer,
    clients: Clients | None = None,
    raise_error: RaiseErrorWithArgs | None = None,
    on_usage: UsageHook | None = None,
    own_arguments: Iterable[str] = OWN_ARGUMENTS,
    providers: Iterable[Provider] = (),
) -> Adapter:
    """An adapter with settings, errors and metering of the host's own.

    Args:
        source: the variables of docs/configuration.md in place of the environment: a mapping, or what is
            called with a name and gives the value, or None. Read again for each call; `${NAME}` in a value is
            replaced by the variable of that name, of the source or else of the environment. What it raises
            makes that variable a mistake, `LookupError` and `AttributeError` that there is none.
        tracer: begins the telemetry of a call.
        clients: the connections; new ones if None, to be closed by `Adapter.close`.
        raise_error: the host's own way to raise, called with one of the three codes and its arguments.
        on_usage: called once with the `CallRecord` of each call, whatever has become of it.
        own_arguments: keyword arguments of the host's own, for `on_usage` and never for a provider.
        providers: further providers that are compatible with OpenAI. One with the key of a row of the table
            stands in its place.
    """
    return Adapter(
        settings=Reading(source, tuple(providers)),
        clients=clients or Clients(),
        tracer=tracer,
        raise_error=raise_error,
        on_usage=on_usage,
        own_arguments=frozenset(own_arguments),
    )
