"""Waiting for a consumer: until it has the text, and no longer than patience lasts."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from llm_contracts.wire.proxy.lockstep import Delivery

_LONG = 30.0  # seconds; nobody waits for so long here


def reached(wanted: tuple[int, ...], patience: float, happens: Callable[[Delivery], None]) -> list[bool]:
    """Who of those that wait for so many characters gets them, when this happens meanwhile."""

    async def scene() -> list[bool]:
        delivery = Delivery()
        waiting = [asyncio.ensure_future(delivery.reaches(0, chars, patience)) for chars in wanted]
        await asyncio.sleep(0)
        happens(delivery)
        return await asyncio.gather(*waiting)

    return asyncio.run(scene())


def test_all_who_wait_for_as_much_or_less_go_on() -> None:
    def note(delivery: Delivery) -> None:
        delivery.progress((2, 0, 0, 0, 2))
        delivery.progress((3, 0, 0, 0, 3))  # before anybody could go on

    assert reached((2, 3), _LONG, note) == [True, True]


def test_who_waits_for_more_waits_in_vain() -> None:
    assert reached((2, 4), 0.05, lambda delivery: delivery.progress((2, 0, 0, 0, 2))) == [True, False]


def test_who_gives_up_waits_for_nothing_any_more() -> None:
    assert reached((2, 4), _LONG, lambda delivery: delivery.give_up()) == [False, False]
    delivery = Delivery()
    delivery.give_up()
    assert not asyncio.run(delivery.reaches(0, 1, _LONG))


def test_what_is_there_already_is_not_waited_for() -> None:
    delivery = Delivery()
    delivery.progress((5, 0, 0, 0, 5))
    assert asyncio.run(delivery.reaches(0, 5, _LONG))


def test_reasoning_is_waited_for_apart_from_text() -> None:
    delivery = Delivery()
    delivery.progress((5, 3, 0, 0, 5))
    assert asyncio.run(delivery.reaches(1, 3, _LONG))
    assert not asyncio.run(delivery.reaches(1, 4, 0.01))
    assert delivery.spent >= 0.01
