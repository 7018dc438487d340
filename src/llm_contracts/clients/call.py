"""What a client is asked to do, the shape of a client, and what it keeps between calls."""

from __future__ import annotations

from collections.abc import AsyncIterable, Callable, Hashable, Iterable, Iterator, Mapping
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Function(StrEnum):
    """Which of an application's calls a scenario exercises."""

    INVOKE = "invoke"  # one user message, optional system text
    CHAT = "chat"  # a whole history
    LIST_MODELS = "list_models"
    RESPONSES = "responses"  # OpenAI's Responses API
    MESSAGES = "messages"  # Anthropic's Messages API
    GENERATE_CONTENT = "generate_content"  # Gemini's own API
    EMBEDDINGS = "embeddings"
    COMPLETIONS = "completions"  # OpenAI's older completions
    REQUEST = "request"  # any other: a JSON body, posted to a path


def _ignore(_generation: object) -> None:
    """Takes telemetry that is not compared, and what nobody will need."""


class ClientCache(ExitStack):
    """Holds what was made for one call until all are over; a context manager. For one call at a time."""

    def __init__(self) -> None:
        super().__init__()
        self._held: dict[Hashable, Any] = {}

    def get(self, key: Hashable, make: Callable[[], AbstractContextManager[T]]) -> T:
        """What is held under this key; made and entered if it is asked for the first time."""
        if key not in self._held:
            self._held[key] = self.enter_context(make())
        held: T = self._held[key]
        return held


@dataclass(frozen=True, kw_only=True, slots=True)
class Call:
    """One call to make.

    Attributes:
        base_url: where the client must send its requests: the loopback edge.
        api_key: the key to send; a made-up one when replaying.
        provider: which provider's behaviour to use, as named in the scenario.
        model: the model name as the application would give it, with the provider's prefix if it has one; for
            `request` the path below `base_url`.
        messages: the conversation, as OpenAI-style messages; for `messages` as Anthropic's.
        input: what is asked where it is not a conversation, in the API's own words: the `input` of
            `responses` and `embeddings`, the `prompt` of `completions`, the `contents` of `generate_content`,
            the whole body of a `request`.
        params: request parameters by the names that the API has for them; JSON mode of a chat is
            `response_format`. Chats are streamed unless `stream` is False, all others only where it is True.
        function: which call to make.
        telemetry: give each finished telemetry generation to this, as a mapping with any of `name`, `model`,
            `input`, `output`, `usage`, `level`, `status_message`, `metadata`, `ended`.
        on_abort: give this a function that ends the call from another thread; it is called when the time
            limit has passed. For what no closed connection ends, such as a program that was started.
        client_cache: where clients stay for the calls that follow, see `cached_client`; None for one call.
    """

    base_url: str
    api_key: str = field(repr=False)
    provider: str
    model: str
    messages: tuple[Mapping[str, Any], ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    input: Any = None
    function: Function = Function.INVOKE
    telemetry: Callable[[Mapping[str, Any]], None] = field(default=_ignore, repr=False, compare=False)
    on_abort: Callable[[Callable[[], None]], None] = field(default=_ignore, repr=False, compare=False)
    client_cache: ClientCache | None = field(default=None, repr=False, compare=False)


class Client(Protocol):
    """A team's way to a model. Makes the call and yields chunks as they come.

    A chunk is an object or mapping of any API that is known, as its SDK or a framework hands it on, or
    anything with the attributes of `LLMStreamResponse` (`id`, `result`, `finish_reason`, `usage`), or a plain
    string (a piece of text, or a model's name for `list_models`), or bytes with events in them. An answer in
    one piece may be returned by itself, and a coroutine is awaited. A failure is simply raised.
    """

    def __call__(self, call: Call, /) -> Iterable[Any] | AsyncIterable[Any]: ...


@contextmanager
def cached_client(call: Call, name: Hashable, make: Callable[[], AbstractContextManager[T]]) -> Iterator[T]:
    """What a client builds once and not for every call, such as a connection pool; closed by the harness.

    It is for this call alone or, where calls to one address follow one another, for all of them. Without it
    `check --cost` counts the building as a cost of calls.

    Args:
        call: the call that is being made.
        name: tells apart what one client keeps from what another does.
        make: builds it.
    """
    if call.client_cache is None:
        with make() as made:
            yield made
    else:
        yield call.client_cache.get((name, call.base_url), make)
