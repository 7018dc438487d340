"""Faults in clients of Responses, Anthropic's Messages, Gemini and embeddings, put into the bare stream of
each SDK, and what harmless clients make of the same. The simulator answers, without a socket.
"""

from __future__ import annotations

import base64
import json
import struct
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import partial
from typing import Any

from llm_contracts import Call, Client, Function, Interaction, Kind, Request, Response
from llm_contracts.clients import builtin
from llm_contracts.clients.jsonable import jsonable
from llm_contracts.project.recorded_call import REPLAY_KEY
from llm_contracts.simulator.dialects import DIALECTS
from llm_contracts.simulator.engine import KEY, Responder
from llm_contracts.simulator.scripts import SCRIPTS

Items = Iterable[Any]
Fault = Callable[[Items], Iterator[Any]]


@dataclass(frozen=True, kw_only=True, slots=True)
class Api:
    """An API as its SDK asks for it.

    Attributes:
        client: the name of the built-in client of its SDK.
        dialect: the simulator's that answers, or a name where `answers` do.
        path: below the provider's origin.
        ask: what makes up the call.
        answers: bodies by the name of a script, where no dialect has them.
    """

    client: str
    dialect: str
    origin: str
    path: str
    ask: dict[str, Any]
    answers: Mapping[str, Response] = field(default_factory=dict)

    def call(self, **params: Any) -> Call:
        """The call, at the provider's own address."""
        asked = {**self.ask, "params": {**self.ask["params"], **params}}
        return Call(base_url=self.origin, api_key=REPLAY_KEY, provider=self.dialect, **asked)

    def played(self, script: str) -> Interaction:
        """What is answered to this call."""
        if script in self.answers:
            method = "GET" if self.call().function is Function.LIST_MODELS else "POST"
            request = Request(method=method, uri=self.origin + self.path)
            return Interaction(request=request, response=self.answers[script])
        call, dialect = self.call(), DIALECTS[self.dialect]
        given = {"messages": list(call.messages)} if call.messages else {"input": call.input}
        body = json.dumps({"model": call.model, **given, "contents": call.input, **call.params}).encode()
        headers = {"Authorization": f"Bearer {KEY}", "x-goog-api-key": KEY}
        ask = dialect.read(self.path.partition("?")[0], headers, body)
        reply = Responder(dialect=dialect).respond(ask, SCRIPTS[script][0])
        request = Request(method="POST", uri=self.origin + self.path, body=body)
        answer = Response(status=reply.status, headers=reply.headers, body=b"".join(reply.pieces))
        return Interaction(request=request, response=answer)


RESPONSES = Api(
    client="openai",
    dialect="openai-responses",
    origin="https://api.openai.com/v1",
    path="/responses",
    ask={
        "model": "gpt-5-nano",
        "function": Function.RESPONSES,
        "input": "Where is the station?",
        "params": {"stream": True, "reasoning": {"summary": "auto"}},
    },
)
MESSAGES = Api(
    client="anthropic",
    dialect="anthropic",
    origin="https://api.anthropic.com",
    path="/v1/messages",
    ask={
        "model": "claude-haiku-4-5",
        "function": Function.MESSAGES,
        "messages": ({"role": "user", "content": "Where is the station?"},),
        "params": {
            "stream": True,
            "max_tokens": 2000,
            "thinking": {"type": "enabled", "budget_tokens": 1024},
        },
    },
)
EMBEDDINGS = Api(
    client="openai",
    dialect="openai-embeddings",
    origin="https://api.openai.com/v1",
    path="/embeddings",
    ask={
        "model": "text-embedding-3-small",
        "function": Function.EMBEDDINGS,
        "input": ["a station", "a train"],
        "params": {"encoding_format": "float", "dimensions": 8},
    },
)
GEMINI = Api(
    client="google-genai",
    dialect="gemini",
    origin="https://generativelanguage.googleapis.com/v1beta",
    path="/models/gemini-2.5-flash:streamGenerateContent?alt=sse",
    ask={
        "model": "gemini-2.5-flash",
        "function": Function.GENERATE_CONTENT,
        "input": [{"role": "user", "parts": [{"text": "Where is the station?"}]}],
        "params": {"stream": True, "generationConfig": {"thinkingConfig": {"includeThoughts": True}}},
    },
)


# Responses


def only_wholes(events: Items) -> Iterator[Any]:
    """No pieces are handed on, only the events that repeat them at the end."""
    for event in events:
        if not event.type.endswith(".delta"):
            yield event


def pieces_lost(events: Items) -> Iterator[Any]:
    """A piece of text is not handed on."""
    yield from without(events, lambda event: event.type == "response.output_text.delta")


