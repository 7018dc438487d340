"""Wire facts: what the bytes themselves say, read by code that knows no client.

Whether the provider sent usage, a finish reason, an error or a proper end is settled here and nowhere else.
The answer is the choice that comes first in the stream; the others are read by their own indexes.
"""

from __future__ import annotations

import codecs
import re
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import reduce
from typing import Any, NamedTuple

from llm_contracts.util.json_values import as_list, as_mapping, as_text, read_json
from llm_contracts.wire.content import decoded
from llm_contracts.wire.events import are_server_sent, events, text_of
from llm_contracts.wire.facts.errors import error_of, retry_delay
from llm_contracts.wire.interaction import End, Interaction, Response
from llm_contracts.wire.protocols import BUILT_IN, GENERIC, Protocols, StreamReader, protocol_at
from llm_contracts.wire.sse import Event

_DONE = "[DONE]"
_UNREAD = re.compile(rb"^(?!(?:data|event|id|retry)(?:[:\r\n]|\Z)|[:\r\n])[^\r\n]+", re.MULTILINE)
"""A line of no field that the standard for event streams knows."""
_FIRST_FAILURE = 400


@dataclass(frozen=True, kw_only=True, slots=True)
class WireFacts:
    """What one response holds.

    Attributes:
        status: the HTTP status; 0 where there was no response.
        streamed: whether the body is a stream of events rather than one document.
        events: how many events the body holds, `[DONE]` included.
        text: the joined `content` of the first choice, where it is a string.
        list_content: whether any `content` was a list of parts and no string (Mistral's reasoning models).
        whole_text: `text` with the text parts of such lists in their places, for clients that read both.
        reasoning: the joined `reasoning_content` or `reasoning`.
        refusal: the joined `refusal`: why the model does not answer.
        finish_reasons: as sent, in order; neither null nor the empty string, which a few providers
            send in its place, is a reason.
        usage: what all usage objects anywhere (top level, or inside the first choice) say together: of two
            values the later one, and what a later object does not name stays. None if there was none.
        usages: every usage object, in order; a client that failed in between cannot know a later one.
        vendor_usage: the last usage object in a place where no OpenAI client looks (Groq's `x_groq`).
        error: an error sent in band, or the failure that a whole answer consists of; always has `message`.
        done: whether `[DONE]` was seen.
        end: how the exchange ended.
        progress: for each event, the characters up to and including it: of text (and of a refusal) of the
            choice with the index 0, of reasoning, of tool calls' arguments, of the other choices' text, and
            of any choice's text where no choice has the index 0. Of an API that nobody knows each event
            counts as a character of text.
        arguments: the joined arguments of all tool calls of the answer, in the order of the stream.
        models, ids: the distinct values that chunks carried, in order of appearance.
        malformed: how many events were neither a JSON object nor `[DONE]`; those without data count as none.
        unread: how many bytes belong neither to an event nor to a JSON document: few clients look at them. So
            with lines of JSON in what calls itself an event stream; they are read for those that do.
        said: an error's own text and the values of its answer's headers, to tell what the provider said from
            what a client made up; empty where there was no error.
        retry_after: seconds to wait before the next attempt, where the provider names them as a number; a
            date means something else each time that a recording is played.
        protocol: the API that it speaks, by what it holds, or else by its address; `generic` for none that is
            known, empty where there is nothing to read.
    """

    status: int
    streamed: bool
    end: End
    events: int = 0
    text: str = ""
    list_content: bool = False
    whole_text: str = ""
    reasoning: str = ""
    refusal: str = ""
    finish_reasons: tuple[str, ...] = ()
    usage: Mapping[str, Any] | None = None
    usages: tuple[Mapping[str, Any], ...] = ()
    vendor_usage: Mapping[str, Any] | None = None
    error: Mapping[str, Any] | None = None
    done: bool = False
    progress: tuple[tuple[int, ...], ...] = ()
    arguments: str = ""
    models: tuple[str, ...] = ()
    ids: tuple[str, ...] = ()
    malformed: int = 0
    unread: int = 0
    said: str = ""
    retry_after: float | None = None
    protocol: str = ""


class _Texts(NamedTuple):
    """What one event, or a document, adds to the texts of the answer."""

    text: str
    whole_text: str
    reasoning: str
    refusal: str
    arguments: str


