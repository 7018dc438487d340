"""Which values of the environment must never reach a file."""

from __future__ import annotations

import re
from collections.abc import Mapping
from urllib.parse import unquote

from llm_contracts.project.scenario import Provider
from llm_contracts.wire.protocols.protocol import words
from llm_contracts.wire.scrub.forms import patterns

_SECRET_ENDINGS = tuple(words("KEY _KEY_ID SECRET TOKEN PASSWORD PASSWD _PASS _PWD _PAT _CREDENTIALS _AUTH"))
_SHORTEST_SECRET = 16

_URL_USER = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://([^/@:\s]*)(?::([^/@\s]*))?@")


def secrets_in(environ: Mapping[str, str], providers: tuple[Provider, ...]) -> dict[str, str]:
    """Every value that must never reach a file, by the variable that holds it.

    The keys of all providers, not only of the one that is called: what a proxy or a client echoes is not ours
    to choose. And whatever else is named like a secret and looks like one, and passwords and tokens within
    URLs (a proxy's, a database's); short values and plain words are left out, because hiding them would eat
    holes into recordings.
    """
    keys = {name for row in providers for name in (row.key_variable, row.second_key_variable)}
    given = {name: value.strip() for name, value in environ.items() if value.strip()}
    looking_so = {
        name
        for name, value in given.items()
        if name.upper().endswith(_SECRET_ENDINGS)
        and len(value) >= _SHORTEST_SECRET
        and any(letter.isdigit() for letter in value)
    }
    named = {name: value for name, value in given.items() if name in keys | looking_so}
    within = {
        f"{name} (its {what})": unquote(part)
        for name, value in given.items()
        if name not in named and (match := _URL_USER.match(value))
        for what, part, shortest in (("user", match[1], _SHORTEST_SECRET), ("password", match[2] or "", 6))
        if len(part) >= shortest and (what == "password" or any(letter.isdigit() for letter in part))
    }
    return named | within


def not_hidden(secrets: Mapping[str, str]) -> tuple[str, ...]:
    """The variables whose value is too short, or too uniform, to be told from words: nothing hides it."""
    return tuple(sorted(name for name, value in secrets.items() if not patterns(value)))


NOT_HIDDEN = (
    "is too short to be told from words (under six characters), so nothing hides it where it is echoed"
)
"""The rest of a sentence about such a variable."""
