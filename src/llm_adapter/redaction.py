"""Keeping keys out of everything that is shown: providers echo them, and client libraries pass that on."""

from __future__ import annotations

import logging
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

_MASK = "[key]"

# What travels in URLs, by the names of its fields: tokens that nobody configured are known by nothing else.
_IN_URLS = re.compile(r"\b((?:access_token|client_id|client_secret|refresh_token)=)[^&\s'\"<>)]+")

# Shorter values are no keys anybody issues, and hiding them would make holes in ordinary words.
_SHORTEST = 6


@dataclass(frozen=True, slots=True)
class Redactor:
    """Replaces known secrets wherever they stand."""

    secrets: tuple[str, ...]

    @classmethod
    def of(cls, values: Iterable[str]) -> Redactor:
        """A redactor for these values, as they are and as they look in a URL; longest first."""
        worth = {value for value in values if len(value) >= _SHORTEST}
        forms = worth | {quote(value, safe="") for value in worth}
        return cls(tuple(sorted(forms, key=len, reverse=True)))

    def __repr__(self) -> str:
        return f"Redactor({len(self.secrets)} secrets)"

    def text(self, value: str) -> str:
        """The text without the secrets."""
        for secret in self.secrets:
            value = value.replace(secret, _MASK)
        return _IN_URLS.sub(rf"\1{_MASK}", value)

    def data(self, value: Any) -> Any:
        """The same for JSON-like data at any depth; other values come back as they are."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {key: self.data(item) for key, item in value.items()}
        if isinstance(value, (list, tuple)):
            return type(value)(self.data(item) for item in value)
        return value

    def exceptions(self, error: BaseException) -> None:
        """Take the secrets out of an exception and of those behind it, in place.

        A logged traceback prints the whole chain, with each exception's own words, and crash reporters send
        attributes along.
        """
        for link in chain(error):
            link.args = tuple(self.data(argument) for argument in link.args)
            for name, value in vars(link).items():
                cleaned = self.data(value)
                if cleaned != value:
                    setattr(link, name, cleaned)


def chain(error: BaseException) -> list[BaseException]:
    """An exception and those behind it, the outermost first, as a traceback would show them."""
    links: list[BaseException] = []
    link: BaseException | None = error
    while link is not None and link not in links:
        links.append(link)
        link = link.__cause__ or (None if link.__suppress_context__ else link.__context__)
    return links


def hide_in_logs() -> None:
    """Keep credentials out of the URLs that HTTP libraries log. Doing it again changes nothing."""
    for name in _LOGGERS:
        logging.getLogger(name).addFilter(_hide)


# httpx, of which there are two generations, logs every URL as news; urllib3 only for who debugs.
_LOGGERS = ("httpx", "httpx2", "urllib3.connectionpool")


def _hide(record: logging.LogRecord) -> bool:
    text = record.getMessage()
    hidden = _IN_URLS.sub(rf"\1{_MASK}", text)
    if hidden != text:
        record.msg, record.args = hidden, ()
    return True
