"""Keeping keys out of everything that is shown: providers echo them, and client libraries pass that on."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from functools import cache
from typing import Any

from llm_adapter.secret_forms import PACKED, pattern, unpacked, without_halves

_MASK = "[key]"

# What travels in URLs, by the names of its fields: tokens that nobody configured are known by nothing else.
# And who is named before a host, which is how proxies are told a password.
_IN_URLS = re.compile(
    r"\b((?:access_token|client_id|client_secret|refresh_token)=)[^&\s'\"<>)]+|(://)[^\s/?#@'\"<>]+(?=@)"
)

# Shorter values are not keys that anybody issues, and hiding them would make holes in ordinary words.
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
            value = pattern(secret).sub(_MASK, value)
            value = without_halves(value, secret, _MASK)
        if self.secrets:
            value = PACKED.sub(lambda run: _MASK if self._is_packed_in(run[0]) else run[0], value)
        return _without_urls_secrets(value)

    def _is_packed_in(self, run: str, deepest: int = 3) -> bool:
        """Whether a secret stands below several layers of encodings."""
        return any(
            any(pattern(secret).search(text) for secret in self.secrets)
            or (deepest > 1 and any(self._is_packed_in(inner, deepest - 1) for inner in PACKED.findall(text)))
            for text in unpacked(run)
        )

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
        redactor = Redactor.of(self.secrets)
        if record.exc_info and record.exc_info[1]:  # it is on its way to us, who would do the same
            redactor.exceptions(record.exc_info[1])
        hidden = redactor.text(text)
        if hidden != text:
            record.msg, record.args = hidden, ()
        return True


@cache
def _hiding() -> _Hiding:
    """One for the process, as loggers are."""
    return _Hiding()


def _without_urls_secrets(text: str) -> str:
    return _IN_URLS.sub(lambda match: f"{match[1] or match[2]}{_MASK}", text)
