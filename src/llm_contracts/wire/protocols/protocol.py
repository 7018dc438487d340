"""The one interface of every API: how its events, or its answers in one piece, are read.

A client's objects are read by the same protocol as the bytes: the SDK of an API hands its events on under
their own names.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

Document = Mapping[str, Any]
"""The JSON object of one event, or of an answer in one piece."""

GENERIC = "generic"
"""The name for what no protocol claims: compared leaf by leaf, and nothing in it is known as text or end."""


def words(text: str) -> frozenset[str]:
    """Names that are written one after the other."""
    return frozenset(text.split())


def without(document: Document, *names: str) -> dict[str, Any]:
    """The other members."""
    return {name: value for name, value in document.items() if name not in names}


def tool_call(index: int, call_id: Any, name: Any, arguments: Any, kind: str = "function") -> dict[str, Any]:
    """A tool call, as chat completions have it."""
    function = {"name": name, "arguments": arguments}
    return {"index": index, "id": call_id, "type": kind, "function": function}


def arguments_text(arguments: Any) -> str:
    """The text of arguments that came as an object, whose members have no order."""
    return json.dumps(arguments, ensure_ascii=False, sort_keys=True)


@dataclass(frozen=True, kw_only=True, slots=True)
class Reading:
    """What one event, or an answer in one piece, says.

    Attributes:
        chunk: the same in the words of OpenAI's chat completions: `choices` with `delta`, `finish_reason`,
            `usage`, `id`, `model`. What that API has no word for stays under its own.
        last: whether it says of itself that nothing follows, as `[DONE]` does.
    """

    chunk: Document
    last: bool = False


@dataclass(frozen=True, kw_only=True, slots=True)
class Protocol:
    """An API that the harness can read. A project registers its own as `PROTOCOLS` beside its `CLIENTS`.

    Attributes:
        name: as a provider's row or a scenario names it.
        speaks: whether an event or an answer is one of this API's, by what it holds.
        reader: makes what reads the events of one response in turn; it may keep what came before.
        error: the error that an event or answer is by its shape alone, as a mapping with a `message`; None if
            it is none. Shapes that many APIs share (`{"error": …}`, `{"code": …, "message": …}`) are read
            without it.
        members: names of JSON members that clients of this API read: where one of them changes, a client can
            break.
        path: a regular expression for the end of the paths at which this API answers; empty for none.
        says_end: whether every stream says that it is over. Without it the end of the connection is all that
            there is.
        has_text: whether an answer holds text, totals or a finish reason; a listing has none.
    """

    name: str
    speaks: Callable[[Document], bool]
    reader: Callable[[], Callable[[Document], Reading]]
    error: Callable[[Document], Document | None] = lambda _document: None
    members: frozenset[str] = frozenset()
    path: str = ""
    says_end: bool = True
    has_text: bool = True


Protocols = tuple[Protocol, ...]
"""Those among which an event is looked up, in this order."""


def protocol_at(uri: str, protocols: Protocols) -> Protocol | None:
    """The protocol that answers at this address, by its path; None where none is known to."""
    path = urlsplit(uri).path
    return next((one for one in protocols if one.path and re.search(rf"(?:{one.path})$", path)), None)


class StreamReader:
    """Reads the events of one response, each by the protocol that claims it. What none claims stays as it is.

    Attributes:
        done: whether an event has said that it is the last one.
        claimed: the names of the protocols that have claimed one, in order.
    """

    def __init__(self, protocols: Protocols) -> None:
        self.done = False
        self.claimed: dict[str, None] = {}
        self._readers = [(protocol, protocol.reader()) for protocol in protocols]

    def __call__(self, document: Document) -> Document:
        """The event in the words of OpenAI's chat completions."""
        for protocol, read in self._readers:
            if protocol.speaks(document):
                reading = read(document)
                if document.get("type") != "ping":  # older APIs send it, too
                    self.claimed[protocol.name] = None
                self.done = self.done or reading.last
                return reading.chunk
        return document
