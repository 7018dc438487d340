"""Other words, the same contract: what a recording is about outlives the words that it was made of."""

from __future__ import annotations

import json
import re
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
from llm_contracts.wire.cassette import load
from llm_contracts.wire.interaction import Interaction
from tests.contracts.recorded import PROJECT
from tests.harness.wire.exchanges import REAL_STREAMS, event, text_event

KEY = b"k" * 32
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
        if not old.isalnum():
            assert old == other


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
        ("Привет", r"[А-Я][а-я]{5}"),
        ("👩‍🚀 café", r"👩‍🚀 [a-z]{3}[à-ÿ]"),
        (
            '{"city": "Rome", "n": 1.5e3, "ok": true}',
            r'\{"city": "(?!Rome)\w{4}", "n": [1-9]\.[1-9]e3, "ok": true\}',
        ),
        ("see https://acme.example/x", r"[a-z]{3} https://(?!acme)\w{4}\.\w{7}/\w"),
    ],
)
def test_the_form_of_a_text_stays(text: str, form: str) -> None:
    assert re.fullmatch(form, said(text)), said(text)


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


def test_data_becomes_made_up_data_of_the_same_size() -> None:
    image = "data:image/png;base64," + "iVBORw0KGgo" * 20 + "=="
    made = anonymised({"messages": [{"content": [{"type": "image_url", "image_url": {"url": image}}]}]})
    url = made["messages"][0]["content"][0]["image_url"]["url"]
    assert (len(url), url[:22], url[-2:]) == (len(image), "data:image/png;base64,", "==")
    assert "iVBOR" not in url


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


def test_the_comparison_sees_what_a_change_of_form_does(match: Pairing) -> None:
    """Or it would prove nothing: another finish reason, another difference."""
    (plain,) = load(PROJECT.settings.cassettes / "openai" / "plain-stream.yaml").interactions
    body = plain.response.body.replace(b'"stop"', b'"halt"')
    odd = replace(plain, response=replace(plain.response, body=body))
    assert differences(match, (odd,)) != differences(match, (plain,))
