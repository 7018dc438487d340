"""Other words, the same contract: what a recording is about outlives the words that it was made of."""

from __future__ import annotations

import base64
import json
import re
import unicodedata
import zlib
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.capture.anonymise import Anonymiser
from llm_contracts.capture.shape import shape_of
from llm_contracts.corpus import CorpusStream, read_corpus
from llm_contracts.parity.result import Item
from llm_contracts.project.config import Project, load_settings
from llm_contracts.project.recorded_call import stream_call
from llm_contracts.run.match import opened_match
from llm_contracts.run.options import Options
from llm_contracts.run.pairing import Pairing
from llm_contracts.run.streams import plain_address
from llm_contracts.util.json_values import read_json
from llm_contracts.wire.cassette import load
from llm_contracts.wire.content import decoded
from llm_contracts.wire.events import events, frames
from llm_contracts.wire.interaction import Interaction, Response
from tests.contracts.recorded import PROJECT
from tests.harness.wire.exchanges import (
    DONE,
    JSON,
    REAL_STREAMS,
    event,
    exchange,
    frame,
    stream,
    streamed,
    text_event,
)

KEY = b"k" * 32
REAL_APIS = REAL_STREAMS.parent / "real-apis"
EVERY_STREAM, EVERY_CASSETTE = 20, 40  # a sample: all of them take minutes


def anonymised(value: Any, **options: Any) -> Any:
    body = json.dumps(value, ensure_ascii=False).encode()
    made = Anonymiser(key=KEY, **options).body(body)
    assert len(made) == len(body)
    return json.loads(made)


def said(text: str) -> str:
    return str(anonymised({"messages": [{"role": "user", "content": text}]})["messages"][0]["content"])


@given(st.text(st.characters(exclude_categories=["Cs"]), max_size=60), st.booleans())
def test_any_text_stays_as_long_and_of_the_same_form(text: str, ascii_only: bool) -> None:
    body = json.dumps({"messages": [{"content": text}]}, ensure_ascii=ascii_only).encode()
    made = Anonymiser(key=KEY).body(body)
    assert len(made) == len(body)
    new = json.loads(made)["messages"][0]["content"]
    assert len(new) == len(text)
    assert len(new.encode()) == len(text.encode())
    for old, other in zip(text, new, strict=True):
        assert (old.isalpha(), old.isdigit(), old.isupper()) == (
            other.isalpha(),
            other.isdigit(),
            other.isupper(),
        )
        assert unicodedata.category(old) == unicodedata.category(other)
        if unicodedata.category(old)[0] not in "LNM":
            assert old == other or old in "ⒶⓏⓐⓩ" or "\u24b6" <= old <= "\U0001f189"


@pytest.mark.parametrize(
    ("text", "form"),
    [
        ("Hello, World! 3.14", r"[A-Z][a-z]{4}, [A-Z][a-z]{4}! [1-9]\.[1-9]{2}"),
        (
            "# Title\n\n* **bold** `code`\n```python\nx = 1\n```",
            r"# \w+\n\n\* \*\*\w+\*\* `\w+`\n```python\n\w = [1-9]\n```",
        ),
        ("<think>mm</think>", r"<think>(?!mm)\w\w</think>"),
        ("你好，世界", r"[\u4e00-\u9fa5]{2}，[\u4e00-\u9fa5]{2}"),
        ("Привет", r"[\u0400-\u042f][\u0430-\u047f]{5}"),
        ("👩‍🚀 café", r"👩‍🚀 [a-z]{3}[ß-ÿ]"),
        (
            '{"city": "Rome", "n": 1.5e3, "ok": true}',
            r'\{"(?!city)\w{4}": "(?!Rome)\w{4}", "\w": [1-9]\.[1-9]e3, "\w\w": true\}',
        ),
        ("see https://acme.example/x", r"[a-z]{3} https://(?!acme)\w{4}\.\w{7}/\w"),
    ],
)
def test_the_form_of_a_text_stays(text: str, form: str) -> None:
    assert re.fullmatch(form, said(text)), said(text)


