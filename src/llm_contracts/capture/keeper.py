"""Which of the calls that pass become recordings: a few of each shape, with what belongs to them."""

from __future__ import annotations

import hashlib
import json
import secrets
from collections import Counter, OrderedDict, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

from llm_contracts.capture.coverage import CaptureCoverage
from llm_contracts.capture.shape import Shape, shape_of
from llm_contracts.project.recorded_scenarios import CAPTURED, recorded_files
from llm_contracts.util.json_values import as_list, as_mapping, read_json
from llm_contracts.wire.cassette import CassetteError, load
from llm_contracts.wire.interaction import End, Interaction
from llm_contracts.wire.protocols import Protocols

_FAILED = 400
_MIB = 2**20
_MOST_CONVERSATIONS = 10_000
_MOST_WAITING = 32 * _MIB  # bytes of calls whose conversation may still become telling
_NEXT_ATTEMPT = 90.0  # seconds in which a client asks again after a failure; SDKs wait up to a minute
_LONGEST_CONVERSATION = 50  # calls

FULL = "enough recordings of one run (--recordings, --size)"
"""Why a call of a shape without a recording was not kept."""


Change = Callable[[tuple[Interaction, ...]], tuple[Interaction, ...]]


@dataclass(frozen=True, kw_only=True, slots=True)
class CaptureOptions:
    """How to capture.

    Attributes:
        folder: the cassettes folder to write to.
        environ: the variables of the application, and those of `.env`.
        keep: recordings of one shape, those counted that are there already.
        recordings: of one run.
        size: bytes of bodies of one run.
        reserve: bytes of the disk that stay free, or what was seen could not be written on a full one, and
            what stands there would say that nothing is missing.
        sample: the part of the calls that is looked at, from 0 to 1.
        memory: bytes of copies that are held at once.
        change: what is done to the exchanges of a call before they are written, after secrets were taken out.
        port: where to listen; 0 lets the system choose.
        drain: seconds that calls under way are given at the end.
    """

    folder: Path
    environ: Mapping[str, str] = field(repr=False)
    keep: int = 3
    recordings: int = 500
    size: int = 64 * _MIB
    reserve: int = _MIB
    sample: float = 1.0
    memory: int = 256 * _MIB
    change: Change = tuple
    port: int = 0
    drain: float = 30.0


@dataclass(kw_only=True, slots=True)
class CapturedCall:
    """One call: its exchanges, several where it was tried again; `name` when it is written."""

    provider: str
    turn: int
    interactions: list[Interaction]
    shape: Shape | None = None
    name: str = ""

    @property
    def size(self) -> int:
        """Bytes of its bodies."""
        return sum(len(one.request.body) + len(one.response.body) for one in self.interactions)


@dataclass(kw_only=True, slots=True)
class _Conversation:
    key: str = field(default_factory=lambda: secrets.token_hex(4))
    calls: list[CapturedCall] = field(default_factory=list)
    turns: int = 0
    kept: bool = False
    forgotten: bool = False


