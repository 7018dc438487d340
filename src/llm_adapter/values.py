"""What single variables say: from wherever they are kept, as text, and then as what the text means.

What makes no sense raises a `SettingsError` that names the variable, never a secret value.
"""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from llm_adapter.errors import SettingsError

Source = Mapping[str, Any] | Callable[[str], Any]
"""Where variables come from: by name, or by asking for a name; None where there is none of that name."""

_HOTTEST = 2.0  # what OpenAI's API takes; no provider of the table takes more

_REFERENCE = re.compile(r"\$\{(\w+)\}")
_DEEPEST = 10  # variables that name each other must not keep us expanding for ever


@dataclass(frozen=True, slots=True)
class Variables:
    """The values of a source as text, with each `${NAME}` in them expanded.

    What the source does not know is looked for in the environment, and if it is not there either, stays.
    """

    source: Source = field(repr=False)

    def get(self, name: str) -> str:
        """The value without the spaces around it; empty where there is none.

        Raises:
            SettingsError: the source cannot be asked.
        """
        return self._expanded(self._raw(name) or "", _DEEPEST).strip()

    def get_if_readable(self, name: str) -> str:
        """The same; empty also where the source cannot be asked."""
        try:
            return self.get(name)
        except SettingsError:
            return ""

    @property
    def names(self) -> Iterable[str]:
        """The names there are, where the source can tell."""
        names = list(self.source) if isinstance(self.source, Mapping) else ()
        return [name for name in names if isinstance(name, str)]

    def _raw(self, name: str) -> str | None:
        try:
            found = self.source.get(name) if isinstance(self.source, Mapping) else self.source(name)
        except (LookupError, AttributeError):  # a host's own function that insists on a default
            return None
        except Exception as error:
            raise SettingsError(f"{name} cannot be read ({type(error).__name__})") from error
        if isinstance(found, Mapping):
            return json.dumps(dict(found))
        if isinstance(found, (list, tuple)):
            return ",".join(map(str, found))
        if isinstance(found, bytes):
            return found.decode(errors="replace")
        return None if found is None or found is False else str(found)

    def _expanded(self, value: str, depth: int) -> str:
        def replacement(match: re.Match[str]) -> str:
            found = self._raw(match[1])
            found = os.environ.get(match[1]) if found is None else found
            return match[0] if found is None else self._expanded(found, depth - 1)

        return _REFERENCE.sub(replacement, value) if depth and "${" in value else value


def credential(variables: Variables, name: str) -> str:
    value = variables.get(name)
    if not (value.isascii() and value.isprintable() and " " not in value):
        raise SettingsError(f"{name} holds a blank or a character that no key has; its value is not shown")
    return value


def url(variables: Variables, name: str) -> str:
    """An address that every client reads alike, without slashes at its end."""
    value = variables.get(name) if name else ""
    if not value:
        return ""
    if not value.startswith(("http://", "https://")):
        raise SettingsError(f"{name} must begin with https:// or http://")
    path = value.partition("://")[2].partition("/")[2].rstrip("/")
    try:
        parts = urlsplit(value)
        has_host = bool(parts.hostname) and parts.port != 0
    except ValueError:
        has_host = False
    faults = {
        "names no host, or a port that is not a number": not has_host,
        "holds a user or a password": "@" in value.partition("://")[2].partition("/")[0],
        "has a query or a fragment": "?" in value or "#" in value,
        "holds a blank, a line end or a backslash": not value.isprintable() or bool({" ", "\\"} & set(value)),
        "has an empty part or dots between its slashes": not {"", ".", ".."}.isdisjoint(path.split("/"))
        and bool(path),
    }
    for fault, is_so in faults.items():
        if is_so:
            raise SettingsError(f"{name} must be a plain address, such as https://host/v1, but it {fault}")
    return value.rstrip("/")


def choice(variables: Variables, name: str, choices: Sequence[str]) -> str:
    """One of some words; the first is what an empty value means, unless that is one of them."""
    value = variables.get(name).lower()
    if not value and "" not in choices:
        return choices[0]
    if value not in choices:
        words = ", ".join(filter(None, choices))
        raise SettingsError(f"{name} is {value!r}, but must be one of: {words}")
    return value


def names(variables: Variables, name: str) -> tuple[str, ...]:
    return tuple(part.strip() for part in variables.get(name).split(",") if part.strip())


def temperature(variables: Variables, name: str) -> float | None:
    value = variables.get(name)
    if not value:
        return None
    temperature = _number(value)
    if not 0 <= temperature <= _HOTTEST:
        raise SettingsError(f"{name} is {value!r}, but must be a number from 0 to 2, such as 0.3")
    return temperature


def seconds(variables: Variables, name: str) -> float:
    value = variables.get(name) or "300"
    seconds = _number(value)
    if not seconds >= 0:
        raise SettingsError(f"{name} is {value!r}, but must be a number of seconds, such as 300")
    return seconds


def _number(value: str) -> float:
    try:
        return float(value)
    except ValueError:
        return math.nan


def limits(variables: Variables, name: str) -> dict[str, int]:
    value = variables.get(name)
    if not value:
        return {}
    example = '{"qwen/qwen-plus": 8192}'
    try:
        limits = json.loads(value)
    except ValueError:
        raise SettingsError(f"{name} is not JSON; it must look like {example}") from None
    if not isinstance(limits, dict) or not all(_is_positive(limit) for limit in limits.values()):
        raise SettingsError(f"{name} must be an object of models and positive whole numbers, like {example}")
    return {model.strip(): limit for model, limit in limits.items()}


def _is_positive(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and value > 0