def summary_lost(events: Items) -> Iterator[Any]:
    """The summary of what was thought is not handed on."""
    for event in events:
        if "reasoning_summary" not in event.type:
            yield event


def always_completed(events: Items) -> Iterator[Any]:
    """A response that was cut short is called complete."""
    for event in events:
        if event.type == "response.incomplete":
            event.response.status, event.response.incomplete_details = "completed", None
        yield event


def item_named(events: Items) -> Iterator[Any]:
    """A call has the id of its item in the place of its own, by which its result is sent back."""
    for event in events:
        if event.type == "response.output_item.added" and event.item.type == "function_call":
            event.item.call_id = event.item.id
        yield event


def arguments_lost(events: Items) -> Iterator[Any]:
    """A piece of a call's arguments is not handed on."""
    yield from without(events, lambda event: event.type == "response.function_call_arguments.delta")


def second_call_lost(events: Items) -> Iterator[Any]:
    """Of two calls side by side the second is not handed on."""
    for event in events:
        if getattr(event, "output_index", 0) == 0:
            yield event


def uncounted(events: Items) -> Iterator[Any]:
    """The totals of the last event are gone."""
    for event in events:
        if event.type == "response.completed":
            event.response.usage = None
        yield event


def thoughts_uncounted(events: Items) -> Iterator[Any]:
    """What was thought is taken off the output's total."""
    for event in events:
        if event.type == "response.completed":
            usage = event.response.usage
            usage.output_tokens -= usage.output_tokens_details.reasoning_tokens
        yield event


def own_id(events: Items) -> Iterator[Any]:
    """The response has an id of the client's own making, by which the next cannot go on from it."""
    for event in events:
        if hasattr(event, "response"):
            event.response.id = "resp_own"
        yield event


def asked_model(events: Items) -> Iterator[Any]:
    """The model's name is the one that was asked for."""
    for event in events:
        if hasattr(event, "response"):
            event.response.model = "gpt-5-nano"
        yield event


def errors_ended(events: Items) -> Iterator[Any]:
    """An error in mid-stream is left out, with the response that has failed."""
    for event in events:
        if event.type not in {"error", "response.failed"}:
            yield event


# Messages


def blocks_lost(events: Items) -> Iterator[Any]:
    """A piece of text is not handed on."""
    yield from without(events, lambda event: _delta(event) == "text_delta")


def thinking_lost(events: Items) -> Iterator[Any]:
    """What was thought is not handed on."""
    for event in events:
        if _delta(event) != "thinking_delta":
            yield event


def signature_lost(events: Items) -> Iterator[Any]:
    """The signature of a thought is not handed on: the next call with it is refused."""
    for event in events:
        if _delta(event) != "signature_delta":
            yield event


def always_a_turn(events: Items) -> Iterator[Any]:
    """A call for a tool ends like any turn."""
    for event in events:
        if event.type == "message_delta":
            event.delta.stop_reason = "end_turn"
        yield event


def counted_at_the_start(events: Items) -> Iterator[Any]:
    """The totals are those of the first event, in which the answer is not yet counted."""
    first = None
    for event in events:
        if event.type == "message_start":
            first = event.message.usage
        if event.type == "message_delta" and first is not None:
            event.usage.output_tokens = first.output_tokens
        yield event


def counted_twice(events: Items) -> Iterator[Any]:
    """What both events count of the question is added up."""
    for event in events:
        if event.type == "message_delta":
            event.usage.input_tokens *= 2
        yield event


def tools_renamed(events: Items) -> Iterator[Any]:
    """A call has an id of the client's own making, which the provider does not know."""
    for event in events:
        if event.type == "content_block_start" and event.content_block.type == "tool_use":
            event.content_block.id = "toolu_own"
        yield event


def json_lost(events: Items) -> Iterator[Any]:
    """A piece of a call's arguments is not handed on."""
    yield from without(events, lambda event: _delta(event) == "input_json_delta")


def message_renamed(events: Items) -> Iterator[Any]:
    """The message has an id of the client's own making."""
    for event in events:
        if event.type == "message_start":
            event.message.id = "msg_own"
        yield event


def overload_ended(events: Items) -> Iterator[Any]:
    """An overload in mid-stream is a normal end."""
    try:
        yield from events
    except Exception:  # noqa: BLE001 - the defect
        return


# Gemini


def parts_lost(chunks: Items) -> Iterator[Any]:
    """A piece of text is not handed on."""
    yield from without(chunks, lambda chunk: any(part.text and not part.thought for part in _parts(chunk)))