@pytest.mark.parametrize(
    "text",
    [
        "هاتف ١٢٣٤٥٦٧",
        "राजेश दिल्ली १२३",
        "สมชาย กรุงเทพ",
        unicodedata.normalize("NFD", "Zoë Núñez"),
        unicodedata.normalize("NFD", "김철수"),
        "שָׁלוֹם משה",
        "ｶﾀｶﾅ ㄅㄆㄇ 㐀㐁 ꆈꌠ",
        "Ⓩⓐⓝ 🅰🅱 ①②③ ᵃᵇᶜ",
        "𝒵𝒶𝓃 ＺＡＮ ⅧⅫ",
        "ኢትዮጵያ བོད ᏣᎳᎩ 𓀀𓀁 ᚠᚢᚦ",
    ],
)
def test_nothing_stays_readable_in_any_script(text: str) -> None:
    """Also digits that are not ASCII, letters that are symbols to Unicode, and vowels that are marks."""
    made = said(text)
    assert len(made.encode()) == len(text.encode())
    for old, new in zip(text.split(), made.split(), strict=True):
        assert len(new) == len(old)
        assert sum(one == other for one, other in zip(old, new, strict=True)) <= len(old) / 2


def test_equal_words_stay_equal_also_where_a_stream_cuts_them() -> None:
    body = text_event("Hel") + text_event("lo, hello ") + text_event("你") + text_event("好")
    made = Anonymiser(key=KEY).body(body)
    found = [json.loads(line[6:]) for line in made.decode().splitlines() if line]
    text = "".join(one["choices"][0]["delta"]["content"] for one in found)
    assert text == said("Hello, hello 你好")
    first, second = text.split()[:2]
    assert first[1:-1] == second[1:]
    assert "ello" not in text


def test_without_the_key_nobody_gets_the_words_back() -> None:
    """Each run has a key of its own: the same words become others."""
    body = json.dumps({"messages": [{"content": "a secret sentence about tea"}]}).encode()
    assert Anonymiser().body(body) != Anonymiser().body(body)


def test_what_the_api_says_stays_and_what_people_say_goes() -> None:
    tool = {
        "type": "function",
        "function": {
            "name": "get_tea",
            "description": "Gets tea.",
            "parameters": {"type": "object", "properties": {"kind": {"type": "string", "enum": ["green"]}}},
        },
    }
    request = {
        "model": "gpt-4o",
        "messages": [{"role": "user", "name": "carol", "content": "hi"}],
        "tools": [tool],
        "user": "carol",
        "metadata": {"type": "carol"},
    }
    made = anonymised(request)
    assert "carol" not in json.dumps(made)
    assert made["model"] == "gpt-4o"
    assert made["messages"][0]["role"] == "user"
    assert made["tools"][0]["function"]["name"] == "get_tea"
    assert made["tools"][0]["function"]["parameters"] == tool["function"]["parameters"]  # type: ignore[index]
    assert made["tools"][0]["function"]["description"] != "Gets tea."


def test_names_of_tools_can_be_hidden_too() -> None:
    call = {"function": {"name": "get_tea", "arguments": '{"kind": "green"}'}}
    made = anonymised({"messages": [{"tool_calls": [call]}]}, tools=False)
    assert not re.search("get_tea|kind|green", json.dumps(made))
    assert list(json.loads(made["messages"][0]["tool_calls"][0]["function"]["arguments"]).values()) != [
        "green"
    ]


PLANTED = re.compile("zanzibar|planted|4915112345678", re.IGNORECASE)
IN_JSON = json.dumps({"Zanzibar": {"n\u00fc": "Zanzibar\nZanzibar", "phone": 4915112345678}})
NESTED = json.dumps({"zanzibar": IN_JSON, "x": [json.dumps({"zanzibar": IN_JSON})]})