class Keeper:
    """Takes calls as they end, in one thread.

    Args:
        options: how much is kept.
        write: writes a recording; what it raises is counted, and the recording is not kept.
        seen: provider → what is counted of its calls.
        protocols: those of the project, by which a call's API is known.
    """

    def __init__(
        self,
        options: CaptureOptions,
        write: Callable[[CapturedCall], None],
        seen: defaultdict[str, CaptureCoverage],
        protocols: Protocols,
    ) -> None:
        self._options = options
        self._write = write
        self._seen = seen
        self._protocols = protocols
        self._recorded = Counter[str]()
        for file in recorded_files(options.folder, CAPTURED):
            with suppress(CassetteError, ValueError):  # `check` says what is wrong with it
                self._recorded[shape_of(load(file).interactions, protocols).key] += 1
        self._written = 0
        self._size = 0
        self._waiting = 0
        self._conversations: OrderedDict[str, _Conversation] = OrderedDict()
        self._failed: OrderedDict[str, tuple[float, _Conversation, CapturedCall]] = OrderedDict()

    def take(self, provider: str, interaction: Interaction, now: float) -> None:
        """An exchange has ended, `now` on the monotonic clock."""
        self.give_up(now - _NEXT_ATTEMPT)
        asked = _digest(provider, interaction.request.uri, interaction.request.body)
        if asked in self._failed:
            _, conversation, call = self._failed.pop(asked)
            self._waiting -= call.size
            call.interactions.append(interaction)
        else:
            self._seen[provider].calls += 1
            conversation = self._conversation_of(provider, interaction)
            conversation.turns += 1
            call = CapturedCall(provider=provider, turn=conversation.turns, interactions=[interaction])
        response = interaction.response
        if response.end is not End.COMPLETE or not response.status or response.status >= _FAILED:
            self._failed[asked] = (now, conversation, call)
            self._waiting += call.size
            self._bound()
        else:
            self._over(conversation, call)

    def give_up(self, before: float = float("inf")) -> None:
        """The calls that failed before this moment are not tried again."""
        while self._failed:
            asked, (since, conversation, call) = next(iter(self._failed.items()))
            if since >= before:
                return
            del self._failed[asked]
            self._waiting -= call.size
            self._over(conversation, call)

    def _over(self, conversation: _Conversation, call: CapturedCall) -> None:
        call.shape = shape_of(call.interactions, self._protocols)
        self._seen[call.provider].add(call.shape.key, str(call.shape))
        if not conversation.forgotten:
            conversation.calls.append(call)
            self._waiting += call.size
        wanted = self._recorded[call.shape.key] < self._options.keep
        if wanted or (conversation.kept and conversation.turns <= _LONGEST_CONVERSATION):
            self._keep(conversation)
        self._bound()

    def _keep(self, conversation: _Conversation) -> None:
        """Write what is not yet written of a conversation."""
        for call in conversation.calls:
            self._waiting -= call.size
            shape = call.shape
            assert shape is not None
            seen = self._seen[call.provider]
            if self._written >= self._options.recordings or self._size + call.size > self._options.size:
                seen.not_looked_at[FULL] += 1
                continue
            call.name = f"{CAPTURED}{shape.api}-{conversation.key}-{call.turn}"
            try:
                self._write(call)
            except Exception as error:  # noqa: BLE001 - whatever it is, calls go on
                seen.not_looked_at[_why(error)] += 1
                continue
            conversation.kept = True
            self._written += 1
            self._size += call.size
            self._recorded[shape.key] += 1
            seen.shapes[shape.key].recordings.append(call.name)
        conversation.calls.clear()

    def _conversation_of(self, provider: str, interaction: Interaction) -> _Conversation:
        """The conversation that this request goes on with, or a new one; later requests find it."""
        *earlier, whole = _histories(provider, interaction)
        known = next((key for key in reversed(earlier) if key in self._conversations), None)
        conversation = _Conversation() if known is None else self._conversations.pop(known)
        for key in (whole, *_answers(provider, interaction)):
            self._conversations[key] = conversation
        while len(self._conversations) > _MOST_CONVERSATIONS:
            self._forget()
        return conversation

    def _bound(self) -> None:
        while self._waiting > _MOST_WAITING and self._conversations:
            self._forget()
        while self._waiting > _MOST_WAITING and self._failed:
            self.give_up(next(iter(self._failed.values()))[0] + 1e-9)

    def _forget(self) -> None:
        _, oldest = self._conversations.popitem(last=False)
        self._waiting -= sum(call.size for call in oldest.calls)
        oldest.calls.clear()
        oldest.forgotten = True


def _histories(provider: str, interaction: Interaction) -> Sequence[str]:
    """A key for each beginning of what was said so far, shortest first; the last is all of it."""
    sent = as_mapping(read_json(interaction.request.body))
    said = next((as_list(sent[name]) for name in ("messages", "input", "contents") if name in sent), [])
    keys = [_digest(provider, str(sent["previous_response_id"]))] if sent.get("previous_response_id") else []
    whole = hashlib.sha256(f"{provider}\0{sent.get('model')}".encode())
    for message in said:
        whole.update(json.dumps(message, sort_keys=True).encode() + b"\0")
        keys.append(whole.hexdigest())
    return keys if said else [*keys, secrets.token_hex(16)]


def _answers(provider: str, interaction: Interaction) -> Iterator[str]:
    """The keys by which a later request may name this answer: the ids of the Responses API."""
    if not interaction.request.uri.partition("?")[0].endswith("/responses"):
        return
    body = interaction.response.body
    lines = (line.removeprefix(b"data:") for line in body.splitlines() if line[:5] == b"data:")
    for one in (as_mapping(read_json(part)) for part in (body, *lines)):
        found = str(as_mapping(one.get("response") or one).get("id", ""))
        if found.startswith("resp"):
            yield _digest(provider, found)


def _digest(*parts: str | bytes) -> str:
    data = b"\0".join(part.encode() if isinstance(part, str) else part for part in parts)
    return hashlib.sha256(data).hexdigest()


def _why(error: Exception) -> str:
    if isinstance(error, OSError):
        return f"the recording could not be written ({error.strerror or type(error).__name__})"
    return f"the recording could not be made ({type(error).__name__})"