def thoughts_lost(chunks: Items) -> Iterator[Any]:
    """What was thought is not handed on."""
    for chunk in chunks:
        if not any(part.thought for part in _parts(chunk)):
            yield chunk


def calls_lost(chunks: Items) -> Iterator[Any]:
    """Of several calls only the first is handed on."""
    seen = 0
    for chunk in chunks:
        for part in _parts(chunk):
            seen += part.function_call is not None
            if seen > 1:
                part.function_call = None
        yield chunk


def calls_renamed(chunks: Items) -> Iterator[Any]:
    """Another function is called."""
    for chunk in chunks:
        for part in _parts(chunk):
            if part.function_call is not None:
                part.function_call.name = "other"
        yield chunk


def always_stopped(chunks: Items) -> Iterator[Any]:
    """An answer that a filter has cut short is called complete."""
    for chunk in chunks:
        for candidate in chunk.candidates or ():
            candidate.finish_reason = candidate.finish_reason and "STOP"
        yield chunk


def never_counted(chunks: Items) -> Iterator[Any]:
    """The totals are gone."""
    for chunk in chunks:
        chunk.usage_metadata = None
        yield chunk


def thoughts_added(chunks: Items) -> Iterator[Any]:
    """Thoughts are counted as a part of the answer, which Google counts apart."""
    for chunk in chunks:
        if chunk.usage_metadata is not None and chunk.usage_metadata.thoughts_token_count:
            chunk.usage_metadata.candidates_token_count += chunk.usage_metadata.thoughts_token_count
        yield chunk


def answer_renamed(chunks: Items) -> Iterator[Any]:
    """The answer has an id of the client's own making."""
    for chunk in chunks:
        chunk.response_id = "own"
        yield chunk


def _parts(chunk: Any) -> list[Any]:
    contents = (candidate.content for candidate in chunk.candidates or ())
    return [part for content in contents if content is not None for part in content.parts or ()]


# Embeddings


def swapped(answers: Items) -> Iterator[Any]:
    """The vectors come in another order."""
    yield from _changed(answers, lambda data: data.reverse())


def first_alone(answers: Items) -> Iterator[Any]:
    """Only the first of several texts has a vector."""
    yield from _changed(answers, lambda data: data.__delitem__(slice(1, None)))


def shortened(answers: Items) -> Iterator[Any]:
    """A vector is cut off."""
    yield from _changed(answers, lambda data: data[0].embedding.pop())


def one_number(answers: Items) -> Iterator[Any]:
    """One number of many is wrong by a little."""
    yield from _changed(answers, lambda data: data[1].embedding.__setitem__(5, data[1].embedding[5] + 1e-4))


def signs_lost(answers: Items) -> Iterator[Any]:
    """The numbers have no signs."""
    yield from _changed(answers, lambda data: _set(data[0], [abs(number) for number in data[0].embedding]))


def ends_exchanged(answers: Items) -> Iterator[Any]:
    """The bytes of each number are read from the other end."""
    turned: Callable[[list[float]], list[float]] = lambda numbers: list(  # noqa: E731
        struct.unpack(f">{len(numbers)}f", struct.pack(f"<{len(numbers)}f", *numbers))
    )
    yield from _changed(answers, lambda data: _set(data[0], turned(data[0].embedding)))


def uncounted_texts(answers: Items) -> Iterator[Any]:
    """The totals are gone."""
    for answer in answers:
        answer.usage = None
        yield answer


def counted_as_an_answer(answers: Items) -> Iterator[Any]:
    """Numbers are counted as if a model had written them."""
    for answer in answers:
        answer.usage.total_tokens += 16
        yield answer


def unnumbered(answers: Items) -> Iterator[Any]:
    """Each vector has the same number."""
    yield from _changed(answers, lambda data: setattr(data[1], "index", 0))


def _set(row: Any, numbers: list[float]) -> None:
    row.embedding = numbers


def _changed(answers: Items, change: Callable[[list[Any]], Any]) -> Iterator[Any]:
    for answer in answers:
        change(answer.data)
        yield answer


def _delta(event: Any) -> str | None:
    return getattr(getattr(event, "delta", None), "type", None)


def without(events: Items, is_one: Callable[[Any], bool]) -> Iterator[Any]:
    """All but the third of these."""
    seen = 0
    for event in events:
        seen += is_one(event)
        if not (is_one(event) and seen == 3):
            yield event


