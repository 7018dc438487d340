"""Recordings that cannot be compared, because a client does not make such a call: named, never dropped."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from urllib.parse import urlsplit

from llm_contracts.capture.shape import api_of
from llm_contracts.clients.builtin import NotOfferedError
from llm_contracts.clients.call import Call, Function
from llm_contracts.corpus import CorpusProblem, ProblemKind
from llm_contracts.parity.result import Item
from llm_contracts.project.scenario import Scenario
from llm_contracts.util.json_values import as_mapping, read_json
from llm_contracts.wire.interaction import Interaction
from llm_contracts.wire.protocols import GENERIC, Protocols

_MARK = ": not offered: "


def as_not_offered(blank: Item, place: str, reason: str) -> Item:
    """The item of a recording that was not compared, for `without_not_offered`."""
    return replace(blank, problem=f"{place}{_MARK}{reason}")


def without_not_offered(items: Iterable[Item]) -> tuple[tuple[Item, ...], tuple[CorpusProblem, ...]]:
    """What was compared, and what one client has no call for: that is not a fault of the recording."""
    compared: list[Item] = []
    left: list[CorpusProblem] = []
    for item in items:
        place, mark, reason = (item.problem or "").partition(_MARK)
        if mark:
            left.append(CorpusProblem(place=place, reason=reason, why=ProblemKind.NOT_OFFERED))
        else:
            compared.append(item)
    return tuple(compared), tuple(left)


def refusal(item: Item) -> str | None:
    """What the client says that has no such call."""
    for side in (item.reference, item.candidate):
        if side and side.failure and side.failure.category == NotOfferedError.category:
            return side.failure.message
    return None


def asks_otherwise(item: Item, call: Call) -> str | None:
    """What the clients ask for instead of a call that is not a chat, where they make chats only. They have no
    such call, which is not a fault of the recording.
    """
    chat = call.function in {Function.INVOKE, Function.CHAT}
    if chat or item.problem is None or item.reference is None or not item.reference.requests:
        return None
    return item.problem.removeprefix(f"{item.id}: ")


def captured_item(
    blank: Item, scenario: Scenario, recorded: Interaction, play: Callable[[], Item], protocols: Protocols
) -> Item:
    """The item of a captured call that was played, or one for `without_not_offered` that begins with the API.

    Args:
        blank: the item without anything in it.
        scenario: its row.
        recorded: the last exchange of the recording.
        play: plays it to both clients.
        protocols: by which the call's API is known.
    """
    item, reason = blank, _not_repeatable(scenario, recorded)
    if reason is None:
        item = play()
        reason = _not_asked(scenario, recorded, item)
    if reason is None:
        return item
    return as_not_offered(blank, scenario.name, f"{_api(recorded, protocols)}: {reason}")


def _api(recorded: Interaction, protocols: Protocols) -> str:
    """The API of a captured call; the path where nobody knows the API."""
    api = api_of(recorded, protocols)
    return urlsplit(recorded.request.uri).path if api == GENERIC else api


def _not_repeatable(scenario: Scenario, recorded: Interaction) -> str | None:
    """Why no client can be asked to make a captured call again; None where one can."""
    request = recorded.request
    if scenario.function is Function.LIST_MODELS:
        return None
    if request.method.upper() != "POST":
        return f"a {request.method.upper()} request cannot be made again"
    if not isinstance(read_json(request.body), dict):
        return "a body that is not a JSON object cannot be asked again"
    return None


def _not_asked(scenario: Scenario, recorded: Interaction, item: Item) -> str | None:
    """Why a captured call that was played is not a comparison: the clients do not make it; else None.

    Clients may ignore `Call.function` and always make a streamed chat.
    """
    if found := refusal(item):
        return found
    reference = item.reference
    if reference is None or scenario.streamed_chat:
        return None
    if item.problem is not None:
        return "the clients ask for something else"
    wanted, asked = (
        as_mapping(read_json(request.body)).get("stream") is True
        for request in (recorded.request, *reference.requests[-1:])
    )
    return None if wanted == asked else f"{reference.client} asks for {'a stream' if asked else 'no stream'}"
