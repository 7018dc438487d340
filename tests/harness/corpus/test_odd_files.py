"""Whatever stands in a foreign file: what cannot be read is named, and nothing breaks."""

from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import yaml
from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.corpus import CorpusProblem, CorpusStream, read_corpus
from tests.harness.corpus.hars import entry, har
from tests.harness.corpus.layouts import LAYOUTS
from tests.harness.corpus.test_layouts import asked

_SCALARS = st.none() | st.booleans() | st.integers(-5, 999) | st.floats() | st.text(max_size=5)
_KEYS = st.sampled_from(["string", "type", "content", "encoding", "base64_string", "code", "name", "x"])
_VALUES = st.recursive(
    _SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_KEYS, inner, max_size=3),
    max_leaves=6,
)
_YAML = ("vcrpy", "vcrpy_httpx", "pydantic_ai", "cassetter")
_DOCUMENTS: tuple[Any, ...] = (
    har(entry()),
    *(yaml.safe_load(LAYOUTS[name](asked())[1]) for name in _YAML),
)


def _places(value: Any, place: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """The way to each value inside."""
    inner = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [place, *(found for key, each in inner for found in _places(each, (*place, key)))]


@st.composite
def odd_documents(draw: st.DrawFn) -> Any:
    """A good document with one value replaced by another, or taken out."""
    document = copy.deepcopy(draw(st.sampled_from(_DOCUMENTS)))
    *way, last = draw(st.sampled_from([place for place in _places(document) if place]))
    at = document
    for key in way:
        at = at[key]
    if draw(st.booleans()):
        at[last] = draw(_VALUES)
    else:
        del at[last]
    return document


@given(document=odd_documents())
def test_one_odd_value_gives_a_stream_or_a_problem_with_its_place(tmp_path: Path, document: Any) -> None:
    file = tmp_path / "a.json"
    file.write_text(json.dumps(document), encoding="utf-8")
    found = list(read_corpus(file))
    assert found
    for one in found:
        assert one.place.startswith(str(file))
        assert isinstance(one, CorpusStream) or one.reason


@given(
    content=st.binary(max_size=60), suffix=st.sampled_from([".yaml", ".json", ".toml", ".har", ".yaml.gz"])
)
def test_bytes_that_mean_nothing_are_a_problem(tmp_path: Path, content: bytes, suffix: str) -> None:
    file = tmp_path / f"a{suffix}"
    file.write_bytes(content)
    (found,) = read_corpus(file)
    assert isinstance(found, CorpusProblem)
    file.unlink()