class _Findings:
    """What has been read so far, event by event; `facts` makes the sum."""

    def __init__(self, protocols: Protocols) -> None:
        self.protocols = protocols
        self.read = StreamReader(protocols)
        self.texts = [_texts({})]
        self.list_content = False
        self.finish_reasons: list[str] = []
        self.usages: list[Mapping[str, Any]] = []
        self.vendor_usage: Mapping[str, Any] | None = None
        self.errors: list[tuple[Mapping[str, Any], str]] = []  # and the text that says so
        self.sizes = (0, 0, 0, 0)  # of the choice with the index 0, reasoning, arguments, and the others
        self.progress: list[tuple[int, ...]] = []
        self.documents = self.unknown = self.malformed = 0
        self.answer: int | None = None
        self.models: dict[str, None] = {}
        self.ids: dict[str, None] = {}
        self.done = False

    def read_event(self, event: Event) -> None:
        """One server-sent event. What follows `[DONE]` is counted, not read: no client looks there."""
        if event.data.strip() == _DONE:
            self.done = True
        elif not self.done and event.data.strip():
            self._read_data(event.name, event.data)
        zero, *rest = self.sizes
        self.progress.append((zero + self.unknown, *rest))

    def _read_data(self, name: str | None, text: str) -> None:
        data = read_json(text)
        error = error_of(data, text, failed=name == "error", protocols=self.protocols)
        if error is not None:
            self.errors.append((error, text))
        if isinstance(data, dict):
            self.read_chunk(data)
        elif error is None:
            self.malformed += 1
            if not text.lstrip().startswith(("{", "[")):  # no client hands on JSON that was cut off
                self.note()

    def read_chunk(self, chunk: Mapping[str, Any]) -> None:
        """One chunk of a stream, or a whole completion."""
        chunk = self.read(chunk)
        if chunk.get("type") != "ping":
            self.note()
        choice = self._answer_of(chunk)
        if reason := as_text(choice.get("finish_reason")):
            self.finish_reasons.append(reason)
        self.usages += [usage for one in (choice, chunk) if isinstance(usage := one.get("usage"), dict)]
        if isinstance(usage := as_mapping(chunk.get("x_groq")).get("usage"), dict):
            self.vendor_usage = usage
        for seen, key in ((self.models, "model"), (self.ids, "id")):
            if value := as_text(chunk.get(key)):
                seen[value] = None

    def note(self) -> None:
        """A value has been read, which an API may have claimed."""
        self.documents += 1
        self.unknown += not self.read.claimed

    def _answer_of(self, chunk: Mapping[str, Any]) -> Mapping[str, Any]:
        """The choice that is the answer, if this chunk has it. Its texts are kept, of others the size."""
        choices = [choice for choice in as_list(chunk.get("choices")) if isinstance(choice, dict)]
        found: Mapping[str, Any] = {}
        zero, reasoning, arguments, others = self.sizes
        for choice in choices:
            index = choice.get("index")
            index = index if isinstance(index, int) else 0
            self.answer = index if self.answer is None else self.answer
            given = choice.get("delta", choice.get("message"))
            delta = given if isinstance(given, dict) else {}
            size = len(as_text(delta.get("content")))
            if index == self.answer and not found:
                found, texts = choice, _texts(delta)
                self.texts.append(texts)
                self.list_content = self.list_content or isinstance(delta.get("content"), list)
                size = len(texts.whole_text) + len(texts.refusal)
                reasoning += len(texts.reasoning)
                arguments += len(texts.arguments)
            zero, others = (zero, others + size) if index else (zero + size, others)
        self.sizes = zero, reasoning, arguments, others
        return found

    def _progress(self) -> Iterator[tuple[int, ...]]:
        # A client whose chunks name no index hands on the only choice, whichever index that has on the wire.
        whole = not self.progress or self.progress[-1][0]
        for zero, reasoned, argued, others in self.progress:
            yield (zero, reasoned, argued, others, 0) if whole else (0, reasoned, argued, 0, others)

    def facts(self, response: Response, *, streamed: bool) -> WireFacts:
        """The sum."""
        texts = _Texts(*map("".join, zip(*self.texts, strict=True)))
        said = [text for _, text in self.errors]
        return WireFacts(
            status=response.status,
            streamed=streamed,
            end=response.end,
            events=len(self.progress),
            **texts._asdict(),
            list_content=self.list_content,
            finish_reasons=tuple(self.finish_reasons),
            usage=reduce(usage_and, self.usages) if self.usages else None,
            usages=tuple(self.usages),
            vendor_usage=self.vendor_usage,
            error=self.errors[0][0] if self.errors else None,
            done=self.done or self.read.done,
            progress=tuple(self._progress()),
            models=tuple(self.models),
            ids=tuple(self.ids),
            malformed=self.malformed,
            said="\n".join((*said, *(value for _, value in response.headers if said))),
            retry_after=_retry_after(response, self.errors[0][0] if self.errors else {}),
            protocol=next(iter(self.read.claimed), GENERIC if self.documents else ""),
        )


