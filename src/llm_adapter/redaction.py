"""Keeping keys out of everything that is shown: providers echo them, and client libraries pass that on."""

from __future__ import annotations

import base64
import logging
import re
from collections.abc import Iterable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache, lru_cache
from html.entities import codepoint2name
from typing import Any

_MASK = "[key]"

# What travels in URLs, by the names of its fields: tokens that nobody configured are known by nothing else.
# And who is named before a host, which is how proxies are told a password.
_IN_URLS = re.compile(
    r"\b((?:access_token|client_id|client_secret|refresh_token)=)[^&\s'\"<>)]+|(://)[^\s/?#@'\"<>]+(?=@)"
)

# Shorter values are no keys anybody issues, and hiding them would make holes in ordinary words.
_SHORTEST = 6


@dataclass(frozen=True, slots=True)
class Redactor:
    """Replaces known secrets wherever they stand, in every form in which an answer can hold them."""

    secrets: tuple[str, ...]

    @classmethod
    def of(cls, values: Iterable[str]) -> Redactor:
        """A redactor for these values; longest first, so that one that holds another leaves no rest."""
        worth = {value for value in values if len(value) >= _SHORTEST}
        return cls(tuple(sorted(worth, key=lambda value: (-len(value), value))))

    def __repr__(self) -> str:
        return f"Redactor({len(self.secrets)} secrets)"

    def text(self, value: str) -> str:
        """The text without the secrets."""
        for secret in self.secrets:
            value = _pattern(secret).sub(_MASK, value)
        return _without_urls_secrets(value)

    def data(self, value: Any) -> Any:
        """The same for JSON-like data at any depth, and for bytes; other values come back as they are."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, (bytes, bytearray)):  # Latin-1 gives each byte a character, and takes it back
            return type(value)(self.text(value.decode("latin-1")).encode("latin-1"))
        if isinstance(value, Mapping):
            return {self.data(key): self.data(item) for key, item in value.items()}
        if isinstance(value, (list, tuple, set, frozenset)) and type(value) in {list, tuple, set, frozenset}:
            return type(value)(self.data(item) for item in value)
        return value

    def exceptions(self, error: BaseException) -> None:
        """Take the secrets out of an exception and of those behind it, in place.

        A logged traceback prints the whole chain, with each exception's own words, and crash reporters send
        attributes along.
        """
        for link in links(error):
            cleaned = self.data(link.args)
            if cleaned != link.args:
                link.args = cleaned
            for name in {*vars(link), *_BUILT_IN}:
                value = getattr(link, name, None)
                cleaned = self._attribute(value)
                if cleaned is not value and cleaned != value:
                    with suppress(AttributeError, TypeError):
                        setattr(link, name, cleaned)

    def _attribute(self, value: Any) -> Any:
        """The same for an exception's attribute; an object that would show a secret becomes its words."""
        if value is None or isinstance(value, (bool, int, float, BaseException)):
            return value
        cleaned = self.data(value)
        shown = repr(cleaned)
        said = self.text(shown)
        return cleaned if said == shown or "[key]" in shown else said


# What exceptions of the language keep beside their `args`.
_BUILT_IN = ("object", "reason", "strerror", "filename", "filename2", "msg", "name", "path", "value")


def links(error: BaseException) -> list[BaseException]:
    """An exception and all that can be reached from it: causes, contexts, groups, and what `args` hold."""
    found: list[BaseException] = []
    waiting: list[Any] = [error]
    while waiting:
        link = waiting.pop(0)
        if not isinstance(link, BaseException) or any(link is each for each in found):
            continue
        found.append(link)
        waiting += [link.__cause__, link.__context__, *getattr(link, "exceptions", ()), *link.args]
        waiting += [value for value in vars(link).values() if isinstance(value, BaseException)]
    return found


def chain(error: BaseException) -> list[BaseException]:
    """An exception and those behind it, the outermost first, as a traceback would show them."""
    found: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in found:
        found.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return found


# Forms of a secret


@lru_cache(maxsize=256)
def _pattern(secret: str) -> re.Pattern[str]:
    """Finds a secret as it is, percent-encoded, escaped as JSON, Python and HTML do it, in base64 at any
    alignment, and as hexadecimal digits with or without separators.
    """
    raw = secret.encode("utf-8", "surrogatepass")
    digits = "[ :-]?".join(_anycase(f"{byte:02x}") for byte in raw)
    return re.compile("|".join(("".join(map(_character, secret)), digits, *_base64(raw))))


def _character(character: str) -> str:
    number = ord(character)
    raw = character.encode("utf-8", "surrogatepass")
    forms = [
        rf"\\{{0,8}}{re.escape(character)}",
        "".join("%(?:25){0,3}" + _anycase(f"{byte:02x}") for byte in raw),
        "".join(rf"\\{{1,8}}x{_anycase(f'{byte:02x}')}" for byte in raw),
        rf"\\{{1,8}}u{_anycase(f'{number:04x}')}",
        rf"&(?:amp;)?#(?:0{{0,5}}{number}|[xX]0{{0,5}}{_anycase(f'{number:x}')});",
    ]
    if number in codepoint2name:
        forms.append(f"&(?:amp;)?{codepoint2name[number]};")
    return f"(?:{'|'.join(forms)})"


def _base64(raw: bytes) -> Iterator[str]:
    """The characters of base64 that depend on the secret alone, wherever in a text it stands."""
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + raw).decode()
        core = encoded[-(-offset * 8 // 6) : (offset + len(raw)) * 8 // 6]
        yield "".join(
            {"+": r"(?:[+-]|%2[bB])", "/": r"(?:\\{0,8}[/_]|%2[fF])"}.get(digit, digit) for digit in core
        )


def _anycase(digits: str) -> str:
    return "".join(f"[{digit}{digit.upper()}]" if digit.isalpha() else digit for digit in digits)


# Logs


def hide_in_logs(secrets: Iterable[str] = ()) -> None:
    """Keep these secrets, and credentials within URLs, out of what HTTP libraries log, from now on."""
    hiding = _hiding()
    hiding.secrets.update(dict.fromkeys(secrets))
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(hiding)  # once: logging knows its filters


# httpx, of which there are two generations, logs every URL as news; the others only for who debugs, and then
# whatever a server has sent.
_LOGGERS = (
    *(
        f"{name}{layer}"
        for name in ("httpcore", "httpcore2")
        for layer in (".connection", ".http11", ".proxy")
    ),
    *("httpx", "httpx2", "openai._base_client", "urllib3.connection", "urllib3.connectionpool", "LiteLLM"),
)


@dataclass(slots=True, eq=False)
class _Hiding:
    """A filter for loggers."""

    secrets: dict[str, None] = field(default_factory=dict)

    def filter(self, record: logging.LogRecord) -> bool:
        text = record.getMessage()
        hidden = Redactor.of(self.secrets).text(text)
        if hidden != text:
            record.msg, record.args = hidden, ()
        return True


@cache
def _hiding() -> _Hiding:
    """One for the process, as loggers are."""
    return _Hiding()


def _without_urls_secrets(text: str) -> str:
    return _IN_URLS.sub(lambda match: f"{match[1] or match[2]}{_MASK}", text)
