"""The rows that say what is exercised: which provider, which call, and what can be recorded live."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

from llm_contracts.clients.call import Call, Function
from llm_contracts.simulator.dialect import Dialect


@dataclass(frozen=True, kw_only=True, slots=True)
class Provider:
    """Where a provider answers and which variables hold its key. Nothing about how it behaves.

    Attributes:
        name: the key used in scenarios, waivers and verdicts.
        base_url: the provider's own base URL, as the client would use it.
        key_variable: the environment variable with the key.
        second_key_variable: the variable with the key's other half, where keys have two; they are handed on
            as one, with a colon between them.
        base_url_variable: a variable that overrides `base_url` when recording, if there is one.
        reference: the client that holds for this provider alone, where the project's own does not know it.
        dialect: in which the simulator plays this provider: the name of a built-in dialect, or one of the
            project's own; None takes the built-in one of the provider's name, if there is one.
        protocol: the name of the API that it speaks, of those built in or in the project's `PROTOCOLS`; None
            finds it by what is sent.
    """

    name: str
    base_url: str
    key_variable: str
    base_url_variable: str | None = None
    second_key_variable: str | None = None
    reference: str | None = None
    dialect: Dialect | str | None = field(default=None, compare=False, repr=False)
    protocol: str | None = None


@dataclass(frozen=True, kw_only=True, slots=True)
class Scenario:
    """One situation to exercise with one provider.

    Attributes:
        id: the situation's name, equal for all providers (`plain-stream`); a file name.
        provider: a `Provider.name`.
        model: the model name as the application gives it, prefix included.
        messages: see `Call`.
        params: see `Call`.
        input: see `Call`.
        function: see `Call`.
        protocol: the name of the API that answers, where the provider has several; None takes its provider's.
        live: whether a real provider can be brought to answer this way on demand. What cannot (a 500, an
            error in mid-stream) is never missing from live evidence.
        script: what the simulator plays; by default the scenario's id.
        key: `valid` sends the configured key; `wrong` sends a made-up one, to see the refusal.
        expects: how the provider's side must end for a recording to be kept: with an answer, or with a
            refusal or an error. What a client makes of it is judged elsewhere.
        captured: whether it is a call of an application, captured as it was made. Nobody can order it again,
            and whatever came is what it is about; it is live evidence all the same.
        finish: the finish reason that must be on the wire for a recording to be kept; None takes any.
        base_url: where the call goes, if that is not its provider's base URL: one host may have several APIs.
    """

    id: str
    provider: str
    model: str
    messages: tuple[Mapping[str, Any], ...] = ()
    params: Mapping[str, Any] = field(default_factory=dict)
    input: Any = None
    function: Function = Function.INVOKE
    protocol: str | None = None
    live: bool = True
    script: str | None = None
    key: str = "valid"
    expects: Literal["answer", "failure"] = "answer"
    finish: str | None = None
    captured: bool = False
    base_url: str = ""

    @property
    def streamed_chat(self) -> bool:
        """Whether every client can be asked this, as it is a streamed chat completion."""
        chat = self.function in {Function.INVOKE, Function.CHAT}
        return chat and self.params.get("stream") is not False

    @property
    def name(self) -> str:
        """The identity across the project, such as `openai/plain-stream`; also the cassette's place."""
        return f"{self.provider}/{self.id}"

    def call(self, *, base_url: str, api_key: str) -> Call:
        """What it asks, addressed to where it is to be asked."""
        return Call(
            base_url=base_url,
            api_key=api_key,
            provider=self.provider,
            model=self.model,
            messages=self.messages,
            params=self.params,
            input=self.input,
            function=self.function,
        )