@pytest.mark.parametrize(
    "document",
    [
        {
            "content": "Zanzibar planted.zanzibar@planted.example https://zanzibar.example/planted?planted=zanzibar"
        },
        {"content": [{"type": "image_url", "image_url": {"url": "https://planted.example/zanzibar.png"}}]},
        {
            "content": [
                {"type": "file", "file": {"filename": "zanzibar.pdf", "file_data": "data:;base64,Planted"}}
            ]
        },
        {"content": [{"type": "file", "data": "data:a/b;name=zanzibar.b;base64,Zanz/ibar"}]},
        {"content": IN_JSON},
        {"content": f"So:\n```json\n{IN_JSON}\n```\n<zanzibar>```zanzibar</zanzibar>"},
        {"tool_calls": [{"id": "zanzibar_1", "function": {"name": "f", "arguments": IN_JSON}}]},
        {"tool_calls": [{"id": "zanzibar_1", "function": {"name": "f", "arguments": NESTED}}]},
        {"content": [{"type": "tool_use", "name": "f", "input": json.loads(NESTED)}]},
        {"parts": [{"functionCall": {"name": "f", "args": json.loads(IN_JSON)}}]},
        {"parts": [{"functionResponse": {"name": "f", "response": json.loads(IN_JSON)}}]},
        {"metadata": {"zanzibar": "planted", "type": "zanzibar"}},
        {"user": "zanzibar", "user_id": "zanzibar_planted", "name": "zanzibar"},
        {
            "role": "the zanzibar",
            "type": "a planted",
            "reason": "zanzibar is ill",
            "x": {"status": "in zanzibar"},
        },
        {"Planted in Zanzibar": {"zanzibar@planted.example": 1}},
        {"logit_bias": {"4915112345678": 1}, "prompt": [4915112345678]},
        {
            "parameters": {
                "title": "Zanzibar",
                "properties": {"a": {"examples": ["Zanzibar"], "$comment": "planted"}},
            }
        },
        {
            "parameters": {
                "default": "zanzibar@planted.example",
                "enum": ["4915112345678", "Planted in Zanzibar"],
                "const": "zanzibar, planted",
                "x-owner": "zanzibar@planted.example",
                "errorMessage": "Zanzibar",
            }
        },
        {"logprobs": {"tokens": ["Zanzibar"], "top_logprobs": [{"Zanzibar": -1.5, " planted": -2}]}},
        {"results": [{"filename": "zanzibar.pdf", "attributes": {"zanzibar": "planted"}}]},
        {"data": {"outputs": {"zanzibar": "planted"}}},
        {"model": "ft:gpt-4o:zanzibar:planted:x", "owned_by": "zanzibar"},
        {"labels": {"zanzibar": "planted"}},
        {"error": {"message": "Quota of organization org-Planted1Zanzibar is used up."}},
        {"error": {"message": "The account of Zanzibar is disabled, ask Planted, please."}},
    ],
    ids=lambda document: next(iter(document)),
)
def test_wherever_a_word_stands_it_goes(document: dict[str, Any]) -> None:
    made = anonymised({"messages": [document]} if "content" in document else document)
    assert not PLANTED.search(json.dumps(made, ensure_ascii=False)), made


@pytest.mark.parametrize("text", [IN_JSON, NESTED])
def test_json_within_texts_stays_json(text: str) -> None:
    """However deep, with its escapes: a tool is called with what it can read."""

    def form(value: Any) -> Any:
        if isinstance(value, dict):
            return [form(each) for each in value.values()]
        if isinstance(value, list):
            return list(map(form, value))
        within = isinstance(value, str) and value[:1] == "{"
        return form(json.loads(value)) if within else (type(value), "\n" in str(value))

    call = {"function": {"name": "f", "arguments": text}}
    made = anonymised({"messages": [{"tool_calls": [call]}]})["messages"][0]["tool_calls"][0]["function"]
    assert form(made["arguments"]) == form(text)


def test_names_that_a_schema_has_stay() -> None:
    """Or a call would not fit its tool any more; in the request and in what answers it."""
    schema = {"type": "object", "properties": {"city": {"type": "string"}}}
    tool = {"type": "function", "function": {"name": "f", "parameters": schema}}
    asked = exchange(streamed(text_event('{"city": "Rome", "Zanzibar": 1}')).response)
    request = replace(asked.request, body=json.dumps({"tools": [tool]}).encode())
    (made,) = Anonymiser(key=KEY)([replace(asked, request=request)])
    assert b"city" in made.response.body
    assert not re.search(b"Rome|Zanzibar", made.response.body)


def test_an_error_that_repeats_the_question_loses_what_is_not_an_errors_word() -> None:
    request = {"messages": [{"role": "user", "content": "The model of Zanzibar"}]}
    error = {
        "error": {"message": "The model cannot answer: Of Zanzibar, \u2018Bob\u2019.", "type": "invalid"}
    }
    answer = Response(status=400, headers=JSON, body=json.dumps(error).encode())
    asked = exchange(answer)
    asked = replace(asked, request=replace(asked.request, body=json.dumps(request).encode()))
    (made,) = Anonymiser(key=KEY)([asked])
    message = json.loads(made.response.body)["error"]["message"]
    assert re.fullmatch(r"The model cannot answer: Of (?!Zanzibar)[A-Z]\w{7}, ‘(?!Bob)\w{3}’\.", message)


