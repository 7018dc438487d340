"""What a caller can catch, as values."""

from __future__ import annotations

import pickle
from typing import Any, NoReturn

import pytest

from llm_adapter import (
    Category,
    ErrorCode,
    LLMError,
    LLMNotConfiguredError,
    ModelNotSupportedError,
    RequestFailedError,
)

ERRORS: list[LLMError] = [
    LLMNotConfiguredError("set it", model="m", provider="glm", config_var="BIGMODEL_API_KEY"),
    ModelNotSupportedError("no such model", model="m"),
    RequestFailedError(
        "refused",
        model="m",
        provider="qwen",
        category=Category.QUOTA,
        status=400,
        provider_code="Arrearage",
        provider_message="pay",
        attempts=3,
    ),
]


@pytest.mark.parametrize("error", ERRORS, ids=lambda error: type(error).__name__)
def test_errors_survive_pickling_whole(error: LLMError) -> None:
    """They cross process boundaries in task queues; the SDK's own cannot."""
    again = pickle.loads(pickle.dumps(error))
    assert type(again) is type(error)
    assert vars(again) == vars(error)
    assert (again.code, again.message, str(again)) == (error.code, error.message, str(error))


def test_the_codes_are_the_host_s() -> None:
    assert [error.code for error in ERRORS] == list(ErrorCode)
    assert [str(code) for code in ErrorCode] == [
        "server.llm.specifiedLlmNotConfigured",
        "server.llm.modelNotSupported",
        "server.llm.requestFailed",
    ]


ARGUMENTS = [
    {"model": "m", "config_var": "BIGMODEL_API_KEY"},
    {"model": "m"},
    {"model": "m", "message": "refused"},
]


@pytest.mark.parametrize(("error", "arguments"), list(zip(ERRORS, ARGUMENTS, strict=True)))
def test_the_host_raises_its_own_with_this_one_as_the_cause(
    error: LLMError, arguments: dict[str, str]
) -> None:
    class HostError(Exception):
        pass

    def raise_error_with_args(code: str, **args: Any) -> NoReturn:
        raise HostError(code, args)

    with pytest.raises(HostError) as caught:
        error.raise_through(raise_error_with_args)
    assert caught.value.args == (str(error.code), arguments)
    assert caught.value.__cause__ is error


def test_a_host_that_does_not_raise_cannot_hide_the_error() -> None:
    with pytest.raises(ModelNotSupportedError):
        ERRORS[1].raise_through(lambda *_, **__: None)
