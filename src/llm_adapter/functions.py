"""The calls as applications import them, thin over an `Adapter` with the process's environment."""

from __future__ import annotations

from collections.abc import Generator, Iterable
from functools import cache
from typing import Any

from llm_adapter.adapter import Adapter, Clients
from llm_adapter.responses import LLMStreamResponse
from llm_adapter.settings import Settings


@cache
def _clients() -> Clients:
    return Clients()


def default_adapter() -> Adapter:
    """An adapter with the environment as it is now, over the connections that all such adapters share.

    Reading the settings for each call takes microseconds, and lets a running process switch a provider's
    backend: by the next call, not by the next deployment.
    """
    return Adapter(settings=Settings.from_environ(), clients=_clients())


def invoke_llm(
    app: Any,
    user_id: str,
    span: Any,
    model: str,
    message: str,
    system: str | None = None,
    json: bool = False,  # noqa: FBT001, FBT002 (applications call it so)
    generation_name: str = "invoke_llm",
    **kwargs: Any,
) -> Generator[LLMStreamResponse, None, None]:
    """Ask one question and yield the answer as it comes.

    Nothing is sent before the generator is first advanced. Leaving it early ends the exchange with the
    provider.

    Args:
        app: anything with a `logger`, or None. If it has a `raise_error_with_args`, that raises failures.
        user_id: whose question it is; sent to Dify alone, which insists on it.
        span: the Langfuse span to put a generation under, or None for no telemetry.
        model: the model, with its provider's prefix where it has one.
        message: the question.
        system: what the model is told beforehand.
        json: ask for a JSON object.
        generation_name: the name of the generation.
        **kwargs: request parameters by their OpenAI names. `temperature` may be text and is 0.8 if not given;
            `stream` is ignored.

    Yields:
        Every piece of text that is not empty.

    Raises:
        LLMError: any failure, before or after the first piece.
    """
    return default_adapter().invoke_llm(
        app, user_id, span, model, message, system, json, generation_name, **kwargs
    )


def chat_llm(
    app: Any,
    user_id: str,
    span: Any,
    model: str,
    messages: Iterable[Any],
    json: bool = False,  # noqa: FBT001, FBT002 (applications call it so)
    generation_name: str = "user_follow_ask",
    **kwargs: Any,
) -> Generator[LLMStreamResponse, None, None]:
    """Continue a conversation and yield the answer as it comes.

    As `invoke_llm`, but with the whole history, no default temperature, and `json` accepted and ignored, as
    it always was.

    Args:
        app: as for `invoke_llm`.
        user_id: as for `invoke_llm`.
        span: as for `invoke_llm`; its output is left alone.
        model: as for `invoke_llm`.
        messages: the history, as OpenAI's messages. Not changed.
        json: ignored.
        generation_name: the name of the generation.
        **kwargs: as for `invoke_llm`.

    Yields:
        Every piece of text that is not empty.

    Raises:
        LLMError: any failure, before or after the first piece.
    """
    return default_adapter().chat_llm(app, user_id, span, model, messages, json, generation_name, **kwargs)


def get_current_models(app: Any) -> list[str]:
    """The names of the models that can be asked for, each once, in a steady order.

    Providers that cannot be asked are left out with a warning in the log of `app`.
    """
    return default_adapter().get_current_models(app)


def warm_up() -> None:
    """Pay now, when a worker starts, for what its first call would pay: seconds with LiteLLM.

    Imports the client libraries of the chosen backends, makes the connection pools of every provider that has
    a key, and rehearses one call against itself. Nothing is sent, nothing is looked up. Call it in each
    worker, after a fork, and before the worker holds anything of its own: all that is there then is set aside
    for good from Python's garbage collector (`gc.freeze`), which would otherwise stop all threads for 0.2 to
    0.4 s each time that it looks through what LiteLLM's import leaves.

    Raises:
        SettingsError: the environment makes no sense.
    """
    default_adapter().warm_up()