def test_of_an_event_stream_only_the_kinds_of_events_and_waits_stay() -> None:
    made = Anonymiser(key=KEY).body(
        b": Zanzibar\n\nevent: ping\nretry: 100\nid: Zanzibar-1\ndata: a\nZanzibar\nevent: a Zanzibar\n\n"
        + DONE
    )
    name = rb"(?!Zan)\w{8}"
    form = rb": %b\n\nevent: ping\nretry: 100\nid: %b-\d\ndata: \w\n%b\nevent: \w %b\n\ndata: \[DONE\]\n\n"
    assert re.fullmatch(form % (name, name, name, name), made), made


def test_bytes_that_are_written_as_numbers_become_others() -> None:
    planted = list(b"Zanzibar")
    made = anonymised({"file": {"type": "Buffer", "data": planted}})["file"]["data"]
    assert made != planted
    assert [len(str(number)) for number in made] == [len(str(number)) for number in planted]
    assert max(made) < 256


def test_a_reason_phrase_that_no_standard_has_becomes_another() -> None:
    one = replace(streamed(DONE), response=Response(status=429, reason="Zanzibar"))
    (made,) = Anonymiser(key=KEY)((one,))
    assert re.fullmatch(r"(?!Zan)\w{8}", made.response.reason)
    usual = replace(one, response=replace(one.response, reason="Too Many Requests"))
    assert Anonymiser(key=KEY)((usual,))[0].response.reason == "Too Many Requests"


@pytest.mark.parametrize(
    ("target", "form"),
    [
        (
            "files/file-a1b2?purpose=batch&owner=zanzibar&api-version=1",
            r"files/file-(?!a1b2)\w{4}\?purpose=batch&owner=(?!zan)\w{8}&api-version=1",
        ),
        (
            "users/zan@planted.example/chat?to=zan%40x",
            r"users/(?!zan)\w{3}@\w{7}\.\w{7}/chat\?to=(?!zan)\w{3}@\w",
        ),
        (
            "notes/Zanzibar/2024-11-28/%C3%BCber",
            r"notes/(?!Z)\w{8}/(?!2024)\d{4}-\d\d-\d\d/(%\w\w){2}(?!ber)\w{3}",
        ),
        ("models/Qwen-20241022:stream", "models/Qwen-20241022:stream"),
        ("openai/deployments/Own-2024/v1beta/a.b/2.0", "openai/deployments/Own-2024/v1beta/a.b/2.0"),
    ],
)
def test_of_an_address_what_names_the_api_stays(target: str, form: str) -> None:
    """In the request and where a redirect leads to."""
    asked, uri = streamed(stream("hi")), f"https://a.example/v1/{target}"
    moved = replace(asked.response, headers=(("Location", uri),))
    found = replace(asked, request=replace(asked.request, uri=uri), response=moved)
    (made,) = Anonymiser(key=KEY)([found])
    assert re.fullmatch(f"https://a.example/v1/{form}", made.request.uri), made.request.uri
    assert made.response.headers == (("Location", made.request.uri),)


def test_of_an_error_the_words_that_clients_decide_by_stay() -> None:
    for message in (
        "Vertex AI API has not been used in project",
        "The response was blocked by Azure OpenAI, please try Gemini",
        "502 Bad Gateway: upstream is overloaded. Please retry",
        "Rate Limit Reached for requests on call_id and file_search",
    ):
        assert anonymised({"error": {"message": message}})["error"]["message"] == message


def test_words_that_an_api_chooses_from_stay() -> None:
    tool = {"type": "function", "name": "f", "output_schema": {"properties": {"a": {}}, "required": ["a"]}}
    request = {
        "tools": [
            {**tool, "allowed_callers": ["direct"]},
            {"type": "web_search", "search_context_size": "low"},
        ],
        "reasoning": {"effort": "low", "summary": "auto"},
        "modalities": ["text", "audio"],
        "toolConfig": {"functionCallingConfig": {"mode": "ANY"}},
    }
    assert anonymised(request) == request


def test_names_of_what_a_prompt_is_filled_with_are_the_applications() -> None:
    made = anonymised({"prompt": {"id": "pmpt_1", "variables": {"carol": "x"}}, "inputs": {"carol": "y"}})
    assert "carol" not in json.dumps(made)
    assert list(made) == ["prompt", "inputs"]


def _planted(value: Any) -> Any:
    """The document with a word at the end of each text, and as a member of what tools are called with."""
    if isinstance(value, str):
        return value + " Zanzibar" if " " in value else value
    if isinstance(value, list):
        return [_planted(each) for each in value]
    if not isinstance(value, dict):
        return value
    within = {
        name: _planted(each)
        for name, each in value.items()
        if name not in {"detail", "error", "errors", "message"}
    }
    for name in {"args", "arguments", "input"} & within.keys():
        if isinstance(within[name], dict):
            within[name] = {**within[name], "Zanzibar": 1}
    return within


