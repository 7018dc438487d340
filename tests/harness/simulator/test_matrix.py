"""Each dialect against what is known of its provider, feature by feature, read from the bytes it sends."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import accumulate
from typing import Any, Literal

import pytest

from llm_contracts.simulator.ask import ParsedRequest
from llm_contracts.simulator.dialects import DIALECTS
from llm_contracts.simulator.engine import KEY
from llm_contracts.simulator.texts import tokens_in
from tests.harness.simulator.playing import MODELS, ask, choices, chunks, finishes, play, simulated, text

_FOUR = ("message", "type", "param", "code")


@dataclass(frozen=True, kw_only=True, slots=True)
class Facts:
    """What is known of a provider. What is left out is as with OpenAI.

    Attributes:
        path: of its base URL.
        lead: what stands before an event's data.
        role: the chunks whose delta has a role.
        before_end: what stands for the finish reason before there is one; `absent` is no such key.
        place: the chunks that have totals.
        asked: totals have to be asked for.
        body: the keys of a refusal's body, and of the error in it where it has an envelope.
        row: the keys of a row of its listing.
    """

    path: str
    lead: str = "data: "
    role: Literal["first", "every", "every but the last"] = "first"
    before_end: Literal["null", "absent"] = "null"
    place: Literal["own chunk", "last choice", "every chunk"] = "own chunk"
    asked: bool = True
    body: tuple[str, ...] = ("error",)
    error: tuple[str, ...] = _FOUR
    row: tuple[str, ...] = ("id", "object", "created", "owned_by")


KNOWN = {
    "openai": Facts(path="/v1"),
    "deepseek": Facts(path="", place="last choice", asked=False, row=("id", "object", "owned_by")),
    "qwen": Facts(path="/compatible-mode/v1", body=("error", "request_id")),
    "ernie": Facts(
        path="/v2",
        role="every but the last",
        before_end="absent",
        place="last choice",
        body=("error", "id"),
        error=("code", "message", "type"),
        row=("id", "object", "owned_by", "created"),
    ),
    "glm": Facts(
        path="/api/paas/v4",
        role="every",
        before_end="absent",
        place="last choice",
        asked=False,
        error=("code", "message"),
    ),
    "ark": Facts(
        path="/api/v3",
        lead="data:",
        role="every",
        error=("code", "message", "param", "type"),
        row=("id", "object"),
    ),
    "silicon": Facts(
        path="/v1", place="every chunk", asked=False, body=("code", "message", "data"), error=()
    ),
}

each = pytest.mark.parametrize(("dialect", "facts"), KNOWN.items(), ids=list(KNOWN))


def body(dialect: str, script: str) -> Any:
    return json.loads(play(dialect, script, ask(MODELS[dialect])).pieces[0])


def test_every_dialect_of_openais_kind_is_held_against_facts() -> None:
    assert set(KNOWN) == {
        name for name, dialect in DIALECTS.items() if dialect.chat_path.endswith("/completions")
    }


@each
def test_the_base_path_is_the_providers(dialect: str, facts: Facts) -> None:
    assert DIALECTS[dialect].base_path == facts.path


@each
def test_events_are_framed_as_the_provider_frames_them_and_end_with_done(dialect: str, facts: Facts) -> None:
    pieces = play(dialect, "plain-stream", ask(MODELS[dialect])).pieces
    assert pieces[-1] == f"{facts.lead}[DONE]\n\n".encode()
    for piece in pieces[:-1]:
        line, *rest = piece.decode().split("\n")
        assert rest == ["", ""]
        assert line.startswith(facts.lead + "{")


@each
def test_the_role_stands_on_the_first_chunk_or_on_every_one(dialect: str, facts: Facts) -> None:
    seen = [
        "role" in choice["delta"] for choice in choices(simulated(dialect, "plain-stream", MODELS[dialect]))
    ]
    count = len(seen)
    expected = {
        "first": [True] + [False] * (count - 1),
        "every": [True] * count,
        "every but the last": [True] * (count - 1) + [False],
    }
    assert seen == expected[facts.role]


@each
def test_before_the_end_the_finish_reason_is_null_or_not_there(dialect: str, facts: Facts) -> None:
    *earlier, last = choices(simulated(dialect, "plain-stream", MODELS[dialect]))
    assert last["finish_reason"] == "stop"
    for choice in earlier:
        assert choice.get("finish_reason", "absent") == (None if facts.before_end == "null" else "absent")


def places(stream: list[dict[str, Any]]) -> Iterator[str]:
    for number, chunk in enumerate(stream):
        if chunk.get("usage"):
            is_last = number == len(stream) - 1
            yield "own chunk" if not chunk["choices"] else "last choice" if is_last else "another"


@each
def test_totals_are_where_the_provider_puts_them(dialect: str, facts: Facts) -> None:
    stream = simulated(dialect, "plain-stream", MODELS[dialect])
    if facts.place == "every chunk":
        spent = accumulate(tokens_in(said) if (said := text([chunk])) else 0 for chunk in stream)
        assert [chunk["usage"]["completion_tokens"] for chunk in stream] == list(spent)
    else:
        assert list(places(stream)) == [facts.place]


@each
def test_totals_nobody_asked_for_come_from_three_providers(dialect: str, facts: Facts) -> None:
    stream = simulated(dialect, "plain-stream", MODELS[dialect], usage=False)
    assert any(chunk.get("usage") for chunk in stream) is not facts.asked


def totals(dialect: str) -> tuple[int, int, int]:
    stream = simulated(dialect, "plain-stream", MODELS[dialect])
    usage = [chunk["usage"] for chunk in stream if chunk.get("usage")][-1]
    return usage["prompt_tokens"], usage["completion_tokens"], usage["total_tokens"]


def test_the_totals_add_up_and_are_the_same_wherever_they_stand() -> None:
    (found,) = {totals(dialect) for dialect in MODELS}
    prompt, completion, total = found
    assert total == prompt + completion > completion > prompt


@each
def test_a_refusal_has_the_providers_envelope_or_none(dialect: str, facts: Facts) -> None:
    refusal = body(dialect, "server-error")
    assert tuple(refusal) == facts.body
    assert tuple(refusal.get("error", ())) == facts.error


@each
def test_a_listing_has_the_providers_fields(dialect: str, facts: Facts) -> None:
    listing = json.loads(play(dialect, "list-models", ParsedRequest(path="/models", key=KEY)).pieces[0])
    assert listing["object"] == "list"
    assert {tuple(row) for row in listing["data"]} == {facts.row}


# What only one provider does


def test_ernie_flags_every_choice_and_another_way_when_its_filter_has_struck() -> None:
    model = MODELS["ernie"]
    assert {c["flag"] for c in choices(simulated("ernie", "plain-stream", model))} == {0}
    assert choices(simulated("ernie", "content-filter", model))[-1]["flag"] != 0


def test_glm_says_what_a_chunk_is_only_from_newer_models() -> None:
    assert "object" not in simulated("glm", "plain-stream", "glm-4-flash")[0]
    assert simulated("glm", "plain-stream", "glm-4.7")[0]["object"] == "chat.completion.chunk"


def test_glm_has_no_empty_first_chunk_and_an_empty_one_before_the_last() -> None:
    deltas = [c["delta"]["content"] for c in choices(simulated("glm", "plain-stream", MODELS["glm"]))]
    assert [bool(delta) for delta in (deltas[0], *deltas[-3:])] == [True, True, False, False]


def test_glm_thoughts_have_no_content_beside_them() -> None:
    thought = choices(simulated("glm", "reasoning", "glm-4.7"))[0]["delta"]
    assert list(thought) == ["role", "reasoning_content"]


def test_glms_codes_are_numbers_written_as_text() -> None:
    assert all(body("glm", script)["error"]["code"].isdigit() for script in ("rate-limit", "status-403"))


def test_arks_codes_are_in_camel_case_and_its_messages_end_with_a_request_id() -> None:
    error = body("ark", "rate-limit")["error"]
    assert (error["code"], error["type"]) == ("RateLimitExceeded.EndpointRPMExceeded", "TooManyRequests")
    assert error["param"] == ""
    assert " Request id: " in error["message"]


def test_an_ark_endpoint_is_answered_in_the_name_of_the_model_behind_it() -> None:
    stream = simulated("ark", "plain-stream", "ep-20260101000000-abcde")
    assert {chunk["model"] for chunk in stream} == {"doubao-1-5-lite-32k-250115"}


def test_silicon_refuses_with_bare_strings_and_without_a_code_for_too_many_requests() -> None:
    wrong_key = play("silicon", "plain-stream", ask(MODELS["silicon"], key="sk-no"))
    assert (wrong_key.status, json.loads(wrong_key.pieces[0])) == (401, "Api key is invalid")
    assert body("silicon", "status-404") == "404 page not found"
    assert list(body("silicon", "rate-limit")) == ["message", "data"]


def test_silicon_has_a_null_beside_every_text_and_every_thought() -> None:
    deltas = [c["delta"] for c in choices(simulated("silicon", "reasoning", "Qwen/Qwen3-8B"))]
    assert all((delta["content"] is None) != (delta["reasoning_content"] is None) for delta in deltas)


FILTERED = {
    "openai": (200, ["content_filter"]),
    "deepseek": (400, []),
    "qwen": (200, []),
    "ernie": (200, ["content_filter"]),
    "glm": (200, ["sensitive"]),
    "ark": (200, ["content_filter"]),
    "silicon": (451, []),
}


@pytest.mark.parametrize(("dialect", "shown"), FILTERED.items(), ids=list(FILTERED))
def test_a_content_filter_shows_as_the_provider_has_it(dialect: str, shown: tuple[int, list[str]]) -> None:
    reply = play(dialect, "content-filter", ask(MODELS[dialect]))
    assert (reply.status, finishes(chunks(b"".join(reply.pieces)))) == shown


UNPAID = {
    "openai": (429, "insufficient_quota"),
    "deepseek": (402, "Insufficient Balance"),
    "qwen": (400, "Arrearage"),
    "glm": (429, "1113"),
    "ark": (403, "AccountOverdueError"),
    "silicon": (403, "30001"),
}


@pytest.mark.parametrize(("dialect", "said"), UNPAID.items(), ids=list(UNPAID))
def test_an_unpaid_account_is_refused_with_the_providers_own_status(
    dialect: str, said: tuple[int, str]
) -> None:
    reply = play(dialect, "unpaid", ask(MODELS[dialect]))
    assert reply.status == said[0]
    assert said[1] in reply.pieces[0].decode()


CODES = {
    "ernie": ("invalid_iam_token", "invalid_model", "invalid_argument"),
    "glm": ("401", "1211", "1214"),
    "ark": ("AuthenticationError", "InvalidEndpointOrModel.NotFound", "InvalidParameter"),
    "silicon": ("Api key is invalid", "20012", "20015"),
}


@pytest.mark.parametrize(("dialect", "codes"), CODES.items(), ids=list(CODES))
def test_a_faulty_request_is_told_its_fault_in_the_providers_code(
    dialect: str, codes: tuple[str, str, str]
) -> None:
    model = MODELS[dialect]
    faulty = (ask(model, key="sk-no"), ask("nobody"), ask(model, top_p=7))
    for asked, code in zip(faulty, codes, strict=True):
        reply = play(dialect, "plain-stream", asked)
        assert 400 <= reply.status < 500
        assert code in reply.pieces[0].decode()


def test_the_text_is_the_same_in_every_dialect() -> None:
    assert len({text(simulated(dialect, "plain-stream", model)) for dialect, model in MODELS.items()}) == 1
