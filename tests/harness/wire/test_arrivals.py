"""Where a body ends."""

from __future__ import annotations

import asyncio

from aiohttp.streams import EmptyStreamReader

from llm_contracts.wire.proxy.arrivals import Arrivals


class _Counted(EmptyStreamReader):
    """aiohttp's own, which says that its end is a border from the second time on; nobody asks for ever."""

    left = 4

    async def readchunk(self) -> tuple[bytes, bool]:
        self.left -= 1
        assert self.left, "asked for ever"
        return await super().readchunk()


def test_an_answer_without_a_body_ends_also_the_second_time() -> None:
    """All answers to HEAD, and those of status 204, share one reader; a proxy hung on the second."""
    reader = _Counted()
    assert [asyncio.run(Arrivals(reader).next()) for _ in range(3)] == [b"", b"", b""]
