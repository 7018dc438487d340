"""The pieces in which a body arrives.

What is a piece? Where a body comes in HTTP chunks, a chunk: that is what the provider wrote in one go, and no
other border survives the way. Two chunks that one read brings are two pieces; measured on loopback with 50
streams at once, taking whatever has arrived merged one in ten. A chunk of which only a part has come is not
held back until the rest is there, because a client without the edge would have that part already: the part is
a piece and the rest is another. The same goes for a body without chunks, which knows no borders: what one
read brings is a piece.
"""

from __future__ import annotations

import aiohttp


class Arrivals:
    """Takes a body apart as it comes. Call `next` until it gives nothing."""

    def __init__(self, content: aiohttp.StreamReader) -> None:
        self._content = content
        self._taken = 0

    async def next(self) -> bytes:
        """The next piece; empty at the end.

        aiohttp gives an error of the connection precedence over bytes that came before it. They are part of
        the recording, so they are handed out first.

        Raises:
            aiohttp.ClientError, OSError: the connection broke, after all that came before had been taken.
        """
        while True:
            data, is_border = await self._take()
            self._taken += len(data)
            # aiohttp has one reader for all answers without a body, whose end is not a border only once.
            if data or not is_border or self._content.at_eof():
                return data

    async def _take(self) -> tuple[bytes, bool]:
        failure = self._content.exception()
        if failure is not None:
            return await self._salvage(failure)
        try:
            return await self._content.readchunk()
        except (aiohttp.ClientError, OSError) as error:
            return await self._salvage(error)

    async def _salvage(self, failure: BaseException) -> tuple[bytes, bool]:
        """What arrived before the connection broke; it is buffered, so nothing is waited for."""
        if self._content.total_bytes == self._taken:
            raise failure
        self._content.set_exception(None)  # type: ignore[arg-type] # no other way to get at what is buffered
        try:
            return await self._content.readchunk()
        finally:
            self._content.set_exception(failure)