def _texts(delta: Mapping[str, Any]) -> _Texts:
    content, reasoning = delta.get("content"), delta.get("reasoning_content")
    # Clients that read lists of parts hand them on, and lockstep waits.
    parts = [as_mapping(part) for part in as_list(content)]
    listed = [part.get("text") for part in parts if part.get("type", "text") == "text"]
    calls = [as_mapping(as_mapping(call).get("function")) for call in as_list(delta.get("tool_calls"))]
    return _Texts(
        text=as_text(content),
        whole_text="".join(map(as_text, (content, *listed))),
        reasoning=as_text(reasoning if isinstance(reasoning, str) else delta.get("reasoning")),
        refusal=as_text(delta.get("refusal")),
        arguments="".join([as_text(call.get("arguments")) for call in calls]),
    )


def read_facts(response: Response, protocols: Protocols = BUILT_IN) -> WireFacts:
    """Read one response by the protocols that it may be of. Never fails, whatever the bytes are."""
    response = decoded(response)
    findings = _Findings(protocols)
    text = text_of(response.body).strip()
    document = read_json(text)
    refused = response.status >= _FIRST_FAILURE
    is_stream = response.header("content-type").lower().startswith("text/event-stream")
    is_sse = are_server_sent(response.body)
    has_events = document is None or (isinstance(document, list) and not refused)
    found = events(response.body) if has_events else ()
    for event in found:
        findings.read_event(event)
    if isinstance(document, dict):
        findings.read_chunk(document)
    elif document is not None and not found and not refused:
        findings.note()
    error = error_of(document, text, failed=refused, protocols=protocols)
    if error is not None and not findings.errors:
        findings.errors.append((error, text))
    facts = findings.facts(response, streamed=bool(found) or (is_stream and document is None))
    if document is not None or (found and not is_sse and not is_stream):
        return facts
    unread = sum(map(len, _UNREAD.findall(response.body.removeprefix(codecs.BOM_UTF8))))
    return replace(facts, unread=unread) if unread else facts


def usage_and(earlier: Mapping[str, Any], later: Mapping[str, Any]) -> Mapping[str, Any]:
    """What two usage objects say together: some providers count the prompt in the first chunk and the rest in
    the last, others send details first and bare totals after them.
    """
    found = dict(earlier)
    for name, value in later.items():
        before = found.get(name)
        if isinstance(value, Mapping) and isinstance(before, Mapping):
            found[name] = usage_and(before, value)
        elif value is not None or name not in found:
            found[name] = value
    return found


def read_answer(interaction: Interaction, protocols: Protocols = BUILT_IN) -> WireFacts:
    """The same of one exchange. Refusals and empty listings look alike everywhere: whose one is, its address
    says.
    """
    facts = read_facts(interaction.response, protocols)
    at = protocol_at(interaction.request.uri, protocols) if facts.protocol in (GENERIC, "") else None
    if at is None or (facts.error is None and (at.has_text or not facts.protocol)):
        return facts
    return replace(facts, protocol=at.name)


def _retry_after(response: Response, error: Mapping[str, Any]) -> float | None:
    """The milliseconds of a header that OpenAI's own servers send come before the standard one's seconds, and
    headers before what a refusal's body says.
    """
    for name, seconds in (("retry-after-ms", 0.001), ("retry-after", 1.0)):
        with suppress(ValueError):
            return float(response.header(name)) * seconds
    return retry_delay(error)
