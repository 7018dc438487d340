"""The calls as applications import them, thin over an `Adapter` with the process's environment."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache
from typing import Any

from llm_adapter.adapter import Adapter
from llm_adapter.clients import Clients
from llm_adapter.responses import AsyncLLMStream, LLMStream
from llm_adapter.settings import Settings


@cache
def _clients() -> Clients:
    return Clients()


def default_adapter() -> Adapter:
    """An adapter with the environment as it is now, over the connections that all such adapters share.

    Reading the settings for each call takes microseconds, and lets a running process switch a provider's
    backend: by the next call, not by the next deployment.
    """
    return Adapter(settings=Settings.from_environ, clients=_clients())


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
) -> LLMStream:
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
        **kwargs: request parameters by their OpenAI names; what else a provider takes goes into `extra_body`.
            `temperature` may be text and is 0.8 if not given; `stream` is ignored. `usage_context`,
            `usage_scene`, `billable`, `request_id`, `trace_id` and `usage_metadata` are for the usage hook.
            `timeout`: how many seconds the caller waits at most for the next piece, further attempts
            included; `deadline`: how many the whole call may take; `max_retries`: how many attempts there may
            be after the first.

    Returns:
        A generator of every piece of text that is not empty; its `record` tells the rest.

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
) -> LLMStream:
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

    Returns:
        As `invoke_llm`.

    Raises:
        LLMError: any failure, before or after the first piece.
    """
    return default_adapter().chat_llm(app, user_id, span, model, messages, json, generation_name, **kwargs)


def ainvoke_llm(
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
    """`invoke_llm` on an event loop: an asynchronous generator of the pieces, with the same promises.

    Not to be awaited, but iterated: `async for piece in ainvoke_llm(…)`. The legacy backend has no
    asynchronous side for ERNIE's first API and Dify, and says so.
    """
    return default_adapter().ainvoke_llm(
        app, user_id, span, model, message, system, json, generation_name, **kwargs
    )


def achat_llm(
    app: Any,
    user_id: str,
    span: Any,
    model: str,
    messages: Iterable[Any],
    json: bool = False,  # noqa: FBT001, FBT002 (as `chat_llm`)
    generation_name: str = "user_follow_ask",
    **kwargs: Any,
) -> AsyncLLMStream:
    """`chat_llm` on an event loop, as `ainvoke_llm` is to `invoke_llm`."""
    return default_adapter().achat_llm(app, user_id, span, model, messages, json, generation_name, **kwargs)


def get_current_models(app: Any) -> list[str]:
    """The names of the models that can be asked for, each once, in the allow list's order if there is one.

    The providers are asked all at once and waited for 5 seconds, and again after `LLM_MODEL_LIST_SECONDS`.
    One that does not answer keeps its last list, with a warning in the log of `app`.
    """
    return default_adapter().get_current_models(app)


def get_model_options(app: Any) -> list[dict[str, Any]]:
    """The same as a choice for people: `model`, `display_name` and `is_default` of each."""
    return default_adapter().get_model_options(app)


async def aget_current_models(app: Any) -> list[str]:
    """`get_current_models`, without blocking the event loop."""
    return await default_adapter().aget_current_models(app)


async def aget_model_options(app: Any) -> list[dict[str, Any]]:
    """`get_model_options`, without blocking the event loop."""
    return await default_adapter().aget_model_options(app)


def get_allowed_models() -> list[str]:
    """The allow list in its own order, whether or not the models are there; empty where there is none."""
    return default_adapter().get_allowed_models()


def preload() -> None:
    """Import what calls need, for a server's parent process, and set it aside from the garbage collector.

    Workers that are forked afterwards share the memory and start at once. Nothing else is done: no
    connection, no thread, nothing that a fork would break. `warm_up` in each worker does the rest.
    """
    default_adapter().preload()


def warm_up() -> None:
    """Pay now, when a worker starts, for what its first call would pay: seconds with LiteLLM.

    Imports the client libraries of the chosen backends, makes the connection pools of every provider that has
    a key, and rehearses one call against itself. Nothing is sent, nothing is looked up. Call it in each
    worker, after a fork, and before the worker holds anything of its own: all that is there then is set aside
    for good from Python's garbage collector (`gc.freeze`), which would otherwise stop all threads for 0.2 to
    0.4 s each time that it looks through what LiteLLM's import leaves.
    """
    default_adapter().warm_up()
