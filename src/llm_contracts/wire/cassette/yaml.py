"""YAML to plain values, for files that anybody may have written.

PyYAML's own loaders, the safe ones too, let a small file crash the process (libyaml's composer recurses in
C), fill the memory (aliases of aliases, merge keys) or take minutes (numbers in base 60), and keep the last
of two members of one name. This reader takes the parser's events one by one and builds from them, within
limits. It is quicker than those loaders, too, because no tree of nodes stands between.

It gives what `yaml.safe_load` gives, where it gives anything.
"""

from __future__ import annotations

import re
import reprlib
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any

import yaml
from yaml.constructor import SafeConstructor
from yaml.events import (
    AliasEvent,
    DocumentStartEvent,
    MappingEndEvent,
    ScalarEvent,
    SequenceEndEvent,
    SequenceStartEvent,
)
from yaml.resolver import Resolver

_DEEPEST = 64  # levels; a cassette has seven
_LONGEST_NUMBER = 64  # characters; longer plain text is text, whatever it looks like
_MOST_UNFOLDED = 64_000_000  # what aliases may add to a document, in bytes, roughly
_NODE = 32  # bytes that a value takes at least

_PREFIX = "tag:yaml.org,2002:"
_CONTAINERS = frozenset({None, "!", f"{_PREFIX}map", f"{_PREFIX}seq"})
_TEXT = frozenset({"!", f"{_PREFIX}str"})
_CONVERTERS: Mapping[str, Callable[[SafeConstructor, yaml.ScalarNode], Any]] = {
    f"{_PREFIX}{kind}": getattr(SafeConstructor, f"construct_yaml_{kind}")
    for kind in ("null", "bool", "int", "float", "binary", "timestamp")
}
_RESOLVERS: Mapping[str, list[tuple[str, re.Pattern[str]]]] = Resolver.yaml_implicit_resolvers
_PLAIN_INT = re.compile(r"0|[1-9][0-9]{0,17}")
_PLAIN_FLOAT = re.compile(r"[0-9]{1,15}\.[0-9]{1,15}")
_MERGE = "<<"


class YamlError(Exception):
    """Text that is not YAML, or is more than this reader takes. `line` counts from 1; None if unknown."""

    def __init__(self, problem: str, line: int | None) -> None:
        super().__init__(problem)
        self.problem = problem
        self.line = line


Convert = Callable[[Any], Any]
"""What becomes of a tagged value: of its text, or of its list or mapping when that is complete."""


def read_yaml(text: str, tags: Mapping[str, Convert] = MappingProxyType({})) -> Any:
    """The one document in the text, or None where there is none. `tags` says what to make of values with tags
    beyond those of YAML itself, by the tag's full name.

    Raises:
        YamlError: it is malformed, has two members of one name, a merge key, a tag of its own, several
            documents, or is nested or unfolded beyond all reason.
    """
    try:
        # The C parser is ten times as fast; it is missing where PyYAML was built without it.
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        return _Builder(tags, yaml.parse(text, Loader=loader)).document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or "unreadable characters"
        raise YamlError(f"{problem}; the file may be cut", None if mark is None else mark.line + 1) from error


class _Builder:
    """One document while it grows. It recurses, but no deeper than `_DEEPEST`."""

    def __init__(self, tags: Mapping[str, Convert], events: Iterator[Any]) -> None:
        self._tags = tags
        self._events = events
        self._anchors: dict[str, tuple[Any, int]] = {}
        self._weight = 0
        self._unfolded = 0
        self._constructor = SafeConstructor()

    def document(self) -> Any:
        root, begun = None, False
        for event in self._events:
            if type(event) is DocumentStartEvent:
                if begun:
                    raise _problem(event, "a second document begins")
                root, begun = self._value(next(self._events), 0), True
        return root

    def _value(self, event: Any, depth: int) -> Any:
        kind, before = type(event), self._weight
        if kind is AliasEvent:
            return self._alias(event)
        self._weight += _NODE
        if kind is ScalarEvent:
            self._weight += len(event.value)
            value = self._scalar(event)
        else:
            if event.tag not in _CONTAINERS and event.tag not in self._tags:
                raise _problem(event, f"the tag {event.tag} is unknown")
            if depth >= _DEEPEST:
                raise _problem(event, f"nested more than {_DEEPEST} levels deep")
            value = self._list(depth + 1) if kind is SequenceStartEvent else self._mapping(depth + 1)
            if event.tag in self._tags:
                value = self._converted(event, self._tags[event.tag], value)
        if event.anchor is not None:
            self._anchors[event.anchor] = (value, self._weight - before)
        return value

    def _list(self, depth: int) -> list[Any]:
        found = []
        while type(event := next(self._events)) is not SequenceEndEvent:
            found.append(self._value(event, depth))
        return found

    def _mapping(self, depth: int) -> dict[Any, Any]:
        members: dict[Any, Any] = {}
        while type(event := next(self._events)) is not MappingEndEvent:
            key = self._value(event, depth)
            if isinstance(key, dict | list):
                raise _problem(event, "a mapping or list stands where a name must be")
            if key == _MERGE and getattr(event, "implicit", (False,))[0]:
                raise _problem(event, "merge keys (<<) are not read")
            if key in members:
                raise _problem(event, f"the name {str(key)[:40]!r} stands there twice")
            members[key] = self._value(next(self._events), depth)
        return members

    def _alias(self, event: Any) -> Any:
        value, weight = self._anchors.get(event.anchor, (None, 0))
        if not weight:
            raise _problem(event, f"the alias {event.anchor} stands for nothing yet")
        self._weight += weight
        self._unfolded += weight
        if self._unfolded > _MOST_UNFOLDED:
            raise _problem(event, "its aliases unfold to more than 64 MB")
        return value

    def _scalar(self, event: Any) -> Any:
        text: str = event.value
        tag: str | None = event.tag
        if tag is None:
            if not event.implicit[0]:  # quoted, or block text
                return text
            if _PLAIN_INT.fullmatch(text):  # these two are most of a timeline
                return int(text)
            if _PLAIN_FLOAT.fullmatch(text):
                return float(text)
            tag = _plain_tag(text)
        if tag is None or tag in _TEXT:
            return text
        if tag in self._tags:
            return self._converted(event, self._tags[tag], text)
        if tag not in _CONVERTERS:
            raise _problem(event, f"the tag {tag} is unknown")
        construct = partial(_CONVERTERS[tag], self._constructor)
        return self._converted(event, lambda text: construct(yaml.ScalarNode(tag, text)), text)

    def _converted(self, event: Any, convert: Convert, value: Any) -> Any:
        try:
            return convert(value)
        except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError, yaml.YAMLError) as error:
            # The library's conversions let through whatever odd text makes them raise.
            kind = (event.tag or _plain_tag(value) or "").removeprefix(_PREFIX)
            raise _problem(event, f"{reprlib.repr(value)} is no {kind}") from error


def _plain_tag(text: str) -> str | None:
    """What plain text means by YAML 1.1; None for text."""
    if len(text) > _LONGEST_NUMBER:
        return None
    for tag, pattern in _RESOLVERS.get(text[:1], ()):
        if pattern.match(text):
            return tag if tag in _CONVERTERS else None
    return None


def _problem(event: Any, problem: str) -> YamlError:
    return YamlError(problem, event.start_mark.line + 1)
