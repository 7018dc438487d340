"""The strict reader of YAML: the same values as a safe loader, and none of its dangers."""

from __future__ import annotations

from datetime import date, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from llm_contracts.wire.cassette.yaml import YamlError, read_yaml

CASSETTES = Path(__file__).resolve().parents[3] / "cassettes"

SCALARS = (
    st.none()
    | st.booleans()
    | st.integers(-(10**40), 10**40)
    | st.floats(allow_nan=False)
    | st.text()
    | st.binary()
    | st.dates()
    | st.datetimes()
)
DOCUMENTS = st.recursive(
    SCALARS, lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner), max_leaves=20
)


@given(DOCUMENTS)
def test_what_a_safe_dumper_writes_is_read_as_it_was(value: Any) -> None:
    text = yaml.safe_dump(value, allow_unicode=True)
    assert read_yaml(text) == yaml.safe_load(text)


@pytest.mark.parametrize(
    "plain",
    [
        "", "~", "null", "yes", "off", "True", "y", "0", "-0", "+7", "007", "0o17", "0x1F", "0b11", "1_000",
        "1:30", "-1:30.5", "1.", ".5", "1e3", "1.0e+3", "1.5", "-.inf", ".NaN.", "2026-01-31",
        "2026-01-31T12:00:00Z", "2026-01-31 12:00:00 +02:00", "12345678901234567890", "1.2.3", "word", "=",
    ],
)  # fmt: skip
def test_plain_text_means_what_it_means_to_a_safe_loader(plain: str) -> None:
    text = f"a: {plain}"
    try:
        wanted = yaml.safe_load(text)
    except yaml.YAMLError:
        wanted = {"a": plain}  # the value marker `=`, which PyYAML finds and then cannot construct
    assert read_yaml(text) == wanted


@pytest.mark.parametrize("path", sorted(CASSETTES.rglob("*.yaml"))[::20], ids=lambda path: path.stem)
def test_a_cassette_is_read_as_by_a_safe_loader(path: Path) -> None:
    text = path.read_text(encoding="utf-8")
    assert read_yaml(text) == yaml.safe_load(text)


def test_an_alias_is_read_as_what_it_stands_for() -> None:
    """vcrpy's dumper writes them where two exchanges share a body."""
    assert read_yaml("a: &x {b: [1, 2]}\nc: *x\nd: &y text\ne: *y") == {
        "a": {"b": [1, 2]}, "c": {"b": [1, 2]}, "d": "text", "e": "text",
    }  # fmt: skip


def test_what_tags_say_is_done() -> None:
    text = "a: !!str 1\nb: !!binary aGVsbG8=\nc: !!int '7'\nd: ! 5\ne: !!timestamp 2026-01-31"
    assert read_yaml(text) == {"a": "1", "b": b"hello", "c": 7, "d": "5", "e": date(2026, 1, 31)}
    assert isinstance(read_yaml("2026-01-31T12:00:00Z"), datetime)


def test_tags_of_somebody_else_are_made_into_what_the_caller_says() -> None:
    tags = {"!upper": str.upper, "!first": lambda items: items[0]}
    assert read_yaml("a: !upper text\nb: &x !first [!upper deep, 2]\nc: *x", tags) == {
        "a": "TEXT", "b": "DEEP", "c": "DEEP",
    }  # fmt: skip
    with pytest.raises(YamlError, match=r"\[\] is no !first"):
        read_yaml("!first []", tags)


def test_no_document_is_nothing() -> None:
    assert read_yaml("") is None
    assert read_yaml("# only a comment") is None


def _bomb(opening: str, closing: str) -> str:
    """Ten of ten of ten, nine levels deep."""
    lines = [f"a0: &a0 {opening}x: {'y' * 40}{closing}" if opening == "{" else f"a0: &a0 [{'y' * 40}]"]
    for level in range(1, 10):
        below = ",".join([f"*a{level - 1}"] * 10)
        inner = f"<<: [{below}]" if opening == "{" else below
        lines.append(f"a{level}: &a{level} {opening}{inner}{closing}")
    return "\n".join(lines)


@pytest.mark.parametrize("number", ["1" + ":1" * 1_000_000, "0x" + "f" * 1_000_000], ids=["base 60", "hex"])
def test_a_number_that_takes_a_loader_for_ever_is_plain_text(number: str) -> None:
    assert read_yaml(f"a: {number}") == {"a": number}


def test_a_long_number_in_base_60_is_one() -> None:
    assert read_yaml("a: 1" + ":1" * 30 + ".5") == {"a": pytest.approx(2.2482093530922037e53)}


@pytest.mark.parametrize(
    ("text", "line", "problem"),
    [
        ("[" * 200_000, 1, "nested more than 64 levels deep"),
        ("- " * 200_000, 1, "nested more than 64 levels deep"),
        ("\n".join(" " * depth + "a:" for depth in range(3000)), 65, "nested more than 64 levels deep"),
        (_bomb("[", "]"), 7, "its aliases unfold to more than 64 MB"),
        (_bomb("{", "}"), 2, "merge keys (<<) are not read"),
        ("a: &x [*x]", 1, "the alias x stands for nothing yet"),
        ("a: *x", 1, "the alias x stands for nothing yet"),
        ("a: 1\nb: 2\na: 3", 3, "the name 'a' stands there twice"),
        ("{a: b}: c", 1, "a mapping or list stands where a name must be"),
        ("a: 1\n---\nb: 2", 2, "a second document begins"),
        ("!!python/object/apply:os.getcwd []", 1, "the tag tag:yaml.org,2002:python/object/apply:os.getcwd"),
        ("!mine 1", 1, "the tag !mine is unknown"),
        ("!!set {a, b}", 1, "the tag tag:yaml.org,2002:set is unknown"),
        ("a: !!int ''", 1, "'' is no int"),
        ("a: !!bool maybe", 1, "'maybe' is no bool"),
        ("a: !!float ''", 1, "'' is no float"),
        ("a: !!timestamp never", 1, "'never' is no timestamp"),
        ("a: 2026-13-45", 1, "'2026-13-45' is no timestamp"),
        ("a: !!binary 'x'", 1, "'x' is no binary"),
        ("a: [1\n", 2, "the file may be cut"),
        ("a: \x00", None, "unreadable characters"),
        ('a: "\\ud800"', 1, "the file may be cut"),
    ],
    ids=lambda value: repr(value)[:24],
)
def test_what_would_crash_or_choke_a_loader_is_refused(text: str, line: int | None, problem: str) -> None:
    with pytest.raises(YamlError) as refused:
        read_yaml(text)
    assert problem in refused.value.problem
    assert refused.value.line == line