@dataclass(frozen=True, kw_only=True, slots=True)
class ApiDefect:
    """A fault, on which answer it shows, and as what: the kinds and places that must be reported, among which
    further ones may stand that say the same again (`fields`, `order`, `chunk_count`).
    """

    api: Api
    fault: Fault
    script: str
    kind: Kind
    where: str

    @property
    def name(self) -> str:
        """A name for tests."""
        return f"{self.api.dialect}-{self.fault.__name__}"

    def client(self) -> Client:
        """The SDK's client with the fault."""
        return faulty(self.api, self.fault)


def faulty(api: Api, fault: Fault) -> Client:
    """The client of an API's SDK, its items changed."""
    return partial(_broken, builtin.BUILTIN[api.client], fault)


def _broken(client: Client, fault: Fault, call: Call) -> Iterator[Any]:
    return fault(client(call))  # type: ignore[arg-type]  # these clients are not asynchronous


def of(api: Api, *rows: tuple[Fault, str, str]) -> Iterator[ApiDefect]:
    """Each fault, the script on which it shows, and as what: kind and place."""
    for fault, script, report in rows:
        kind, where = report.split(" ")
        yield ApiDefect(api=api, fault=fault, script=script, kind=Kind(kind), where=where)


_CALLS = "parallel-tool-calls"
API_DEFECTS: tuple[ApiDefect, ...] = (
    *of(
        RESPONSES,
        (pieces_lost, "reasoning", "text text[*]"),
        (only_wholes, "reasoning", "deltas delta[0]"),
        (summary_lost, "reasoning", "reasoning reasoning[0]"),
        (always_completed, "content-filter", "finish_reason finish_reason.changed"),
        (item_named, _CALLS, "tool_calls tool_calls[0].id"),
        (arguments_lost, _CALLS, "tool_calls tool_calls[0].arguments"),
        (second_call_lost, _CALLS, "tool_calls tool_calls[1]"),
        (uncounted, "reasoning", "usage_missing usage"),
        (thoughts_uncounted, "reasoning", "usage usage.completion_tokens"),
        (own_id, "reasoning", "response_id id"),
        (asked_model, "reasoning", "model_name model"),
        (errors_ended, "mid-stream-error", "finish_reason finish_reason.lost"),
    ),
    *of(
        MESSAGES,
        (blocks_lost, "reasoning", "text text[*]"),
        (thinking_lost, "reasoning", "reasoning reasoning[0]"),
        (signature_lost, "reasoning", "fields *signature*"),
        (always_a_turn, _CALLS, "finish_reason finish_reason.changed"),
        (counted_at_the_start, "reasoning", "usage usage.completion_tokens"),
        (counted_twice, "reasoning", "usage usage.prompt_tokens"),
        (tools_renamed, _CALLS, "tool_calls tool_calls[0].id"),
        (json_lost, _CALLS, "tool_calls tool_calls[0].arguments"),
        (message_renamed, "reasoning", "response_id id"),
        (overload_ended, "mid-stream-error", "error error"),
    ),
    *of(
        GEMINI,
        (parts_lost, "reasoning", "text text[*]"),
        (thoughts_lost, "reasoning", "reasoning reasoning[0]"),
        (calls_lost, _CALLS, "tool_calls tool_calls[1]"),
        (calls_renamed, _CALLS, "tool_calls tool_calls[0].name"),
        (always_stopped, "content-filter", "finish_reason finish_reason.changed"),
        (never_counted, "reasoning", "usage_missing usage"),
        (thoughts_added, "reasoning", "usage usage.completion_tokens"),
        (answer_renamed, "reasoning", "response_id id"),
        (overload_ended, "mid-stream-error", "error error"),
    ),
    *of(
        EMBEDDINGS,
        (swapped, "plain-stream", "fields data[0].embedding"),
        (first_alone, "plain-stream", "fields data[1].embedding"),
        (shortened, "plain-stream", "fields data[0].embedding"),
        (one_number, "plain-stream", "fields data[1].embedding"),
        (signs_lost, "plain-stream", "fields data[0].embedding"),
        (ends_exchanged, "plain-stream", "fields data[0].embedding"),
        (uncounted_texts, "plain-stream", "usage_missing usage"),
        (counted_as_an_answer, "plain-stream", "usage usage.total_tokens"),
        (unnumbered, "plain-stream", "fields data[1].index"),
    ),
)


def as_base64(item: Any) -> Any:
    """Vectors in their other form: the same numbers."""
    given = jsonable(item)
    for row in given.get("data", ()) if isinstance(given, dict) else ():
        numbers = row["embedding"]
        row["embedding"] = base64.b64encode(struct.pack(f"<{len(numbers)}f", *numbers)).decode()
    return given


def harmless_of(api: Api, convert: Callable[[Any], Any]) -> Client:
    """The SDK's client, each item in another form."""
    return faulty(api, lambda items: map(convert, items))
