"""Everything a caller of this package may have to catch.

    LLMError                      any failure of a call
    ├── LLMNotConfiguredError     server.llm.specifiedLlmNotConfigured: the provider has no key
    ├── ModelNotSupportedError    server.llm.modelNotSupported: no provider answers to the name
    └── RequestFailedError        server.llm.requestFailed: the provider or the way to it failed

    SettingsError (a ValueError)  a setting makes no sense; names the variable. The cause of a
                                  LLMNotConfiguredError, and never raised by itself

The three codes are those the host application has translations for, so they are all there are: what went
wrong in detail is in `category`, `status`, `provider_code` and `provider_message`.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from enum import StrEnum
from typing import Any, NoReturn

RaiseErrorWithArgs = Callable[..., Any]
"""The host's way to raise: called with the code and the code's arguments, expected not to return."""


class ErrorCode(StrEnum):
    """The host application's names for failures."""

    NOT_CONFIGURED = "server.llm.specifiedLlmNotConfigured"
    NOT_SUPPORTED = "server.llm.modelNotSupported"
    REQUEST_FAILED = "server.llm.requestFailed"


MESSAGES: Mapping[ErrorCode, str] = {
    ErrorCode.NOT_CONFIGURED: "Model {model} is not set up: {config_var} is missing or makes no sense.",
    ErrorCode.NOT_SUPPORTED: "Model {model} is not supported.",
    ErrorCode.REQUEST_FAILED: "Model {model} could not answer: {message}",
}
"""What people are told where the host has no translation."""


class Category(StrEnum):
    """What kind of trouble it was, whichever client met it and however the provider words it."""

    AUTHENTICATION = "authentication"  # the key is wrong
    PERMISSION = "permission"  # the key is right, but not for this
    QUOTA = "quota"  # no money or no allowance left: waiting does not help
    RATE_LIMIT = "rate_limit"  # too fast: waiting helps
    NOT_FOUND = "not_found"  # no such model, endpoint or path
    BAD_REQUEST = "bad_request"
    CONTEXT_LENGTH = "context_length"
    CONTENT_POLICY = "content_policy"
    OVERLOADED = "overloaded"  # the model has too many users: waiting helps
    SERVER = "server"
    TIMEOUT = "timeout"
    CONNECTION = "connection"  # no connection, or it broke
    PROTOCOL = "protocol"  # what arrived cannot be understood
    CANCELLED = "cancelled"  # this side wanted no more of it
    CONFIGURATION = "configuration"  # this side's settings, nothing was sent


class SettingsError(ValueError):
    """A value of the settings makes no sense. The message names the variable, never a secret value.

    It is the cause of the `LLMNotConfiguredError` of calls that need the value.
    """

    @property
    def variable(self) -> str:
        """Its name, with which every such message begins."""
        return str(self.args[0]).partition(" ")[0]


class LLMError(Exception):
    """Any failure of a call; the client library's own exception is the cause.

    Attributes:
        code: the host's name for the failure.
        model: the model as the application asked for it.
        provider: the provider's key in the table, or None where no provider was found.
        category: what kind of trouble it was.
        status: the HTTP status, or None where there was no answer, or the failure came after a good one.
        provider_code: the provider's own code, as text.
        provider_message: the provider's own words, with every known key replaced.
        attempts: how many HTTP requests were made, or None where nothing tells.
        request_id: the provider's id of the request, where its answer told one.
    """

    code: ErrorCode = ErrorCode.REQUEST_FAILED

    def __init__(
        self,
        message: str,
        *,
        model: str,
        provider: str | None = None,
        category: Category = Category.CONFIGURATION,
        status: int | None = None,
        provider_code: str | None = None,
        provider_message: str | None = None,
        attempts: int | None = None,
        request_id: str | None = None,
    ) -> None:
        super().__init__(message)
        self.model = model
        self.provider = provider
        self.category = category
        self.status = status
        self.provider_code = provider_code
        self.provider_message = provider_message
        self.attempts = attempts
        self.request_id = request_id

    @property
    def message(self) -> str:
        """The message alone."""
        return str(self.args[0])

    @property
    def arguments(self) -> dict[str, str]:
        """What the host's translation of the code has places for."""
        return {"model": self.model, "message": self.message}

    @property
    def user_message(self) -> str:
        """The failure in English, for hosts without a translation of its code."""
        return MESSAGES[self.code].format(**self.arguments)

    def __reduce__(self) -> tuple[Any, ...]:
        # Exceptions are rebuilt from `args` alone when unpickled, which loses keyword-only values.
        return (_rebuilt, (type(self), self.message, dict(self.__dict__)))

    def raise_through(self, host: RaiseErrorWithArgs | None) -> NoReturn:
        """Raise this error, or let the host raise its own kind with this one as the cause.

        A host that fails for want of a translation is passed over. One that has none says the bare code to
        people; it is made to say it in English.
        """
        if host is None:
            raise self
        try:
            host(str(self.code), **self.arguments)
        except (LookupError, AttributeError):
            raise self from self.__cause__
        except Exception as hosts_own:
            if getattr(hosts_own, "message", None) == self.code:
                hosts_own.message = self.user_message  # type: ignore[attr-defined]
            if hosts_own.args == (str(self.code),):
                hosts_own.args = (self.user_message,)
            raise hosts_own from self
        raise self


class LLMNotConfiguredError(LLMError):
    """The provider of the model has no key; `config_var` names the variable to set."""

    code = ErrorCode.NOT_CONFIGURED

    def __init__(self, message: str, *, model: str, provider: str, config_var: str) -> None:
        super().__init__(message, model=model, provider=provider)
        self.config_var = config_var

    @property
    def arguments(self) -> dict[str, str]:
        """What the host's translation of the code has places for."""
        return {"model": self.model, "config_var": self.config_var}


class ModelNotSupportedError(LLMError):
    """No provider answers to the name."""

    code = ErrorCode.NOT_SUPPORTED

    @property
    def arguments(self) -> dict[str, str]:
        """What the host's translation of the code has places for."""
        return {"model": self.model}


class RequestFailedError(LLMError):
    """The provider refused, broke off, or could not be reached."""


def _rebuilt(kind: type[LLMError], message: str, state: dict[str, Any]) -> LLMError:
    error = kind.__new__(kind, message)
    error.args = (message,)
    error.__dict__.update(state)
    return error
