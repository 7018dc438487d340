"""Reading a response: the only place where bytes of an answer are waited for."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Protocol

from llm_adapter.backends import AsyncOpened, Opened, Rest
from llm_adapter.backends.response_body import ResponseBody, json_of
from llm_adapter.failures import in_band, request_id


class Reader(Protocol):
    """Reads a body piece by piece, without input or output of its own.

    Attributes:
        done: nothing of what may still come is wanted.
    """

    done: bool

    def feed(self, piece: bytes) -> Iterator[Any]:
        """The chunks that a piece completes."""

    def end(self) -> Iterator[Any]:
        """The chunks that are left when no piece will come."""

    def rest(self) -> Rest:
        """What was not part of the answer."""


def opened(response: Any, reader: Reader, *, attempts: int | None = None) -> Opened:
    """A response as a backend gives it."""
    return Opened(
        chunks=_chunks(response, reader),
        close=response.close,
        attempts=attempts or attempts_of(response),
        request_id=request_id(response.headers),
        rest=reader.rest,
    )


def aopened(response: Any, reader: Reader, *, attempts: int | None = None) -> AsyncOpened:
    """`opened`, on an event loop."""
    return AsyncOpened(
        chunks=_achunks(response, reader),
        close=response.aclose,
        attempts=attempts or attempts_of(response),
        request_id=request_id(response.headers),
        rest=reader.rest,
    )


def attempts_of(response: Any) -> int:
    """How many requests it took to get this response; the SDK writes it into their headers."""
    headers: Mapping[str, str] = response.request.headers
    return int(headers.get("x-stainless-retry-count", "0")) + 1


def _chunks(response: Any, reader: Reader) -> Iterator[Any]:
    try:
        for piece in response.iter_bytes():
            yield from reader.feed(piece)
            if reader.done:
                break
        yield from reader.end()
    finally:
        response.close()


async def _achunks(response: Any, reader: Reader) -> AsyncIterator[Any]:
    try:
        async for piece in response.aiter_bytes():
            for chunk in reader.feed(piece):
                yield chunk
            if reader.done:
                break
        for chunk in reader.end():
            yield chunk
    finally:
        await response.aclose()


def opened_by_sdk(stream: Any) -> Opened:
    """The SDK's stream as a backend gives it; what the SDK cannot read fails."""
    response = stream.response
    body = ResponseBody(response=response)
    read = response.iter_bytes

    def watched(*size: int) -> Iterator[bytes]:
        for piece in read(*size):
            body.note(piece)
            yield piece
        body.note_end()

    response.iter_bytes = watched
    return Opened(
        chunks=_checked(stream, body),
        close=stream.close,
        attempts=attempts_of(response),
        request_id=request_id(response.headers),
        rest=body.rest,
    )


def aopened_by_sdk(stream: Any) -> AsyncOpened:
    """`opened_by_sdk`, on an event loop."""
    response = stream.response
    body = ResponseBody(response=response)
    read = response.aiter_bytes

    async def watched(*size: int) -> AsyncIterator[bytes]:
        async for piece in read(*size):
            body.note(piece)
            yield piece
        body.note_end()

    response.aiter_bytes = watched
    return AsyncOpened(
        chunks=_achecked(stream, body),
        close=stream.close,
        attempts=attempts_of(response),
        request_id=request_id(response.headers),
        rest=body.rest,
    )


def _checked(stream: Any, body: ResponseBody) -> Iterator[Any]:
    """The stream's chunks, and what the body holds that the SDK passes over.

    Raises:
        InBandError: an error came in the place of a chunk.
        NoAnswerError: what came is not an answer.
    """
    with _better(body):
        for item in stream:
            _check(item, body)
            yield item
    yield from _left(body)


async def _achecked(stream: Any, body: ResponseBody) -> AsyncIterator[Any]:
    with _better(body):
        async for item in stream:
            _check(item, body)
            yield item
    for item in _left(body):
        yield item


@contextmanager
def _better(body: ResponseBody) -> Iterator[None]:
    """What the SDK raises while it reads, in the words of the body: an error need not be JSON, and of an
    error the SDK keeps what is in `error`, which may be `true` or a number.
    """
    try:
        yield
    except Exception as trouble:
        better = None
        if isinstance(trouble, ValueError):
            better = body.error()
        elif isinstance(getattr(trouble, "body", None), int):
            said = json_of(body.error_line.partition(b":")[2].decode(errors="replace"))
            better = in_band(said, request=body.response.request)
        if better is None:
            raise
        raise better from None


def _check(item: Any, body: ResponseBody) -> None:
    if getattr(item, "choices", None) and not getattr(item, "base_resp", None):
        return
    if (error := body.error()) is not None:
        raise error
    said = item.model_dump(exclude_unset=True, warnings=False) if hasattr(item, "model_dump") else item
    if (error := in_band(said, request=body.response.request)) is not None:
        raise error
    body.pass_over(said)


def _left(body: ResponseBody) -> Iterator[Any]:
    if (error := body.error()) is not None:
        raise error
    yield from body.documents()