@pytest.mark.skipif(not REAL_APIS.is_dir(), reason="needs ../shared/real-apis")
def test_no_word_remains_in_what_providers_really_sent() -> None:
    planted = 0
    for entry in [*read_corpus(REAL_APIS), *read_corpus(REAL_STREAMS)][::3]:
        if not isinstance(entry, CorpusStream):
            continue
        body = decoded(entry.interaction.response).body
        found = [json.loads(one.data) for one in events(body) if one.data[:1] == "{"]
        body = b"".join(map(event, map(_planted, found))) or json.dumps(_planted(read_json(body))).encode()
        planted += body.count(b"Zanzibar")
        made = Anonymiser(key=KEY).body(body)
        assert b"Zanzibar" not in made, entry.id
        assert len(made) == len(body)
    assert planted > 200


def test_data_becomes_made_up_data_of_the_same_size() -> None:
    image = "data:image/png;base64," + "iVBORw0KGgo" * 20 + "=="
    made = anonymised({"messages": [{"content": [{"type": "image_url", "image_url": {"url": image}}]}]})
    url = made["messages"][0]["content"][0]["image_url"]["url"]
    assert (len(url), url[:22], url[-2:]) == (len(image), "data:image/png;base64,", "==")
    assert "iVBOR" not in url


@pytest.mark.parametrize("size", [*range(1, 9), 300, 301, 302])
def test_base64_stays_what_strict_readers_take(size: int) -> None:
    """Google's SDK refuses one whose last sign has bits that stand for nothing (RFC 4648, section 3.5)."""
    signature = base64.b64encode(b"\xff" * size).decode()
    parts = [{"thoughtSignature": signature}, {"thoughtSignature": signature}]
    (made, again) = (each["thoughtSignature"] for each in anonymised({"parts": parts})["parts"])
    assert made == again
    assert made != signature
    assert base64.b64encode(base64.b64decode(made, validate=True)).decode() == made
    escaped = json.dumps({"thoughtSignature": signature}).replace("=", "\\u003d")
    written = Anonymiser(key=KEY).body(escaped.encode())
    assert len(written) == len(escaped)
    assert json.loads(written)["thoughtSignature"] == made


def test_an_image_of_a_megabyte_takes_a_second() -> None:
    """And no minutes: what it is made up from is read once."""
    image = base64.b64encode(bytes(range(256)) * 3000).decode()
    made = anonymised({"content": [{"type": "image", "source": {"type": "base64", "data": image}}]})
    data = made["content"][0]["source"]["data"]
    assert len(data) == len(image)
    assert sum(one == other for one, other in zip(data, image, strict=True)) < len(image) / 20


def test_embeddings_keep_their_size_and_form() -> None:
    made = anonymised({"data": [{"object": "embedding", "embedding": [0.0123, -0.5e-05, 1]}]})
    numbers = made["data"][0]["embedding"]
    assert [type(one) for one in numbers] == [float, float, int]
    assert numbers[0] != 0.0123
    assert 0.01 <= numbers[0] < 0.1


def test_an_error_keeps_its_words_but_what_it_quotes() -> None:
    error = {
        "error": {"message": "The model `carol-1` exceeds the context length.", "code": "context_length"}
    }
    made = anonymised(error)["error"]
    assert re.fullmatch(r"The model `(?!carol)\w{5}-\d` exceeds the context length\.", made["message"])
    assert made["code"] == "context_length"


@given(st.binary(max_size=200))
def test_any_bytes_stay_as_many(body: bytes) -> None:
    assert len(Anonymiser(key=KEY).body(body)) == len(body)


def test_in_amazons_frames_what_people_say_is_replaced() -> None:
    """Text that several frames carry as a whole, packed or not; lengths, kinds and checksums hold."""
    packed = base64.b64encode(b'{"outputText": "Planted zanzibar", "completionReason": "FINISH"}')
    body = (
        frame("contentBlockDelta", b'{"delta": {"text": "Zanzi"}}')
        + frame("contentBlockDelta", b'{"delta": {"text": "bar, zanzibar"}}')
        + frame("messageStop", b'{"stopReason": "end_turn"}')
        + frame("chunk", b'{"bytes": "%b"}' % packed)
        + frame("zanzibar is ill", b"", b":error-message")
    )
    cut = frame("chunk", b"planted")[:-4]
    made = Anonymiser(key=KEY).body(body + cut)
    assert len(made) == len(body + cut)
    assert b"zanzibar" not in made.lower()
    assert cut not in made
    first, second, stop, chunk, _ = (one.data for one in events(made))
    text = "".join(json.loads(one)["delta"]["text"] for one in (first, second))
    assert re.fullmatch(r"(?!Z)[A-Z](\w{7}), \w\1", text), text
    assert stop == '{"stopReason": "end_turn"}'
    assert re.fullmatch(r'\{"outputText": "(?!P)\w{7} \w{8}", "completionReason": "FINISH"\}', chunk), chunk
    assert [one.name for one in events(made)][:4] == [one.name for one in events(body)][:4]
    for start, _, end in frames(made):
        assert zlib.crc32(made[start : end - 4]).to_bytes(4, "big") == made[end - 4 : end]


def test_a_torn_stream_is_anonymised_up_to_its_end() -> None:
    body = text_event("secret words ") + event({"choices": [{"delta": {"content": "more secrets"}}]})[:-20]
    made = Anonymiser(key=KEY).body(body)
    assert len(made) == len(body)
    assert b"secret" not in made


# Both clients say the same about the original and about what it became


def cassettes() -> list[Path]:
    files = sorted(
        file
        for file in PROJECT.settings.cassettes.rglob("*.yaml")
        if file.parent.name in ("openai", "deepseek", "qwen")
    )
    return files[::EVERY_CASSETTE]


@pytest.fixture(scope="module")
def match() -> Iterator[Pairing]:
    project = Project(settings=load_settings(Path("/")))
    options = Options(today=datetime.now(UTC).date(), reference="openai", candidate="litellm")
    with opened_match(project, options) as found:
        yield found


def differences(match: Pairing, interactions: tuple[Interaction, ...]) -> set[tuple[str, str, str]]:
    *_, last = interactions
    blank = Item(id="x/y", provider="x", scenario="y")
    item = match.run(blank, interactions, stream_call("x", last))
    assert item.problem is None
    return {(str(d.kind), str(d.severity), d.where) for d in item.divergences}


def same_verdict(match: Pairing, interactions: tuple[Interaction, ...]) -> None:
    made = Anonymiser(key=KEY)(interactions)
    assert shape_of(made) == shape_of(interactions)
    assert [len(one.response.body) for one in made] == [len(one.response.body) for one in interactions]
    assert differences(match, made) == differences(match, interactions)


@pytest.mark.parametrize("file", cassettes(), ids=lambda file: f"{file.parent.name}/{file.stem}")
def test_the_verdict_on_a_recording_is_the_same(match: Pairing, file: Path) -> None:
    interactions = load(file).interactions
    if interactions[-1].request.method != "POST":
        pytest.skip("a listing")
    same_verdict(match, tuple(map(plain_address, interactions)))


@pytest.mark.real_streams
@pytest.mark.skipif(not REAL_STREAMS.is_dir(), reason="needs ../shared/real-streams")
def test_the_verdict_on_real_streams_is_the_same(match: Pairing) -> None:
    found = [entry for entry in read_corpus(REAL_STREAMS) if isinstance(entry, CorpusStream)]
    for entry in found[::EVERY_STREAM]:
        same_verdict(match, (plain_address(entry.interaction),))


@pytest.mark.real_streams
@pytest.mark.skipif(not REAL_APIS.is_dir(), reason="needs ../shared/real-apis")
def test_the_verdict_on_responses_with_many_kinds_of_tools_is_the_same(match: Pairing) -> None:
    """Each tool has settings of its own, and an SDK reads only those that it knows."""
    found = (entry for entry in read_corpus(REAL_APIS) if isinstance(entry, CorpusStream))
    entry = next(entry for entry in found if entry.id == "responses-whole-182")
    same_verdict(match, (plain_address(entry.interaction),))


def test_the_comparison_sees_what_a_change_of_form_does(match: Pairing) -> None:
    """Or it would prove nothing: another finish reason, another difference."""
    (plain,) = load(PROJECT.settings.cassettes / "openai" / "plain-stream.yaml").interactions
    body = plain.response.body.replace(b'"stop"', b'"halt"')
    odd = replace(plain, response=replace(plain.response, body=body))
    assert differences(match, (odd,)) != differences(match, (plain,))
